"""What the live view of a deployment sends: the whole once, then differences."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyte_nb.deployment.applying.status import State
from flyte_nb.view import deployment_progress
from flyte_nb.view.still import new_host
from flyte_nb.view.widgets.deployment import DeploymentWidget

from .deployments import BEGAN, chain, progress, status, step


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
    """One environment of hundreds is a message of 200 bytes at most; a page loaded later knows the same."""
    watched = watch(*chain(400))
    message = watched.update(status("n7", State.RUNNING, 1.5, attempt=1))
    assert message["states"] == {"n7": "running"}
    assert set(message["facts"]["n7"]) == {"at", "started"}
    assert set(message["head"]) == {"counts", "elapsed"}
    assert watched.events == []
    assert watched.widget.get_state("_states")["_states"]["n7"] == "running"
    assert watched.widget.get_state("_facts")["_facts"]["n7"]["started"] == 1.5
    assert watched.widget.get_state("_head")["_head"]["counts"] == {"running": 1, "pending": 399}
    assert watched.update() == {}


def test_a_change_among_thousands_draws_nothing_again(watch):
    """Less than 200 bytes, and nothing is drawn again until another environment has to step out."""
    watched = watch(*(step(f"env-{index}") for index in range(2_000)))
    for index in range(100):
        message = watched.update(status(f"env-{index}", State.RUNNING, 0, attempt=1))
        assert len(json.dumps(message)) < 200
    assert watched.events == []
    watched.update(status("env-7", State.FAILED, 0, 1, attempt=1))
    assert "_scene" in watched.events


def test_one_status_change_of_thousands_is_less_than_two_hundred_bytes(watch):
    """From its beginning to its end, with an estimate; of the counts those go over the wire that are others."""
    watched = watch(*[step(f"n{at}", expected=60.0) for at in range(2_000)])
    began = watched.progress.elapsed  # the tests began long ago
    first = [status(f"n{at}", State.RUNNING, began + at / 1_000, attempt=1) for at in range(8)]
    watched.update(*first, *(status(f"n{at}", State.SKIPPED, error="no") for at in range(1_700, 1_900)))
    begins = watched.update(status("n1234", State.RUNNING, began + 1.234, attempt=1))
    ends = watched.update(status("n1234", State.SUCCEEDED, began + 1.234, began + 62.345, attempt=1))
    assert ends["head"]["counts"] == {"running": 8, "succeeded": 1}
    assert [len(json.dumps(message)) <= 200 for message in (begins, ends)] == [True, True], (begins, ends)


def test_the_clock_is_right_for_a_page_that_is_loaded_later(watch, monkeypatch):
    """What has passed and what is left are kept current together, though they are not sent again and again."""
    now = [BEGAN]
    monkeypatch.setattr(deployment_progress, "_now", lambda: now[0])
    watched = watch(step("a", expected=60.0))
    assert "head" in watched.update(status("a", State.RUNNING, 0, begun=0, attempt=1))
    now[0] = BEGAN + timedelta(seconds=40)
    assert watched.update() == {}
    head = watched.widget.get_state("_head")["_head"]
    assert (head["elapsed"], head["left"]) == (40, 20)
    assert watched.events == []
    now[0] = BEGAN + timedelta(seconds=70)
    assert watched.update() == {}
    assert watched.widget._head["left"] == 0


def test_of_what_fails_in_an_open_wave_the_cards_and_facts_are_not_sent_again(watch):
    """Only how many have failed, which is written above them; also after the fortieth."""
    watched = watch(*[step(f"n{at}") for at in range(600)])
    cards = watched.widget._scene["cards"]
    watched.widget._hear(watched.widget, {"chosen": {"_opened": [cards[0]["span"]]}}, [])
    parts = [card["span"] for card in watched.widget._scene["cards"] if card["span"]]
    watched.widget._hear(watched.widget, {"chosen": {"_opened": parts[:3]}}, [])
    watched.widget.observe(lambda change: watched.events.append(change["name"]), ["_scene"])
    watched.events.clear()
    for at in range(60):
        watched.update(status(f"n{at}", State.FAILED, 0, 1, error="no"))
        assert sum(len(json.dumps(message)) for message in watched.sent) < 1_000, watched.sent
        (patch,) = [message["patch"]["_scene"] for message in watched.sent if "patch" in message]
        assert all(card["span"] for card in patch.get("cards", ()))
    assert watched.events == []
    assert "60 failed" in watched.widget._scene["lines"][0]["text"]


def test_what_took_longest_has_a_bar(watch):
    """Where there are many a few have one: what failed, what goes on, and what took longest; the page learns which."""
    watched = watch(*[step(f"n{at}") for at in range(600)])
    ended = [status(f"n{at}", State.SUCCEEDED, at, 2 * at + 1) for at in range(100)]
    watched.update(*ended, status("n200", State.FAILED, 0, 1), status("n300", State.RUNNING, 9))

    def with_bars():
        facts = watched.widget._facts.items()
        return {key for key, fact in facts if fact["bar"] and fact["started"] is not None}

    assert with_bars() == {"n200", "n300", *(f"n{at}" for at in range(72, 100))}
    message = watched.update(status("n301", State.RUNNING, 10))
    assert message["facts"]["n72"] is None
    assert with_bars() == {"n200", "n300", "n301", *(f"n{at}" for at in range(73, 100))}


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
    assert (head["state"], head["ended"], watched.widget._head["left"]) == ("succeeded", 2.0, None)
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


def test_what_is_searched_of_many_says_no_state_that_has_passed() -> None:
    """Pages search the states as they are; the word that a card began with is not among what else is found."""
    begun = progress(*[step(f"env-{number}") for number in range(600)])
    index = DeploymentWidget(begun, "fnb-test")._index
    assert len(index) == 600
    assert not [row for row in index if "pending" in row[2]]
