"""The logic of the front end that needs no page, tested by node's own runner."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

_UNITS = Path(__file__).parent / "units"


def test_the_units_of_the_front_end(node_packages, composed):
    """`node --test` passes, and each file of units has run."""
    units = sorted(_UNITS.glob("*.test.mjs"))
    told = subprocess.run(
        [node_packages.node, "--test", "--test-reporter=tap", *units],
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    passed = re.search(r"^# pass (\d+)$", told.stdout, re.MULTILINE)
    written = sum(unit.read_text(encoding="utf-8").count("\ntest(") for unit in units)
    assert passed
    assert int(passed[1]) >= written > 0
