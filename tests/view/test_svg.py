"""The still picture: well formed whatever the names are, legible, and telling states by more than colour."""

from __future__ import annotations

import re
from base64 import b64decode
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyte_nb.view.picture import Node, Picture
from flyte_nb.view.scene import compose
from flyte_nb.view.states import STATES
from flyte_nb.view.still import bundle, still
from flyte_nb.view.svg import DARK, LIGHT, draw

HOSTILE = (
    '<script>alert("1")</script>',
    "]]><svg onload=alert(1)>",
    "&amp; ' \" >",
    "\x1b[31mred\x1b[0m\x1b]8;;http://x\x07link\x1b]8;;\x07",
    "\x00\x01\x0b\x7f\x9f\ufffe\uffff",
    "\ud800 lone",
    "\u202eexe.gnp\u202c",
    "m" * 1_000_000,
    "\n\r\t",
)
_SVG = "{http://www.w3.org/2000/svg}"
EXAMPLE = Picture(
    (
        Node("base-utils", "succeeded", "python:3.12-slim"),
        Node("ml-training", "running", "pytorch:latest"),
        Node("api", "pending", "fastapi:latest"),
        Node("gpu", "failed", "python:3.12-slim"),
    ),
    (("base-utils", "ml-training"), ("ml-training", "api"), ("base-utils", "gpu")),
)


def _parse(picture):
    return ElementTree.fromstring(draw(picture).encode())  # noqa: S314


def _hostile_picture():
    nodes = tuple(Node(text, "failed", text, ((text, text),)) for text in HOSTILE)
    return Picture(nodes, ((HOSTILE[0], HOSTILE[1]),), note=HOSTILE[3])


def test_hostile_text_is_inert():
    """It is well-formed XML without scripts, handlers, bidi overrides or megabytes."""
    svg = draw(_hostile_picture())
    tags = {element.tag.removeprefix(_SVG) for element in ElementTree.fromstring(svg.encode()).iter()}  # noqa: S314
    assert tags <= {"svg", "title", "desc", "style", "defs", "marker", "path", "rect", "g", "circle", "text"}
    assert not set(svg) & set("\u202e\x1b\x00\ud800")
    assert len(svg) < 40_000


@given(st.text(), st.text())
def test_any_text_is_well_formed(name, subtitle):
    """XML allows fewer characters than Python."""
    _parse(Picture((Node(name, subtitle=subtitle),), note=subtitle))


def test_the_whole_text_is_in_a_title():
    """A name that is cut to fit can still be read in full."""
    name = "reporting-with-a-rather-long-name-that-goes-on-and-on"
    root = _parse(Picture((Node(name),)))
    shown = [text.text for text in root.iter(f"{_SVG}text")]
    ends = [text.split("…") for text in shown if "…" in text]
    assert any(name.startswith(head) and name.endswith(tail) and head and tail for head, tail in ends)
    assert any(name in title.text for title in root.iter(f"{_SVG}title"))


def test_it_is_an_image_with_a_name_and_a_description():
    """Screen readers get the same facts."""
    root = _parse(EXAMPLE)
    assert root.get("role") == "img"
    assert root.find(f"{_SVG}title").text == "4 environments in 3 waves"
    assert "api (pending) after ml-training" in root.find(f"{_SVG}desc").text


def test_every_state_has_a_mark_a_glyph_and_a_label_of_its_own():
    """Colour is never the only sign."""
    for field in ("mark", "glyph", "label"):
        assert len({getattr(state, field) for state in STATES.values()}) == len(STATES)


@pytest.mark.parametrize("state", STATES)
def test_every_state_is_drawn_in_its_colours(state):
    """On its card and in the legend: each is of one class, for which there is a rule in both schemes."""
    drawn = draw(Picture((Node("env", state),)))
    styles = re.findall(r'<g class="([^"]*)"', drawn)
    assert len(styles) == (1 if state == "defined" else 2)
    for style in styles:
        assert re.fullmatch(r"[\w-]+", style)
        assert len(re.findall(rf"^\.{style} \.fnb-disc\{{fill:", drawn, re.MULTILINE)) == 2


