"""Building a virtual environment: make it, install into it, try it."""

from __future__ import annotations

import asyncio
from datetime import datetime, timezone
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

from flyte_nb.masking import without_credentials
from flyte_nb.venvs.commands import finished
from flyte_nb.venvs.origins import mask_origins
from flyte_nb.venvs.site import Site
from flyte_nb.venvs.trying import try_imports
from flyte_nb.venvs.with_pip import Pip
from flyte_nb.venvs.with_uv import Uv, find_uv

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flyte_nb.venvs.specification import VenvSpec

__all__ = ["build"]


class Installer(Protocol):
    """What makes environments and installs packages into them."""

    name: str

    async def create(self, site: Site) -> None:
        """Make the environment, or raise VenvError."""

    async def install(self, site: Site) -> None:
        """Install its packages, or raise VenvError."""


async def build(spec: VenvSpec, folder: Path, final: Path, log: Callable[[str], None]) -> dict[str, Any]:
    """Build what `spec` says in `folder`, so that it can be renamed to `final`; return a record of it for JSON.

    Raises:
        VenvError: It cannot be built.
        OSError: So the operating system says.
    """
    site = Site(spec, folder, final, log)
    site.log(f"building a virtual environment: {spec}")
    begun = monotonic()
    installer = await asyncio.to_thread(_installer)
    await installer.create(site)
    if spec.packages:
        await installer.install(site)
        await finished(asyncio.to_thread(mask_origins, folder))
    installed = await try_imports(site)
    site.log(f"built in {monotonic() - begun:.1f} s")
    return {
        "key": spec.key,
        "python": spec.python,
        "packages": [without_credentials(package) for package in spec.packages],
        "installed": installed,
        "built": datetime.now(timezone.utc).isoformat(),
        "by": installer.name,
    }


def _installer() -> Installer:
    uv = find_uv()
    return Uv(uv) if uv else Pip()
