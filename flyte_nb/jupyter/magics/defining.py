"""%%flyte_env defines an environment; %flyte_remove and %flyte_reset take definitions away."""

from __future__ import annotations

import builtins
import keyword
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments

from flyte_nb.definitions.registry import Owner
from flyte_nb.errors import InvalidValueError
from flyte_nb.jupyter.arguments import environment_fields, parsed
from flyte_nb.jupyter.magics.one_line import one_line_errors
from flyte_nb.model import TaskEnvironment
from flyte_nb.model.names import check_environment_name

if TYPE_CHECKING:
    from argparse import Namespace

    from IPython.core.interactiveshell import InteractiveShell

    from flyte_nb.jupyter.cells import CellRuns
    from flyte_nb.jupyter.formatters import Formatters
    from flyte_nb.session import Session

__all__ = ["DefiningMagics"]

_ABSENT = object()


@magics_class
class DefiningMagics(Magics):
    """The magics that change what is defined."""

    def __init__(self, shell: InteractiveShell, session: Session, cells: CellRuns, formatters: Formatters) -> None:
        super().__init__(shell)
        self._shell = shell
        self._session, self._cells, self._formatters = session, cells, formatters
        # The body of a cell may bind the cell's variable anew: what it held at the end, by its id, keeping nothing.
        self._left: dict[str, int] = {}

    @no_var_expand
    @magic_arguments()
    @argument("name", help="the environment: lower-case words joined by - or _")
    @argument("--image", help="container image: python:3.12-slim")
    @argument("--pip", nargs="+", action="extend", metavar="P", help="packages to install: pandas 'scikit-learn>=1.5'")
    @argument("--python", metavar="V", help="Python version of the default image: 3.12")
    @argument("--cpu", help="cores: 2, 0.5 or 500m")
    @argument("--memory", help="memory: 512Mi or 16Gi")
    @argument("--gpu", help="accelerators: A100:2, or a count")
    @argument("--disk", help="ephemeral disk: 10Gi")
    @argument("--depends-on", nargs="+", action="extend", metavar="NAME", help="environments to deploy before this one")
    @argument("--env", nargs="+", action="extend", metavar="K=V", help="environment variables: LOG_LEVEL=info")
    @argument("--description", help="what the environment is for")
    @argument("--clone-from", metavar="NAME", help="start from the fields of this environment; options add to them")
    @argument("--cache", help="reuse of results: auto or disable")
    @argument("--var", metavar="VARIABLE", help="bind the environment to this variable; by default its name with _")
    @line_cell_magic
    @one_line_errors
    def flyte_env(self, line: str, cell: str | None = None) -> None:
        """Define a task environment, and its tasks in the body of the cell.

        The body is an ordinary cell in which `env` is the environment:

            %%flyte_env ml-training --image pytorch:latest --gpu A100:2 --depends-on base-utils
            @env.task
            async def train_model(config: dict) -> str:
                ...

        Running the cell again replaces what it defined before. As a line, `%flyte_env NAME` shows an environment.
        """
        if cell is not None:
            # Called by name, not as the first line of a cell: run it as the cell it would have been.
            self._shell.run_cell(f"%%flyte_env {line}\n{cell}").raise_error()
            return
        arguments = parsed("%flyte_env", self.flyte_env, line)
        if any(value is not None for key, value in vars(arguments).items() if key != "name"):
            raise UsageError("%flyte_env NAME shows an environment. To define one, begin a cell with %%flyte_env.")
        self._formatters.show(TaskEnvironment.of(self._session.registry.require(arguments.name)))

    @one_line_errors
    def begin_environment(self, line: str) -> None:
        """Serve the first line of a %%flyte_env cell."""
        self._cells.refuse_elsewhere("%%flyte_env")
        arguments = parsed("%%flyte_env", self.flyte_env, line)
        variable = _variable(arguments)
        self._check_free(variable)
        self._session.registry.own(Owner(f"%%flyte_env {arguments.name}"))
        environment = self._define(arguments)
        self._bind("env", environment, keep=variable == "env")
        self._bind(variable, environment, keep=True)

    def _define(self, arguments: Namespace) -> TaskEnvironment:
        if not arguments.clone_from:
            return TaskEnvironment(arguments.name, **environment_fields(arguments, None))
        template = TaskEnvironment.of(self._session.registry.require(arguments.clone_from))
        return template.clone_with(arguments.name, **environment_fields(arguments, template))

    def _check_free(self, variable: str) -> None:
        """Refuse a variable that holds something of the user's; what a cell like this left there may be replaced."""
        value = self._shell.user_ns.get(variable, _ABSENT)
        if hasattr(builtins, variable):
            problem = "is a builtin of Python, which this would hide"
        elif value is _ABSENT or isinstance(value, TaskEnvironment) or id(value) == self._left.get(variable):
            return
        else:
            problem = f"is a variable that holds something else ({type(value).__name__}), which would be lost"
        raise InvalidValueError("%%flyte_env", variable, problem, f"--var {variable}_env")

    def _bind(self, variable: str, value: Any, *, keep: bool) -> None:
        """Bind `variable`, and undo that when the cell ends: if it fails, or in any case unless `keep`."""
        names: dict[str, Any] = self._shell.user_ns
        before = names.get(variable, _ABSENT)

        def restore(succeeded: bool) -> None:
            if succeeded and keep:
                self._left[variable] = id(names.get(variable))
                return
            if before is _ABSENT:
                names.pop(variable, None)
            else:
                names[variable] = before

        self._cells.at_end(restore)
        names[variable] = value

    @no_var_expand
    @magic_arguments()
    @argument("names", nargs="+", metavar="NAME", help="environments to remove from the session")
    @argument("--force", action="store_true", help="remove even if others depend on them")
    @line_magic
    @one_line_errors
    def flyte_remove(self, line: str) -> None:
        """Remove environments, with their tasks, from the session; what is deployed stays deployed."""
        arguments = parsed("%flyte_remove", self.flyte_remove, line)
        self._session.registry.remove(arguments.names, force=arguments.force)
        print(f"removed {', '.join(arguments.names)}")  # noqa: T201 - the output of a magic

    @no_var_expand
    @magic_arguments()
    @line_magic
    @one_line_errors
    def flyte_reset(self, line: str) -> None:
        """Forget every environment of the session; what is deployed stays deployed."""
        parsed("%flyte_reset", self.flyte_reset, line)
        count = len(self._session.registry.names())
        self._session.registry.reset()
        print(f"removed {count} environment{'' if count == 1 else 's'} from the session")  # noqa: T201


def _variable(arguments: Namespace) -> str:
    variable: str = arguments.var or check_environment_name(arguments.name).replace("-", "_")
    if not variable.isidentifier() or keyword.iskeyword(variable):
        given = arguments.var or arguments.name
        raise InvalidValueError("--var", given, "is not the name of a variable", "--var my_env")
    return variable
