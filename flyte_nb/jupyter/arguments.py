"""The arguments of magics: parsed as a shell would, with every mistake a one-line UsageError."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

from flyte_nb.errors import InvalidValueError, did_you_mean
from flyte_nb.jupyter.secrets import without_secrets, words_without_secrets
from flyte_nb.model import Image, Resources
from flyte_nb.targets.clusters import FLYTE, cluster_target

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterable, Mapping

    from flyte_nb.model import TaskEnvironment

__all__ = ["environment_fields", "options", "parsed", "target_of"]

_DEFAULT_TARGET = "local"


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
        raise UsageError(f"{name}: {error}: {without_secrets(line)}") from None
    try:
        arguments: Namespace = magic.parser.parse_args(words)  # type: ignore[attr-defined]
    except UsageError:
        raise UsageError(f"{name}: {_complaint(name, magic, words_without_secrets(words))}") from None
    return arguments


def target_of(arguments: Namespace) -> str:
    """Return the name of the target that --target, --project and --domain say.

    Raises:
        UsageError: The target has no projects.
    """
    target: str = arguments.target or _DEFAULT_TARGET
    if not (arguments.project or arguments.domain):
        return target
    if target != FLYTE:
        raise UsageError(f"--project and --domain are of a cluster: add --target {FLYTE}.")
    return cluster_target(f"{arguments.project or ''}/{arguments.domain or ''}")


def _complaint(name: str, magic: Callable[..., Any], words: list[str]) -> str:
    """Return what the parser says of `words`, which are wrong; it quotes them, so they are without secrets."""
    try:
        magic.parser.parse_args(words)  # type: ignore[attr-defined]
    except UsageError as error:
        said = str(error)
    else:
        said = "the arguments do not fit"
    known = options(magic)
    given = (word.partition("=")[0] for word in words if word.startswith("--"))
    # An option may be shortened.
    unknown = next((word for word in given if word in said and not any(one.startswith(word) for one in known)), "")
    quotes = " Quote a value that has spaces." if said.startswith("unrecognized") and not unknown else ""
    return f"{said}.{did_you_mean(unknown, known) or f'{quotes} Type {name}? for help.'}"


def options(magic: Callable[..., Any]) -> list[str]:
    """Return the options that `magic` declares: "--image"."""
    parser = getattr(magic, "parser", None)
    actions = parser._actions if parser else ()  # noqa: SLF001 - argparse has no public list of its options
    return [option for action in actions for option in action.option_strings if option.startswith("--")]


def environment_fields(arguments: Namespace, template: TaskEnvironment | None) -> dict[str, Any]:
    """Return the fields of `TaskEnvironment` that the options of %%flyte_env give; what was not given is left out.

    An option changes its own part of a field of `template`; one that takes several adds to those of `template`.
    """
    image = template.image if template else "auto"
    resources = (template and template.resources) or Resources()
    fields = {
        "image": _image(arguments, image),
        "resources": _resources(arguments, resources),
        "depends_on": _added(template.depends_on if template else (), arguments.depends_on),
        "description": arguments.description,
        "env_vars": _env_vars(arguments.env, template.env_vars if template else {}),
        "cache": arguments.cache,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _added(before: Iterable[str], names: list[str] | None) -> list[str] | None:
    return None if names is None else [*before, *names]


def _image(arguments: Namespace, start: str | Image) -> str | Image | None:
    """Return the base that --image or --python names, or that of `start`, with what `start` adds and --pip."""
    if arguments.image is not None and arguments.python:
        raise InvalidValueError("--python", arguments.python, "cannot be given with --image", "--python 3.12")
    if arguments.image is None and not (arguments.pip or arguments.python):
        return None
    base = Image.from_debian_base(arguments.python) if arguments.python else arguments.image
    if isinstance(base, str) and not (arguments.pip or isinstance(start, Image)):
        return base
    image = _as_image(start if base is None else base)
    if isinstance(start, Image):
        image = replace(start, uri=image.uri, python=image.python)
    return image.with_pip_packages(*arguments.pip or ())


def _as_image(image: str | Image) -> Image:
    if isinstance(image, Image):
        return image
    return Image.from_debian_base() if image == "auto" else Image.from_base(image)


def _resources(arguments: Namespace, start: Resources) -> Resources | None:
    gpu = arguments.gpu
    options = {
        "cpu": arguments.cpu,
        "memory": arguments.memory,
        "gpu": int(gpu) if gpu and gpu.isdecimal() else gpu,
        "disk": arguments.disk,
    }
    given = {name: value for name, value in options.items() if value is not None}
    return replace(start, **given) if given else None


def _env_vars(pairs: list[str] | None, start: Mapping[str, str]) -> dict[str, str] | None:
    if pairs is None:
        return None
    variables = dict(start)
    for position, pair in enumerate(pairs, 1):
        name, equals, value = pair.partition("=")
        if not equals:  # what was typed may be the value, and secret
            raise InvalidValueError("--env", f"entry {position}", "is not NAME=VALUE", "--env LOG_LEVEL=info")
        variables[name] = value
    return variables
