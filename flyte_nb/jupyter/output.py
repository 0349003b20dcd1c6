"""What a magic displays: one output that is HTML and text, can be updated in place, and comes alive where it can."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from IPython.display import display

from flyte_nb.view.still import bundle, new_host, still
from flyte_nb.view.table import Table, table_html, table_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.interactiveshell import InteractiveShell

    from flyte_nb.view.picture import Picture
    from flyte_nb.view.widgets.graph import GraphWidget

__all__ = ["GraphOutput", "LiveGraphs", "has_front_end", "show", "show_table"]


def has_front_end(shell: InteractiveShell) -> bool:
    """Say whether a kernel's front end shows the output, rather than a terminal."""
    return getattr(shell, "kernel", None) is not None


def show(bundle: dict[str, str], display_id: str | None = None, *, update: bool = False) -> None:
    """Display a mimebundle; `update` replaces what was displayed under `display_id`."""
    display(bundle, raw=True, display_id=display_id, update=update)  # type: ignore[no-untyped-call]


def show_table(table: Table, *, whole: bool = False) -> None:
    """Display `table` as HTML and text, with long cells cut unless they are to be seen `whole`."""
    show({"text/html": table_html(table, whole=whole), "text/plain": table_text(table, whole=whole)})


class GraphOutput:
    """One output with a picture: a still image in the notebook, and the live view mounted over it.

    The output holds no widget; the live view finds its place by the class name `host`.

    Args:
        shell: Where it is shown.
        picture: What is shown.
        table: What stands under the picture, and instead of it where there is only text.
        below: HTML that stands under the table.
    """

    def __init__(self, shell: InteractiveShell, picture: Picture, table: Table | None = None, below: str = "") -> None:
        self._host = new_host()
        self._picture, self._below = picture, below
        self._widget = _widget(picture, self._host) if has_front_end(shell) else None
        show(self._bundle(table), self._host)

    def show(self, picture: Picture) -> None:
        """Replace the picture, in the live view and in what stays in the notebook."""
        self._picture = picture
        if self._widget:
            self._widget.show(picture)
        show(bundle(picture, self._host), self._host, update=True)

    def close(self) -> None:
        """Let go of the live view; the still image stays."""
        if self._widget:
            self._widget.close()

    def _bundle(self, table: Table | None) -> dict[str, str]:
        if table is None:
            return bundle(self._picture, self._host)
        # In plain text the table says what the graph says.
        html = still(self._picture, self._host) + table_html(table) + self._below
        return {"text/html": html, "text/plain": table_text(table)}


def _widget(picture: Picture, host: str) -> GraphWidget:
    from flyte_nb.view.widgets.graph import GraphWidget

    return GraphWidget(picture, host)


class LiveGraphs:
    """The graphs on screen that follow the registry; a cell that shows its graph again replaces it."""

    _MOST = 16

    def __init__(self) -> None:
        self._graphs: dict[str, tuple[GraphOutput, Callable[[], Picture]]] = {}
        self._unnamed = count()

    def add(self, cell: str | None, output: GraphOutput, current: Callable[[], Picture]) -> None:
        """Keep `output`, which `cell` shows, up to date with `current`."""
        key = cell or f"unnamed {next(self._unnamed)}"
        too_many = max(0, len(self._graphs) + 1 - self._MOST)
        replaced = [key] if key in self._graphs else list(self._graphs)[:too_many]
        for old in replaced:
            self._graphs.pop(old)[0].close()
        self._graphs[key] = (output, current)

    def refresh(self) -> None:
        """Redraw every graph from the session as it is now."""
        for output, current in self._graphs.values():
            output.show(current())

    def close(self) -> None:
        """Let go of every live view."""
        while self._graphs:
            self._graphs.popitem()[1][0].close()
