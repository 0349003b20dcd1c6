"""Secrets in what is typed after a magic."""

from __future__ import annotations

import pytest

from flyte_nb.jupyter.env_cells import EnvironmentCells
from flyte_nb.jupyter.secrets import without_secrets


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("api --env API_TOKEN=hunter2 B=1", "api --env API_TOKEN=*** B=1"),
        ("api --env API_TOKEN='two words' B=1", "api --env API_TOKEN=*** B=1"),
        ('api --env API_TOKEN="it\'s" B=1', "api --env API_TOKEN=*** B=1"),
        ("api --env API_TOKEN=a'b c'd B=1", "api --env API_TOKEN=*** B=1"),
        ("api --env API_TOKEN='never closed B=1", "api --env API_TOKEN=***"),
        ("api --env=DB_PASSWORD=x=y", "api --env=DB_PASSWORD=***"),
        ("api --image https://me:secret@host/app:1", "api --image https://***@host/app:1"),
        ("api --env LEVEL=info --cpu 2", "api --env LEVEL=info --cpu 2"),
        ("", ""),
    ],
)
def test_without_secrets(line: str, shown: str) -> None:
    """Values whose name says secret are masked, and credentials in URLs; the rest stays."""
    assert without_secrets(line) == shown


def test_typed() -> None:
    """The transformed cell shows no secret, and what was typed last is found by what it shows."""
    cells = EnvironmentCells()
    for value in ("one", "two", "***"):
        (first, body) = cells([f"%%flyte_env api --env API_TOKEN={value}\n", "x\n"])
        shown = "api --env API_TOKEN=***"
        assert first == f"get_ipython().flyte_nb.begin_environment({shown!r})\n"
        assert body == "x\n"
        assert cells.typed(shown) == f"api --env API_TOKEN={value}"


@pytest.mark.parametrize(
    "lines", [[], ["x\n"], ["%flyte_env a\n"], ["%%flyte_envs\n"], ["%%flyte_env?\n"], ["# %%flyte_env a\n"]]
)
def test_other_cells(lines: list[str]) -> None:
    """Other cells are left alone."""
    assert EnvironmentCells()(lines) is lines
