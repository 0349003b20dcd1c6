"""Names of environments and of environment variables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyte_nb.errors import InvalidTypeError, InvalidValueError
from flyte_nb.model.names import check_env_vars, check_environment_name, check_variable_name


@pytest.mark.parametrize("name", ["a", "1", "base-utils", "ml_training", "a-1_b-2", "x" * 300])
def test_valid_name(name: str) -> None:
    """A name that Flyte takes is returned as it is."""
    assert check_environment_name(name) == name


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("Base Utils", "base-utils"),
        ("ml__training", "ml_training"),
        ("-api-", "api"),
        ("api\n", "api"),
        ("a.b/c", "a-b-c"),
        ("a-_b", "a-b"),
        ("", "base-utils"),
        ("é", "base-utils"),
    ],
)
def test_invalid_name(name: str, nearest: str) -> None:
    """A refused name comes with its nearest valid spelling."""
    with pytest.raises(InvalidValueError, match=r"TaskEnvironment\.name") as caught:
        check_environment_name(name)
    assert caught.value.value == name
    assert caught.value.example == f'"{nearest}"'


@given(st.text())
def test_suggested_name(name: str) -> None:
    """The suggested name is always valid."""
    try:
        check_environment_name(name)
    except InvalidValueError as error:
        suggested = error.example.strip('"')
        assert check_environment_name(suggested) == suggested


@pytest.mark.parametrize("name", [None, 1, b"api", ["api"]])
def test_name_of_wrong_type(name: object) -> None:
    """A name that is no string is the wrong type."""
    with pytest.raises(InvalidTypeError, match="must be a string"):
        check_environment_name(name)


def test_field() -> None:
    """The field in the error is the one that was checked."""
    with pytest.raises(InvalidValueError) as caught:
        check_environment_name("Base Utils", "TaskEnvironment.depends_on")
    assert caught.value.field == "TaskEnvironment.depends_on"


@pytest.mark.parametrize("name", ["A", "_a", "API_URL", "lower_2"])
def test_valid_variable(name: str) -> None:
    """A variable name is returned as it is."""
    assert check_variable_name("Env.vars", name) == name


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("MY-VAR", "MY_VAR"), ("2nd", "nd"), ("", "API_URL"), ("PATH\n", "PATH"), ("MÜLL", "M_LL")],
)
def test_invalid_variable(name: str, nearest: str) -> None:
    """A refused variable name comes with its nearest valid spelling."""
    with pytest.raises(InvalidValueError, match="not a variable name") as caught:
        check_variable_name("Env.vars", name)
    assert (caught.value.field, caught.value.example) == ("Env.vars", f'"{nearest}"')


def test_variable_with_value() -> None:
    """A name given together with its value does not show the value."""
    with pytest.raises(InvalidValueError, match="TOKEN=") as caught:
        check_variable_name("Env.vars", "TOKEN=hunter2")
    assert "hunter2" not in str(caught.value)


def test_variables() -> None:
    """Variables are copied in order of their names."""
    given_vars = {"B": "2", "A": "1"}
    checked = check_env_vars("Env.vars", given_vars)
    given_vars["C"] = "3"
    assert list(checked.items()) == [("A", "1"), ("B", "2")]


@pytest.mark.parametrize(
    "env_vars", [{"PIN": 70_007}, {"PIN": b"70007"}, {"PIN": "70007\0"}, {"PIN": "70007\ud800"}, ["PIN=70007"]]
)
def test_invalid_variables(env_vars: object) -> None:
    """An error about variables never shows a value."""
    with pytest.raises((InvalidTypeError, InvalidValueError)) as caught:
        check_env_vars("Env.vars", env_vars)
    assert "70007" not in str(caught.value)
    assert "70007" not in repr(vars(caught.value))
    assert "PIN" in str(caught.value) or not isinstance(env_vars, dict)


def test_hidden_values() -> None:
    """The error names the type of the value, and holds no more of it."""
    with pytest.raises(InvalidTypeError, match=r"must be a string, not int\. For example") as caught:
        check_env_vars("Env.vars", {"PIN": 70_007})
    assert caught.value.value is int
    with pytest.raises(InvalidTypeError, match=r"of names to strings, not str\. For example") as caught:
        check_env_vars("Env.vars", "PIN=70007")
    assert caught.value.value is str
