"""Large pictures are summed up by wave, and what failed is still shown by name."""

from __future__ import annotations

from itertools import combinations, pairwise

from flyte_nb.view.collapse import Collapser, collapse
from flyte_nb.view.picture import Node, Picture
from flyte_nb.view.scene import compose
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
    assert [node.span for node in shown.nodes] == [(0, 200), (200, 400), (400, 600)]
    assert shown.nodes[1].subtitle == "200 pending"
    assert shown.note == "600 environments, summed up by wave"


def test_failed_and_undefined_are_shown_by_name_up_to_forty():
    """They are what one looks for; beyond forty the counts have to do."""
    picture = _layers(3, 200)
    shown = collapse(picture.with_states({"env-1-7": "failed", "env-0-3": "undefined"}))
    assert {"env-1-7", "env-0-3"} < set(shown.names)
    assert shown.names.index("env-1-7") == shown.names.index("wave 2") + 1
    many = collapse(picture.with_states({f"env-1-{index}": "failed" for index in range(100)}))
    assert len(many.nodes) == 43
    assert many.note.endswith("40 of 100 failed shown by name")


def test_many_waves_become_runs_of_waves():
    """A chain of 100,000 is twenty nodes."""
    shown = collapse(_layers(100_000, 1))
    assert len(shown.nodes) == 20
    assert shown.nodes[0].name == "waves 1–5,000"
    assert [node.span for node in shown.nodes] == [(at, at + 5_000) for at in range(0, 100_000, 5_000)]


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


def test_a_wave_that_is_opened_shows_its_environments_and_their_edges():
    """All of them, in the order they were defined; the wave stays, to be closed again."""
    picture = _layers(6, 100)
    collapser = Collapser(picture)
    shown = collapser(picture, [(100, 200), (200, 300)])
    assert shown.names[1:103] == ("wave 2", *(f"env-1-{at}" for at in range(100)), "wave 3")
    assert (shown.nodes[1].opened, shown.nodes[1].subtitle) == (True, "100 pending")
    assert ("env-1-7", "env-2-7") in shown.edges
    assert len(shown.edges) == 100 + 5


def test_a_large_wave_opens_in_parts_that_open_in_turn():
    """Nothing that is opened is too large to read, however many there are."""
    picture = _layers(1, 5_000)
    collapser = Collapser(picture)
    parts = collapser(picture, [(0, 5_000)])
    assert [node.span for node in parts.nodes] == [(0, 5_000), *((at, at + 250) for at in range(0, 5_000, 250))]
    assert parts.nodes[2].name == "wave 1, 251–500"
    deeper = collapser(picture, [(0, 5_000), (0, 250)])
    assert deeper.names[2:252] == tuple(f"env-0-{at}" for at in range(250))
    larger = _layers(1, 8_000)
    again = Collapser(larger)(larger, [(0, 8_000), (400, 800)])
    assert [node.span for node in again.nodes[2:7]] == [(400, 800), (400, 500), (500, 600), (600, 700), (700, 800)]
    assert again.nodes[3].name == "wave 1, 401–500"


def test_one_that_is_looked_for_steps_out_with_its_neighbours():
    """What it directly depends on and what needs it, joined by their edges; nothing is shown twice."""
    picture = _layers(6, 100)
    shown = Collapser(picture)(picture, [(200, 300)], ["env-1-7"])
    assert {"env-0-7", "env-1-7", "env-2-7"} < set(shown.names)
    assert {("env-0-7", "env-1-7"), ("env-1-7", "env-2-7")} < set(shown.edges)
    assert shown.nodes[0].subtitle == "99 pending"


def test_one_that_steps_out_of_a_part_is_shown_beside_it():
    """Whether the part is open or not."""
    picture = _layers(1, 600)
    collapser = Collapser(picture)
    for opened in ([], [(0, 600)], [(0, 600), (0, 100)]):
        assert collapser(picture, opened, ["env-0-7"]).names.count("env-0-7") == 1


def test_names_that_are_gone_are_not_looked_for():
    """A page may ask for what has meanwhile been removed."""
    picture = _layers(3, 200)
    assert Collapser(picture)(picture, [(7, 8)], ["nobody"]) == collapse(picture)


def test_a_stack_keeps_its_nodes_apart_and_its_waves_in_order():
    """Whatever is opened: no two cards overlap, and each wave is below the one before."""
    picture = _layers(6, 100).with_states({f"env-3-{at}": "failed" for at in range(30)})
    scene = compose(Collapser(picture)(picture, [(100, 200)], ["env-1-7"]))
    boxes = [(card.x, card.y) for card in scene.cards]
    for (x, y), (u, v) in combinations(boxes, 2):
        assert abs(x - u) > scene.box.width or abs(y - v) > scene.box.height
    tops = [card.y for card in scene.cards if card.span]
    assert tops == sorted(tops)
    assert max(x for x, _ in boxes) + scene.box.width < scene.width < 1_400
