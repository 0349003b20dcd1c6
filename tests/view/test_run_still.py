"""What stays of a run in the notebook."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from flyte_nb.execution.node import RunState
from flyte_nb.view.run_still import run_bundle
from flyte_nb.view.run_tree import RunTree
from flyte_nb.view.states import STATES, between

from .calls import call, end, many

if TYPE_CHECKING:
    from flyte_nb.execution.call import Call

HOSTILE = '<img src=x onerror="hacked()"><script>hacked()</script>\x1b[31mred\x1b[0m \u202egnp.exe\x00 \ud800'


class Outline(HTMLParser):
    """The tags of a document, which must be closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self._open: list[str] = []
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


def html_of(*calls: Call) -> str:
    tree = RunTree()
    tree.update(calls)
    return run_bundle(tree, "fnb-test")["text/html"]


def test_only_what_the_sanitizer_keeps() -> None:
    """Tables, details and inline styles with plain colours; all of it well formed."""
    root = end(call(1, "e.root"), RunState.FAILED, at=1, error="E: bad", arose=2)
    bad = end(call(2, caller=root, inputs="n=1"), RunState.FAILED, at=1, error="E: bad", arose=2)
    bad.write("stderr", "oh\n")
    html = html_of(root, bad, *many(20, bad))
    outline = Outline(html)
    assert outline.tags <= {"div", "table", "tbody", "tr", "td", "b", "span", "details", "summary", "pre"}
    assert outline.attributes <= {"class", "style", "title", "colspan", "open"}
    assert "var(" not in html
    assert 'class="flyte-nb fnb-test"' in html


def test_nothing_from_users_acts() -> None:
    """Names, inputs, errors and lines are escaped, cut and free of control characters."""
    bad = end(call(1, HOSTILE, inputs=HOSTILE), RunState.FAILED, at=1, error=HOSTILE + "x" * 1_000_000)
    bad.returned = HOSTILE
    for stream in ("stdout", HOSTILE):
        bad.write(stream, HOSTILE + "\n" + "y" * 1_000_000)
    html = html_of(bad)
    assert not Outline(html).tags & {"img", "script"}
    assert not set(html) & set("\x1b\u202e\x00\ud800")
    assert len(html) < 20_000
    html.encode()


def test_what_a_call_has_returned_stands_beside_it() -> None:
    """Of what returned nothing, nothing does."""
    root = end(call(1, "e.root"), at=1)
    root.returned = "['a', 1]"
    shown = html_of(root, end(call(2, "e.nothing", root), at=1))
    assert "→ [&#x27;a&#x27;, 1]" in shown
    assert shown.count("→") == 1


def test_loud_where_it_failed_and_quiet_elsewhere() -> None:
    """A failed call says so in words, with its error, and its lines are open; of others they are folded."""
    root = end(call(1, "e.root"), at=1)
    good = end(call(2, "e.good", root), at=1)
    good.write("stdout", "fine\n")
    quiet = html_of(root, good)
    assert "<details style" in quiet
    assert not re.search(r"(succeeded|failed)<", quiet)
    bad = end(call(3, "e.bad", root), RunState.FAILED, at=1, error="ValueError: bad", arose=3)
    bad.write("stdout", "worse\n")
    loud = html_of(root, good, bad)
    assert "ValueError: bad" in loud
    assert ">✗ failed</span>" in loud
    assert loud.count("<details open") == 1


def test_lines_are_bounded() -> None:
    """The last fifty of a row and three hundred in all, those of rows that failed first."""
    root = call(1, "e.root")
    calls = [call(2 + n, f"e.t{n}", root) for n in range(12)]
    for made in calls:
        made.write("stdout", "\n".join(f"  {made.id}:{n}:" for n in range(60)))
        end(made, at=1)
    end(calls[-1], RunState.FAILED, at=1, error="ValueError: bad")
    html = html_of(root, *calls)
    assert html.count(":59:") == 6
    assert "  13:59:" in html
    assert "13:9:" not in html
    assert html.count("last 50 of 60 lines") == 6


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("state", [state.value for state in RunState])
def test_legible_in_light_and_dark(state: str) -> None:
    """White text on the tone of a state has a contrast of 4.5, and bars one of 3 in either theme."""
    assert _contrast("#ffffff", STATES[state].light) >= 4.5
    assert _contrast(between(state), "#ffffff") >= 3
    assert _contrast(between(state), "#212121") >= 3


def test_bars_lie_one_after_another() -> None:
    """A call that began when another ended lies to its right."""
    root = end(call(1, "e.root"), at=4)
    parts = [end(call(2 + n, f"e.t{n}", root, at=n), at=n + 1) for n in range(4)]
    found = re.findall(r"margin-left:([\d.]+)%;width:([\d.]+)%", html_of(root, *parts))
    bars = [(float(left), float(width)) for left, width in found]
    assert bars[0] == (0, 100)
    assert all(left + width == following for (left, width), (following, _) in pairwise(bars[1:]))
