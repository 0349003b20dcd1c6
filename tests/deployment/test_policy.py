"""How a plan may be applied, and what is refused."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from flyte_nb.deployment.applying.policy import Policy
from flyte_nb.errors import InvalidTypeError, InvalidValueError
from flyte_nb.model.policies import Backoff


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("max_concurrency", 0, InvalidValueError),
        ("max_concurrency", -1, InvalidValueError),
        ("max_concurrency", 2.0, InvalidTypeError),
        ("max_concurrency", True, InvalidTypeError),
        ("retries", -1, InvalidValueError),
        ("retries", None, InvalidTypeError),
        ("retries", False, InvalidTypeError),
        ("timeout", 0, InvalidValueError),
        ("timeout", -1.5, InvalidValueError),
        ("timeout", float("nan"), InvalidValueError),
        ("timeout", float("inf"), InvalidValueError),
        ("timeout", "60", InvalidTypeError),
        ("timeout", True, InvalidTypeError),
        ("backoff", 5, InvalidTypeError),
    ],
)
def test_what_means_nothing_is_refused(field: str, value: Any, error: type[Exception]) -> None:
    """The error names the field and gives an example."""
    with pytest.raises(error, match=rf"^{field}.* For example: "):
        Policy(**{field: value})


def test_a_policy_in_terms_of_json() -> None:
    """Times are in seconds."""
    policy = Policy(3, 60, 2, Backoff(1.5, factor=2, cap=timedelta(minutes=1)))
    assert json.loads(json.dumps(policy.to_json())) == {
        "max_concurrency": 3,
        "timeout": 60,
        "retries": 2,
        "backoff": {"base": 1.5, "factor": 2.0, "cap": 60.0},
    }
    assert Policy(backoff=Backoff(1)).to_json()["backoff"]["cap"] is None
