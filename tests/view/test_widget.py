"""What the live graph sends: the whole once, then differences."""

from __future__ import annotations

import pytest

from flyte_nb.view.picture import Node, Picture
from flyte_nb.view.still import new_host
from flyte_nb.view.widgets.graph import GraphWidget

_PICTURE = Picture((Node("a", "pending"), Node("b", "pending"), Node("c", "pending")), (("a", "b"), ("b", "c")))


@pytest.fixture
def widget():
    """A widget that notes what it sends, and is closed after the test."""
    made = GraphWidget(_PICTURE, new_host())
    made.sent, made.events = [], []
    made.send = made.sent.append
    made.observe(lambda change: made.events.append(change["name"]), ["_states", "_scene", "_selected"])
    yield made
    made.close()


def test_a_change_of_state_sends_only_itself(widget):
    """No trait event, and the state a page loads later is right."""
    widget.set_states({"a": "running", "b": "pending", "nobody": "failed"})
    assert (widget.sent, widget.events) == ([{"states": {"n0": "running"}}], [])
    assert widget.get_state("_states") == {"_states": {"n0": "running", "n1": "pending", "n2": "pending"}}
    assert [node.state for node in widget.picture.nodes] == ["running", "pending", "pending"]


def test_nothing_new_sends_nothing(widget):
    """Views can be told as often as one likes."""
    widget.set_states({"a": "pending"})
    assert widget.sent == []


def test_an_unknown_state_is_refused_before_anything_changes(widget):
    """The page could not draw it."""
    with pytest.raises(ValueError, match="unheard-of"):
        widget.set_states({"a": "running", "b": "unheard-of"})
    assert (widget.picture, widget.sent) == (_PICTURE, [])


def test_the_selection_is_a_name_that_survives_a_new_picture(widget):
    """The page knows keys; keys change with the picture."""
    widget.set_state({"_selected": "n1"})
    assert widget.selected == "b"
    widget.show(Picture((Node("z"), *_PICTURE.nodes), _PICTURE.edges))
    assert (widget.selected, widget._selected) == ("b", "n2")
    widget.show(Picture((Node("z"),)))
    assert (widget.selected, widget._selected) == ("", "")


def test_the_same_picture_again_sends_nothing(widget):
    """Running a cell again costs no redraw."""
    widget.show(_PICTURE)
    assert widget.events == []


def test_a_collapsed_picture_follows_its_states():
    """Thousands of environments send their waves, not themselves."""
    names = [f"n{index}" for index in range(600)]
    widget = GraphWidget(Picture(tuple(map(Node, names))), new_host())
    widget.set_states({"n7": "failed"})
    assert [card["name"] for card in widget._scene["cards"]] == ["wave 1", "n7"]
    assert widget._scene["counts"] == {"failed": 1, "defined": 599}
    assert "✗ failed" in widget.bundle()["text/plain"]
    widget.close()


def test_names_that_cannot_be_sent_are_not_sent():
    """A lone surrogate would break the connection to the page; keys stand for names."""
    import json

    widget = GraphWidget(Picture((Node("\ud800", "pending"),)), new_host())
    json.dumps(widget.get_state(["_scene", "_states"]), ensure_ascii=False).encode()
    widget.set_states({"\ud800": "running"})
    assert widget._states == {"n0": "running"}
    widget.close()
