"""How long a deployment is expected to take, and what should start first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyte_nb.deployment.planning.expectations import by_urgency
from flyte_nb.deployment.planning.making import make_plan
from flyte_nb.graph import longest_ways, ordered
from tests.deployment.fakes import deployed, make, there

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from flyte_nb.deployment.planning.plan import Plan

Graph = dict[str, tuple[str, ...]]

DIAMOND: Graph = {"base": (), "left": ("base",), "right": ("base",), "top": ("left", "right")}


def planned(
    edges: Graph, durations: Mapping[str, float], unchanged: Collection[str] = (), limit: int | None = None
) -> Plan:
    bundles = {name: make(name) for name in edges}
    has = {name: deployed(bundles[name]) for name in unchanged}
    return make_plan("local", list(edges), edges, bundles, has, durations=durations, max_concurrency=limit)


def test_the_longest_way_counts() -> None:
    """What is done at the same time is not added up."""
    plan = planned(DIAMOND, {"base": 1, "left": 5, "right": 2, "top": 3})
    assert plan.expected_duration == 9
    assert plan.critical_path == ("base", "left", "top")
    assert [step.expected for step in plan.steps] == [1, 5, 2, 3]


def test_nothing_is_expected_where_nothing_is_known() -> None:
    """Neither without any experience, nor if nothing is to do."""
    for plan in (planned(DIAMOND, {}), planned({}, {"base": 1}), planned(DIAMOND, {"base": 1}, DIAMOND)):
        assert plan.expected_duration is None
        assert plan.critical_path == ()
        assert {step.expected for step in plan.steps} <= {None}


def test_what_is_not_known_counts_as_what_is_typical() -> None:
    """An environment that was never deployed is taken for the median of the others."""
    plan = planned({**DIAMOND, "new": ("top",)}, {"base": 1, "left": 5, "right": 2, "top": 3})
    assert plan.expected_duration == 9 + 2.5
    assert plan.critical_path == ("base", "left", "top", "new")
    assert plan.steps[-1].expected is None


def test_what_is_unchanged_takes_no_time() -> None:
    """Only what is to do counts, though it waits for its dependencies all the same."""
    plan = planned(DIAMOND, {"base": 1, "left": 5, "right": 2, "top": 3}, {"left"})
    assert plan.expected_duration == 6
    assert plan.critical_path == ("base", "right", "top")


def test_few_places_take_longer() -> None:
    """With a limit it takes at least all the work divided by how much is done at once."""
    edges: Graph = {f"n{number}": () for number in range(10)}
    durations = dict.fromkeys(edges, 2.0)
    assert planned(edges, durations).expected_duration == 2
    assert planned(edges, durations, limit=4).expected_duration == 5
    assert planned(edges, durations, limit=100).expected_duration == 2


def test_removals_count() -> None:
    """What is removed takes what is typical, after what it waits for."""
    plan = make_plan(
        "local", ["ml"], {"ml": ()}, {"ml": make("ml")}, {"base": there("base"), "ml": there("ml", ["base"])},
        removable={"base"}, durations={"ml": 4},
    )  # fmt: skip
    assert plan.expected_duration == 8
    assert plan.critical_path == ("ml", "base")


def test_the_longest_way_to_go_starts_first() -> None:
    """By seconds where they are known, otherwise by how many come after; what is unchanged before all."""
    edges: Graph = {"quick": (), "slow": (), "first": (), "second": ("first",), "same": ()}
    assert by_urgency(planned(edges, {}, {"same"}).steps) == ["same", "first", "quick", "slow", "second"]
    known = {"quick": 1.0, "slow": 9.0, "first": 2.0, "second": 3.0}
    assert by_urgency(planned(edges, known, {"same"}).steps) == ["same", "slow", "first", "second", "quick"]


@given(st.lists(st.tuples(st.integers(0, 255), st.integers(0, 9)), max_size=8), st.randoms())
def test_longest_ways_are_those_of_all_paths(drawn: list[tuple[int, int]], random: st.Random) -> None:
    """The length is the greatest of all paths through what depends on a name, and the next name lies on such a path."""
    edges = {f"n{at}": tuple(f"n{d}" for d in range(at) if mask >> d & 1) for at, (mask, _) in enumerate(drawn)}
    lengths = {f"n{at}": float(length) for at, (_, length) in enumerate(drawn)}
    names = list(edges)
    random.shuffle(names)
    ways, following = longest_ways(ordered(names, edges), edges, lengths)

    def longest(name: str) -> float:
        return lengths[name] + max((longest(user) for user in edges if name in edges[user]), default=0.0)

    assert ways == {name: longest(name) for name in edges}
    for name in edges:
        if name in following:
            assert name in edges[following[name]]
            assert ways[name] == pytest.approx(lengths[name] + ways[following[name]])
        else:
            assert not any(name in edges[user] for user in edges)
