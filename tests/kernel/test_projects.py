"""%flyte_export and %flyte_adopt in a real kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from .notebook import Notebook

MODULE = """
import flyte

env = flyte.TaskEnvironment(name="adopted-here", queue="gpu")


@env.task
async def double(n: int) -> int:
    return 2 * n
"""


@pytest.fixture
def module(folder: Path) -> Path:
    """A module in the folder of the notebook."""
    path = folder / "adopted_here.py"
    path.write_text(MODULE)
    return path


def test_a_module_is_adopted(notebook: Notebook, module: Path) -> None:
    """The magic shows what it brought in, and its tasks are imported as from any module."""
    shown = notebook.ok(f"%flyte_adopt {module}").displays[0]
    assert "Adopted: 1 environment" in shown
    assert "adopted-here" in shown
    assert notebook.ok("from adopted_here import double\nawait double(4)").value == "8"
    assert notebook.ok("flyte.registry()['adopted-here'].flyte_options").value == "{'queue': 'gpu'}"


def test_adopting_again_follows_the_file(notebook: Notebook, module: Path) -> None:
    """Run again, the cell brings in what the file says now."""
    notebook.ok("%flyte_adopt adopted_here", cell="adopt")
    module.write_text(MODULE.replace("2 * n", "3 * n").replace("adopted-here", "renamed"))
    notebook.ok("%flyte_adopt adopted_here", cell="adopt")
    assert notebook.ok("list(flyte.registry())").value == "['renamed']"
    assert notebook.ok("from adopted_here import double\nawait double(4)").value == "12"


def test_a_failing_module_is_one_line(notebook: Notebook, module: Path) -> None:
    """What is wrong in a module is told in one line, and the session is as it was."""
    notebook.ok("%flyte_adopt adopted_here")
    module.write_text("import flyte\nenv = flyte.TaskEnvironment('other')\n1 / 0\n")
    result = notebook.run("%flyte_adopt adopted_here")
    assert result.ename == "UsageError"
    assert "ZeroDivisionError" in result.evalue
    assert "line 3" in result.evalue
    assert len(result.traceback.splitlines()) <= 1
    assert notebook.ok("list(flyte.registry())").value == "['adopted-here']"


def test_an_export_is_refused_where_it_would_lose_something(notebook: Notebook, folder: Path) -> None:
    """The magic writes nothing into a folder that holds something else, and says so in one line."""
    (folder / "full").mkdir(exist_ok=True)
    (folder / "full" / "thesis.tex").write_text("mine\n")
    notebook.ok("flyte.TaskEnvironment('plain')")
    result = notebook.run("%flyte_export full")
    assert result.ename == "UsageError"
    assert "thesis.tex" in result.evalue
    assert "--force" in result.evalue
    shown = notebook.ok("%flyte_export full plain --force").displays[0]
    assert "environments/plain.py" in shown
    assert "written" in shown


def test_what_an_undefined_environment_is_needed_by_is_told(notebook: Notebook, folder: Path) -> None:
    """Nothing is exported that could not be deployed."""
    notebook.ok("flyte.TaskEnvironment('api', depends_on=['base-utls'])\nflyte.TaskEnvironment('base-utils')")
    result = notebook.run("%flyte_export new-folder")
    assert "'api' depends on 'base-utls', which is not defined. Did you mean 'base-utils'?" in result.evalue
    assert not (folder / "new-folder").exists()


def test_what_is_missing_is_what_is_asked_for(notebook: Notebook) -> None:
    """Names are optional, and are not called missing."""
    assert notebook.run("%flyte_export").evalue.startswith("%flyte_export: the following arguments are required: PATH.")


def test_a_folder_with_a_file_that_can_be_adopted(notebook: Notebook, tmp_path: Path) -> None:
    """Projects are often a single file: the error names it."""
    (tmp_path / "helpers.py").write_text("")
    (tmp_path / "main.py").write_text("import flyte\nenv = flyte.TaskEnvironment('base')\n")
    error = notebook.run(f"%flyte_adopt {tmp_path}")
    assert error.evalue.endswith(f"Adopt a file of it: %flyte_adopt {tmp_path / 'main.py'}.")


def test_an_export_of_nothing_is_refused(notebook: Notebook, tmp_path: Path) -> None:
    """A project without environments is a mistake."""
    notebook.ok("flyte.reset()")
    assert "no environment is defined" in notebook.run(f"%flyte_export {tmp_path / 'project'}").evalue
    assert not (tmp_path / "project").exists()
