"""Actions: the calls of tasks of a run, from when they are asked for to their end."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flyteidl2.common import identifier_pb2, phase_pb2
from flyteidl2.core import execution_pb2
from flyteidl2.task import common_pb2, task_definition_pb2
from flyteidl2.workflow import run_definition_pb2, state_service_pb2
from google.protobuf.timestamp_pb2 import Timestamp

if TYPE_CHECKING:
    import asyncio

    from .pods import Pod

TERMINAL = frozenset(
    {
        phase_pb2.ACTION_PHASE_SUCCEEDED,
        phase_pb2.ACTION_PHASE_FAILED,
        phase_pb2.ACTION_PHASE_ABORTED,
        phase_pb2.ACTION_PHASE_TIMED_OUT,
    }
)


@dataclass
class Action:
    """One action.

    Attributes:
        id: Its run, and its name in it.
        spec: The task.
        inputs: Where its inputs are.
        base: The folder of the outputs of its run.
        parent: The name of the action that asked for it.
        group: The group it belongs to.
        variables: What the run adds to the variables of its pods.
        phase: Where it stands.
        attempt: Which attempt goes on, from 1; 0 before.
        error: What its last attempt ended with.
    """

    id: Any
    spec: Any
    inputs: str
    base: str
    parent: str = ""
    group: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    phase: int = phase_pb2.ACTION_PHASE_QUEUED
    attempt: int = 0
    error: Any = None
    started: float = 0.0
    ended: float = 0.0
    pod: Pod | None = None
    work: asyncio.Task[None] | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.id.run.name, self.id.name

    @property
    def task(self) -> str:
        return str(self.spec.task_template.id.name)

    @property
    def outputs(self) -> str:
        return f"{self.base}/{self.id.name}"

    def to_json(self) -> dict[str, Any]:
        return {
            "id": _text(self.id),
            "spec": _text(self.spec),
            "inputs": self.inputs,
            "base": self.base,
            "parent": self.parent,
            "group": self.group,
            "variables": self.variables,
        }

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> Action:
        action_id, spec = identifier_pb2.ActionIdentifier(), task_definition_pb2.TaskSpec()
        action_id.ParseFromString(base64.b64decode(said["id"]))
        spec.ParseFromString(base64.b64decode(said["spec"]))
        rest = {name: said[name] for name in ("inputs", "base", "parent", "group", "variables")}
        return cls(action_id, spec, **rest)

    # As clients are told

    def status(self) -> Any:
        status = run_definition_pb2.ActionStatus(
            phase=self.phase, start_time=_stamp(self.started), attempts=max(1, self.attempt)
        )
        if self.phase in TERMINAL:
            status.end_time.CopyFrom(_stamp(self.ended))
        return status

    def metadata(self) -> Any:
        template = self.spec.task_template.id
        names = ("org", "project", "domain", "name", "version")
        task = task_definition_pb2.TaskIdentifier(**{name: getattr(template, name) for name in names})
        return run_definition_pb2.ActionMetadata(
            parent=self.parent,
            group=self.group,
            environment_name=self.spec.environment.name,
            funtion_name=self.spec.short_name,
            task=run_definition_pb2.TaskActionMetadata(id=task, short_name=self.spec.short_name),
        )

    def brief(self) -> Any:
        return run_definition_pb2.Action(id=self.id, metadata=self.metadata(), status=self.status())

    def details(self) -> Any:
        outputs = common_pb2.OutputReferences(output_uri=f"{self.outputs}/outputs.pb")
        attempt = run_definition_pb2.ActionAttempt(
            phase=self.phase, start_time=_stamp(self.started), attempt=max(1, self.attempt), outputs=outputs
        )
        attempt.logs_available = self.attempt > 0
        details = run_definition_pb2.ActionDetails(
            id=self.id, metadata=self.metadata(), status=self.status(), task=self.spec, attempts=[attempt]
        )
        if self.error is not None and self.phase == phase_pb2.ACTION_PHASE_FAILED:
            is_users = self.error.kind == execution_pb2.ExecutionError.USER
            kinds = run_definition_pb2.ErrorInfo
            kind = kinds.KIND_USER if is_users else kinds.KIND_SYSTEM
            details.error_info.CopyFrom(kinds(message=self.error.message, code=self.error.code, kind=kind))
        return details

    def update(self) -> Any:
        update = state_service_pb2.ActionUpdate(action_id=self.id, phase=self.phase, output_uri=self.outputs)
        if self.error is not None:
            update.error.CopyFrom(self.error)
        return update


def _stamp(seconds: float) -> Timestamp:
    stamp = Timestamp()
    stamp.FromNanoseconds(int(seconds * 1e9))
    return stamp


def _text(message: Any) -> str:
    return base64.b64encode(message.SerializeToString()).decode()
