"""Versions for tests: deployed as a user deploys, or put together by hand."""

from __future__ import annotations

import asyncio
import importlib
import sys
import zipfile
from typing import TYPE_CHECKING, Any

import flyte_nb
from flyte_nb.places.versions import DeployedVersion
from flyte_nb.session import session

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

SAID: dict[str, Any] = {"image": "auto", "env_vars": {}, "secrets": [], "tasks": {}}


def version(module: str = "import flyte\n", environment: str = "ml-training", **changes: Any) -> DeployedVersion:
    """Return a version; `changes` are fields of it, or parts of its specification."""
    fields = {key: changes.pop(key) for key in ("fingerprint", "files", "modules", "module_name") if key in changes}
    plain = environment.replace("-", "_")
    given = {"fingerprint": "f1" * 32, "files": {}, "modules": {plain: environment}, "module_name": plain, **fields}
    return DeployedVersion(environment=environment, specification={**SAID, **changes}, module=module, **given)


def deploy(*environments: str) -> None:
    """Deploy to the local target."""
    asyncio.run(flyte_nb.deploy(*environments)).raise_if_failed()


def record(*environments: str) -> None:
    """Record environments as deployed to the local target, with nothing built for them."""
    for bundle in session().bundles(environments)[0].values():
        session()._deployment_state().record("local", bundle).result()


def defined_in(source: str, folder: Path, monkeypatch: pytest.MonkeyPatch, name: str = "defined_here") -> None:
    """Define what a module with that source defines: bundles need source that is in a file."""
    (folder / f"{name}.py").write_text(source)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, name, raising=False)
    importlib.import_module(name)


def deployed(environment: str, which: str | None = None) -> DeployedVersion:
    """Return what is deployed of an environment to the local target."""
    return session().embedded.versions.find("local", environment, which)


def made_wheel(folder: Path, name: str, number: str) -> str:
    """Return the path of a package with one module that knows its version, as a wheel: nothing is downloaded."""
    wheel, facts = folder / f"{name}-{number}-py3-none-any.whl", f"{name}-{number}.dist-info"
    contents = {
        f"{name}.py": f"VERSION = {number!r}\n",
        f"{facts}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {number}\n",
        f"{facts}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = f"{facts}/RECORD"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in contents.items():
            archive.writestr(path, text)
        archive.writestr(record, "".join(f"{path},,\n" for path in [*contents, record]))
    return str(wheel)
