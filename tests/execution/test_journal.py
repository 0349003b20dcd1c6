"""A journal holds every change in order, and each reader has its own place in it."""

from __future__ import annotations

import asyncio

import flyte_nb as flyte
from flyte_nb import TaskEnvironment
from flyte_nb.execution.journal import JournalReader
from flyte_nb.execution.node import RunState
from flyte_nb.session import session


def test_a_reader_sees_each_changed_call_once_as_it_stands() -> None:
    """However often a call has changed since the last look, it is given once."""
    env = TaskEnvironment("env")

    @env.task
    async def leaf() -> None: ...

    @env.task
    async def root() -> list[str]:
        await leaf()
        return [f"{call.task} {call.state.value}" for call in reader.changed()]

    with session().runner.collecting() as journal:
        reader = JournalReader(journal)
        assert asyncio.run(root()) == ["env.root running", "env.leaf succeeded"]  # type: ignore[arg-type]
    assert [(call.task, call.state) for call in reader.changed()] == [("env.root", RunState.SUCCEEDED)]
    assert reader.changed() == []
    assert journal.closed


def test_a_run_inside_a_run_is_a_part_of_it() -> None:
    """The inner run's tree holds its own calls only; the outer one's holds all."""
    env = TaskEnvironment("env")

    @env.task
    async def leaf() -> None: ...

    @env.task
    async def root() -> list[str]:
        await leaf()
        run = await flyte.run(leaf)
        return [node.task for node in run.tree]

    run = asyncio.run(flyte.run(root))
    assert run.result == ["env.leaf"]
    assert [node.task for node in run.tree] == ["env.root", "env.leaf", "env.leaf"]
    assert {node.parent for node in run.tree[1:]} == {run.tree[0].id}


def test_watchers_hear_of_each_run_once() -> None:
    """A lone call has a journal of its own; what it calls, and runs inside runs, are not announced."""
    env = TaskEnvironment("env")
    seen: list[list[str]] = []

    @env.task
    async def leaf() -> None: ...

    @env.task
    async def root() -> None:
        await leaf()
        await flyte.run(leaf)

    async def main() -> None:
        await root()
        await flyte.run(root)

    journals = []
    end = session().runner.watch(journals.append)
    asyncio.run(main())
    end()
    asyncio.run(root())  # type: ignore[arg-type]
    seen = [[call.task for call in journal.calls()] for journal in journals]
    assert seen == [["env.root", "env.leaf", "env.leaf"]] * 2
    assert all(journal.closed for journal in journals)
