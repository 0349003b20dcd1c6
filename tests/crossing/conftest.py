"""What the tests of crossings share: environments with other versions of Python and libraries."""

from __future__ import annotations

import pytest

from tests.crossing.foreign import Environments


@pytest.fixture(scope="session")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Environments:
    """Real environments, built once in a session."""
    return Environments(tmp_path_factory.mktemp("environments"))
