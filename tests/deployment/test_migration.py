"""A database that an earlier version has written is brought up to date, and loses nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from flyte_nb.deployment.keeping.history import DeploymentHistory
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

# What version 2 has written: its own dump.
VERSION_2 = """
CREATE TABLE deployment (
    id INTEGER PRIMARY KEY AUTOINCREMENT, target TEXT NOT NULL, kind TEXT NOT NULL, origin TEXT NOT NULL,
    holder TEXT NOT NULL, state TEXT NOT NULL, started REAL NOT NULL, ended REAL,
    plan TEXT NOT NULL, policy TEXT NOT NULL
);
INSERT INTO "deployment" VALUES(1,'local','deploy','nb','h','succeeded',1.7954273615608017444e+09,1.79542736156113290789e+09,'{"format":"flyte_nb plan","version":1,"target":"local","names":[],"prune":false,"expected_duration":null,"critical_path":[],"steps":[{"name":"base","action":"unchanged","depends_on":[],"changes":[],"problem":"","fingerprint":"base-2","deployed":"base-2","expected":null}]}','{"max_concurrency": 8, "timeout": null, "retries": 0}');
CREATE TABLE deployment_environment (
    deployment INTEGER NOT NULL, name TEXT NOT NULL, position INTEGER NOT NULL, action TEXT NOT NULL,
    fingerprint TEXT NOT NULL, previous TEXT NOT NULL, state TEXT NOT NULL, started REAL, ended REAL,
    error TEXT NOT NULL, attempt INTEGER NOT NULL,
    PRIMARY KEY (deployment, name)
) WITHOUT ROWID;
INSERT INTO "deployment_environment" VALUES(1,'base',0,'unchanged','base-2','base-2','unchanged',NULL,NULL,'',0);
CREATE TABLE deployment_log (
    deployment INTEGER NOT NULL, number INTEGER NOT NULL, environment TEXT NOT NULL, time REAL NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (deployment, number)
) WITHOUT ROWID;
CREATE TABLE environment (
    target TEXT NOT NULL, name TEXT NOT NULL, fingerprint TEXT NOT NULL, deployed_at TEXT NOT NULL,
    PRIMARY KEY (target, name)
) WITHOUT ROWID;
INSERT INTO "environment" VALUES('local','base','base-2','2026-11-23T09:49:14.315231+00:00');
INSERT INTO "environment" VALUES('local','ml','ml-1','2026-11-23T09:49:14.319214+00:00');
CREATE TABLE lock (
    target TEXT PRIMARY KEY, holder TEXT NOT NULL, machine TEXT NOT NULL, pid INTEGER NOT NULL,
    began TEXT NOT NULL, sign REAL NOT NULL, origin TEXT NOT NULL, since REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE version (
    target TEXT NOT NULL, name TEXT NOT NULL, fingerprint TEXT NOT NULL,
    specification TEXT NOT NULL, sources TEXT NOT NULL, module TEXT NOT NULL, files TEXT NOT NULL,
    PRIMARY KEY (target, name, fingerprint)
);
INSERT INTO "version" VALUES('local','base','base-1','{"image": "base:1", "depends_on": [], "tasks": {}}','{"base.t": "return 1"}','# 1','{"m.py": ""}');
INSERT INTO "version" VALUES('local','base','base-2','{"image": "base:2", "depends_on": [], "tasks": {}}','{"base.t": "return 2"}','# 2','{"m.py": ""}');
INSERT INTO "version" VALUES('local','ml','ml-1','{"image": "ml:1", "depends_on": ["base"], "tasks": {}}','{"ml.t": "return 1"}','# 1','{"m.py": ""}');
CREATE INDEX deployment_by_state ON deployment (target, state);
CREATE INDEX success ON deployment_environment (deployment) WHERE state = 'succeeded';
PRAGMA user_version = 2;
PRAGMA journal_mode = WAL;
"""  # noqa: E501 - as it was dumped


@pytest.fixture
def second(tmp_path: Path) -> DeploymentState:
    """The database of version 2."""
    with closing(sqlite3.connect(tmp_path / "state.sqlite3")) as connection:
        connection.executescript(VERSION_2)
    return DeploymentState(tmp_path)


@pytest.fixture
def old(tmp_path: Path) -> DeploymentState:
    """The database of version 1."""
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


def test_versions_are_kept_that_do_not_say_what_their_modules_are_called(second: DeploymentState) -> None:
    """What version 2 has deployed is there with all it had, and can be brought back; its module has no name."""
    assert second.fingerprints("local") == {"base": "base-2", "ml": "ml-1"}
    assert second.kept_fingerprints("local", "base") == ["base-2", "base-1"]
    kept = second.versions("local", [("base", "base-1"), ("ml", "ml-1")])
    assert (kept["base"].module, kept["base"].files, kept["base"].sources) == (
        "# 1",
        {"m.py": ""},
        {"base.t": "return 1"},
    )
    assert {(one.module_name, *one.modules) for one in kept.values()} == {("",)}
    second.record("local", kept["base"]).result()
    assert second.deployed("local")["base"].fingerprint == "base-1"
    assert second.kept_fingerprints("local", "base") == ["base-2", "base-1"]


def test_deployments_that_were_are_still_there(second: DeploymentState) -> None:
    """The history of version 2 can be read."""
    (environment,) = DeploymentHistory(second, lambda _: None).deployment("d1").environments
    assert (environment.name, environment.fingerprint) == ("base", "base-2")


def test_what_version_2_has_deployed_is_deployed_again(second: DeploymentState) -> None:
    """A version of today is kept beside those of before, with what its module is called."""
    second.record("local", replace(bundle("base", "3"), module_name="base", modules={"base": "base"})).result()
    assert second.fingerprints("local")["base"] == "base-3"
    (kept,) = second.versions("local", [("base", "base-3")]).values()
    assert (kept.module_name, kept.modules) == ("base", {"base": "base"})


def test_every_former_database_becomes_the_same(tmp_path: Path, old: DeploymentState) -> None:
    """The tables are those of a new database, whatever version they began with."""
    old.deployed("local")
    (tmp_path / "second").mkdir()
    with closing(sqlite3.connect(tmp_path / "second" / "state.sqlite3")) as connection:
        connection.executescript(VERSION_2)
    new, second = DeploymentState(tmp_path / "new"), DeploymentState(tmp_path / "second")
    new.record("local", bundle("base")).result()
    second.deployed("local")
    columns = {_columns(state.path) for state in (old, second, new)}
    assert len(columns) == 1


def _columns(path: Path) -> tuple[object, ...]:
    """Return the tables of a database with their columns."""
    with closing(sqlite3.connect(path)) as connection:
        tables = sorted(name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'"))
        return tuple((table, *connection.execute(f"SELECT * FROM pragma_table_info('{table}')")) for table in tables)  # noqa: S608
