"""What is said with the SDK's objects and what is said with ours is the same, there and back."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import flyte
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from flyte_nb.bundle.declarations import environment_declaration, task_decorator
from flyte_nb.errors import InvalidValueError
from flyte_nb.sdk.objects.reading import specification_of, task_of
from tests.bundle.test_declarations import POLICIES, SPECS, policies_of, read_back
from tests.bundle.test_declarations import task_of as our_task

if TYPE_CHECKING:
    from flyte_nb.model.spec import EnvironmentSpec
    from flyte_nb.model.task import Task

DURATIONS = st.timedeltas(timedelta(seconds=1), timedelta(days=3))
WORDS = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)

RESOURCES = st.builds(
    flyte.Resources,
    cpu=st.sampled_from([None, 1, 0.5, "500m", (1, 4)]),
    memory=st.sampled_from([None, "1Gi", ("1Gi", "2Gi")]),
    gpu=st.sampled_from([None, 1, "A100:2", flyte.GPU("A100", 1, partition="1g.5gb"), flyte.TPU("V5P", "2x2x1")]),
    disk=st.sampled_from([None, "10Gi"]),
    shm=st.sampled_from([None, "auto", "1Gi"]),
)
CACHES = st.sampled_from(
    [
        "auto",
        "disable",
        flyte.Cache("auto", serialize=True),
        flyte.Cache("override", version_override="v1", salt="s", ignored_inputs=("x",)),
        flyte.Cache("disable"),
    ]
)
THEIR_ENVIRONMENTS = st.fixed_dictionaries(
    {},
    optional={
        "image": st.sampled_from(["auto", "python:3.12", flyte.Image.from_debian_base().with_apt_packages("git")]),
        "resources": RESOURCES,
        "description": WORDS,
        "env_vars": st.dictionaries(st.sampled_from(["VA", "VB"]), WORDS),
        "secrets": st.sampled_from(["one", flyte.Secret("two", group="g"), ["three", flyte.Secret("four")]]),
        "cache": CACHES,
        "interruptible": st.booleans(),
        "queue": WORDS,
        "service_account": WORDS,
        "include": st.just(("data.txt",)),
        "pod_template": WORDS,
    },
)
THEIR_TASKS = st.fixed_dictionaries(
    {},
    optional={
        "short_name": WORDS,
        "cache": CACHES,
        "retries": st.sampled_from(
            [0, 3, flyte.RetryStrategy(2, flyte.Backoff(timedelta(seconds=1), 2.0, timedelta(seconds=9)))]
        ),
        "timeout": st.one_of(
            st.sampled_from([0, 60]), DURATIONS, st.builds(flyte.Timeout, DURATIONS, st.none() | DURATIONS, DURATIONS)
        ),
        "docs": st.builds(flyte.Documentation, WORDS) if hasattr(flyte, "Documentation") else st.none(),
        "report": st.booleans(),
        "queue": WORDS,
        "pod_template": WORDS,
        "interruptible": st.booleans(),
        "max_inline_io_bytes": st.integers(1, 1 << 20),
        "triggers": st.just(flyte.Trigger("nightly", flyte.Cron("0 2 * * *"))),
    },
)


def sources(spec: EnvironmentSpec, task: Task[..., Any]) -> str:
    environment, decorator = environment_declaration(spec, {}), task_decorator(task)
    assert environment.unwritten == decorator.unwritten == {}
    lines = ["import flyte", *environment.imports, *decorator.imports, environment.text, decorator.text]
    return "\n".join([*lines, "def f(x: int = 0) -> int:", '    "Doc."', "    return x"])


def executed(source: str) -> tuple[Any, Any]:
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(source, names)  # noqa: S102 - as a module is
    return names["env"], names["f"]


def comparable(value: Any) -> Any:
    """Return what the SDK compares by identity, or spells in several ways, in one."""
    if isinstance(value, flyte.Cache):
        policies = [type(policy) for policy in value.policies or ()]
        return (
            value.behavior,
            value.version_override,
            value.serialize,
            tuple(value.get_ignored_inputs()),
            value.salt,
            policies,
        )
    if isinstance(value, flyte.Timeout):
        return tuple(comparable(getattr(value, one.name)) for one in fields(value))
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value


def said_by(thing: Any, *, but: tuple[str, ...]) -> dict[str, Any]:
    return {one.name: comparable(getattr(thing, one.name)) for one in fields(thing) if one.init and one.name not in but}


def normal_timeout(timeout: Any) -> Any:
    return comparable(timeout if isinstance(timeout, flyte.Timeout) else flyte.Timeout(timeout or None))


def secrets(environment: Any) -> list[Any]:
    given = environment.secrets
    each = [] if given is None else given if isinstance(given, list) else [given]
    return [flyte.Secret(one) if isinstance(one, str) else one for one in each]


@given(THEIR_ENVIRONMENTS, THEIR_TASKS)
def test_what_the_sdk_says_comes_back(environment: dict[str, Any], policies: dict[str, Any]) -> None:
    """An environment and a task of the SDK, read and written as a module, are the same objects again."""
    env = flyte.TaskEnvironment("e", **environment)

    @env.task(**policies)
    def f(x: int = 0) -> int:
        """Doc."""
        return x

    again, task = executed(sources(specification_of(env), task_of(f, env)))
    assert said_by(again, but=("cache", "secrets", "env_vars")) == said_by(env, but=("cache", "secrets", "env_vars"))
    assert comparable(flyte_cache(again.cache)) == comparable(flyte_cache(env.cache))
    assert secrets(again) == secrets(env)
    assert (again.env_vars or {}) == (env.env_vars or {})
    own = ("func", "interface", "parent_env", "secrets", "env_vars", "timeout", "docs")
    assert said_by(task, but=own) == said_by(f, but=own)
    assert normal_timeout(task.timeout) == normal_timeout(f.timeout)
    assert (task.docs.description if task.docs else "Doc.") == (f.docs.description if f.docs else "Doc.")


def is_newer_device(spec: EnvironmentSpec) -> bool:
    """Say whether an environment asks for a device that older SDKs do not know."""
    try:
        flyte.Resources(gpu=spec.resources.gpu if spec.resources else None)
    except ValueError:
        return True
    return False


@given(THEIR_ENVIRONMENTS, THEIR_TASKS)
def test_what_the_sdk_says_is_adopted(environment: dict[str, Any], policies: dict[str, Any]) -> None:
    """What is written of an environment and a task of the SDK is written again, word for word, when it was adopted."""
    env = flyte.TaskEnvironment("e", **environment)

    @env.task(**policies)
    def f(x: int = 0) -> int:
        """Doc."""
        return x

    spec, task = specification_of(env), task_of(f, env)
    written = environment_declaration(spec, {}), task_decorator(task)
    again, task_again = read_back(*written)
    assert (environment_declaration(again, {}), task_decorator(task_again)) == written
    assert replace(again, flyte_options={}) == replace(spec, flyte_options={})
    assert policies_of(task_again) == policies_of(task)


def flyte_cache(cache: Any) -> Any:
    return flyte.Cache(behavior=cache) if isinstance(cache, str) else cache


@given(SPECS, POLICIES)
def test_what_we_say_comes_back(spec: EnvironmentSpec, policies: dict[str, Any]) -> None:
    """An environment and a task of ours, written for the SDK and read from its objects, say what they said."""
    assume(not is_newer_device(spec))
    task = our_task(spec, policies)
    env, theirs = executed(sources(spec, task))
    again, task_again = specification_of(env), task_of(theirs, env)
    differing = [one.name for one in fields(spec) if getattr(again, one.name) != getattr(spec, one.name)]
    assert differing == []
    if task.cache == spec.cache:
        task = task.override(cache=None)  # the SDK gives a task its environment's, and does not tell them apart
    assert policies_of(task_again) == policies_of(task)
    assert task_again.flyte_options == {}


def test_what_means_nothing_is_refused() -> None:
    """A request above its limit is taken by the SDK, and by no cluster."""
    env = flyte.TaskEnvironment("e", resources=flyte.Resources(cpu=(4, 1)))
    with pytest.raises(InvalidValueError, match="limit below its request"):
        specification_of(env)
