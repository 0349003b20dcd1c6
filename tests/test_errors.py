"""Errors of flyte_nb."""

from __future__ import annotations

import pickle

import pytest

from flyte_nb.errors import FlyteNbError, InvalidValueError, TaskTimeoutError, UnknownEnvironmentError


@pytest.mark.parametrize(
    "error",
    [
        InvalidValueError("Task.override", "retry", "is not one of retries", "retries=3"),
        TaskTimeoutError("ml.train", 2.5, queued=True),
        UnknownEnvironmentError("mll", ["ml"]),
    ],
)
def test_errors_can_be_pickled_with_what_they_carry(error: FlyteNbError) -> None:
    """A pool of processes whose task raises one gets it, where it would wait for ever for what it cannot read."""
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert type(copy) is type(error)
    assert (str(copy), copy.__dict__) == (str(error), error.__dict__)
