"""A history that an earlier version has written is brought up to date, and loses nothing."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing

import pytest

import flyte_nb as flyte
from flyte_nb.session import session

# What version 1 has written: its own dump.
VERSION_1 = """
CREATE TABLE line (
    run TEXT NOT NULL, node INTEGER NOT NULL, number INTEGER NOT NULL, task TEXT NOT NULL, time REAL NOT NULL,
    stream TEXT NOT NULL, text TEXT NOT NULL,
    PRIMARY KEY (run, node, number)
) WITHOUT ROWID;
INSERT INTO "line" VALUES('b43ad5b9-1',1,0,'ml.train',1.79605747493209505082e+09,'stdout','training 3');
CREATE TABLE node (
    run TEXT NOT NULL, id INTEGER NOT NULL, parent INTEGER, root INTEGER NOT NULL, task TEXT NOT NULL,
    state TEXT NOT NULL, started REAL NOT NULL, ended REAL, error TEXT NOT NULL, attempts INTEGER NOT NULL,
    inputs TEXT NOT NULL, arose INTEGER, lines INTEGER NOT NULL,
    PRIMARY KEY (run, id)
) WITHOUT ROWID;
INSERT INTO "node" VALUES('b43ad5b9-1',1,NULL,1,'ml.train','succeeded',1.79605747492450404162e+09,1.79605747493453788755e+09,'',1,'n=3',NULL,1);
INSERT INTO "node" VALUES('b43ad5b9-2',2,NULL,2,'ml.fails','failed',1796057474.93855,1.79605747493856310846e+09,'ValueError: no model',1,'',2,0);
CREATE TABLE run (
    name TEXT PRIMARY KEY, session TEXT NOT NULL, root INTEGER NOT NULL, task TEXT NOT NULL, state TEXT NOT NULL,
    started REAL NOT NULL, ended REAL, calls INTEGER NOT NULL, error TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO "run" VALUES('b43ad5b9-1','b43ad5b9',1,'ml.train','succeeded',1.79605747492450404162e+09,1.79605747493453788755e+09,1,'');
INSERT INTO "run" VALUES('b43ad5b9-2','b43ad5b9',2,'ml.fails','failed',1796057474.93855,1.79605747493856310846e+09,1,'ValueError: no model');
CREATE TABLE session (
    name TEXT PRIMARY KEY, machine TEXT NOT NULL, pid INTEGER NOT NULL, began TEXT NOT NULL, sign REAL NOT NULL
) WITHOUT ROWID;
INSERT INTO "session" VALUES('b43ad5b9','vm 77cabbbb pid:[4026531836]',22477,'139521',1.79605747495218896867e+09);
CREATE INDEX run_by_time ON run (started, root, ended, session);
PRAGMA user_version = 1;
PRAGMA journal_mode = WAL;
"""  # noqa: E501 - as it was dumped


def test_earlier_runs_are_kept() -> None:
    """With their calls and lines; where they ran is not known, and of new ones it is."""
    home = session().settings.home_path
    home.mkdir()
    with closing(sqlite3.connect(home / "runs.sqlite3")) as connection:
        connection.executescript(VERSION_1)
    failed, done = flyte.runs()
    assert (failed.name, failed.status, failed.error) == ("b43ad5b9-2", "failed", "ValueError: no model")
    assert (done.task, done.tree[0].inputs, done.logs[0].text) == ("ml.train", "n=3", "training 3")
    assert [(run.target, run.place) for run in (failed, done)] == [(None, "")] * 2
    env = flyte.TaskEnvironment("env")

    @env.task
    async def work() -> int:
        return 1

    asyncio.run(flyte.run(work))
    new, *earlier = flyte.runs()
    assert (new.target, new.place, new.tree[0].returned) == ("", "inline", "1")
    assert done.tree[0].returned == ""
    assert earlier == [failed, done]
    assert flyte.runs(on="inline") == [new]
    assert flyte.runs(on="local") == flyte.runs(on="flyte") == []
    with pytest.raises(flyte.UnknownPlaceError, match="nowhere"):
        flyte.runs(on="nowhere")
