"""What the SDK asks a control plane for, as the Connect services of flyteidl2."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectrpc.code import Code
from connectrpc.errors import ConnectError
from flyteidl2.cluster import payload_pb2 as cluster_messages
from flyteidl2.cluster import service_connect as cluster
from flyteidl2.common import identifier_pb2, phase_pb2
from flyteidl2.common import run_pb2 as common_run
from flyteidl2.dataproxy import dataproxy_service_connect as dataproxy
from flyteidl2.dataproxy import dataproxy_service_pb2 as data_messages
from flyteidl2.logs.dataplane import payload_pb2 as logs
from flyteidl2.task import task_definition_pb2
from flyteidl2.task import task_service_connect as tasks
from flyteidl2.task import task_service_pb2 as task_messages
from flyteidl2.workflow import queue_service_connect as queue
from flyteidl2.workflow import queue_service_pb2 as queue_messages
from flyteidl2.workflow import run_definition_pb2
from flyteidl2.workflow import run_service_connect as runs
from flyteidl2.workflow import run_service_pb2 as run_messages
from flyteidl2.workflow import state_service_connect as state
from flyteidl2.workflow import state_service_pb2 as state_messages
from google.protobuf.timestamp_pb2 import Timestamp

from .actions import TERMINAL, Action

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from .plane import Plane

_LOOK_SECONDS = 0.5


class Service:
    """What all services have: the plane."""

    def __init__(self, plane: Plane) -> None:
        self.plane = plane


class Cluster(Service, cluster.ClusterService):
    async def select_cluster(self, request: Any, context: Any) -> Any:
        return cluster_messages.SelectClusterResponse()


class Tasks(Service, tasks.TaskService):
    async def deploy_task(self, request: Any, context: Any) -> Any:
        wanted = request.task_id
        key = wanted.project, wanted.domain, wanted.name, wanted.version
        fault = await self.plane.faults.before("DeployTask", wanted.name)
        facts = {"name": wanted.name, "version": wanted.version, "environment": request.spec.environment.name}
        if key in self.plane.tasks:
            self.plane.rpcs.note("DeployTask", **facts, again=True)
            raise ConnectError(Code.ALREADY_EXISTS, "there is such a version")
        self.plane.rpcs.note("DeployTask", **facts, again=False, request=str(request))
        self.plane.deploy(key, request.spec)
        self.plane.faults.after(fault)
        return task_messages.DeployTaskResponse()

    async def get_task_details(self, request: Any, context: Any) -> Any:
        await self.plane.faults.before("GetTaskDetails", request.task_id.name)
        found = self.plane.find(request.task_id)
        if found is None:
            raise ConnectError(Code.NOT_FOUND, f"there is no task {request.task_id.name}")
        (project, domain, name, version), spec = found
        task = task_definition_pb2.TaskIdentifier(
            org=request.task_id.org, project=project, domain=domain, name=name, version=version
        )
        details = task_definition_pb2.TaskDetails(task_id=task, spec=spec)
        return task_messages.GetTaskDetailsResponse(details=details)

    async def list_tasks(self, request: Any, context: Any) -> Any:
        listed = []
        for (project, domain, name, version), spec in reversed(self.plane.tasks.items()):
            task = task_definition_pb2.TaskIdentifier(project=project, domain=domain, name=name, version=version)
            at = Timestamp()
            at.FromNanoseconds(int(self.plane.deployed_at[project, domain, name, version] * 1e9))
            metadata = task_definition_pb2.TaskMetadata(
                short_name=spec.short_name, environment_name=spec.environment.name, deployed_at=at
            )
            listed.append(task_definition_pb2.Task(task_id=task, metadata=metadata))
        return task_messages.ListTasksResponse(tasks=listed)


class Runs(Service, runs.RunService):
    async def create_run(self, request: Any, context: Any) -> Any:
        run = identifier_pb2.RunIdentifier()
        if request.HasField("run_id"):
            run.CopyFrom(request.run_id)
        else:
            asked = request.project_id
            run = identifier_pb2.RunIdentifier(org=asked.organization, project=asked.name, domain=asked.domain)
        run.name, run.org = run.name or f"r{uuid.uuid4().hex[:12]}", run.org or "loopback"
        fault = await self.plane.faults.before("CreateRun", run.name)
        if (run.name, "a0") in self.plane.actions:
            self.plane.rpcs.note("CreateRun", run=run.name, again=True)
            raise ConnectError(Code.ALREADY_EXISTS, run.name)
        action = self._root(request, run)
        template = action.spec.task_template.id
        self.plane.rpcs.note("CreateRun", run=run.name, name=template.name, version=template.version, again=False)
        self.plane.begin(action)
        self.plane.faults.after(fault)
        return run_messages.CreateRunResponse(run=run_definition_pb2.Run(action=action.brief()))

    def _root(self, request: Any, run: Any) -> Action:
        if request.WhichOneof("task") == "task_spec":
            spec = request.task_spec
        else:
            found = self.plane.find(request.task_id)
            if found is None:
                raise ConnectError(Code.NOT_FOUND, f"there is no task {request.task_id.name}")
            spec = found[1]
        return Action(
            identifier_pb2.ActionIdentifier(run=run, name="a0"),
            spec,
            request.offloaded_input_data.uri,
            str(self.plane.folder / "runs" / run.name),
            variables={pair.key: pair.value for pair in request.run_spec.envs.values},
        )

    def _action(self, wanted: Any) -> Action:
        found = self.plane.actions.get((wanted.run.name, wanted.name))
        if found is None:
            raise ConnectError(Code.NOT_FOUND, f"there is no action {wanted.name} of run {wanted.run.name}")
        return found

    async def get_run_details(self, request: Any, context: Any) -> Any:
        root = self._action(identifier_pb2.ActionIdentifier(run=request.run_id, name="a0"))
        return run_messages.GetRunDetailsResponse(details=run_definition_pb2.RunDetails(action=root.details()))

    async def get_action_details(self, request: Any, context: Any) -> Any:
        return run_messages.GetActionDetailsResponse(details=self._action(request.action_id).details())

    async def watch_action_details(self, request: Any, context: Any) -> AsyncIterator[Any]:
        action, last = self._action(request.action_id), None
        while True:
            if (action.phase, action.attempt) != last:
                last = action.phase, action.attempt
                yield run_messages.WatchActionDetailsResponse(details=action.details())
            if action.phase in TERMINAL:
                return
            await _change(self.plane)

    async def list_runs(self, request: Any, context: Any) -> Any:
        roots = [action for (_, name), action in self.plane.actions.items() if name == "a0"]
        return run_messages.ListRunsResponse(runs=[run_definition_pb2.Run(action=each.brief()) for each in roots])

    async def list_actions(self, request: Any, context: Any) -> Any:
        await self.plane.faults.before("ListActions", request.run_id.name)
        first = int(request.request.token or 0)
        found = list(self.plane.of_run(request.run_id.name))
        end = first + (request.request.limit or 100)
        token = str(end) if end < len(found) else ""
        return run_messages.ListActionsResponse(actions=[each.brief() for each in found[first:end]], token=token)

    async def abort_run(self, request: Any, context: Any) -> Any:
        self.plane.rpcs.note("AbortRun", run=request.run_id.name)
        await asyncio.gather(*map(self.plane.abort, list(self.plane.of_run(request.run_id.name))))
        return run_messages.AbortRunResponse()


class Queue(Service, queue.QueueService):
    async def enqueue_action(self, request: Any, context: Any) -> Any:
        key = request.action_id.run.name, request.action_id.name
        kind = request.WhichOneof("spec")
        fault = await self.plane.faults.before("EnqueueAction", request.action_id.run.name)
        again = key in self.plane.actions
        self.plane.rpcs.note("EnqueueAction", run=key[0], action=key[1], kind=kind, again=again)
        if again:
            raise ConnectError(Code.ALREADY_EXISTS, key[1])
        root = self.plane.actions.get((key[0], "a0"))
        spec = request.task.spec if kind == "task" else task_definition_pb2.TaskSpec()
        action = Action(
            request.action_id,
            spec,
            request.input_uri,
            request.run_output_base,
            request.parent_action_name,
            request.group,
            root.variables if root else {},
        )
        if kind == "task":
            self.plane.begin(action)
        else:
            await self.plane.take_ended(action, request.trace.phase or phase_pb2.ACTION_PHASE_SUCCEEDED)
        self.plane.faults.after(fault)
        return queue_messages.EnqueueActionResponse()

    async def abort_queued_action(self, request: Any, context: Any) -> Any:
        action = self.plane.actions.get((request.action_id.run.name, request.action_id.name))
        if action:
            await self.plane.abort(action)
        return queue_messages.AbortQueuedActionResponse()


class States(Service, state.StateService):
    async def watch(self, request: Any, context: Any) -> AsyncIterator[Any]:
        parent, sent = request.parent_action_id, dict[str, int]()
        is_first = True
        while True:
            for action in list(self.plane.of_run(parent.run.name)):
                if action.parent == parent.name and sent.get(action.id.name) != action.phase:
                    sent[action.id.name] = action.phase
                    yield state_messages.WatchResponse(action_update=action.update())
            if is_first:
                is_first = False
                yield state_messages.WatchResponse(control_message=state_messages.ControlMessage(sentinel=True))
            await _change(self.plane)


class DataProxy(Service, dataproxy.DataProxyService):
    async def create_upload_location(self, request: Any, context: Any) -> Any:
        root = request.filename_root or request.content_md5.hex() or uuid.uuid4().hex
        path = f"{request.project}/{request.domain}/{root}/{request.filename}"
        self.plane.rpcs.note("CreateUploadLocation", name=request.filename)
        return data_messages.CreateUploadLocationResponse(
            signed_url=f"{self.plane.url}/put/{path}", native_url=str(self.plane.folder / "blobs" / path)
        )

    async def upload_inputs(self, request: Any, context: Any) -> Any:
        data = request.inputs.SerializeToString(deterministic=True)
        folder = self.plane.folder / "blobs" / "inputs" / uuid.uuid4().hex
        folder.mkdir(parents=True)
        (folder / "inputs.pb").write_bytes(data)
        offloaded = common_run.OffloadedInputData(
            uri=str(folder / "inputs.pb"), inputs_hash=hashlib.sha256(data).hexdigest()
        )
        return data_messages.UploadInputsResponse(offloaded_input_data=offloaded)

    async def get_action_data(self, request: Any, context: Any) -> Any:
        await self.plane.faults.before("GetActionData", request.action_id.name)
        self.plane.rpcs.note("GetActionData", run=request.action_id.run.name, action=request.action_id.name)
        action = self.plane.actions[request.action_id.run.name, request.action_id.name]
        inputs, outputs = Path(action.inputs), Path(action.outputs, "outputs.pb")
        answer = data_messages.GetActionDataResponse(inputs_uri=str(inputs), outputs_uri=str(outputs))
        if inputs.is_file():
            answer.inputs.ParseFromString(inputs.read_bytes())
        if outputs.is_file():
            answer.outputs.ParseFromString(outputs.read_bytes())
        return answer

    async def tail_logs(self, request: Any, context: Any) -> AsyncIterator[Any]:
        action = self.plane.actions.get((request.action_id.run.name, request.action_id.name))
        if action is None or not action.attempt:
            raise ConnectError(Code.NOT_FOUND, "there are no logs yet")
        await self.plane.faults.before("TailLogs", action.task)
        file, at = self.plane.log_of(action, request.attempt or 1), 0
        while True:
            is_over = action.phase in TERMINAL or action.attempt > request.attempt
            text = file.read_text(errors="replace") if file.exists() else ""
            whole = text if is_over else text[: text.rfind("\n") + 1]
            lines = [logs.LogLine(message=line, originator=logs.USER) for line in whole[at:].splitlines()]
            if lines:
                at = len(whole)
                yield data_messages.TailLogsResponse(logs=[data_messages.TailLogsResponse.Logs(lines=lines)])
            if is_over:
                return
            await asyncio.sleep(_LOOK_SECONDS / 10)


async def _change(plane: Plane) -> None:
    """Wait until something has changed, or for a while: somebody may have missed it."""
    async with plane.changed:
        try:
            await asyncio.wait_for(plane.changed.wait(), _LOOK_SECONDS)
        except asyncio.TimeoutError:
            return
