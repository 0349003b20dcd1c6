"""Where installed packages came from: installers note the address, some with the credentials in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from flyte_nb.masking import without_credentials

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["mask_origins"]

# The file is that of PEP 610; the folders are those of Unix and of Windows.
_NOTES = ("lib/python*/site-packages/*.dist-info/direct_url.json", "Lib/site-packages/*.dist-info/direct_url.json")


def mask_origins(venv: Path) -> None:
    """Take credentials out of what the packages in `venv` tell of where they came from."""
    for pattern in _NOTES:
        for note in venv.glob(pattern):
            origin = json.loads(note.read_text(encoding="utf-8"))
            masked = without_credentials(origin)
            if masked != origin:
                note.unlink()  # it may be one file with that in the cache of the installer
                note.write_text(json.dumps(masked), encoding="utf-8")
