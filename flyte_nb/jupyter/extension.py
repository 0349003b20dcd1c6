"""%load_ext flyte_nb and %unload_ext flyte_nb: everything on, and off without a trace."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from copy import deepcopy
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from flyte_nb.execution.capture import capturing, echoing
from flyte_nb.jupyter.awaiting import AwaitMagics
from flyte_nb.jupyter.cell_interrupts import CellInterrupts
from flyte_nb.jupyter.cells import CellRuns
from flyte_nb.jupyter.completion import Completion
from flyte_nb.jupyter.config import FlyteNB
from flyte_nb.jupyter.deployed_states import DeployedStates
from flyte_nb.jupyter.displays import Displays
from flyte_nb.jupyter.document import NotebookDocument
from flyte_nb.jupyter.env_cells import EnvironmentCells
from flyte_nb.jupyter.formatters import Formatters
from flyte_nb.jupyter.graph_updates import GraphUpdates
from flyte_nb.jupyter.magics.acting import ASYNC_MAGICS, ActingMagics
from flyte_nb.jupyter.magics.defining import DefiningMagics
from flyte_nb.jupyter.magics.history import RecordedRunsMagics
from flyte_nb.jupyter.magics.projects import ProjectMagics
from flyte_nb.jupyter.magics.showing import ShowingMagics
from flyte_nb.jupyter.on_screen import ViewsOnScreen
from flyte_nb.jupyter.output import LiveGraphs
from flyte_nb.jupyter.spanning import SpanningRun
from flyte_nb.jupyter.tracebacks import ShortTracebacks
from flyte_nb.session import session

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from IPython.core.interactiveshell import InteractiveShell
    from IPython.core.magic import Magics

    from flyte_nb.session import Session

__all__ = ["load", "unload"]


class Extension:
    """All that one shell is given."""

    def __init__(self, shell: InteractiveShell, session: Session) -> None:
        self._shell, self._session = shell, session
        self._cells = CellRuns(shell, session.registry, session.cells, NotebookDocument(), session.sdk_cells)
        self._interrupts = CellInterrupts(shell)
        self._settings_before = replace(session.settings)
        self._capture, self._displays = ExitStack(), Displays(shell, session.settings)
        graphs, deployed, self._on_screen = LiveGraphs(), DeployedStates(session), ViewsOnScreen()
        self._graph_updates = GraphUpdates(shell, session, self._cells, graphs, deployed)
        self._formatters = Formatters(shell, session, self._cells, graphs)
        self._tracebacks = ShortTracebacks(shell, session.registry)
        self._completion = Completion(shell, session)
        self._environment_cells, self._await_magics = EnvironmentCells(), AwaitMagics(ASYNC_MAGICS)
        self._configured = deepcopy(shell.config.get(FlyteNB.__name__))
        self._config = FlyteNB(session.settings, session.history.flush, parent=shell)
        self._defining = DefiningMagics(shell, session, self._cells, self._formatters)
        self._showing = ShowingMagics(shell, session, self._cells, graphs, deployed, self._formatters)
        self._acting = ActingMagics(shell, session, self._formatters, self._on_screen)
        looking_back = RecordedRunsMagics(shell, session, self._formatters)
        projects = ProjectMagics(shell, session, self._cells)
        self._magics: tuple[Magics, ...] = (self._defining, self._showing, self._acting, looking_back, projects)

    # What transformed cells call, as `get_ipython().flyte_nb`

    def begin_environment(self, line: str) -> None:
        """Serve the first line of a %%flyte_env cell."""
        __tracebackhide__ = True
        self._defining.begin_environment(self._environment_cells.typed(line))

    def awaited(self, magic: str, line: str) -> Coroutine[Any, Any, Any]:
        """Serve an async magic in a cell that is awaited."""
        __tracebackhide__ = True
        local = sys._getframe(1).f_locals  # noqa: SLF001 - the documented way; a magic may stand in a function
        return self._acting.awaited(magic, line, local)

    def load(self) -> None:
        """Register everything with the shell."""
        self._shell.flyte_nb = self  # type: ignore[attr-defined]
        self._cells.load()
        self._interrupts.load()
        self._formatters.load()
        self._tracebacks.load()
        self._completion.load()
        self._capture.enter_context(capturing())
        self._capture.enter_context(echoing(lambda: self._session.settings.echo))
        self._displays.load()
        self._session.history.start()
        if hasattr(self._shell, "kernel"):
            self._session.cluster.is_leaving = lambda: bool(self._shell.exit_now)
        for magics in self._magics:
            self._shell.register_magics(magics)
        self._shell.input_transformers_cleanup.append(self._environment_cells)
        self._shell.input_transformer_manager.token_transformers.append(SpanningRun)
        self._shell.input_transformers_post.append(self._await_magics)
        self._shell.configurables.append(self._config)  # type: ignore[arg-type]  # typed too narrowly
        self._graph_updates.load()

    def unload(self) -> None:
        """Take back everything that `load` registered; what is defined stays defined.

        Raises:
            CircularDependencyError: What the running cell has defined so far closes a cycle, and does not count.
        """
        self._graph_updates.unload()
        self._session.rest()
        self._session.cluster.is_leaving = None
        for field in fields(self._settings_before):
            setattr(self._session.settings, field.name, getattr(self._settings_before, field.name))
        self._shell.configurables.remove(self._config)  # type: ignore[arg-type]
        self._forget_configured()
        self._shell.input_transformers_post.remove(self._await_magics)
        self._shell.input_transformer_manager.token_transformers.remove(SpanningRun)
        self._shell.input_transformers_cleanup.remove(self._environment_cells)
        self._unregister_magics()
        self._displays.unload()
        self._capture.close()
        self._completion.unload()
        self._tracebacks.unload()
        self._formatters.unload()
        self._on_screen.close()
        self._interrupts.unload()
        del self._shell.flyte_nb  # type: ignore[attr-defined]
        self._cells.unload()

    def _forget_configured(self) -> None:
        """Let the shell forget what %config has set, refused values included, with which nothing could load again."""
        self._shell.config.pop(FlyteNB.__name__, None)
        if self._configured is not None:
            self._shell.config[FlyteNB.__name__] = self._configured

    def _unregister_magics(self) -> None:
        manager = self._shell.magics_manager
        for magics in self._magics:
            self._shell.configurables.remove(magics)  # type: ignore[arg-type]  # where it puts itself
            manager.registry.pop(type(magics).__name__, None)
            for kind, names in magics.magics.items():
                for name in names:
                    manager.magics[kind].pop(name, None)


_loaded: WeakKeyDictionary[InteractiveShell, Extension] = WeakKeyDictionary()


def load(shell: InteractiveShell) -> None:
    """Load the extension into `shell`; a second time changes nothing."""
    if shell not in _loaded:
        _loaded[shell] = Extension(shell, session())
        _loaded[shell].load()


def unload(shell: InteractiveShell) -> None:
    """Remove the extension from `shell`, if it is loaded."""
    extension = _loaded.pop(shell, None)
    if extension:
        extension.unload()