def _luminance(colour):
    channels = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _contrast(one, other):
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(("scheme", "colours"), [("light", LIGHT), ("dark", DARK)])
def test_text_and_marks_can_be_read_in_both_schemes(scheme, colours):
    """WCAG AA: 4.5 for text and marks, 3 for lines that mean something."""
    for ground in ("page", "band", "card"):
        assert _contrast(colours["text"], colours[ground]) >= 4.5
        assert _contrast(colours["muted"], colours[ground]) >= 4.5
    for ground in ("page", "card"):
        for state in STATES.values():
            assert _contrast(getattr(state, scheme), colours[ground]) >= 4.5
    assert min(_contrast(colours["edge"], colours[ground]) for ground in ("page", "band")) >= 3


def test_it_stands_by_itself_in_light_and_dark():
    """No script, no link to anything outside, both schemes."""
    svg = draw(EXAMPLE)
    assert "@media (prefers-color-scheme:dark)" in svg
    assert re.findall(r"(?:href|src|url\((?!#)|@import|<script)", svg) == []
    assert 'markerUnits="userSpaceOnUse"' in svg


def test_merely_defined_environments_need_no_legend():
    """There is nothing to explain; other states are counted."""
    quiet = Picture((Node("a"), Node("b")))
    assert "2 defined" not in draw(quiet)
    assert "1 failed" in draw(EXAMPLE)


def test_an_empty_picture_says_so():
    """Nothing is defined yet."""
    assert "No environments yet" in draw(Picture(()))


class _Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen = []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))


def test_the_still_is_a_div_with_an_image():
    """Only what JupyterLab's sanitizer keeps in an untrusted notebook."""
    parser = _Tags()
    parser.feed(still(EXAMPLE, "fnb-1a"))
    (div, image) = parser.seen
    assert div == ("div", {"class": "flyte-nb fnb-1a"})
    assert set(image[1]) == {"alt", "src"}
    assert image[1]["alt"].startswith("4 environments in 3 waves: base-utils (deployed)")
    prefix, encoded = image[1]["src"].split(",")
    assert prefix == "data:image/svg+xml;base64"
    assert b64decode(encoded).decode() == draw(EXAMPLE)


def test_the_still_of_hostile_names_has_no_other_tags():
    """The alternative text is escaped and short."""
    parser = _Tags()
    parser.feed(still(_hostile_picture(), "fnb-1a"))
    assert [tag for tag, _ in parser.seen] == ["div", "img"]
    assert len(parser.seen[1][1]["alt"]) <= 1_000


@pytest.mark.parametrize("host", ["", "1a", 'x" onclick="', "a b", "é"])
def test_a_host_must_be_a_class_name(host):
    """It goes into an attribute and is looked up as a class."""
    with pytest.raises(ValueError, match="host"):
        still(EXAMPLE, host)


def test_the_bundle_has_html_and_text_only():
    """No widget view, which would be blank without its kernel."""
    assert set(bundle(EXAMPLE, "fnb-1a")) == {"text/html", "text/plain"}


def test_a_sentence_is_cut_at_the_end_of_a_word_and_a_name_in_its_middle():
    """The two ends of a sentence are no sentence; what tells images apart is as often at their end."""
    remark = "runs in the kernel: the image of the definition is not used on this machine"
    image = "ghcr.io/acme-industries/platform-team/feature-pipelines/training:2026.11.30"
    one, other = compose(Picture((Node("a", subtitle=remark), Node("b", subtitle=image)))).cards
    assert one.sublabel.endswith("…")
    assert remark.startswith(f"{one.sublabel[:-1]} ")
    assert other.sublabel.startswith("ghcr.io/")
    assert other.sublabel.endswith(":2026.11.30")
    (only,) = compose(Picture((Node("a", subtitle=f"needs {'m' * 100}"),))).cards
    assert only.sublabel.startswith("needs mmm")
