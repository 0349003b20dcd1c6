"""Collecting virtual environments that nothing deployed on this machine needs any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flyte_nb.venvs.specification import venv_spec_of_json

if TYPE_CHECKING:
    from flyte_nb.targets.local import Records
    from flyte_nb.venvs.venvs import Venvs

__all__ = ["collect_unused_venvs"]

_DAY_SECONDS = 24 * 3_600


def collect_unused_venvs(venvs: Venvs, records: Records, target: str, unused_days: float) -> list[str]:
    """Remove virtual environments that nothing deployed needs and nobody uses, and return their keys.

    Args:
        venvs: The virtual environments of this machine.
        records: What is deployed.
        target: The name of the target by which they are recorded.
        unused_days: How many days they have been unused at least.
    """
    venvs.sweep()
    if not venvs.unused(unused_days * _DAY_SECONDS):
        return []  # most likely; what is deployed takes longer to read
    specs = (venv_spec_of_json(each.specification.get("image")) for each in records.deployed(target).values())
    return venvs.collect({spec.key for spec in specs if spec}, unused_days * _DAY_SECONDS)
