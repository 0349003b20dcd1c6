"""What stays on screen, and for how long it is kept alive."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from flyte_nb.jupyter import output
from flyte_nb.jupyter.output import GraphOutput, LiveGraphs
from flyte_nb.view.picture import Calls, Node, Picture

if TYPE_CHECKING:
    from collections.abc import Callable

_PICTURE = Picture((Node("a"), Node("b")), (("a", "b"),))


class Output:
    def __init__(self) -> None:
        self.shown: list[Any] = []
        self.closed = False

    def show(self, picture: Any) -> None:
        self.shown.append(picture)

    def look_again(self) -> None:
        self.shown.append("again")

    def close(self) -> None:
        self.closed = True


def _add(graphs: LiveGraphs, cell: str | None, output: Output, current: Callable[[], Any] | None = None) -> None:
    graphs.add(cell, output, current)  # type: ignore[arg-type]


def test_follows() -> None:
    """Every graph is drawn from the session as it is when that has changed; what never changes is left alone."""
    graphs, outputs = LiveGraphs(), [Output() for _ in range(3)]
    for number, made in enumerate(outputs[:2]):
        _add(graphs, "cell", made, lambda number=number: f"picture {number}")  # type: ignore[misc]
    _add(graphs, "cell", outputs[2])
    graphs.refresh()
    assert [made.shown for made in outputs] == [["picture 0", "again"], ["picture 1", "again"], []]


def test_dropped() -> None:
    """All that a cell has shown goes with its output; what was shown nobody knows where stays."""
    graphs, outputs = LiveGraphs(), [Output() for _ in range(4)]
    for cell, made in zip(("one", "one", "other", None), outputs, strict=True):
        _add(graphs, cell, made)
    graphs.drop("one")
    graphs.drop(None)
    assert [made.closed for made in outputs] == [True, True, False, False]


def test_the_latest_are_kept() -> None:
    """Of many graphs the latest sixteen are alive, in whatever cells."""
    graphs, outputs = LiveGraphs(), [Output() for _ in range(20)]
    for made in outputs:
        _add(graphs, None, made)
    assert [made.closed for made in outputs] == [True] * 4 + [False] * 16
    graphs.close()
    assert all(made.closed for made in outputs)


@pytest.fixture
def displayed(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """What is displayed, in place of a front end; and each picture that is drawn for that, before it."""
    seen: list[Any] = []
    draw = output.bundle
    monkeypatch.setattr(output, "display", lambda bundle, **_: seen.append(bundle))
    monkeypatch.setattr(output, "bundle", lambda picture, host: seen.append(picture) or draw(picture, host))
    return seen


def test_what_is_shown_already_is_not_drawn_again(displayed: list[Any]) -> None:
    """Whatever has changed in the session: only another picture is drawn, and displayed."""
    shown = GraphOutput(_PICTURE, watched=False)
    displayed.clear()
    shown.show(Picture((Node("a"), Node("b")), (("a", "b"),)))
    assert displayed == []
    other = replace(_PICTURE, nodes=(*_PICTURE.nodes, Node("c")))
    shown.show(other)
    assert [each.names for each in displayed if isinstance(each, Picture)] == [("a", "b", "c")]
    displayed.clear()
    shown.show(other)
    assert displayed == []


def test_a_still_picture_shows_the_calls_of_now(displayed: list[Any]) -> None:
    """Of one that is to show them, if others have been made; nothing else has changed."""
    counts = iter((1, 1, 2))
    shown = GraphOutput(
        _PICTURE,
        with_calls=lambda picture: replace(picture, calls=(Calls("b", "a", next(counts), expected=True),)),
        calls=True,
        watched=False,
    )
    displayed.clear()
    shown.show(_PICTURE)
    assert displayed == []
    shown.show(_PICTURE)
    assert "b → a: 2 calls" in displayed[-1]["text/plain"]
