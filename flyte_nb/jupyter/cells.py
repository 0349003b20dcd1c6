"""Cells own what they define: each run of a cell is one transaction of the registry."""

from __future__ import annotations

import threading
from itertools import count
from typing import TYPE_CHECKING, Any

from IPython import version_info
from IPython.core.error import UsageError

from flyte_nb.definitions.registry import Owner
from flyte_nb.definitions.sources import CellSource
from flyte_nb.errors import FlyteNbError
from flyte_nb.listeners import Listeners

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.interactiveshell import InteractiveShell

    from flyte_nb.definitions.registry import Registry
    from flyte_nb.definitions.sources import CellSources
    from flyte_nb.jupyter.document import NotebookDocument
    from flyte_nb.sdk_cells import SdkCells

__all__ = ["CellRuns"]


_EARLIER = "constructed with the Flyte SDK before flyte_nb was loaded: {names}. Run their cells again to have them."
_WITHDRAWN = "no longer defined, because the cell was deleted: {names}. If you moved the cell, run it again."

# The runs of cells without an id; the session outlives what is loaded into a shell, so this does, too.
_nameless_runs = count(1)

# Before IPython 9.8, a cell is counted when it is over.
_IS_COUNTED_FIRST = version_info >= (9, 8)


class CellRuns:
    """Opens a transaction before each cell and ends it after: commit if the cell succeeded, else roll back."""

    def __init__(
        self,
        shell: InteractiveShell,
        registry: Registry,
        sources: CellSources,
        document: NotebookDocument,
        sdk_cells: SdkCells,
    ) -> None:
        self._shell, self._registry, self._document = shell, registry, document
        self._sources, self._sdk_cells = sources, sdk_cells
        self._saves_at_deletion = 0
        self._when_begun: Listeners[str] = Listeners()
        # For each cell that runs (more than one when a magic runs a cell), what to do at its end.
        self._open: list[list[Callable[[bool], None]]] = []
        self._cell: str | None = None
        self._message: str | None = None
        self._owner = Owner("")

    def load(self) -> None:
        """Start watching cells, from the one with %load_ext on."""
        self._shell.events.register("pre_run_cell", self.before)
        self._shell.events.register("post_run_cell", self.after)
        self._document.refresh()
        self._registry.cell_order = lambda: self._document.positions
        request = self._request()
        self._sources.names = self._shell.user_ns
        self._note_earlier_cells()
        if earlier := self._sdk_cells.load():
            print(_EARLIER.format(names=", ".join(earlier)))  # noqa: T201 - the user is told where the user looks
        if _header(request).get("msg_type") == "execute_request":
            self._begin(_cell_id(None, request), request)
            number = self._shell.execution_count - _IS_COUNTED_FIRST
            if history := self._shell.history_manager:
                self._note_source(history.input_hist_raw[-1], history.input_hist_parsed[-1], number)

    def _note_earlier_cells(self) -> None:
        """Take what ran before the extension was loaded; which cells of the notebook those were is not known."""
        history = self._shell.history_manager
        if history is None:
            return
        for number in range(1, min(self._shell.execution_count - _IS_COUNTED_FIRST, len(history.input_hist_raw))):
            raw, code = history.input_hist_raw[number], history.input_hist_parsed[number]
            filename = self._shell.compile.get_code_name(raw, code, number)
            if not self._sources.knows(filename):
                self._sources.note(CellSource(f"input {number}", f"cell [{number}]", filename, code))

    def unload(self) -> None:
        """Stop watching cells; what the running cell has said so far counts.

        Raises:
            CircularDependencyError: It closes a cycle, and does not count.
        """
        self._shell.events.unregister("pre_run_cell", self.before)
        self._shell.events.unregister("post_run_cell", self.after)
        self._registry.cell_order = dict
        try:
            while self._open:
                self._end(succeeded=True)
        finally:
            self._sdk_cells.unload()

    @property
    def running_cell(self) -> str | None:
        """The id of the cell that runs, where the front end gives one."""
        return self._cell

    def refuse_elsewhere(self, what: str) -> None:
        """Raise UsageError in a subshell, which runs beside the cell that owns the transaction."""
        if threading.current_thread() is not threading.main_thread():
            raise UsageError(f"{what}: define environments in the notebook itself, not in a subshell.")

    def when_begun(self, listener: Callable[[str], None]) -> Callable[[], None]:
        """Tell `listener` the id of each cell of the user's that begins to run or is emptied; return what ends that."""
        return self._when_begun.add(listener)

    def at_end(self, callback: Callable[[bool], None]) -> None:
        """Call `callback(succeeded)` when the running cell ends."""
        if self._open:
            self._open[-1].append(callback)

    def before(self, info: Any) -> None:
        """Open the run of a cell."""
        if threading.current_thread() is not threading.main_thread():
            return  # a subshell runs beside the cell that owns the transaction
        request = self._request()
        if self._is_new(info, request):
            self._abandon()
        cell_id = _cell_id(info, request)
        if not self._open:
            self._document.refresh()
            self._follow_deletions(_deleted(request) - {cell_id})
        is_outermost = not self._open
        self._begin(cell_id, request)
        if is_outermost:
            if cell_id:
                self._when_begun.tell(cell_id)
            code = getattr(info, "transformed_cell", None) or self._transformed(info.raw_cell)
            number = self._shell.execution_count - bool(info.store_history and _IS_COUNTED_FIRST)
            self._note_source(info.raw_cell, code, number)

    def _follow_deletions(self, deleted: set[str | None]) -> None:
        """Let deleted cells no longer count, and let them count again that a save shows to be back (undo, paste)."""
        if self._document.saves != self._saves_at_deletion:
            self._registry.remember(self._document.positions.keys())
            self._sources.remember(self._document.positions.keys())
            self._sdk_cells.remember(self._document.positions.keys())
        if deleted:
            gone = self._registry.forget(deleted)
            self._sources.forget(deleted)
            self._sdk_cells.forget(deleted)
            self._saves_at_deletion = self._document.saves
            if gone:
                print(_WITHDRAWN.format(names=", ".join(gone)))  # noqa: T201 - the user is told where the user looks

    def _is_new(self, info: Any, request: dict[str, Any]) -> bool:
        """Say whether a cell of the user's begins, rather than one that the running cell runs."""
        message = _header(request).get("msg_id")
        return message != self._message if message else bool(info.store_history)

    def _begin(self, cell_id: str | None, request: dict[str, Any]) -> None:
        if not self._open:
            self._cell, self._message = cell_id, _header(request).get("msg_id")
        self._owner = Owner(cell_id) if cell_id else Owner(f"run {next(_nameless_runs)}", recognised=False)
        self._registry.begin(self._owner)
        if not self._open:
            self._sdk_cells.begin(self._owner.key)
        self._open.append([])

    def _transformed(self, raw: str) -> str:
        """Return the Python of a cell; newer versions of IPython tell it themselves."""
        try:
            code: str = self._shell.transform_cell(raw)  # type: ignore[no-untyped-call]
        except SyntaxError:  # IPython tells it when it runs the cell
            return raw
        return code

    def _note_source(self, raw: str, code: str, number: int) -> None:
        """Take the code of the cell that begins; if it fails, it says what it said before."""
        filename = self._shell.compile.get_code_name(raw, code, number)
        cell = CellSource(self._owner.key, f"cell [{number}]", filename, code)
        before = self._sources.note(cell)
        self.at_end(lambda succeeded: None if succeeded else self._sources.restore(cell, before))

    def after(self, result: Any) -> None:
        """End the run of a cell; `result` is None where the kernel cancelled it."""
        if threading.current_thread() is not threading.main_thread():
            return
        if result is not None and not result.info.raw_cell.strip():
            self._emptied(result.info)
            return
        if not self._open:
            return
        try:
            self._end(succeeded=result is not None and result.success)
        except FlyteNbError as error:
            refusal = UsageError(str(error))
            result.error_in_exec = refusal
            self._shell.showtraceback((UsageError, refusal, None))

    def _emptied(self, info: Any) -> None:
        """An emptied cell defines nothing; IPython does not announce its run, only its end."""
        cell_id = _cell_id(info, self._request())
        if cell_id and not self._open:
            self._when_begun.tell(cell_id)
            self._registry.forget([cell_id])
            self._sources.forget([cell_id])
            self._sdk_cells.forget([cell_id])

    def _end(self, *, succeeded: bool) -> None:
        callbacks, is_outermost = self._open.pop(), not self._open
        try:
            if succeeded and is_outermost:
                self._take_from_sdk()
            self._registry.commit() if succeeded else self._registry.rollback()
        except BaseException:
            succeeded = False
            raise
        finally:
            if is_outermost:
                self._sdk_cells.end(succeeded=succeeded)
            for callback in reversed(callbacks):
                callback(succeeded)

    def _take_from_sdk(self) -> None:
        """Take what the cell has defined with the Flyte SDK.

        Raises:
            FlyteNbError: It cannot be taken; the run was rolled back.
        """
        try:
            self._sdk_cells.take()
        except BaseException:
            self._registry.rollback()
            raise
        for line in self._sdk_cells.told():
            print(line)  # noqa: T201 - the user is told where the user looks

    def _abandon(self) -> None:
        """Roll back runs whose end was never announced: one cell of the user's cannot begin inside another."""
        while self._open:
            self._end(succeeded=False)

    def _request(self) -> dict[str, Any]:
        get_parent = getattr(self._shell, "get_parent", dict)
        return get_parent() or {}


def _header(request: dict[str, Any]) -> dict[str, Any]:
    return request.get("header") or {}


def _metadata(request: dict[str, Any]) -> dict[str, Any]:
    return request.get("metadata") or {}


def _deleted(request: dict[str, Any]) -> set[str | None]:
    """Return the cells that JupyterLab says were deleted since the last run."""
    deleted = _metadata(request).get("deletedCells")
    return {cell for cell in deleted if isinstance(cell, str)} if isinstance(deleted, list) else set()


def _cell_id(info: Any, request: dict[str, Any]) -> str | None:
    """Return the id of the cell, as IPython passes it on or, in older versions, as the front end sent it."""
    cell_id = getattr(info, "cell_id", None) or _metadata(request).get("cellId")
    return cell_id if isinstance(cell_id, str) and cell_id else None
