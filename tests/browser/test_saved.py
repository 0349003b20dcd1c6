"""A saved notebook where there is neither a kernel nor JupyterLab: converted to HTML, and on a code host."""

from __future__ import annotations

import os
import subprocess
import sys

import bleach
import nbformat
import pytest

pytestmark = pytest.mark.browser

_CELLS = (
    """\
%load_ext flyte_nb
import asyncio, flyte_nb as flyte
base = flyte.TaskEnvironment("base-utils", image="python:3.12-slim", description="shared helpers")
ml = flyte.TaskEnvironment("ml-training", depends_on=[base])
@base.task
async def load(path: str) -> int:
    print("reading", path)
    await asyncio.sleep(0.3)
    return len(path)
@ml.task
async def train(path: str) -> int:
    await load(path)
    raise ValueError("the loss is not finite")
""",
    "%flyte_graph",
    "%flyte_run train('samples.csv')",
    "deployment = %flyte_deploy",
    "plan = %flyte_plan",
    "%flyte_envs",
    "%flyte_runs",
)
# What a code host keeps of an output, in the strictest case: structure and pictures, no styles, classes or scripts.
_KEPT_TAGS = {
    *("div", "span", "p", "pre", "code", "b", "br", "table", "caption", "thead", "tbody", "tr", "th", "td"),
    *("details", "summary", "img", "ins", "del"),
}
_KEPT_ATTRIBUTES = {"img": ["alt", "src"], "td": ["colspan"], "details": ["open"]}


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """The notebook as `jupyter execute` leaves it; one of its runs fails."""
    folder = tmp_path_factory.mktemp("saved")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in _CELLS])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path = folder / "saved.ipynb"
    nbformat.write(notebook, path)
    command = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--inplace", "--allow-errors", path]
    own = {**os.environ, "FLYTE_NB_HOME": str(folder / "home")}
    done = subprocess.run(command, cwd=folder, env=own, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    return path


@pytest.fixture
def offline(page):
    """A page that can ask nobody: what it asks for is noted and refused."""
    asked = []

    def refuse(route):
        asked.append(route.request.url)
        route.abort()

    page.route(lambda url: not url.startswith(("data:", "file:", "about:")), refuse)
    page.asked = asked
    return page


def test_converted_to_html_it_is_read_offline(executed, offline, screenshot):
    """`jupyter nbconvert --to html` gives a page with every picture, tree and table, which nothing of ours asks for."""
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "--embed-images", executed]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    offline.goto(executed.with_suffix(".html").as_uri())
    pictures = offline.locator(".flyte-nb img")
    assert pictures.count() >= 3  # the graph, the deployment, the plan
    widths = pictures.evaluate_all("all => all.map((one) => one.naturalWidth)")
    assert all(width > 0 for width in widths)
    text = offline.locator("body").inner_text()
    for said in ("ValueError: the loss is not finite", "✗ failed", "✓ deployed", "shared helpers"):
        assert said in text
    assert offline.locator(".fnb-live").count() == 0
    ours = offline.locator(".flyte-nb").evaluate_all("all => all.map((one) => one.outerHTML).join('')")
    assert not [url for url in offline.asked if url in ours]
    screenshot("nbconvert", offline.locator("main"))


def test_on_a_code_host_structure_is_enough(executed, offline, screenshot):
    """Without styles, classes and scripts, the pictures, states, names, errors and order can still be told."""
    notebook = nbformat.read(executed, as_version=4)
    kept = []
    for cell in notebook.cells:
        for output in cell.outputs:
            html = output.get("data", {}).get("text/html")
            if html:
                kept.append(
                    bleach.clean(
                        html, _KEPT_TAGS, _KEPT_ATTRIBUTES, protocols=["data"], strip=True, strip_comments=True
                    )
                )
    assert len(kept) >= len(_CELLS) - 1
    offline.set_content("<hr>".join(kept))
    assert offline.asked == []
    widths = offline.locator("img").evaluate_all("all => all.map((one) => one.naturalWidth)")
    assert len(widths) >= 3
    assert all(width > 0 for width in widths)
    run = offline.locator("table", has_text="base-utils.load").first.inner_text()
    assert run.index("ml-training.train") < run.index("base-utils.load")
    assert "✗ failed ml-training.train" in run
    assert "\u00a0\u00a0✓ base-utils.load" in run  # below what called it
    assert "ValueError: the loss is not finite" in run
    screenshot("code-host")


def test_where_there_is_no_html_there_is_text(executed):
    """Terminals, logs and readers of the raw file have each output as text, states in words and marks."""
    notebook = nbformat.read(executed, as_version=4)
    texts = [
        "".join(output.get("data", {}).get("text/plain", "") for output in cell.outputs) for cell in notebook.cells
    ]
    graph, run, deployment, plan, environments, runs = texts[1:]
    assert [line.split() for line in graph.splitlines()[1:]] == [
        ["1", "base-utils", "✓", "deployed", "python:3.12-slim"],
        ["2", "ml-training", "✓", "deployed", "auto", "after", "base-utils"],
    ]
    assert "✗ ml-training.train" in run
    assert "ValueError: the loss is not finite" in run
    assert deployment.count("✓ deployed") == 2
    assert plan.count("= unchanged") == 2
    assert "shared helpers" in environments
    assert "1 failed" in runs
