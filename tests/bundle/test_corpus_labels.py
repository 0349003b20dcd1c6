"""The corpus is about real notebooks: its cells run in a kernel, and its labels agree with each other."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING

import pytest

from .corpus import CORPUS, TOPICS
from .corpus_figures import precision_and_recall

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .conftest import Looked
    from .corpus import Case

# What the issue asks the corpus to cover.
WANTED = (
    "closures", "comprehensions", "globals", "aliases", "decorators", "star imports", "exec", "default arguments",
    "class bodies", "async",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.name)
def test_cells_run(corpus: Mapping[str, Looked], case: Case) -> None:
    """Every cell runs, the task is there after the last one, and so is each name that the module must have."""
    assert case.task in corpus[case.name].tasks
    assert case.kept <= set(corpus[case.name].names)


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.name)
def test_labels_do_not_contradict_each_other(case: Case) -> None:
    """A name has one label, and no label is about a builtin that no cell names."""
    assert not case.kept & case.left_out
    assert not case.refused & (case.kept | case.left_out)
    text = "\n".join(case.cells)
    assert all(name in text or not hasattr(builtins, name) for name in case.refused | case.kept)
    assert case.task.rpartition(".")[2] in text


def test_the_corpus_covers_what_notebooks_do() -> None:
    """There are at least 90 cases of different names, and each topic has five, refused ones and deployable ones."""
    assert len({case.name for case in CORPUS}) == len(CORPUS) >= 90
    for topic in WANTED:
        refused = [bool(case.refused) for case in TOPICS[topic]]
        assert len(refused) >= 5, topic
        assert min(refused.count(True), refused.count(False)) >= 2, topic
    deployable = sum(not case.refused for case in CORPUS)
    assert 0.4 <= deployable / len(CORPUS) <= 0.6


def test_figures_are_perfect_for_the_labels(capsys: pytest.CaptureFixture[str]) -> None:
    """What is labelled has precision and recall 1, and nothing is listed."""
    assert precision_and_recall({case.name: case.refused for case in CORPUS}) == (1.0, 1.0)
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_figures_list_misses_and_false_alarms(capsys: pytest.CaptureFixture[str]) -> None:
    """A name that was not found costs recall, one that should not have been found precision; both are listed."""
    found = {case.name: case.refused for case in CORPUS}
    refused, deployable = (next(case for case in CORPUS if bool(case.refused) is wanted) for wanted in (True, False))
    found[refused.name] = frozenset()
    found[deployable.name] = frozenset({"unexpected"})
    pairs = sum(len(case.refused) for case in CORPUS)
    missed = len(refused.refused)
    precision, recall = precision_and_recall(found)
    assert precision == (pairs - missed) / (pairs - missed + 1)
    assert recall == (pairs - missed) / pairs
    printed = capsys.readouterr().out
    assert f"false alarm: unexpected in {deployable.name!r}" in printed
    assert all(f"missed: {name} in {refused.name!r}" in printed for name in refused.refused)


def test_figures_refuse_what_is_no_case() -> None:
    """A misspelled case would silently count as nothing found."""
    with pytest.raises(KeyError, match="no such case"):
        precision_and_recall({"no such case": frozenset()})
