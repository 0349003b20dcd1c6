"""Errors of workers are made presentable, whatever they do when they are asked or told something."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

import pytest

from flyte_nb.masking import declared_secrets
from flyte_nb.places.tracebacks import make_presentable

if TYPE_CHECKING:
    from pathlib import Path


class ReadOnlyError(Exception):
    @property
    def args(self) -> tuple[str]:  # type: ignore[override]
        return ("correct horse",)


class WithoutNotesError(Exception):
    __notes__: Any = None


class SaysItselfError(Exception):
    def __init__(self, problem: str) -> None:
        self.problem, self.around = problem, {"deep": (problem, [problem])}

    def __str__(self) -> str:
        return f"it is {self.problem}, {self.around}"


def said(error: BaseException, folder: Path) -> str:
    """Return what is shown of an error that was made presentable."""
    declared_secrets.add_values(["correct horse"])
    make_presentable(error, folder)
    return "".join(traceback.format_exception_only(type(error), error))


@pytest.mark.parametrize("kind", [ReadOnlyError, WithoutNotesError])
def test_an_error_that_refuses_to_be_changed_stays_as_it_is(tmp_path: Path, kind: type[Exception]) -> None:
    """It is still the user's error, and no error of ours."""
    assert kind.__name__ in said(kind("one"), tmp_path)


def test_what_an_error_keeps_of_its_own_is_masked(tmp_path: Path) -> None:
    """In its variables too, and deep within them; what holds nothing secret is left alone."""
    error = SaysItselfError("correct horse")
    error.kept = kept = ["one", {"two": 2}]  # type: ignore[attr-defined]
    assert "it is ***, {'deep': ('***', ['***'])}" in said(error, tmp_path)
    assert error.kept is kept  # type: ignore[attr-defined]


def test_what_led_to_an_error_is_masked(tmp_path: Path) -> None:
    """It is shown as well."""
    error = ValueError("outer")
    error.__cause__ = FileNotFoundError(2, "No such file", "/correct horse")
    said(error, tmp_path)
    assert str(error.__cause__) == "[Errno 2] No such file: '/***'"
