"""Each run of a cell is one transaction, whatever becomes of the cell."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

import flyte_nb as flyte
from flyte_nb.definitions.registry import Registry
from flyte_nb.definitions.sources import CellSources
from flyte_nb.jupyter.cells import CellRuns
from flyte_nb.jupyter.document import NotebookDocument
from flyte_nb.sdk_cells import SdkCells

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def defined() -> list[str]:
    return list(flyte.registry())


def test_end_without_result(ip: InteractiveShell) -> None:
    """A cell that the kernel cancelled, whose end has no result, is rolled back."""
    info = SimpleNamespace(store_history=True, cell_id="a", raw_cell="x")
    ip.events.trigger("pre_run_cell", info)
    flyte.TaskEnvironment("x")
    ip.events.trigger("post_run_cell", None)
    assert defined() == []


def test_end_never_announced(ip: InteractiveShell) -> None:
    """A cell whose end was never announced is rolled back when the next begins, and takes nothing with it."""
    ip.events.trigger("pre_run_cell", SimpleNamespace(store_history=True, cell_id="a", raw_cell="x"))
    flyte.TaskEnvironment("lost")
    ip.run_cell("y = flyte.TaskEnvironment('kept')", store_history=True)
    assert defined() == ["kept"]


def test_end_without_begin(ip: InteractiveShell) -> None:
    """An end whose begin was not seen changes nothing."""
    flyte.TaskEnvironment("x")
    ip.events.trigger("post_run_cell", SimpleNamespace(success=False, info=SimpleNamespace(raw_cell="x")))
    assert defined() == ["x"]


def test_comments(ip: InteractiveShell) -> None:
    """A cell whose code was commented out defines nothing."""
    ip.run_cell("x = flyte.TaskEnvironment('x')", store_history=True, cell_id="a")
    ip.run_cell("# x = flyte.TaskEnvironment('x')", store_history=True, cell_id="a")
    assert defined() == []


def test_nested_failure_that_is_caught(ip: InteractiveShell) -> None:
    """A cell run by a cell is rolled back alone if only it fails."""
    ip.run_cell(
        "x = flyte.TaskEnvironment('x')\n"
        "get_ipython().run_cell(\"y = flyte.TaskEnvironment('y'); 1 / 0\")\n"
        "z = flyte.TaskEnvironment('z')",
        store_history=True,
        cell_id="a",
    ).raise_error()
    assert defined() == ["x", "z"]


def test_unload_in_a_cycle(ip: InteractiveShell) -> None:
    """Unloading in a cell whose definitions close a cycle says so, rolls back, and is complete all the same."""
    ip.run_cell("a = flyte.TaskEnvironment('a', depends_on=['b'])", cell_id="1")
    ip.run_cell("a = flyte.TaskEnvironment('a')", cell_id="2")
    ip.run_cell("b = flyte.TaskEnvironment('b', depends_on=['a'])", cell_id="3")
    assert not ip.run_cell("%unload_ext flyte_nb", cell_id="2").success
    assert flyte.registry()["a"].depends_on == ()
    assert not hasattr(ip, "flyte_nb")
    assert not any("flyte_nb" in str(callback) for kind in ip.events.callbacks.values() for callback in kind)


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"header": None, "metadata": None},
        {"header": {}, "metadata": {"cellId": 5, "deletedCells": "a"}},
        {"header": {"msg_id": "1"}, "metadata": {"cellId": "", "deletedCells": [None, ["a"], {}]}},
    ],
)
def test_strange_requests(ip: InteractiveShell, monkeypatch: pytest.MonkeyPatch, request_: dict[str, Any]) -> None:
    """Whatever a front end puts into the metadata, cells run and definitions stay."""
    ip.run_cell("x = flyte.TaskEnvironment('x')", cell_id="a")
    monkeypatch.setattr(ip, "get_parent", lambda: request_, raising=False)
    ip.run_cell("y = flyte.TaskEnvironment('y')").raise_error()
    assert defined() == ["x", "y"]


def test_same_request(ip: InteractiveShell, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cell begins with a request, and what runs for the same request is part of it, with history or without."""
    registry = Registry()
    cells = CellRuns(ip, registry, CellSources(), NotebookDocument(), SdkCells(registry, registry.amend))
    requests = iter(["1", "1", "2"])
    monkeypatch.setattr(ip, "get_parent", lambda: {"header": {"msg_id": next(requests)}}, raising=False)
    for expected in (1, 2, 1):
        cells.before(SimpleNamespace(store_history=True, cell_id=None, raw_cell="1"))
        assert len(cells._open) == expected
