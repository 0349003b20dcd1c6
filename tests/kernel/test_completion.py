"""Tab completion of options and of names, as a front end asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .notebook import Notebook


@pytest.fixture
def defined(notebook: Notebook) -> Notebook:
    notebook.ok("for name in ('base-utils', 'ml-training'): flyte.TaskEnvironment(name)")
    return notebook


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("%%flyte_env x --im", ["%%flyte_env x --image"]),
        ("%%flyte_env x --de", ["%%flyte_env x --depends-on", "%%flyte_env x --description"]),
        ("%%flyte_env x --depends-on ba", ["%%flyte_env x --depends-on base-utils"]),
        ("%%flyte_env x --depends-on base-u", ["%%flyte_env x --depends-on base-utils"]),
        ("%%flyte_env x --depends-on base-utils ml-", ["%%flyte_env x --depends-on base-utils ml-training"]),
        ("%%flyte_env x --clone-from m", ["%%flyte_env x --clone-from ml-training"]),
        ("%%flyte_env x --cache ", ["%%flyte_env x --cache auto", "%%flyte_env x --cache disable"]),
        ("%flyte_env ba", ["%flyte_env base-utils"]),
        ("%flyte_deploy ", ["%flyte_deploy base-utils", "%flyte_deploy ml-training"]),
        ("%flyte_deploy --max-concurrency 4 b", ["%flyte_deploy --max-concurrency 4 base-utils"]),
        ("%flyte_deploy --target ", ["%flyte_deploy --target flyte", "%flyte_deploy --target local"]),
        ("%flyte_deploy --target local m", ["%flyte_deploy --target local ml-training"]),
        ("d = %flyte_deploy --ta", ["d = %flyte_deploy --target"]),
        ("d = %flyte_plan ml", ["d = %flyte_plan ml-training"]),
        ("%flyte_remove --force m", ["%flyte_remove --force ml-training"]),
        ("%flyte_graph b", ["%flyte_graph base-utils"]),
        ("%flyte_run --o", ["%flyte_run --on"]),
        ("x = %flyte_run t(1) --", ["x = %flyte_run t(1) --on"]),
        ("x = %flyte_run t(1) --on ", [f"x = %flyte_run t(1) --on {place}" for place in ("flyte", "inline", "local")]),
        ("%flyte_run --on l", ["%flyte_run --on local"]),
        ("%flyte_runs --on f", ["%flyte_runs --on flyte"]),
    ],
)
def test_completed(defined: Notebook, typed: str, completed: list[str]) -> None:
    """Options and names are completed, and nothing else is offered beside them."""
    assert defined.complete(typed) == completed


def test_with_a_body(defined: Notebook) -> None:
    """The first line of a cell with a body is completed as one without."""
    body = "\n@env.task\nasync def t(): ...\n"
    typed = "%%flyte_env x --depends-on ml"
    assert defined.complete(typed + body, len(typed)) == ["%%flyte_env x --depends-on ml-training"]


def test_names_of_magics(defined: Notebook) -> None:
    """The names of the magics themselves are completed."""
    assert "%%flyte_env" in defined.complete("%%flyte_en")


def test_tasks_are_completed_after_run(defined: Notebook) -> None:
    """What can be run is offered where something is to be run."""
    defined.ok("@flyte.registry()['base-utils'].task\nasync def load_config(): ...")
    assert defined.complete("%flyte_run lo") == ["%flyte_run load_config"]
    assert defined.complete("x = %flyte_run lo") == ["x = %flyte_run load_config"]


def test_the_package_offers_its_public_names(defined: Notebook) -> None:
    """Tab after `flyte.` shows what users are meant to use."""
    assert defined.value("dir(flyte) == sorted(flyte.__all__)")


@pytest.mark.parametrize("typed", ["x = 'flyte_", "# %flyte_deploy ", "flyte.regis", "%flyte_run prin"])
def test_elsewhere(defined: Notebook, typed: str) -> None:
    """Elsewhere completion is what it was."""
    assert not any("base-utils" in text for text in defined.complete(typed))
