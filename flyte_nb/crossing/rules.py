"""How values are taken apart, by their type, so that any version of Python and of a library can put them together."""

from __future__ import annotations

import array
import enum
import pathlib
import re
import weakref
from typing import TYPE_CHECKING, Any

from flyte_nb.crossing import arrow_values, errors_as_values, models, numpy_values, pandas_values, records, standard

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    Rule = Callable[[Any], tuple[Any, ...]]

__all__ = ["rule_for"]

_rules: MutableMapping[type, Rule | None] = weakref.WeakKeyDictionary()


def rule_for(kind: type) -> Rule | None:
    """Return the rule for values of `kind`, or None if they are taken apart as they say themselves."""
    try:
        return _rules[kind]
    except KeyError:
        return _rules.setdefault(kind, _found(kind))


def _found(kind: type) -> Rule | None:
    rule = numpy_values.rule_for(kind) or pandas_values.rule_for(kind) or arrow_values.rule_for(kind)
    if rule is not None:
        return rule
    if issubclass(kind, enum.Enum):
        return standard.reduced_member
    if issubclass(kind, BaseException):
        return errors_as_values.reduced
    if models.is_model(kind):
        return models.reduced
    if records.is_record(kind):
        return _reduced_record
    if kind is re.Pattern:
        return standard.reduced_pattern
    if issubclass(kind, pathlib.PurePath) and kind.__module__.partition(".")[0] == "pathlib":
        return standard.reduced_path
    if kind is array.array:
        return standard.reduced_array
    return None


def _reduced_record(value: Any) -> tuple[Any, ...]:
    return models.reduced(value) if models.is_stood_in(value) else records.reduced(value)
