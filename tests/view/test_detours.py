"""Wires of a summed-up picture go around the cards that they do not belong to."""

from __future__ import annotations

import re
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from flyte_nb.view.collapse import Collapser
from flyte_nb.view.picture import Node, Picture
from flyte_nb.view.scene import compose

_STEPS = 24


def _picture(size, edges, states=()):
    nodes = tuple(Node(f"env-{at}", "failed" if at in states else "pending", "python:3.12") for at in range(size))
    return Picture(nodes, tuple((f"env-{a}", f"env-{b}") for a, b in edges))


def _points(path):
    """Return points all along an SVG path of straight lines and curves."""
    found = []
    for command, text in re.findall(r"([MLQC])([^MLQC]*)", path):
        numbers = [float(number) for number in text.split()]
        controls = list(zip(numbers[::2], numbers[1::2], strict=True))
        if command == "M":
            found += controls
            continue
        controls = [found[-1], *controls]
        found += [_on_curve(controls, step / _STEPS) for step in range(1, _STEPS + 1)]
    return found


def _on_curve(controls, share):
    while len(controls) > 1:
        pairs = pairwise(controls)
        controls = [(x0 + (x1 - x0) * share, y0 + (y1 - y0) * share) for (x0, y0), (x1, y1) in pairs]
    return controls[0]


def _is_inside(point, card, box, slack=0.2):
    x, y = point[0] - card.x, point[1] - card.y
    return slack < x < box.width - slack and slack < y < box.height - slack


def _is_on_edge(point, card, box):
    return not _is_inside(point, card, box) and _is_inside(point, card, box, slack=-0.2)


def _check(scene):
    """Assert that each wire joins its own two cards, crosses no card at all and lies in the picture."""
    cards = {card.key: card for card in scene.cards}
    for wire in scene.wires:
        points = _points(wire.path)
        assert _is_on_edge(points[0], cards[wire.source], scene.box)
        assert _is_on_edge(points[-1], cards[wire.target], scene.box)
        assert all(0 <= x <= scene.width and 0 <= y <= scene.height for x, y in points)
        low, high = min(y for _, y in points), max(y for _, y in points)
        near = [card for card in scene.cards if low - scene.box.height < card.y < high]
        crossed = {(card.name, point) for card in near for point in points if _is_inside(point, card, scene.box)}
        assert not crossed, (cards[wire.source].name, cards[wire.target].name)


@st.composite
def _collapsed(draw):
    """Draw a picture of more than 500 nodes, some of its waves opened, some nodes stepped out, some failed."""
    size = draw(st.integers(501, 700))
    random = draw(st.randoms(use_true_random=False))
    chained = draw(st.booleans())  # more than 20 waves: a group of several has edges inside
    reach = draw(st.sampled_from([1, 40, size]))
    edges = [(at - 1, at) for at in range(1, 60)] if chained else []
    for at in range(60, size):
        edges += [(random.randrange(max(0, at - reach), at), at) for _ in range(random.randint(0, 3))]
    picture = _picture(size, dict.fromkeys(edges), states=random.sample(range(size), draw(st.integers(0, 12))))
    collapser = Collapser(picture)
    spans = [node.span for node in collapser(picture).nodes if node.span]
    opened = random.sample(spans, min(len(spans), draw(st.integers(0, 3))))
    stepped = [f"env-{at}" for at in random.sample(range(size), draw(st.integers(0, 4)))]
    return collapser(picture, opened, stepped)


@settings(max_examples=20)
@given(_collapsed())
def test_no_wire_crosses_a_card(shown):
    """Whatever is opened and has stepped out: not even the two cards that it joins, at whose edges it ends."""
    _check(compose(shown))


def test_wires_past_a_row_go_around_it_and_apart_from_each_other():
    """What one depends on, a row each, is no chain: the wires leave on the right, the further the further out."""
    edges = [(at, at + 100) for at in range(500)] + [(7, 307), (107, 307)]
    picture = _picture(600, edges)
    scene = compose(Collapser(picture)(picture, (), ["env-307"]))
    cards = {card.name: card for card in scene.cards}
    wires = {(wire.source, wire.target): _points(wire.path) for wire in scene.wires}
    side = cards["env-307"].x + scene.box.width
    near, far, farthest = (wires[cards[f"env-{at}"].key, cards["env-307"].key] for at in (207, 107, 7))
    assert len({x for x, _ in near}) == 1  # straight down
    assert side < max(x for x, _ in far) < max(x for x, _ in farthest) < scene.width


def test_wires_that_overlap_have_lanes_of_their_own():
    """Those that reach equally far, each a row below the other, are told apart as well."""
    picture = _picture(600, [(at, at + 100) for at in range(500)] + [(7, 207), (107, 307), (207, 407)])
    scene = compose(Collapser(picture)(picture, (), ["env-207"]))
    around = [_points(wire.path) for wire in scene.wires if "Q" in wire.path]
    assert len(around) == len({max(x for x, _ in points) for points in around}) == 3
