"""Secrets: where a task finds them, and which requests are refused."""

from __future__ import annotations

import pickle
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyte_nb.errors import InvalidTypeError, InvalidValueError
from flyte_nb.model.secret import Secret, as_secrets


@pytest.mark.parametrize(
    ("fields", "variable"),
    [
        ({"key": "my-token"}, "MY_TOKEN"),
        ({"key": "my-token", "group": "team-a"}, "TEAM_A_MY_TOKEN"),
        ({"key": "my.token", "as_env_var": "TOKEN"}, "TOKEN"),
        ({"key": "my-token", "mount": "/etc/flyte/secrets"}, None),
        ({"key": "my-token", "mount": "/etc/flyte/secrets", "as_env_var": "TOKEN"}, "TOKEN"),
    ],
)
def test_variable(fields: Any, variable: str | None) -> None:
    """The variable is as given, or derived when there is no mount."""
    assert Secret(**fields).as_env_var == variable


@pytest.mark.parametrize("path_type", [str, PurePosixPath, PureWindowsPath])
def test_mount(path_type: Any) -> None:
    """The mount may be a path of any kind."""
    assert Secret("k", mount=path_type("/etc/flyte/secrets")).mount == "/etc/flyte/secrets"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"key": ""}, "Secret.key"),
        ({"key": "a b"}, "Secret.key"),
        ({"key": "a\n"}, "Secret.key"),
        ({"key": "k", "group": ""}, "Secret.group"),
        ({"key": "k", "mount": "/run/secrets"}, "Secret.mount"),
        ({"key": "k", "mount": ""}, "Secret.mount"),
        ({"key": "k", "as_env_var": "lower"}, "Secret.as_env_var"),
        ({"key": "k", "as_env_var": "TOKEN\n"}, "Secret.as_env_var"),
        ({"key": "k", "as_env_var": ""}, "Secret.as_env_var"),
    ],
)
def test_invalid_secret(fields: dict[str, Any], field: str) -> None:
    """A secret that means nothing is refused with its field."""
    with pytest.raises(InvalidValueError) as caught:
        Secret(**fields)
    assert caught.value.field == field


@pytest.mark.parametrize(
    "fields",
    [
        {"key": None},
        {"key": b"k"},
        {"key": "k", "group": 1},
        {"key": "k", "mount": True},
        {"key": "k", "as_env_var": 1},
    ],
)
def test_wrong_type(fields: dict[str, Any]) -> None:
    """A field of the wrong type is refused."""
    with pytest.raises(InvalidTypeError, match=r"Secret\."):
        Secret(**fields)


def test_underivable_variable() -> None:
    """A key that no variable can be derived from says to give one."""
    with pytest.raises(InvalidValueError, match=r'Secret\.key.*as_env_var="MY_TOKEN"'):
        Secret("my.token")


def test_value_semantics() -> None:
    """Secrets can be compared, hashed and pickled, and print short."""
    secret = Secret("my-token")
    assert {secret, Secret("my-token"), pickle.loads(pickle.dumps(secret))} == {secret}  # noqa: S301
    assert repr(secret) == "Secret(key='my-token', as_env_var='MY_TOKEN')"


@pytest.mark.parametrize(
    ("given_secrets", "keys"),
    [
        (None, []),
        ([], []),
        ("b", ["b"]),
        (Secret("b"), ["b"]),
        (["b", Secret("a"), "b"], ["b", "a"]),
        ((key for key in "ba"), ["b", "a"]),
        ({"b", "a"}, ["a", "b"]),
    ],
)
def test_as_secrets(given_secrets: Any, keys: list[str]) -> None:
    """Secrets can be asked for in several forms."""
    secrets = as_secrets("TaskEnvironment.secrets", given_secrets)
    assert isinstance(secrets, tuple)
    assert [secret.key for secret in secrets] == keys


@pytest.mark.parametrize("value", [1, True, b"key", {"key": "value"}, [1], [None], [["key"]]])
def test_as_secrets_of_wrong_type(value: object) -> None:
    """What is no request for secrets is the wrong type."""
    with pytest.raises(InvalidTypeError, match=r"TaskEnvironment\.secrets"):
        as_secrets("TaskEnvironment.secrets", value)


def test_shared_variable() -> None:
    """Two secrets cannot have one variable."""
    with pytest.raises(InvalidValueError, match=r"MY_TOKEN.*both"):
        as_secrets("TaskEnvironment.secrets", ["my-token", "my_token"])


@given(
    st.none() | st.integers() | st.text() | st.binary() | st.lists(st.text() | st.integers() | st.none(), max_size=4)
)
def test_any_value(value: object) -> None:
    """Any value is either accepted or refused with our own errors."""
    try:
        secrets = as_secrets("Field", value)
    except (InvalidTypeError, InvalidValueError):
        return
    assert as_secrets("Field", secrets) == secrets
