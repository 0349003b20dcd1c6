"""Caching, retries and timeouts: what is accepted, what it becomes, what is refused."""

from __future__ import annotations

import math
import pickle
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyte_nb.errors import InvalidTypeError, InvalidValueError
from flyte_nb.model.policies import Backoff, Cache, RetryStrategy, Timeout, as_cache, as_retries, as_timeout

MINUTE = timedelta(minutes=1)


def test_cache_by_default() -> None:
    """A cache is automatic unless told otherwise."""
    cache = Cache()
    assert (cache.behavior, cache.version_override, cache.ignored_inputs) == ("auto", None, ())
    assert (cache.salt, cache.max_age) == ("", None)


@pytest.mark.parametrize("max_age", [60, 60.0, MINUTE])
def test_cache_age(max_age: Any) -> None:
    """An age in seconds becomes a timedelta."""
    assert Cache(max_age=max_age).max_age == MINUTE


def test_cache_age_of_zero() -> None:
    """An age of zero is kept, because it differs from None."""
    assert Cache(max_age=0).max_age == timedelta(0)


@pytest.mark.parametrize("names", [["b", "a", "b"], ("a", "b"), {"a", "b"}, (name for name in "ab")])
def test_ignored_inputs(names: Any) -> None:
    """Ignored inputs have one order and no repetitions."""
    assert Cache(ignored_inputs=names).ignored_inputs == ("a", "b")


def test_one_ignored_input() -> None:
    """One ignored input may be given as a string."""
    assert Cache(ignored_inputs="verbose").ignored_inputs == ("verbose",)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"behavior": "atuo"}, "Did you mean 'auto'?"),
        ({"behavior": "AUTO"}, "Did you mean 'auto'?"),
        ({"behavior": "override"}, "version_override"),
        ({"version_override": " "}, "is empty"),
        ({"ignored_inputs": ["not a name"]}, "Cache.ignored_inputs"),
        ({"ignored_inputs": ""}, "Cache.ignored_inputs"),
        ({"max_age": -1}, "is negative"),
        ({"max_age": -MINUTE}, "is negative"),
    ],
)
def test_invalid_cache(fields: dict[str, Any], said: str) -> None:
    """A cache that means nothing is refused."""
    with pytest.raises(InvalidValueError) as caught:
        Cache(**fields)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "fields",
    [
        {"behavior": True},
        {"behavior": None},
        {"version_override": 1},
        {"ignored_inputs": 1},
        {"ignored_inputs": [1]},
        {"ignored_inputs": {"a": 1}},
        {"ignored_inputs": [["a"]]},
        {"salt": None},
        {"max_age": True},
        {"max_age": "1h"},
    ],
)
def test_cache_of_wrong_type(fields: dict[str, Any]) -> None:
    """A cache field of the wrong type is named."""
    with pytest.raises(InvalidTypeError, match=rf"Cache\.{next(iter(fields))}"):
        Cache(**fields)


def test_as_cache() -> None:
    """A field takes a behavior or a Cache."""
    cache = Cache("override", version_override="1")
    assert as_cache("Task.cache", cache) is cache
    assert as_cache("Task.cache", "auto") == Cache("auto")
    assert as_cache("Task.cache", "disable") == Cache("disable")


def test_override_without_version() -> None:
    """Behavior "override" without a version says how to give one."""
    with pytest.raises(InvalidValueError, match=r'Task\.cache.*Cache\("override", version_override='):
        as_cache("Task.cache", "override")


def test_misspelled_behavior() -> None:
    """A misspelled behavior is recognised."""
    with pytest.raises(InvalidValueError, match=r"Task\.cache.*Did you mean 'disable'\?"):
        as_cache("Task.cache", "disabled")


@pytest.mark.parametrize("value", [True, None, 1, ["auto"]])
def test_as_cache_of_wrong_type(value: object) -> None:
    """What is neither a string nor a Cache is the wrong type."""
    with pytest.raises(InvalidTypeError, match=r"Task\.cache"):
        as_cache("Task.cache", value)


def test_growing_delay() -> None:
    """Waits grow up to the cap."""
    backoff = Backoff(10, factor=2, cap=MINUTE)
    assert [backoff.delay(n).total_seconds() for n in range(5)] == [10, 20, 40, 60, 60]


def test_constant_delay() -> None:
    """Waits are constant without a factor."""
    assert Backoff(MINUTE).delay(0) == Backoff(MINUTE).delay(10**400) == MINUTE


@pytest.mark.parametrize("n", [43, 5_000, 10**400])
def test_huge_delay(n: int) -> None:
    """A wait never overflows, however many retries there were."""
    assert Backoff(10, factor=2.0, cap=300).delay(n) == timedelta(seconds=300)
    assert Backoff(0, factor=2.0, cap=300).delay(n) == timedelta(0)


@given(
    base=st.timedeltas(min_value=timedelta(0)),
    factor=st.floats(min_value=1, allow_infinity=False, allow_nan=False),
    cap=st.timedeltas(min_value=timedelta(0)),
    n=st.integers(min_value=0),
)
def test_any_delay(base: timedelta, factor: float, cap: timedelta, n: int) -> None:
    """Any wait is between zero and the cap."""
    assert timedelta(0) <= Backoff(base, factor, cap).delay(n) <= cap


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"base": -1}, "Backoff.base"),
        ({"base": math.nan}, "Backoff.base"),
        ({"base": math.inf}, "Backoff.base"),
        ({"base": 1, "factor": 0.5}, "Backoff.factor"),
        ({"base": 1, "factor": math.nan, "cap": 1}, "Backoff.factor"),
        ({"base": 1, "factor": math.inf, "cap": 1}, "Backoff.factor"),
        ({"base": 1, "factor": 10**400, "cap": 1}, "Backoff.factor"),
        ({"base": 1, "factor": 2}, "Backoff.cap"),
        ({"base": 1, "cap": -1}, "Backoff.cap"),
    ],
)
def test_invalid_backoff(fields: dict[str, Any], said: str) -> None:
    """A backoff that means nothing is refused with its field."""
    with pytest.raises(InvalidValueError) as caught:
        Backoff(**fields)
    assert caught.value.field == said


