"""What is hashed of values: everything that makes them different, and nothing else."""

from __future__ import annotations

import enum
import functools
import itertools
import math
import os
import pickle
import re
import socket
import sqlite3
import subprocess
import sys
import threading
import uuid
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from flyte_nb.execution.caching.definitions import digest_of
from flyte_nb.execution.caching.encoding import UnhashableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.complex_numbers(), st.text(), st.binary(), st.decimals(),
    st.datetimes(timezones=st.just(timezone.utc)), st.timedeltas(), st.uuids(), st.fractions(),
)  # fmt: skip
ORDERED = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner), st.lists(inner).map(tuple), st.dictionaries(st.text(), inner)),
    max_leaves=20,
)
MEMBERS = st.one_of(st.integers(), st.text(), st.binary(), st.tuples(st.text(), st.integers()))
VALUES = st.one_of(ORDERED, st.sets(MEMBERS), st.dictionaries(st.text(), st.frozensets(MEMBERS)))

OTHER_PROCESS = """
import pickle, sys
from flyte_nb.execution.caching.definitions import digest_of
while True:
    value = pickle.load(sys.stdin.buffer)
    sys.stdout.buffer.write(digest_of(value))
    sys.stdout.buffer.flush()
"""


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Callable[[Any], bytes]]:
    """Digests as another process makes them, in which the hashes of strings are others."""
    process = subprocess.Popen(
        [sys.executable, "-c", OTHER_PROCESS],
        env={**os.environ, "PYTHONHASHSEED": "4321"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    source, sink = process.stdout, process.stdin

    def digest(value: Any) -> bytes:
        pickle.dump(value, sink)
        sink.flush()
        return source.read(32)

    yield digest
    process.kill()
    process.communicate()


@given(value=VALUES)
def test_a_digest_is_the_same_in_every_process(elsewhere: Callable[[Any], bytes], value: Any) -> None:
    """A value that travels to another process has the digest there that it has here."""
    assert elsewhere(value) == digest_of(value)


@given(first=ORDERED, second=ORDERED)
def test_digests_are_equal_where_values_are(first: Any, second: Any) -> None:
    """Digests agree exactly where values look alike to the last detail."""
    assert (digest_of(first) == digest_of(second)) == (repr(first) == repr(second))


@given(value=ORDERED)
def test_what_is_shared_makes_no_difference(value: Any) -> None:
    """A value that stands twice in another is as good as two that are equal."""
    copy = pickle.loads(pickle.dumps(value))  # noqa: S301 - its own
    assert digest_of([value, value]) == digest_of([value, copy])


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Rights(enum.Flag):
    READ = 1
    WRITE = 2


@dataclass
class Config:
    rate: float
    layers: tuple[int, ...] = ()

    @functools.cached_property
    def depth(self) -> int:
        return len(self.layers)


class Slotted:
    __slots__ = ("a",)

    def __init__(self, a: Any) -> None:
        self.a = a


class Model(BaseModel):
    rate: float
    names: list[str] = []


Point = namedtuple("Point", "x y")
NEW_YORK = ZoneInfo("America/New_York")


def plus(a: int, b: int) -> int:
    return a + b


def minus(a: int, b: int) -> int:
    return a - b


DIFFERENT = [
    None, True, False, 0, 1, -1, 2**64, 0.0, -0.0, 1.0, math.inf, math.nan, 1j, "", "1", b"1", bytearray(b"1"),
    memoryview(b"1"), [], (), {}, set(), frozenset(), [[]], [()], [1, 2], (1, 2), [[1], 2], [1, [2]], [[1, 2]], {1, 2},
    frozenset({1, 2}), {"a": 1}, {"a": 1, "b": 2}, {"b": 2, "a": 1}, OrderedDict(a=1), defaultdict(list, a=1),
    Counter("a"), deque([1, 2]), Point(1, 2), range(3), range(4), slice(1, 2), Ellipsis, NotImplemented,
    ["ab", "c"], ["a", "bc"], "\ud800", Colour.RED, Colour.BLUE, Rights.READ, Rights.READ | Rights.WRITE,
    date(2024, 1, 1), datetime(2024, 1, 1), datetime(2024, 1, 1, tzinfo=timezone.utc),
    datetime(2024, 1, 1, tzinfo=NEW_YORK), timedelta(1), Decimal(1), Decimal("1.0"), Fraction(1), uuid.UUID(int=1),
    Path("a"), PurePosixPath("a/b"), re.compile("a"), re.compile("a", re.IGNORECASE), Config(1), Config(1.0),
    Config(2.0), Config(1, (1,)), Slotted(1), Slotted(2),
    Model(rate=1), Model(rate=2), int, str, list[int], int | None, len, max,
    plus, minus, functools.partial(plus, 1), functools.partial(plus, 2), Config, Model, Colour, "abc".upper, math, re,
    ValueError("a"), ValueError("b"), KeyError("a"),
]  # fmt: skip


def test_what_differs_in_type_or_content_differs() -> None:
    """No two of many values of many types have the same digest."""
    digests = {}
    for value in DIFFERENT:
        digest = digest_of(value)
        assert digest not in digests, (value, digests[digest])
        digests[digest] = value


EQUAL: list[Callable[[], Any]] = [
    lambda: {str(number) for number in range(100)},
    lambda: {Colour.RED, Colour.BLUE},
    lambda: frozenset({Config, Slotted, Model, plus, minus}),
    lambda: Config(0.1, (1, 2)),
    lambda: Slotted([1]),
    lambda: Model(rate=0.1, names=["a"]),
    lambda: defaultdict(list, {"a": [1]}),
    lambda: datetime(2024, 1, 1, tzinfo=ZoneInfo("America/New_York")),
    lambda: functools.partial(plus, 1),
    lambda: Point(1, Config(1)),
    lambda: lambda x: x + 1,
    lambda: [math.nan, -math.nan],
    lambda: memoryview(bytearray(b"abcdef"))[::2],
]


@pytest.mark.parametrize("make", EQUAL)
def test_what_is_made_twice_is_equal(make: Callable[[], Any]) -> None:
    """Values that are made anew each time have one digest."""
    assert digest_of(make()) == digest_of(make())


def test_the_order_of_attributes_makes_no_difference() -> None:
    """Attributes count by name, and what a cached property has worked out does not count."""
    first, second = Config(1), Config(1)
    first.__dict__ = {"layers": (), "rate": 1}
    assert second.depth == 0
    assert digest_of(first) == digest_of(second)


def test_what_is_shared_often_is_hashed_once() -> None:
    """A value that doubles at every level of a hundred is hashed at once."""
    value: list[Any] = ["leaf"]
    for _ in range(100):
        value = [value, value]
    assert len(digest_of(value)) == 32


def test_deep_values_are_refused_in_one_line() -> None:
    """What is nested beyond what Python can follow is refused."""
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(UnhashableError, match="nested too deeply"):
        digest_of(value)


def _cycle() -> list[Any]:
    value: list[Any] = []
    value.append(value)
    return value


async def _never() -> None: ...


def _coroutine() -> Any:
    coroutine = _never()
    coroutine.close()
    return coroutine


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (_cycle, "list"),
        (lambda: (number for number in ()), "generator"),
        (threading.Lock, "_thread.lock"),
        (_coroutine, "coroutine"),
        (socket.socket, "socket.socket"),
        (lambda: sqlite3.connect(":memory:"), "sqlite3.Connection"),
        (lambda: SimpleNamespace(lock=threading.Lock()), "_thread.lock"),
        (lambda: sys._getframe(), "frame"),
        (lambda: Path(os.devnull).open(), "_io.TextIOWrapper"),  # noqa: SIM115 - closed below
    ],
)
def test_what_has_no_content_is_refused(make: Callable[[], Any], kind: str) -> None:
    """Connections, locks, generators and the like are refused by their type, deep inside a value, too."""
    value = make()
    try:
        for holder in (value, {"a": [value]}):
            with pytest.raises(UnhashableError) as caught:
                digest_of(holder)
            assert caught.value.kind == kind
    finally:
        getattr(value, "close", lambda: None)()


