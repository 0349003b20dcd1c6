"""Plain Python crosses unchanged, what cannot cross is refused by the way to it, and small things stay small."""

from __future__ import annotations

import array
import collections
import datetime
import decimal
import enum
import fractions
import functools
import http
import io
import ipaddress
import itertools
import pathlib
import pickle
import re
import socket
import sys
import threading
import types
import uuid
import weakref
import zoneinfo
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyte_nb.crossing.packing import pack, pack_arguments, unpack
from flyte_nb.crossing.parcel import LARGE
from flyte_nb.errors import CannotCrossError
from tests.crossing import user_code
from tests.crossing.sides import NOWHERE, crossed, knowing

KERNEL = knowing(user_code)

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text() | st.integers(), inner)
        | st.tuples(inner, inner)
        | st.lists(inner).map(collections.deque)
    ),
    max_leaves=20,
)

VALUES = [
    datetime.datetime(2024, 2, 29, tzinfo=datetime.timezone.utc), datetime.timedelta(1, 2, 3), decimal.Decimal("1.50"),
    fractions.Fraction(1, 3), uuid.UUID(int=7), ipaddress.ip_address("::1"), zoneinfo.ZoneInfo("Europe/Berlin"),
    collections.OrderedDict(a=1), collections.Counter("aab"), collections.defaultdict(list, a=[1]),
    collections.ChainMap({1: 2}), collections.deque([1, 2], 3), frozenset({1}), {1, 2}, bytearray(b"a"), slice(1, 2),
    range(3), 1 + 2j, ..., NotImplemented, types.SimpleNamespace(a=1), pathlib.Path("/a/b"),
    pathlib.PurePosixPath("a"), pathlib.PureWindowsPath("c:\\a"), re.compile("a+", re.IGNORECASE), re.compile(rb"a"),
    re.IGNORECASE | re.MULTILINE, http.HTTPStatus.OK, int, type(None), list[int], int | str, len, str.upper,
    pathlib.Path, enum.Enum, array.array("d", [1.5, 2.5]), datetime.timezone.utc,
]  # fmt: skip


@given(PLAIN)
def test_plain_values_arrive_as_they_were_sent(value: Any) -> None:
    """What is made of plain Python arrives equal, with the same types."""
    arrived = crossed(value)
    assert arrived == value
    assert repr(arrived) == repr(value)


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_values_of_the_standard_library_cross(value: Any) -> None:
    """Values of Python's own library arrive equal."""
    arrived = crossed(value)
    assert arrived == value
    assert type(arrived) is type(value)


def test_functions_with_arguments_cross() -> None:
    """A partial of what can cross can cross."""
    partial = crossed(functools.partial(user_code.helper, 1), KERNEL)
    assert partial() == 2


def test_paths_and_patterns_name_nothing_private() -> None:
    """Paths and patterns are pickled without modules and functions that other versions of Python do not have."""
    payload = pack([pathlib.Path("/a"), re.compile("a"), pathlib.Path], "x", NOWHERE).payload
    assert b"_local" not in payload
    assert b"_compile" not in payload


def test_what_is_there_twice_stays_one() -> None:
    """Shared and circular parts are shared and circular after the crossing."""
    shared = [1]
    loop: list[Any] = [shared, shared]
    loop.append(loop)
    arrived = crossed(loop)
    assert arrived[0] is arrived[1]
    assert arrived[2] is arrived


@pytest.mark.parametrize("size", [0, 1, LARGE - 100, LARGE, 3 * LARGE])
def test_large_values_travel_in_memory(size: int) -> None:
    """From a size on a value is in shared memory, and the payload stays small."""
    value = [b"x" * size, "y"]
    parcel = pack(value, "x", NOWHERE)
    assert (parcel.memory is not None) == (size >= LARGE)
    assert len(parcel.payload) < LARGE + 100
    assert unpack(parcel, "x", NOWHERE) == value


def test_a_parcel_can_be_opened_more_than_once() -> None:
    """Opening a parcel takes nothing from it, and what is opened twice shares nothing."""
    parcel = pack([array.array("b", bytes(LARGE))], "x", NOWHERE)
    first, second = unpack(parcel, "x", NOWHERE), unpack(parcel, "x", NOWHERE)
    first[0][0] = 1
    assert second[0][0] == 0


async def coroutine() -> None:
    """Be never awaited."""


def refused(value: Any) -> str:
    with pytest.raises(CannotCrossError) as refusal:
        crossed(value, KERNEL)
    message = str(refusal.value)
    assert "\n" not in message
    assert message.startswith("the result of ml.train")
    return message


LOCAL = [
    (lambda: 1, "lambda", "def at the top level"), (type("Local", (), {}), "class", "class at the top level"),
    ((number for number in ()), "generator", "make a list"), (sys, "module", "import it inside the task"),
    (threading.Lock(), "lock", "make it inside the task"), (itertools.count(), "count", "make a list"),
    (weakref.ref(user_code.Config), "ReferenceType", "send that itself"), (memoryview(b""), "memoryview", "bytes(...)"),
    ({}.keys(), "dict_keys", "plain data"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "kind", "advice"), LOCAL, ids=[kind for _, kind, _ in LOCAL])
