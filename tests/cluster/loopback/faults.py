"""Faults that tests ask for: requests that take long, are refused, or are done and never answered."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from connectrpc.code import Code
from connectrpc.errors import ConnectError

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Fault:
    """What goes wrong with a request.

    Attributes:
        rpc: The name of the request: "DeployTask".
        about: Only those about a name that begins so: of a task, a run.
        delay: Seconds before it is served.
        refuse: The Connect code with which it is refused: "invalid_argument"; nothing serves it.
        message: What the refusal says.
        unanswered: Whether it is done, and the connection then fails.
        times: How many requests it happens to.
    """

    rpc: str
    about: str = ""
    delay: float = 0.0
    refuse: str = ""
    message: str = "refused by the test"
    unanswered: bool = False
    times: int = 1_000_000


class Faults:
    """The faults of a server: a file that tests write and the server reads at each request."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._counts: dict[Fault, int] = {}

    def write(self, *faults: Fault) -> None:
        aside = self._path.with_suffix(".new")
        aside.write_text(json.dumps([asdict(fault) for fault in faults]))
        aside.rename(self._path)

    async def before(self, rpc: str, about: str) -> Fault | None:
        """Do what goes wrong before a request is served, and return the fault that it is served with."""
        fault = self._next(rpc, about)
        if fault is None:
            return None
        await asyncio.sleep(fault.delay)
        if fault.refuse:
            raise ConnectError(Code(fault.refuse), fault.message)
        return fault

    def after(self, fault: Fault | None) -> None:
        """Do what goes wrong after a request was served."""
        if fault is not None and fault.unanswered:
            raise ConnectError(Code.UNAVAILABLE, "the connection was lost")

    def _next(self, rpc: str, about: str) -> Fault | None:
        found = json.loads(self._path.read_text()) if self._path.exists() else []
        for fault in (Fault(**each) for each in found):
            if fault.rpc == rpc and about.startswith(fault.about) and self._counts.get(fault, 0) < fault.times:
                self._counts[fault] = self._counts.get(fault, 0) + 1
                return fault
        return None
