"""The modules and style sheets of live views: what they share stands in front, so that nothing has to be built."""

from __future__ import annotations

from pathlib import Path

__all__ = ["module", "style"]

_HERE = Path(__file__).parent


def module(name: str) -> str:
    """Return the ESM of the view `name`."""
    return _joined("hosted.js", f"{name}.js")


def style(name: str) -> str:
    """Return the CSS of the view `name`."""
    return _joined("hosted.css", f"{name}.css")


def _joined(*files: str) -> str:
    return "\n".join((_HERE / file).read_text(encoding="utf-8") for file in files)
