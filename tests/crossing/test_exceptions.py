"""Exceptions arrive with their type, what they hold, their links and where they were raised, as far as that can go."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import traceback
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyte_nb import errors
from flyte_nb.crossing import frames
from flyte_nb.crossing.exceptions import pack_error, unpack_error
from flyte_nb.errors import RemoteError
from tests.crossing import user_code
from tests.crossing.sides import NOWHERE, knowing
from tests.crossing.user_code import TrainingError

KERNEL = knowing(user_code)


def arrived(error: BaseException, there: Any = KERNEL, here: Any = KERNEL) -> Any:
    return unpack_error(pack_error(error, here), there)


def unicode_error() -> UnicodeDecodeError:
    try:
        b"\xff".decode()
    except UnicodeDecodeError as error:
        return error
    raise AssertionError


OF_PYTHON = [
    ValueError(1, "two"), KeyError("a"), FileNotFoundError(2, "none", "file.txt"), StopIteration(3), SystemExit(4),
    KeyboardInterrupt(), asyncio.CancelledError("stopped"), asyncio.TimeoutError(),
    ImportError("no", name="n", path="p"),
    unicode_error(), SyntaxError("bad", ("file.py", 1, 2, "text")), subprocess.CalledProcessError(3, ["ls"], b"out"),
    ModuleNotFoundError("no"), RecursionError(), OSError("text"), AttributeError("a"),
]  # fmt: skip


ATTRIBUTES = [
    "filename", "errno", "value", "code", "name", "path", "object", "start", "lineno", "returncode", "stdout"
]  # fmt: skip


@pytest.mark.parametrize("error", OF_PYTHON, ids=lambda error: type(error).__name__)
def test_exceptions_of_python_arrive_as_they_were(error: Any) -> None:
    """Type, text and all attributes are the same."""
    there = arrived(error)
    assert type(there) is type(error)
    assert (str(there), there.args) == (str(error), error.args)
    for name in ATTRIBUTES:
        assert getattr(there, name, None) == getattr(error, name, None)


OF_FLYTE_NB = [
    errors.CircularDependencyError(["a", "b", "a"]), errors.UnknownEnvironmentError("a", ["b"]),
    errors.CannotCrossError("what", "kind", "reason"), errors.TaskTimeoutError("ml.train", 3.0),
    errors.WorkerDiedError("ml.train", "exit code 3"), errors.NotDeployedError("ml", "local", ["a"]),
]  # fmt: skip


@pytest.mark.parametrize("error", OF_FLYTE_NB, ids=lambda error: type(error).__name__)
def test_errors_of_flyte_nb_arrive_whole(error: Any) -> None:
    """Their attributes arrive, whatever their constructors take."""
    there = arrived(error, NOWHERE)
    assert type(there) is type(error)
    assert str(there) == str(error)
    assert vars(there) == vars(error)


def failing(number: int) -> None:
    if number:
        failing(number - 1)
    raise TrainingError(3, 0.5)


def failed(number: int = 0) -> BaseException:
    """Return an exception that was raised a few calls down."""
    try:
        failing(number)
    except TrainingError as error:
        return error
    raise AssertionError


def test_exceptions_of_the_user_arrive_without_their_constructor() -> None:
    """A constructor that takes other things than the message is not called again."""
    there = arrived(failed())
    assert type(there) is TrainingError
    assert (there.epoch, there.loss, str(there)) == (3, 0.5, "epoch 3 has loss 0.5")


@given(st.integers(0, 30))
def test_tracebacks_arrive(depth: int) -> None:
    """File, line and function of each frame are the same, and Python shows the source."""
    error = failed(depth)
    here = traceback.extract_tb(error.__traceback__)
    there = traceback.extract_tb(arrived(error).__traceback__)
    assert len(here) == depth + 2
    assert [(frame.filename, frame.lineno, frame.name, frame.line) for frame in there] == [
        (frame.filename, frame.lineno, frame.name, frame.line) for frame in here
    ]


def test_frames_of_flyte_nb_are_left_out() -> None:
    """A traceback shows the user's code only."""
    try:
        errors.did_you_mean(3, ["a"])  # type: ignore[arg-type]
    except AttributeError as error:
        there = arrived(error)
    files = [frame.filename for frame in traceback.extract_tb(there.__traceback__)]
    assert files == [__file__]


def test_causes_and_contexts_arrive() -> None:
    """How exceptions led to each other is shown as it would be here."""
    try:
        try:
            try:
                failing(0)
            except TrainingError as error:
                raise KeyError("second") from error
        except KeyError:
            raise ValueError("third")  # noqa: B904 - with a context, not a cause
    except ValueError as error:
        shown, there = "".join(traceback.format_exception(error)), arrived(error)
    assert type(there.__context__) is KeyError
    assert type(there.__context__.__cause__) is TrainingError
    text = "".join(traceback.format_exception(there))
    assert text.count("direct cause") == shown.count("direct cause") == 1
    assert text.count("During handling") == shown.count("During handling") == 1


