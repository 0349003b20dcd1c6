"""Types as users see them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

USER_CODE = Path(__file__).with_name("typing_of_user_code.py")


def test_ordinary_user_code_is_typed_through_tasks_and_runs() -> None:
    """Arguments are checked and results are known under mypy --strict, for async and sync tasks."""
    command = [sys.executable, "-m", "mypy", "--strict", "--python-version", "3.11", str(USER_CODE)]
    checked = subprocess.run(command, capture_output=True, text=True, cwd=USER_CODE.parents[1], check=False)
    assert checked.returncode == 0, checked.stdout
