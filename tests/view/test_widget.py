"""What the live graph sends: the whole once, then differences."""

from __future__ import annotations

import threading
from dataclasses import replace
from itertools import pairwise

import pytest

from flyte_nb.view.picture import Calls, Node, Picture
from flyte_nb.view.scene import compose
from flyte_nb.view.still import new_host
from flyte_nb.view.widgets import graph
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
    widget.show(_PICTURE.with_states({"a": "running"}))
    assert widget.sent == [{"patch": {"_scene": {}, "_index": [], "_states": {"n0": "running"}}}]
    assert widget.events == []
    assert widget.get_state("_states") == {"_states": {"n0": "running", "n1": "pending", "n2": "pending"}}
    assert [node.state for node in widget.picture.nodes] == ["running", "pending", "pending"]


def test_the_selection_is_a_name_that_survives_a_new_picture(widget):
    """The page knows keys, and a name keeps its key."""
    widget.set_state({"_selected": "n1"})
    assert widget.selected == "b"
    widget.show(Picture((Node("z"), *_PICTURE.nodes), _PICTURE.edges))
    assert (widget.selected, widget._selected) == ("b", "n1")
    widget.show(Picture((Node("z"),)))
    assert (widget.selected, widget._selected) == ("", "")


def test_the_same_picture_again_sends_nothing(widget):
    """Running a cell again costs no redraw."""
    widget.show(_PICTURE)
    assert widget.events == []


def test_a_collapsed_picture_follows_its_states():
    """Thousands of environments send their waves, not themselves."""
    names = [f"n{index}" for index in range(600)]
    picture = Picture(tuple(map(Node, names)))
    widget = GraphWidget(picture, new_host())
    widget.show(picture.with_states({"n7": "failed"}))
    assert [card["name"] for card in widget._scene["cards"]] == ["wave 1", "n7"]
    assert (widget._states["n7"], len(widget._states), len(widget._index)) == ("failed", 600, 600)
    widget.close()


def test_names_that_cannot_be_sent_are_not_sent():
    """A lone surrogate would break the connection to the page; keys stand for names."""
    import json

    picture = Picture((Node("\ud800", "pending"),))
    widget = GraphWidget(picture, new_host())
    json.dumps(widget.get_state(["_scene", "_states"]), ensure_ascii=False).encode()
    widget.show(picture.with_states({"\ud800": "running"}))
    assert widget._states == {"n0": "running"}
    widget.close()


def test_opening_a_wave_draws_its_environments_and_answers():
    """What a page has chosen is kept for pages that are loaded later, and whoever waits is told."""
    names = [f"n{index}" for index in range(600)]
    widget = GraphWidget(Picture(tuple(map(Node, names)), tuple(zip(names, names[200:], strict=False))), new_host())
    widget.sent = []
    widget.send = widget.sent.append
    widget.set_state({"_opened": [[0, 200]]})
    assert [card["name"] for card in widget._scene["cards"]] == ["wave 1", *names[:200], "wave 2", "wave 3"]
    assert widget.sent == [{"answered": True}]
    widget.set_state({"_stepped": widget._keys["n300"]})
    assert {"n300", "n500"} < {card["name"] for card in widget._scene["cards"]}
    widget.close()


def test_what_a_page_asks_of_an_environment_is_answered_and_inert():
    """By its key; of one that is not there nothing is told."""
    about = {"b": [("version", "1\x1b[31m2"), ("x" * 100, "y" * 5_000)]}
    widget = GraphWidget(_PICTURE, new_host(), about=about.__getitem__)
    widget.sent = []
    widget.send = widget.sent.append
    widget._hear(widget, {"tell": "n1"}, [])
    widget._hear(widget, {"tell": "n99"}, [])
    widget._hear(widget, {"tell": ["n1"]}, [])
    (message,) = widget.sent
    assert message["about"]["key"] == "n1"
    assert message["about"]["told"][0] == ["version", "12"]
    assert [len(text) for text in message["about"]["told"][1]] == [60, 2_000]
    widget.close()


def test_a_summed_up_picture_tells_what_is_next_to_an_environment():
    """The page has not all the edges."""
    names = [f"n{index}" for index in range(600)]
    widget = GraphWidget(Picture(tuple(map(Node, names)), tuple(zip(names, names[200:], strict=False))), new_host())
    widget.sent = []
    widget.send = widget.sent.append
    widget._hear(widget, {"tell": widget._keys["n250"]}, [])
    (message,) = widget.sent
    assert message["about"]["ends"] == {
        "before": [[widget._keys["n50"], "n50"]],
        "after": [[widget._keys["n450"], "n450"]],
        "upstream": 1,
        "downstream": 1,
    }
    widget.close()


def _overlay(picture):
    return replace(picture, calls=(Calls("c", "a", 3, expected=True),), note="calls")


def test_calls_are_laid_over_when_a_page_wants_them():
    """And over what is shown later, until they are no longer wanted; what is shown stays as it was given."""
    widget = GraphWidget(_PICTURE, new_host(), with_calls=_overlay)
    assert not widget._scene["calls"]
    widget.set_state({"_with_calls": True})
    assert [arc["label"] for arc in widget._scene["calls"]] == ["3 calls"]
    widget.show(replace(_PICTURE, nodes=(*_PICTURE.nodes, Node("d"))))
    assert (len(widget._scene["cards"]), len(widget._scene["calls"])) == (4, 1)
    widget.set_state({"_with_calls": False})
    assert (len(widget._scene["calls"]), widget._scene["lines"], widget.picture.note) == (0, (), "")
    widget.close()


