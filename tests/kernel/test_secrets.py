"""Secrets are never shown and never stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.files import files_with

if TYPE_CHECKING:
    from pathlib import Path

    from .notebook import Notebook, Result

SECRETS = ("hunter2", "hunter3", "p4ssw0rd", "twentytwo")
DEFINE = (
    "%%flyte_env api --image registry.example/app:1 --env API_TOKEN={} 'DB_PASSWORD=hunter3 x' "
    "INDEX=https://me:p4ssw0rd@pypi.example LEVEL=info\n@env.task\nasync def t() -> int:\n    return 1\n"
)


def shows_none(result: Result) -> bool:
    return not any(secret in result.everything for secret in SECRETS)


def test_outputs_and_files(notebook: Notebook, home: Path) -> None:
    """No output of any magic, and no file, holds the value of a secret; the task sees it all the same."""
    cells = [
        DEFINE.format("hunter2"),
        "%flyte_env api",
        "%flyte_envs",
        "%flyte_graph",
        "%flyte_plan",
        "%flyte_deploy",
        "api",
        "flyte.registry()",
        DEFINE.format("hunter2-changed"),
        "plan = %flyte_plan",
        "plan",
        "repr(plan), repr(api)",
        "deployment = %flyte_deploy",
        "deployment",
        "%flyte_run t()",
        "%config FlyteNB",
    ]
    for cell in cells:
        result = notebook.run(cell, "defining" if cell.startswith("%%") else None)
        assert result.status == "ok"
        result.messages = [message for message in result.messages if message["msg_type"] != "execute_input"]
        assert shows_none(result), cell
    assert notebook.value("api.env_vars['API_TOKEN'], api.env_vars['DB_PASSWORD']") == ("hunter2-changed", "hunter3 x")
    assert not [path for secret in SECRETS for path in files_with(secret, home)]


@pytest.mark.parametrize(
    "cell",
    [
        DEFINE.format("hunter2") + "1 / 0",
        "%%flyte_env api --env API_TOKEN=hunter2\nx = 1 / 0\n",
        "%%flyte_env api --env API_TOKEN=hunter2\nx x\n",
        "%%flyte_env api --env API_TOKEN='hunter2\n",
        "%%flyte_env api --env API_TOKEN:hunter2\n",
        "%%flyte_env api --description d API_TOKEN=hunter2\n",
        "%%flyte_env api --evn API_TOKEN=hunter2\n",
        "%%flyte_env api --env=API_TOKEN=hunter2 --memory lots\n",
        "%%flyte_env api --env 2API_TOKEN=hunter2\n",
        "%flyte_env api --env API_TOKEN=hunter2",
        "%%flyte_env api --env 'PASSWORD=hunter twentytwo'\n1 / 0",
        '%%flyte_env api --env "TOKEN=a twentytwo c"\n1 / 0',
        "%%flyte_env api --env TOKEN=hunter\\ twentytwo\n1 / 0",
        "%%flyte_env api --env TOKEN=hunter twentytwo\n1 / 0",
        "%%flyte_env api --evn 'PASSWORD=hunter twentytwo'\n",
        "%%flyte_env api 'PASSWORD=hunter twentytwo'\n",
        "%%flyte_env api --env 'PASSWORD=hunter \"twentytwo\n",
        "%flyte_deploy --max-concurrency 'PASSWORD=hunter twentytwo'",
        "%flyte_run t(api_token='hunter2'",
        "%flyte_run t(api_token='hunter twentytwo'",
    ],
)
def test_errors(notebook: Notebook, cell: str) -> None:
    """Nor does an error, whatever is wrong with the line that holds it."""
    result = notebook.run(cell)
    assert result.status == "error"
    result.messages = [message for message in result.messages if message["msg_type"] != "execute_input"]
    assert shows_none(result)
    assert "hunter2" not in result.evalue
