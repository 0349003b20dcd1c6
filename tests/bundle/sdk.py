"""The real SDK in a process of its own, where it is installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

needs_sdk = pytest.mark.skipif(find_spec("flyte") is None, reason="the Flyte SDK is not installed: pip install flyte")

# Reads [[imports, environment, task], ...] and prints what the SDK made of each.
_DESCRIBE = """
import json, os, sys
from dataclasses import asdict
import flyte
from flyte._cache.cache import Cache
from flyte._secret import secrets_from_request
from flyte._timeout import timeout_from_request

def cache(value):
    value = Cache(value) if isinstance(value, str) else value
    age = None if value.max_age is None else value.max_age.total_seconds()
    return [value.behavior, value.version_override, list(value._ignored_inputs), value.salt, age]

def seconds(value):
    return value.total_seconds() if hasattr(value, "total_seconds") else value

def image(value):
    if isinstance(value, str):
        return value
    layers = [layer for layer in value._layers if type(layer).__name__ in ("PipPackages", "Env")]
    packages = [name for layer in layers if type(layer).__name__ == "PipPackages" for name in layer.packages]
    variables = [list(pair) for layer in layers if type(layer).__name__ == "Env" for pair in layer.env_vars]
    # The Debian image has layers and variables of its own.
    debian = value.name == "flyte"
    python = list(value.python_version) if debian else None
    variables = [pair for pair in variables if pair[0].startswith("V")]
    return [None if debian else value.base_image, python, packages, variables]

def describe(imports, environment, task):
    names = {"flyte": flyte}
    exec("\\n".join([*imports, environment, task, "def f(x: int = 0) -> int:", '    "Doc."', "    return x"]), names)
    env, f = names["env"], names["f"]
    timeout = timeout_from_request(f.timeout)
    secrets = secrets_from_request(env.secrets) if env.secrets else []
    retries = f.retries if hasattr(f.retries, "count") else flyte.RetryStrategy(f.retries)
    return {
        "name": env.name, "image": image(env.image), "description": env.description, "env_vars": env.env_vars or {},
        "resources": asdict(env.resources) if env.resources else None, "interruptible": env.interruptible,
        "secrets": [[s.key, s.group, str(s.mount) if s.mount else None, s.as_env_var] for s in secrets],
        "cache": cache(env.cache), "queue": env.queue, "task": f.name, "short_name": f.short_name,
        "task_cache": cache(f.cache), "docs": f.docs.description if f.docs else f.func.__doc__,
        "timeout": [seconds(timeout.max_runtime), seconds(timeout.max_queued_time), seconds(timeout.deadline)],
        "retries": [retries.count, retries.backoff and
                    [seconds(retries.backoff.base), retries.backoff.factor, seconds(retries.backoff.cap)]],
    }

print(json.dumps([describe(*declared) for declared in json.load(sys.stdin)]))
"""


def quiet(folder: Path) -> dict[str, str]:
    """Return an environment in which the SDK reports to nobody, and writes into `folder`."""
    return {**os.environ, "DO_NOT_TRACK": "1", "HOME": str(folder), "TMPDIR": str(folder), "NO_COLOR": "1"}


def described(declared: list[tuple[list[str], str, str]], folder: Path, variables: dict[str, str]) -> Any:
    """Return what the SDK makes of imports, an environment's declaration and a task's decorator, as JSON."""
    done = subprocess.run(
        [sys.executable, "-c", _DESCRIBE],
        input=json.dumps(declared),
        env={**quiet(folder), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