@pytest.mark.parametrize(
    "fields", [{"base": "1"}, {"base": True}, {"base": 1, "factor": True}, {"base": 1, "cap": "1"}]
)
def test_backoff_of_wrong_type(fields: dict[str, Any]) -> None:
    """A backoff with a field of the wrong type is refused."""
    with pytest.raises(InvalidTypeError, match=r"Backoff\."):
        Backoff(**fields)


def test_delay_of_what() -> None:
    """The retry to wait for is counted from zero."""
    with pytest.raises(InvalidValueError, match="negative"):
        Backoff(1).delay(-1)
    with pytest.raises(InvalidTypeError, match="integer"):
        Backoff(1).delay(1.0)  # type: ignore[arg-type]


def test_as_retries() -> None:
    """Retries are a number or a RetryStrategy."""
    strategy = RetryStrategy(5, backoff=Backoff(1))
    assert as_retries("Task.retries", strategy) is strategy
    assert as_retries("Task.retries", 2) == RetryStrategy(2)
    assert as_retries("Task.retries", 0).count == 0


@pytest.mark.parametrize("count", [-1, 2**32])
def test_invalid_retries(count: int) -> None:
    """A number of retries out of range is refused."""
    with pytest.raises(InvalidValueError, match=r"Task\.retries"):
        as_retries("Task.retries", count)
    with pytest.raises(InvalidValueError, match=r"RetryStrategy\.count"):
        RetryStrategy(count)


@pytest.mark.parametrize("count", [True, 1.0, "3", None, Backoff(1)])
def test_retries_of_wrong_type(count: Any) -> None:
    """Retries of the wrong type are refused."""
    with pytest.raises(InvalidTypeError, match=r"Task\.retries must be an integer or a RetryStrategy"):
        as_retries("Task.retries", count)
    with pytest.raises(InvalidTypeError, match=r"RetryStrategy\.count"):
        RetryStrategy(count)


def test_backoff_of_strategy() -> None:
    """A strategy takes a Backoff and nothing else to wait by."""
    with pytest.raises(InvalidTypeError, match=r"RetryStrategy\.backoff"):
        RetryStrategy(1, backoff=10)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [60, 60.0, MINUTE, Timeout(60)])
def test_as_timeout(value: Any) -> None:
    """A bare timeout limits the run time."""
    timeout = as_timeout("Task.timeout", value)
    assert (timeout.max_runtime, timeout.max_queued_time, timeout.deadline) == (MINUTE, None, None)


@pytest.mark.parametrize("value", [None, 0, 0.0, -0.0, timedelta(0), Timeout(), Timeout(0, 0, 0)])
def test_no_timeout(value: Any) -> None:
    """Zero is no timeout."""
    assert as_timeout("Task.timeout", value) == Timeout()


def test_tiny_timeout() -> None:
    """A tiny timeout does not become no timeout."""
    assert as_timeout("Task.timeout", 1e-9).max_runtime == timedelta(microseconds=1)


def test_foreign_timedelta() -> None:
    """A timedelta of another library becomes a plain one."""

    class Duration(timedelta):
        pass

    assert type(Timeout(Duration(seconds=1)).max_runtime) is timedelta


@pytest.mark.parametrize("value", [-1, -0.5, -1e-9, -MINUTE, math.nan, math.inf, -math.inf, 1e300, 10**400])
def test_invalid_timeout(value: Any) -> None:
    """A timeout that means nothing is refused."""
    with pytest.raises(InvalidValueError, match=r"Task\.timeout"):
        as_timeout("Task.timeout", value)
    for field in ("max_runtime", "max_queued_time", "deadline"):
        with pytest.raises(InvalidValueError, match=rf"Timeout\.{field}"):
            Timeout(**{field: value})


@pytest.mark.parametrize("value", [True, False, "60", [60], 1j])
def test_timeout_of_wrong_type(value: Any) -> None:
    """A timeout of the wrong type is refused."""
    with pytest.raises(InvalidTypeError, match=r"Task\.timeout"):
        as_timeout("Task.timeout", value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Cache("disable"), "Cache(behavior='disable')"),
        (Cache(ignored_inputs="x", max_age=1.5), "Cache(behavior='auto', ignored_inputs=('x',), max_age=1.5)"),
        (RetryStrategy(2, Backoff(10)), "RetryStrategy(count=2, backoff=Backoff(base=10, factor=1.0))"),
        (Timeout(timedelta(days=365)), "Timeout(max_runtime=31536000)"),
    ],
)
def test_value_semantics(value: Any, text: str) -> None:
    """Policies can be compared, hashed and pickled, and print as source code."""
    assert repr(value) == text
    assert eval(text) == value  # noqa: S307
    assert hash(pickle.loads(pickle.dumps(value))) == hash(value)  # noqa: S301


_ANYTHING = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.timedeltas() | st.just(())
)


@given(value=_ANYTHING, normalise=st.sampled_from([as_cache, as_retries, as_timeout]))
def test_any_value(value: Any, normalise: Any) -> None:
    """Any value is either accepted or refused with our own errors."""
    try:
        accepted = normalise("Field", value)
    except (InvalidTypeError, InvalidValueError):
        return
    assert normalise("Field", accepted) is accepted
