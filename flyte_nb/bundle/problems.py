"""Why an environment cannot be deployed as source: what its tasks use that no definition gives."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["HiddenDependency"]


@dataclass(frozen=True, slots=True)
class HiddenDependency:
    """A name that deployed code would not have.

    Attributes:
        name: The name.
        task: The full name of the task that uses it, itself or through what it uses.
        used_by: What uses it: the task's function, or a definition that the task needs.
        used_in: Where it is used: "cell In [5], line 4".
        reason: What it is, with the place where it is set, if one is known.
        way_out: What to do instead.
    """

    name: str
    task: str
    used_by: str
    used_in: str
    reason: str
    way_out: str

    def __str__(self) -> str:
        by = "" if self.used_by == self.task else f", through `{self.used_by}`,"
        return f"{self.task}{by} uses `{self.name}` ({self.used_in}), {self.reason}. {self.way_out}"
