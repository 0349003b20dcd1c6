"""A database that an earlier version has written is brought up to date, and loses nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from flyte_nb.deployment.keeping.schema import STEPS
from flyte_nb.deployment.keeping.state import DeploymentState
from flyte_nb.errors import StateError

from .places import bundle

if TYPE_CHECKING:
    from pathlib import Path

# What version 1 has written: its own dump.
VERSION_1 = """
CREATE TABLE environment (
    target TEXT NOT NULL,
    name TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    specification TEXT NOT NULL,
    sources TEXT NOT NULL,
    deployed_at TEXT NOT NULL,
    PRIMARY KEY (target, name)
) WITHOUT ROWID;
INSERT INTO "environment" VALUES('local','base','f1','{"image": "python:3.12", "depends_on": []}','{"base.t": "def t(): ..."}','2026-11-23T06:35:40.693777+00:00');
INSERT INTO "environment" VALUES('local','ml','f2','{"image": "pytorch:latest", "depends_on": ["base"]}','{}','2026-11-23T06:35:40.698689+00:00');
INSERT INTO "environment" VALUES('other','base','f3','{"image": "it''s"}','{}','2026-11-23T06:35:40.701449+00:00');
PRAGMA user_version = 1;
PRAGMA journal_mode = WAL;
"""  # noqa: E501 - as it was dumped


@pytest.fixture
def old(tmp_path: Path) -> DeploymentState:
    with closing(sqlite3.connect(tmp_path / "state.sqlite3")) as connection:
        connection.executescript(VERSION_1)
    return DeploymentState(tmp_path)


def test_what_was_deployed_still_is(old: DeploymentState) -> None:
    """Names, versions, content and times are those that version 1 has written, for each target."""
    deployed = old.deployed("local")
    assert {name: one.fingerprint for name, one in deployed.items()} == {"base": "f1", "ml": "f2"}
    assert deployed["base"].specification == {"image": "python:3.12", "depends_on": []}
    assert deployed["base"].sources == {"base.t": "def t(): ..."}
    assert deployed["ml"].deployed_at.isoformat() == "2026-11-23T06:35:40.698689+00:00"
    assert old.deployed("other")["base"].specification == {"image": "it's"}


def test_what_was_deployed_is_a_version(old: DeploymentState) -> None:
    """A version of the old database can be brought back when another took its place."""
    old.record("local", bundle("base", "9")).result()
    assert old.deployed("local")["base"].fingerprint == "base-9"
    (kept,) = old.versions("local", [("base", "f1")]).values()
    assert (kept.specification["image"], kept.sources) == ("python:3.12", {"base.t": "def t(): ..."})
    assert (kept.module, kept.files) == ("", {})


def test_the_database_is_upgraded_once(old: DeploymentState) -> None:
    """The file has the version of today, and opens again."""
    old.deployed("local")
    with closing(sqlite3.connect(old.path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(STEPS),)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert set(DeploymentState(old.home).deployed("local")) == {"base", "ml"}


def test_a_newer_database_is_refused(old: DeploymentState) -> None:
    """What a later flyte_nb has written is not misread."""
    with closing(sqlite3.connect(old.path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(StateError, match="newer flyte_nb"):
        old.deployed("local")
