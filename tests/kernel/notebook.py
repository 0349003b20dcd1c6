"""A real kernel, driven as a front end does; nothing is mocked."""

from __future__ import annotations

import json
import re
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# Seconds. A kernel that hangs is noticed; one on a busy machine is not taken for that.
TIMEOUT = 120

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class Result:
    """What one cell gave: its reply, and what the kernel published for it."""

    status: str
    ename: str = ""
    evalue: str = ""
    messages: list[dict[str, Any]] = field(default_factory=list)

    def _contents(self, *kinds: str) -> list[dict[str, Any]]:
        return [message["content"] for message in self.messages if message["msg_type"] in kinds]

    @property
    def value(self) -> str | None:
        """The value of the cell as text."""
        contents = self._contents("execute_result")
        return contents[-1]["data"]["text/plain"] if contents else None

    @property
    def stdout(self) -> str:
        return "".join(content["text"] for content in self._contents("stream") if content["name"] == "stdout")

    @property
    def stderr(self) -> str:
        return "".join(content["text"] for content in self._contents("stream") if content["name"] == "stderr")

    @property
    def displays(self) -> list[str]:
        """The text of each thing displayed."""
        return [content["data"].get("text/plain", "") for content in self._contents("display_data")]

    @property
    def updates(self) -> list[str]:
        return [content["data"].get("text/plain", "") for content in self._contents("update_display_data")]

    @property
    def traceback(self) -> str:
        """The traceback without its colours."""
        lines = (line for content in self._contents("error") for line in content["traceback"])
        return _COLOUR.sub("", "\n".join(lines))

    @property
    def everything(self) -> str:
        """All that was published, in every form."""
        return json.dumps([message["content"] for message in self.messages], default=str)


