"""Few edges cross, and what people have seen stays where it was."""

from __future__ import annotations

import random
from itertools import combinations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from flyte_nb.view.lanes import with_bends
from flyte_nb.view.layout import arrange
from flyte_nb.view.uncross import crossings, uncross
from flyte_nb.view.waves import waves
from tests.view.families import FAMILIES
from tests.view.test_layout import graphs


def _uncrossed(names, edges):
    number = {name: at for at, name in enumerate(names)}
    layer_of = [0] * len(names)
    for layer, members in enumerate(waves(names, edges)):
        for name in members:
            layer_of[number[name]] = layer
    lanes = with_bends(layer_of, [(number[a], number[b]) for a, b in edges])
    uncross(lanes)
    return lanes


def _crossings(names, edges):
    lanes = _uncrossed(names, edges)
    return crossings(lanes, lanes.layers)


def _kept(before, after):
    """Return which share of the pairs that are drawn in one wave, before and after, is in the same order."""
    was = {name: at for wave in before.waves for at, name in enumerate(wave)}
    stage = {name: at for at, wave in enumerate(before.waves) for name in wave}
    pairs = [
        was[one] < was[other]
        for wave in after.waves
        for one, other in combinations([name for name in wave if name in was], 2)
        if stage[one] == stage[other]
    ]
    return sum(pairs) / len(pairs) if pairs else 1.0


@pytest.mark.parametrize("family", FAMILIES)
def test_at_most_800_edges_of_200_environments_cross(family):
    """Of every graph of the families; 650 on the average."""
    counts = [_crossings(*family(seed)) for seed in range(6)]
    assert max(counts) <= 800
    assert sum(counts) / len(counts) <= 650


def test_trees_and_ladders_come_out_without_a_crossing():
    """What can be drawn flat is."""
    tree = [(f"n{(at - 1) // 2}", f"n{at}") for at in range(1, 63)]
    assert _crossings([f"n{at}" for at in range(63)], tree) == 0


@given(graphs())
def test_counting_agrees_with_the_definition(graph):
    """Two edges between the same layers cross if their ends are in opposite order."""
    lanes = _uncrossed(graph[0], list(dict.fromkeys(graph[1])))
    place = {n: (row, at) for row, layer in enumerate(lanes.layers) for at, n in enumerate(layer)}
    ends = [(place[a], place[b]) for a in place for b in lanes.after[a]]
    crossing = sum(a[0] == c[0] and (a[1] - c[1]) * (b[1] - d[1]) < 0 for (a, b), (c, d) in combinations(ends, 2))
    assert crossings(lanes, lanes.layers) == crossing


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("seed", range(3))
def test_one_more_environment_leaves_the_others_in_order(family, seed):
    """Wherever it is added: at least 99 of 100 pairs in a wave stay as they were, and no more edges may cross."""
    names, edges = family(seed)
    before = arrange(names, edges)
    parents = random.Random(seed).sample(names, 2)  # noqa: S311 - nothing to guess
    after = arrange([*names, "new"], [*edges, *((parent, "new") for parent in parents)], like=before.across)
    assert _kept(before, after) >= 0.99


@given(graphs(), st.data())
def test_an_environment_that_is_changed_or_gone_moves_no_other_of_its_wave(graph, data):
    """A node loses its edges, or is removed: those that share a wave before and after keep their order."""
    names, edges = graph
    before = arrange(names, edges)
    assume(len(names) > 1)
    gone = data.draw(st.sampled_from(names))
    left = [edge for edge in edges if gone not in edge]
    rest = [name for name in names if name != gone] if data.draw(st.booleans()) else names
    after = arrange(rest, left, like=before.across)
    if left:
        assert _kept(before, after) == 1.0


@given(graphs())
def test_a_layout_like_itself_is_itself(graph):
    """Drawing again moves nothing out of its order."""
    before = arrange(*graph)
    assert [set(wave) for wave in arrange(*graph, like=before.across).waves] == [set(wave) for wave in before.waves]
    assert _kept(before, arrange(*graph, like=before.across)) == 1.0


def test_an_order_that_has_become_bad_is_given_up():
    """Loyalty ends where the old order would cross many more edges than need to."""
    names = [*(f"a{at}" for at in range(20)), *(f"b{at}" for at in range(20))]
    edges = [(f"a{at}", f"b{at}") for at in range(20)]
    backwards = [*(f"a{at}" for at in range(20)), *(f"b{at}" for at in reversed(range(20)))]
    after = arrange(names, edges, like=backwards)
    assert [name[1:] for name in after.waves[0]] == [name[1:] for name in after.waves[1]]
