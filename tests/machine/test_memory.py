"""How much memory real processes use."""

from __future__ import annotations

import os
import subprocess
import sys

from flyte_nb.machine.memory import resident_bytes

MIB = 2**20
USES = "import sys; held = bytearray(b'x' * (100 << 20)); print('ready', flush=True); sys.stdin.read()"
STARTS = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {USES!r}])"


def test_what_this_process_uses() -> None:
    """What a process takes is counted."""
    before = resident_bytes(os.getpid(), children=False)
    held = bytearray(b"x" * (100 * MIB))
    after = resident_bytes(os.getpid(), children=False)
    assert before
    assert after
    assert after - before > 0.9 * len(held)


def test_what_its_children_use() -> None:
    """What a process has started counts with it if that is asked for, and not otherwise."""
    with subprocess.Popen([sys.executable, "-c", STARTS], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as starter:
        assert starter.stdout
        starter.stdout.readline()
        alone, both = (resident_bytes(starter.pid, children=children) for children in (False, True))
        starter.communicate()
    assert alone
    assert both
    assert both - alone > 100 * MIB


def test_a_process_that_has_ended() -> None:
    """Of a process that has ended nothing is told, whether or not its parent knows already."""
    with subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.read()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert resident_bytes(process.pid, children=True) is None
    assert resident_bytes(process.pid, children=False) is None
    assert resident_bytes(process.pid, children=True) is None
