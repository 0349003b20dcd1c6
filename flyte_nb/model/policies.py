"""When a task's result is reused, when it is tried again, and how long it may take."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from flyte_nb.errors import InvalidTypeError, InvalidValueError, did_you_mean
from flyte_nb.model.short_repr import short_repr

__all__ = ["Backoff", "Cache", "RetryStrategy", "Timeout", "as_cache", "as_retries", "as_timeout"]

_BEHAVIORS = ("auto", "override", "disable")
_OVERRIDE_EXAMPLE = 'Cache("override", version_override="1")'
_NAMES_EXAMPLE = '("verbose", "started_at")'
_DURATION_EXAMPLE = "600 or timedelta(minutes=10)"

_MOST_RETRIES = 2**32 - 1
_MOST_SECONDS = timedelta.max.days * 24 * 60 * 60


@dataclass(frozen=True, slots=True, init=False, repr=False)
class Cache:
    """When a task's earlier result is reused instead of running it again.

    In a kernel, code counts with all that it uses, as it is now. So modules of your own that a task imports while it
    runs are imported before that, to be looked at, also where the result is then reused.

    Attributes:
        behavior: "auto" reuses results of the same source code, "override" those of the same `version_override`,
            "disable" none.
        version_override: The version to cache under instead of the one computed from the source code.
        ignored_inputs: Names of parameters that make no difference to the result, in alphabetical order.
        salt: Anything; changing it forgets all earlier results.
        max_age: How old a reused result may be. None leaves it to the cluster, zero is no limit. May be given as a
            number of seconds.

    Raises:
        InvalidTypeError: If a field has the wrong type.
        InvalidValueError: If a field means nothing, or "override" has no version.
    """

    behavior: str
    version_override: str | None
    ignored_inputs: tuple[str, ...]
    salt: str
    max_age: timedelta | None

    def __init__(
        self,
        behavior: str = "auto",
        version_override: str | None = None,
        ignored_inputs: Iterable[str] = (),
        salt: str = "",
        max_age: timedelta | float | None = None,
    ) -> None:
        object.__setattr__(self, "behavior", _behavior("Cache.behavior", behavior))
        object.__setattr__(self, "version_override", _version(behavior, version_override))
        object.__setattr__(self, "ignored_inputs", _parameter_names("Cache.ignored_inputs", ignored_inputs))
        if not isinstance(salt, str):
            raise InvalidTypeError("Cache.salt", salt, "a string", '"v2"')
        object.__setattr__(self, "salt", salt)
        object.__setattr__(self, "max_age", None if max_age is None else _duration("Cache.max_age", max_age))

    __repr__ = short_repr


@dataclass(frozen=True, slots=True, init=False, repr=False)
class Backoff:
    """How long to wait before each retry: `min(base * factor**n, cap)` before the n-th, counted from 0.

    Attributes:
        base: The wait before the first retry. May be given as a number of seconds.
        factor: What each wait is multiplied by to get the next; at least 1.
        cap: The longest wait, or None. Required when `factor` is more than 1. May be given as a number of seconds.

    Raises:
        InvalidTypeError: If a field has the wrong type.
        InvalidValueError: If a wait is negative, or the waits would grow without end.
    """

    base: timedelta
    factor: float
    cap: timedelta | None

    def __init__(self, base: timedelta | float, factor: float = 1.0, cap: timedelta | float | None = None) -> None:
        object.__setattr__(self, "base", _duration("Backoff.base", base))
        object.__setattr__(self, "factor", _factor("Backoff.factor", factor))
        object.__setattr__(self, "cap", None if cap is None else _duration("Backoff.cap", cap))
        if self.factor > 1 and self.cap is None:
            raise InvalidValueError("Backoff.cap", None, "is required when factor is more than 1", "300")

    __repr__ = short_repr

    def delay(self, n: int) -> timedelta:
        """Return the wait before the n-th retry, counted from 0.

        Raises:
            InvalidTypeError: If `n` is not an integer.
            InvalidValueError: If `n` is negative.
        """
        _check_count("Backoff.delay", n)
        delay = self.base
        if delay and self.factor > 1:
            try:
                delay *= self.factor**n
            except OverflowError:
                delay = timedelta.max
        return delay if self.cap is None else min(delay, self.cap)


@dataclass(frozen=True, slots=True, repr=False)
class RetryStrategy:
    """How often a failed task is tried again.

    Attributes:
        count: How many retries follow the first attempt; 0 is none.
        backoff: How long to wait before each, or None to retry at once.

    Raises:
        InvalidTypeError: If a field has the wrong type.
        InvalidValueError: If `count` is negative, or more than Flyte can hold (2**32 - 1).
    """

    count: int
    backoff: Backoff | None = None

    def __post_init__(self) -> None:
        _check_count("RetryStrategy.count", self.count, most=_MOST_RETRIES)
        if self.backoff is not None and not isinstance(self.backoff, Backoff):
            raise InvalidTypeError("RetryStrategy.backoff", self.backoff, "a Backoff", "Backoff(10)")

    __repr__ = short_repr


@dataclass(frozen=True, slots=True, init=False, repr=False)
class Timeout:
    """How long a task may take. None is no limit; 0 means the same and becomes None.

    Each may be given as a timedelta or as a number of seconds.

    Attributes:
        max_runtime: The longest an attempt may run.
        max_queued_time: The longest an attempt may wait before it starts.
        deadline: The longest that all attempts together may take, waiting included.

    Raises:
        InvalidTypeError: If a field has the wrong type.
        InvalidValueError: If a field is negative, not finite, or more than a timedelta can hold.
    """

    max_runtime: timedelta | None
    max_queued_time: timedelta | None
    deadline: timedelta | None

    def __init__(
        self,
        max_runtime: timedelta | float | None = None,
        max_queued_time: timedelta | float | None = None,
        deadline: timedelta | float | None = None,
    ) -> None:
        object.__setattr__(self, "max_runtime", _limit("Timeout.max_runtime", max_runtime))
        object.__setattr__(self, "max_queued_time", _limit("Timeout.max_queued_time", max_queued_time))
        object.__setattr__(self, "deadline", _limit("Timeout.deadline", deadline))

    __repr__ = short_repr


def as_cache(field: str, value: object) -> Cache:
    """Return what a user gives as cache: "auto", "disable" or a Cache.

    Raises:
        InvalidTypeError: If it is something else.
        InvalidValueError: If it is another string; "override" needs a version, which only a Cache can carry.
    """
    if isinstance(value, Cache):
        return value
    if not isinstance(value, str):
        raise InvalidTypeError(field, value, '"auto", "disable" or a Cache', f'"auto" or {_OVERRIDE_EXAMPLE}')
    if value == "override":
        raise InvalidValueError(field, value, "needs a version", _OVERRIDE_EXAMPLE)
    return Cache(_behavior(field, value))


def as_retries(field: str, value: object) -> RetryStrategy:
    """Return what a user gives as retries: how many, or a RetryStrategy.

    Raises:
        InvalidTypeError: If it is something else.
        InvalidValueError: If the number is negative, or more than Flyte can hold (2**32 - 1).
    """
    if isinstance(value, RetryStrategy):
        return value
    return RetryStrategy(_check_count(field, value, most=_MOST_RETRIES, expected="an integer or a RetryStrategy"))


def as_timeout(field: str, value: object) -> Timeout:
    """Return what a user gives as timeout: the longest run time in seconds or as timedelta, a Timeout or None.

    Raises:
        InvalidTypeError: If it is something else.
        InvalidValueError: If it is negative, not finite, or more than a timedelta can hold.
    """
    return value if isinstance(value, Timeout) else Timeout(_limit(field, value))


def _behavior(field: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidTypeError(field, value, "a string", '"auto"')
    if value not in _BEHAVIORS:
        hint = did_you_mean(value, _BEHAVIORS)
        problem = f"is not a cache behavior.{hint} There are {', '.join(_BEHAVIORS[:-1])} and {_BEHAVIORS[-1]}"
        raise InvalidValueError(field, value, problem, '"auto"')
    return value


def _version(behavior: str, version: object) -> str | None:
    field = "Cache.version_override"
    if version is None:
        if behavior == "override":
            raise InvalidValueError(field, version, 'is required with behavior "override"', _OVERRIDE_EXAMPLE)
        return None
    if not isinstance(version, str):
        raise InvalidTypeError(field, version, "a string", _OVERRIDE_EXAMPLE)
    if not version.strip():
        raise InvalidValueError(field, version, "is empty", _OVERRIDE_EXAMPLE)
    return version


def _parameter_names(field: str, value: object) -> tuple[str, ...]:
    if isinstance(value, (bytes, bytearray, Mapping)) or not isinstance(value, Iterable):
        raise InvalidTypeError(field, value, "names of parameters", _NAMES_EXAMPLE)
    names = [value] if isinstance(value, str) else list(value)
    for name in names:
        if not isinstance(name, str):
            raise InvalidTypeError(field, name, "made of strings", _NAMES_EXAMPLE)
        if not name.isidentifier():
            raise InvalidValueError(field, name, "is not the name of a parameter", _NAMES_EXAMPLE)
    return tuple(sorted(set(names)))


def _duration(field: str, value: object) -> timedelta:
    """Return a duration given as a timedelta or as a number of seconds."""
    if isinstance(value, bool) or not isinstance(value, (int, float, timedelta)):
        raise InvalidTypeError(field, value, "a timedelta or a number of seconds", _DURATION_EXAMPLE)
    is_negative = value < timedelta(0) if isinstance(value, timedelta) else value < 0
    if is_negative:
        raise InvalidValueError(field, value, "is negative", _DURATION_EXAMPLE)
    if isinstance(value, timedelta):
        # A plain one, whatever subclass (such as pandas.Timedelta) was given.
        return timedelta(value.days, value.seconds, value.microseconds)
    # Asked this way round, NaN is refused too.
    if not value <= _MOST_SECONDS:
        raise InvalidValueError(field, value, f"is not a number of seconds up to {_MOST_SECONDS}", _DURATION_EXAMPLE)
    # Zero often means "no limit", so nothing else may round to it.
    return timedelta(seconds=value) or (timedelta.resolution if value else timedelta(0))


def _limit(field: str, value: object) -> timedelta | None:
    return None if value is None else _duration(field, value) or None


def _factor(field: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InvalidTypeError(field, value, "a number", "2.0")
    if not 1 <= value <= sys.float_info.max:
        raise InvalidValueError(field, value, "is not a finite number from 1", "2.0")
    return float(value)


def _check_count(field: str, value: object, *, most: int | None = None, expected: str = "an integer") -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidTypeError(field, value, expected, "3")
    if value < 0:
        raise InvalidValueError(field, value, "is negative", "3")
    if most is not None and value > most:
        raise InvalidValueError(field, value, f"is more than Flyte can hold ({most})", "3")
    return value
