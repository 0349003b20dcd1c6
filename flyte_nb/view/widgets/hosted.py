"""What the live views share: a place in the notebook, and an ear for their pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import anywidget
from traitlets import Bool, Unicode

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["HostedWidget"]


class HostedWidget(anywidget.AnyWidget):
    """Draws over the still with the class `host`, wherever that is displayed; never displayed itself.

    A page tells what a person chooses in messages of its own: a change of state that is sent while a cell runs gets
    no answer from the kernel, and the front end would hold back all that come after it.

    Args:
        host: The class of the still's div.
        on_cancel: What the Cancel button does; without it there is none.
        traits: What a page knows from the beginning.
    """

    _choices: ClassVar[frozenset[str]] = frozenset()
    """The traits that pages choose; tagged with `echo_update=False`, as the page knows already."""

    _host = Unicode().tag(sync=True)
    _cancellable = Bool(False).tag(sync=True)

    def __init__(self, host: str, on_cancel: Callable[[], None] | None = None, **traits: Any) -> None:
        self._on_cancel = on_cancel
        self.on_msg(self._hear)  # first: an answer may come as soon as the widget is open, in another thread
        super().__init__(_host=host, _cancellable=on_cancel is not None, **traits)

    def _hear(self, _widget: HostedWidget, content: object, _buffers: object) -> None:
        if content == {"cancel": True} and self._cancellable and self._on_cancel:
            self._on_cancel()
        chosen = content.get("chosen") if isinstance(content, dict) else None
        if isinstance(chosen, dict):
            self.set_state({name: key for name, key in chosen.items() if name in self._choices})
