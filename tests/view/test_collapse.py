"""Large pictures are summed up by wave, and what failed is still shown by name."""

from __future__ import annotations

from itertools import pairwise

from flyte_nb.view.collapse import Collapser, collapse
from flyte_nb.view.picture import Node, Picture
from flyte_nb.view.svg import draw


def _layers(count, size, state="pending"):
    names = [[f"env-{layer}-{index}" for index in range(size)] for layer in range(count)]
    edges = [(a, b) for one, other in pairwise(names) for a, b in zip(one, other, strict=True)]
    return Picture(tuple(Node(name, state) for layer in names for name in layer), tuple(edges))


def test_a_picture_that_can_be_read_is_left_alone():
    """Up to 500 nodes."""
    picture = _layers(5, 100)
    assert collapse(picture) is picture


def test_each_wave_becomes_one_node_with_its_counts():
    """The most urgent state of a wave is the wave's."""
    picture = _layers(3, 200).with_states({"env-0-0": "running", "env-0-1": "succeeded"})
    shown = collapse(picture)
    assert shown.names == ("wave 1", "wave 2", "wave 3")
    assert shown.edges == (("wave 1", "wave 2"), ("wave 2", "wave 3"))
    assert (shown.nodes[0].state, shown.nodes[0].subtitle) == ("running", "1 deploying, 198 pending, …")
    assert dict(shown.nodes[0].details) == {"environments": "200", "deploying": "1", "pending": "198", "deployed": "1"}
    assert shown.nodes[1].subtitle == "200 pending"
    assert shown.note == "600 environments, summed up by wave"


def test_failed_and_undefined_are_shown_by_name_up_to_forty():
    """They are what one looks for; beyond forty the counts have to do."""
    picture = _layers(3, 200)
    shown = collapse(picture.with_states({"env-1-7": "failed", "env-0-3": "undefined"}))
    assert {"env-1-7", "env-0-3"} < set(shown.names)
    assert ("wave 1", "env-1-7") in shown.edges
    many = collapse(picture.with_states({f"env-1-{index}": "failed" for index in range(100)}))
    assert len(many.nodes) == 43
    assert many.note.endswith("40 of 100 failed by name")


def test_many_waves_become_runs_of_waves():
    """A chain of 100,000 is twenty nodes."""
    shown = collapse(_layers(100_000, 1))
    assert len(shown.nodes) == 20
    assert shown.nodes[0].name == "waves 1–5,000"
    assert sum(int(dict(node.details)["environments"].replace(",", "")) for node in shown.nodes) == 100_000


def test_an_environment_called_like_a_wave_keeps_its_name():
    """Names are identities, also when they are unkind."""
    names = ["wave 1", *(f"n{index}" for index in range(600))]
    shown = collapse(Picture(tuple(Node(name, "failed" if name == "wave 1" else "defined") for name in names)))
    assert shown.names == ("wave 1 (all)", "wave 1")


def test_a_collapser_follows_the_states():
    """The waves are found once."""
    picture = _layers(3, 200)
    collapser = Collapser(picture)
    assert collapser(picture) == collapse(picture)
    later = picture.with_states(dict.fromkeys(picture.names, "succeeded"))
    assert collapser(later) == collapse(later)


def test_too_many_edges_are_collapsed_as_well():
    """A few nodes can have more edges than a notebook should store."""
    names = [f"n{index}" for index in range(100)]
    edges = tuple((a, b) for index, a in enumerate(names) for b in names[index + 1 :])
    assert len(draw(Picture(tuple(map(Node, names)), edges))) < 30_000
