"""Environments and tasks as source for the Flyte SDK: the way it is written there, defaults left out.

Names of parameters and what they take are those of flyte 2.12. Values that are secret are never written: what stands
for one reads an environment variable. It may be unset, because a pod imports the modules of other environments, too.
"""

from __future__ import annotations

import inspect
import re
import sys
from dataclasses import dataclass, field, fields, is_dataclass
from typing import TYPE_CHECKING, Any

from flyte_nb.bundle.writing import Atom, Chain, Code, Group, NotWritableError, call, duration, layout, literal, names
from flyte_nb.masking import MASK, says_secret, without_credentials
from flyte_nb.model.image import Image
from flyte_nb.model.policies import Cache
from flyte_nb.model.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import timedelta

    from flyte_nb.bundle.writing import Instead
    from flyte_nb.model.policies import RetryStrategy, Timeout
    from flyte_nb.model.requirements import RequirementsFile
    from flyte_nb.model.resources import Resources
    from flyte_nb.model.spec import EnvironmentSpec
    from flyte_nb.model.task import Task

__all__ = ["Declaration", "environment_declaration", "task_decorator", "variable_name", "withheld_values"]


@dataclass(frozen=True, slots=True)
class Declaration:
    """Source that declares something to the Flyte SDK; `import flyte` comes before it.

    Attributes:
        text: The source, without a line break at its end.
        imports: The other import lines it needs, in order.
        unwritten: What could not be written as source: the option, and the type of its value.
        files: What it reads beside its module when it is imported: text by name.
    """

    text: str
    imports: tuple[str, ...] = ()
    unwritten: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


def environment_declaration(
    spec: EnvironmentSpec, dependencies: Mapping[str, str], variable: str = "env"
) -> Declaration:
    """Return the statement that constructs the environment `spec`.

    Args:
        spec: The environment.
        dependencies: What it depends on: for each name an expression, such as "base_utils.env".
        variable: What the statement binds.
    """
    options, unwritten = _options(spec)
    fields = {
        "name": literal(spec.name),
        "image": None if spec.image == "auto" else _image(spec),
        "resources": _resources(spec.resources),
        "depends_on": names(list(dependencies.values())) if dependencies else None,
        "description": None if spec.description is None else _description(spec.description),
        "env_vars": _env_vars(spec.env_vars) if spec.env_vars else None,
        "secrets": _secrets(spec.secrets),
        "cache": None if spec.cache == Cache("disable") else _cache(spec.cache),
        "interruptible": literal(True) if spec.interruptible else None,
        **options,
    }
    code = call("flyte.TaskEnvironment", **_given(fields))
    files = {
        _requirements_name(spec.name, index): _without_passwords(spec.name, file.text)
        for index, file in enumerate(_requirements(spec.image))
    }
    return _declaration(f"{variable} = ", code, unwritten, files)


def task_decorator(task: Task[..., Any], variable: str = "env") -> Declaration:
    """Return the line, or lines, that make a function the task `task` of the environment bound to `variable`."""
    described = task.description != inspect.getdoc(task.function)
    fields = {
        "short_name": None if task.short_name == task.function.__name__ else literal(task.short_name),
        "cache": None if task.cache is None else _cache(task.cache),
        "retries": _retries(task.retries),
        "timeout": _timeout(task.timeout),
        "docs": call("flyte.Documentation", description=_description(task.description or "")) if described else None,
    }
    given = _given(fields)
    return _declaration("@", call(f"{variable}.task", **given) if given else Atom(f"{variable}.task"), {}, {})


def _declaration(before: str, code: Code, unwritten: Mapping[str, str], files: Mapping[str, str]) -> Declaration:
    text = before + layout(code, len(before))
    return Declaration(text, tuple(_imports(code)), unwritten, files)


def _given(fields: Mapping[str, Code | None]) -> dict[str, Code]:
    return {name: code for name, code in fields.items() if code is not None}


_IMPORTS = {
    "os.environ.get": "import os",
    "timedelta(": "from datetime import timedelta",
    "Path(": "from pathlib import Path",
}


