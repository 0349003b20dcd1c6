"""The README of an exported project: the commands, the environments in order, and what must be set."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from flyte_nb.bundle.module_names import PACKAGE
from flyte_nb.masking import without_credentials
from flyte_nb.project.reading import called_names, environment_variables, required_inputs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flyte_nb.bundle.content import Bundle

__all__ = ["readme"]

_MARKUP = re.compile(r"([\\`*{}\[\]<>#|!])")
# What pip expands: https://pip.pypa.io/en/stable/reference/requirements-file-format/#using-environment-variables
_IN_REQUIREMENTS = re.compile(r"\$\{([A-Z0-9_]+)\}")

_TEXT = """\
# {title}

A Flyte project: {count}, a module each in `{package}/`. Run the commands in this folder.

```bash
pip install -e .
{run}flyte deploy --all --copy-style all {package}
```

{help}`flyte deploy` takes the cluster from the configuration that `flyte create config` writes; add `--dry-run` to see
what it would do. `--copy-style all` sends modules along that tasks import only while they run.

## Environments, in the order of deployment

| environment | module | deployed after | tasks |
|---|---|---|---|
{rows}
{variables}"""

_VARIABLES = """
## Set these first

Values that look secret were not written. Set these environment variables where you deploy and where you run locally;
better yet, keep them as secrets of the cluster and name them in `secrets=`.

{names}
"""


def readme(bundles: Mapping[str, Bundle], modules: Mapping[str, str], title: str) -> str:
    """Return the text of README.md.

    Args:
        bundles: What is exported.
        modules: The module of each environment, in the order of deployment.
        title: What the project is called.
    """
    run, inputs = _command(bundles, modules)
    asked = ", ".join(f"`--{name}`" for name in inputs)
    variables = sorted({name for bundle in bundles.values() for name in _variables(bundle)})
    return _TEXT.format(
        title=_escaped(title),
        count=f"{len(modules)} environment{'' if len(modules) == 1 else 's'}",
        package=PACKAGE,
        run=f"{run}\n" if run else "",
        help=f"That task needs {asked}; `--help` at the end of the line explains them. " if inputs else "",
        rows="\n".join(_row(bundles[name], module) for name, module in modules.items()),
        variables=_VARIABLES.format(names="\n".join(f"- `{name}`" for name in variables)) if variables else "",
    )


def _command(bundles: Mapping[str, Bundle], modules: Mapping[str, str]) -> tuple[str, list[str]]:
    """Return a command that runs a task, if there is any, and the inputs it needs.

    One that needs none is the best; of those, one that no other task calls.
    """
    called = {name for bundle in bundles.values() for name in called_names(bundle.module)}
    found = [
        (inputs.get(task, []), task in called, f"flyte run --local {PACKAGE}/{module}.py {task}")
        for name, module in reversed([*modules.items()])
        for inputs in [required_inputs(bundles[name].module)]
        for task in _tasks(bundles[name])
    ]
    inputs, _, command = min(found, key=lambda task: (bool(task[0]), task[1]), default=([], False, ""))
    return command, inputs


def _variables(bundle: Bundle) -> Iterator[str]:
    """Yield the environment variables that a module, or a requirements file beside it, reads."""
    yield from environment_variables(bundle.module)
    for path, text in bundle.files.items():
        if path.endswith(".requirements.txt"):
            yield from _IN_REQUIREMENTS.findall(text)


def _row(bundle: Bundle, module: str) -> str:
    after = ", ".join(map(_escaped, bundle.specification.get("depends_on", [])))
    tasks = ", ".join(f"`{task}`" for task in _tasks(bundle))
    return f"| {_escaped(bundle.name)} | `{PACKAGE}/{module}.py` | {after or '–'} | {tasks or '–'} |"


def _tasks(bundle: Bundle) -> list[str]:
    tasks: Any = bundle.specification.get("tasks", {})
    return [name.rpartition(".")[2] for name in tasks]


def _escaped(text: str) -> str:
    return _MARKUP.sub(r"\\\1", " ".join(without_credentials(text).split()))
