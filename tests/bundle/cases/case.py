"""One labelled notebook, and how the topics write theirs down."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

__all__ = ["SETUP", "Case", "case"]

SETUP = 'import flyte_nb as flyte\nenv = flyte.TaskEnvironment("ml")'


@dataclass(frozen=True, slots=True)
class Case:
    """A notebook, and what deploying one of its tasks should make of its names.

    A refused name is the one whose value is a run-time value, as the task or a definition it uses says it: of
    `frame = read(); means = frame.mean()` and a task that uses `means`, that is `means`.

    Attributes:
        name: What the notebook shows, as a sentence without its full stop; no two cases share it.
        cells: The sources of the cells, in the order of the notebook.
        task: The full name of the task that the labels are about.
        refused: The names that stop its deployment; none if it can be deployed.
        kept: Names of other cells that the module of its environment must define or import.
        left_out: Names of other cells that the module must not hold.
    """

    name: str
    cells: tuple[str, ...]
    task: str = "ml.train"
    refused: frozenset[str] = frozenset()
    kept: frozenset[str] = frozenset()
    left_out: frozenset[str] = frozenset()


def case(
    name: str,
    *cells: str,
    refused: str = "",
    kept: str = "",
    left_out: str = "",
    task: str = "ml.train",
    setup: str | None = SETUP,
) -> Case:
    """Return a case; `setup` comes before `cells`, which may be indented, and names are separated by spaces."""
    sources = tuple(textwrap.dedent(cell).strip("\n") for cell in cells)
    labels = (frozenset(names.split()) for names in (refused, kept, left_out))
    return Case(name, sources if setup is None else (setup, *sources), task, *labels)
