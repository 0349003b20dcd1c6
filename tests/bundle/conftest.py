"""The cells of the corpus, run in a kernel once for all tests that look at what came of them."""

from __future__ import annotations

import ast
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.kernel.notebook import Notebook

from .corpus import CORPUS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .cases.case import Case

EMPTY = """
%reset -f
get_ipython().compile.reset_compiler_flags()
import flyte_nb; flyte_nb.reset(); del flyte_nb
__import__("flyte_nb.session").session.session().cells.reset()
"""

# In one expression, so that no name of the notebook is in its way.
LOOK = """
(lambda session, name: (lambda found, refused: (
    [*session.registry.tasks(name)],
    [*__import__("builtins").globals()],
    {each: bundle.module for each, bundle in found.items()},
    {each: bundle.fingerprint for each, bundle in found.items()},
    {each: (bundle.specification, bundle.files, bundle.modules) for each, bundle in found.items()},
    [(each.name, each.task) for each in getattr(refused.get(name), "dependencies", ())],
    str(refused.get(name, "")),
))(*session.bundles(session.registry.names())))(__import__("flyte_nb.session").session.session(), ENVIRONMENT)
"""


@dataclass(frozen=True)
class Looked:
    """What came of the cells of one case.

    Attributes:
        tasks: The tasks of its environment.
        names: What the notebook has bound.
        modules: The text of the module of each environment that can be deployed.
        fingerprints: And its fingerprint.
        beside: And its specification, the files that go along with it, and the names of the modules it imports.
        refused: The names that its task may not use.
        message: What is said of the first of them.
    """

    tasks: list[str]
    names: list[str]
    modules: Mapping[str, str]
    fingerprints: Mapping[str, str]
    beside: Mapping[str, tuple[dict[str, Any], dict[str, str], dict[str, str]]]
    refused: frozenset[str]
    message: str


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Looked]]:
    """What came of each case, by its name."""
    folder = tmp_path_factory.mktemp("corpus")
    settings = {"FLYTE_NB_HOME": str(folder / "home"), "IPYTHONDIR": str(folder / "ipython"), "NO_COLOR": "1"}
    notebook = Notebook(folder, {**os.environ, **settings})
    try:
        notebook.ok("%load_ext flyte_nb")
        yield {case.name: _looked(notebook, case) for case in CORPUS}
    finally:
        notebook.close()


def _looked(notebook: Notebook, case: Case) -> Looked:
    notebook.ok(EMPTY)
    notebook.freeze()  # the libraries that the last case has imported
    for cell in case.cells:
        notebook.ok(cell)
    environment = case.task.partition(".")[0]
    seen = notebook.ok(LOOK.strip().replace("ENVIRONMENT", repr(environment)).replace("\n", " ")).value
    tasks, names, modules, fingerprints, beside, refused, message = ast.literal_eval(seen or "")
    own = frozenset(name for name, task in refused if task == case.task)
    return Looked(tasks, names, modules, fingerprints, beside, own, message)
