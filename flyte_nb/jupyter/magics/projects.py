"""%flyte_export and %flyte_adopt: from the session to an ordinary Flyte project, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments

from flyte_nb.jupyter.arguments import parsed
from flyte_nb.jupyter.magics.one_line import one_line_errors
from flyte_nb.jupyter.output import show_table
from flyte_nb.view.projects import adopted_table, exported_table

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from flyte_nb.jupyter.cells import CellRuns
    from flyte_nb.session import Session

__all__ = ["ProjectMagics"]


@magics_class
class ProjectMagics(Magics):
    """The magics that write projects and read them."""

    def __init__(self, shell: InteractiveShell, session: Session, cells: CellRuns) -> None:
        super().__init__(shell)
        self._session, self._cells = session, cells

    @no_var_expand
    @magic_arguments()
    @argument("path", metavar="PATH", help="the folder to write; what an earlier export wrote there is replaced")
    @argument(
        "names",
        nargs="*",
        default=(),
        metavar="NAME",
        help="only these environments and what they need; by default all",
    )
    @argument("--force", action="store_true", help="replace files that were edited since, or are of somebody else")
    @line_magic
    @one_line_errors
    def flyte_export(self, line: str) -> None:
        """Write environments and their tasks as an ordinary Flyte project, which needs no flyte_nb."""
        arguments = parsed("%flyte_export", self.flyte_export, line)
        show_table(exported_table(self._session.export(arguments.path, arguments.names, force=arguments.force)))

    @no_var_expand
    @magic_arguments()
    @argument("source", metavar="SOURCE", help="the folder of a project, a package, a .py file, or an importable name")
    @line_magic
    @one_line_errors
    def flyte_adopt(self, line: str) -> None:
        """Bring the environments of modules into the session; in them, `import flyte` means flyte_nb.

        Run it again after the files changed: they are imported anew.
        """
        arguments = parsed("%flyte_adopt", self.flyte_adopt, line)
        self._cells.refuse_elsewhere("%flyte_adopt")
        show_table(adopted_table(self._session.adopt(arguments.source)))
