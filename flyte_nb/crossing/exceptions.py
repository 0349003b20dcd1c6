"""Exceptions on their way: type, message, what they hold, causes and tracebacks, as far as each can go."""

from __future__ import annotations

import sys
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, NamedTuple

from flyte_nb.crossing.errors_as_values import made, taken_apart
from flyte_nb.crossing.frames import Frame, as_text, as_traceback, frames_of
from flyte_nb.crossing.packing import pack, unpack
from flyte_nb.crossing.parcel import Parcel
from flyte_nb.crossing.refusing import message_of, type_name
from flyte_nb.errors import RemoteError, shown
from flyte_nb.libraries import is_of_python
from flyte_nb.masking import without_credentials

if TYPE_CHECKING:
    from flyte_nb.crossing.definitions import Definitions

__all__ = ["pack_error", "unpack_error"]

# An exception keeps here what it was on the other side: its frames, and all of it if its type cannot be had.
_FRAMES = "__flyte_nb_frames__"
_WHOLE = "__flyte_nb_whole__"
# Where no traceback can be made, its text is a note.
_NOTES = "__notes__"
_NOTE = "Where it was raised (most recent call last):\n"
# Of a chain of exceptions, each the cause or the context of another.
_MOST = 50
_WHAT = "an exception"


class Part(NamedTuple):
    """Something that an exception holds: as a payload, or if it cannot cross, as text only."""

    payload: bytes | None
    text: str


class Described(NamedTuple):
    """An exception as plain data; others are meant by their numbers.

    Attributes:
        module: The module of its type, or None if the type has a name of the user's.
        name: The name of its type.
        user: Module and name, if the type is the user's.
        kind: The type, for messages.
        message: What it says.
        args: What it is made from.
        state: Its attributes.
        children: The exceptions of a group.
        cause: The number of its cause.
        context: The number of its context.
        suppressed: Whether the context is left out when it is shown.
        frames: Where it was raised.
    """

    module: str
    name: str
    user: tuple[str, str] | None
    kind: str
    message: str
    args: list[Part]
    state: dict[str, Part]
    children: list[int]
    cause: int | None
    context: int | None
    suppressed: bool
    frames: list[Frame]


def pack_error(error: BaseException, definitions: Definitions) -> Parcel:
    """Return an exception as a parcel; what in it cannot cross goes as text. Never raises an exception."""
    try:
        return pack(_Describing(definitions).all_of(error), _WHAT, definitions)
    except Exception as problem:  # noqa: BLE001 - exceptions may be anybody's code
        text = f"{message_of(error)} (it cannot cross: {message_of(problem)})"
        plain = Described("", "", None, type_name(type(error)), text, [], {}, [], None, None, False, [])
        return pack([plain], _WHAT, definitions)


def unpack_error(parcel: Parcel, definitions: Definitions) -> BaseException:
    """Return the exception of a parcel, or a RemoteError if its type cannot be had here. Never raises an exception."""
    try:
        described: list[Described] = unpack(parcel, _WHAT, definitions)
        return _Making(described, definitions).made(0)
    except Exception as problem:  # noqa: BLE001 - exceptions may be anybody's code
        return RemoteError("Exception", f"it cannot be put together in {definitions.side}: {message_of(problem)}")


class _Describing:
    """Writes an exception, and those it is linked to, down once each."""

    def __init__(self, definitions: Definitions) -> None:
        self.definitions = definitions
        self.numbers: dict[int, int] = {}
        self.pending: list[BaseException] = []

    def all_of(self, error: BaseException) -> list[Described]:
        self._number(error)
        return [self._described(each) for each in self.pending]  # which grows meanwhile

    def _number(self, error: BaseException | None) -> int | None:
        if error is None:
            return None
        if id(error) not in self.numbers:
            if len(self.pending) >= _MOST:
                return None
            self.numbers[id(error)] = len(self.pending)
            self.pending.append(error)
        return self.numbers[id(error)]

    def _described(self, error: BaseException) -> Described:
        links: dict[str, Any] = {
            "cause": self._number(error.__cause__),
            "context": self._number(error.__context__),
            "suppressed": error.__suppress_context__,
            "frames": [*frames_of(error.__traceback__), *vars(error).get(_FRAMES, ())],
        }
        whole: Described | None = vars(error).get(_WHOLE)
        if whole is not None:
            return whole._replace(children=[], **links)
        kind = type(error)
        args, state, children = taken_apart(error)
        numbers = [self._number(child) for child in children]
        return Described(
            module=kind.__module__,
            name=kind.__qualname__,
            user=self.definitions.name_of(kind),
            kind=type_name(kind),
            message=_text(error),
            args=[self._part(value) for value in args],
            state={name: self._part(value) for name, value in _own_state(state).items()},
            children=[number for number in numbers if number is not None],
            **links,
        )

    def _part(self, value: Any) -> Part:
        text = str(without_credentials(shown(value)))
        try:
            parcel = pack(value, _WHAT, self.definitions)
        except Exception:  # noqa: BLE001 - whatever it is, its text goes
            return Part(None, text)
        if parcel.memory is None:
            return Part(parcel.payload, text)
        parcel.memory.close()
        return Part(None, text)


class _Making:
    """Makes exceptions of what was written down, once each."""

    def __init__(self, described: list[Described], definitions: Definitions) -> None:
        self.described, self.definitions = described, definitions
        self.done: dict[int, BaseException] = {}

    def made(self, number: int) -> BaseException:
        if number in self.done:
            return self.done[number]
        each = self.described[number]
        error = self.done[number] = self._bare(each)
        for link, other in (("__cause__", each.cause), ("__context__", each.context)):
            if other is not None:
                setattr(error, link, self.made(other))
        error.__suppress_context__ = each.suppressed
        _add_frames(error, each.frames)
        return error

    def _bare(self, each: Described) -> BaseException:
        children = [self.made(number) for number in each.children]
        try:
            args = [self._value(part) for part in each.args]
            state = {name: self._value(part) for name, part in each.state.items()}
            return made(self._type(each), args, state, children)
        except Exception:  # noqa: BLE001 - the type is not here, or is another one
            error = RemoteError(each.kind, each.message)
            vars(error)[_WHOLE] = each
            return error

    def _type(self, each: Described) -> Any:
        if each.user is not None:
            return self.definitions.find(*each.user)
        if each.module not in sys.modules and not is_of_python(each.module.partition(".")[0]):
            raise LookupError(each.module)  # nobody here can ask for it; importing it may take seconds
        return resolve_name(f"{each.module}:{each.name}")

    def _value(self, part: Part) -> Any:
        if part.payload is None:
            return part.text
        try:
            return unpack(Parcel(part.payload), _WHAT, self.definitions)
        except Exception:  # noqa: BLE001 - whatever it is, its text is here
            return part.text


def _own_state(state: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes of an exception without those it was given on its way."""
    own = {name: value for name, value in state.items() if name not in (_FRAMES, _WHOLE)}
    if _NOTES in own:
        own[_NOTES] = [note for note in own[_NOTES] if not str(note).startswith(_NOTE)]
    return own


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - an exception's own __str__ may do anything
        return "(its message cannot be shown)"


def _add_frames(error: BaseException, frames: list[Frame]) -> None:
    error.__traceback__ = as_traceback(frames)
    if frames and error.__traceback__ is None:
        vars(error)[_FRAMES] = frames
        vars(error)[_NOTES] = [*vars(error).get(_NOTES, ()), _NOTE + as_text(frames)]
