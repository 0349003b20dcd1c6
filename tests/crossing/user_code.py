"""What a user defines in cells."""

from __future__ import annotations

import enum
from collections import namedtuple
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import attrs
import pydantic


@dataclass
class Config:
    rate: float
    layers: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Frozen:
    name: str
    inner: Any = None

    def __post_init__(self) -> None:
        assert self.name != "unmade", "values are not made again by their constructor"


@attrs.frozen
class Settings:
    depth: int
    parts: dict[str, Any]


class Model(pydantic.BaseModel):
    size: int
    label: str = "none"
    _seen: int = pydantic.PrivateAttr(default=0)

    @pydantic.field_validator("size")
    @classmethod
    def positive(cls, size: int) -> int:
        if size < 0:
            raise ValueError("negative")
        return size


class Plain:
    def __init__(self, content: Any) -> None:
        self.content = content

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Plain) and other.content == self.content

    __hash__ = None  # type: ignore[assignment]


class Custom:
    """Says itself how it is taken apart."""

    def __init__(self, content: Any) -> None:
        self.content, self.cache = content, object()

    def __getstate__(self) -> dict[str, Any]:
        return {"content": self.content}


class Colour(enum.Enum):
    RED = 1
    BLUE = object()  # what cannot be compared with that of another process


class Access(enum.Flag):
    READ = 1
    WRITE = 2


class Row(NamedTuple):
    left: int
    right: int


Point = namedtuple("Point", "x y")


class Table(dict[str, Any]):
    """A dictionary of the user's."""


class TrainingError(Exception):
    def __init__(self, epoch: int, loss: float) -> None:
        super().__init__(f"epoch {epoch} has loss {loss}")
        self.epoch, self.loss = epoch, loss


def helper(number: int) -> int:
    return number + 1
