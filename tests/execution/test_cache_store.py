"""The folder of results: whole values or none, whoever else uses it or is killed, and never more than its limit."""

from __future__ import annotations

import os
import random
import signal
import stat
import subprocess
import sys
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyte_nb.execution.caching.store import Kept, ResultStore

if TYPE_CHECKING:
    from pathlib import Path

NO_LIMIT = 2**40
KEY = "ab" * 32


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "home" / "cache"


@pytest.fixture
def store(folder: Path) -> ResultStore:
    return ResultStore(folder)


def files(folder: Path) -> list[Path]:
    """Return every file in the folder."""
    return [path for path in folder.rglob("*") if path.is_file()]


def test_what_was_put_is_got(store: ResultStore, folder: Path) -> None:
    """By another store of the same folder, too; each time a new value."""
    value = {"a": [1, None]}
    assert store.get(KEY, None) is None
    store.put(KEY, value, NO_LIMIT)
    kept = ResultStore(folder).get(KEY, None)
    assert kept == Kept(value)
    assert kept is not None
    kept.value["a"].append(2)
    assert store.get(KEY, None) == Kept(value)
    store.put(KEY, None, NO_LIMIT)
    assert store.get(KEY, None) == Kept(None)


def test_the_folder_is_the_users_own(store: ResultStore, folder: Path) -> None:
    """Nobody else can read or write what is kept."""
    store.put(KEY, 1, NO_LIMIT)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in files(folder)] == [0o600]


