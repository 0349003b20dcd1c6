"""What the live views share: a place in the notebook, and an ear for their pages."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, ClassVar

import anywidget
from traitlets import Bool, Dict, Unicode

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

    Attributes:
        lock: Whoever changes what the page knows holds it: updates come from one thread, and choices from another.
    """

    _choices: ClassVar[frozenset[str]] = frozenset()
    """The traits that pages choose; tagged with `echo_update=False`, as the page knows already."""

    _host = Unicode().tag(sync=True)
    # The number of the last message. Changed in place: a page that is loaded later gets it, and no event sends it.
    _news = Dict().tag(sync=True)
    _cancellable = Bool(False).tag(sync=True)

    def __init__(self, host: str, on_cancel: Callable[[], None] | None = None, **traits: Any) -> None:
        self._on_cancel, self.lock = on_cancel, threading.RLock()
        self.on_msg(self._hear)  # first: an answer may come as soon as the widget is open, in another thread
        super().__init__(_host=host, _cancellable=on_cancel is not None, _news={"last": 0}, **traits)
        self._be_heard_where_pages_send()

    def _be_heard_where_pages_send(self) -> None:
        """Have messages of a page heard in the subshell to which it sends them, also while a cell blocks the kernel.

        From version 7.4 on, ipykernel hands them to the shell that has last sent something to the page instead. That
        is always the one with the cell, which hears nothing while it computes.
        """
        if hasattr(self.comm, "_reply_subshell_for"):
            self.comm._reply_subshell_for = lambda _data, sent_to: sent_to  # noqa: SLF001 - nothing public says it

    def send(self, content: Any, buffers: Any = None) -> None:
        """Send a message to the page, numbered: a page that has missed one asks for everything."""
        with self.lock:
            self._news["last"] += 1
            super().send({**content, "n": self._news["last"]}, buffers)

    def _hear(self, _widget: HostedWidget, content: object, _buffers: object) -> None:
        if content == {"cancel": True} and self._cancellable and self._on_cancel:
            self._on_cancel()
        if content == {"everything": True}:
            with self.lock:
                self.send_state()
        chosen = content.get("chosen") if isinstance(content, dict) else None
        if isinstance(chosen, dict):
            with self.lock:
                self.set_state({name: key for name, key in chosen.items() if name in self._choices})
