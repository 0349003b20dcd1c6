"""Plans as JSON: in files to be applied later, and in the history.

The format is this module's own: an object with "format", "version" and what `Plan` and `Step` hold. Waves are not
kept, as they follow from the steps. The version counts up whenever an older flyte_nb would misread what is written.
"""

from __future__ import annotations

import json
import os
from math import isfinite
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any, TypeVar

from flyte_nb.deployment.planning.plan import Action, Change, Plan, Step
from flyte_nb.errors import SavedPlanError
from flyte_nb.graph import waves

if TYPE_CHECKING:
    from os import PathLike

__all__ = ["load_plan", "plan_from_json", "plan_to_json", "save_plan"]

_FORMAT, _VERSION = "flyte_nb plan", 1

T = TypeVar("T")


def save_plan(plan: Plan, path: str | PathLike[str]) -> None:
    """Write `plan` to a file, for its owner alone, all at once or not at all.

    Raises:
        SavedPlanError: The file cannot be written.
    """
    place, text = Path(path), plan_to_json(plan) + "\n"
    aside: Path | None = None
    try:
        with NamedTemporaryFile(dir=place.parent, prefix=f".{place.name}.", delete=False) as file:
            aside = Path(file.name)
            file.write(text.encode("ascii"))
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, place)
    except OSError as error:
        if aside:
            aside.unlink(missing_ok=True)
        raise SavedPlanError(str(place), f"cannot be saved: {error.strerror or error}") from error


def load_plan(path: str | PathLike[str]) -> Plan:
    """Return the plan that was saved to a file.

    Raises:
        SavedPlanError: The file cannot be read, holds something else, or is of a newer flyte_nb.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SavedPlanError(str(path), "is not one that was saved: it is not text") from error
    except OSError as error:
        raise SavedPlanError(str(path), f"cannot be read: {error.strerror or error}") from error
    return plan_from_json(text, str(path))


def plan_to_json(plan: Plan) -> str:
    """Return `plan` as JSON text in ASCII, in one line."""
    entry = {
        "format": _FORMAT,
        "version": _VERSION,
        "target": plan.target,
        "names": plan.names,
        "prune": plan.prune,
        "expected_duration": plan.expected_duration,
        "critical_path": plan.critical_path,
        "steps": [_entry(step) for step in plan.steps],
    }
    return json.dumps(entry, separators=(",", ":"))


def _entry(step: Step) -> dict[str, Any]:
    return {
        "name": step.name,
        "action": step.action.value,
        "depends_on": step.depends_on,
        "changes": [{"what": change.what, "old": change.old, "new": change.new} for change in step.changes],
        "problem": step.problem,
        "fingerprint": step.fingerprint,
        "deployed": step.deployed,
        "expected": step.expected,
        "remarks": step.remarks,
    }


def plan_from_json(text: str, where: str = "in this text") -> Plan:
    """Return the plan that `plan_to_json` gave as `text`.

    Args:
        text: The JSON.
        where: What an error calls the text.

    Raises:
        SavedPlanError: It is something else, or of a newer flyte_nb.
    """
    try:
        entry = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SavedPlanError(where, "is not one that was saved: it is not JSON") from error
    if not isinstance(entry, dict) or entry.get("format") != _FORMAT:
        raise SavedPlanError(where, "is not one that was saved: it is something else")
    version = entry.get("version")
    if version != _VERSION:
        raise SavedPlanError(where, f"was saved by a newer flyte_nb (format {version!r}, known {_VERSION})")
    try:
        return _plan(entry)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise SavedPlanError(where, f"was changed since it was saved: {error!r}") from error


def _plan(entry: dict[str, Any]) -> Plan:
    steps = tuple(map(_step, _of(list, entry["steps"])))
    seen: set[str] = set()
    for step in steps:
        if step.name in seen or not seen.issuperset(step.depends_on):
            raise ValueError(f"{step.name} is out of order")
        seen.add(step.name)
    grouped = waves([step.name for step in steps], {step.name: step.depends_on for step in steps})
    return Plan(
        _of(str, entry["target"]),
        steps,
        tuple(map(tuple, grouped)),
        _texts(entry["names"]),
        _of(bool, entry["prune"]),
        _seconds(entry["expected_duration"]),
        _texts(entry["critical_path"]),
    )


def _step(entry: Any) -> Step:
    changes = _of(list, _of(dict, entry)["changes"])
    return Step(
        _of(str, entry["name"]),
        Action(entry["action"]),
        _texts(entry["depends_on"]),
        tuple(Change(_of(str, change["what"]), change["old"], change["new"]) for change in changes),
        _of(str, entry["problem"]),
        _of(str, entry["fingerprint"]),
        _of(str, entry["deployed"]),
        _seconds(entry["expected"]),
        _texts(entry.get("remarks", [])),  # earlier plans have none
    )


def _of(kind: type[T], value: Any) -> T:
    if not isinstance(value, kind):
        raise TypeError(f"not {kind.__name__}: {value!r:.40}")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(_of(str, entry) for entry in _of(list, value))


def _seconds(value: Any) -> float | None:
    if value is None:
        return None
    seconds = float(value)
    if not (isfinite(seconds) and seconds >= 0):
        raise ValueError(f"not seconds: {value!r:.40}")
    return seconds
