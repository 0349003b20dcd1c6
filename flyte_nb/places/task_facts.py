"""What is known of deployed tasks without importing their module: from its syntax, and from the specification."""

from __future__ import annotations

import ast
import inspect
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from flyte_nb.bundle.module_names import ENVIRONMENT
from flyte_nb.errors import WorkerStartError
from flyte_nb.model.policies import Backoff, Cache, RetryStrategy, Timeout

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flyte_nb.places.versions import DeployedVersion

__all__ = ["DeployedTaskFacts", "Expression", "task_facts", "with_policies"]

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_EMPTY: Any = inspect.Parameter.empty


@dataclass(frozen=True, slots=True, repr=False)
class Expression:
    """An expression of a module that was not evaluated; it shows as its source.

    Attributes:
        text: The source, on one line.
    """

    text: str

    def __repr__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class DeployedTaskFacts:
    """One task of a version.

    Attributes:
        name: The full name: "ml-training.train_model".
        environment: Its environment.
        function: The name of its function.
        is_async: Whether calling it gives an awaitable.
        signature: Of its function. Annotations and defaults are `Expression`s: they exist where the task runs.
        short_name: A name for display.
        description: What it is for, or None.
        retries: How often, and how far apart, a failed call is tried again.
        timeout: How long a call may take.
        cache: When results are reused; None means as its environment says.
    """

    name: str
    environment: str
    function: str
    is_async: bool
    signature: inspect.Signature
    short_name: str
    description: str | None
    retries: RetryStrategy
    timeout: Timeout
    cache: Cache | None

    @property
    def has_policies(self) -> bool:
        """Whether a call may be tried again or end by a timeout."""
        return bool(self.retries.count or self.timeout.max_runtime or self.timeout.deadline)


def with_policies(facts: DeployedTaskFacts, policies: Mapping[str, Any]) -> DeployedTaskFacts:
    """Return `facts` with what a call says otherwise: see `Task.override`."""
    return replace(facts, **policies) if policies else facts


def task_facts(version: DeployedVersion) -> Mapping[str, DeployedTaskFacts]:
    """Return the tasks of `version` by full name.

    Raises:
        WorkerStartError: The module cannot be read by this Python: it was written with a later one.
    """
    try:
        module = ast.parse(version.module)
    except SyntaxError as error:
        python = ".".join(map(str, sys.version_info[:2]))
        reason = f"Python {python} cannot read its module ({error.msg}, line {error.lineno}). Use a later Python"
        raise WorkerStartError(version.environment, reason) from error
    said: Mapping[str, Mapping[str, Any]] = version.specification["tasks"]
    written = {f"{version.environment}.{node.name}": node for node in _tasks_in(module)}
    return {name: _facts(version.environment, written[name], said[name]) for name in said if name in written}


def _tasks_in(module: ast.Module) -> Iterator[_Function]:
    """Yield the functions that the environment's decorator, which is written first, makes tasks."""
    for node in module.body:
        if isinstance(node, _Function) and node.decorator_list:
            first = node.decorator_list[0]
            if ast.unparse(first.func if isinstance(first, ast.Call) else first) == f"{ENVIRONMENT}.task":
                yield node


def _facts(environment: str, node: _Function, said: Mapping[str, Any]) -> DeployedTaskFacts:
    return DeployedTaskFacts(
        f"{environment}.{node.name}",
        environment,
        node.name,
        said.get("is_async", isinstance(node, ast.AsyncFunctionDef)),
        _signature(node),
        said["short_name"],
        said["description"],
        _retries(said["retries"]),
        Timeout(**said["timeout"]),
        None if said["cache"] is None else Cache(**said["cache"]),
    )


def _retries(said: Mapping[str, Any]) -> RetryStrategy:
    return RetryStrategy(said["count"], None if said["backoff"] is None else Backoff(**said["backoff"]))


def _signature(node: _Function) -> inspect.Signature:
    given = node.args
    either = [*given.posonlyargs, *given.args]
    kinds: list[Any] = [inspect.Parameter.POSITIONAL_ONLY] * len(given.posonlyargs)
    kinds += [inspect.Parameter.POSITIONAL_OR_KEYWORD] * len(given.args)
    defaults = [*[None] * (len(either) - len(given.defaults)), *given.defaults]
    parameters = [*map(_parameter, either, kinds, defaults)]
    by_name: list[Any] = [inspect.Parameter.KEYWORD_ONLY] * len(given.kwonlyargs)
    parameters += map(_parameter, given.kwonlyargs, by_name, given.kw_defaults)
    return inspect.Signature(parameters, return_annotation=_expression(node.returns))


def _parameter(argument: ast.arg, kind: Any, default: ast.expr | None) -> inspect.Parameter:
    return inspect.Parameter(
        argument.arg, kind, default=_expression(default), annotation=_expression(argument.annotation)
    )


def _expression(node: ast.expr | None) -> Any:
    return _EMPTY if node is None else Expression(ast.unparse(node))