def test_calls_that_a_page_has_turned_off_stay_off():
    """Also where the magic has asked for them: whatever is redefined or has run since."""
    widget = GraphWidget(_PICTURE, new_host(), with_calls=_overlay, calls=True)
    assert (len(widget._scene["calls"]), widget._with_calls) == (1, True)
    widget.set_state({"_with_calls": False})
    widget.show(replace(_PICTURE, nodes=(*_PICTURE.nodes, Node("d"))))
    widget.look_again()
    assert (widget._scene["calls"], widget._with_calls) == ((), False)
    widget.close()


def test_what_has_run_since_is_laid_over():
    """And a page is told to ask again what it was told."""
    counts = iter((3, 5))
    widget = GraphWidget(
        _PICTURE,
        new_host(),
        with_calls=lambda picture: replace(picture, calls=(Calls("c", "a", next(counts), expected=True),)),
        calls=True,
    )
    widget.sent = []
    widget.send = widget.sent.append
    widget.look_again()
    assert [arc["label"] for arc in widget._scene["calls"]] == ["5 calls"]
    assert widget.sent == [{"outdated": True}]
    widget.close()


def _waves(*stages):
    """Return a picture of these waves, in which each environment needs one of the wave before."""
    edges = [(one, other) for before, after in pairwise(stages) for one, other in zip(before, after, strict=False)]
    return Picture(tuple(Node(name) for stage in stages for name in stage), tuple(edges))


def test_an_open_wave_is_still_open_when_it_has_another_number():
    """It is known by its environments, and what is no longer there is no longer open."""
    stages = [[f"n{stage}-{at}" for at in range(200)] for stage in range(3)]
    widget = GraphWidget(_waves(*stages), new_host())
    widget.set_state({"_opened": [[200, 400]], "_stepped": widget._keys["n2-7"]})
    widget.show(_waves([f"new-{at}" for at in range(210)], *stages))
    assert widget._opened == [[410, 610]]
    cards = [card["name"] for card in widget._scene["cards"]]
    assert cards[cards.index("wave 3") + 1 :][:200] == stages[1]
    assert "n2-7" in cards
    widget.show(_waves([f"other-{at}" for at in range(600)]))
    assert (widget._opened, widget._stepped, len(widget._scene["cards"])) == ([], "", 1)
    widget.close()


def test_an_open_part_of_a_wave_is_still_open_where_most_of_it_is():
    """Where the wave has grown in front of it."""
    names = [f"n{at}" for at in range(2_000)]
    widget = GraphWidget(_waves(names), new_host())
    widget.set_state({"_opened": [[0, 2_000], [500, 600]]})
    widget.show(_waves([f"new-{at}" for at in range(100)] + names))
    assert widget._opened == [[0, 2_100], [630, 735]]
    assert "n599" in [card["name"] for card in widget._scene["cards"]]
    widget.close()


def test_what_a_page_chooses_while_a_picture_is_drawn_is_done_after_it(monkeypatch):
    """The page waits for the answer, and shows what was chosen in the new picture."""
    names = [f"n{index}" for index in range(600)]
    picture = Picture(tuple(map(Node, names)), tuple(zip(names, names[200:], strict=False)))
    widget = GraphWidget(picture, new_host())
    widget.sent = []
    widget.send = widget.sent.append
    chooses = threading.Thread(target=widget._hear, args=(widget, {"chosen": {"_opened": [[0, 200]]}}, []))

    def compose_meanwhile(*args):
        if chooses.ident is None:
            chooses.start()
            chooses.join(timeout=0.2)  # it must not be heard before the picture is there
        return compose(*args)

    monkeypatch.setattr(graph, "compose", compose_meanwhile)
    widget.show(replace(picture, nodes=(*picture.nodes[:-1], Node("n599", subtitle="new"))))
    chooses.join()
    assert {"answered": True} in widget.sent
    assert "n7" in [card["name"] for card in widget._scene["cards"]]
    widget.close()


def test_one_environment_that_is_redefined_sends_its_card_alone(widget):
    """The others are as they were; a page that is loaded later knows it too."""
    nodes = (_PICTURE.nodes[0], Node("b", "pending", details=(("image", "new"),)), _PICTURE.nodes[2])
    widget.show(replace(_PICTURE, nodes=nodes))
    (message,) = widget.sent
    assert [(card["name"], card["details"]) for card in message["patch"]["_scene"]["cards"]] == [
        ("b", (("image", "new"),))
    ]
    assert widget.events == []
    assert widget.get_state("_scene")["_scene"]["cards"][1]["details"] == (("image", "new"),)
    widget.show(Picture(nodes, _PICTURE.edges[:1]))
    assert widget.events == ["_scene"]


def test_one_of_thousands_that_is_redefined_sends_its_row_alone():
    """What is searched of it; no card shows it."""
    names = [f"n{index}" for index in range(600)]
    nodes = [Node(name, subtitle="old") for name in names]
    widget = GraphWidget(Picture(tuple(nodes)), new_host())
    widget.sent, events = [], []
    widget.send = widget.sent.append
    widget.observe(lambda change: events.append(change["name"]), ["_scene", "_states", "_index"])
    nodes[7] = Node("n7", subtitle="new")
    widget.show(Picture(tuple(nodes)))
    assert widget.sent == [{"patch": {"_scene": {}, "_index": [["n7", "n7", "new"]], "_states": {}}}]
    assert (events, widget._index[7]) == ([], ["n7", "n7", "new"])
    widget.close()
