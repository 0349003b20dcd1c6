"""How well what was refused agrees with the labels of the corpus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .corpus import CORPUS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["precision_and_recall"]

Pair = tuple[str, str]


def precision_and_recall(found: Mapping[str, frozenset[str]]) -> tuple[float, float]:
    """Print and return precision and recall over pairs of a case and a name that is refused in it.

    Args:
        found: The names that were refused, by the name of the case; a case without an entry had none.

    Raises:
        KeyError: An entry is of no case of the corpus.
    """
    known = {case.name for case in CORPUS}
    for case in found:
        if case not in known:
            raise KeyError(case)
    wanted = _pairs((case.name, case.refused) for case in CORPUS)
    given = _pairs(found.items())
    right = len(wanted & given)
    precision = right / len(given) if given else 1.0
    recall = right / len(wanted)
    _print_list("missed", wanted - given)
    _print_list("false alarm", given - wanted)
    print(f"precision {precision:.3f}, recall {recall:.3f}: {len(CORPUS)} cases, {len(wanted)} refused names")
    return precision, recall


def _pairs(names: Iterable[tuple[str, frozenset[str]]]) -> set[Pair]:
    return {(case, name) for case, refused in names for name in refused}


def _print_list(kind: str, pairs: set[Pair]) -> None:
    for case, name in sorted(pairs):
        print(f"{kind}: {name} in {case!r}")
