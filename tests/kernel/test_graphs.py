"""Graphs and plans on screen: how long they are alive, and what they follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from .notebook import Notebook, Result

_DEFINE = """\
base = flyte.TaskEnvironment("base", image="python:3.12")
api = flyte.TaskEnvironment("api", image="python:3.12")
@base.task
async def load() -> int:
    return 1
@api.task
async def serve() -> int:
    return await load()
"""


def _alive(notebook: Notebook) -> list[str]:
    """Return the hosts of the live views that the kernel has."""
    return list(
        notebook.value(
            "[made._host for made in __import__('ipywidgets').widgets.widget._instances.values()"
            " if hasattr(made, '_host')]"
        )
    )


def _is_told(result: Result) -> bool:
    """Say whether live views were told that what they tell is outdated."""
    contents = (message["content"]["data"] for message in result.messages if message["msg_type"] == "comm_msg")
    return any("outdated" in data["content"] for data in contents if data.get("method") == "custom")


def test_plans_are_let_go(notebook: Notebook) -> None:
    """When their cell runs again or is emptied, when too many come after them, and with the extension."""
    notebook.ok("%unload_ext flyte_nb\n%load_ext flyte_nb")
    notebook.ok(_DEFINE, "definitions")
    for number in range(18):
        notebook.ok("plan = %flyte_plan" if number % 2 else "flyte.plan()", f"plan {number}")
    before = _alive(notebook)
    assert len(before) == 16
    notebook.ok("%flyte_plan", "plan 17")
    assert len(set(_alive(notebook)) & set(before)) == 15
    notebook.ok("", "plan 17")
    notebook.ok("print('no plan any more')", "plan 16")
    assert len(_alive(notebook)) == 14
    notebook.ok("%unload_ext flyte_nb")
    assert _alive(notebook) == []


def test_graphs_of_one_cell_all_follow(notebook: Notebook) -> None:
    """Until the cell runs again, which lets go of all that it has shown before."""
    notebook.ok(_DEFINE, "definitions")
    notebook.ok("%flyte_graph base\n%flyte_graph api", "graphs")
    before = _alive(notebook)
    updates = notebook.ok(_DEFINE.replace("3.12", "3.13"), "definitions").updates
    assert [sum(f"{name}  python:3.13" in text for text in updates) for name in ("base", "api")] == [1, 1]
    notebook.ok("%flyte_graph base\n%flyte_graph api", "graphs")
    after = _alive(notebook)
    assert len(after) == len(before)
    assert len(set(after) - set(before)) == 2


def test_graphs_look_again_at_what_was_deployed_and_has_run(notebook: Notebook) -> None:
    """Whoever has done it; the still picture shows the calls that there are."""
    notebook.ok(_DEFINE, "definitions")
    notebook.ok("%flyte_graph --calls", "graph")
    assert _is_told(notebook.ok("%flyte_deploy", "deploys"))
    assert _is_told(notebook.ok("await flyte.deploy()", "deploys too"))
    ran = notebook.ok("await serve()", "runs")
    assert _is_told(ran)
    assert "api → base: 1 call, not in depends_on" in ran.updates[-1]
    assert not _is_told(notebook.ok("1 + 1", "does nothing"))


def _cards(text: str) -> list[list[str]]:
    """Return of each environment in a picture what stands between its wave and its image."""
    return [line.split()[1:-1] for line in text.splitlines() if line.endswith("python:3.12")]


def test_cards_say_what_is_deployed_and_what_has_changed(notebook: Notebook) -> None:
    """With a name that a task uses, too, whichever cell defines that."""
    notebook.ok("import tempfile\n%config FlyteNB.home = tempfile.mkdtemp()")
    helper = "def answer():\n    return {}".format
    notebook.ok(helper(1), "helper")
    notebook.ok(_DEFINE.replace("return 1", "return answer()"), "definitions")
    assert _cards(notebook.ok("%flyte_graph", "graph").displays[-1]) == [["base"], ["api"]]
    deployed = [["base", "✓", "deployed"], ["api", "○", "defined"]]
    assert _cards(notebook.ok("%flyte_deploy base", "deploys").updates[-1]) == deployed
    changed = [["base", "~", "to", "update"], ["api", "○", "defined"]]
    assert _cards(notebook.ok(helper(2), "helper").updates[-1]) == changed
    assert not notebook.ok("unrelated = 1", "elsewhere").updates
    assert _cards(notebook.ok(helper(1), "helper").updates[-1]) == deployed
    both = notebook.ok(f"{helper(2)}\n%flyte_graph", "another graph")
    assert _cards(both.displays[-1]) == _cards(both.updates[-1]) == changed
    notebook.ok("%config FlyteNB.home = ''")


def test_graphs_are_shown_where_deployments_cannot_be_read(notebook: Notebook, tmp_path: Path) -> None:
    """Cards say what is defined."""
    notebook.ok(_DEFINE, "definitions")
    (tmp_path / "state.sqlite3").write_text("damaged " * 1_000)
    notebook.ok(f"%config FlyteNB.home = {str(tmp_path)!r}")
    assert _cards(notebook.ok("%flyte_graph", "graph").displays[-1]) == [["base"], ["api"]]
    notebook.ok("%config FlyteNB.home = ''")
