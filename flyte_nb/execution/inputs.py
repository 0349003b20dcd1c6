"""Inputs checked against a task's annotations before anything runs.

pydantic says what fits, strictly: nothing is converted, and the task gets the very values that were given. What cannot
be resolved or checked (a name that exists for type checkers only, a type pydantic does not know) is not checked.
"""

from __future__ import annotations

import inspect
from functools import lru_cache
from typing import TYPE_CHECKING, Any, get_type_hints

from flyte_nb.errors import InvalidArgumentsError, InvalidInputError, shown
from flyte_nb.masking import declared_secrets, masked

if TYPE_CHECKING:
    from pydantic import TypeAdapter

    from flyte_nb.model.task import Task

__all__ = ["check_arguments", "check_inputs"]


def check_arguments(task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Check that arguments fit the signature of `task`.

    Raises:
        InvalidArgumentsError: They do not.
    """
    if not kwargs and task.least_positional <= len(args) <= task.most_positional:
        return  # binding costs more than all the rest of a call
    try:
        task.signature.bind(*args, **kwargs)
    except TypeError as error:
        raise InvalidArgumentsError(task.name, str(error), str(task.signature)) from None


def check_inputs(task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Check the arguments of a call that is known to fit the signature of `task`.

    Raises:
        InvalidInputError: A value is not of the annotated type.
    """
    given = task.signature.bind(*args, **kwargs).arguments
    hints = _hints(task)
    for parameter, value in given.items():
        adapter = _adapter(hints[parameter]) if parameter in hints else None
        if adapter is not None and not _is_the_same_class(type(value), hints[parameter]):
            _check(task, parameter, value, adapter, task.signature.parameters[parameter].annotation)


def _check(task: Task[..., Any], parameter: str, value: Any, adapter: TypeAdapter[Any], annotation: Any) -> None:
    from pydantic import ValidationError

    try:
        if _unchanged(adapter.validate_python(value, strict=True), value):
            return
        where = ""
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = "".join(f"[{step!r}]" for step in first["loc"] if isinstance(step, str | int))
    wanted = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    seen = declared_secrets.masked(shown(masked({parameter: value})[parameter]))
    raise InvalidInputError(task.name, parameter, wanted, f"{type(value).__name__} {seen}", where)


def _is_the_same_class(kind: type, hint: Any) -> bool:
    """Say whether a class has the name of the class that is wanted: its cell may have run again since."""
    return (
        isinstance(hint, type)
        and kind is not hint
        and kind.__module__ == hint.__module__ == "__main__"
        and kind.__qualname__ == hint.__qualname__
    )


def _unchanged(validated: Any, given: Any) -> bool:
    """Say whether validation left a value as it was: pydantic makes models of dictionaries even when it is strict."""
    if validated is given:
        return True
    try:
        return bool(validated == given)
    except Exception:  # noqa: BLE001 - arrays and the like do not say whether they are equal
        return True


def _hints(task: Task[..., Any]) -> dict[str, Any]:
    """Return the annotations that can be resolved, each by itself: one for type checkers only spoils no other."""
    try:
        return get_type_hints(task.function, include_extras=True)
    except Exception:  # noqa: BLE001 - resolving runs the annotations, which may do anything
        return {
            name: hint for name, hint in inspect.get_annotations(task.function).items() if not isinstance(hint, str)
        }


def _adapter(hint: Any) -> TypeAdapter[Any] | None:
    """Return what checks values of a type, or None for a type that cannot be checked."""
    try:
        return _known_adapter(hint)
    except TypeError:  # an annotation that cannot be hashed
        return _new_adapter(hint)


def _new_adapter(hint: Any) -> TypeAdapter[Any] | None:
    if hint is Any or hint is object:
        return None
    try:
        from pydantic import ConfigDict, PydanticUserError, TypeAdapter
    except ImportError:  # in a worker, whose environment need not have it
        return None
    try:
        return TypeAdapter(hint, config=ConfigDict(arbitrary_types_allowed=True))
    except PydanticUserError:
        pass  # a type that has a configuration of its own does not take another
    except Exception:  # noqa: BLE001 - types of other libraries may fail in ways of their own
        return None
    try:
        return TypeAdapter(hint)
    except Exception:  # noqa: BLE001 - as above
        return None


_known_adapter = lru_cache(maxsize=256)(_new_adapter)  # making one takes far longer than using it
