"""What has called what while it ran, laid over what depends on what."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flyte_nb.graph import closure
from flyte_nb.view.arcs import calls_text
from flyte_nb.view.picture import Calls

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flyte_nb.view.picture import Picture

__all__ = ["calls_lines", "with_calls"]

_MOST_LINES = 20


def with_calls(picture: Picture, runs: int, counts: Mapping[tuple[str, str], int]) -> Picture:
    """Return `picture` with the calls between its environments, and a note on them.

    Args:
        picture: What depends on what.
        runs: How many runs were looked at.
        counts: How often the first of a pair has called the second.
    """
    names = set(picture.names)
    dependencies: dict[str, list[str]] = {name: [] for name in names}
    for dependency, dependent in picture.edges:
        dependencies[dependent].append(dependency)
    shown = {pair: count for pair, count in counts.items() if names.issuperset(pair)}
    expected = _expected(shown, dependencies)
    calls = tuple(Calls(*pair, count, pair in expected) for pair, count in shown.items())
    return replace(picture, calls=calls, note=_note(runs, calls))


def _expected(pairs: Iterable[tuple[str, str]], dependencies: Mapping[str, list[str]]) -> set[tuple[str, str]]:
    """Return those of `pairs` of which the first depends on the second, directly or not."""
    called: dict[str, list[str]] = {}
    for caller, other in pairs:
        called.setdefault(caller, []).append(other)
    found: set[tuple[str, str]] = set()
    for caller, others in called.items():  # of large graphs no more than one closure at a time can be kept
        needed = closure([caller], dependencies)
        found.update((caller, other) for other in others if other in needed)
    return found


def _note(runs: int, calls: tuple[Calls, ...]) -> str:
    looked_at = f"{runs:,} run{'' if runs == 1 else 's'}"
    if not runs:
        return "No run was recorded yet: there are no calls to show."
    if not calls:
        return f"In {looked_at} no environment has called another of these."
    remark = "" if all(one.expected for one in calls) else "; ! is not in depends_on, which orders deployment only"
    return f"Dashed: what called what in {looked_at}{remark}"


def calls_lines(calls: tuple[Calls, ...]) -> list[str]:
    """Return a line for each of `calls`, and a remark if some go where no dependency does."""
    lines = [f"{one.caller} → {one.called}: {calls_text(one)}{_remark(one)}" for one in calls[:_MOST_LINES]]
    if len(calls) > _MOST_LINES:
        lines.append(f"and {len(calls) - _MOST_LINES:,} more")
    if not all(one.expected for one in calls):
        lines.append("Calls that are not in depends_on run all the same: it orders deployment, and nothing else.")
    return lines


def _remark(calls: Calls) -> str:
    return "" if calls.expected else ", not in depends_on"
