"""Saying which definitions of the notebook are not what a run of deployed versions is about to run."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from flyte_nb.errors import FlyteNbError, option_for
from flyte_nb.execution.runner import current_caller

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flyte_nb.session import Session

__all__ = ["tell_of_versions"]

_SHOWN_CHARACTERS = 12


def tell_of_versions(session: Session) -> None:
    """Have the run that begins here print a line where it runs other versions than the session defines."""
    caller = current_caller()
    if caller is None or caller.place is None:
        return
    target = caller.place.target

    def tell(deployed: Mapping[str, str]) -> None:
        with suppress(FlyteNbError):  # it is a remark: what cannot be told does not keep the run from running
            changed = {name: deployed[name][:_SHOWN_CHARACTERS] for name in session.changed_since(deployed, target)}
            if changed:
                sys.stdout.write(f"{_line(changed, target)}\n")  # at once: tasks print, too

    caller.place.watch(tell)


def _line(changed: Mapping[str, str], target: str) -> str:
    deploy = f"%flyte_deploy {' '.join(changed)}{option_for(target)}"
    if len(changed) == 1:
        ((name, version),) = changed.items()
        return f"{name} has changed since it was deployed (version {version} runs): {deploy}"
    versions = ", ".join(f"{name} (version {version} runs)" for name, version in changed.items())
    return f"These have changed since they were deployed: {versions}. Deploy them: {deploy}"
