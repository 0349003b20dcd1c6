"""The arguments of magics: parsed as a shell would, with every mistake a one-line UsageError."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

from flyte_nb.errors import InvalidValueError, did_you_mean
from flyte_nb.jupyter.secrets import without_secrets
from flyte_nb.model import Image, Resources

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

__all__ = ["environment_fields", "options", "parsed"]


def parsed(name: str, magic: Callable[..., Any], line: str) -> Namespace:
    """Return the arguments in `line` as `magic`, decorated with `magic_arguments`, declares them.

    Args:
        name: What the user typed, for messages: "%flyte_plan".
        magic: The magic.
        line: What follows it.

    Raises:
        UsageError: The line does not fit.
    """
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UsageError(f"{name}: {error} in {without_secrets(line)!r}") from None
    try:
        arguments: Namespace = magic.parser.parse_args(words)  # type: ignore[attr-defined]
    except UsageError as error:
        unknown = next((word for word in words if word.startswith("--") and word in str(error)), "")
        hint = did_you_mean(unknown, options(magic)) or f" Type {name}? for help."
        raise UsageError(f"{name}: {without_secrets(str(error))}.{hint}") from None
    return arguments


def options(magic: Callable[..., Any]) -> list[str]:
    """Return the options that `magic` declares: "--image"."""
    parser = getattr(magic, "parser", None)
    actions = parser._actions if parser else ()  # noqa: SLF001 - argparse has no public list of its options
    return [option for action in actions for option in action.option_strings if option.startswith("--")]


def environment_fields(arguments: Namespace) -> dict[str, Any]:
    """Return the fields of `TaskEnvironment` that the options of %%flyte_env give; what was not given is left out."""
    fields = {
        "image": _image(arguments),
        "resources": _resources(arguments),
        "depends_on": arguments.depends_on,
        "description": arguments.description,
        "env_vars": _env_vars(arguments.env),
        "cache": arguments.cache,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _image(arguments: Namespace) -> str | Image | None:
    if not (arguments.pip or arguments.python):
        given: str | None = arguments.image
        return given
    if arguments.image and arguments.python:
        raise InvalidValueError("--python", arguments.python, "cannot be given with --image", "--python 3.12")
    image = Image.from_base(arguments.image) if arguments.image else Image.from_debian_base(arguments.python)
    return image.with_pip_packages(*arguments.pip) if arguments.pip else image


def _resources(arguments: Namespace) -> Resources | None:
    gpu = arguments.gpu
    given = {
        "cpu": arguments.cpu,
        "memory": arguments.memory,
        "gpu": int(gpu) if gpu and gpu.isdecimal() else gpu,
        "disk": arguments.disk,
    }
    return Resources(**given) if any(value is not None for value in given.values()) else None


def _env_vars(pairs: list[str] | None) -> dict[str, str] | None:
    if pairs is None:
        return None
    variables = {}
    for position, pair in enumerate(pairs, 1):
        name, equals, value = pair.partition("=")
        if not equals:  # what was typed may be the value, and secret
            raise InvalidValueError("--env", f"entry {position}", "is not NAME=VALUE", "--env LOG_LEVEL=info")
        variables[name] = value
    return variables
