"""What the cells of the notebook say in Python, as they last ran, and in which order a clean run would run them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["CellSource", "CellSources"]


@dataclass(frozen=True, slots=True)
class CellSource:
    """One cell as it last ran to its end.

    Attributes:
        key: The cell's id, or what stands for it.
        title: What people call it: "cell [3]".
        filename: The file that Python was told for its code.
        text: Its code, as it was executed.
    """

    key: str
    title: str
    filename: str
    text: str


class CellSources:
    """The cells of a notebook; a cell that runs again replaces what it said.

    Attributes:
        names: The variables that the cells share.
        version: Another number after every change.
    """

    def __init__(self) -> None:
        self.names: Mapping[str, Any] = {}
        self.version = 0
        self._cells: dict[str, CellSource] = {}
        self._parked: dict[str, CellSource] = {}  # of cells that were deleted
        self._slots: dict[str, int] = {}

    def note(self, cell: CellSource) -> CellSource | None:
        """Take what `cell` says now, and return what it said before."""
        self._slots.setdefault(cell.key, len(self._slots))
        self._parked.pop(cell.key, None)
        before = self._cells.get(cell.key)
        self._cells[cell.key] = cell
        self.version += 1
        return before

    def restore(self, cell: CellSource, before: CellSource | None) -> None:
        """Let `cell`, which has failed, say what it said before."""
        if self._cells.get(cell.key) is not cell:
            return
        if before is None:
            del self._cells[cell.key]
        else:
            self._cells[cell.key] = before
        self.version += 1

    def reset(self) -> None:
        """Forget every cell."""
        self._cells, self._parked, self._slots = {}, {}, {}
        self.version += 1

    def knows(self, filename: str) -> bool:
        """Say whether a cell's code has this file."""
        return any(cell.filename == filename for cell in self._cells.values())

    def forget(self, keys: Collection[str | None]) -> None:
        """Let the cells `keys`, which no longer exist, no longer count."""
        for key in [key for key in self._cells if key in keys]:
            self._parked[key] = self._cells.pop(key)
            self.version += 1

    def remember(self, keys: Collection[str]) -> None:
        """Let the cells `keys` count again that were forgotten and are back."""
        for key in [key for key in self._parked if key in keys]:
            self._cells[key] = self._parked.pop(key)
            self.version += 1

    def in_order(self, positions: Mapping[str, int]) -> list[CellSource]:
        """Return the cells as a clean run would run them.

        Args:
            positions: Where cells stand in the notebook; those that are not there come after, as they first ran.
        """
        last = len(positions)
        places = {key: (positions.get(key, last), slot) for key, slot in self._slots.items()}
        return sorted(self._cells.values(), key=lambda cell: places[cell.key])
