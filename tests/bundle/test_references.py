"""A bundle says which modules of other environments its own imports, and whose they are."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

import pytest

from flyte_nb.session import session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

HEAD = """
import flyte_nb as flyte
base = flyte.TaskEnvironment("base-utils")
other = flyte.TaskEnvironment("other")
ml = flyte.TaskEnvironment("ml")

@base.task
async def load() -> int: ...

@other.task
async def unused() -> int: ...

"""
BOTH = {"ml": "ml", "base_utils": "base-utils"}


@pytest.fixture
def modules_of_ml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Mapping[str, str]]]:
    """Return what the bundle of "ml" says when its task is written so."""
    monkeypatch.syspath_prepend(tmp_path)

    def modules(source: str) -> Mapping[str, str]:
        (tmp_path / "defines_ml.py").write_text(HEAD + source)
        importlib.import_module("defines_ml")
        found, refused = session().bundles(["ml"])
        assert not refused
        assert found["ml"].module_name == "ml"
        return found["ml"].modules

    yield modules
    for name in ("defines_ml", "aside_helpers"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("@ml.task\nasync def train(): return 1\n", {"ml": "ml"}),
        ("@ml.task\nasync def train(): return await load()\n", BOTH),
        ("async def helper(): return await load()\n\n@ml.task\nasync def train(): return await helper()\n", BOTH),
        ("def again(): return load\nboth = [load]\n\n@ml.task\nasync def train(): return await both[0]()\n", BOTH),
        ("ml.add_dependency(base)\n\n@ml.task\nasync def train(): return 1\n", BOTH),
        ("@ml.task\nasync def train(): return base.name\n", BOTH),
        ("@ml.task\nasync def train():\n    from environments.base_utils import load\n    return await load()\n", BOTH),
        ("@ml.task\nasync def train():\n    from environments import base_utils\n    return base_utils\n", BOTH),
        ("@ml.task\nasync def train():\n    import environments.base_utils as b\n    return b\n", BOTH),
        ("@ml.task\nasync def train():\n    from environments.nobody import load\n    return load\n", {"ml": "ml"}),
    ],
    ids=["none", "called", "called by a helper", "a table", "depends on", "the environment itself", "written out",
         "the module", "the module as", "no such module"],
)  # fmt: skip
def test_modules_are_those_that_are_imported(
    modules_of_ml: Callable[[str], Mapping[str, str]], source: str, expected: dict[str, str]
) -> None:
    """Whether the import is made for the module, or the user has written it; and its own is always there."""
    assert modules_of_ml(source) == expected


def test_modules_of_the_user_may_import_environments(
    modules_of_ml: Callable[[str], Mapping[str, str]], tmp_path: Path
) -> None:
    """What goes along with a module is run there too."""
    (tmp_path / "aside_helpers.py").write_text(
        "async def helped():\n    from environments.base_utils import load\n    return await load()\n"
    )
    assert modules_of_ml("import aside_helpers\n\n@ml.task\nasync def train(): return aside_helpers.helped()\n") == BOTH


def test_names_are_those_of_the_modules(modules_of_ml: Callable[[str], Mapping[str, str]]) -> None:
    """An environment whose module cannot have its own name is found under the one it has."""
    source = 'js = flyte.TaskEnvironment("json")\n\n@js.task\nasync def dump(): ...\n\n'
    found = modules_of_ml(source + "@ml.task\nasync def train(): return await dump()\n")
    assert found == {"json_env": "json", "ml": "ml"}
