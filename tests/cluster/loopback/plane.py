"""The control plane: tasks that were deployed, and runs that go on, also from one life of the server to the next."""

from __future__ import annotations

import asyncio
import base64
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flyteidl2.common import phase_pb2
from flyteidl2.core import execution_pb2
from flyteidl2.task import task_definition_pb2

from .actions import TERMINAL, Action
from .faults import Faults
from .journal import Journal
from .pods import Pod, filled_in, python_of_image

if TYPE_CHECKING:
    from collections.abc import Iterator

TaskKey = tuple[str, str, str, str]
_MOST_PODS = 8


class Plane:
    """All of it, in one folder.

    Attributes:
        folder: The folder.
        url: Where the server is.
        tasks: What was deployed: by project, domain, name and version.
        actions: By run and name, in the order in which they were asked for.
        changed: Notified when an action has changed.
    """

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.url = folder, f"http://127.0.0.1:{port}"
        folder.mkdir(parents=True, exist_ok=True)
        self.rpcs, self._journal = Journal(folder / "rpcs.jsonl"), Journal(folder / "journal.jsonl")
        self.faults = Faults(folder / "faults.json")
        self.tasks: dict[TaskKey, Any] = {}
        self.deployed_at: dict[TaskKey, float] = {}
        self.actions: dict[tuple[str, str], Action] = {}
        self.changed = asyncio.Condition()
        self._pods = asyncio.Semaphore(_MOST_PODS)
        for entry in self._journal.read():
            self._recall(entry)

    def _recall(self, entry: dict[str, Any]) -> None:
        if entry["what"] == "task":
            spec = task_definition_pb2.TaskSpec()
            spec.ParseFromString(base64.b64decode(entry["spec"]))
            key = tuple(entry["key"])
            self.tasks[key], self.deployed_at[key] = spec, entry["time"]
            return
        if entry["what"] == "action":
            action = Action.from_json(entry["action"])
            action.started = entry["time"]
            self.actions[action.key] = action
            return
        action = self.actions[tuple(entry["key"])]
        action.phase, action.attempt = entry["phase"], entry["attempt"]
        action.ended = entry["time"]
        if entry["error"]:
            action.error = execution_pb2.ExecutionError()
            action.error.ParseFromString(base64.b64decode(entry["error"]))

    def go_on(self) -> None:
        """Take up what was going on when the last server ended."""
        for action in self.actions.values():
            if action.phase not in TERMINAL:
                action.work = asyncio.ensure_future(self._run(action))

    def deploy(self, key: TaskKey, spec: Any) -> None:
        self._journal.note("task", key=key, spec=base64.b64encode(spec.SerializeToString()).decode())
        self.tasks[key], self.deployed_at[key] = spec, time.time()

    def find(self, wanted: Any) -> tuple[TaskKey, Any] | None:
        """Return the task that an identifier means; without a version the one that was deployed last."""
        place = wanted.project, wanted.domain, wanted.name
        found = [key for key in self.tasks if key[:3] == place and wanted.version in ("", key[3])]
        return (found[-1], self.tasks[found[-1]]) if found else None

    def begin(self, action: Action) -> None:
        """Take an action, whose pod starts when there is room."""
        self._journal.note("action", action=action.to_json())
        action.started = time.time()
        self.actions[action.key] = action
        action.work = asyncio.ensure_future(self._run(action))

    async def take_ended(self, action: Action, phase: int) -> None:
        """Take an action that has ended already, such as a trace."""
        self._journal.note("action", action=action.to_json())
        action.started = time.time()
        self.actions[action.key] = action
        await self._become(action, phase)

    def of_run(self, run: str) -> Iterator[Action]:
        return (action for (name, _), action in list(self.actions.items()) if name == run)

    async def abort(self, action: Action) -> None:
        if action.phase in TERMINAL:
            return
        await self._become(action, phase_pb2.ACTION_PHASE_ABORTED)
        if action.work:
            action.work.cancel()
        if action.attempt:
            await self._pod(action).stop()

    def _pod(self, action: Action) -> Pod:
        run, name = action.key
        return Pod(self.folder / "pods" / run / f"{name}-{action.attempt}")

    def log_of(self, action: Action, attempt: int) -> Path:
        run, name = action.key
        return Pod(self.folder / "pods" / run / f"{name}-{attempt}").log

    async def _run(self, action: Action) -> None:
        async with self._pods:
            tries = action.spec.task_template.metadata.retries.retries + 1
            attempt = max(1, action.attempt)  # one that was going on is not begun again
            while True:
                if attempt != action.attempt:
                    self._clear(action)
                    await self._become(action, phase_pb2.ACTION_PHASE_RUNNING, attempt)
                error, may_retry = await self._attempt(action)
                if error is None:
                    await self._become(action, phase_pb2.ACTION_PHASE_SUCCEEDED)
                    return
                action.error = error
                if not may_retry or attempt >= tries:
                    await self._become(action, phase_pb2.ACTION_PHASE_FAILED)
                    return
                await self._become(action, phase_pb2.ACTION_PHASE_QUEUED)
                attempt += 1

    def _clear(self, action: Action) -> None:
        Path(action.outputs).mkdir(parents=True, exist_ok=True)
        for name in ("outputs.pb", "error.pb"):
            Path(action.outputs, name).unlink(missing_ok=True)

    async def _attempt(self, action: Action) -> tuple[Any, bool]:
        """Return the error of the attempt, or None, and whether another may follow."""
        pod, container = self._pod(action), action.spec.task_template.container
        arguments = filled_in([*container.command, *container.args], self._values(action))
        python = python_of_image(container.image, self.folder.parent / "venvs")
        pod.start(python, arguments, self._variables(action))
        code = await pod.ended()
        failed = Path(action.outputs, "error.pb")
        if failed.exists():
            document = execution_pb2.ErrorDocument()
            document.ParseFromString(failed.read_bytes())
            said = document.error
            may_retry = said.kind != execution_pb2.ContainerError.NON_RECOVERABLE
            return execution_pb2.ExecutionError(code=said.code, message=said.message, kind=said.origin), may_retry
        if code:
            tail = pod.log.read_text(errors="replace")[-2_000:]
            system = execution_pb2.ExecutionError.SYSTEM
            return execution_pb2.ExecutionError(code="PodFailed", message=f"exit {code}: {tail}", kind=system), True
        return None, False

    def _values(self, action: Action) -> dict[str, str]:
        run, name = action.key
        return {
            "input": action.inputs,
            "outputPrefix": action.outputs,
            "rawOutputDataPrefix": f"{action.base}/raw/{name}",
            "checkpointOutputPrefix": f"{action.base}/checkpoint/{name}",
            "prevCheckpointPrefix": "",
            "runName": run,
            "actionName": name,
            "runStartTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(action.started)),
        }

    def _variables(self, action: Action) -> dict[str, str]:
        """Return what a data plane sets for pods, on top of what task and run say."""
        run = action.id.run
        return {
            **{pair.key: pair.value for pair in action.spec.task_template.container.env},
            **action.variables,
            "_U_EP_OVERRIDE": self.url,
            "_U_INSECURE": "true",
            "_U_ORG_NAME": run.org or "loopback",
            "_U_RUN_BASE": action.base,
            "FLYTE_INTERNAL_EXECUTION_PROJECT": run.project,
            "FLYTE_INTERNAL_EXECUTION_DOMAIN": run.domain,
            "RUN_NAME": run.name,
            "ACTION_NAME": action.id.name,
            "PYTHONUNBUFFERED": "1",
            "FSSPEC_FILE": '{"auto_mkdir": true}',  # so that folders are as in an object store
        }

    async def _become(self, action: Action, phase: int, attempt: int | None = None) -> None:
        action.phase, action.ended = phase, time.time()
        action.attempt = action.attempt if attempt is None else attempt
        error = base64.b64encode(action.error.SerializeToString()).decode() if action.error is not None else ""
        self._journal.note("phase", key=action.key, phase=phase, attempt=action.attempt, error=error)
        async with self.changed:
            self.changed.notify_all()
