"""Exceptions taken apart and put together, without calling constructors of the user's or a library's."""

from __future__ import annotations

from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any

__all__ = ["fill", "made", "reduced", "taken_apart"]


def taken_apart(error: BaseException) -> tuple[tuple[Any, ...], dict[str, Any], tuple[BaseException, ...]]:
    """Return what an exception is made from, its attributes, and the exceptions of a group."""
    # As Python's own type does it: more than `args` for OSError, and attributes that are not in `__dict__`.
    reduced: Any = _of_python(type(error)).__reduce__(error)
    args = tuple(reduced[1])
    state = dict(reduced[2]) if len(reduced) > 2 and isinstance(reduced[2], dict) else {}
    state.update(vars(error))
    children = getattr(error, "exceptions", ()) if _is_group(type(error)) else ()
    return (args[:1] if children else args), state, tuple(children)


def reduced(error: BaseException) -> tuple[Any, ...]:
    """Return how an exception that is a value is made again, without its traceback."""
    args, state, children = taken_apart(error)
    links = (error.__cause__, error.__context__, error.__suppress_context__)
    return made, (type(error), list(args), {}, list(children)), (state, links), None, None, fill


def fill(error: BaseException, held: tuple[dict[str, Any], tuple[Any, ...]]) -> None:
    """Give an exception what it holds."""
    state, links = held
    _set(error, state)
    error.__cause__, error.__context__, error.__suppress_context__ = links


def made(kind: Any, args: list[Any], state: dict[str, Any], children: list[BaseException]) -> BaseException:
    """Return an exception of a type from what `taken_apart` gives.

    Raises:
        TypeError: `kind` is not a type of exceptions.
    """
    if not (isinstance(kind, type) and issubclass(kind, BaseException)):
        raise TypeError(f"{kind!r} is not a type of exceptions")
    given = (*args, children) if children else tuple(args)
    base = _of_python(kind)
    error = _new(base, kind, given)
    if not children:
        base.__init__(error, *given)  # what it keeps of its own is set here
    _set(error, state)
    return error


def _new(base: Any, kind: type[BaseException], given: tuple[Any, ...]) -> BaseException:
    """Return a bare exception; Python says which of its own types has to make it."""
    try:
        bare: BaseException = base.__new__(kind, *given)
    except TypeError:  # MemoryError has a way of its own, which types with another base first have not
        bare = Exception.__new__(kind, *given)
    return bare


def _set(error: BaseException, state: dict[str, Any]) -> None:
    for name, value in state.items():
        # What Python's own types keep of theirs, as ImportError its name; never a property of the user's.
        if isinstance(getattr(type(error), name, None), MemberDescriptorType | GetSetDescriptorType):
            setattr(error, name, value)
        else:
            vars(error)[name] = value


def _of_python(kind: type[BaseException]) -> Any:
    return next(base for base in kind.__mro__ if base.__module__ == "builtins")


def _is_group(kind: type) -> bool:
    return any(base.__name__ == "BaseExceptionGroup" and base.__module__ == "builtins" for base in kind.__mro__)
