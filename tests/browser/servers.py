"""Real servers of notebooks, for what only a browser can tell."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 60.0  # seconds; a cold JupyterLab on a busy machine
# Runs a module as `python -m` does, and ends it with whoever holds the other end of its input: it outlives no tests.
_OUTLIVING_NOBODY = """
import os, runpy, signal, sys, threading
def follow(pipe):
    pipe.read()
    os.killpg(0, signal.SIGTERM)
threading.Thread(target=follow, args=(os.fdopen(os.dup(0), "rb"),), daemon=True).start()
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""
# Every page would have the server start node to see whether JupyterLab is to be built anew.
_NO_BUILD = {"buildAvailable": False, "buildCheck": False}
_QUIET = {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab, or another front end.

    Attributes:
        url: Where it listens.
        token: What lets one in.
        root: The folder of its notebooks.
        pages: Where a page for a notebook is, below `url`.
    """

    url: str
    token: str
    root: Path
    pages: str

    def api(self, path: str, method: str = "GET") -> Any:
        """Ask the server's REST interface."""
        request = urllib.request.Request(  # noqa: S310
            f"{self.url}/api/{path}", method=method, headers={"Authorization": f"token {self.token}"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            body = answer.read()
        return json.loads(body) if body else None

    def write(self, name: str, *cells: str) -> str:
        """Write a notebook of code cells; returns `name`."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, self.root / name)
        return name

    def read(self, name: str) -> Any:
        """Return the notebook as it is saved."""
        return nbformat.read(self.root / name, as_version=4)

    def end_kernels(self) -> None:
        """Shut every kernel down."""
        for session in self.api("sessions"):
            try:
                self.api(f"sessions/{session['id']}", "DELETE")
            except urllib.error.HTTPError:  # its kernel is being restarted
                time.sleep(2)
                self.api(f"sessions/{session['id']}", "DELETE")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _private_environment(home: Path) -> dict[str, str]:
    """Return variables that keep this server and its kernels away from the user's settings."""
    places = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
        "XDG_DATA_HOME": "xdg-data",
        "XDG_CACHE_HOME": "xdg-cache",
        "XDG_STATE_HOME": "xdg-state",
    }
    settings = home / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(_QUIET))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, **{name: str(home / place) for name, place in places.items()}}


def _command(module: str, app: str, port: int, token: str, root: Path) -> list[str]:
    flags = {
        "port": port,
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port_retries": 0,
        "ServerApp.root_dir": root,
        "ServerApp.terminals_enabled": False,
        "IdentityProvider.token": token,
        f"{app}.expose_app_in_browser": True,
        "ServerApp.tornado_settings": {"page_config_data": _NO_BUILD},
    }
    options = [f"--{name}={value}" for name, value in flags.items()]
    return [sys.executable, "-c", _OUTLIVING_NOBODY, module, "--no-browser", "--allow-root", *options]


@contextmanager
def serving(module: str, app: str, pages: str, home: Path, root: Path) -> Iterator[Lab]:
    """Run a front end of this environment in a process group of its own, which ends with the body.

    Args:
        module: What `python -m` starts.
        app: The name of its configuration.
        pages: Where a page for a notebook is.
        home: A folder for its settings.
        root: The folder of its notebooks.
    """
    port, token = _free_port(), secrets.token_hex(16)
    running = Lab(f"http://127.0.0.1:{port}", token, root, pages)
    with (home / "server.log").open("wb") as log:
        server = subprocess.Popen(
            _command(module, app, port, token, root),
            env=_private_environment(home),
            cwd=root,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _await_server(running, server, home / "server.log")
            yield running
        finally:
            _end(server)


def _answers(running: Lab) -> bool:
    try:
        running.api("status")
    except OSError:
        return False
    return True


def _await_server(running: Lab, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and server.poll() is None:
        if _answers(running):
            return
        time.sleep(0.1)
    pytest.fail(f"the server did not start:\n{log.read_text()[-2000:]}")


def _end(server: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            server.wait(15)
        os.killpg(server.pid, signal.SIGKILL)  # whatever is left of the group
    server.communicate(timeout=15)  # closes its input
