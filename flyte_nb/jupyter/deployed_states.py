"""What graphs say of deployments: whether what is deployed is what is defined."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from flyte_nb.errors import FlyteNbError

if TYPE_CHECKING:
    from flyte_nb.session import Session

__all__ = ["DeployedStates"]


_MOST = 200
"""How many environments are looked at after each cell, which takes a moment for each; of more, their details tell."""


class DeployedStates:
    """What is deployed, as of when somebody looked last.

    Attributes:
        same: Of each environment that is deployed whether it is as it is defined; empty where that cannot be
            told, or where they are too many.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.same: dict[str, bool] = {}

    def look(self) -> bool:
        """Look again, and say whether there is anything new."""
        before = self.same
        try:
            self.same = self._session.deployed() if len(self._session.registry.edges) <= _MOST else {}
        except FlyteNbError:  # who opens the details of an environment is told why
            self.same = {}
        except Exception:
            logging.getLogger("flyte_nb").exception("what is deployed could not be compared with what is defined")
            self.same = {}
        return self.same != before
