"""What outputs may consist of, wherever they are shown: judged from what was published, whatever it was made of."""

from __future__ import annotations

import unicodedata
from base64 import b64decode
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree as ET

__all__ = ["CORPUS", "assert_harmless", "assert_inert", "texts_of"]

_MARK = "window.hacked=1"
CORPUS = {
    "script": f"<script>{_MARK}</script>",
    "handler": f'"><img src=x onerror="{_MARK}"><b onmouseover={_MARK}>',
    "closing": f"</td></table></pre></details></div></svg>]]><svg onload={_MARK}>",
    "link": "<a href='javascript:alert(1)'>x</a> [y](javascript:alert(1)) http://evil.example/?q=1",
    "style": '<style>*{display:none}</style> x" style="position:fixed;inset:0',
    "template": "${window.hacked} {{7*7}} %s {0} `x` \\u003cscript\\u003e &lt;b&gt; &amp;",
    "ansi": "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\ \x1b[2J \x9b31m",
    "bidi": "\u202egnp.exe \u2066\u2067\u2069 \u200fabc",
    "control": "nul\x00 bell\x07 back\x08\x08\x08 feed\x0c tab\t line\r\nsep\u2028par\u2029 del\x7f \x85",
    "lone": "\ud800 \udfff \uffff \ufffe",
    "long": "x" * 300_000,
    "long markup": "<b>&\"'" * 20_000,
    "combining": "a" + "\u0301" * 5_000 + " 👩\u200d💻 日本語",
}

_TAGS = {
    *("div", "span", "table", "caption", "thead", "tbody", "tr", "th", "td", "details", "summary", "pre", "img", "b"),
    *("code", "br", "p", "ins", "del", "a"),
}
_ATTRIBUTES = {"class", "style", "title", "scope", "colspan", "alt", "src", "open", "href", "target", "rel"}
_VOID = {"img", "br"}
_SVG = "{http://www.w3.org/2000/svg}"
_SVG_TAGS = {"svg", "g", "rect", "path", "circle", "text", "title", "desc", "style", "defs", "marker", "tspan", "line"}
_PICTURE = "data:image/svg+xml;base64,"
_LONGEST = 100_000  # characters of one output, though far more went in
_SAFE_CONTROLS = "\n"
_JOINERS = "\u200c\u200d"


class _Judge(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.pictures: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _TAGS, tag
        for name, value in attrs:
            assert name in _ATTRIBUTES, (tag, name)
            if name == "src":
                assert (value or "").startswith(_PICTURE)
                self.pictures.append((value or "").removeprefix(_PICTURE))
            elif name != "style":
                assert_harmless(value or "")
            else:
                assert "url(" not in (value or "")
                assert "fixed" not in (value or "")
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")


def assert_harmless(text: str) -> None:
    """Nothing in `text` acts in a terminal, hides or reorders what is around it."""
    found = {c for c in set(text) - set(_SAFE_CONTROLS + _JOINERS) if unicodedata.category(c) in ("Cc", "Cf", "Cs")}
    assert not found, found


def _assert_inert_svg(source: str) -> None:
    for element in ET.fromstring(b64decode(source)).iter():  # noqa: S314 - our own
        assert element.tag.removeprefix(_SVG) in _SVG_TAGS, element.tag
        for name, value in element.attrib.items():
            assert not name.startswith("on"), name
            assert "href" not in name, name
            assert "javascript:" not in value.lower() or name == "aria-label"
        if element.tag == f"{_SVG}style":
            assert "@import" not in (element.text or "")
            assert "url(" not in (element.text or "")
        else:
            assert_harmless((element.text or "") + (element.tail or ""))


def assert_inert(bundle: dict[str, Any], longest: int = _LONGEST) -> None:
    """A mimebundle is HTML of few kinds, well formed, with pictures likewise, and text for a terminal; all of it short.

    Raises:
        AssertionError: If not.
    """
    assert set(bundle) <= {"text/html", "text/plain"}
    assert "text/plain" in bundle
    for content in bundle.values():
        assert len(content) <= longest
    assert_harmless(bundle["text/plain"])
    judge = _Judge()
    judge.feed(bundle.get("text/html", ""))
    judge.close()
    assert judge.open == []
    assert_harmless("".join(judge.text))
    for picture in judge.pictures:
        _assert_inert_svg(picture)


def texts_of(state: Any) -> list[str]:
    """Return every text in what is sent to a page, keys included."""
    if isinstance(state, str):
        return [state]
    if isinstance(state, dict):
        return [text for pair in state.items() for part in pair for text in texts_of(part)]
    if isinstance(state, (list, tuple)):
        return [text for part in state for text in texts_of(part)]
    return []