def test_what_belongs_to_a_process_is_refused(value: Any, kind: str, advice: str) -> None:
    """What cannot be in another process is refused, with its type and what to do instead."""
    message = refused(value)
    assert kind in message
    assert advice in message


def test_open_files_connections_and_coroutines_are_refused(tmp_path: pathlib.Path) -> None:
    """What is open stays here, and says so."""
    with (tmp_path / "file").open("w") as file, socket.socket() as connection:
        assert "send the path" in refused({"log": file})
        assert "connect inside the task" in refused(connection)
    waiting = coroutine()
    assert "await it first" in refused([waiting])
    waiting.close()


PATHS = [
    ([0, {"callback": lambda: 1}], "at [1]['callback']"),
    (user_code.Config(1.0, [threading.Lock()]), "at .layers[0]"),
    (user_code.Frozen("a", {"b": (1, threading.Lock())}), "at .inner['b'][1]"),
    (user_code.Plain([threading.Lock()]), "at .content[0]"),
    (user_code.Row(1, threading.Lock()), "at .right"),  # type: ignore[arg-type]
    (functools.partial(int, threading.Lock()), "at .args[0]"),
    ({threading.Lock(): 1}, "at (the key"),
    (collections.deque([threading.Lock()]), "at [0]"),
]


@pytest.mark.parametrize(("value", "path"), PATHS, ids=[path for _, path in PATHS])
def test_a_refusal_says_where(value: Any, path: str) -> None:
    """The way to the part that cannot cross is in the message."""
    assert path in refused(value)


def test_a_refusal_names_the_argument() -> None:
    """Of several arguments the one that cannot cross is named, given by position or by name."""
    for args, kwargs in (((1, [threading.Lock()]), {}), ((1,), {"jobs": [threading.Lock()]})):
        with pytest.raises(CannotCrossError, match=r"^argument 'jobs' of ml\.train, at \[0\] \(_thread\.lock\) "):
            pack_arguments("ml.train", ["count", "jobs"], args, kwargs, KERNEL)


def test_arguments_arrive_as_they_were_given() -> None:
    """Arguments by position and by name arrive so."""
    parcel = pack_arguments("ml.train", ["a", "b"], (1,), {"b": [2]}, KERNEL)
    assert unpack(parcel, "the arguments of ml.train", KERNEL) == ((1,), {"b": [2]})


def test_a_refusal_shows_no_secrets() -> None:
    """Names and messages in a refusal are masked, and values are not shown at all."""

    class Failing:
        def __reduce__(self) -> Any:
            raise ValueError("password=hunter2")

    message = refused({"token=sk-12345678": Failing(), "key": "hunter3"})
    assert "hunter" not in message
    assert "12345678" not in message
    assert "plain data" in message


def test_what_is_nested_too_deeply_is_refused() -> None:
    """A value that is nested more deeply than Python can follow is an error like others."""
    value: list[Any] = []
    for _ in range(200_000):
        value = [value]
    assert "nested too deeply" in refused(value)
    while value:
        value = value.pop()


def test_a_function_that_is_another_by_now_is_refused() -> None:
    """A function whose name means another function was of an earlier run of its cell."""
    earlier = types.FunctionType(user_code.helper.__code__, {}, "helper")
    earlier.__module__, earlier.__qualname__ = user_code.__name__, "helper"
    assert "run that again" in refused(earlier)


def test_a_library_that_is_not_named_is_not_imported() -> None:
    """A payload cannot make its reader import what it does not say it needs."""
    payload = pickle.dumps(pytest.Item, 5)
    with pytest.raises(CannotCrossError, match="a library that is not named"):
        unpack(type(pack(1, "x", NOWHERE))(payload), "x", NOWHERE)


def test_buffers_that_a_library_sets_apart_arrive() -> None:
    """What says itself which of its buffers travel apart gets them back."""
    crossing = crossed(user_code.Plain(Apart(b"a" * LARGE)), Both())
    assert crossing.content.content == b"a" * LARGE


class Apart:
    """Pickled with its content apart, as libraries of arrays do."""

    def __init__(self, content: Any) -> None:
        self.content = bytes(content)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return Apart, (pickle.PickleBuffer(self.content),)


class Both:
    """A side that knows a class of this module, too."""

    side = "the kernel"

    def name_of(self, value: Any) -> tuple[str, str] | None:
        return ("here", "Apart") if value is Apart else KERNEL.name_of(value)

    def find(self, module: str, name: str) -> Any:
        return Apart if module == "here" else KERNEL.find(module, name)


def test_streams_in_memory_cross() -> None:
    """A file in memory is a value."""
    assert crossed(io.BytesIO(b"ab")).read() == b"ab"
