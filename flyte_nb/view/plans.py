"""Plans as pictures, tables, and the lines of source that would change."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from flyte_nb.deployment.planning.plan import Action
from flyte_nb.view.differences import difference_text, source_diff
from flyte_nb.view.durations import about_text
from flyte_nb.view.escape import html_text, inert_line
from flyte_nb.view.picture import Node, Picture
from flyte_nb.view.room import MOST_BELOW
from flyte_nb.view.states import between, state_text, tally, tally_text
from flyte_nb.view.table import MOST_ROWS_HTML, MOST_ROWS_TEXT, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flyte_nb.deployment.planning.plan import Change, Plan, Step
    from flyte_nb.view.differences import SourceDiff

__all__ = [
    "SIDES",
    "changes_details",
    "plan_edges",
    "plan_picture",
    "plan_table",
    "remark_details",
    "source_diffs_html",
    "subtitle",
]

SIDES = ("after", "before")
"""What a step stands after, and what it stands before: what is removed comes before what it depends on."""
_NONE = "–"
_MOST_ON_PATH = 6
_MOST_CAUSES = 10
_MOST_REMARKS = 10
_MOST_DIFFS, _MOST_DIFF_LINES, _LONGEST_DIFF_LINE = 20, 60, 300
_DIFF = (
    "font-family:monospace;font-size:12px;line-height:1.4;white-space:pre-wrap;overflow-wrap:anywhere;"
    "margin:2px 0px 6px 16px;padding:0px"
)
_DIFF_LINE = "display:block;padding-left:8px;border-left:3px solid {}"
_DIFF_TONES = {"+": between("create"), "-": between("remove")}
_NO_TONE = "transparent"


def plan_picture(plan: Plan) -> Picture:
    """Return the graph of `plan`, each environment in its action; what differs is told by `changes_details`."""
    actions = plan.actions
    nodes = tuple(Node(step.name, actions[step.name], subtitle(step), _details(step)) for step in plan.steps)
    return Picture(nodes, plan_edges(plan), sides=SIDES)


def plan_table(plan: Plan) -> Table:
    """Return what `plan` would do, a row for each environment, wave after wave.

    Where there are too many to show, what is unchanged comes last.
    """
    waves = {name: number for number, names in enumerate(plan.waves, start=1) for name in names}
    many = len(plan.steps) > MOST_ROWS_TEXT
    steps = sorted(plan.steps, key=lambda step: (many and step.action is Action.UNCHANGED, waves.get(step.name, 0)))
    rows = tuple(
        (
            f"{waves[step.name]:,}" if step.name in waves else _NONE,
            step.name,
            state_text(step.action.value),
            ", ".join(step.depends_on) or _NONE,
            _reason(step) if position < MOST_ROWS_HTML else _NONE,
        )
        for position, step in enumerate(steps)
    )
    return Table(("wave", "environment", "action", "after", "what differs"), rows, _caption(plan), _advice(plan))


def source_diffs_html(plan: Plan) -> str:
    """Return the sources that would change, each with its lines to unfold; everything is escaped, much is cut."""
    found, shown, room, left_out = _diffs(plan), list[str](), MOST_BELOW, False
    for (change, diff), _ in zip(found, range(_MOST_DIFFS), strict=False):
        html = _diff_html(change, diff)
        if len(html) > room:
            left_out = True
            continue
        shown.append(html)
        room -= len(html)
    left_out = next(found, None) is not None or left_out
    more = "<div>and more: flyte_nb.plan() has all of them, in .steps[...].changes</div>" if left_out else ""
    return f'<div class="flyte-nb">{"".join(shown)}{more}</div>' if shown or more else ""


def subtitle(step: Step) -> str:
    """Return why a step is taken, or cannot be, in a few words; or else what there is to remark."""
    return step.problem or ", ".join(change.what for change in step.changes) or step.reason


def plan_edges(plan: Plan) -> tuple[tuple[str, str], ...]:
    """Return what comes before what in `plan`, as (before, after) pairs of its names."""
    names = {step.name for step in plan.steps}
    return tuple((before, step.name) for step in plan.steps for before in step.depends_on if before in names)


def _caption(plan: Plan) -> str:
    counts = tally_text(tally(step.action.value for step in plan.steps)) or "nothing to deploy"
    waves = f"{len(plan.waves):,} wave{'' if len(plan.waves) == 1 else 's'}"
    parts = [f"Plan for target {plan.target}: {counts}", *([waves] if plan.waves else []), *_expectation(plan)]
    return ", ".join(parts)


def _expectation(plan: Plan) -> list[str]:
    if plan.expected_duration is None:
        return []
    path = list(plan.critical_path)
    if len(path) > _MOST_ON_PATH:
        path[_MOST_ON_PATH // 2 : 1 - _MOST_ON_PATH // 2] = ["…"]
    longest = f" ({' → '.join(path)})" if len(path) > 1 else ""
    return [f"expected {about_text(plan.expected_duration)}{longest}"]


def _reason(step: Step) -> str:
    return step.problem or "; ".join(map(difference_text, step.changes)) or _NONE


def _details(step: Step) -> tuple[tuple[str, str], ...]:
    problem = (("problem", step.problem),) if step.problem else ()
    return (*problem, *remark_details(step))


def changes_details(step: Step) -> tuple[tuple[str, str], ...]:
    """Return what differs, to be told when it is asked: to compare the sources of thousands takes its time."""
    return tuple(map(_detail, step.changes))


def remark_details(step: Step) -> tuple[tuple[str, str], ...]:
    """Return what there is to remark on a step, to be shown when it is selected."""
    return tuple(("remark", remark) for remark in step.remarks)


def _detail(change: Change) -> tuple[str, str]:
    return change.what, difference_text(change).removeprefix(f"{change.what}: ")


def _advice(plan: Plan) -> str:
    return "\n".join([*_causes(plan), *_remarks(plan)])


def _causes(plan: Plan) -> list[str]:
    if plan.blocked:
        causes = [step for step in plan.blocked if not step.problem.startswith("needs ")]
        told = [f"{step.name} {step.problem}" if _is_undefined(step) else step.problem for step in causes]
        more = [f"and {len(told) - _MOST_CAUSES} more"] if len(told) > _MOST_CAUSES else []
        return [*told[:_MOST_CAUSES], *more]
    if plan.steps and all(step.action is Action.UNCHANGED for step in plan.steps):
        return ["Specifications and sources are as they were deployed."]
    return []


def _remarks(plan: Plan) -> list[str]:
    """Return a line for each environment that would be deployed with remarks, or as many as are read."""
    remarked = [step for step in plan.steps if step.remarks and step.action.is_work]
    more = [f"and remarks on {len(remarked) - _MOST_REMARKS:,} more"] if len(remarked) > _MOST_REMARKS else []
    return [*(f"{step.name}: {'; '.join(step.remarks)}" for step in remarked[:_MOST_REMARKS]), *more]


def _is_undefined(step: Step) -> bool:
    return step.action is Action.UNDEFINED


def _diffs(plan: Plan) -> Iterator[tuple[Change, SourceDiff]]:
    for step in plan.steps:
        for change in step.changes:
            diff = source_diff(change)
            if diff and diff.lines:
                yield change, diff


def _diff_html(change: Change, diff: SourceDiff) -> str:
    lines = "".join(map(_line_html, diff.lines[:_MOST_DIFF_LINES]))
    if len(diff.lines) > _MOST_DIFF_LINES:
        lines += _line_html(f" and {len(diff.lines) - _MOST_DIFF_LINES:,} more lines")
    title = f"{html_text(change.what)}: {html_text(str(diff))}"
    return f'<details><summary style="cursor:pointer">{title}</summary><pre style="{_DIFF}">{lines}</pre></details>'


def _line_html(line: str) -> str:
    tone = _DIFF_TONES.get(line[:1], _NO_TONE)
    text = escape(inert_line(line, _LONGEST_DIFF_LINE)) or " "
    return f'<span style="{_DIFF_LINE.format(tone)}">{text}</span>'
