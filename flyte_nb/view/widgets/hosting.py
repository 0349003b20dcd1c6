"""The modules and style sheets of live views: what they share stands in front, so that nothing has to be built."""

from __future__ import annotations

from pathlib import Path

__all__ = ["module", "style"]

_HERE = Path(__file__).parent


def module(*names: str) -> str:
    """Return the ESM of a view, of which `names` are the parts in their order: the last exports it."""
    return _joined("grip.js", "hosted.js", *(f"{name}.js" for name in names))


def style(*names: str) -> str:
    """Return the CSS of a view, of which `names` are the parts in their order."""
    return _joined("hosted.css", *(f"{name}.css" for name in names))


def _joined(*files: str) -> str:
    return "\n".join((_HERE / file).read_text(encoding="utf-8") for file in files)