def _imports(code: Code) -> Iterator[str]:
    parts = set(_openings(code))
    yield from (line for name, line in _IMPORTS.items() if any(part.startswith(name) for part in parts))


def _openings(code: Code) -> Iterator[str]:
    """Yield how each call in `code` begins, and each word of it."""
    if isinstance(code, Chain):
        for link in code.calls:
            yield from _openings(link)
    elif isinstance(code, Group):
        yield code.opening
        for _, item in code.items:
            yield from _openings(item)
    else:
        yield code.text


def _image(spec: EnvironmentSpec) -> Code:
    image = spec.image
    if not isinstance(image, Image):
        return _unless_secret(spec.name, "image", image)
    base = _base(spec.name, image)
    added = []
    if image.pip_packages:
        packages = [
            _unless_secret(spec.name, f"pip_package_{index}", package)
            for index, package in enumerate(image.pip_packages, 1)
        ]
        added.append(call(".with_pip_packages", *packages))
    for index, _ in enumerate(image.requirements):
        beside = call(".with_name", literal(_requirements_name(spec.name, index)))
        added.append(call(".with_requirements", Chain((call("Path", Atom("__file__")), beside))))
    if image.env_vars:
        added.append(call(".with_env_vars", _env_vars(dict(image.env_vars))))
    if image.uri is not None and added:
        # The SDK adds to an image of others only once it has a name.
        base.append(call(".clone", name=literal(spec.name), extendable=literal(True)))
    calls = [*base, *added]
    return Chain(tuple(calls)) if len(calls) > 1 else calls[0]


def _base(name: str, image: Image) -> list[Group]:
    if image.uri is not None:
        return [call("flyte.Image.from_base", _unless_secret(name, "image", image.uri))]
    version = tuple(map(int, str(image.python).split(".")))
    return [call("flyte.Image.from_debian_base", python_version=literal(version))]


def _requirements(image: str | Image) -> tuple[RequirementsFile, ...]:
    return image.requirements if isinstance(image, Image) else ()


def _requirements_name(name: str, index: int) -> str:
    return f"{name}.requirements{f'_{index + 1}' if index else ''}.txt"


def _without_passwords(environment: str, text: str) -> str:
    """Return a requirements file that names variables in the place of passwords, which pip and uv expand."""
    masked: str = without_credentials(text)
    if masked == text:
        return text
    first, *others = masked.split(MASK)
    name = variable_name(environment, "requirements")
    return first + "".join(f"${{{name}_{index}}}{other}" for index, other in enumerate(others, 1))


def _resources(resources: Resources | None) -> Code | None:
    if resources is None:
        return None
    fields = {name: getattr(resources, name) for name in ("cpu", "memory", "gpu", "disk", "shm")}
    return call("flyte.Resources", **{name: literal(value) for name, value in fields.items() if value is not None})


def _description(text: str) -> Code:
    return literal(without_credentials(text))


def _env_vars(variables: Mapping[str, str]) -> Code:
    items = (
        (name, _variable(name) if _is_secret(name, value) else literal(value)) for name, value in variables.items()
    )
    return Group("{", tuple((f"{literal(name).flat()}: ", value) for name, value in items), "}")


def _is_secret(name: str, value: object) -> bool:
    return says_secret(name) or (isinstance(value, str) and without_credentials(value) != value)


def _variable(name: str) -> Code:
    return call("os.environ.get", literal(name), literal(""))


def _unless_secret(environment: str, what: str, value: str) -> Code:
    """Return `value`, or where it holds a password an environment variable named after what it is."""
    if not _is_secret("", value):
        return literal(value)
    return _variable(variable_name(environment, what))


def variable_name(environment: str, what: str) -> str:
    """Return the environment variable that a module reads in the place of what is secret: the "image", for example."""
    return re.sub(r"\W", "_", f"{environment}_{what}").upper()


