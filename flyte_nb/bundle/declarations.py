"""Environments and tasks as source for the Flyte SDK: the way it is written there, defaults left out.

Names of parameters and what they take are those of flyte 2.12. Values that are secret are never written: what stands
for one reads an environment variable. It may be unset, because a pod imports the modules of other environments, too.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from flyte_nb.bundle.options import written_options
from flyte_nb.bundle.withheld import Withheld, is_secret, variable_name
from flyte_nb.bundle.writing import Atom, Chain, Code, Group, call, duration, layout, literal, names
from flyte_nb.masking import MASK, without_credentials
from flyte_nb.model.image import Image
from flyte_nb.model.policies import Cache
from flyte_nb.model.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import timedelta

    from flyte_nb.bundle.options import WrittenOptions
    from flyte_nb.model.policies import RetryStrategy, Timeout
    from flyte_nb.model.requirements import RequirementsFile
    from flyte_nb.model.resources import Resources
    from flyte_nb.model.spec import EnvironmentSpec
    from flyte_nb.model.task import Task

__all__ = ["Declaration", "declarations", "environment_declaration", "task_decorator", "withheld_values"]


@dataclass(frozen=True, slots=True)
class Declaration:
    """Source that declares something to the Flyte SDK; `import flyte` comes before it.

    Attributes:
        text: The source, without a line break at its end.
        imports: The other import lines it needs, in order.
        unwritten: What could not be written as source: the option, and the type of its value.
        files: What it reads beside its module when it is imported: text by name.
        withheld: The secret values that it does not say, by the environment variable that it reads in the place of
            each. Nothing shows or stores these.
    """

    text: str
    imports: tuple[str, ...] = ()
    unwritten: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    withheld: Mapping[str, str] = field(default_factory=dict, repr=False)


def declarations(
    spec: EnvironmentSpec, dependencies: Mapping[str, str], tasks: Mapping[str, Task[..., Any]], variable: str = "env"
) -> tuple[Declaration, dict[str, Declaration]]:
    """Return what declares an environment and each of its tasks in one module: no two values share a variable.

    Args:
        spec: The environment.
        dependencies: As `environment_declaration` takes them.
        tasks: Its tasks by name.
        variable: What the environment is bound to.
    """
    taken: set[str] = set()
    environment = environment_declaration(spec, dependencies, variable, taken)
    return environment, {name: task_decorator(task, variable, taken) for name, task in sorted(tasks.items())}


def withheld_values(spec: EnvironmentSpec, tasks: Mapping[str, Task[..., Any]]) -> dict[str, str]:
    """Return what the module of `spec` and `tasks` does not say, by the variable that is read in the place of each."""
    environment, decorators = declarations(spec, {}, tasks)
    each = [environment, *decorators.values()]
    return {name: value for declaration in each for name, value in declaration.withheld.items()}


def environment_declaration(
    spec: EnvironmentSpec,
    dependencies: Mapping[str, str],
    variable: str = "env",
    taken: set[str] | None = None,
) -> Declaration:
    """Return the statement that constructs the environment `spec`.

    Args:
        spec: The environment.
        dependencies: What it depends on: for each name an expression, such as "base_utils.env".
        variable: What the statement binds.
        taken: Variables that other declarations of the module read; those of this one are added.
    """
    withheld = Withheld(spec.name, taken=taken)
    fields = {
        "name": literal(spec.name),
        "image": None if spec.image == "auto" else _image(spec, withheld),
        "resources": _resources(spec.resources),
        "depends_on": names(list(dependencies.values())) if dependencies else None,
        "description": None if spec.description is None else _description(spec.description),
        "env_vars": _env_vars(spec.env_vars, withheld) if spec.env_vars else None,
        "secrets": _secrets(spec.secrets),
        "cache": None if spec.cache == Cache("disable") else _cache(spec.cache),
        "interruptible": literal(True) if spec.interruptible else None,
    }
    options = written_options(spec.flyte_options, withheld)
    code = call("flyte.TaskEnvironment", **_given({**fields, **options.code}))
    files = {
        _requirements_name(spec.name, index): _without_passwords(spec.name, file.text)
        for index, file in enumerate(_requirements(spec.image))
    }
    return _declaration(f"{variable} = ", code, options, withheld, files)


def task_decorator(task: Task[..., Any], variable: str = "env", taken: set[str] | None = None) -> Declaration:
    """Return the line, or lines, that make a function the task `task` of the environment bound to `variable`.

    Args:
        task: The task.
        variable: What its environment is bound to.
        taken: Variables that other declarations of the module read; those of this one are added.
    """
    described = task.description != inspect.getdoc(task.function)
    withheld = Withheld(task.environment, task.function.__name__, taken=taken)
    options = written_options(task.flyte_options, withheld)
    fields = {
        "short_name": None if task.short_name == task.function.__name__ else literal(task.short_name),
        "cache": None if task.cache is None else _cache(task.cache),
        "retries": _retries(task.retries),
        "timeout": _timeout(task.timeout),
        "docs": call("flyte.Documentation", description=_description(task.description or "")) if described else None,
        **options.code,
    }
    given = _given(fields)
    return _declaration(
        "@", call(f"{variable}.task", **given) if given else Atom(f"{variable}.task"), options, withheld
    )


def _declaration(
    before: str,
    code: Code,
    options: WrittenOptions,
    withheld: Withheld,
    files: Mapping[str, str] = MappingProxyType({}),
) -> Declaration:
    text = before + layout(code, len(before))
    imports = (*_imports(code), *sorted(options.imports))
    return Declaration(text, imports, options.unwritten, dict(files), withheld.values)


def _given(fields: Mapping[str, Code | None]) -> dict[str, Code]:
    return {name: code for name, code in fields.items() if code is not None}


_IMPORTS = {
    "os.environ.get": "import os",
    "_datetime.": "import datetime as _datetime",  # the user may have imported either by the name "datetime"
    "timedelta(": "from datetime import timedelta",
    "Path(": "from pathlib import Path",
}


def _imports(code: Code) -> Iterator[str]:
    parts = set(_openings(code))
    yield from (line for name, line in _IMPORTS.items() if any(part.startswith(name) for part in parts))


def _openings(code: Code) -> Iterator[str]:
    """Yield how each call in `code` begins, each label in it and each word."""
    if isinstance(code, Chain):
        for link in code.calls:
            yield from _openings(link)
    elif isinstance(code, Group):
        yield code.opening
        for label, item in code.items:
            yield label
            yield from _openings(item)
    else:
        yield code.text


def _image(spec: EnvironmentSpec, withheld: Withheld) -> Code:
    image = spec.image
    if not isinstance(image, Image):
        return _unless_secret(image, withheld, "image")
    base = _base(image, withheld)
    added = []
    if image.pip_packages:
        packages = [
            _unless_secret(package, withheld, f"pip_package_{index}")
            for index, package in enumerate(image.pip_packages, 1)
        ]
        added.append(call(".with_pip_packages", *packages))
    for index, _ in enumerate(image.requirements):
        beside = call(".with_name", literal(_requirements_name(spec.name, index)))
        added.append(call(".with_requirements", Chain((call("Path", Atom("__file__")), beside))))
    if image.env_vars:
        added.append(call(".with_env_vars", _env_vars(dict(image.env_vars), withheld, "image")))
    if image.uri is not None and added:
        # The SDK adds to an image of others only once it has a name.
        base.append(call(".clone", name=literal(spec.name), extendable=literal(True)))
    calls = [*base, *added]
    return Chain(tuple(calls)) if len(calls) > 1 else calls[0]


def _base(image: Image, withheld: Withheld) -> list[Group]:
    if image.uri is not None:
        return [call("flyte.Image.from_base", _unless_secret(image.uri, withheld, "image"))]
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


def _env_vars(variables: Mapping[str, str], withheld: Withheld, *place: str) -> Code:
    items = (
        (name, withheld.environment_variable(name, value, *place) if is_secret(name, value) else literal(value))
        for name, value in variables.items()
    )
    return Group("{", tuple((f"{literal(name).flat()}: ", value) for name, value in items), "}")


def _unless_secret(value: str, withheld: Withheld, what: str) -> Code:
    """Return `value`, or where it holds a password an environment variable named after what it is."""
    return withheld.variable(value, what) if is_secret("", value) else literal(value)


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
