"""How long a deployment will probably still take."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyte_nb.deployment.applying.status import State
from flyte_nb.deployment.planning.plan import Action
from flyte_nb.view.durations import about_text
from flyte_nb.view.remaining import remaining_seconds

from .deployments import BEGAN, chain, status, step


def remaining(steps, *statuses, after=0.0, at_once=None):
    known = {each.name: status(each.name, State.PENDING) for each in steps}
    known |= {each.name: each for each in statuses}
    return remaining_seconds(steps, known, BEGAN + timedelta(seconds=after), at_once)


def test_the_longest_chain_counts():
    """Of two branches the slower one decides, with what it depends on."""
    steps = [step("a", expected=1.0), step("b", "a", expected=2.0), step("c", "a", expected=5.0)]
    assert remaining(steps) == 6.0
    assert remaining(steps, status("a", State.SUCCEEDED, 0, 1), status("c", State.RUNNING, 1), after=3) == 3.0


def test_a_limit_of_concurrency_counts():
    """Eight pieces of work of a second each take four seconds two at a time."""
    steps = [step(f"n{i}", expected=1.0) for i in range(8)]
    assert remaining(steps) == 1.0
    assert remaining(steps, at_once=2) == 4.0


def test_what_is_unknown_counts_as_the_median_of_what_is_known():
    """An environment that was never deployed is as slow as the others usually are."""
    steps = [step("a", expected=1.0), step("b", expected=3.0), step("c", expected=50.0), step("d", "b")]
    assert remaining(steps, status("c", State.SUCCEEDED, 0, 50)) == 6.0


def test_nothing_known_is_nothing_said():
    """Without a single duration there is no estimate, and none once all is over."""
    assert remaining(chain(3)) is None
    assert remaining([step("a", expected=1.0)], status("a", State.FAILED, 0, 1)) is None


def test_what_takes_longer_than_expected_is_almost_done():
    """The estimate stays at zero: it should have ended."""
    assert remaining([step("a", expected=1.0)], status("a", State.RUNNING, 0), after=60) == 0.0


def test_another_attempt_takes_its_time_from_its_own_beginning():
    """What the first one took counts no more."""
    trying = status("a", State.RUNNING, 0, begun=56, attempt=2)
    assert remaining([step("a", expected=60.0)], trying, after=56) == 60.0
    assert remaining([step("a", expected=60.0)], trying, after=76) == 40.0


def test_what_is_unchanged_or_will_not_be_tried_takes_no_time():
    """Skipped environments leave the estimate, and unchanged ones were never in it."""
    steps = [
        step("a", action=Action.UNCHANGED, expected=9.0),
        step("b", "a", expected=2.0),
        step("c", "b", expected=4.0),
    ]
    assert remaining(steps) == 6.0
    assert remaining(steps, status("c", State.SKIPPED)) == 2.0


@given(st.lists(st.floats(0.1, 100), min_size=1, max_size=30), st.integers(1, 8), st.randoms(use_true_random=False))
def test_an_estimate_lies_between_the_slowest_and_all_of_them(durations, at_once, random):
    """Whatever the graph, no less than the longest piece of work and no more than all of them, one by one."""
    steps = [
        step(f"n{i}", *(f"n{j}" for j in range(i) if random.random() < 0.2), expected=seconds)
        for i, seconds in enumerate(durations)
    ]
    found = remaining(steps, at_once=at_once)
    assert max(durations) <= found + 1e-9
    assert found <= sum(durations) + 1e-9


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "about 1 s"),
        (12.4, "about 12 s"),
        (59.6, "about 1 min"),
        (128, "about 2 min 10 s"),
        (599, "about 10 min"),
        (1510, "about 25 min"),
        (3600, "about 1 h"),
        (11_400, "about 3 h 10 min"),
    ],
)
def test_an_estimate_is_told_no_more_exactly_than_it_is_known(seconds, text):
    """The longer, the coarser."""
    assert about_text(seconds) == text
