"""A task that runs from a deployed version: its code is not in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from flyte_nb.errors import DeployedFunctionError
from flyte_nb.model.task import Task

if TYPE_CHECKING:
    from flyte_nb.places.task_facts import DeployedTaskFacts
    from flyte_nb.places.versions import DeployedVersion

__all__ = ["DeployedTask"]


class DeployedTask(Task[..., Any]):
    """A task of a deployed version; it is called as any other, and runs in the environment of that version.

    What its signature names was not evaluated: annotations and defaults show as their source.

    Attributes:
        version: The version that it runs from.

    Args:
        version: The version.
        name: The full name of one of its tasks.
        policies: What to say otherwise of it than the version does.
    """

    def __init__(self, version: DeployedVersion, name: str, **policies: Any) -> None:
        facts = version.tasks[name]
        said = {key: getattr(facts, key) for key in ("short_name", "retries", "timeout", "cache", "description")}
        super().__init__(_stand_in(facts), facts.environment, **{**said, **policies})
        self.version = version

    def _with(self, policies: dict[str, Any]) -> DeployedTask:
        return DeployedTask(self.version, self.name, **policies)

    def __repr__(self) -> str:
        return f"<DeployedTask {self.name} version {self.version.fingerprint[:12]}>"


def _stand_in(facts: DeployedTaskFacts) -> Any:
    """Return a function that looks like that of a task, and cannot be called."""

    def refuse(*_: object, **__: object) -> NoReturn:
        raise DeployedFunctionError(facts.name)

    async def refuse_later(*_: object, **__: object) -> NoReturn:
        raise DeployedFunctionError(facts.name)

    function: Any = refuse_later if facts.is_async else refuse
    function.__name__ = function.__qualname__ = facts.function
    function.__doc__, function.__signature__ = facts.description, facts.signature
    return function
