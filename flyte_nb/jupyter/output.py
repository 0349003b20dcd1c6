"""What a magic displays: one output that is HTML and text, can be updated in place, and comes alive where it can."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from IPython.display import display

from flyte_nb.view.resembling import resembling
from flyte_nb.view.room import MOST_HTML
from flyte_nb.view.still import bundle, new_host, still
from flyte_nb.view.table import Table, table_html, table_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from IPython.core.interactiveshell import InteractiveShell

    from flyte_nb.settings import Settings
    from flyte_nb.view.picture import Picture
    from flyte_nb.view.widgets.graph import GraphWidget

__all__ = ["GraphOutput", "HostedOutput", "LiveGraphs", "has_front_end", "is_watched", "show", "show_table"]


def has_front_end(shell: InteractiveShell) -> bool:
    """Say whether a kernel's front end shows the output, rather than a terminal."""
    return getattr(shell, "kernel", None) is not None


def is_watched(shell: InteractiveShell, settings: Settings) -> bool:
    """Say whether what goes on is shown while it does, rather than when it is over."""
    return has_front_end(shell) and settings.progress


def show(bundle: dict[str, str], display_id: str | None = None, *, update: bool = False) -> None:
    """Display a mimebundle; `update` replaces what was displayed under `display_id`."""
    display(bundle, raw=True, display_id=display_id, update=update)  # type: ignore[no-untyped-call]


def show_table(table: Table, *, whole: bool = False) -> None:
    """Display `table` as HTML and text, with long cells cut unless they are to be seen `whole`."""
    show({"text/html": table_html(table, whole=whole), "text/plain": table_text(table, whole=whole)})


class HostedOutput:
    """One output of a cell: what stays in the notebook, and the place where a live view is mounted over it.

    The output holds no widget; the live view finds its place by a class name.

    Attributes:
        host: The class name, of which no other output has the same.
    """

    def __init__(self) -> None:
        self.host = new_host()
        self._kept: dict[str, str] | None = None

    @property
    def shown(self) -> bool:
        """Whether anything was shown yet."""
        return self._kept is not None

    def show(self, bundle: dict[str, str]) -> None:
        """Display a mimebundle in this place, instead of what was there."""
        if bundle != self._kept:
            show(bundle, self.host, update=self.shown)
        self._kept = bundle


class GraphOutput:
    """One output with a picture: a still image in the notebook, and the live view mounted over it.

    Args:
        picture: What is shown.
        table: What stands under the picture, and instead of it where there is only text.
        below: HTML that stands under the table.
        about: Tells what else there is to know of an environment: see `GraphWidget`.
        with_calls: Lays over a picture what has called what while it ran: see `GraphWidget`.
        calls: Whether that is laid over the still image, and over the live view until a page chooses.
        watched: Whether there is a live view.
    """

    def __init__(
        self,
        picture: Picture,
        table: Table | None = None,
        below: str = "",
        *,
        about: Callable[[str], Sequence[tuple[str, str]]] | None = None,
        with_calls: Callable[[Picture], Picture] | None = None,
        calls: bool = False,
        watched: bool,
    ) -> None:
        self._output = HostedOutput()
        self._given = self._picture = picture
        self._lay = with_calls if with_calls and calls else lambda picture: picture
        self._still = self._lay(picture)
        # What is still is there at once; the live view finds its place when it comes.
        self._output.show(self._bundle(table, below))
        self._widget = _widget(picture, self._output.host, about, with_calls, calls=calls) if watched else None

    def show(self, picture: Picture) -> None:
        """Replace the picture, in the live view and in what stays in the notebook, by one that may be the same."""
        if picture != self._given:  # many are shown again whatever has changed, and to draw one takes its time
            self._given, self._picture = picture, resembling(picture, self._picture)
            if self._widget:
                self._widget.show(self._picture)
        still = self._lay(self._picture)
        if still != self._still:
            self._still = still
            self._output.show(bundle(still, self._output.host))

    def look_again(self) -> None:
        """Have the live view ask again what it has been told, and look again at what has called what."""
        if self._widget:
            self._widget.look_again()

    def close(self) -> None:
        """Let go of the live view; the still image stays."""
        if self._widget:
            self._widget.close()

    def _bundle(self, table: Table | None, below: str) -> dict[str, str]:
        if table is None:
            return bundle(self._still, self._output.host)
        # In plain text the table says what the graph says.
        picture = still(self._still, self._output.host)
        html = picture + table_html(table, room=MOST_HTML - len(picture) - len(below)) + below
        return {"text/html": html, "text/plain": table_text(table)}


def _widget(
    picture: Picture,
    host: str,
    about: Callable[[str], Sequence[tuple[str, str]]] | None,
    with_calls: Callable[[Picture], Picture] | None,
    *,
    calls: bool,
) -> GraphWidget:
    from flyte_nb.view.widgets.graph import GraphWidget

    return GraphWidget(picture, host, about=about, with_calls=with_calls, calls=calls)


class _Shown(NamedTuple):
    cell: str | None
    output: GraphOutput
    current: Callable[[], Picture] | None


class LiveGraphs:
    """The graphs on screen: they are alive until their cell runs again, or too many have come after them."""

    _MOST = 16

    def __init__(self) -> None:
        self._graphs: deque[_Shown] = deque()

    def add(self, cell: str | None, output: GraphOutput, current: Callable[[], Picture] | None = None) -> None:
        """Keep `output` alive.

        Args:
            cell: The cell that shows it, if that is known.
            output: What is shown.
            current: Gives what it shows, as it is now; without it, that never changes.
        """
        self._graphs.append(_Shown(cell, output, current))
        while len(self._graphs) > self._MOST:
            self._graphs.popleft().output.close()

    def drop(self, cell: str | None) -> None:
        """Let go of all that `cell` has shown: it runs again, and its output is empty."""
        gone = [shown for shown in self._graphs if cell and shown.cell == cell]
        self._graphs = deque(shown for shown in self._graphs if shown not in gone)
        for shown in gone:
            shown.output.close()

    @property
    def follow(self) -> bool:
        """Whether there is one that shows the session as it is."""
        return any(shown.current for shown in self._graphs)

    def refresh(self) -> None:
        """Bring every graph up to date with the session as it is now."""
        for _, output, current in tuple(self._graphs):
            if current:
                output.show(current())
                output.look_again()

    def close(self) -> None:
        """Let go of every live view."""
        while self._graphs:
            self._graphs.popleft().output.close()
