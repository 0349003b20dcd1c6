"""Those who wait, in lines: one for each combination of kinds of things that are asked for.

All in a line want the same kinds, so if its first must wait for one of them, so must all behind it. However many
wait, there are as few to look at as there are lines.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from itertools import count, islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Callable

    from flyte_nb.machine.grants import Grant
    from flyte_nb.machine.stock import Demand

__all__ = ["Line", "Lines", "Waiter"]

# Who has more ahead of it is not told how many, which would be as much work for each as there are who wait.
_TOLD = 10


@dataclass(slots=True, eq=False)
class Waiter:
    """One who waits.

    Attributes:
        place: The smaller one comes first: (0, number) to go on, (1, number) to begin.
        grant: What it waits for.
        demand: What that is, as it is counted.
        say: Is told what it waits for, whenever that changes.
        futures: Have a result once its turn has come.
        said: What was told last.
        passed: When somebody behind it was first let go before it, in seconds; None while nobody was.
    """

    place: tuple[int, int]
    grant: Grant
    demand: Demand
    say: Callable[[str], None] | None
    futures: list[Future[None]] = field(default_factory=list)
    said: str = ""
    passed: float | None = None

    @property
    def has_begun(self) -> bool:
        """Whether it has begun to run, and waits to go on."""
        return self.place[0] == 0

    def end_wait(self) -> None:
        """Let all go on that wait with it."""
        for future in self.futures:
            if not future.done():  # otherwise it was cancelled, and does not know yet
                future.set_result(None)

    def tell(self, words: str) -> None:
        """Tell what it waits for, if that is something else than before."""
        if self.say and words != self.said:
            self.said = words
            self.say(words)


class Line:
    """Those who want the same kinds of things, first come first served.

    Attributes:
        waiters: Those who wait, in order.
    """

    def __init__(self) -> None:
        self.waiters: OrderedDict[Waiter, None] = OrderedDict()  # of a dict, the first is not always found quickly

    @property
    def first(self) -> Waiter:
        """Who has waited longest."""
        return next(iter(self.waiters))

    def tell_others(self) -> None:
        """Tell those behind the first how many are ahead of them."""
        for ahead, waiter in enumerate(islice(self.waiters, 1, _TOLD + 1), start=1):
            waiter.tell(_ahead(ahead))

    def tell_last(self) -> None:
        """Tell the last how many are ahead of it."""
        next(reversed(self.waiters)).tell(_ahead(len(self.waiters) - 1))


class Lines:
    """All who wait."""

    def __init__(self) -> None:
        self._lines: dict[tuple[bool, int], Line] = {}
        self._numbers = count()

    def join(self, waiter: Waiter) -> Line:
        """Put `waiter` at the end of its line, and return that."""
        line = self._lines.setdefault((waiter.has_begun, waiter.demand.kinds), Line())
        line.waiters[waiter] = None
        return line

    def leave(self, waiter: Waiter) -> None:
        """Take `waiter` out of its line."""
        key = (waiter.has_begun, waiter.demand.kinds)
        del self._lines[key].waiters[waiter]
        if not self._lines[key].waiters:
            del self._lines[key]

    def place(self, *, has_begun: bool) -> tuple[int, int]:
        """Return the place of one who comes now."""
        return (0 if has_begun else 1), next(self._numbers)

    def present(self) -> list[Line]:
        """Return the lines in which somebody waits."""
        return list(self._lines.values())


def _ahead(number: int) -> str:
    if number > _TOLD:
        return f"its turn: more than {_TOLD} are ahead"
    return f"its turn: {number} {'is' if number == 1 else 'are'} ahead"
