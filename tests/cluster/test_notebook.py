"""The tutorial about clusters is a test: executed from top to bottom in a real kernel, against a control plane."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import nbformat
import pytest
from nbclient import NotebookClient

from tests.notebooks.test_notebooks import FOLDER, output_of, shown

from .conftest import DOMAIN, PROJECT

if TYPE_CHECKING:
    from pathlib import Path

    from .loopback.control import Loopback

PATH = FOLDER / "05_to_the_cluster.ipynb"
CONFIGURATION = """
admin:
  endpoint: dns:///localhost:{port}
  insecure: true
task:
  project: {project}
  domain: {domain}
"""


@pytest.mark.slow
def test_the_notebook_runs_and_shows_what_it_shows_in_the_repository(
    loopback: Loopback, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fresh run gives the outputs that are kept in git; versions and results are those of the cells."""
    (home / ".flyte").mkdir()
    configuration = CONFIGURATION.format(port=loopback.port, project=PROJECT, domain=DOMAIN)
    (home / ".flyte" / "config.yaml").write_text(configuration)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JPY_SESSION_NAME", str(PATH))
    notebook = nbformat.read(PATH, as_version=4)
    asyncio.run(NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(home)}}).async_execute())
    assert shown(notebook) == shown(nbformat.read(PATH, as_version=4))
    assert output_of(notebook, "deployment = %flyte_deploy").endswith("['orders', 'training', 'report']")
    assert output_of(notebook, "result = %flyte_run").endswith("208.0")
    assert output_of(notebook, "again.result") == "484.4"
    assert [call.environment for call in loopback.calls("DeployTask")] == [
        "orders",
        "training",
        "report",
        "orders",
        "report",
    ]
