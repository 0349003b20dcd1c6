"""What is known of deployed tasks without importing their module: from its syntax, and from the specification."""

from __future__ import annotations

import ast
import inspect
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flyte_nb.bundle.module_names import ENVIRONMENT
from flyte_nb.errors import WorkerStartError
from flyte_nb.model.policies import Backoff, Cache, RetryStrategy, Timeout

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flyte_nb.places.versions import DeployedVersion

__all__ = ["DeployedTaskFacts", "Expression", "task_facts"]

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


def task_facts(version: DeployedVersion) -> Mapping[str, DeployedTaskFacts]:
    """Return the tasks of `version` by full name.

    Raises:
        WorkerStartError: The module cannot be read by this Python: it was written with a later one.
    """
    said: Mapping[str, Mapping[str, Any]] = version.specification["tasks"]
    try:
        functions = dict(_tasks_in(ast.parse(version.module)))
    except SyntaxError as error:
        python = ".".join(map(str, sys.version_info[:2]))
        reason = f"Python {python} cannot read its module ({error.msg}, line {error.lineno}). Use a later Python"
        raise WorkerStartError(version.environment, reason) from error
    return {name: _facts(version.environment, name, said[name], functions) for name in said}


def _tasks_in(module: ast.Module) -> Iterator[tuple[str, _Function]]:
    """Yield the functions that the environment's decorator, which is written first, makes tasks."""
    for node in module.body:
        if isinstance(node, _Function) and node.decorator_list:
            first = node.decorator_list[0]
            if ast.unparse(first.func if isinstance(first, ast.Call) else first) == f"{ENVIRONMENT}.task":
                yield node.name, node


def _facts(
    environment: str, name: str, said: Mapping[str, Any], functions: Mapping[str, _Function]
) -> DeployedTaskFacts:
    function = name.partition(".")[2]
    node = functions[function]
    return DeployedTaskFacts(
        name,
        environment,
        function,
        isinstance(node, ast.AsyncFunctionDef),
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
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(positional) - len(arguments.defaults)) + [*arguments.defaults]
    parameters = [
        _parameter(
            argument,
            inspect.Parameter.POSITIONAL_ONLY
            if number < len(arguments.posonlyargs)
            else inspect.Parameter.POSITIONAL_OR_KEYWORD,
            default,
        )
        for number, (argument, default) in enumerate(zip(positional, defaults, strict=True))
    ]
    parameters += [
        _parameter(argument, inspect.Parameter.KEYWORD_ONLY, default)
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    ]
    return inspect.Signature(parameters, return_annotation=_expression(node.returns))


def _parameter(argument: ast.arg, kind: Any, default: ast.expr | None) -> inspect.Parameter:
    return inspect.Parameter(
        argument.arg, kind, default=_expression(default), annotation=_expression(argument.annotation)
    )


def _expression(node: ast.expr | None) -> Any:
    return _EMPTY if node is None else Expression(ast.unparse(node))