class Notebook:
    """A kernel and its client.

    Attributes:
        late: What earlier cells published while the last one ran.
    """

    late: list[dict[str, Any]]

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        spec = folder / "kernels" / "tested"
        spec.mkdir(parents=True)
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        content = {"argv": argv, "display_name": "tested", "language": "python"}
        (spec / "kernel.json").write_text(json.dumps(content), encoding="utf-8")
        specs = KernelSpecManager(kernel_dirs=[str(spec.parent)])
        self._manager = KernelManager(kernel_name="tested", kernel_spec_manager=specs)
        self._manager.start_kernel(env=dict(environment), cwd=str(folder))
        self._client = self._manager.client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=TIMEOUT)
        self.freeze()

    @property
    def pid(self) -> int:
        """The id of the kernel's process."""
        pid: int = self._manager.provisioner.pid  # type: ignore[union-attr]
        return pid

    def freeze(self) -> None:
        """Have the garbage collector look no more at what is there: `%reset` collects several times."""
        self.ok("(lambda gc: (gc.collect(), gc.freeze()))(__import__('gc'))", silent=True, store_history=False)

    def close(self) -> None:
        """End the kernel."""
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)

    def shut_down(self) -> None:
        """End the kernel as a front end does, which lets it finish."""
        self._manager.shutdown_kernel()

    def kill(self) -> None:
        """End the kernel by kill -9."""
        self._manager.shutdown_kernel(now=True)

    def submit(
        self,
        code: str,
        cell: str | None = None,
        *,
        deleted: list[str] | None = None,
        store_history: bool = True,
        silent: bool = False,
        subshell: str | None = None,
    ) -> str:
        """Send a cell, with the metadata of JupyterLab if `cell` is given; return the id of the request."""
        content = {
            "code": code,
            "silent": silent,
            "store_history": store_history,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": False,
        }
        metadata = {"cellId": cell, "deletedCells": deleted or []} if cell else {}
        message = self._client.session.msg("execute_request", content, metadata=metadata)
        if subshell:
            message["header"]["subshell_id"] = subshell
        self._client.shell_channel.send(message)
        return str(message["header"]["msg_id"])

    def subshell(self) -> str | None:
        """Create a subshell and return its id, or None where the kernel has no such thing."""
        self._client.kernel_info()
        if "kernel subshells" not in self._next_reply("kernel_info_reply").get("supported_features", ()):
            return None
        self._client.control_channel.send(self._client.session.msg("create_subshell_request", {}))
        return str(self._client.get_control_msg(timeout=TIMEOUT)["content"]["subshell_id"])

    def results(self, *requests: str) -> list[Result]:
        """Wait for the end of cells that were sent, and sort what comes by the cell it belongs to."""
        published: dict[str, list[dict[str, Any]]] = {request: [] for request in requests}
        waiting = set(requests)
        while waiting:
            message = self._client.get_iopub_msg(timeout=TIMEOUT)
            request = message["parent_header"].get("msg_id")
            published.setdefault(request, []).append(message)
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                waiting.discard(request)
        self.late = [m for request, messages in published.items() if request not in requests for m in messages]
        return [self._result(published[request], self._reply(request)) for request in requests]

    def _reply(self, request: str) -> dict[str, Any]:
        while True:
            message = self._client.get_shell_msg(timeout=TIMEOUT)
            if message["parent_header"].get("msg_id") == request:
                content: dict[str, Any] = message["content"]
                return content

    def help(self, code: str) -> str:
        """Run a cell that asks for help, and return the text of the pager."""
        request = self.submit(code)
        (page,) = self._reply(request)["payload"]
        return str(page["data"]["text/plain"])

    def _result(self, messages: list[dict[str, Any]], reply: dict[str, Any]) -> Result:
        return Result(reply["status"], reply.get("ename", ""), reply.get("evalue", ""), messages)

    def run(self, code: str, cell: str | None = None, **options: Any) -> Result:
        """Run a cell to its end, whatever that is."""
        return self.results(self.submit(code, cell, **options))[0]

    def ok(self, code: str, cell: str | None = None, **options: Any) -> Result:
        """Run a cell that must succeed."""
        result = self.run(code, cell, **options)
        assert result.status == "ok", f"{result.ename}: {result.evalue}\n{result.stderr}{result.traceback}"
        return result

    def value(self, expression: str) -> Any:
        """Return the value of an expression of literals."""
        text = self.ok(f"print(repr(({expression})))", store_history=False).stdout
        return eval(text.splitlines()[-1])  # noqa: S307 - what the kernel under test printed

    def interrupted(self, code: str, cell: str | None = None, *, when: str = "running", after: float = 0.0) -> Result:
        """Run a cell and interrupt the kernel `after` seconds after it printed `when`."""
        request = self.submit(code, cell)
        seen = self.wait_for(request, when)
        time.sleep(after)
        self.interrupt()
        result = self.results(request)[0]
        result.messages[:0] = seen
        return result

    def wait_for(self, request: str, printed: str) -> list[dict[str, Any]]:
        """Wait until a cell has printed something; return what it has published so far."""
        seen: list[dict[str, Any]] = []
        while not any(printed in message["content"].get("text", "") for message in seen):
            message = self._client.get_iopub_msg(timeout=TIMEOUT)
            if message["parent_header"].get("msg_id") == request:
                seen.append(message)
        return seen

    def widget_of(self, request: str, trait: str) -> str:
        """Wait until a cell has opened a widget that has `trait`, and return the id of its comm."""
        while True:
            message = self._client.get_iopub_msg(timeout=TIMEOUT)
            if message["msg_type"] == "comm_open" and trait in message["content"]["data"].get("state", {}):
                return str(message["content"]["comm_id"])

    def send_to_widget(self, comm: str, content: Mapping[str, Any], *, subshell: str | None = None) -> None:
        """Send a message of its own to a widget, as its front end does; with `subshell`, as JupyterLab does."""
        data = {"method": "custom", "content": content}
        message = self._client.session.msg("comm_msg", {"comm_id": comm, "data": data})
        if subshell:
            message["header"]["subshell_id"] = subshell
        self._client.shell_channel.send(message)

    def interrupt(self) -> None:
        """Interrupt the kernel, as the stop button does."""
        self._manager.interrupt_kernel()

    def complete(self, code: str, cursor: int | None = None) -> list[str]:
        """Return what the text before the cursor could become."""
        position = len(code) if cursor is None else cursor
        self._client.complete(code, position)
        content = self._next_reply("complete_reply")
        return [code[: content["cursor_start"]] + match for match in content["matches"]]

    def _next_reply(self, kind: str) -> dict[str, Any]:
        while True:
            message = self._client.get_shell_msg(timeout=TIMEOUT)
            if message["msg_type"] == kind:
                content: dict[str, Any] = message["content"]
                return content


__all__ = ["Notebook", "Result"]