def test_errors_of_others_are_not_repeated() -> None:
    """What an object says while it refuses may hold a secret, and is not told."""

    class Refusing:
        def __reduce__(self) -> str:
            raise ValueError("password=hunter2")

    with pytest.raises(UnhashableError) as caught:
        digest_of(Refusing())
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("kind", [dict, set, OrderedDict])
def test_what_another_thread_changes(kind: Any) -> None:
    """A value that changes meanwhile is hashed as it is at some time, or refused as what has no content."""
    value = kind.fromkeys(range(20_000)) if kind is not set else set(range(20_000))
    done = threading.Event()

    def change() -> None:
        for number in itertools.cycle(range(20_000, 20_005)):
            if done.is_set():
                return
            if kind is set:
                value.add(number)
                value.discard(number)
            else:
                value[number] = number
                value.pop(number)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(10):
            with suppress(UnhashableError):
                assert len(digest_of(value)) == 32
    finally:
        done.set()
        thread.join()


class Raises:
    def __reduce__(self) -> Any:
        return (Raises, (), None, self.items())

    def items(self) -> Iterator[int]:
        yield 1
        raise LookupError("hunter2")


def test_what_raises_while_it_is_read_is_refused() -> None:
    """With its type and that of the error, whose words may hold anything."""
    with pytest.raises(UnhashableError) as caught:
        digest_of([Raises()])
    assert (caught.value.kind, caught.value.reason) == (
        f"{__name__}.Raises",
        "LookupError was raised while it was read",
    )
