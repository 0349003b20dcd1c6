"""What of a scene has to be sent again: of one environment that was redefined, its card and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["changed_rows", "changed_scene", "changed_states"]

# What may be other where the cards are of the same environments: how many have failed, and how wide it is to say so.
_MAY_DIFFER = frozenset({"cards", "headline", "lines", "width", "height"})


def changed_scene(known: Mapping[str, Any], scene: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what of `scene` differs from what a page knows: cards, and what is written above them.

    Returns:
        None if more differs than that: the scene has to be sent again.
    """
    if not known or any(known[name] != value for name, value in scene.items() if name not in _MAY_DIFFER):
        return None
    cards, before = scene["cards"], known["cards"]
    if [card["key"] for card in cards] != [card["key"] for card in before]:
        return None
    changed = {name: scene[name] for name in _MAY_DIFFER - {"cards"} if scene[name] != known[name]}
    others = [card for card, old in zip(cards, before, strict=True) if card != old]
    return {**changed, "cards": others} if others else changed


def changed_rows(known: Sequence[Sequence[str]], rows: Sequence[Sequence[str]]) -> list[Sequence[str]] | None:
    """Return those of `rows`, whose first entries are keys, that a page does not know; None if the keys differ."""
    if [row[0] for row in known] != [row[0] for row in rows]:
        return None
    return [row for row, old in zip(rows, known, strict=True) if row != old]


def changed_states(known: Mapping[str, str], states: Mapping[str, str]) -> dict[str, str] | None:
    """Return those of `states`, by key, that a page does not know; None if the keys differ."""
    if known.keys() != states.keys():
        return None
    return {key: state for key, state in states.items() if known[key] != state}
