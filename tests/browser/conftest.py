"""A real JupyterLab, a real Notebook 7 and a real Chromium, for what only a browser can tell."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .notebook import Notebook, close_notebooks
from .servers import PATIENCE, Lab, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Error, Locator, Page

_CHECKOUT = Path(__file__).parents[2]
_SCREENSHOTS = _CHECKOUT / "artefacts" / "screenshots"
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


def _chromium_path() -> str | None:
    named = os.environ.get("FLYTE_NB_CHROMIUM")
    return named or next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def _needs_chromium() -> None:
    if not _chromium_path():
        pytest.skip("needs Chromium: apt-get install chromium, or set FLYTE_NB_CHROMIUM to one")


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A JupyterLab of this environment."""
    _needs_chromium()
    pytest.importorskip("jupyterlab", reason="needs JupyterLab: pip install 'flyte_nb[test]'")
    home, root = tmp_path_factory.mktemp("jupyter"), tmp_path_factory.mktemp("notebooks")
    with serving("jupyterlab", "LabApp", "lab/tree", home, root) as running:
        yield running


@pytest.fixture(scope="session")
def notebook7(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A Notebook 7 of this environment."""
    _needs_chromium()
    pytest.importorskip("notebook", "7.0", reason="needs Notebook 7: pip install 'flyte_nb[test]'")
    home, root = tmp_path_factory.mktemp("jupyter"), tmp_path_factory.mktemp("notebooks")
    with serving("notebook", "JupyterNotebookApp", "notebooks", home, root) as running:
        yield running


@pytest.fixture(scope="module")  # while Playwright is open, no other test can run a loop of its own
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    _needs_chromium()
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install 'flyte_nb[test]'")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=_chromium_path(), args=_CHROMIUM_FLAGS)
        yield chromium
        chromium.close()


def _is_of_notebook7(error: Error) -> bool:
    """Say whether an error arose in Notebook 7 itself, which has one as it starts; our modules are blobs."""
    stack = error.stack or ""
    return "/static/notebook/notebook_core" in stack and "blob:" not in stack


@pytest.fixture(scope="module")
def window(browser: Browser) -> Iterator[Page]:
    """A page with a profile of its own. To load JupyterLab costs seconds, so the tests of a module share it."""
    context = browser.new_context()
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE * 1000)
    yield opened
    context.close()


@pytest.fixture
def page(window: Page) -> Iterator[Page]:
    """The page, as large as ever; an error in its scripts fails the test."""
    raised: list[str] = []

    def note(error: Error) -> None:
        if not _is_of_notebook7(error):
            raised.append(str(error))

    window.set_viewport_size({"width": 1280, "height": 900})
    window.emulate_media(reduced_motion="null", forced_colors="null", color_scheme="null")
    window.on("pageerror", note)
    yield window
    window.remove_listener("pageerror", note)
    assert raised == []


@pytest.fixture
def open_notebook(page: Page, lab: Lab) -> Iterator[Callable[..., Notebook]]:
    """Open a notebook of the lab's root by name; it is closed and its kernel ended with the test."""

    def opened(name: str, *, kernel: bool = True) -> Notebook:
        return Notebook(page, lab, name).open(kernel=kernel)

    yield opened
    close_notebooks(page)
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
