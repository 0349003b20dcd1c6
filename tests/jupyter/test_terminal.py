"""Terminal IPython: what notebooks show as pictures can be read there as text."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pexpect = pytest.importorskip("pexpect", reason="there are no pseudo-terminals")

pytestmark = pytest.mark.slow

_PROMPT, _MORE = r"In \[\d+\]: $", r"\.\.\.: $"
_BASE = ["%%flyte_env base --image python:3.11", "@env.task", "async def load(n: int) -> int:"]
_WAITING = [*_BASE, "    print('loading')", "    await asyncio.sleep(60 if n > 9 else 0)", "    return n", "", ""]
_TRAIN = [
    "%%flyte_env ml --image ml:1 --depends-on base",
    "@env.task",
    "async def train(n: int) -> int:",
    "    return await load(n) + 1",
    "",
    "",
]


class Terminal:
    """A person at IPython's prompt."""

    def __init__(self, home: Path) -> None:
        own = {"HOME": str(home), "IPYTHONDIR": str(home), "FLYTE_NB_HOME": str(home), "DO_NOT_TRACK": "1"}
        line = ["-m", "IPython", "--simple-prompt", "--no-banner", "--colors=NoColor"]
        env = {**os.environ, **own, "TERM": "dumb"}
        self.ipython = pexpect.spawn(sys.executable, line, env=env, encoding="utf-8", timeout=60, dimensions=(50, 140))
        self.ipython.expect(_PROMPT)

    def enter(self, *lines: str) -> None:
        """Type a cell of one line, or of several that end with two empty ones."""
        for line in lines[:-1]:
            self.ipython.sendline(line)
            self.ipython.expect(_MORE)
        self.ipython.sendline(lines[-1])

    def cell(self, *lines: str) -> str:
        """Enter a cell and return what is shown until the next prompt."""
        self.enter(*lines)
        self.ipython.expect(_PROMPT)
        shown: str = self.ipython.before.replace("\r\n", "\n")
        return shown


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path)
    terminal.cell("%load_ext flyte_nb")
    terminal.cell("import asyncio, flyte_nb as flyte")
    terminal.cell(*_WAITING)
    terminal.cell(*_TRAIN)
    yield terminal
    terminal.ipython.close(force=True)


def test_views_are_text(terminal: Terminal) -> None:
    """The graph is an order, a run a tree, a deployment a table; there is no markup, and the process ends well."""
    graph = terminal.cell("%flyte_graph")
    assert "2 environments in 2 waves\n1  base  python:3.11\n2  ml    ml:1         after base\n" in graph
    run = terminal.cell("%flyte_run train(3)")
    assert "loading\n✓ ml.train(n=3)" in run
    assert "\n   ✓ base.load(n=3)" in run
    assert ": 4\n" in run
    deployment = terminal.cell("%flyte_deploy")
    assert "Deployment d1 to local: 2 deployed" in deployment
    assert deployment.index("base ") < deployment.index("ml ")
    plan = terminal.cell("%flyte_plan")
    assert "2 unchanged" in plan
    assert not [shown for shown in (graph, run, deployment, plan) if "<" in shown or "object at" in shown]
    terminal.enter("exit")
    terminal.ipython.expect(pexpect.EOF)
    terminal.ipython.close()
    assert terminal.ipython.exitstatus == 0


def test_an_interrupt_ends_the_run_and_nothing_else(terminal: Terminal) -> None:
    """What was interrupted says so, and the session goes on."""
    terminal.enter("%flyte_run train(10)")
    terminal.ipython.expect("loading")
    terminal.ipython.sendintr()
    terminal.ipython.expect(_PROMPT)
    assert "⊘ ml.train(n=10)" in terminal.ipython.before
    assert "KeyboardInterrupt" in terminal.ipython.before
    assert "✓ ml.train(n=3)" in terminal.cell("%flyte_run train(3)")


def test_what_is_wrong_is_one_line(terminal: Terminal) -> None:
    """A magic that refuses says what to do, without a traceback."""
    refused = terminal.cell("%flyte_graph nothere").strip().splitlines()
    assert refused[-1] == "UsageError: environment 'nothere' is not defined. Define it, or run the cell that does."
    assert not [line for line in refused if "Traceback" in line]
