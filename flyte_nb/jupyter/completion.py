"""Tab completion of the magics' options, and of the names of environments, tasks, runs and deployments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from IPython.core.completer import SimpleCompletion, context_matcher

from flyte_nb.errors import StateError
from flyte_nb.execution.node import RunState
from flyte_nb.jupyter.arguments import options
from flyte_nb.model.stand_ins import as_task

if TYPE_CHECKING:
    from collections.abc import Iterable

    from IPython.core.completer import CompletionContext, SimpleMatcherResult
    from IPython.core.interactiveshell import InteractiveShell

    from flyte_nb.session import Session

__all__ = ["Completion"]

_MAGIC = re.compile(r"^%%?(?P<magic>flyte_\w+)[ \t]|^[^#\n]*=[ \t]*%(?P<assigned>flyte_\w+)[ \t]")
# Magics whose plain words are names of environments.
_TAKES_NAMES = frozenset({"flyte_graph", "flyte_plan", "flyte_deploy", "flyte_remove"})
_TAKES_DEPLOYMENTS = frozenset({"flyte_deployments", "flyte_rollback"})
_VALUES = {
    "--cache": ("auto", "disable"),
    "--state": tuple(state.value for state in RunState if " " not in state.value),
    "--since": ("30m", "2h", "7d"),
}
_NAMES_FOLLOW = frozenset({"--depends-on", "--clone-from"})
# Options that take more than the one word after them.
_TAKES_MANY = frozenset({"--depends-on", "--env", "--pip", "--state"})
_PLACE = "--on"
_TAKES_NONE = frozenset({"--force", "--prune", "--no-wait"})


class Completion:
    """A matcher of the shell's completer that knows the magics and the session."""

    def __init__(self, shell: InteractiveShell, session: Session) -> None:
        self._shell, self._session = shell, session

        @context_matcher(identifier="flyte_nb")  # type: ignore[untyped-decorator]
        def matcher(context: CompletionContext) -> SimpleMatcherResult:
            return self._matches(context)

        self._matcher = matcher

    def load(self) -> None:
        """Register with the shell's completer."""
        self._shell.Completer.custom_matchers.append(self._matcher)

    def unload(self) -> None:
        """Take back what `load` registered."""
        self._shell.Completer.custom_matchers.remove(self._matcher)

    def _matches(self, context: CompletionContext) -> SimpleMatcherResult:
        line = context.line_with_cursor[: context.cursor_position]
        found = _MAGIC.match(line)
        if not found:
            return _result([])
        magic = found["magic"] or found["assigned"]
        word = re.split(r"[ \t]", line)[-1]
        # A completion replaces the token at the cursor, which may be only the end of the word.
        ahead = len(word) - len(context.token) if word.endswith(context.token) else 0
        candidates = [text for text in self._candidates(magic, line, word) if text.startswith(word)]
        completions = [SimpleCompletion(text=text[ahead:], type="param") for text in candidates]
        return _result(completions)

    def _candidates(self, magic: str, line: str, word: str) -> Iterable[str]:
        option = _option_at_cursor(line, word)
        if magic == "flyte_run":
            return self._to_run(option, word)
        if word.startswith("-"):
            return self._options(magic)
        if (values := self._values(option)) is not None:
            return values
        if option in _NAMES_FOLLOW or (option is None and (magic in _TAKES_NAMES or line.startswith("%flyte_env "))):
            return self._session.registry.names()
        if magic == "flyte_export" and option is None and len(line.removesuffix(word).split()) > 1:
            return self._session.registry.names()  # after the folder, which the shell completes
        if option == "--task" or (option is None and magic == "flyte_runs"):
            return self._tasks()
        if option is None and magic == "flyte_logs":
            return self._runs()
        if option is None and magic in _TAKES_DEPLOYMENTS:
            return self._deployments()
        return self._options(magic) if not word else ()

    def _values(self, option: str | None) -> Iterable[str] | None:
        """Return what `option` can be, if that is one of a few words."""
        if option == "--target":
            return self._session.targets
        return self._session.runner.known_places if option == _PLACE else _VALUES.get(option or "")

    def _to_run(self, option: str | None, word: str) -> Iterable[str]:
        """Return what may follow %flyte_run, which declares no options: what else is there is Python."""
        if word.startswith("-"):
            return [_PLACE]
        if option == _PLACE:
            return self._session.runner.known_places
        return [name for name, value in self._shell.user_ns.items() if as_task(value)]

    def _tasks(self) -> list[str]:
        registry = self._session.registry
        return [task for name in registry.names() for task in registry.tasks(name)]

    def _runs(self) -> list[str]:
        try:
            return self._session.history.names()
        except StateError:
            return []  # %flyte_logs itself tells what is wrong

    def _deployments(self) -> list[str]:
        try:
            return [deployment.name for deployment in self._session.past_deployments.deployments()]
        except StateError:
            return []  # the magics themselves tell what is wrong

    def _options(self, magic: str) -> list[str]:
        manager = self._shell.magics_manager.magics
        return options(manager["line"].get(magic) or manager["cell"].get(magic))


def _option_at_cursor(line: str, word: str) -> str | None:
    """Return the option whose value `word`, at the end of `line`, is."""
    before = line.removesuffix(word).split()
    index = next((i for i in reversed(range(len(before))) if before[i].startswith("--")), None)
    if index is None or before[index] in _TAKES_NONE:
        return None
    return before[index] if before[index] in _TAKES_MANY or index == len(before) - 1 else None


def _result(completions: list[SimpleCompletion]) -> SimpleMatcherResult:
    """Return completions that, where there are any, stand alone."""
    return {"completions": completions, "suppress": bool(completions)}  # type: ignore[typeddict-item]  # all optional
