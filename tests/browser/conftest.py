"""A real JupyterLab and a real Chromium, for what only a browser can tell."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Locator, Page

_CHECKOUT = Path(__file__).parents[2]
_SCREENSHOTS = _CHECKOUT / "artefacts" / "screenshots"
_PATIENCE = 60.0  # seconds; a cold JupyterLab on a busy machine
_CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_QUIET = {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}


def _chromium_path() -> str | None:
    named = os.environ.get("FLYTE_NB_CHROMIUM")
    return named or next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab."""

    url: str
    token: str
    root: Path

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


def _command(port: int, token: str, root: Path) -> list[str]:
    flags = {
        "port": port,
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port_retries": 0,
        "ServerApp.root_dir": root,
        "ServerApp.terminals_enabled": False,
        "IdentityProvider.token": token,
        "LabApp.expose_app_in_browser": True,
    }
    options = [f"--{name}={value}" for name, value in flags.items()]
    return [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", *options]


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A JupyterLab of this environment, in a process group of its own, ended with it."""
    if not _chromium_path():
        pytest.skip("needs Chromium: apt-get install chromium, or set FLYTE_NB_CHROMIUM to one")
    pytest.importorskip("jupyterlab", reason="needs JupyterLab: pip install 'flyte_nb[test]'")
    home, root = tmp_path_factory.mktemp("jupyter"), tmp_path_factory.mktemp("notebooks")
    port, token = _free_port(), secrets.token_hex(16)
    running = Lab(f"http://127.0.0.1:{port}", token, root)
    with (home / "lab.log").open("wb") as log:
        server = subprocess.Popen(
            _command(port, token, root),
            env=_private_environment(home),
            cwd=root,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _await_server(running, server, home / "lab.log")
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
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and server.poll() is None:
        if _answers(running):
            return
        time.sleep(0.1)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")


def _end(server: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            server.wait(15)
        os.killpg(server.pid, signal.SIGKILL)  # whatever is left of the group
    server.wait(15)


@pytest.fixture(scope="module")  # while Playwright is open, no other test can run a loop of its own
def browser(lab: Lab) -> Iterator[Browser]:
    """A headless Chromium; asks for `lab` first, which skips when there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install 'flyte_nb[test]'")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=_chromium_path(), args=_CHROMIUM_FLAGS)
        yield chromium
        chromium.close()


class Notebook:
    """A notebook open in JupyterLab, driven as a person would."""

    def __init__(self, page: Page, lab: Lab, name: str) -> None:
        self.page, self.lab, self.name = page, lab, name

    def open(self, *, kernel: bool = True) -> Notebook:
        """Go to the notebook's page with a fresh workspace."""
        self.page.goto(f"{self.lab.url}/lab/tree/{self.name}?reset&token={self.lab.token}")
        return self.await_ready(kernel=kernel)

    def reload(self) -> Notebook:
        """Reload the page; the kernel keeps running."""
        self.page.reload()
        return self.await_ready()

    def await_ready(self, *, kernel: bool = True) -> Notebook:
        """Wait until the notebook shows and, unless told otherwise, its kernel is idle."""
        self.page.wait_for_selector(".jp-Notebook .jp-Cell")
        self.page.wait_for_function("window.jupyterapp?.shell.currentWidget?.sessionContext")
        if kernel:
            self.page.wait_for_function(
                """() => { const session = window.jupyterapp.shell.currentWidget.sessionContext;
                return session.isReady && session.session?.kernel?.connectionStatus === "connected"; }"""
            )
            self.await_idle()
        return self

    def await_idle(self) -> None:
        """Wait until no cell is running or queued and the kernel rests."""
        self.page.wait_for_function(
            """() => { const widget = window.jupyterapp.shell.currentWidget;
            const prompts = [...widget.node.querySelectorAll(".jp-InputPrompt")];
            return widget.sessionContext.session?.kernel?.status === "idle"
                && !prompts.some((prompt) => prompt.textContent.includes("[*]")); }""",
            polling=50,
        )

    def command(self, name: str, **arguments: Any) -> None:
        """Start a JupyterLab command without waiting for it: its promise may never settle."""
        self.page.evaluate(
            "([name, given]) => { window.jupyterapp.commands.execute(name, given).catch(console.error); }",
            [name, arguments],
        )

    def run_all(self) -> None:
        """Run every cell and wait for the last, which must be a code cell of the notebook that counts its runs."""
        last = """() => [...window.jupyterapp.shell.currentWidget.content.model.cells]
            .findLast((cell) => cell.type === "code").executionCount"""
        before = self.page.evaluate(last)
        self.command("notebook:run-all-cells")
        self.page.wait_for_function(
            f"(before) => {{ const now = ({last})(); return now && now !== before; }}", arg=before
        )
        self.await_idle()

    def start_cell(self, index: int) -> None:
        """Run a cell without waiting for its end."""
        self.page.evaluate(
            "(index) => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = index; }", index
        )
        self.command("notebook:run-cell")

    def run_cell(self, index: int) -> None:
        """Run one cell and wait for it."""
        before = self._executed()
        self.start_cell(index)
        self._await_executed(before)

    def _executed(self) -> int:
        return int(
            self.page.evaluate(
                """() => Math.max(0, ...[...window.jupyterapp.shell.currentWidget.content.model.cells]
                .map((cell) => cell.executionCount ?? 0))"""
            )
        )

    def _await_executed(self, before: int) -> None:
        self.page.wait_for_function(
            """(before) => [...window.jupyterapp.shell.currentWidget.content.model.cells]
            .some((cell) => (cell.executionCount ?? 0) > before)""",
            arg=before,
        )
        self.await_idle()

    def save(self) -> None:
        """Save and wait until it is on disk."""
        self.command("docmanager:save")
        self.page.wait_for_function("!window.jupyterapp.shell.currentWidget.context.model.dirty")

    def output(self, index: int) -> Locator:
        """Return the output area of a cell."""
        return self.page.locator(".jp-CodeCell").nth(index).locator(".jp-OutputArea").first

    def theme(self, name: str) -> None:
        """Change JupyterLab's theme, to "JupyterLab Light" or "JupyterLab Dark". It is remembered by the server."""
        self.command("apputils:change-theme", theme=name)
        light = "true" if name.endswith("Light") else "false"
        self.page.wait_for_selector(
            f'body[data-jp-theme-name="{name}"][data-jp-theme-light="{light}"]', state="attached"
        )
        self.page.wait_for_timeout(300)  # the style sheet follows the attribute


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page with a profile of its own; an error in its scripts fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    opened.set_default_timeout(_PATIENCE * 1000)
    raised: list[str] = []
    opened.on("pageerror", lambda error: raised.append(str(error)))
    yield opened
    context.close()
    assert raised == []


@pytest.fixture
def open_notebook(page: Page, lab: Lab) -> Iterator[Callable[..., Notebook]]:
    """Open a notebook of the lab's root by name; its kernel is ended with the test."""

    def opened(name: str, *, kernel: bool = True) -> Notebook:
        return Notebook(page, lab, name).open(kernel=kernel)

    yield opened
    page.goto("about:blank")
    lab.end_kernels()


@pytest.fixture
def open_gate(lab: Lab) -> Iterator[Callable[..., None]]:
    """A function that opens gates, files that slow code waits for, by their names; they are closed after the test."""
    gates: list[Path] = []

    def opened(*names: str) -> None:
        gates.extend(lab.root / name for name in names)
        for gate in gates:
            gate.touch()

    yield opened
    for gate in gates:
        gate.unlink(missing_ok=True)


@pytest.fixture
def screenshot(page: Page) -> Callable[..., Path]:
    """Save what is seen, or one part of it, as artefacts/screenshots/NAME.png."""

    def taken(name: str, part: Locator | None = None) -> Path:
        _SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        path = _SCREENSHOTS / f"{name}.png"
        (part or page).screenshot(path=path)
        return path

    return taken
