"""What every test gets: a session of its own, and a home folder that is thrown away; and who runs which tests."""

from __future__ import annotations

import gc
import os
import signal
import tempfile
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

import flyte_nb
from flyte_nb.masking import declared_secrets
from flyte_nb.session import session

from .node import NodePackages, installed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from IPython.core.interactiveshell import InteractiveShell
    from xdist.scheduler import LoadFileScheduling


# For what is written between two tests, and when the process ends: never the user's own home.
_home = tempfile.TemporaryDirectory(prefix="flyte_nb-tests-")
os.environ["FLYTE_NB_HOME"] = _home.name

# How long an example takes says nothing on a busy machine.
settings.register_profile("flyte_nb", deadline=None)
settings.load_profile("flyte_nb")

# Each of these looks at what came of running the cells of the corpus, for which a kernel needs half a minute.
CORPUS_FILES = {f"tests/bundle/test_{name}.py" for name in ("corpus_facts", "corpus_labels", "hidden_dependencies")}


def pytest_configure() -> None:
    """Hear interrupts, which shells have what they start in the background ignore."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """The whole suite is shared between processes; a part that somebody asks for is run in this one."""
    whole = config.option.file_or_dir in ([], ["tests"]) and not config.option.keyword
    return min(os.cpu_count() or 1, 4) if whole else 0


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling:
    """Give the tests of a file to one process, and to the same those of files that share what takes long to make."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file: str = super()._split_scope(nodeid)
            return "the corpus" if file in CORPUS_FILES else file

    config.option.loadscopereorder = False  # their order is that of the items
    return Scheduling(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Among several processes, the files that take longest come first: what is left for the end is short."""
    if hasattr(config, "workerinput"):
        browsers, slow = (
            Counter(item.path for item in items if item.get_closest_marker(name)) for name in ("browser", "slow")
        )
        items.sort(key=lambda item: (browsers[item.path], slow[item.path]), reverse=True)


def pytest_collection_finish() -> None:
    """Have the garbage collector look no more at the tests: IPython collects several times whenever it is reset."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _fresh_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("FLYTE_NB_HOME", str(tmp_path / "flyte_nb_home"))
    for kept in ("_values", "_variables"):  # what one test declares is no secret in the next
        monkeypatch.setattr(declared_secrets, kept, frozenset())
    flyte_nb.reset()
    yield
    flyte_nb.reset()
    session().history.flush()  # into the home of this test


@pytest.fixture(scope="session")
def node_packages() -> NodePackages:
    """Node and the packages that tests of the front end use; without them, these tests skip."""
    return installed()


@pytest.fixture(scope="session")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InteractiveShell]:
    """A shell in this process, as terminal IPython has one."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    folder = tmp_path_factory.mktemp("ipython")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(folder))
        config = Config()
        config.HistoryManager.enabled = False
        yield InteractiveShell.instance(config=config, ipython_dir=str(folder))
        InteractiveShell.clear_instance()


@pytest.fixture
def ip(shell: InteractiveShell) -> Iterator[InteractiveShell]:
    """The shell with the extension loaded and nothing defined."""
    shell.run_cell("%load_ext flyte_nb\nimport asyncio, flyte_nb as flyte")
    yield shell
    shell.run_cell("%unload_ext flyte_nb")
    shell.reset()
    session().cells.reset()
