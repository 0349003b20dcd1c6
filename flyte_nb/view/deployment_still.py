"""A deployment as it stays in the notebook: the picture, a table, and what was said where it failed; no script."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from flyte_nb.view.deployments import deployment_picture, deployment_table
from flyte_nb.view.escape import html_text, inert
from flyte_nb.view.room import MOST_BELOW, last_that_fit
from flyte_nb.view.states import STATES
from flyte_nb.view.still import still
from flyte_nb.view.table import table_html, table_text

if TYPE_CHECKING:
    from flyte_nb.view.deployment_progress import DeploymentProgress

__all__ = ["deployment_bundle", "waiting_bundle"]

_MOST_LOGS, _MOST_LINES = 10, 30
_ROOM_FOR_TITLE = 1_500
# Turned round, it begins at its last line.
_SCROLLED = "display:flex;flex-direction:column-reverse;max-height:240px;overflow:auto"
_LOG = (
    "font-family:monospace;font-size:12px;flex-shrink:0;margin:2px 0px 4px 0px;padding:4px 8px;line-height:1.4;"
    "white-space:pre-wrap;overflow-wrap:anywhere"
)


def deployment_bundle(progress: DeploymentProgress, host: str, note: str = "") -> dict[str, str]:
    """Return the mimebundle of a deployment as it stands, as HTML and as text.

    Args:
        progress: What is known of it.
        host: The class by which a live view finds this place.
        note: A line below, such as what a reader has to know who finds it unfinished.
    """
    seconds = progress.elapsed if progress.ended else None
    table = deployment_table(progress.plan.target, progress.statuses.values(), progress.name, seconds)
    logs = _logs(progress)
    said = "".join(_log_html(*log) for log in logs)
    if note:
        said += f"<div>{html_text(note)}</div>"
    text = [table_text(table), *(_log_text(*log) for log in logs), *([note] if note else [])]
    html = still(deployment_picture(progress), host, lambda room: table_html(table, room=room - len(said)) + said)
    return {"text/html": html, "text/plain": "\n".join(text)}


def waiting_bundle(line: str, host: str) -> dict[str, str]:
    """Return the mimebundle of one line that stands where a deployment will be shown."""
    return {"text/html": f'<div class="flyte-nb {host}">{html_text(line, 500)}</div>', "text/plain": inert(line, 500)}


def _logs(progress: DeploymentProgress) -> list[tuple[str, list[str], int]]:
    """Return the last lines of what went wrong, as far as there is room: name, lines, and how many there were."""
    loud = [status.name for status in progress.statuses.values() if STATES[status.state.value].loud]
    with_lines = [name for name in loud if progress.line_count(name)][:_MOST_LOGS]
    counts = {name: progress.line_count(name) for name in with_lines}
    room, logs = MOST_BELOW - _ROOM_FOR_TITLE * len(with_lines), []
    for name in with_lines:
        lines = progress.lines(name, counts[name] - _MOST_LINES)
        fitting = len(last_that_fit([escape(line) for line in lines], room // 2 if len(with_lines) > 1 else room))
        lines = lines[len(lines) - fitting :]
        room -= sum(len(escape(line)) + 1 for line in lines)
        if lines:
            logs.append((name, lines, counts[name]))
    return logs


def _title(lines: list[str], count: int) -> str:
    whole = f"{count:,} line{'' if count == 1 else 's'}"
    return whole if count <= len(lines) else f"last {len(lines)} of {whole}"


def _log_html(name: str, lines: list[str], count: int) -> str:
    text = escape("\n".join(lines))
    return (
        f'<details open><summary style="cursor:pointer">{html_text(name)}: {_title(lines, count)}</summary>'
        f'<div style="{_SCROLLED}"><pre style="{_LOG}">{text}</pre></div></details>'
    )


def _log_text(name: str, lines: list[str], count: int) -> str:
    return "\n".join([f"{inert(name)}: {_title(lines, count)}", *(f"  {line}" for line in lines)])
