"""Whatever calls whatever how, the recorded tree is the real one."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import flyte_nb as flyte
from flyte_nb import TaskEnvironment
from flyte_nb.session import session

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from flyte_nb.execution.node import Node

MANNERS = ["in turn", "gathered", "as tasks", *(["in a group"] if sys.version_info >= (3, 11) else [])]


@dataclass
class Wanted:
    """A call as it is to happen: what kind of task, what it calls and how, and how it ends."""

    kind: str
    manner: str
    pauses: int
    raises: bool
    calls: list[Wanted] = field(default_factory=list)


@dataclass
class Happened:
    """What calls really did, as they themselves say it."""

    parent: dict[int, int | None] = field(default_factory=dict)
    task: dict[int, str] = field(default_factory=dict)
    state: dict[int, str] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)


class BoomError(Exception):
    """What a task raises that is to raise."""


def wanted(children: st.SearchStrategy[list[Wanted]]) -> st.SearchStrategy[Wanted]:
    return st.builds(
        Wanted,
        kind=st.sampled_from(["async", "async", "sync", "threaded"]),
        manner=st.sampled_from(MANNERS),
        pauses=st.integers(0, 2),
        raises=st.sampled_from([False] * 5 + [True]),
        calls=children,
    )


TREES = st.recursive(wanted(st.just([])), lambda inner: wanted(st.lists(inner, max_size=4)), max_leaves=12)


class Play:
    """Tasks that do what is wanted, and say what they did."""

    def __init__(self) -> None:
        env = TaskEnvironment("env")
        self.happened = Happened()
        self.calls: list[Wanted] = []

        @env.task
        async def run_async(number: int) -> None:
            with self._said(number, "run_async"):
                await self._perform(number)

        @env.task
        def run_sync(number: int) -> None:
            with self._said(number, "run_sync"):
                self._perform_here(number)

        self.run_async, self.run_sync = run_async, run_sync

    def _said(self, number: int, task: str) -> _Said:
        return _Said(self.happened, number, f"env.{task}")

    def start(self, tree: Wanted, parent: int | None) -> Any:
        """Begin a call as its caller would; of an async one, and one in a thread, return what to await."""
        number = len(self.calls)
        self.calls.append(tree)
        self.happened.parent[number] = parent
        if tree.kind == "async":
            return self.run_async(number)
        return self.run_sync.aio(number) if tree.kind == "threaded" else self.run_sync(number)

    async def call(self, tree: Wanted, parent: int) -> None:
        work = self.start(tree, parent)
        if work is not None:
            await work

    async def _perform(self, number: int) -> None:
        tree = self.calls[number]
        for _ in range(tree.pauses):
            await asyncio.sleep(0)
        await self._make_calls(tree, number)
        if tree.raises:
            raise BoomError

    async def _make_calls(self, tree: Wanted, number: int) -> None:
        # Not all made at once: a call that is cancelled in their middle would leave some that are never awaited.
        if tree.manner == "in turn":
            for child in tree.calls:
                await _forgiving(self.call(child, number))
        elif tree.manner == "gathered":
            await asyncio.gather(*(self.call(child, number) for child in tree.calls), return_exceptions=True)
        elif tree.manner == "as tasks":
            tasks = [asyncio.create_task(self.call(child, number)) for child in tree.calls]
            await asyncio.gather(*tasks, return_exceptions=True)
        else:
            async with asyncio.TaskGroup() as group:  # type: ignore[attr-defined,unused-ignore]
                for child in tree.calls:
                    group.create_task(self.call(child, number))

    def _perform_here(self, number: int) -> None:
        """A sync task calls sync tasks only."""
        tree = self.calls[number]
        for child in tree.calls:
            child.kind = "sync"
            try:
                self.start(child, number)
            except BoomError:
                continue
        if tree.raises:
            raise BoomError


async def _forgiving(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception:  # noqa: BLE001 - groups of BoomError, too
        return


class _Said:
    def __init__(self, happened: Happened, number: int, task: str) -> None:
        self._happened, self._number, self._task = happened, number, task

    def __enter__(self) -> None:
        self._happened.task[self._number] = self._task
        self._happened.order.append(self._number)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        said = "succeeded" if kind is None else "failed" if issubclass(kind, Exception) else "cancelled"
        self._happened.state[self._number] = said


def number_of(node: Node) -> int:
    return int(node.inputs.removeprefix("number="))


@pytest.mark.slow
@settings(max_examples=2_000, suppress_health_check=[HealthCheck.too_slow])
@given(TREES)
def test_the_recorded_tree_is_the_real_one(tree: Wanted) -> None:
    """Parents, tasks and states are those of the real calls; no event is lost, doubled or out of order."""
    flyte.reset()
    play, events, journals = Play(), [], []  # type: ignore[var-annotated]
    ends = [session().runner.subscribe(events.append), session().runner.watch(journals.append)]
    tree.kind = "async"

    async def main() -> None:
        await _forgiving(play.start(tree, None))

    asyncio.run(main())
    for end in ends:
        end()
    happened = play.happened
    (journal,) = journals
    nodes = [call.node() for call in journal.calls()]
    began = {node.id: number_of(node) for node in nodes if node.attempts}
    assert sorted(began.values()) == sorted(happened.order)
    for node in nodes:
        number = number_of(node)
        assert node.root == nodes[0].id
        assert (began[node.parent] if node.parent else None) == happened.parent[number]
        assert node.state.value == happened.state.get(number, "cancelled")
        if number in happened.task:
            assert node.task == happened.task[number]
    assert Counter(node.state.value for node in nodes if node.attempts) == Counter(happened.state.values())
    check_events(events, {node.id: node for node in nodes})


def check_events(events: list[Node], final: dict[int, Node]) -> None:
    """Each call is queued at most once, then begins, then ends; after its caller began; and nothing follows."""
    seen: dict[int, list[str]] = {}
    for event in events:
        assert event.parent is None or event.parent in seen
        seen.setdefault(event.id, []).append(event.state.value)
    assert seen.keys() == final.keys()
    for number, states in seen.items():
        last = final[number].state.value
        assert states in (["running", last], ["queued", "running", last], ["queued", "cancelled"])
