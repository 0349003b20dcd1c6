"""Time zones and frequencies of pandas, whose names and classes differ between its versions."""

from __future__ import annotations

import datetime
from typing import Any

from flyte_nb.crossing import installed

__all__ = ["offset", "offset_facts", "zone", "zone_facts"]


def zone_facts(zone: datetime.tzinfo | None) -> Any:
    """Return the name of a time zone, or its difference from UTC if that never changes."""
    if zone is None:
        return None
    # zoneinfo and pytz; pandas takes either by its name.
    name = getattr(zone, "key", None) or getattr(zone, "zone", None)
    if isinstance(name, str):
        return name
    fixed = zone.utcoffset(None)
    if fixed is not None:
        return datetime.timezone(fixed)
    return _dateutil_name(zone) or zone


def _dateutil_name(zone: datetime.tzinfo) -> str | None:
    file = getattr(zone, "_filename", None)
    known = type(zone).__module__.startswith("dateutil.") and isinstance(file, str)
    return f"dateutil/{file}" if known else None


def zone(facts: Any) -> Any:
    """Return a time zone as this version of pandas has it, or None."""
    pandas = installed.pandas()
    if isinstance(facts, datetime.timezone):
        moment = datetime.datetime(2000, 1, 1, tzinfo=facts).isoformat()
        return pandas.Timestamp(moment).tz
    return facts if facts is None else pandas.Timestamp(0, tz=facts).tz


def offset_facts(offset: Any) -> tuple[str, int, bool, dict[str, Any]] | None:
    """Return what an offset or a frequency is: its class, how many, and its options; None if there is none."""
    if offset is None:
        return None
    # A calendar of numpy is made again from the other options.
    options = {name: value for name, value in offset.kwds.items() if name != "calendar"}
    return type(offset).__name__, offset.n, bool(offset.normalize), options


def offset(facts: tuple[str, int, bool, dict[str, Any]] | None) -> Any:
    """Return the offset with those facts, or None."""
    if facts is None:
        return None
    name, number, normalize, options = facts
    kind = getattr(installed.pandas().offsets, name)
    # Not said where it is False: ticks such as hours do not take it.
    return kind(number, **({"normalize": True} if normalize else {}), **options)
