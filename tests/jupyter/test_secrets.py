"""Secrets in what is typed after a magic."""

from __future__ import annotations

import pytest

from flyte_nb.jupyter.env_cells import EnvironmentCells
from flyte_nb.jupyter.secrets import expression_without_secrets, without_secrets


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("api --env API_TOKEN=hunter2 B=1", "api --env 'API_TOKEN=***' B=1"),
        ("api --env API_TOKEN='two words' B=1", "api --env 'API_TOKEN=***' B=1"),
        ("api --env 'PASSWORD=hunter twentytwo' B=1", "api --env 'PASSWORD=***' B=1"),
        ('api --env "TOKEN=a b c" B=1', "api --env 'TOKEN=***' B=1"),
        ("api --env TOKEN=hunter\\ 2 B=1", "api --env 'TOKEN=***' B=1"),
        ("api --env 'PASSWORD=two\tparts' B=1", "api --env 'PASSWORD=***' B=1"),
        ('api --env API_TOKEN="it\'s" B=1', "api --env 'API_TOKEN=***' B=1"),
        ("api --env API_TOKEN=a'b c'd B=1", "api --env 'API_TOKEN=***' B=1"),
        ("api --env TOKEN=not quoted B=1 --cpu 2", "api --env 'TOKEN=***' '***' B=1 --cpu 2"),
        ("api --en TOKEN: hunter2", "api --en '***' '***'"),
        ("api --env 'TOKEN =hunter2'", "api --env 'TOKEN =***'"),
        ("api --image 'https://me:hunter2@host/x?a=1'", "api --image 'https://***@host/x?a=1'"),
        ("api --env=DB_PASSWORD=x=y", "api '--env=DB_PASSWORD=***'"),
        ("api --env LINE=sk-hunter22", "api --env 'LINE=***'"),
        ("api --image https://me:secret@host/app:1", "api --image 'https://***@host/app:1'"),
        ("api --env LEVEL=info --cpu 2", "api --env LEVEL=info --cpu 2"),
        ('api --description "what it\'s for"', 'api --description "what it\'s for"'),
        ("", ""),
    ],
)
def test_without_secrets(line: str, shown: str) -> None:
    """Values whose name says secret are masked, however quoted, and credentials anywhere; the rest stays."""
    assert without_secrets(line) == shown


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("api --env API_TOKEN='never closed B=1", "--env ..."),
        ("api --cpu 2 --env 'TOKEN=a --hunter", "--cpu ..."),
        ("'api hunter", "..."),
        ("api --image x\\", "--image ..."),
        ("api --env=TOKEN='hunter", "--env ..."),
    ],
)
def test_a_line_that_cannot_be_split(line: str, shown: str) -> None:
    """Where words end is not known, so nothing is shown but the first option."""
    assert without_secrets(line) == shown


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("t(api_token='hunter two', n=1)", "t(api_token=***, n=1)"),
        ("t(api_token = 'hunter2', n=1)", "t(api_token = ***, n=1)"),
        ("t({'password': \"hunter 2\"})", "t({'password': ***})"),
        ("t(api_token='hunter2", "t(api_token=***"),
        ("t('https://me:hunter2@host')", "t('https://***@host')"),
        ("t(level='info', n=[1, 2])", "t(level='info', n=[1, 2])"),
    ],
)
def test_expression_without_secrets(expression: str, shown: str) -> None:
    """In Python, too, values whose name says secret are masked."""
    assert expression_without_secrets(expression) == shown


def test_typed() -> None:
    """The transformed cell shows no secret, and what was typed last is found by what it shows."""
    cells = EnvironmentCells()
    for value in ("one", "two", "'th ree'", "th\\ ree"):
        (first, body) = cells([f"%%flyte_env api --env API_TOKEN={value}\n", "x\n"])
        shown = "api --env 'API_TOKEN=***'"
        assert first == f"get_ipython().flyte_nb.begin_environment({shown!r})\n"
        assert body == "x\n"
        assert cells.typed(shown) == f"api --env API_TOKEN={value}"


def test_typed_without_end() -> None:
    """What cannot be shown at all reaches the parser, which says what is wrong with it."""
    cells = EnvironmentCells()
    assert cells(["%%flyte_env api --env API_TOKEN='hunter2\n"]) == [
        "get_ipython().flyte_nb.begin_environment('--env ...')\n"
    ]
    assert cells.typed("--env ...") == "api --env API_TOKEN='hunter2"


@pytest.mark.parametrize(
    "lines", [[], ["x\n"], ["%flyte_env a\n"], ["%%flyte_envs\n"], ["%%flyte_env?\n"], ["# %%flyte_env a\n"]]
)
def test_other_cells(lines: list[str]) -> None:
    """Other cells are left alone."""
    assert EnvironmentCells()(lines) is lines
