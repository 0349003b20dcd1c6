"""What called what is laid over the dependencies, and told where there is only text."""

from __future__ import annotations

import re
from itertools import pairwise

from flyte_nb.graph import closure
from flyte_nb.view import calls
from flyte_nb.view.calls import with_calls
from flyte_nb.view.collapse import collapse
from flyte_nb.view.picture import Node, Picture
from flyte_nb.view.scene import compose
from flyte_nb.view.svg import draw
from flyte_nb.view.text import graph_text

_PICTURE = Picture((Node("base"), Node("ml"), Node("api"), Node("report")), (("base", "ml"), ("ml", "api")))
_COUNTS = {("api", "base"): 12, ("report", "ml"): 1, ("ml", "gone"): 3}


def test_a_call_that_no_dependency_covers_is_remarked_on():
    """A transitive dependency covers a call; what is not in the picture is left out."""
    shown = with_calls(_PICTURE, 3, _COUNTS)
    assert [(one.caller, one.called, one.count, one.expected) for one in shown.calls] == [
        ("api", "base", 12, True),
        ("report", "ml", 1, False),
    ]
    assert shown.note == "Dashed: what called what in 3 runs; ! is not in depends_on, which orders deployment only"


def test_text_tells_the_calls():
    """A line each, and that it is no mistake."""
    lines = graph_text(with_calls(_PICTURE, 3, _COUNTS)).splitlines()
    assert lines[-3:-1] == ["api → base: 12 calls", "report → ml: 1 call, not in depends_on"]
    assert "run all the same" in lines[-1]


def test_the_still_picture_draws_the_calls_differently():
    """Dashed, labelled with their count, and marked where no dependency is."""
    drawn = draw(with_calls(_PICTURE, 1, _COUNTS))
    assert len(re.findall('class="fnb-arc"', drawn)) == len(re.findall('class="fnb-arc fnb-remarked"', drawn)) == 1
    assert re.findall(r'fnb-arc-label" x="[\d.]+" y="[\d.]+">([^<]*)', drawn) == ["12 calls", "1 call !"]
    assert "stroke-dasharray" in drawn


def test_without_runs_it_says_so():
    """Nothing drawn needs a reason."""
    assert with_calls(_PICTURE, 0, {}).note == "No run was recorded yet: there are no calls to show."
    assert with_calls(_PICTURE, 2, {}).note == "In 2 runs no environment has called another of these."


def test_calls_are_inside_the_picture():
    """Whichever way they go, forward, back or within a wave."""
    counts = {(a, b): 1 for a in _PICTURE.names for b in _PICTURE.names if a != b}
    scene = compose(with_calls(_PICTURE, 1, counts))
    assert len(scene.calls) == 12
    for arc in scene.calls:
        assert 0 <= arc.x <= arc.right <= scene.width
        assert 0 <= arc.y <= scene.height


def _summed_up(states, counts):
    """Return the stand-in of six waves of a hundred, in a chain each, with calls."""
    names = [f"n{at}" for at in range(600)]
    nodes = tuple(Node(name, states.get(name, "defined")) for name in names)
    return collapse(with_calls(Picture(nodes, tuple(zip(names, names[100:], strict=False))), 3, counts))


def test_calls_of_what_is_summed_up_are_drawn_between_what_stands_for_it():
    """Counted together, and remarked on if one of them is; who is shown by name calls under that name."""
    counts = {("n105", "n5"): 2, ("n106", "n7"): 1, ("n150", "n50"): 4, ("n201", "n150"): 1}
    shown = _summed_up({"n150": "failed"}, counts)
    assert [(one.caller, one.called, one.count, one.expected) for one in shown.calls] == [
        ("wave 2", "wave 1", 3, False),
        ("n150", "wave 1", 4, True),
        ("wave 3", "n150", 1, False),
    ]
    scene = compose(shown)
    assert [arc.label for arc in scene.calls] == ["3 calls !", "4 calls", "1 call !"]
    assert scene.lines[1].text.startswith("Dashed: what called what in 3 runs")


def test_calls_inside_of_a_wave_are_told():
    """No arrow can show them; when the wave is open, arrows do."""
    shown = _summed_up({}, {("n1", "n2"): 3, ("n1", "n3"): 1})
    assert shown.note.splitlines()[-1] == "4 calls inside of waves"
    assert compose(shown).calls == ()


def test_calls_between_waves_go_around_those_between():
    """On the left of the stack, where no card hides them, and inside of the picture."""
    scene = compose(_summed_up({}, {("n500", "n0"): 1, ("n200", "n150"): 1}))
    left = min(card.x for card in scene.cards)
    assert len(scene.calls) == 2
    for arc in scene.calls:
        numbers = [float(number) for number in re.findall(r"[\d.]+", arc.path)]
        assert 0 <= min(numbers[::2]) <= max(numbers[::2]) <= left
        assert 0 < arc.x - (arc.right - arc.x) < arc.right <= left


def test_of_thousands_in_a_chain_each_caller_is_looked_at_once(monkeypatch):
    """However many others it calls."""
    names = [f"n{at}" for at in range(50)]
    asked = []
    monkeypatch.setattr(calls, "closure", lambda roots, edges: asked.extend(roots) or closure(roots, edges))
    counts = {(one, other): 1 for one in names[-2:] for other in names}
    shown = with_calls(Picture(tuple(map(Node, names)), tuple(pairwise(names))), 1, counts)
    assert asked == names[-2:]
    assert [one.called for one in shown.calls if not one.expected] == names[-1:]
