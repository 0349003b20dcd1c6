"""Pictures in plain text: the waves in order, aligned and bounded."""

from __future__ import annotations

import pytest

from flyte_nb.view.measure import columns
from flyte_nb.view.picture import Node, Picture
from flyte_nb.view.text import graph_text

_NODES = (
    Node("base-utils", subtitle="python:3.12-slim"),
    Node("ml-training", subtitle="pytorch:latest"),
    Node("api", subtitle="fastapi:latest"),
)
_EDGES = (("base-utils", "ml-training"), ("ml-training", "api"))


def test_the_waves_are_listed_in_order():
    """One line each, with what it comes after."""
    assert graph_text(Picture(_NODES, _EDGES)) == (
        "3 environments in 3 waves\n"
        "1  base-utils   python:3.12-slim\n"
        "2  ml-training  pytorch:latest    after base-utils\n"
        "3  api          fastapi:latest    after ml-training"
    )


def test_states_are_shown_when_there_are_any():
    """A glyph and a word."""
    picture = Picture(_NODES, _EDGES).with_states({"base-utils": "succeeded", "api": "blocked"})
    assert graph_text(picture).splitlines() == [
        "3 environments in 3 waves",
        "1  base-utils   ✓ deployed  python:3.12-slim",
        "2  ml-training  ○ defined   pytorch:latest    after base-utils",
        "3  api          ‖ blocked   fastapi:latest    after ml-training",
    ]


def test_a_hundred_lines_are_cut_with_a_count():
    """The rest is counted by state; what failed or is not defined is named, wherever it stands."""
    states = {97: "undefined", 99: "failed"}
    nodes = tuple(Node(f"env-{index}", states.get(index, "pending")) for index in range(100))
    lines = graph_text(Picture(nodes)).splitlines()
    assert len(lines) == 62
    assert [line.split()[1] for line in lines[1:5]] == ["env-97", "env-99", "env-0", "env-1"]
    assert lines[-1] == "and 40 more: 40 pending"


def test_hostile_names_keep_their_line():
    """No line breaks, no terminal codes, no megabytes; wide characters are aligned."""
    bad = "\x1b[2Jbad\nname" + "x" * 1_000_000
    text = graph_text(Picture((Node(bad, subtitle="s"), Node("環境", subtitle="s"))))
    assert len(text.splitlines()) == 3
    assert len(text) < 300
    assert len({columns(line) for line in text.splitlines()[1:]}) == 1


@pytest.mark.parametrize(("count", "head"), [(0, "No environments"), (1, "1 environment in 1 wave")])
def test_the_head_counts(count, head):
    """In words that fit the number."""
    assert graph_text(Picture(_NODES[:count])).splitlines()[0] == head


def test_many_dependencies_are_counted():
    """A line names four and counts the rest."""
    names = [f"n{index}" for index in range(9)]
    picture = Picture(tuple(map(Node, [*names, "last"])), tuple((name, "last") for name in names))
    assert graph_text(picture).endswith("after n0, n1, n2, n3 and 5 more")


def test_pictures_check_what_they_are_given():
    """Two nodes of one name, an edge to nowhere and an unknown state are mistakes of the caller."""
    with pytest.raises(ValueError, match="twice"):
        Picture((Node("a"), Node("a")))
    with pytest.raises(ValueError, match="not both"):
        Picture((Node("a"),), (("a", "b"),))
    with pytest.raises(ValueError, match=r"Node\.state"):
        Node("a", "unheard-of")
