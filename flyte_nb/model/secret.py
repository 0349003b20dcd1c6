"""Secrets a task is given: which one, and where it finds it. Never what it holds."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

from flyte_nb.errors import InvalidTypeError, InvalidValueError
from flyte_nb.model.short_repr import short_repr

__all__ = ["SECRET_MOUNT", "Secret", "as_secrets"]

SECRET_MOUNT = "/etc/flyte/secrets"  # noqa: S105  (a path, not a secret)
"""The only directory where Flyte mounts secrets as files."""

_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
_EXAMPLE = '"my-token" or Secret("my-token", as_env_var="TOKEN")'


@dataclass(frozen=True, slots=True, init=False, repr=False)
class Secret:
    """A secret of the cluster's store, given to a task as an environment variable, a file, or both.

    Attributes:
        key: The secret's name in the store.
        group: The group it is kept in, for stores that have groups.
        mount: "/etc/flyte/secrets" to have it as a file, or None.
        as_env_var: The variable that holds it. Derived from group and key when neither this nor `mount` is given:
            "my-token" becomes MY_TOKEN.

    Raises:
        InvalidTypeError: If a field has the wrong type.
        InvalidValueError: If a field means nothing to Flyte.
    """

    key: str
    group: str | None
    mount: str | None
    as_env_var: str | None

    def __init__(
        self,
        key: str,
        group: str | None = None,
        mount: str | os.PathLike[str] | None = None,
        as_env_var: str | None = None,
    ) -> None:
        object.__setattr__(self, "key", _store_name("Secret.key", key))
        object.__setattr__(self, "group", None if group is None else _store_name("Secret.group", group))
        object.__setattr__(self, "mount", None if mount is None else _mount(mount))
        if as_env_var is not None:
            as_env_var = _variable(as_env_var)
        elif mount is None:
            as_env_var = _derived_variable(key, group)
        object.__setattr__(self, "as_env_var", as_env_var)

    __repr__ = short_repr


def as_secrets(field: str, value: object) -> tuple[Secret, ...]:
    """Return what a user gives as secrets as a tuple without repetitions.

    Args:
        field: What the secrets are for, as the user writes it.
        value: A key, a Secret, an iterable of those, or None.

    Raises:
        InvalidTypeError: If it is something else.
        InvalidValueError: If a key means nothing, or two secrets want the same variable.
    """
    if value is None:
        return ()
    if isinstance(value, (str, Secret)):
        return (_as_secret(field, value),)
    if isinstance(value, (bytes, bytearray, Mapping)) or not isinstance(value, Iterable):
        raise InvalidTypeError(field, value, "a secret's key, a Secret or a list of those", _EXAMPLE)
    secrets = dict.fromkeys(_as_secret(field, item) for item in value)
    _refuse_shared_variable(field, secrets)
    # A set has no order of its own, and what is compared between sessions needs one.
    return tuple(sorted(secrets, key=repr)) if isinstance(value, Set) else tuple(secrets)


def _as_secret(field: str, value: object) -> Secret:
    if isinstance(value, Secret):
        return value
    if not isinstance(value, str):
        raise InvalidTypeError(field, value, "made of secrets' keys and Secrets", _EXAMPLE)
    return Secret(value)


def _refuse_shared_variable(field: str, secrets: Iterable[Secret]) -> None:
    owners: dict[str, Secret] = {}
    for secret in secrets:
        if secret.as_env_var is None:
            continue
        owner = owners.setdefault(secret.as_env_var, secret)
        if owner is not secret:
            problem = f"is the variable of both {owner!r} and {secret!r}"
            raise InvalidValueError(field, secret.as_env_var, problem, f'Secret("{secret.key}", as_env_var="OTHER")')


def _store_name(field: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidTypeError(field, value, "a string", '"my-token"')
    if not value or not value.isprintable() or " " in value:
        raise InvalidValueError(field, value, "is empty or holds white space or control characters", '"my-token"')
    return value


def _mount(value: object) -> str:
    if not isinstance(value, (str, os.PathLike)):
        raise InvalidTypeError("Secret.mount", value, "a path", f'"{SECRET_MOUNT}"')
    path = os.fspath(value)
    # On Windows a Path spells the same directory with back slashes.
    if not isinstance(path, str) or path.replace("\\", "/") != SECRET_MOUNT:
        raise InvalidValueError("Secret.mount", value, "is not where Flyte mounts secrets", f'"{SECRET_MOUNT}"')
    return SECRET_MOUNT


def _variable(value: object) -> str:
    if not isinstance(value, str):
        raise InvalidTypeError("Secret.as_env_var", value, "a string", '"MY_TOKEN"')
    if not _VARIABLE.fullmatch(value):
        problem = 'is not a variable name: use upper-case letters, digits and "_", not starting with a digit'
        raise InvalidValueError("Secret.as_env_var", value, problem, f'"{_nearest_variable(value)}"')
    return value


def _derived_variable(key: str, group: str | None) -> str:
    derived = (f"{group}_{key}" if group else key).replace("-", "_").upper()
    if not _VARIABLE.fullmatch(derived):
        problem = "cannot name an environment variable, so give one"
        raise InvalidValueError("Secret.key", key, problem, f'as_env_var="{_nearest_variable(derived)}"')
    return derived


def _nearest_variable(name: str) -> str:
    return re.sub(r"[^A-Z0-9_]+", "_", name[:63].upper()).strip("_").lstrip("0123456789_") or "MY_TOKEN"
