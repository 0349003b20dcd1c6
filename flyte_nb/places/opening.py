"""Putting together, for a session, the place where what is deployed on this machine runs."""

from __future__ import annotations

import sys
from os import cpu_count
from typing import TYPE_CHECKING, Any

from flyte_nb.bundle.module_names import PACKAGE
from flyte_nb.crossing.definitions import KERNEL
from flyte_nb.machine.admission import Admission
from flyte_nb.machine.detect import this_machine
from flyte_nb.masking import masked
from flyte_nb.model.image import Image
from flyte_nb.places.local import LocalPlace
from flyte_nb.places.preparing import Preparing, SessionSecrets
from flyte_nb.workers.names import Names
from flyte_nb.workers.pool import Pool

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from flyte_nb.bundle.content import Bundle
    from flyte_nb.definitions.registry import Registry
    from flyte_nb.definitions.sources import CellSources
    from flyte_nb.errors import FlyteNbError
    from flyte_nb.execution.runner import Runner
    from flyte_nb.model.spec import EnvironmentSpec
    from flyte_nb.model.task import Task
    from flyte_nb.places.versions import Versions
    from flyte_nb.venvs.venvs import Venvs

    Bundles = Callable[[Collection[str]], tuple[dict[str, Bundle], dict[str, FlyteNbError]]]

__all__ = ["open_local_place"]

# As many threads as Python starts for functions that block.
_MORE_PROCESSES = 4


def open_local_place(
    home: Path,
    runner: Runner,
    versions: Versions,
    venvs: Venvs,
    registry: Registry,
    cells: CellSources,
    bundles: Bundles,
) -> LocalPlace:
    """Return the place for the folder `home`; it starts nothing before something is run.

    Args:
        home: The folder for what outlives the kernel.
        runner: Notes every call.
        versions: What is deployed, and was.
        venvs: The virtual environments on this machine.
        registry: What the session defines.
        cells: The notebook, whose names values may bring along.
        bundles: Gives what would be deployed of environments now.
    """
    names = _names_of_kernel(registry, cells)
    machine = this_machine()
    admission = Admission(machine, (cpu_count() or 1) + _MORE_PROCESSES)
    preparing = Preparing(home, venvs, machine)

    def secrets(current: Mapping[str, str]) -> SessionSecrets:
        return _secrets(registry, bundles, current)

    return LocalPlace(runner, versions, Pool(names), admission, preparing, names, secrets)


def _names_of_kernel(registry: Registry, cells: CellSources) -> Names:
    def is_notebook(module: str) -> bool:
        return module == "__main__" or module.startswith(f"{PACKAGE}.")

    def notebook(name: str) -> Any:
        names = cells.names or vars(sys.modules["__main__"])
        if name in names:
            return names[name]
        adopted = (module for path, module in list(sys.modules.items()) if path.startswith(f"{PACKAGE}."))
        for module in adopted:
            if name in vars(module):
                return vars(module)[name]
        raise LookupError(name)

    def task(name: str) -> Task[..., Any]:
        return registry.tasks(name.partition(".")[0])[name]

    return Names(KERNEL, is_notebook, notebook, task)


def _secrets(registry: Registry, bundles: Bundles, current: Mapping[str, str]) -> SessionSecrets:
    specs = {name: registry.require(name) for name in registry.names()}
    withheld = frozenset(secret.as_env_var for spec in specs.values() for secret in spec.secrets if secret.as_env_var)
    holding = [name for name, spec in specs.items() if name in current and _holds_secrets(spec)]
    made = bundles(holding)[0] if holding else {}
    same = {name: specs[name] for name, bundle in made.items() if bundle.fingerprint == current[name]}
    return SessionSecrets(same, withheld)


def _holds_secrets(spec: EnvironmentSpec) -> bool:
    """Say whether something of a definition is not stored."""
    given = dict(spec.image.env_vars) if isinstance(spec.image, Image) else {}
    return masked(given) != given or masked(spec.env_vars) != dict(spec.env_vars)
