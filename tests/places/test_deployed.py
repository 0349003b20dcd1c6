"""A deployed task is a task: any kernel gets it by its name, and it shows what it was deployed with."""

from __future__ import annotations

import asyncio
import inspect
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

import flyte_nb
from flyte_nb.errors import (
    DeployedFunctionError,
    InvalidTypeError,
    InvalidValueError,
    NotDeployedError,
    UnknownTaskError,
    UnknownVersionError,
)
from flyte_nb.execution.inputs import check_arguments, check_inputs
from flyte_nb.places.deployed_task import DeployedTask

from .made import defined_in, deploy, deployed

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = '''
import flyte_nb as flyte
env = flyte.TaskEnvironment("ml-training")
RATE = 0.1

@env.task(short_name="fit", retries=2, timeout=600, cache=flyte.Cache("auto", ignored_inputs="verbose"))
async def train_model(config: dict, /, rate: float = RATE, *, verbose: bool = False) -> str:
    """Train it."""
    return "v1"

@env.task
def count(number: int) -> int:
    return number
'''


@pytest.fixture(autouse=True)
def _deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    defined_in(SOURCE, tmp_path, monkeypatch)
    deploy()
    flyte_nb.reset()


def test_a_deployed_task_is_a_task() -> None:
    """Whoever asks of a task finds it: names, policies, signature and how it is called."""
    task = flyte_nb.deployed("ml-training.train_model")
    assert isinstance(task, flyte_nb.Task)
    assert isinstance(task, DeployedTask)
    assert (task.name, task.environment, task.short_name) == ("ml-training.train_model", "ml-training", "fit")
    assert (task.is_async, task.has_policies) == (True, True)
    assert (task.retries.count, task.timeout.max_runtime) == (2, timedelta(minutes=10))
    assert task.cache == flyte_nb.Cache("auto", ignored_inputs="verbose")
    assert (task.description, task.__doc__, task.__name__) == ("Train it.", "Train it.", "train_model")
    assert task.version == deployed("ml-training")
    assert flyte_nb.deployed("ml-training.count").is_async is False


def test_a_deployed_task_shows_its_version() -> None:
    """Its text has the task and the version, and its signature is that which was written."""
    task = flyte_nb.deployed("ml-training.train_model")
    assert repr(task) == f"<DeployedTask ml-training.train_model version {task.version.fingerprint[:12]}>"  # type: ignore[attr-defined]
    written = "(config: dict, /, rate: float = RATE, *, verbose: bool = False) -> str"
    assert str(task.signature) == str(inspect.signature(task)) == written


def test_arguments_are_checked_against_the_signature() -> None:
    """What does not fit is refused here; types are only known where it runs."""
    task = flyte_nb.deployed("ml-training.train_model")
    check_arguments(task, ({},), {"verbose": True})
    check_inputs(task, ("no dictionary",), {})
    with pytest.raises(flyte_nb.InvalidArgumentsError, match="missing a required") as caught:
        check_arguments(task, (), {"rate": 1})
    assert "rate: float = RATE" in str(caught.value)
    with pytest.raises(flyte_nb.InvalidArgumentsError):
        check_arguments(flyte_nb.deployed("ml-training.count"), (1, 2), {})


def test_the_function_of_a_deployed_task_is_not_here() -> None:
    """Who calls it by itself is told that the code is elsewhere, whether it is awaited or not."""
    with pytest.raises(DeployedFunctionError, match="Call the task, not its function"):
        flyte_nb.deployed("ml-training.count").function(1)
    work = flyte_nb.deployed("ml-training.train_model").function({})
    with pytest.raises(DeployedFunctionError) as caught:
        asyncio.run(work)
    assert caught.value.task == "ml-training.train_model"


def test_other_policies_are_of_the_same_version() -> None:
    """Overriding gives a deployed task, checks what is given, and leaves the original as it is."""
    task = flyte_nb.deployed("ml-training.train_model")
    other: Any = task.override(retries=5, short_name="again")
    assert isinstance(other, DeployedTask)
    assert (other.version, other.retries.count, other.short_name) == (deployed("ml-training"), 5, "again")
    assert (other.timeout, other.cache, other.description) == (task.timeout, task.cache, task.description)
    assert (task.retries.count, task.short_name) == (2, "fit")
    with pytest.raises(InvalidTypeError):
        task.override(retries="often")
    with pytest.raises(InvalidValueError, match="is not one of"):
        task.override(version="1")


def test_a_version_can_be_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without one it is what is deployed now, with one that of then."""
    first = deployed("ml-training").fingerprint
    defined_in(SOURCE.replace("def count(", "def other("), tmp_path, monkeypatch)
    deploy()
    now = flyte_nb.deployed("ml-training.other")
    then: Any = flyte_nb.deployed("ml-training.count", version=first[:6])
    assert now.version.fingerprint != first  # type: ignore[attr-defined]
    assert then.version.fingerprint == first
    assert [*then.signature.parameters] == ["number"]
    with pytest.raises(UnknownTaskError, match="is not a task of that environment") as caught:
        flyte_nb.deployed("ml-training.count")
    assert set(caught.value.known) == {"ml-training.train_model", "ml-training.other"}


def test_what_the_session_defines_makes_no_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A definition that is not deployed does not change what is, and getting a task defines nothing."""
    before = flyte_nb.deployed("ml-training.count")
    assert flyte_nb.registry() == {}
    defined_in(SOURCE.replace("number: int", "number: float"), tmp_path, monkeypatch)
    after = flyte_nb.deployed("ml-training.count")
    assert (str(after.signature), repr(after)) == (str(before.signature), repr(before))


@pytest.mark.parametrize(
    ("name", "error", "said"),
    [
        (
            "ml-training",
            UnknownTaskError,
            "'ml-training' is the name of an environment: say which of its tasks. It has ",
        ),
        ("ml-training.trainmodel", UnknownTaskError, "Did you mean 'ml-training.train_model'?"),
        ("ml-training.", UnknownTaskError, "It has 'ml-training.count', 'ml-training.train_model'."),
        ("mltraining.count", NotDeployedError, "Did you mean 'ml-training'?"),
        ("nothing", NotDeployedError, "'nothing' is not deployed to local. Deploy it: %flyte_deploy nothing"),
        ("", NotDeployedError, "is not deployed"),
        (7, UnknownTaskError, '7 is not the full name of a task. For example: deployed("ml-training.train_model")'),
    ],
)
def test_what_is_not_deployed_is_one_clear_line(name: Any, error: type[Exception], said: str) -> None:
    """The error has the nearest name, what there is, and what to do."""
    with pytest.raises(error) as caught:
        flyte_nb.deployed(name)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_version_is_one_clear_line() -> None:
    """The error has the versions there are."""
    with pytest.raises(UnknownVersionError, match=deployed("ml-training").fingerprint[:12]):
        flyte_nb.deployed("ml-training.count", version="000000")
