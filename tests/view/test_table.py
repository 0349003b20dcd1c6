"""Tables as HTML that survives the sanitizer, and as aligned text."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from flyte_nb.view.table import Table, table_html, table_text

_TABLE = Table(("name", "image"), (("base-utils", "python:3.12-slim"), ("環境", "x" * 200)), "Environments", "a hint")
_KEPT = {"div": {"class", "style"}, "td": {"style", "title"}, "th": {"style", "scope"}, "caption": {"style"}}


class _Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen, self.text = [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)


def _parsed(table):
    parser = _Tags()
    parser.feed(table_html(table))
    return parser


def test_html_uses_only_what_the_sanitizer_keeps():
    """No style sheet, no script; attributes JupyterLab allows for each tag."""
    for tag, attributes in _parsed(_TABLE).seen:
        assert tag in {"div", "table", "caption", "thead", "tbody", "tr", "th", "td"}
        assert set(attributes) <= _KEPT.get(tag, set())


def test_cells_are_escaped_and_cut():
    """Markup is text, and a long cell keeps its text in a tooltip."""
    bad = '<img src=x onerror="alert(1)">'
    parser = _parsed(Table((bad,), ((bad,), ("y" * 1_000_000,)), bad, bad))
    assert "img" not in {tag for tag, _ in parser.seen}
    assert parser.text.count(bad) == 4
    assert len(table_html(Table(("a",), (("y" * 1_000_000,),)))) < 2_000


def test_text_is_aligned_and_cut():
    """Wide characters count two columns; a cell takes 48 at most."""
    lines = table_text(_TABLE).splitlines()
    assert lines == [
        "Environments",
        "name        image",
        "──────────  ────────────────────────────────────────────────",
        "base-utils  python:3.12-slim",
        f"環境        {'x' * 47}…",
        "a hint",
    ]


def test_many_rows_are_counted():
    """A notebook stores what it shows."""
    table = Table(("n",), tuple((str(index),) for index in range(1_000)))
    assert table_text(table).endswith("and 940 more")
    assert table_html(table).endswith("<div>and 700 more</div></div>")
    assert table_html(table).count("<td") == 300


@pytest.mark.parametrize("from_end", [False, True])
def test_long_tables_scroll_in_a_box(from_end):
    """Thirty rows are shown as they are; more are in a box, whose heads stay. What counts at its end begins there."""
    rows = tuple((str(index),) for index in range(31))
    assert "max-height" not in table_html(Table(("n",), rows[:30], from_end=from_end))
    shown = table_html(Table(("n",), rows, "caption", "note", from_end))
    assert ("column-reverse;max-height:28em;overflow:auto" in shown) == from_end
    assert "max-height:28em;overflow:auto" in shown
    assert "position:sticky" in shown
    assert shown.endswith("</table></div></div><div>note</div></div>")
    for tag, attributes in _parsed(Table(("n",), rows)).seen:
        assert set(attributes) <= _KEPT.get(tag, set())


def test_an_empty_table_has_its_heads():
    """It is still a table."""
    assert table_text(Table(("name", "image"), ())).splitlines() == ["name  image", "────  ─────"]


def test_a_ragged_row_is_refused():
    """It would shift its cells under the wrong heads."""
    with pytest.raises(ValueError, match="1 cells in a row of 2"):
        Table(("a", "b"), (("x",),))
