"""The labelled notebooks that the check for hidden dependencies is measured with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .cases import (
    aliases,
    annotations,
    asynchronous,
    classes,
    closures,
    comprehensions,
    constants,
    decorators,
    defaults,
    executed,
    held_out,
    held_out_second,
    imports,
    names,
    scopes,
    star_imports,
    workloads,
)
from .cases.case import Case

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CORPUS", "TOPICS", "Case"]

TOPICS: Mapping[str, tuple[Case, ...]] = {
    "closures": closures.CASES,
    "comprehensions": comprehensions.CASES,
    "globals": names.CASES + scopes.CASES,
    "aliases": aliases.CASES,
    "decorators": decorators.CASES,
    "star imports": star_imports.CASES,
    "exec": executed.CASES,
    "default arguments": defaults.CASES,
    "class bodies": classes.CASES,
    "async": asynchronous.CASES,
    "constants": constants.CASES,
    "imports": imports.CASES,
    "annotations": annotations.CASES,
    "workloads": workloads.CASES,
    "held out": held_out.CASES,
    "held out a second time": held_out_second.CASES,
}
CORPUS: tuple[Case, ...] = tuple(labelled for cases in TOPICS.values() for labelled in cases)
