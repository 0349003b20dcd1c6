"""What the live view of a deployment sends: the whole once, then differences."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyte_nb.deployment.applying.status import State
from flyte_nb.view.still import new_host
from flyte_nb.view.widgets.deployment import DeploymentWidget

from .deployments import chain, progress, status, step


class Watched:
    """A widget, the progress that it shows, and what it has sent."""

    def __init__(self, *steps, on_cancel=None):
        self.progress = progress(*steps)
        self.widget = DeploymentWidget(self.progress, new_host(), on_cancel)
        self.sent, self.events = [], []
        self.widget.send = self.sent.append
        self.widget.observe(lambda change: self.events.append(change["name"]), ["_states", "_scene", "_facts", "_head"])

    def update(self, *statuses):
        """Return what is sent when these statuses have changed."""
        self.sent.clear()
        for each in statuses:
            self.progress.note(each)
        self.widget.update()
        return self.sent[0] if self.sent else {}


@pytest.fixture
def watch():
    """Make a watched widget, which is closed after the test."""
    made = []

    def make(*steps, **options):
        made.append(Watched(*steps, **options))
        return made[-1]

    yield make
    for each in made:
        each.widget.close()


def test_only_what_has_changed_is_sent(watch):
    """One environment of hundreds is a message of a few hundred bytes; a page loaded later knows the same."""
    watched = watch(*chain(400))
    message = watched.update(status("n7", State.RUNNING, 1.5, attempt=1))
    assert message["states"] == {"n7": "running"}
    assert list(message["facts"]) == ["n7"]
    assert len(json.dumps(message)) < 400
    assert watched.events == []
    assert watched.widget.get_state("_states")["_states"]["n7"] == "running"
    assert watched.widget.get_state("_facts")["_facts"]["n7"]["started"] == 1.5
    assert watched.widget.get_state("_head")["_head"]["counts"] == {"running": 1, "pending": 399}
    assert watched.update() == {}


def test_only_the_lines_of_what_is_selected_are_sent(watch):
    """As they come, and never twice; what is not selected may say what it likes."""
    watched = watch(*chain(3))
    watched.progress.say("n0", "a")
    watched.progress.say("n1", "b")
    assert watched.update() == {}
    watched.widget._hear(watched.widget, {"chosen": {"_selected": "n1"}}, [])
    assert watched.sent == [{"tail": {"key": "n1", "at": 0, "first": 0, "lines": [("stdout", "b")]}}]
    watched.progress.say("n1", "c\nd")
    watched.progress.say("n0", "e")
    assert [text for _, text in watched.update()["tail"]["lines"]] == ["c", "d"]
    assert [text for _, text in watched.widget._tail["lines"]] == ["b", "c", "d"]


@settings(max_examples=30)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 150), st.booleans()), max_size=12))
def test_a_page_that_merges_has_the_last_two_hundred_lines(said):
    """Whatever is said and selected in whatever order."""
    watched = Watched(step("a"), step("b"))
    known = {"key": "", "first": 0, "lines": []}
    everything = {"a": [], "b": []}
    for name, count, choose in said:
        for _ in range(count):
            everything[name].append(f"{name} {len(everything[name])}")
            watched.progress.say(name, everything[name][-1])
        watched.sent.clear()
        if choose:
            watched.widget._hear(watched.widget, {"chosen": {"_selected": "n0" if name == "a" else "n1"}}, [])
        watched.widget.update()
        for tail in [message["tail"] for message in watched.sent if "tail" in message]:  # as log.js merges it
            kept = known["lines"] if known["key"] == tail["key"] else []
            before = kept[max(0, tail["first"] - known["first"]) : max(0, tail["at"] - known["first"])]
            known = {**tail, "lines": [*before, *(text for _, text in tail["lines"])]}
        if watched.widget.selected:
            assert known["lines"] == everything[watched.widget.selected][-200:]
    watched.widget.close()


def test_an_estimate_that_the_page_counts_down_by_itself_is_not_sent_again(watch):
    """Only one that has become another."""
    watched = watch(*chain(3, expected=60.0))
    assert watched.widget._head["left"] == 180.0
    started = watched.progress.elapsed  # the tests began long ago
    assert "head" in watched.update(status("n0", State.RUNNING, started, attempt=1))
    assert watched.update() == {}
    assert watched.update(status("n0", State.SUCCEEDED, started, started + 1))["head"]["left"] == 120.0


def test_the_end_stops_the_clock_and_takes_the_button_away(watch):
    """Nothing can be cancelled any more."""
    pressed = []
    watched = watch(step("a"), on_cancel=lambda: pressed.append(True))
    watched.widget._hear(watched.widget, {"cancel": True}, [])
    watched.progress.note(status("a", State.SUCCEEDED, 0, 1))
    watched.progress.end(2.0)
    head = watched.update()["head"]
    assert (head["state"], head["ended"], head["left"]) == ("succeeded", 2.0, None)
    assert watched.widget._cancellable is False
    watched.widget._hear(watched.widget, {"cancel": True}, [])
    assert pressed == [True]


def test_a_page_can_choose_nothing_else(watch):
    """What comes from a page is not to be trusted with more than what is selected."""
    watched = watch(step("a"), on_cancel=lambda: None)
    watched.widget._hear(watched.widget, {"chosen": {"_cancellable": False, "_host": "x", "_selected": "n0"}}, [])
    watched.widget._hear(watched.widget, {"chosen": "_host"}, [])
    assert watched.widget._cancellable is True
    assert watched.widget.selected == "a"


def test_many_environments_are_sent_as_waves(watch):
    """One that fails steps out by name with its error, and what is selected stays selected."""
    steps = [step(f"n{i}") for i in range(600)]
    watched = watch(*steps)
    watched.update(status("n7", State.FAILED, 0, 1, error="no"))
    cards = {card["name"]: card["key"] for card in watched.widget._scene["cards"]}
    assert list(cards) == ["wave 1", "n7"]
    assert watched.widget._facts[cards["n7"]]["error"] == "no"
    watched.widget._hear(watched.widget, {"chosen": {"_selected": cards["n7"]}}, [])
    watched.update(status("n3", State.TIMED_OUT, 0, 1))
    assert watched.widget.selected == "n7"


def test_hostile_text_can_be_sent():
    """Lone surrogates would break the connection to the page."""
    watched = Watched(step("\ud800"), step("b"))
    watched.progress.say("\ud800", "\ud800 \x1b[31m \u202e")
    watched.widget._hear(watched.widget, {"chosen": {"_selected": "n0"}}, [])
    message = watched.update(status("\ud800", State.FAILED, 0, 1, error="\ud800" * 10_000))
    state = watched.widget.get_state(["_scene", "_states", "_facts", "_tail", "_head", "_title"])
    text = json.dumps([message, state], ensure_ascii=False)
    text.encode()
    assert not set(text) & set("\x1b\u202e")
    assert len(text) < 20_000
    watched.widget.close()
