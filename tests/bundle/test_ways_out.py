"""What is told about a name that deployed code would not have fits what the name is."""

from __future__ import annotations

import flyte_nb as flyte
from flyte_nb.bundle.namespace import Kind, Namespace
from flyte_nb.bundle.problems import HiddenDependency
from flyte_nb.errors import HiddenDependencyError


def test_what_only_a_notebook_has_is_left_out() -> None:
    """Magics and the history of cells are no inputs."""
    meaning = Namespace([], {}).meaning("get_ipython")
    assert meaning.kind is Kind.RUN_TIME
    assert meaning.way_out.startswith("Leave it out of the task")


def test_every_name_is_told_at_once() -> None:
    """Nobody has to mend one to learn of the next."""
    found = [
        HiddenDependency(name, "ml.train", "ml.train", "cell [3], line 2", "a value", "Mend it.") for name in "abc"
    ]
    assert str(HiddenDependencyError("ml", found)).endswith("Mend it. 'b', 'c' would be missing too.")
    assert "missing too" not in str(HiddenDependencyError("ml", found[:1]))


def test_the_errors_of_bundles_are_public() -> None:
    """They can be caught without knowing where they are written."""
    assert issubclass(flyte.HiddenDependencyError, flyte.FlyteNbError)
    assert issubclass(flyte.CredentialInSourceError, flyte.FlyteNbError)
