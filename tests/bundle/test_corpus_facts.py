"""What places know of the tasks in the modules of the corpus is what importing these modules gives."""

from __future__ import annotations

import ast
import sys
from typing import TYPE_CHECKING

import pytest

import flyte_nb
from flyte_nb.bundle.module_names import PACKAGE
from flyte_nb.bundle.statements import imported_modules
from flyte_nb.places.versions import DeployedVersion
from flyte_nb.project.loading import finder
from flyte_nb.session import session

from .corpus import CORPUS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from .conftest import Looked
    from .corpus import Case

DEPLOYABLE = [case for case in CORPUS if not case.refused]


@pytest.fixture(autouse=True)
def _imports_as_they_were(tmp_path: Path) -> Iterator[None]:
    path, meta = list(sys.path), list(sys.meta_path)
    yield
    for name, module in list(sys.modules.items()):
        if str(tmp_path) in str(getattr(module, "__file__", "") or getattr(module, "__path__", "")):
            del sys.modules[name]
    sys.path[:], sys.meta_path[:] = path, meta
    finder.modules.clear()
    finder.folders = finder.packages = frozenset()


def versions_of(looked: Looked) -> list[DeployedVersion]:
    """Return the environments of a case as they would be deployed."""
    found = []
    for name, (specification, files, modules) in looked.beside.items():
        own = next(module for module, environment in modules.items() if environment == name)
        text = looked.modules[name]
        found.append(DeployedVersion(name, looked.fingerprints[name], specification, own, text, files, modules))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("case", DEPLOYABLE, ids=lambda case: case.name)
def test_facts_are_those_of_the_imported_module(corpus: Mapping[str, Looked], case: Case, tmp_path: Path) -> None:
    """Each task has the name, the parameters, the defaults and the kind of call that importing its module gives it."""
    versions = versions_of(corpus[case.name])
    for version in versions:
        for path, text in {**version.files, f"{PACKAGE}/{version.module_name}.py": version.module}.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text, encoding="utf-8")
    (tmp_path / PACKAGE / "__init__.py").touch()
    flyte_nb.adopt(tmp_path)
    for version in versions:
        imported = session().registry.tasks(version.environment)
        assert set(version.tasks) == set(imported)
        for name, task in imported.items():
            facts = version.tasks[name]
            assert facts.is_async is task.is_async
            assert [*facts.signature.parameters] == [*task.signature.parameters]
            for one, other in zip(facts.signature.parameters.values(), task.signature.parameters.values(), strict=True):
                assert one.kind is other.kind
                assert (one.default is one.empty) is (other.default is other.empty)
            for policy in ("short_name", "description", "retries", "timeout", "cache"):
                assert getattr(facts, policy) == getattr(task, policy)


@pytest.mark.slow
@pytest.mark.parametrize("case", DEPLOYABLE, ids=lambda case: case.name)
def test_modules_are_those_that_are_imported(corpus: Mapping[str, Looked], case: Case) -> None:
    """A version names the modules of environments that its module imports, and its own."""
    for version in versions_of(corpus[case.name]):
        found = set(imported_modules([ast.parse(version.module)]))
        others = {name.split(".")[1] for name in found if name.startswith(f"{PACKAGE}.")}
        assert {*version.modules} == {version.module_name, *others}
