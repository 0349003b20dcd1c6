"""Layouts flow one way, overlap nowhere, and come out the same twice."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyte_nb.view.layout import Box, arrange
from flyte_nb.view.waves import waves


@st.composite
def graphs(draw):
    """Acyclic graphs: every edge goes from an earlier name to a later one, then the names are shuffled."""
    count = draw(st.integers(1, 24))
    names = [f"env-{index}" for index in range(count)]
    pairs = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)).filter(lambda pair: pair[0] < pair[1])
    edges = draw(st.lists(pairs, max_size=50)) if count > 1 else []
    return draw(st.permutations(names)), [(names[a], names[b]) for a, b in edges]


def _along(layout, point):
    return point[0] if layout.flow == "right" else point[1]


@given(graphs())
def test_every_edge_goes_forward(graph):
    """A route leaves one node, never turns back, and enters the other."""
    layout = arrange(*graph)
    for route in layout.routes.values():
        steps = [_along(layout, point) for point in route]
        assert steps == sorted(steps)
        assert len(set(steps)) == len(steps)
    for before, after in graph[1]:
        assert _along(layout, layout.positions[before]) < _along(layout, layout.positions[after])


@given(graphs(), st.sampled_from([Box(), Box(120, 38), Box(320, 50)]))
def test_no_two_nodes_overlap_and_all_are_inside(graph, box):
    """There is room between any two nodes, and the extent holds everything."""
    layout = arrange(*graph, box)
    assert set(layout.positions) == set(graph[0])
    for (x, y), (u, v) in combinations(layout.positions.values(), 2):
        assert abs(x - u) > box.width or abs(y - v) > box.height
    for x, y in layout.positions.values():
        assert box.width / 2 - 0.1 <= x <= layout.width - box.width / 2 + 0.1
        assert box.height / 2 - 0.1 <= y <= layout.height - box.height / 2 + 0.1
    for route in layout.routes.values():
        assert all(-0.1 <= x <= layout.width + 0.1 and -0.1 <= y <= layout.height + 0.1 for x, y in route)


@given(graphs())
def test_no_edge_runs_behind_a_node(graph):
    """Where a route passes a wave, it is beside every node of that wave."""
    layout = arrange(*graph)
    across, reach = (1, layout.box.height / 2) if layout.flow == "right" else (0, layout.box.width / 2)
    along_reach = (layout.box.width if layout.flow == "right" else layout.box.height) / 2
    for route in layout.routes.values():
        for entry in route[1:-1:2]:
            for position in layout.positions.values():
                if abs(_along(layout, entry) + along_reach - _along(layout, position)) < 1:
                    assert abs(entry[across] - position[across]) > reach


@given(graphs())
def test_the_same_graph_is_drawn_the_same(graph):
    """Layouts are a function of what is given, repeated edges or not."""
    names, edges = graph
    assert arrange(names, edges) == arrange(tuple(names), [*edges, *edges])


@given(graphs())
def test_waves_are_the_columns(graph):
    """The nodes of a wave stand in one line, each wave after what it needs."""
    layout = arrange(*graph)
    assert [set(wave) for wave in layout.waves] == [set(wave) for wave in waves(*graph)]
    if graph[1]:
        for wave in layout.waves:
            assert len({_along(layout, layout.positions[name]) for name in wave}) == 1


def test_the_example_is_level_and_without_crossings():
    """base-utils stands centred before its two dependents, and api level with ml-training."""
    names = ("base-utils", "ml-training", "api", "gpu")
    layout = arrange(names, [("base-utils", "ml-training"), ("ml-training", "api"), ("base-utils", "gpu")])
    y = {name: layout.positions[name][1] for name in names}
    assert layout.flow == "right"
    assert y["api"] == y["ml-training"] < y["gpu"]
    assert y["base-utils"] == pytest.approx((y["ml-training"] + y["gpu"]) / 2, abs=0.2)


def test_a_long_chain_turns_down_and_stays_straight():
    """What would not fit a cell's width flows downwards; an edge past the chain does not bend it."""
    names = [f"stage-{index}" for index in range(9)]
    layout = arrange(names, [*pairwise(names), (names[0], names[5])])
    across = [layout.positions[name][0] for name in names]
    assert layout.flow == "down"
    assert max(across) - min(across) < 1


def test_unconnected_environments_fill_rows():
    """Without edges there is one wave; a single column would only be long."""
    layout = arrange([f"env-{index}" for index in range(10)], [])
    assert layout.height < layout.width <= 1_000
    assert len(layout.waves) == 1


def test_nothing_is_laid_out_as_nothing():
    """An empty picture has no extent."""
    layout = arrange([], [])
    assert (layout.waves, layout.positions, layout.width, layout.height) == ((), {}, 0.0, 0.0)


@pytest.mark.parametrize("edges", [[("a", "a")], [("a", "b"), ("b", "a")]])
def test_a_cycle_is_refused(edges):
    """A picture flows one way."""
    with pytest.raises(ValueError, match="circular dependency"):
        arrange(["a", "b"], edges)


def test_a_chain_of_100000_does_not_recurse():
    """Depth costs time, not stack."""
    names = [f"n{index}" for index in range(100_000)]
    layout = arrange(names, pairwise(names))
    assert len(layout.waves) == 100_000


def test_a_ladder_of_1000_diamonds_is_ordinary():
    """The number of paths is not the number of steps."""
    edges = []
    for rung in range(1_000):
        top, left, right, bottom = f"t{rung}", f"l{rung}", f"r{rung}", f"t{rung + 1}"
        edges += [(top, left), (top, right), (left, bottom), (right, bottom)]
    names = list(dict.fromkeys(name for edge in edges for name in edge))
    assert len(arrange(names, edges).waves) == 2_001


def test_edges_past_thousands_of_waves_cost_no_more_than_others():
    """Beyond what anybody could follow, a long edge runs straight instead of bending at every wave."""
    names = [f"n{index}" for index in range(3_000)]
    edges = [*pairwise(names), *((names[0], name) for name in names[2:])]
    layout = arrange(names, edges)
    assert len(layout.routes[names[0], names[-1]]) == 2
