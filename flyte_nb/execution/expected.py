"""How many calls maps were asked for, and how many of these have begun: of the others nothing else tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

__all__ = ["Expect", "Expected"]


class Expect(Protocol):
    """Notes what maps of one task by one caller are asked for."""

    def __call__(self, calls: int, maps: int = 0) -> None:
        """Note that so many more calls, or fewer, are asked for, by so many more maps that go on, or fewer."""


@dataclass(slots=True)
class Expected:
    """What maps of one task by one caller are asked for.

    Attributes:
        calls: How many calls.
        begun: How many of them have begun.
        maps: How many maps go on.
    """

    calls: int = 0
    begun: int = 0
    maps: int = 0

    @property
    def left(self) -> int:
        """How many calls have not begun."""
        return max(0, self.calls - self.begun)

    def add(self, calls: int, maps: int) -> None:
        """Note what `Expect` does; after the last map has ended, a new one begins anew."""
        if maps > 0 and not self.maps:
            self.calls = self.begun = 0
        self.calls += calls
        self.maps += maps
