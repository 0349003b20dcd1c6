"""Which notebook or script a deployment comes from."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from flyte_nb.deployment.origin import origin_of_this_process

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _nameless(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process of which neither Jupyter nor Python tells where it comes from."""
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    monkeypatch.delattr(sys.modules["__main__"], "__file__", raising=False)


def test_jupyter_tells_the_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials in its path are masked."""
    monkeypatch.setenv("JPY_SESSION_NAME", "s3://me:hunter2@bucket/churn.ipynb")
    assert origin_of_this_process() == "s3://***@bucket/churn.ipynb"


def test_vs_code_tells_the_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    """It does so in a variable of the notebook."""
    monkeypatch.setattr(sys.modules["__main__"], "__vsc_ipynb_file__", "/work/churn.ipynb", raising=False)
    assert origin_of_this_process() == "/work/churn.ipynb"


def test_a_script_is_known_by_its_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The path is absolute."""
    script = tmp_path / "deploy.py"
    script.touch()
    monkeypatch.setattr(sys.modules["__main__"], "__file__", str(script), raising=False)
    assert origin_of_this_process() == str(script)


def test_sessions_of_which_nothing_is_known_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session keeps its name, and no other has it: what one deploys is not what another may remove."""
    own = origin_of_this_process()
    assert own == origin_of_this_process()
    assert own.startswith("session ")
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert origin_of_this_process() != own
