"""A shell in this process, as terminal IPython has one, with the extension loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InteractiveShell]:
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
