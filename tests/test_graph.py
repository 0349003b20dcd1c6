"""Order, cycles, waves and scheduling, each compared with a naive reference on random graphs."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyte_nb.errors import CircularDependencyError
from flyte_nb.graph import Schedule, closure, cycle_through, find_cycle, longest_ways, ordered, reversed_edges, waves

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Graph = dict[str, tuple[str, ...]]

LONG_CHAIN = 100_000
DIAMONDS = 1_000


@st.composite
def graphs(draw: st.DrawFn, *, acyclic: bool) -> Graph:
    """Return up to ten names in any order of registration, and edges that may repeat themselves."""
    size = draw(st.integers(0, 10))
    names = [f"n{index}" for index in draw(st.permutations(range(size)))]
    edges: Graph = {}
    for position, name in enumerate(names):
        possible = names[:position] if acyclic else names
        edges[name] = tuple(draw(st.lists(st.sampled_from(possible), max_size=4))) if possible else ()
    return {name: edges[name] for name in draw(st.permutations(names))}


def chain(length: int) -> Graph:
    """Return n0 <- n1 <- ..., registered last first."""
    return {f"n{index}": (f"n{index - 1}",) if index else () for index in reversed(range(length))}


def ladder(diamonds: int) -> Graph:
    """Return diamonds one above the other: 2 ** diamonds paths from the top to the bottom."""
    edges: Graph = {"top0": ()}
    for level in range(1, diamonds + 1):
        edges[f"left{level}"] = edges[f"right{level}"] = (f"top{level - 1}",)
        edges[f"top{level}"] = (f"left{level}", f"right{level}")
    return edges


def naive_order(edges: Mapping[str, Iterable[str]]) -> list[str] | None:
    """Take the first registered name that is ready, again and again; None if none is."""
    order: list[str] = []
    while len(order) < len(edges):
        ready = [name for name in edges if name not in order and set(edges[name]) <= set(order)]
        if not ready:
            return None
        order.append(ready[0])
    return order


def assert_cycle(cycle: list[str], edges: Mapping[str, Iterable[str]]) -> None:
    """Each name on the way depends on the next, the last is the first again, and no other comes twice."""
    assert cycle[0] == cycle[-1]
    assert len(set(cycle)) == len(cycle) - 1
    for name, dependency in pairwise(cycle):
        assert dependency in edges[name]


@settings(deadline=None)
@given(graphs(acyclic=True))
def test_ordered_is_the_naive_order(edges: Graph) -> None:
    """Each name comes after all it depends on, and of those that are ready the first registered comes first."""
    assert ordered(list(edges), edges) == naive_order(edges)


@settings(deadline=None)
@given(graphs(acyclic=False))
def test_ordered_refuses_exactly_the_graphs_with_a_cycle(edges: Graph) -> None:
    """A graph has an order or a cycle, and the error shows the cycle."""
    expected = naive_order(edges)
    if expected is not None:
        assert ordered(list(edges), edges) == expected
        assert find_cycle(edges, edges) is None
        return
    with pytest.raises(CircularDependencyError) as caught:
        ordered(list(edges), edges)
    assert_cycle(caught.value.cycle, edges)
    assert_cycle(find_cycle(edges, edges) or [], edges)


@settings(deadline=None)
@given(graphs(acyclic=False), st.data())
def test_ordered_looks_at_the_given_names_only(edges: Graph, data: st.DataObject) -> None:
    """Dependencies outside of the names are ignored, even if those have a cycle."""
    names = data.draw(st.lists(st.sampled_from(list(edges)), unique=True)) if edges else []
    among = {name: tuple(d for d in edges[name] if d in names) for name in names}
    expected = naive_order(among)
    if expected is not None:
        assert ordered(names, edges) == expected
        return
    with pytest.raises(CircularDependencyError) as caught:
        ordered(names, edges)
    assert_cycle(caught.value.cycle, among)


def test_a_cycle_outside_of_the_names_is_not_the_one_that_is_shown() -> None:
    """Where both the names and what they depend on have a cycle, the error shows that of the names."""
    edges = {"a": ("x", "b"), "b": ("a",), "x": ("y",), "y": ("x",)}
    with pytest.raises(CircularDependencyError) as caught:
        ordered(["a", "b"], edges)
    assert_cycle(caught.value.cycle, {"a": ("b",), "b": ("a",)})


@settings(deadline=None)
@given(graphs(acyclic=True), st.data())
def test_cycle_through_agrees_with_a_full_check(edges: Graph, data: st.DataObject) -> None:
    """New dependencies are refused exactly if they close a cycle, which begins and ends at the name."""
    names = [*edges, "new"]
    name = data.draw(st.sampled_from(names))
    new = data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True))
    after = {**edges, name: (*edges.get(name, ()), *new)}
    cycle = cycle_through(name, new, edges, reversed_edges(edges, edges))
    assert (cycle is None) == (naive_order({"new": (), **after}) is not None)
    if cycle is not None:
        assert cycle[0] == name
        assert cycle[1] in new
        assert_cycle(cycle, after)


@pytest.mark.parametrize("length", range(6))
@pytest.mark.parametrize("above", [0, 10])
@pytest.mark.parametrize("below", [0, 10])
def test_cycle_through_is_not_distracted(length: int, above: int, below: int) -> None:
    """The way back is found among many names that lead nowhere, above and below."""
    way = ["top", *(f"way{index}" for index in range(length)), "base"]
    edges = {f"above{index}": ("base",) for index in range(above)}
    for name, dependency in pairwise(way):
        edges[name] = (dependency, *(f"below-{name}-{index}" for index in range(below)))
    for reordered in (edges, dict(reversed(edges.items())), {name: edges[name][::-1] for name in edges}):
        names = dict.fromkeys([*reordered, *way])
        assert cycle_through("base", ["top"], reordered, reversed_edges(names, reordered)) == ["base", *way]


def test_cycle_through_gives_a_shortest_cycle() -> None:
    """Of several ways back the shortest is shown."""
    edges = {"base": (), "ml": ("base",), "api": ("ml",), "web": ("api", "base")}
    assert cycle_through("base", ["web"], edges, reversed_edges(edges, edges)) == ["base", "web", "base"]


@settings(deadline=None)
@given(graphs(acyclic=True))
def test_waves_are_the_lengths_of_the_longest_chains(edges: Graph) -> None:
    """A name is one wave after the last of those it depends on, and waves keep the order."""
    order = ordered(list(edges), edges)
    found = waves(order, edges)
    depth = {name: number for number, wave in enumerate(found) for name in wave}
    assert sorted(depth) == sorted(edges)
    assert all(found)
    for name in edges:
        assert depth[name] == 1 + max((depth[dependency] for dependency in edges[name]), default=-1)
    for wave in found:
        assert wave == [name for name in order if name in wave]


@settings(deadline=None)
@given(graphs(acyclic=False), st.data())
def test_closure_is_what_can_be_reached(edges: Graph, data: st.DataObject) -> None:
    """The closure is the smallest set that has the roots and all that its members depend on."""
    roots = data.draw(st.sets(st.sampled_from(list(edges)))) if edges else set()
    expected, before = set(roots), -1
    while len(expected) != before:
        before = len(expected)
        expected |= {dependency for name in expected for dependency in edges[name]}
    assert closure(roots, edges) == expected


@settings(deadline=None)
@given(graphs(acyclic=True), st.data())
def test_schedule_gives_exactly_what_is_ready(edges: Graph, data: st.DataObject) -> None:
    """Whatever ends when, each name is given once, as soon as all it depends on is done, in order."""
    order = ordered(list(edges), edges)
    schedule, given_out, done = Schedule(order, edges), [], set()
    while True:
        ready = [name for name in order if name not in given_out and set(edges[name]) <= done]
        for name in ready:
            assert schedule.next() == name
        assert schedule.next() is None
        given_out += ready
        running = [name for name in given_out if name not in done]
        if not running:
            break
        ended = data.draw(st.sampled_from(running))
        schedule.done(ended)
        done.add(ended)
    assert sorted(given_out) == sorted(edges)


def test_schedule_gives_again_what_is_to_be_tried_again() -> None:
    """What is handed back takes its place among what is ready, and nobody waits for it less."""
    schedule = Schedule(["a", "b", "c"], {"c": ("a",)})
    assert (schedule.ready, schedule.first) == (2, "a")
    assert [schedule.next(), schedule.next(), schedule.next()] == ["a", "b", None]
    assert (schedule.ready, schedule.first) == (0, None)
    schedule.again("b")
    schedule.again("a")
    assert [schedule.next(), schedule.next(), schedule.next()] == ["a", "b", None]
    schedule.done("a")
    assert schedule.next() == "c"


def test_schedule_follows_an_order_that_is_not_that_of_dependencies() -> None:
    """What is urgent comes first as soon as it is ready."""
    schedule = Schedule(["top", "late", "base"], {"top": ("base",)})
    assert schedule.next() == "late"
    assert schedule.next() == "base"
    schedule.done("base")
    assert schedule.next() == "top"


def test_schedule_ignores_what_is_not_in_the_order() -> None:
    """A dependency that is not part of the work is not waited for."""
    schedule = Schedule(["ml"], {"ml": ("base",)})
    assert schedule.next() == "ml"


@settings(deadline=None)
@given(graphs(acyclic=True))
def test_reversed_edges_turn_every_edge(edges: Graph) -> None:
    """A name is a dependent of exactly those it depends on."""
    dependents = reversed_edges(edges, edges)
    assert {(a, b) for a in edges for b in edges[a]} == {(a, b) for b in dependents for a in dependents[b]}


@pytest.mark.parametrize("edges", [chain(LONG_CHAIN), ladder(DIAMONDS)], ids=["chain", "ladder"])
def test_deep_graphs_are_ordinary_input(edges: Graph) -> None:
    """A chain of 100,000 and a ladder of 1,000 diamonds go through every function without recursion."""
    top = next(name for name, dependents in reversed_edges(edges, edges).items() if not dependents)
    bottom = next(name for name in edges if not edges[name])
    order = ordered(list(edges), edges)
    assert (order[0], order[-1], len(order)) == (bottom, top, len(edges))
    assert waves(order, edges)[-1] == [top]
    assert closure([top], edges) == set(edges)
    assert longest_ways(order, edges, dict.fromkeys(edges, 1))[0][bottom] == len(waves(order, edges))
    assert find_cycle(edges, edges) is None
    closed = {**edges, bottom: (top,)}
    assert_cycle(find_cycle(closed, closed) or [], closed)
    assert_cycle(cycle_through(bottom, [top], edges, reversed_edges(edges, edges)) or [], closed)
    with pytest.raises(CircularDependencyError):
        ordered(list(closed), closed)
    schedule, ended = Schedule(order, edges), []
    while (name := schedule.next()) is not None:
        schedule.done(name)
        ended.append(name)
    assert sorted(ended) == sorted(order)
