"""Images as virtual environments: what an image adds with pip is installed, on top of what this Python has."""

from __future__ import annotations

import asyncio
import site
import subprocess
import venv
from typing import TYPE_CHECKING, Any

from flyte import ImageBuild

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["VenvBuilder"]


class VenvBuilder:
    """An image builder of the SDK's protocol, whose images the control plane runs pods in.

    Attributes:
        built: What was built, in order.

    Args:
        folder: Where the environments lie: see `Loopback.venvs`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self.built = folder, list[str]()

    def get_checkers(self) -> list[Any]:
        """Return what looks for images that were built before: nothing is."""
        return [_Never]

    async def build_image(self, image: Any, dry_run: bool = False, wait: bool = True, force: bool = False) -> Any:
        """Build `image`, and return what the control plane knows it by."""
        name = image.uri.rpartition(":")[2]
        self.built.append(name)
        if not (self._folder / name).exists():
            await asyncio.to_thread(self._build, self._folder / name, image)
        return ImageBuild(uri=f"loopback/venv:{name}", remote_run=None)

    def _build(self, folder: Path, image: Any) -> None:
        venv.create(folder, with_pip=True)
        packages = next(folder.glob("lib/python*/site-packages"))
        (packages / "_base.pth").write_text("\n".join(site.getsitepackages()))
        for layer in image._layers:  # nothing public tells them
            if wanted := getattr(layer, "packages", None):
                pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "-q", "--ignore-installed", *wanted]
                subprocess.run(pip, check=True, capture_output=True)


class _Never:
    @classmethod
    async def image_exists(cls, repository: str, tag: str, arch: Any = ()) -> None:
        return None
