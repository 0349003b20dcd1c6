"""What tasks display is noted with their call, and appears where it would, if that is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flyte_nb.execution.runner import current_call

if TYPE_CHECKING:
    from collections.abc import Mapping

    from IPython.core.interactiveshell import InteractiveShell

    from flyte_nb.settings import Settings

__all__ = ["Displays"]


class Displays:
    """Listens to the shell's publisher of displays while the extension is loaded.

    Not through the publisher's hooks: those belong to one thread, and sync tasks run in others.
    """

    def __init__(self, shell: InteractiveShell, settings: Settings) -> None:
        self._publisher: Any = shell.display_pub
        self._settings = settings
        self._before: Any = None
        self._noted = self._noting  # a bound method is another object each time

    def load(self) -> None:
        """Begin to listen."""
        self._before = self._publisher.publish
        self._publisher.publish = self._noted

    def unload(self) -> None:
        """Stop listening; what somebody else has put over it stays."""
        if self._publisher.publish is not self._noted:
            return
        del self._publisher.publish
        if self._publisher.publish != self._before:  # it was somebody else's
            self._publisher.publish = self._before

    def _noting(self, data: Mapping[str, Any], *args: Any, update: bool = False, **kwargs: Any) -> Any:
        call = current_call()
        if call is not None and not update:
            call.write("display", f"{data.get('text/plain') or ', '.join(data)}\n")
        if call is not None and not self._settings.echo:
            return None
        return self._before(data, *args, update=update, **kwargs)
