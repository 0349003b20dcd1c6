"""What cannot cross at all, why, and what to do instead."""

from __future__ import annotations

import io
import types
from typing import Any

from flyte_nb.errors.base import brief
from flyte_nb.libraries import has_name
from flyte_nb.masking import without_credentials

__all__ = ["RefusedError", "kind_of", "message_of", "no_name", "type_name", "why_not"]

_REASONS: dict[type, str] = {
    types.GeneratorType: "a generator stays where it runs; make a list of it",
    types.CoroutineType: "a coroutine stays where it runs; await it first",
    types.AsyncGeneratorType: "an async generator stays where it runs; make a list of it",
    types.ModuleType: "modules are imported where they are used: import it inside the task",
    types.FrameType: "a frame stays where it runs",
    types.TracebackType: "a traceback stays where it is; send its text, of traceback.format_exception",
    memoryview: "it is a view of memory; send bytes(...) of it",
}
_OPEN_FILE = "open files stay where they are; send the path, and open it there"
# By the package that a type is of, where nothing else is known.
_PACKAGES = {
    "_thread": "locks stay in their process; make it inside the task",
    "threading": "threads and locks stay in their process; make it inside the task",
    "multiprocessing": "processes and locks stay where they are; make it inside the task",
    "socket": "connections stay in their process; connect inside the task",
    "_socket": "connections stay in their process; connect inside the task",
    "ssl": "connections stay in their process; connect inside the task",
    "_ssl": "connections stay in their process; connect inside the task",
    "sqlite3": "connections stay in their process; connect inside the task",
    "subprocess": "processes stay where they were started; start it inside the task",
    "asyncio": "what belongs to an event loop stays there; await it, and send the value",
    "_asyncio": "what belongs to an event loop stays there; await it, and send the value",
    "contextvars": "what belongs to a context stays there; send the value",
    "_contextvars": "what belongs to a context stays there; send the value",
    "weakref": "it refers to something here; send that itself",
    "itertools": "an iterator stays where it runs; make a list of it",
}


class RefusedError(Exception):
    """Something inside of a value cannot cross.

    Attributes:
        value: The part of the value.
        reason: Why, and what to do.
    """

    def __init__(self, value: Any, reason: str) -> None:
        super().__init__(reason)
        self.value, self.reason = value, reason


def kind_of(value: Any) -> str:
    """Return what `value` is, for messages: "function", "sklearn.svm.SVC"."""
    if isinstance(value, types.FunctionType):
        return "lambda" if value.__name__ == "<lambda>" else "function"
    if isinstance(value, type):
        return "class"
    return type_name(type(value))


def type_name(kind: type) -> str:
    """Return the name of a type with its module, unless that is Python's own or the user's notebook."""
    prefix = "" if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}."
    return prefix + kind.__qualname__


def message_of(error: BaseException) -> str:
    """Return what `error` says, shortened, with credentials masked."""
    try:
        return brief(str(without_credentials(str(error)))).rstrip(".") or type(error).__name__
    except Exception:  # noqa: BLE001 - an exception's own __str__ may do anything
        return type(error).__name__


def why_not(value: Any, error: BaseException | None = None) -> RefusedError:
    """Return why `value` cannot cross; `error` is what trying it raised."""
    for kind, reason in _REASONS.items():
        if isinstance(value, kind):
            return RefusedError(value, reason)
    if isinstance(value, io.IOBase):
        return RefusedError(value, _OPEN_FILE)
    package = type(value).__module__.partition(".")[0]
    if package in _PACKAGES:
        return RefusedError(value, _PACKAGES[package])
    said = f": {message_of(error)}" if error else ""
    return RefusedError(value, f"it cannot be taken apart{said}. Send plain data instead")


def no_name(value: Any) -> RefusedError:
    """Return why a function or a class cannot cross that has no name under which the other side knows it."""
    name = value.__qualname__
    advice = f"define it with {'class' if isinstance(value, type) else 'def'} at the top level of a cell"
    if "<" in name or has_name(value):  # <lambda>, <locals>
        return RefusedError(value, f"the other side cannot know it; {advice}")
    return RefusedError(value, f"{name!r} is not what has that name now; {advice}, and run that again")
