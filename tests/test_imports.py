"""What `import flyte_nb` brings into the process, and that a script needs nothing of Jupyter."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

# Each either is Jupyter's, or takes longer to import than flyte_nb itself.
TOO_HEAVY = {
    "IPython", "anywidget", "asyncio", "cloudpickle", "comm", "flyte", "ipykernel", "ipywidgets", "jupyter_client",
    "platformdirs", "pydantic", "sqlite3", "tornado", "traitlets", "zmq",
}  # fmt: skip

MODULES = """
import json, sys
before = set(sys.modules)
{statements}
print(json.dumps(sorted(set(sys.modules) - before)))
"""

SCRIPT = """
import flyte_nb as flyte
env = flyte.TaskEnvironment("base", image=flyte.Image.from_debian_base(), resources=flyte.Resources(cpu="1"))
ml = env.clone_with("ml", depends_on=[env])
@env.task
def double(number: int) -> int: return 2 * number
assert double(2) == 4
assert flyte.deployment_order() == ["base", "ml"]
"""

DEPLOYMENT = """
import asyncio
assert asyncio.run(flyte.deploy()).succeeded
"""


def imported_by(statements: str, folder: Path) -> set[str]:
    """Return the modules that running `statements` in a new process adds."""
    script = folder / "script.py"
    script.write_text(MODULES.format(statements=statements))
    done = subprocess.run(
        [sys.executable, script],
        env={**os.environ, "FLYTE_NB_HOME": str(folder / "home")},
        check=True,
        capture_output=True,
        text=True,
    )
    return set(json.loads(done.stdout))


def packages(modules: set[str]) -> set[str]:
    return {module.partition(".")[0] for module in modules}


@pytest.mark.parametrize("statements", ["import flyte_nb", SCRIPT], ids=["import", "define, call and order"])
def test_importing_and_defining_is_light(tmp_path: Path, statements: str) -> None:
    """Importing flyte_nb, defining and calling bring in the standard library only, and not its heavy parts."""
    modules = imported_by(statements, tmp_path)
    assert not packages(modules) & TOO_HEAVY
    assert packages(modules) - {"flyte_nb"} <= sys.stdlib_module_names
    assert not {module for module in modules if module.startswith(("flyte_nb.view", "flyte_nb.jupyter"))}


def test_deploying_needs_no_jupyter(tmp_path: Path) -> None:
    """A script deploys to the embedded target without anything of Jupyter."""
    modules = imported_by(SCRIPT + DEPLOYMENT, tmp_path)
    assert packages(modules) & TOO_HEAVY <= {"asyncio", "sqlite3", "platformdirs"}
    assert not {module for module in modules if module.startswith(("flyte_nb.view", "flyte_nb.jupyter"))}
