"""A cell owns what it defines: whatever ran in which order, the registry is that of one clean run of the notebook."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from flyte_nb.deployment.keeping.state import DeploymentState

if TYPE_CHECKING:
    from pathlib import Path

    from .notebook import Notebook

BASE = "%%flyte_env base-utils --image python:{}\n@env.task\nasync def load() -> int:\n    return 1\n"
TRAINING = "%%flyte_env ml-training --image pytorch:latest --depends-on base-utils\n"


def deployed_images(home: Path) -> dict[str, str]:
    deployed = DeploymentState(home).deployed("local")
    return {name: environment.specification["image"] for name, environment in deployed.items()}


def test_another_image(notebook: Notebook, home: Path) -> None:
    """The cell that defines an environment runs again with another image: its dependents deploy against that one."""
    notebook.ok(BASE.format("3.12-slim"), "base")
    notebook.ok(TRAINING, "training")
    notebook.ok("first = %flyte_deploy")
    notebook.ok(BASE.format("3.13-slim"), "base")
    notebook.ok("second = %flyte_deploy ml-training")
    assert notebook.value("first.order, second.order") == (["base-utils", "ml-training"],) * 2
    assert deployed_images(home) == {"base-utils": "python:3.13-slim", "ml-training": "pytorch:latest"}
    assert notebook.value("[step.action.value for step in flyte.plan().steps]") == ["unchanged", "unchanged"]


def test_redefined_in_another_cell(notebook: Notebook) -> None:
    """Of two cells that define one name the one that ran last wins, and deleting it brings back the other."""
    notebook.ok("a = flyte.TaskEnvironment('x', image='one:1')", "a")
    notebook.ok("b = flyte.TaskEnvironment('x', image='two:2')", "b")
    assert notebook.value("flyte.registry()['x'].image") == "two:2"
    notebook.ok("pass", "c", deleted=["b"])
    assert notebook.value("flyte.registry()['x'].image") == "one:1"


def test_renamed_task(notebook: Notebook) -> None:
    """A task that the cell no longer defines is gone; tasks that other cells attached stay."""
    notebook.ok("%%flyte_env e\n@env.task\nasync def old(): ...\n", "a")
    notebook.ok("@e.task\nasync def other(): ...\n", "b")
    notebook.ok("%%flyte_env e\n@env.task\nasync def new(): ...\n", "a")
    assert notebook.value("sorted(flyte.registry()['e'].tasks)") == ["e.new", "e.other"]


def test_removed_environment(notebook: Notebook) -> None:
    """An environment that the cell no longer defines is gone, and so is one of a cell that was emptied."""
    notebook.ok("x = flyte.TaskEnvironment('x'); y = flyte.TaskEnvironment('y')", "a")
    notebook.ok("y = flyte.TaskEnvironment('y')", "a")
    assert notebook.value("list(flyte.registry())") == ["y"]
    notebook.ok("   \n", "a")
    assert notebook.value("list(flyte.registry())") == []


def test_deleted_cell(notebook: Notebook) -> None:
    """What a deleted cell defined is gone with the next cell that runs."""
    notebook.ok("x = flyte.TaskEnvironment('x')", "a")
    notebook.ok("y = flyte.TaskEnvironment('y')", "b")
    notebook.ok("pass", "c", deleted=["a", "never-ran"])
    assert notebook.value("list(flyte.registry())") == ["y"]


@pytest.mark.parametrize(
    "failing",
    [
        "1 / 0",
        "await asyncio.sleep(0)\n1 / 0",
        "raise SystemExit",
        "raise KeyboardInterrupt",
        "raise asyncio.CancelledError",
        "%flyte_remove nothing",
        "flyte.TaskEnvironment('later', depends_on=['x']); base.add_dependency('later')",
        "get_ipython().run_cell('1 / 0').raise_error()",
        "x x",
    ],
)
def test_failing_cell(notebook: Notebook, failing: str) -> None:
    """A cell that fails leaves every definition as it was."""
    notebook.ok("%%flyte_env x --image one:1\n@env.task\nasync def t(): ...\n", "a")
    notebook.ok("base = flyte.TaskEnvironment('base'); env = 'mine'", "b")
    notebook.ok("x.add_dependency(base)", "c")
    assert notebook.run(f"%%flyte_env x --image two:2\n@env.task\nasync def u(): ...\n{failing}", "a").status == "error"
    assert notebook.value("list(flyte.registry()), list(x.tasks), x.depends_on, x.image, env") == (
        ["x", "base"],
        ["x.t"],
        ("base",),
        "one:1",
        "mine",
    )
    notebook.ok("later = flyte.TaskEnvironment('later')", "d")
    assert notebook.value("list(flyte.registry())") == ["x", "base", "later"]


def test_cycle(notebook: Notebook) -> None:
    """A cell that would close a cycle is refused on one line with the path, and changes nothing."""
    notebook.ok("%%flyte_env base-utils\n", "a")
    notebook.ok("%%flyte_env ml-training --depends-on base-utils\n", "b")
    result = notebook.run("%%flyte_env base-utils --image other:1 --depends-on ml-training\n", "a")
    assert result.ename == "UsageError"
    assert "base-utils -> ml-training -> base-utils" in result.evalue
    assert result.traceback == ""
    assert notebook.value("base_utils.image, flyte.registry()['base-utils'].depends_on") == ("auto", ())


def test_cycle_uncovered(notebook: Notebook) -> None:
    """A cell that, by no longer hiding an earlier definition, would close a cycle, fails and changes nothing."""
    notebook.ok("a = flyte.TaskEnvironment('a', depends_on=['b'])", "1")
    notebook.ok("a = flyte.TaskEnvironment('a')", "2")
    notebook.ok("b = flyte.TaskEnvironment('b', depends_on=['a'])", "3")
    result = notebook.run("pass", "2")
    assert (result.status, result.ename) == ("error", "UsageError")
    assert result.stderr.count("\n") == 1
    assert "a -> b -> a" in result.stderr
    assert notebook.value("flyte.registry()['a'].depends_on, flyte.registry()['b'].depends_on") == ((), ("a",))


def test_without_cell_ids(notebook: Notebook) -> None:
    """Where the front end gives no ids, a %%flyte_env cell replaces what it defined before, by its name."""
    notebook.ok("%%flyte_env x --image one:1\n@env.task\nasync def old(): ...\n")
    notebook.ok("@x.task\nasync def other(): ...\n")
    notebook.ok("%%flyte_env x --image two:2\n@env.task\nasync def new(): ...\n")
    assert notebook.value("x.image, sorted(x.tasks)") == ("two:2", ["x.new", "x.other"])
    assert notebook.run("%%flyte_env x --image three:3\n1 / 0\n").status == "error"
    assert notebook.value("x.image, sorted(x.tasks)") == ("two:2", ["x.new", "x.other"])


def test_requests_of_extensions(notebook: Notebook) -> None:
    """What front-end extensions execute beside the cells takes nothing back."""
    notebook.ok("x = flyte.TaskEnvironment('x')")
    notebook.ok("variables = dir()", store_history=False)
    notebook.ok("variables = dir()", silent=True)
    notebook.ok("y = flyte.TaskEnvironment('y')", store_history=False)
    notebook.ok("variables = dir()", store_history=False)
    assert notebook.value("list(flyte.registry())") == ["x", "y"]


@pytest.mark.parametrize("options", ["", ", store_history=True", ", silent=True"])
def test_cell_inside_a_cell(notebook: Notebook, options: str) -> None:
    """What a cell runs by other means belongs to it, and is rolled back with it."""
    code = f"get_ipython().run_cell(\"y = flyte.TaskEnvironment('y')\"{options})\nz = flyte.TaskEnvironment('z')\n"
    notebook.ok("x = flyte.TaskEnvironment('x')\n" + code, "a")
    assert notebook.value("list(flyte.registry())") == ["x", "y", "z"]
    assert notebook.run("other = flyte.TaskEnvironment('other')\n" + code + "1 / 0", "a").status == "error"
    assert notebook.value("list(flyte.registry())") == ["x", "y", "z"]
    notebook.ok("z = flyte.TaskEnvironment('z')", "a")
    assert notebook.value("list(flyte.registry())") == ["z"]


@pytest.mark.parametrize("magic", ["%%capture out", "%%time", "%%timeit -n1 -r1"])
def test_inside_another_cell_magic(notebook: Notebook, magic: str) -> None:
    """A %%flyte_env below another cell magic defines as it does at the top."""
    notebook.ok(f"{magic}\n%%flyte_env x --image one:1\n@env.task\nasync def t(): ...\n", "a")
    assert notebook.value("list(flyte.registry()['x'].tasks)") == ["x.t"]
    notebook.ok(f"{magic}\n%%flyte_env y\n", "a")
    assert notebook.value("list(flyte.registry())") == ["y"]


def test_in_the_loading_cell(notebook: Notebook) -> None:
    """What stands below %load_ext in the same cell is owned by that cell."""
    notebook.ok("%unload_ext flyte_nb")
    notebook.ok("%load_ext flyte_nb\nx = flyte.TaskEnvironment('x')\ny = flyte.TaskEnvironment('y')", "a")
    assert notebook.value("list(flyte.registry())") == ["x", "y"]
    notebook.ok("%load_ext flyte_nb\ny = flyte.TaskEnvironment('y')", "a")
    assert notebook.value("list(flyte.registry())") == ["y"]
    notebook.ok("%unload_ext flyte_nb")
    assert notebook.run("%load_ext flyte_nb\nz = flyte.TaskEnvironment('z')\n1 / 0", "b").status == "error"
    assert notebook.value("list(flyte.registry())") == ["y"]


def test_graph_follows(notebook: Notebook) -> None:
    """A graph on screen is drawn again when a cell has redefined an environment, and not when a cell has failed."""
    notebook.ok("%%flyte_env x --image one:1\n", "a")
    notebook.ok("%flyte_graph", "g")
    assert "two:2" in notebook.ok("%%flyte_env x --image two:2\n", "a").updates[-1]
    failed = notebook.run("%%flyte_env x --image three:3\n1 / 0", "a")
    assert all("two:2" in update for update in failed.updates)  # drawn again as it was


def test_a_graph_drawn_in_a_cell_that_fails_does_not_keep_what_failed(notebook: Notebook) -> None:
    """What a cell showed in the middle of a run that was rolled back is drawn again."""
    failed = notebook.run("ghost = flyte.TaskEnvironment('ghost')\n%flyte_graph\n1 / 0", "a")
    assert "No environments" in failed.updates[-1]


def test_a_module_of_environments_outlasts_the_cell_that_imports_it(notebook: Notebook, folder: Path) -> None:
    """Running `import my_envs` again does not take its environments away."""
    (folder / "my_envs.py").write_text("import flyte_nb as flyte\nbase = flyte.TaskEnvironment('base-mod')\n")
    notebook.ok(f"import sys\nsys.path.insert(0, {str(folder)!r})")
    notebook.run("import my_envs\n1 / 0", "a")
    for _ in range(2):
        notebook.ok("import my_envs", "a")
        assert notebook.value("list(flyte.registry())") == ["base-mod"]


def test_an_undone_deletion_comes_back_with_the_next_save(notebook: Notebook, folder: Path) -> None:
    """JupyterLab tells of deletions and not of their undoing; the saved notebook does."""
    path = folder / "undo.ipynb"
    path.write_text(json.dumps({"cells": [{"id": "a"}, {"id": "b"}]}), encoding="utf-8")
    notebook.ok(f"import os\nos.environ['JPY_SESSION_NAME'] = {str(path)!r}")
    try:
        notebook.ok("x = flyte.TaskEnvironment('x')", "a")
        assert "no longer defined, because the cell was deleted: x" in notebook.ok("1", "b", deleted=["a"]).stdout
        assert notebook.value("list(flyte.registry())") == []
        path.write_text(json.dumps({"cells": [{"id": "b"}, {"id": "a"}]}), encoding="utf-8")
        assert notebook.value("list(flyte.registry())") == ["x"]
    finally:
        notebook.ok("del os.environ['JPY_SESSION_NAME']")


def test_order_of_the_notebook(notebook: Notebook, folder: Path) -> None:
    """Environments count in the order of the saved notebook, whatever order its cells ran in."""
    path = folder / "n.ipynb"
    notebook.ok(f"import os\nos.environ['JPY_SESSION_NAME'] = {str(path)!r}")
    try:
        path.write_text(json.dumps({"cells": [{"id": "a"}, {"id": "b"}]}), encoding="utf-8")
        notebook.ok("y = flyte.TaskEnvironment('y')", "b")
        notebook.ok("x = flyte.TaskEnvironment('x')", "a")
        assert notebook.value("flyte.deployment_order()") == ["x", "y"]
        path.write_text(json.dumps({"cells": [{"id": "b"}, {"id": "new"}, {"id": "a"}]}), encoding="utf-8")
        assert notebook.value("flyte.deployment_order()") == ["y", "x"]
    finally:
        notebook.ok("del os.environ['JPY_SESSION_NAME']")


def test_subshell(notebook: Notebook) -> None:
    """Beside a cell that runs, a subshell can look and run, but not define with the magic."""
    subshell = notebook.subshell()
    if subshell is None:
        pytest.skip("this kernel has no subshells")
    notebook.ok("x = flyte.TaskEnvironment('x')\n@x.task\nasync def t() -> int:\n    return 1", "a")
    running = notebook.submit("%%flyte_env y\nawait asyncio.sleep(0.5)\n", "b")
    refused = notebook.run("%%flyte_env z\n", subshell=subshell)
    assert refused.ename == "UsageError"
    assert notebook.ok("%flyte_run t()", subshell=subshell).value == "1"
    assert notebook.run("1 / 0", subshell=subshell).status == "error"
    assert notebook.results(running)[0].status == "ok"
    assert notebook.value("list(flyte.registry())") == ["x", "y"]
