"""What stays on screen, and for how long it is kept alive."""

from __future__ import annotations

from typing import Any

from flyte_nb.jupyter.output import LiveGraphs


class Output:
    def __init__(self) -> None:
        self.shown: list[Any] = []
        self.closed = False

    def show(self, picture: Any) -> None:
        self.shown.append(picture)

    def close(self) -> None:
        self.closed = True


def test_follows() -> None:
    """Every graph is drawn from the session as it is when that has changed."""
    graphs, outputs = LiveGraphs(), [Output() for _ in range(3)]
    for number, output in enumerate(outputs):
        graphs.add(f"cell {number}", output, lambda number=number: f"picture {number}")  # type: ignore[arg-type,misc]
    graphs.refresh()
    assert [output.shown for output in outputs] == [["picture 0"], ["picture 1"], ["picture 2"]]


def test_replaced() -> None:
    """A cell that shows its graph again replaces it."""
    graphs, first, second = LiveGraphs(), Output(), Output()
    graphs.add("cell", first, lambda: None)  # type: ignore[arg-type,return-value]
    graphs.add("cell", second, lambda: None)  # type: ignore[arg-type,return-value]
    assert (first.closed, second.closed) == (True, False)


def test_the_latest_are_kept() -> None:
    """Of many graphs the latest sixteen are alive."""
    graphs, outputs = LiveGraphs(), [Output() for _ in range(20)]
    for output in outputs:
        graphs.add(None, output, lambda: None)  # type: ignore[arg-type,return-value]
    assert [output.closed for output in outputs] == [True] * 4 + [False] * 16
    graphs.close()
    assert all(output.closed for output in outputs)
