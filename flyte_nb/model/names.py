"""The names Flyte accepts: of environments, and of environment variables."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping

from flyte_nb.errors import InvalidTypeError, InvalidValueError

__all__ = ["check_env_vars", "check_environment_name", "check_variable_name"]

_ENVIRONMENT_NAME = re.compile(r"[a-z0-9]+([_-][a-z0-9]+)*")
_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LONGEST_EXAMPLE = 63


def check_environment_name(name: object, field: str = "TaskEnvironment.name") -> str:
    """Return `name` if it can name an environment.

    Args:
        name: Lower-case letters and digits, in parts joined by single "-" or "_".
        field: What the name is for, as the user writes it.

    Raises:
        InvalidTypeError: If it is not a string.
        InvalidValueError: If Flyte would refuse it; the example is the nearest valid spelling.
    """
    if not isinstance(name, str):
        raise InvalidTypeError(field, name, "a string", '"base-utils"')
    if not _ENVIRONMENT_NAME.fullmatch(name):
        problem = 'is not a name: use lower-case letters and digits, joined by single "-" or "_"'
        raise InvalidValueError(field, name, problem, f'"{_nearest_environment_name(name)}"')
    # Names are keys everywhere: one object for each makes a graph of 100,000 environments twice as fast to order.
    return sys.intern(str(name))


def check_variable_name(field: str, name: object) -> str:
    """Return `name` if it can name an environment variable.

    Args:
        field: What the name is for, as the user writes it.
        name: ASCII letters, digits and "_", not starting with a digit.

    Raises:
        InvalidTypeError: If it is not a string.
        InvalidValueError: If it is not such a name.
    """
    if not isinstance(name, str):
        raise InvalidTypeError(field, name, "named by a string", '"API_URL"')
    if not _VARIABLE_NAME.fullmatch(name):
        problem = 'is not a variable name: use letters, digits and "_", not starting with a digit'
        raise InvalidValueError(field, _without_value(name), problem, f'"{_nearest_variable_name(name)}"')
    return name


def check_env_vars(field: str, env_vars: object) -> dict[str, str]:
    """Return a copy of a mapping of environment variables, in order of their names.

    No error shows a value: variables often hold tokens.

    Args:
        field: What the variables are for, as the user writes it.
        env_vars: Variable names to strings.

    Raises:
        InvalidTypeError: If it is not a mapping of strings to strings.
        InvalidValueError: If a name is no variable name, or a value holds what no process can be given.
    """
    if not isinstance(env_vars, Mapping):
        example = '{"LOG_LEVEL": "debug"}'
        raise InvalidTypeError(field, env_vars, "a dictionary of names to strings", example, hidden=True)
    checked = {check_variable_name(field, name): value for name, value in env_vars.items()}
    for name, value in checked.items():
        if not isinstance(value, str):
            raise InvalidTypeError(f"{field}[{name!r}]", value, "a string", f'{{"{name}": "1"}}', hidden=True)
        if not _fits_a_process(value):
            problem = "has a value with a NUL or a character that UTF-8 cannot hold"
            raise InvalidValueError(field, name, problem, f'{{"{name}": "1"}}')
    return dict(sorted(checked.items()))


def _nearest_environment_name(name: str) -> str:
    def separator(run: re.Match[str]) -> str:
        return "_" if set(run[0]) == {"_"} else "-"

    joined = re.sub(r"[^a-z0-9]+", separator, name[:_LONGEST_EXAMPLE].lower())
    return joined.strip("-_") or "base-utils"


def _nearest_variable_name(name: str) -> str:
    joined = re.sub(r"[^A-Za-z0-9_]+", "_", _without_value(name)[:_LONGEST_EXAMPLE]).strip("_").lstrip("0123456789_")
    return joined or "API_URL"


def _without_value(name: str) -> str:
    # "TOKEN=abc" given as a name is a name and its value.
    return name.partition("=")[0] + "=..." if "=" in name else name


def _fits_a_process(value: str) -> bool:
    try:
        return b"\0" not in value.encode()
    except UnicodeEncodeError:
        return False
