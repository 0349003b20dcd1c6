"""What is deployed is what a clean run would define: the check for hidden dependencies, measured with the corpus."""

from __future__ import annotations

import importlib
import re
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

import flyte_nb
from flyte_nb.bundle.module_names import PACKAGE
from flyte_nb.project.loading import finder
from flyte_nb.session import session

from .corpus import CORPUS
from .corpus_figures import precision_and_recall

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from .cases.case import Case
    from .conftest import Looked

pytestmark = pytest.mark.slow


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for modules of environments, which can be imported, and flyte_nb in the place of the SDK."""
    stand_in: Any = ModuleType("flyte")
    stand_in.__dict__.update({name: getattr(flyte_nb, name) for name in flyte_nb.__all__})
    monkeypatch.setitem(sys.modules, "flyte", stand_in)
    monkeypatch.syspath_prepend(tmp_path)
    folder = tmp_path / PACKAGE
    folder.mkdir()
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


def test_hidden_dependencies_are_found_and_nothing_else_is(corpus: Mapping[str, Looked]) -> None:
    """Precision and recall over the corpus are at least 0.97; both are printed."""
    precision, recall = precision_and_recall({name: looked.refused for name, looked in corpus.items()})
    assert precision >= 0.97
    assert recall >= 0.97


def test_refusals_are_one_line_with_a_place_and_a_way_out(corpus: Mapping[str, Looked]) -> None:
    """Every refusal names the task, where the name is used, and what to do, in one line."""
    messages = {case.name: corpus[case.name].message for case in CORPUS if corpus[case.name].refused}
    for name, message in messages.items():
        assert "\n" not in message, name
        assert "cell [" in message, name
        assert "line " in message, name
        ways_out = "Pass it as an input", "Define it in a cell", "Leave it out", "Run the cell that defines it"
        assert any(way_out in message for way_out in ways_out), name


@pytest.mark.parametrize("case", [case for case in CORPUS if not case.refused], ids=lambda case: case.name)
def test_modules_define_what_is_needed_and_no_more(corpus: Mapping[str, Looked], project: Path, case: Case) -> None:
    """The module of a deployable environment can be imported, has what its tasks use, and not what they do not."""
    modules = corpus[case.name].modules
    environment = case.task.partition(".")[0]
    assert environment in modules, corpus[case.name].message
    for name, text in modules.items():
        (project / f"{name.replace('-', '_')}.py").write_text(text)
    importlib.invalidate_caches()
    names = vars(importlib.import_module(f"{PACKAGE}.{environment.replace('-', '_')}"))
    assert case.task in names["env"].tasks
    assert case.kept <= names.keys(), modules[environment]
    assert not case.left_out & names.keys(), modules[environment]


@pytest.mark.parametrize("case", [case for case in CORPUS if not case.refused], ids=lambda case: case.name)
def test_adopted_modules_give_the_same_modules(corpus: Mapping[str, Looked], tmp_path: Path, case: Case) -> None:
    """Written, adopted and bundled again, the module of each environment is the same text, and nothing to update."""
    modules = corpus[case.name].modules
    folder = tmp_path / PACKAGE
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    for name, text in modules.items():
        (folder / f"{name.replace('-', '_')}.py").write_text(text)
    path, meta = list(sys.path), list(sys.meta_path)
    try:
        flyte_nb.adopt(tmp_path)
        found, refused = session().bundles(list(modules))
        assert not refused
        assert {name: bundle.module for name, bundle in found.items()} == modules
        written = {name.replace("-", "_") for name in modules}
        for name, bundle in found.items():
            if (
                set(re.findall(rf"from {PACKAGE}\.(\w+) import", bundle.module)) <= written
            ):  # all that it calls is there
                assert bundle.fingerprint == corpus[case.name].fingerprints[name]
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
            del sys.modules[name]
        sys.path[:], sys.meta_path[:] = path, meta
        finder.modules.clear()
        finder.folders = finder.packages = frozenset()
