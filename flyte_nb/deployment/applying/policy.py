"""How a plan is applied: how much at once, for how long, and how often."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from flyte_nb.errors import InvalidTypeError, InvalidValueError
from flyte_nb.model.policies import Backoff

__all__ = ["Policy"]


@dataclass(frozen=True, slots=True)
class Policy:
    """How a plan is applied.

    Attributes:
        max_concurrency: How many environments are deployed at once.
        timeout: Seconds that each try at an environment may take; None is no limit.
        retries: How often an environment that failed or timed out is tried again.
        backoff: How long to wait before each of these; others are deployed meanwhile.

    Raises:
        InvalidTypeError: A field has the wrong type.
        InvalidValueError: A field means nothing.
    """

    max_concurrency: int = 8
    timeout: float | None = None
    retries: int = 0
    backoff: Backoff = field(default=Backoff(1, factor=2, cap=30))

    def __post_init__(self) -> None:
        _check_whole("max_concurrency", self.max_concurrency, 8)
        if self.max_concurrency < 1:
            raise InvalidValueError(
                "max_concurrency", self.max_concurrency, "would never begin anything", "max_concurrency=8"
            )
        _check_whole("retries", self.retries, 2)
        if self.retries < 0:
            raise InvalidValueError("retries", self.retries, "is negative", "retries=2")
        _check_timeout(self.timeout)
        if not isinstance(self.backoff, Backoff):
            raise InvalidTypeError("backoff", self.backoff, "a Backoff", "Backoff(10)")

    def to_json(self) -> dict[str, Any]:
        """Return the policy in terms of JSON, times in seconds."""
        base, cap = self.backoff.base.total_seconds(), self.backoff.cap
        return {
            "max_concurrency": self.max_concurrency,
            "timeout": self.timeout,
            "retries": self.retries,
            "backoff": {
                "base": base,
                "factor": self.backoff.factor,
                "cap": None if cap is None else cap.total_seconds(),
            },
        }


def _check_whole(name: str, value: object, example: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidTypeError(name, value, "a whole number", f"{name}={example}")


def _check_timeout(timeout: object) -> None:
    if timeout is None:
        return
    if isinstance(timeout, bool) or not isinstance(timeout, int | float):
        raise InvalidTypeError("timeout", timeout, "a number of seconds or None", "timeout=600")
    if not (isfinite(timeout) and timeout > 0):
        raise InvalidValueError("timeout", timeout, "is not a number of seconds above zero", "timeout=600")