@given(st.data())
def test_a_damaged_file_is_no_value(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Cut anywhere, or with any byte changed, a file is as good as missing, and is replaced."""
    folder = tmp_path_factory.mktemp("cache")
    store = ResultStore(folder)
    store.put(KEY, ["value"] * 3, NO_LIMIT)
    (path,) = files(folder)
    content = path.read_bytes()
    where = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        path.write_bytes(content[:where])
    else:
        path.write_bytes(
            content[:where] + bytes([content[where] ^ data.draw(st.integers(1, 255))]) + content[where + 1 :]
        )
    assert store.get(KEY, None) is None
    store.put(KEY, "new", NO_LIMIT)
    assert store.get(KEY, None) == Kept("new")


def test_a_result_whose_class_is_gone_is_no_value(store: ResultStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """It counts again once there is a class of that name, and is then of that class."""
    Result = type("Result", (), {"__module__": "__main__"})  # noqa: N806 - a class
    main = sys.modules["__main__"]
    monkeypatch.setattr(main, "Result", Result, raising=False)
    store.put(KEY, Result(), NO_LIMIT)
    monkeypatch.delattr(main, "Result")
    assert store.get(KEY, None) is None
    again = type("Result", (), {"__module__": "__main__"})
    monkeypatch.setattr(main, "Result", again, raising=False)
    kept = store.get(KEY, None)
    assert kept
    assert type(kept.value) is again


def test_what_has_no_name_is_kept_with_its_code(store: ResultStore) -> None:
    """Lambdas and classes inside functions come back as they were."""

    class Local:
        def go(self) -> int:
            return 5

    store.put(KEY, (lambda x: x + 1, Local()), NO_LIMIT)
    kept = store.get(KEY, None)
    assert kept
    assert (kept.value[0](1), kept.value[1].go()) == (2, 5)


def test_old_results_do_not_count(store: ResultStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Age counts from when a result was stored, however often it was used since; zero is no limit."""
    store.put(KEY, 1, NO_LIMIT)
    stored = time.time()
    monkeypatch.setattr(time, "time", lambda: stored + 100)
    for _ in range(2):
        assert store.get(KEY, timedelta(seconds=110))
        assert store.get(KEY, timedelta(seconds=90)) is None
        assert store.get(KEY, timedelta(0))
        assert store.get(KEY, None)
    monkeypatch.undo()


def test_what_was_not_used_for_long_goes_first(store: ResultStore, folder: Path) -> None:
    """The results never take up more than the limit, and those that were used lately stay."""
    limit = 100 * 4096
    keys = [f"{number:02x}" * 32 for number in range(250)]
    for number, key in enumerate(keys):
        store.put(key, number, limit)
        os.utime(store._path(key), (number, number))
        assert store.get(keys[0], None) == Kept(0)  # used all the time
        assert len(files(folder)) <= 100
    assert len(files(folder)) >= 90
    assert store.get(keys[-1], None) == Kept(249)
    assert store.get(keys[1], None) is None


def test_a_large_result_makes_room(store: ResultStore, folder: Path) -> None:
    """A result that nearly fills the folder displaces the others; one that is larger is refused."""
    limit = 100 * 4096
    for number in range(50):
        store.put(f"{number:02x}" * 32, number, limit)
    store.put(KEY, b"x" * (limit - 4096), limit)
    assert len(files(folder)) == 1
    with pytest.raises(OverflowError, match="takes up"):
        store.put(KEY, b"x" * limit, limit)
    assert store.get(KEY, None)


def test_what_cannot_be_pickled_leaves_what_was_there(store: ResultStore, folder: Path) -> None:
    """And no file beside it."""
    store.put(KEY, 1, NO_LIMIT)
    with pytest.raises(TypeError):
        store.put(KEY, (number for number in ()), NO_LIMIT)
    assert store.get(KEY, None) == Kept(1)
    assert len(files(folder)) == 1


WRITER = """
import sys
from pathlib import Path
from flyte_nb.execution.caching.store import ResultStore
store = ResultStore(Path(sys.argv[1]))
number = 0
print("writing", flush=True)
while True:
    number += 1
    value = bytes([number % 256]) * 4_000_000
    for key in ("aa" * 32, "bb" * 32):
        store.put(key, value, 2**40)
"""


@pytest.mark.slow
def test_a_killed_writer_leaves_no_half_value(store: ResultStore, folder: Path) -> None:
    """A process that is killed at any moment of writing leaves whole values, and what it left aside goes in time."""
    for key in ("aa" * 32, "bb" * 32):
        store.put(key, bytes(4_000_000), NO_LIMIT)
    for attempt in range(15):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, folder], stdout=subprocess.PIPE)
        assert writer.stdout
        writer.stdout.readline()
        time.sleep(random.Random(attempt).uniform(0.01, 0.15))  # noqa: S311 - any moments will do
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        for key in ("aa" * 32, "bb" * 32):
            kept = store.get(key, None)
            assert kept, "the earlier value is there until the next one is"
            assert len(kept.value) == 4_000_000
            assert len(set(kept.value)) == 1
    store.put("aa" * 32, "after", NO_LIMIT)
    assert store.get("aa" * 32, None) == Kept("after")
    for path in files(folder):
        os.utime(path, (0, 0))
    ResultStore(folder).put("cc" * 32, "later", NO_LIMIT)
    assert not [path for path in files(folder) if path.suffix == ".tmp"]


SHARER = """
import sys
from pathlib import Path
from flyte_nb.execution.caching.store import ResultStore
store = ResultStore(Path(sys.argv[1]))
for number in range(600):
    key = f"{number * 7 % 90:02x}" * 32
    kept = store.get(key, None)
    assert kept is None or kept.value == [key] * 100, kept
    store.put(key, [key] * 100, 60 * 4096)
"""


def test_two_processes_share_the_folder(folder: Path, store: ResultStore) -> None:
    """Both write, use and remove the same results at once, and neither sees an error or a wrong value."""
    sharers = [subprocess.Popen([sys.executable, "-W", "error", "-c", SHARER, folder]) for _ in range(2)]
    assert [sharer.wait() for sharer in sharers] == [0, 0]
    found: list[Any] = [store.get(f"{number:02x}" * 32, None) for number in range(90)]
    assert 30 <= len([kept for kept in found if kept]) <= 66
