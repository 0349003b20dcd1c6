"""What a task prints and logs is its own, also among others, and still appears."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import io
import logging
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

import flyte_nb as flyte
from flyte_nb.execution.capture import Capture
from flyte_nb.execution.output import MOST_LINES, Output

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def env() -> flyte.TaskEnvironment:
    return flyte.TaskEnvironment("env")


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """A logger of the user's that shows nothing by itself."""
    made = logging.getLogger("of the user")
    made.setLevel(logging.INFO)
    made.propagate = False
    yield made
    made.handlers.clear()


def asyncio_root(env: flyte.TaskEnvironment, task: Any) -> Any:
    """Return a task that runs a sync one in a thread."""

    @env.task
    async def root() -> None:
        await task.aio()

    return root


def told(run: flyte.Run[Any]) -> list[tuple[str, str, str]]:
    return [(line.task, line.stream, line.text) for line in run.logs]


def test_concurrent_tasks_keep_their_lines_apart(
    env: flyte.TaskEnvironment, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each line is with the call that printed it, and all of them appear."""

    @env.task
    async def say(number: int) -> None:
        for step in range(3):
            print(f"{number}", end=".")
            await asyncio.sleep(0)
            print(f"{step}")

    @env.task
    async def all_at_once() -> None:
        await asyncio.gather(*(say(number) for number in range(20)))

    run = asyncio.run(flyte.run(all_at_once))
    nodes = {node.id: node for node in run.tree}
    lines: dict[int, list[str]] = {}
    for line in run.logs:
        lines.setdefault(line.node, []).append(line.text)
    assert len(lines) == 20
    for node, texts in lines.items():
        number = nodes[node].inputs.removeprefix("number=")
        assert texts == [f"{number}.{step}" for step in range(3)]
        assert nodes[node].lines == 3
    assert sorted(capsys.readouterr().out) == sorted("".join(f"{n}.{s}\n" for n in range(20) for s in range(3)))


def test_stderr_and_sync_tasks_in_threads(env: flyte.TaskEnvironment, capsys: pytest.CaptureFixture[str]) -> None:
    """A thread that carries the context prints for its call."""

    @env.task
    def say() -> None:
        print("from the thread", file=sys.stderr)

    @env.task
    async def root() -> None:
        print("before")
        await say.aio()

    assert told(asyncio.run(flyte.run(root))) == [
        ("env.root", "stdout", "before"),
        ("env.say", "stderr", "from the thread"),
    ]
    assert capsys.readouterr() == ("before\n", "from the thread\n")


def test_threads_do_not_cut_into_each_others_lines(
    env: flyte.TaskEnvironment, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line and its end, which print writes one after the other, appear together; the rest of a line at the end."""

    @env.task
    def say(number: int) -> None:
        for step in range(100):
            sys.stdout.write(f"{number}.{step}")
            time.sleep(0)  # lets others write
            sys.stdout.write("\n")
        print("end", end="")

    @env.task
    async def root() -> None:
        await asyncio.gather(*(say.aio(number) for number in range(4)))

    asyncio.run(flyte.run(root))
    lines = capsys.readouterr().out.replace("end", "\n").split("\n")
    assert sorted(filter(None, lines)) == sorted(f"{n}.{s}" for n in range(4) for s in range(100))


def test_a_thread_that_flushes_shows_what_it_has(
    env: flyte.TaskEnvironment, capsys: pytest.CaptureFixture[str]
) -> None:
    """A part of a line appears at once when it is flushed."""
    seen: list[str] = []

    @env.task
    def say() -> None:
        print("half", end="")
        seen.append(capsys.readouterr().out)
        print(" a line", end="", flush=True)
        seen.append(capsys.readouterr().out)

    asyncio.run(flyte.run(asyncio_root(env, say)))
    assert seen == ["", "half a line"]


def test_logging_is_noted_as_it_is_shown(
    env: flyte.TaskEnvironment, logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each line that a handler shows is noted with its level, whether the handler is older than the run or not."""
    logger.addHandler(older := logging.StreamHandler(sys.stderr))
    older.addFilter(_redact)

    @env.task
    async def root() -> None:
        logger.info("%d rows of card 1234-5678", 3)
        logger.debug("not wanted")
        logger.removeHandler(older)
        logger.addHandler(logging.StreamHandler())
        logger.warning("careful")

    assert told(asyncio.run(flyte.run(root))) == [
        ("env.root", "INFO", "3 rows of card [card]"),
        ("env.root", "WARNING", "careful"),
    ]
    assert capsys.readouterr().err == "3 rows of card [card]\ncareful\n"
    assert older.stream is sys.stderr


def _redact(record: logging.LogRecord) -> bool:
    """Do as users do who keep secrets out of their logs: change the record in a filter of the handler."""
    record.msg, record.args = record.getMessage().replace("1234-5678", "[card]"), ()
    return True


def test_a_logged_exception_brings_its_traceback(
    env: flyte.TaskEnvironment, logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    """logger.exception gives the message and then where it happened."""

    @env.task
    async def root() -> None:
        logger.addHandler(logging.StreamHandler())
        try:
            raise ValueError("no rows")
        except ValueError:
            logger.exception("failed")

    lines = asyncio.run(flyte.run(root)).logs
    assert {line.stream for line in lines} == {"ERROR"}
    assert [line.text for line in (lines[0], lines[-1])] == ["failed", "ValueError: no rows"]


def test_printing_while_printing_harms_nothing(env: flyte.TaskEnvironment) -> None:
    """A finalizer that prints in the middle of another line of its call neither waits for it nor loses it."""

    class Chatty:
        def __init__(self) -> None:
            self.me = self  # only the collector frees it

        def __del__(self) -> None:
            sys.stdout.write("finalized\n")

    @env.task
    async def root() -> None:
        for number in range(300):
            for _ in range(5):
                Chatty()
            print("line", number, "with many\nparts " * 20)
        gc.collect()

    lines = [line.text for line in asyncio.run(flyte.run(root)).logs]
    assert sum(line.count("finalized") for line in lines) == 1_500


def test_secrets_are_masked(env: flyte.TaskEnvironment) -> None:
    """What looks like a key is not in the logs."""

    @env.task
    async def root() -> None:
        print("connecting to postgres://me:hunter2@db/x")

        print("postgres://me:" + "hunter2" * 2_000 + "@db")

    first, second = asyncio.run(flyte.run(root)).logs
    assert first.text == "connecting to postgres://***@db/x"
    assert "hunter2" not in second.text


def test_what_is_redirected_is_the_users(env: flyte.TaskEnvironment, capsys: pytest.CaptureFixture[str]) -> None:
    """A task that redirects its output gets it, and it is not noted."""

    @env.task
    async def root() -> str:
        with contextlib.redirect_stdout(io.StringIO()) as kept:
            print("for me")
        return kept.getvalue()

    run = asyncio.run(flyte.run(root))
    assert (run.result, run.logs, capsys.readouterr().out) == ("for me\n", (), "")


def test_everything_is_as_before_afterwards(env: flyte.TaskEnvironment) -> None:
    """Streams and logging are given back when the last of overlapping runs has ended."""
    streams = (sys.stdout, sys.stderr)

    @env.task
    async def root(steps: int) -> None:
        for _ in range(steps):
            await asyncio.sleep(0)
        print("done")

    async def main() -> None:
        runs = await asyncio.gather(flyte.run(root, 1), flyte.run(root, 5))
        assert [len(run.logs) for run in runs] == [1, 1]

    asyncio.run(main())
    assert (sys.stdout, sys.stderr) == streams


def test_the_stream_is_in_all_else_what_it_stands_for() -> None:
    """Libraries that ask a stream for its encoding, its descriptor or more get the real answers."""
    capture, before = Capture(), sys.stdout
    sys.stdout = real = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    try:
        capture.start()
        assert sys.stdout is not real
        assert sys.stdout.encoding == "latin-1"
        assert sys.stdout.buffer is real.buffer
        sys.stdout.writelines(["a", "b"])
        sys.stdout.flush()
        assert real.buffer.getvalue() == b"ab"  # type: ignore[attr-defined]
        capture.stop()
        assert sys.stdout is real
    finally:
        sys.stdout = before


@pytest.mark.parametrize(
    ("written", "lines"),
    [
        (["a", "b\n", "c"], ["ab", "c"]),
        (["a\nb\n", "\n", "c\n"], ["a", "b", "", "c"]),
        (["10%", "\r20%", "\r100%\n", "done"], ["100%", "done"]),
        (["10%\r", "20%\r", "30%"], ["30%"]),
        (["windows\r\n", "lines\r\n"], ["windows", "lines"]),
        (["", ""], []),
    ],
)
def test_lines_are_what_a_terminal_would_show(written: list[str], lines: list[str]) -> None:
    """Parts of lines are joined, and a progress bar is its last state."""
    output = Output()
    for text in written:
        output.write("stdout", text)
    assert [line.text for line in output.lines(1, "env.task")] == lines


def test_streams_do_not_cut_into_each_other() -> None:
    """A line of stderr in the middle of one of stdout does not end it."""
    output = Output()
    for stream, text in [("stdout", "a"), ("stderr", "oh\n"), ("stdout", "b\n")]:
        output.write(stream, text)
    assert [(line.stream, line.text) for line in output.lines(1, "t")] == [("stdout", "ab"), ("stderr", "oh")]


def test_a_flood_keeps_its_end() -> None:
    """Of too many lines the last are kept, their number is known, and a reader can go on where it was."""
    output = Output()
    for number in range(MOST_LINES + 5):
        output.write("stdout", f"{number}\n")
    assert output.count == MOST_LINES + 5
    assert output.lines(1, "t")[0].text == "5"
    assert [line.text for line in output.lines(1, "t", after=MOST_LINES + 3)] == ["10003", "10004"]
    output.write("stdout", "x" * 1_000_000)
    assert len(output.lines(1, "t")[-1].text) == 10_000


def test_threads_of_one_call_lose_nothing(env: flyte.TaskEnvironment) -> None:
    """Lines that several threads print at once are all there."""

    @env.task
    async def root() -> None:
        def say() -> None:
            for number in range(200):
                print(number)

        await asyncio.gather(*(asyncio.to_thread(say) for _ in range(4)))

    run = asyncio.run(flyte.run(root))
    printed = "".join(line.text for line in run.logs)
    assert len(printed) == 4 * len("".join(map(str, range(200))))
