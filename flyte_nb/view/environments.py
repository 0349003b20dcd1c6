"""Environments of the session as a picture and as tables."""

from __future__ import annotations

from functools import lru_cache
from itertools import starmap
from types import MappingProxyType
from typing import TYPE_CHECKING

from flyte_nb.masking import masked, without_credentials
from flyte_nb.view.picture import Node, Picture
from flyte_nb.view.table import Table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from flyte_nb.model import Resources, TaskEnvironment

__all__ = ["environment_table", "environments_picture", "environments_table", "resources_text"]

_NONE = "–"
_NOT_ONE: Mapping[str, bool] = MappingProxyType({})
_LONGEST_OPTION = 80  # characters


def environments_picture(environments: Sequence[TaskEnvironment], deployed: Mapping[str, bool] = _NOT_ONE) -> Picture:
    """Return the dependency graph of `environments`; names they need that are not defined are shown as such.

    Args:
        environments: What is defined.
        deployed: Of those that are deployed, whether they are as they are defined.
    """
    states = {name: "succeeded" if is_same else "update" for name, is_same in deployed.items()}
    nodes = {each.name: _node(each, states.get(each.name, "defined")) for each in environments}
    edges = [(dependency, env.name) for env in environments for dependency in env.depends_on]
    for dependency, _ in edges:
        if dependency not in nodes:
            nodes[dependency] = Node(dependency, state="undefined", subtitle="run the cell that defines it")
    return Picture(tuple(nodes.values()), tuple(edges))


def environments_table(environments: Sequence[TaskEnvironment]) -> Table:
    """Return one row for each of `environments`, which are all there are."""
    known = {env.name for env in environments}
    rows = tuple(
        (
            env.name,
            _text(env.image),
            resources_text(env.resources),
            _listed(task.short_name for task in env.tasks.values()),
            _depends_on(env, known),
            _text(env.description or _NONE),
        )
        for env in environments
    )
    count = f"{len(rows)} environment{'' if len(rows) == 1 else 's'}"
    note = "" if rows else "Define one with %%flyte_env NAME, or flyte_nb.TaskEnvironment(...)."
    return Table(("name", "image", "resources", "tasks", "depends on", "description"), rows, caption=count, note=note)


def environment_table(environment: TaskEnvironment, dependents: Collection[str], known: Collection[str]) -> Table:
    """Return every field of one environment that says something, a row each.

    Args:
        environment: What to show; its name may no longer be defined.
        dependents: The names that depend on it.
        known: The names that are defined.
    """
    gone = f"{environment.name} is not defined in this session: this is what it was. Run the cell that defines it."
    edges = (("depends on", _depends_on(environment, known)), ("needed by", _listed(dependents)))
    note = "" if environment.name in known else gone
    return Table(("environment", environment.name), (*_details(environment), *edges), note=note)


def resources_text(resources: Resources | None) -> str:
    """Return resources in one short line, such as "cpu 8, memory 16Gi, gpu A100:2"."""
    if resources is None:
        return _NONE
    given = {name: getattr(resources, name) for name in ("cpu", "memory", "gpu", "disk", "shm")}
    return ", ".join(f"{name} {_amount(value)}" for name, value in given.items() if value is not None) or _NONE


def _amount(value: object) -> str:
    return "-".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _node(environment: TaskEnvironment, state: str) -> Node:
    details = _details(environment)
    return Node(environment.name, state, dict(details)["image"], details)


def _details(env: TaskEnvironment) -> tuple[tuple[str, str], ...]:
    rows = (
        ("image", _text(env.image)),
        ("resources", resources_text(env.resources)),
        ("tasks", _listed(task.short_name for task in env.tasks.values())),
        ("description", _text(env.description or _NONE)),
        ("env vars", _listed(f"{name}={value}" for name, value in masked(env.env_vars).items())),
        ("secrets", _listed(secret.key for secret in env.secrets)),
        ("cache", env.cache.behavior),
        ("for the cluster", _listed(starmap(_option, masked(env.flyte_options).items()))),
    )
    always = {"image", "resources", "tasks"}
    return tuple(row for row in rows if row[0] in always or row[1] not in (_NONE, "disable"))


def _option(name: str, value: object) -> str:
    text = _text(value)
    return f"{name}={text if len(text) <= _LONGEST_OPTION else f'{text[:_LONGEST_OPTION]}…'}"


def _depends_on(env: TaskEnvironment, known: Collection[str]) -> str:
    return _listed(name if name in known else f"{name} (not defined)" for name in env.depends_on)


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(texts) or _NONE


def _text(value: object) -> str:
    return _text_of(str(value))


# Looking for credentials takes the longest, and many environments share an image.
@lru_cache(maxsize=4_096)
def _text_of(text: str) -> str:
    return str(without_credentials(text))
