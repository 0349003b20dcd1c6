"""A notebook open in a browser, driven as a person would."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import nbformat

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator, Page

    from .servers import Lab


_IS_PLAIN_LAB = """() => window.jupyterapp?.commands.hasCommand("docmanager:open")
    && performance.getEntriesByType("navigation")[0].type !== "reload" && !document.querySelector(".jp-Dialog")"""


def close_notebooks(page: Page) -> None:
    """Close what is open in JupyterLab without saving it.

    A page is left that is another, that asks something, or that was reloaded: it may still be opening what it had.
    """
    if page.evaluate(_IS_PLAIN_LAB):
        page.evaluate("[...jupyterapp.shell.widgets('main')].forEach((widget) => widget.dispose())")
    else:
        page.goto("about:blank")


class Notebook:
    """A notebook open in JupyterLab or Notebook 7, driven as a person would."""

    def __init__(self, page: Page, lab: Lab, name: str) -> None:
        self.page, self.lab, self.name = page, lab, name

    def open(self, *, kernel: bool = True) -> Notebook:
        """Open the notebook where JupyterLab is open, or else go to its page with a fresh workspace."""
        if self.page.url.startswith(f"{self.lab.url}/lab"):
            self.command("docmanager:open", path=self.name)
            self.page.wait_for_function(
                "path => window.jupyterapp.shell.currentWidget?.context?.path === path", arg=self.name
            )
        else:
            self.page.goto(f"{self.lab.url}/{self.lab.pages}/{self.name}?reset&token={self.lab.token}")
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

    def restart(self) -> None:
        """Restart the kernel, and confirm it, without waiting for it."""
        self.command("kernelmenu:restart")
        self.page.get_by_role("button", name="Confirm Kernel Restart").click()

    def await_new_place(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Wait until the output of the first live view is updated, so that the view has another place in the page."""
        self.page.evaluate("document.querySelector('.fnb-live').parentElement.marked = true")
        meanwhile()
        self.page.wait_for_function(
            "() => { const view = document.querySelector('.fnb-live'); return view && !view.parentElement.marked; }"
        )

    def open_as_received(self) -> Any:
        """Save, and open it as somebody who got it would: untrusted, and with no kernel. Returns what was saved."""
        self.save()
        saved = self.lab.read(self.name)
        self.lab.end_kernels()
        received = copy.deepcopy(saved)
        received.metadata = {"kernelspec": {"name": "gone", "display_name": "Gone", "language": "gone"}}
        nbformat.write(received, self.lab.root / "received.ipynb")
        self.page.goto(f"{self.lab.url}/{self.lab.pages}/received.ipynb?reset&token={self.lab.token}")
        self.page.locator(".jp-Dialog").get_by_role("button", name="No Kernel").click()
        trusted = """() => jupyterapp.shell.currentWidget.content.widgets.filter(({ model }) => model.outputs?.length)
            .map(({ model }) => model.trusted)"""
        shown = self.page.evaluate(trusted)
        assert shown
        assert not any(shown)
        return saved

    def row(self, text: str, index: int = 0) -> Locator:
        """Return one of the rows of runs that have this text."""
        return self.page.locator(".fnb-run .fnb-row", has_text=text).nth(index)

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