def withheld_values(spec: EnvironmentSpec) -> dict[str, str]:
    """Return what is secret of `spec`, by the environment variable that its module reads in the place of each."""
    image = spec.image if isinstance(spec.image, Image) else None
    texts = {"image": spec.image if isinstance(spec.image, str) else spec.image.uri or ""}
    texts |= {f"pip_package_{number}": package for number, package in enumerate(image.pip_packages if image else (), 1)}
    texts |= {key: value for key, value in spec.flyte_options.items() if isinstance(value, str)}
    named = {variable_name(spec.name, what): text for what, text in texts.items() if _is_secret(what, text)}
    given = {**dict(image.env_vars if image else {}), **spec.env_vars}
    return {**named, **{name: value for name, value in given.items() if _is_secret(name, value)}}


def _secrets(secrets: tuple[Secret, ...]) -> Code | None:
    written = [_secret(secret) for secret in secrets]
    if len(written) == 1:
        return written[0]
    return Group("[", tuple(("", code) for code in written), "]") if written else None


def _secret(secret: Secret) -> Code:
    if secret == Secret(secret.key):
        return literal(secret.key)
    fields = {"key": secret.key, "group": secret.group, "mount": secret.mount, "as_env_var": secret.as_env_var}
    if secret.mount is None and secret == Secret(secret.key, secret.group):
        fields["as_env_var"] = None
    written = {name: literal(value) for name, value in fields.items() if value is not None}
    if secret.mount is not None:
        written["mount"] = call("Path", literal(secret.mount))
    return call("flyte.Secret", **written)


def _cache(cache: Cache) -> Code:
    if cache == Cache("auto") or cache == Cache("disable"):
        return literal(cache.behavior)
    fields = {
        "behavior": literal(cache.behavior),
        "version_override": literal(cache.version_override) if cache.version_override is not None else None,
        "ignored_inputs": literal(cache.ignored_inputs) if cache.ignored_inputs else None,
        "salt": literal(cache.salt) if cache.salt else None,
        "max_age": _seconds(cache.max_age),
    }
    return call("flyte.Cache", **_given(fields))


def _retries(retries: RetryStrategy) -> Code | None:
    backoff = retries.backoff
    if backoff is None:
        return literal(retries.count) if retries.count else None
    fields = {
        "base": duration(backoff.base),
        "factor": None if backoff.factor == 1 else literal(backoff.factor),
        "cap": None if backoff.cap is None else duration(backoff.cap),
    }
    return call("flyte.RetryStrategy", count=literal(retries.count), backoff=call("flyte.Backoff", **_given(fields)))


def _timeout(timeout: Timeout) -> Code | None:
    fields = {name: _seconds(getattr(timeout, name)) for name in ("max_runtime", "max_queued_time", "deadline")}
    given = _given(fields)
    return given.get("max_runtime") if set(given) <= {"max_runtime"} else call("flyte.Timeout", **given)


def _seconds(value: timedelta | None) -> Code | None:
    """Return whole seconds as a number, which is all that Flyte takes a number for."""
    if value is None or value.microseconds:
        return None if value is None else duration(value)
    return literal(value.days * 86_400 + value.seconds)


def _options(spec: EnvironmentSpec) -> tuple[dict[str, Code], dict[str, str]]:
    """Return the options as source, and the types of those that cannot be."""
    written: dict[str, Code] = {}
    unwritten = {}

    def instead(key: str, value: object) -> Code | None:
        return _variable(variable_name(spec.name, key)) if _is_secret(key, value) else _of_the_sdk(value, instead)

    for name, value in spec.flyte_options.items():
        try:
            written[name] = instead(name, value) or literal(value, instead)
        except NotWritableError as error:
            unwritten[name] = str(error)
    return written, unwritten


def _of_the_sdk(value: object, instead: Instead) -> Code | None:
    """Return a call that constructs a plain object of the SDK, such as a ReusePolicy; None for anything else."""
    kind = type(value)
    if not is_dataclass(value) or getattr(sys.modules.get("flyte"), kind.__name__, None) is not kind:
        return None
    given = {
        one.name: getattr(value, one.name)
        for one in fields(value)
        if one.init and getattr(value, one.name) != one.default
    }
    written = {name: instead(name, content) or literal(content, instead) for name, content in given.items()}
    return call(f"flyte.{kind.__name__}", **written)
