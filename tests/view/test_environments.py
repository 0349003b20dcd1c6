"""Environments as tables and as a picture."""

from __future__ import annotations

import flyte_nb as flyte
from flyte_nb.view.environments import environment_table, environments_picture, environments_table
from flyte_nb.view.table import table_html, table_text


def test_names_that_are_not_defined_are_marked() -> None:
    """In every view, a dependency nobody has defined is told apart."""
    env = flyte.TaskEnvironment("ml", depends_on=["base"])
    assert "base (not defined)" in table_text(environments_table([env]))
    assert "base (not defined)" in table_text(environment_table(env, (), known={"ml"}))
    states = {node.name: node.state for node in environments_picture([env]).nodes}
    assert states == {"ml": "defined", "base": "undefined"}


def test_an_environment_that_is_gone_says_so() -> None:
    """An object whose name is no longer defined is shown as what it was, with that remark."""
    env = flyte.TaskEnvironment("gone", image="x")
    flyte.reset()
    shown = table_text(environment_table(env, (), known=()))
    assert "gone is not defined in this session" in shown
    assert "image" in shown


def test_the_details_of_one_environment_are_shown_whole() -> None:
    """A long description is cut in the table of all and kept in the view of one."""
    env = flyte.TaskEnvironment("env", description="word " * 300 + "finis")
    assert "finis" not in table_html(environments_table([env])).split("title=")[0]
    for show in (table_html, table_text):
        assert "word finis" in show(environment_table(env, (), known={"env"}), whole=True)


def test_secrets_are_masked_in_the_details() -> None:
    """Values that look secret never reach a view."""
    env = flyte.TaskEnvironment("env", env_vars={"API_TOKEN": "hunter2", "LEVEL": "info"})
    shown = table_text(environment_table(env, (), known={"env"}), whole=True)
    assert "API_TOKEN=***" in shown
    assert "LEVEL=info" in shown
    assert "hunter2" not in shown


def test_options_for_the_cluster_are_shown_without_what_is_secret() -> None:
    """What only a cluster uses is there to read, shortened; keys and passwords in it are not."""
    options = {"queue": "fast", "api_token": "tok-123", "image": "https://user:hunter2@host/" + "x" * 200}
    env = flyte.TaskEnvironment("with-options", flyte_options=options)
    text = dict(environment_table(env, (), ["with-options"]).rows)["for the cluster"]
    assert "queue=fast" in text
    assert "tok-123" not in text
    assert "hunter2" not in text
    assert len(text) < 300
