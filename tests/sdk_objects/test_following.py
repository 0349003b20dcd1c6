"""Objects of the SDK that stand for tasks of the session: calls are tracked, and the SDK finds them as they were."""

from __future__ import annotations

import asyncio
import copy
from typing import TYPE_CHECKING, Any

import cloudpickle
import flyte
import pytest

import flyte_nb
from flyte_nb.errors import NotATaskError
from flyte_nb.model.home import home as model_home
from flyte_nb.sdk.objects.following import follow, leave
from flyte_nb.sdk.objects.reading import specification_of, task_of

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def env() -> Iterator[Any]:
    """An environment with an async task and a sync one, which the session has."""
    env = flyte.TaskEnvironment("followed", cache="disable")

    @env.task(retries=1)
    async def double(n: int) -> int:
        return 2 * n

    @env.task
    def fails(n: int) -> int:
        raise KeyError(n)

    model_home().define(specification_of(env))
    follow(env)
    for task in env.tasks.values():
        ours = task_of(task, env)
        model_home().attach(ours)
        follow(task, ours)
    yield env
    for task in env.tasks.values():
        leave(task)
    leave(env)


def runs_of(name: str) -> int:
    return len(flyte_nb.runs(name))


def test_a_call_is_a_run_of_the_session(env: Any) -> None:
    """What is awaited is tracked, as any task's call is."""
    run = asyncio.run(flyte_nb.run(env.tasks["followed.double"], 4))
    assert (run.result, run.task) == (8, "followed.double")
    assert asyncio.run(env.tasks["followed.double"](5)) == 10


def test_errors_are_the_ones_that_were_raised(env: Any) -> None:
    """The SDK would wrap what a sync task raises."""
    with pytest.raises(KeyError):
        env.tasks["followed.fails"](3)


def test_other_policies_are_those_of_the_run(env: Any) -> None:
    """What `override` gives stands for the same task with what was said otherwise."""
    ours = env.tasks["followed.double"].override(retries=4).__flyte_nb__()
    assert (ours.name, ours.retries.count) == ("followed.double", 4)
    assert set(ours.overridden) == {"retries"}


def test_the_sdk_runs_it_as_ever(env: Any) -> None:
    """A run of the SDK's own is none of the session's."""
    flyte.init()
    run = flyte.run(env.tasks["followed.double"], n=6)
    assert run.outputs()[0] == 12
    assert runs_of("followed.double") == 0


@pytest.mark.parametrize("copied", [lambda task: cloudpickle.loads(cloudpickle.dumps(task)), copy.deepcopy])
def test_what_leaves_the_process_is_the_sdks_own(env: Any, copied: Any) -> None:
    """A pod has no flyte_nb: what is pickled knows nothing of it."""
    task = env.tasks["followed.double"]
    again = copied(task)
    leave(task)
    assert type(again) is type(task)
    assert not [name for name in vars(again) if "flyte_nb" in name]
    assert asyncio.run(again(2)) == 4


def test_they_are_what_they_were_when_they_are_left(env: Any) -> None:
    """Nothing of the session stays with an object that it no longer has."""
    task = env.tasks["followed.double"]
    leave(task)
    leave(env)
    assert type(env) is flyte.TaskEnvironment
    assert not [name for name in vars(task) if "flyte_nb" in name]
    with pytest.raises(NotATaskError):
        asyncio.run(flyte_nb.run(task, 1))