def test_exceptions_that_lead_to_each_other_in_a_circle_arrive() -> None:
    """A circle stays one, and a chain of thousands ends somewhere."""
    first, second = ValueError(1), ValueError(2)
    first.__context__, second.__context__ = second, first
    there = arrived(first)
    assert there.__context__.__context__ is there
    last: BaseException = ValueError(0)
    for number in range(5000):
        following = ValueError(number)
        following.__cause__, last = last, following
    assert str(arrived(last)) == "4999"


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python has groups since 3.11")
def test_groups_arrive_with_their_exceptions() -> None:
    """Groups inside of groups too."""
    group = ExceptionGroup("all", [failed(), ExceptionGroup("inner", [KeyError("a")])])  # type: ignore[name-defined]  # noqa: F821
    there = arrived(group)
    assert (type(there), there.message) == (type(group), "all")
    assert [type(error) for error in there.exceptions] == [TrainingError, type(group)]
    assert repr(there.exceptions[1].exceptions) == repr(group.exceptions[1].exceptions)
    assert there.exceptions[0].__traceback__ is not None


def test_what_cannot_cross_goes_as_text() -> None:
    """An exception that holds a lock still arrives, with the text of the lock; secrets in it are masked."""

    class Holder:
        def __init__(self) -> None:
            self.lock = threading.Lock()

        def __repr__(self) -> str:
            return "<holder password=hunter2>"

    error = TrainingError(1, 2)
    error.args = ("a", Holder())
    error.held = [threading.Lock()]  # type: ignore[attr-defined]
    there = arrived(error)
    assert type(there) is TrainingError
    assert there.args[0] == "a"
    assert there.args[1].startswith("<holder password=***")
    assert "lock" in there.held
    assert there.epoch == 1


def test_an_exception_whose_type_is_unknown_is_told_and_comes_back() -> None:
    """Where its type means nothing it is a RemoteError; going on to where it does, it is itself again."""
    error = failed()
    error.__cause__ = ValueError("why")
    there = arrived(error, NOWHERE)
    assert type(there) is RemoteError
    assert (there.kind, there.message) == ("tests.crossing.user_code.TrainingError", "epoch 3 has loss 0.5")
    assert there.__traceback__ is not None
    back = arrived(there, KERNEL, NOWHERE)
    assert type(back) is TrainingError
    assert (back.epoch, repr(back.__cause__)) == (3, "ValueError('why')")


class OddError(Exception):
    """Fails at everything."""

    def __str__(self) -> str:
        raise RuntimeError("no text")

    def __reduce__(self) -> Any:
        raise RuntimeError("no way")


def test_nothing_an_exception_does_prevents_it_from_arriving() -> None:
    """One whose methods fail arrives as something that is told."""
    for there in (arrived(OddError("a")), arrived(OddError("a"), NOWHERE, NOWHERE)):
        assert isinstance(there, BaseException)
        assert "Odd" in repr(there) or "Odd" in type(there).__name__
    parcel = pack_error(ValueError("a"), KERNEL)
    broken = type(parcel)(parcel.payload[:20])
    assert isinstance(unpack_error(broken, KERNEL), RemoteError)


def test_without_tblib_the_traceback_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    """In environments without tblib the frames are told as text; where it is, they are frames again."""
    monkeypatch.setitem(sys.modules, "tblib", None)
    there = arrived(failed())
    assert there.__traceback__ is None
    assert "in failing" in there.__notes__[0]
    monkeypatch.undo()
    back = arrived(there)
    assert not getattr(back, "__notes__", None)
    assert [frame.name for frame in traceback.extract_tb(back.__traceback__)] == ["failed", "failing"]


def test_frames_of_both_sides_are_in_order() -> None:
    """An exception that is raised again on its way shows the callers of the other side first."""
    there = arrived(failed())

    def calling() -> None:
        raise there

    try:
        calling()
    except TrainingError as error:
        names = [frame.function for frame in frames.frames_of(error.__traceback__)]
    assert names == ["test_frames_of_both_sides_are_in_order", "calling", "failed", "failing"]


def test_notes_arrive() -> None:
    """What was added to an exception is shown there too."""
    error = failed()
    error.__notes__ = ["remember the milk"]  # type: ignore[attr-defined]
    assert arrived(error).__notes__ == ["remember the milk"]


def test_large_arguments_do_not_travel_in_the_payload() -> None:
    """An exception with a large argument arrives, and its parcel is small."""
    parcel = pack_error(ValueError(b"x" * 10_000_000), KERNEL)
    assert len(parcel.payload) < 1_000_000
    assert isinstance(unpack_error(parcel, KERNEL), ValueError)
