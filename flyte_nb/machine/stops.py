"""Lines in which nobody's turn has come, and what that means for those behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flyte_nb.machine.shortage import shortage

if TYPE_CHECKING:
    from flyte_nb.machine.lines import Line, Waiter
    from flyte_nb.machine.stock import Stock

__all__ = ["Stop"]


@dataclass(frozen=True, slots=True)
class Stop:
    """A line whose first must wait.

    Attributes:
        line: The line.
        stock: What is free, which becomes less while others pass.
        ahead: For whom something is set aside that it wants, if there is somebody.
        is_overdue: Whether it was passed for long.
    """

    line: Line
    stock: Stock
    ahead: Stop | None
    is_overdue: bool

    @property
    def short(self) -> int:
        """The kinds of which it lacks some."""
        return self.stock.short(self.line.first.demand)

    def keeps_from(self, other: Waiter) -> bool:
        """Say whether `other`, who comes later, must not have what it wants because of this one."""
        first = self.line.first
        wants_all = self.is_overdue or (first.has_begun and not other.has_begun)
        return bool(other.demand.kinds & (first.demand.kinds if wants_all else self.short))

    def was_passed(self, now: float) -> None:
        """Note that somebody who comes later has been let go."""
        first = self.line.first
        first.passed = now if first.passed is None else first.passed

    def tell(self) -> None:
        """Tell those in the line what they wait for."""
        first = self.line.first
        short = self.short
        if short:
            first.tell(shortage(self.stock, first.demand, short))
        elif self.ahead:
            first.tell(f"its turn: {self.ahead.line.first.grant.who} is ahead")
        self.line.tell_others()
