"""Values as parcels, and parcels as values."""

from __future__ import annotations

import io
import pickle
import struct
from typing import TYPE_CHECKING, Any

from flyte_nb.crossing.memory import Memory
from flyte_nb.crossing.needs import Need, check, needs_of, other_python
from flyte_nb.crossing.parcel import LARGE, Parcel
from flyte_nb.crossing.parts import find_part
from flyte_nb.crossing.pickler import Packer
from flyte_nb.crossing.refusing import RefusedError, kind_of, message_of
from flyte_nb.crossing.unpickler import Opener, UndefinedError
from flyte_nb.errors import CannotCrossError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from flyte_nb.crossing.definitions import Definitions

    Named = Iterable[tuple[str, Any]]

__all__ = ["pack", "pack_arguments", "unpack"]

# A payload is a pickle, which begins with its protocol; or it begins with the length of what says where all of it is.
_PICKLE = 0x80
_LENGTH = struct.Struct("<BI")


def pack(value: Any, what: str, definitions: Definitions) -> Parcel:
    """Return `value` as a parcel.

    Args:
        value: Anything.
        what: What it is, for messages: "the result of ml.train".
        definitions: What the user's names mean on this side.

    Raises:
        CannotCrossError: `value`, or something in it, cannot go to another environment.
    """
    return _packed(value, definitions, lambda: [(what, value)])


def pack_arguments(
    task: str, parameters: Sequence[str], args: Sequence[Any], kwargs: Mapping[str, Any], definitions: Definitions
) -> Parcel:
    """Return the arguments of a call as a parcel, which opens as a tuple of `args` and `kwargs`.

    Args:
        task: The full name of the task, for messages.
        parameters: The names of its parameters, in order.
        args: What is given by position.
        kwargs: What is given by name.
        definitions: What the user's names mean on this side.

    Raises:
        CannotCrossError: An argument, or something in it, cannot go to another environment.
    """

    def named() -> Named:
        given = [*zip(parameters, args), *kwargs.items()]  # noqa: B905 - there may be more parameters
        return [(f"argument {name!r} of {task}", value) for name, value in given]

    return _packed((tuple(args), dict(kwargs)), definitions, named)


def unpack(parcel: Parcel, what: str, definitions: Definitions) -> Any:
    """Return the value of a parcel; large parts of it stay where they are in memory.

    Raises:
        CannotCrossError: The value needs what is not on this side.
    """
    try:
        return _unpacked(parcel, definitions)
    except CannotCrossError:
        raise
    except UndefinedError as error:
        reason = (
            f"{error.name!r} is not defined in {definitions.side}: mention it there, for instance as the annotation "
            "of the parameter"
        )
        raise CannotCrossError(what, error.name, reason) from None
    except ImportError as error:
        reason = f"it needs {error.name}, which cannot be imported in {definitions.side}. Add it to that image"
        raise CannotCrossError(what, "value", reason) from error
    except Exception as error:
        reason = f"it cannot be put together in {definitions.side}: {message_of(error)}. Return plain data instead"
        raise CannotCrossError(what, "value", reason) from error


def _packed(value: Any, definitions: Definitions, named: Callable[[], Named]) -> Parcel:
    file = io.BytesIO()
    packer = Packer(file, definitions)
    try:
        packer.dump(value)
    except RefusedError as error:
        raise _refused(error, named()) from None
    except RecursionError:
        raise CannotCrossError(_all_of(named()), kind_of(value), "it is nested too deeply; flatten it") from None
    except Exception as error:
        reason = f"{message_of(error)}. Send plain data instead"
        raise CannotCrossError(_all_of(named()), kind_of(value), reason) from error
    if not (packer.chunks or packer.lent or packer.libraries) and file.tell() < LARGE:
        return Parcel(file.getvalue())
    needs = needs_of(packer.libraries, named, definitions.side)
    try:
        return _laid_out(file, packer, needs)
    except OSError as error:
        reason = f"there is no memory to share it: {message_of(error)}. Send less of it"
        raise CannotCrossError(_all_of(named()), kind_of(value), reason) from error


def _laid_out(file: io.BytesIO, packer: Packer, needs: Sequence[Need]) -> Parcel:
    """Return a parcel with everything that is large in its memory."""
    buffers = [file.getbuffer(), *packer.chunks, *(buffer.raw() for buffer in packer.lent)]
    total = sum(buffer.nbytes for buffer in buffers)
    if total < LARGE or Memory.is_scarce():
        return Parcel(b"".join([_head([buffer.nbytes for buffer in buffers], None, packer, needs), *buffers]))
    small = file.tell() < LARGE
    memory, places = Memory.holding(buffers[small:])
    head = _head([buffers[0].nbytes] if small else [], places, packer, needs)
    return Parcel(head + file.getvalue() if small else head, memory)


def _head(
    inline: Sequence[int], places: Sequence[tuple[int, int]] | None, packer: Packer, needs: Sequence[Need]
) -> bytes:
    head = pickle.dumps((list(inline), places, len(packer.lent), list(needs)), 5)
    return _LENGTH.pack(0, len(head)) + head


def _unpacked(parcel: Parcel, definitions: Definitions) -> Any:
    payload = parcel.payload
    if payload[0] == _PICKLE:
        return Opener(io.BytesIO(payload), definitions).load()
    _, length = _LENGTH.unpack_from(payload)
    start = _LENGTH.size + length
    inline, places, lent, needs = pickle.loads(payload[_LENGTH.size : start])  # noqa: S301 - from a process of ours
    check(needs, definitions.side)
    buffers: list[memoryview] = []
    for size in inline:
        buffers.append(memoryview(bytearray(payload[start : start + size])))  # a copy that may be written to
        start += size
    if places is not None and parcel.memory is not None:
        mapped = parcel.memory.mapped()
        buffers.extend(mapped[offset : offset + size] for offset, size in places)
    body, *chunks = buffers
    end = len(chunks) - lent
    packages = {need.package for need in needs}
    try:
        return Opener(io.BytesIO(body), definitions, chunks[:end], chunks[end:], packages).load()
    except UndefinedError:
        raise
    except Exception as error:
        problem = other_python(needs, definitions.side, message_of(error))
        if problem:
            raise problem from error
        raise


def _refused(error: RefusedError, named: Named) -> CannotCrossError:
    """Return the error for a part that cannot cross, which says where it is."""
    named = list(named)
    for what, value in named:
        found = find_part(value, lambda part: part is error.value)
        if found:
            path = found[0]
            return CannotCrossError(f"{what}, at {path}" if path else what, kind_of(error.value), error.reason)
    return CannotCrossError(_all_of(named), kind_of(error.value), error.reason)


def _all_of(named: Named) -> str:
    return " and ".join(what for what, _ in named)
