"""What tasks have been given."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flyte_nb.machine.claims import Claim
    from flyte_nb.machine.detect import Gpu
    from flyte_nb.machine.lines import Waiter
    from flyte_nb.machine.stock import Demand

__all__ = ["Grant"]


class Grant:
    """What one task has been given.

    Attributes:
        claim: What it claims.
        gpus: The GPUs that it may use now; when it has waited for another task meanwhile, they may be others.
        who: The full name of the task.
        demand: The claim as it is counted; None if it claims nothing, or has ended.
        holds: Whether it has it now.
        waiter: It, while it waits.
    """

    __slots__ = ("claim", "demand", "gpus", "holds", "waiter", "who")

    def __init__(self, claim: Claim, demand: Demand | None, who: str) -> None:
        self.claim, self.demand, self.who = claim, demand, who
        self.gpus: tuple[Gpu, ...] = ()
        self.holds = False
        self.waiter: Waiter | None = None
