"""What every test gets: a session of its own, and a home folder that is thrown away."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

import flyte_nb
from flyte_nb.session import session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


# For what is written between two tests, and when the process ends: never the user's own home.
_home = tempfile.TemporaryDirectory(prefix="flyte_nb-tests-")
os.environ["FLYTE_NB_HOME"] = _home.name

# How long an example takes says nothing on a busy machine.
settings.register_profile("flyte_nb", deadline=None)
settings.load_profile("flyte_nb")


@pytest.fixture(autouse=True)
def _fresh_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("FLYTE_NB_HOME", str(tmp_path / "flyte_nb_home"))
    flyte_nb.reset()
    yield
    flyte_nb.reset()
    session().history.flush()  # into the home of this test
