"""Text from users is shown inert: one line, no control, no reordering, no flood."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyte_nb.view.escape import html_text, inert


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("naïve 日本 🚀", "naïve 日本 🚀"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("a\n\tb\r\n c\u2028d", "a b c d"),
        ("\u202eexe.gnp", "\ufffdexe.gnp"),
        ("nul\x00", "nul\ufffd"),
        ("\ud800", "\ufffd"),
        ("\uffff", "\ufffd"),
        ("👩\u200d💻", "👩\u200d💻"),
    ],
)
def test_tricks_are_removed_or_visible(text, shown):
    """Terminal codes go, white space folds, and what hides or reorders becomes U+FFFD."""
    assert inert(text) == shown


@given(st.text(st.characters()), st.integers(2, 50))
def test_nothing_unsafe_is_left(text, limit):
    """Whatever goes in, one bounded line of harmless characters comes out; twice is as good as once."""
    shown = inert(text, limit)
    assert len(shown) <= limit
    assert not {unicodedata.category(c) for c in shown if c not in "\u200c\u200d"} & {"Cc", "Cf", "Cs"}
    assert inert(shown, limit) == shown


def test_long_text_ends_in_an_ellipsis():
    """A megabyte is cut, also if all of it is escape codes."""
    assert inert("x" * 1_000_000, 10) == "x" * 9 + "…"
    assert inert("\x1b[31m" * 1_000_000, 10) == "…"
    assert inert("x" * 10, 10) == "x" * 10


def test_markup_is_escaped_after_it_is_cut():
    """Quotes too, and no entity is cut in half."""
    assert html_text('<a href="x">\'&') == "&lt;a href=&quot;x&quot;&gt;&#x27;&amp;"
    assert html_text("&" * 10, 3) == "&amp;&amp;…"
