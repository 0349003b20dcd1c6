"""What stays of a deployment in the notebook."""

from __future__ import annotations

import re

import pytest

from flyte_nb.deployment.applying.status import State
from flyte_nb.deployment.planning.plan import Action
from flyte_nb.view.deployment_still import deployment_bundle, waiting_bundle
from flyte_nb.view.still import new_host

from .deployments import chain, progress, status, step


def shown(known, note=""):
    return deployment_bundle(known, new_host(), note)


def test_it_tells_what_became_of_each_environment(berlin):
    """State, start, time and error are in the table, and the caption sums them up."""
    known = progress(step("base"), step("ml", "base"), step("api", "ml"))
    known.note(status("base", State.SUCCEEDED, 0.5, 1.75, attempt=1))
    known.note(status("ml", State.FAILED, 1.75, 2.0, error="RuntimeError: no GPU", attempt=1))
    known.note(status("api", State.SKIPPED, error="'ml' failed"))
    known.end(2.1)
    lines = shown(known)["text/plain"].splitlines()
    assert lines[0] == "Deployment d12 to local: 1 failed, 1 skipped, 1 deployed in 2.100 s"
    assert [re.split("  +", line) for line in lines[1:] if "─" not in line] == [
        ["environment", "state", "started (CET)", "took", "error"],
        ["base", "✓ deployed", "04:04:05.500", "1.250 s", "–"],
        ["ml", "✗ failed", "04:04:06.750", "0.250 s", "RuntimeError: no GPU"],
        ["api", "» skipped", "–", "–", "'ml' failed"],
    ]


def test_bars_show_what_went_on_at_the_same_time():
    """Each has its place between the beginning and the end of the whole; what never began has none."""
    known = progress(step("base"), step("ml", "base"), step("api", "base"), step("never", "ml"))
    known.note(status("base", State.SUCCEEDED, 10, 11))
    assert "timeline" not in shown(known)["text/html"]  # one alone would tell nothing
    known.note(status("ml", State.FAILED, 11, 14))
    known.note(status("api", State.RUNNING, 12))
    known.note(status("never", State.SKIPPED))
    html = shown(known)["text/html"]
    assert re.findall(r"margin-left:([\d.]+)%;width:([\d.]+)%", html) == [
        ("0.0", "25.0"),
        ("25.0", "75.0"),
        ("50.0", "50.0"),
    ]
    assert html.count("<th scope") == 6
    assert html.count("<td") == 4 * 6
    assert "timeline" not in shown(known)["text/plain"]


def test_of_thousands_those_that_took_longest_have_bars():
    """Thirty of them."""
    known = progress(*chain(2_000))
    for number in range(2_000):
        known.note(status(f"n{number}", State.SUCCEEDED, number, number + 1 + (number in range(100, 130))))
    rows = shown(known)["text/html"].split("<tr>")
    assert {row.split("</td>")[0].rpartition(">")[2] for row in rows if "margin-left" in row} == {
        f"n{number}" for number in range(100, 130)
    }


def test_attempts_have_a_column_when_something_was_tried_again():
    """Otherwise nobody has to read it."""
    known = progress(step("base"))
    known.note(status("base", State.SUCCEEDED, 0, 1, attempt=1))
    assert "attempt" not in shown(known)["text/plain"]
    known.note(status("base", State.SUCCEEDED, 0, 1, attempt=3))
    assert "attempt" in shown(known)["text/plain"]
    assert "attempt 3 · 1.000 s" in known_subtitles(known)


def known_subtitles(known):
    from flyte_nb.view.deployments import deployment_picture

    return [node.subtitle for node in deployment_picture(known).nodes]


def test_what_was_said_before_a_failure_is_there():
    """The last lines of what failed, timed out or got lost can be read; of the others nothing."""
    known = progress(step("base"), step("ml"))
    for number in range(100):
        known.say("ml", f"line {number}")
        known.say("base", "all is well")
    known.note(status("base", State.SUCCEEDED, 0, 1))
    known.note(status("ml", State.TIMED_OUT, 0, 1, error="took longer than 1 s"))
    for text in shown(known).values():
        assert "last 30 of 100 lines" in text
        assert "line 99" in text
        assert "line 69" not in text
        assert "all is well" not in text


def test_unfinished_it_says_so():
    """Whoever finds it knows that it went on, or that the kernel has ended."""
    known = progress(step("base"))
    known.note(status("base", State.RUNNING, 0))
    bundle = shown(known, "As it stood after 7 s.")
    assert "Deployment d12 to local: 1 deploying\n" in bundle["text/plain"]
    assert all("As it stood after 7 s." in text for text in bundle.values())


def test_nothing_from_users_acts():
    """Markup, terminal codes, bidi overrides, credentials and megabytes are shown inert, masked, and cut."""
    bad = "<script>alert(1)</script>\x1b[31mred \u202egnp.exe \x00 \ud800"
    known = progress(step("ml"))
    known.say("ml", f"{bad}\nlogging in with sk-abc123def456\n{'x' * 1_000_000}")
    known.note(status("ml", State.FAILED, 0, 1, error=bad + "z" * 1_000_000))
    bundle = shown(known)
    assert "<script" not in bundle["text/html"]
    for text in bundle.values():
        assert not set(text) & set("\x1b\u202e\x00\ud800")
        assert "sk-abc" not in text
        assert len(text) < 50_000
    assert "<b>" not in waiting_bundle("<b>\x1b[31m", new_host())["text/html"]


def test_thousands_take_little_room():
    """The failed ones are shown first, the rest is counted."""
    known = progress(*chain(5_000))
    for number in range(5_000):
        known.note(status(f"n{number}", State.FAILED if number == 4_321 else State.SUCCEEDED, 0, 1))
    known.end(3)
    bundle = shown(known)
    assert bundle["text/plain"].splitlines()[3].startswith("n4321")
    assert len(bundle["text/html"]) < 300_000


@pytest.mark.parametrize(
    ("states", "whole"),
    [
        ((State.SUCCEEDED, State.UNCHANGED), "succeeded"),
        ((State.UNCHANGED, State.UNCHANGED), "unchanged"),
        ((State.SKIPPED, State.FAILED), "failed"),
        ((State.SUCCEEDED, State.CANCELLED), "cancelled"),
        ((State.SUCCEEDED, State.RUNNING), "lost"),
    ],
)
def test_the_whole_is_as_its_parts_when_it_is_over(states, whole):
    """Until then it goes on, whatever has failed."""
    known = progress(step("a"), step("b"))
    for name, state in zip("ab", states, strict=True):
        known.note(status(name, state))
    assert known.state == "running"
    known.end()
    assert known.state == whole


def test_what_is_removed_is_not_said_to_be_deployed():
    """While it goes on it is being removed, then it is removed."""
    known = progress(step("old", action=Action.REMOVE))
    known.note(status("old", State.RUNNING, 0))
    assert known.word("old") == "removing"
    known.note(status("old", State.REMOVED, 0, 1))
    assert known_subtitles(known) == ["removed · 1.000 s"]
