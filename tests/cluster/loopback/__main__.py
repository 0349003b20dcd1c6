"""The server: `python -m loopback PORT FOLDER`, on 127.0.0.1 only."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn
from flyteidl2.cluster import service_connect as cluster
from flyteidl2.dataproxy import dataproxy_service_connect as dataproxy
from flyteidl2.task import task_service_connect as tasks
from flyteidl2.workflow import queue_service_connect as queue
from flyteidl2.workflow import run_service_connect as runs
from flyteidl2.workflow import state_service_connect as state

from .plane import Plane
from .services import Cluster, DataProxy, Queue, Runs, States, Tasks

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Receive = Callable[[], Awaitable[dict[str, Any]]]
    Send = Callable[[dict[str, Any]], Awaitable[None]]


class Server:
    """The services, and the store that uploads go to."""

    def __init__(self, plane: Plane) -> None:
        self._plane = plane
        applications = [
            cluster.ClusterServiceASGIApplication(Cluster(plane)),
            dataproxy.DataProxyServiceASGIApplication(DataProxy(plane)),
            queue.QueueServiceASGIApplication(Queue(plane)),
            runs.RunServiceASGIApplication(Runs(plane)),
            state.StateServiceASGIApplication(States(plane)),
            tasks.TaskServiceASGIApplication(Tasks(plane)),
        ]
        self._services = {application.path: application for application in applications}

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["path"].startswith("/put/"):
            await self._store(scope["path"].removeprefix("/put/"), receive, send)
        elif service := self._services.get(f"/{scope['path'].split('/')[1]}"):
            await service(scope, receive, send)
        else:
            self._plane.rpcs.note("unknown", name=scope["path"])
            await _answer(send, 404)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._plane.go_on()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return

    async def _store(self, path: str, receive: Receive, send: Send) -> None:
        root = (self._plane.folder / "blobs").resolve()
        file = (root / path).resolve()
        assert file.is_relative_to(root)
        file.parent.mkdir(parents=True, exist_ok=True)
        content, more = b"", True
        while more:
            message = await receive()
            content, more = content + message.get("body", b""), message.get("more_body", False)
        file.write_bytes(content)
        await _answer(send, 200)


async def _answer(send: Send, status: int) -> None:
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b""})


if __name__ == "__main__":
    port, folder = int(sys.argv[1]), Path(sys.argv[2]).resolve()
    # Streams are held open by their clients.
    server = Server(Plane(folder, port))
    uvicorn.run(server, host="127.0.0.1", port=port, log_level="warning", timeout_graceful_shutdown=1)  # type: ignore[arg-type]
