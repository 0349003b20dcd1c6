"""Where deployments come from: it tells what may be pruned."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from flyte_nb.deployment.origin import origin_of_this_process

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A process that runs no script."""
    monkeypatch.delattr("__main__.__file__", raising=False)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    return monkeypatch


def test_a_notebook_is_what_its_front_end_says(kernel: pytest.MonkeyPatch) -> None:
    """Jupyter Server says it to the process, VS Code to the notebook; without credentials either way."""
    kernel.setattr("__main__.__vsc_ipynb_file__", "/work/code.ipynb", raising=False)
    assert origin_of_this_process() == "/work/code.ipynb"
    kernel.setenv("JPY_SESSION_NAME", "https://me:hunter2@host/churn.ipynb")
    assert origin_of_this_process() == "https://***@host/churn.ipynb"


def test_a_script_that_a_notebook_starts_is_itself(kernel: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It has the variables of the notebook, and must not remove what that has deployed."""
    script = tmp_path / "deploy.py"
    script.touch()
    kernel.setenv("JPY_SESSION_NAME", "/work/churn.ipynb")
    kernel.setattr("__main__.__file__", str(script), raising=False)
    assert origin_of_this_process() == str(script.resolve())


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are text elsewhere")
def test_a_name_that_is_not_text_can_be_stored(kernel: pytest.MonkeyPatch) -> None:
    """Names of files may be any bytes."""
    kernel.setenv("JPY_SESSION_NAME", "/work/\udcff.ipynb")
    assert origin_of_this_process().encode() == rb"/work/\udcff.ipynb"
