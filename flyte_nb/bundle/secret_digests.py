"""Secret values in fingerprints: a change of one is noticed, and nothing that is stored tells what it is.

A plain hash of a weak password can be found by trying passwords. With a random key, which stays in a file of the user's
own, it cannot be found from a database, a log or a saved plan.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from flyte_nb.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["SecretDigests"]

_BYTES = 32


class SecretDigests:
    """Digests with the key of a folder, which is made when it is first needed.

    Args:
        home: Returns the folder for what outlives the kernel.
    """

    def __init__(self, home: Callable[[], Path]) -> None:
        self._home = home

    @property
    def path(self) -> Path:
        """The file with the key."""
        return self._home() / "fingerprint.key"

    def sealed(self, said: dict[str, Any], kept: dict[str, Any]) -> dict[str, Any]:
        """Return what stands for the specification `said`, secrets included, in a fingerprint.

        Args:
            said: The specification.
            kept: It without secrets.

        Raises:
            StateError: Something is secret, and the key can be neither read nor written.
        """
        if kept == said:
            return kept
        return {**kept, "secret": self.digest(json.dumps(said, sort_keys=True))}

    def digest(self, text: str) -> str:
        """Return a digest of `text` in hex: the same for the same text and folder.

        Raises:
            StateError: The key can be neither read nor written.
        """
        return hmac.new(self._key(), text.encode(), "sha256").hexdigest()

    def _key(self) -> bytes:
        path = self.path
        try:
            if not path.exists():
                self._make(path)
            key = path.read_bytes()
        except OSError as error:
            raise StateError(str(path), str(error)) from error
        if len(key) != _BYTES:
            raise StateError(str(path), "it does not hold a key")
        return key

    def _make(self, path: Path) -> None:
        """Write a new key, all at once; if another process is faster, its key counts."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        aside = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_bytes(_BYTES))
            with suppress(FileExistsError):
                os.link(aside, path)
        finally:
            aside.unlink()
