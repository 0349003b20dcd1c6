"""What every test gets: a session of its own, and a home folder that is thrown away."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

import flyte_nb
from flyte_nb.masking import declared_secrets
from flyte_nb.session import session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from IPython.core.interactiveshell import InteractiveShell


# For what is written between two tests, and when the process ends: never the user's own home.
_home = tempfile.TemporaryDirectory(prefix="flyte_nb-tests-")
os.environ["FLYTE_NB_HOME"] = _home.name

# How long an example takes says nothing on a busy machine.
settings.register_profile("flyte_nb", deadline=None)
settings.load_profile("flyte_nb")


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
