"""A picture that follows another on screen is like it."""

from __future__ import annotations

from flyte_nb.view.picture import Node, Picture
from flyte_nb.view.resembling import resembling
from flyte_nb.view.scene import compose
from tests.view.families import layered


def _picture(names, edges):
    return Picture(tuple(map(Node, names)), tuple(edges))


def test_one_more_environment_keeps_the_order_of_the_others():
    """In every wave."""
    names, edges = layered(1)
    earlier = _picture(names, edges)
    later = _picture([*names, "new"], [*edges, (names[3], "new"), (names[90], "new")])

    def order(picture):
        cards = sorted((card.x, card.y, card.name) for card in compose(picture).cards)
        return [name for _, _, name in cards if name != "new"]

    assert order(resembling(later, earlier)) == order(earlier)
    assert order(later) != order(earlier)


def test_what_only_changes_its_state_is_drawn_the_same():
    """Also after the order was kept once."""
    earlier = _picture(*layered(1))
    first = resembling(earlier, _picture(*layered(2)))
    again = resembling(earlier.with_states({"env-003": "failed"}), first)
    assert again.like == first.like
    assert [(card.x, card.y) for card in compose(again).cards] == [(card.x, card.y) for card in compose(first).cards]


def test_pictures_that_are_summed_up_need_not_be_laid_out():
    """They keep their places anyway, and laying thousands out takes its time."""
    large = Picture(tuple(Node(f"n{at}") for at in range(600)))
    small = Picture((Node("n1"),))
    assert resembling(large, small) == large
    assert resembling(small, large) == small
