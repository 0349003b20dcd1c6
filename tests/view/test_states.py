"""States can be told apart and read, in both themes."""

from __future__ import annotations

import pytest

from flyte_nb.view.states import STATES
from flyte_nb.view.svg import DARK, LIGHT


def _luminance(colour):
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    """Return the ratio that WCAG asks to be at least 4.5 for text."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("name", STATES)
def test_every_state_can_be_read(name):
    """Its colour on cards and on what they lie on, where its word is written; JupyterLab's own grounds included."""
    state = STATES[name]
    for ground in (LIGHT["page"], LIGHT["band"], LIGHT["card"], "#ffffff", "#f4f4f4"):
        assert contrast(state.light, ground) >= 4.5
    for ground in (DARK["page"], DARK["band"], DARK["card"], "#111111", "#2a2a2a"):
        assert contrast(state.dark, ground) >= 4.5


def test_no_two_states_have_one_shape():
    """Colour is never all there is: the mark, the glyph and the word differ."""
    marks = [(state.mark, state.filled) for state in STATES.values()]
    assert len(set(marks)) == len({state.glyph for state in STATES.values()}) == len(STATES)
    assert len({state.label for state in STATES.values()}) == len(STATES)


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_texts_of_pictures_can_be_read(colours):
    """On the page and on the bands."""
    for text in ("text", "muted", "call"):
        for ground in ("page", "band", "card"):
            assert contrast(colours[text], colours[ground]) >= 4.5
