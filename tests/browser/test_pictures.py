"""The pictures of the README: what it shows is what there is. FLYTE_NB_DOCS=1 puts them into docs/."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from tests.bare_target import BARE_TARGET

from .notebook import Notebook

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install 'flyte_nb[test]'")

pytestmark = pytest.mark.browser

_DOCS = Path(__file__).parents[2] / "docs"
_THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
_WIDTH = 1180  # of the window: what is shown fits the column of a README

_DEFINE = (
    BARE_TARGET
    + """\
%load_ext flyte_nb
import asyncio, pathlib, flyte_nb as flyte
from flyte_nb.session import session
flyte.reset()
base = flyte.TaskEnvironment("base-utils", image="python:3.12-slim", description="what all of them share")
ml = flyte.TaskEnvironment("ml-training", image="pytorch:latest", depends_on=[base])
features = flyte.TaskEnvironment("features", image="polars:1.9", depends_on=[base])
api = flyte.TaskEnvironment("api", image="fastapi:latest", depends_on=[ml])
batch = flyte.TaskEnvironment("batch-scoring", image="pytorch:latest", depends_on=[ml, features])
class Slow(BareTarget):
    name = "cluster"
    async def deploy_environment(self, bundle, log):
        log(f"building the image of {bundle.name}")
        await asyncio.sleep(1.2 if bundle.name == "base-utils" else 0.7)
        if bundle.name == "features":
            raise RuntimeError("polars:1.9 is not in the registry")
        while bundle.name == "ml-training" and not pathlib.Path("deployed").exists():
            await asyncio.sleep(0.02)
session()._targets["cluster"] = Slow
@base.task
async def load_config() -> dict:
    await asyncio.sleep(0.3)
    return {"lr": 0.1}
@features.task
async def read(path: str) -> int:
    print("reading", path)
    await asyncio.sleep(0.5)
    return 10_000
@ml.task(retries=1)
async def train_model(lr: float) -> float:
    for epoch in range(1, 20):
        print(f"epoch {epoch:2}  loss {0.9 / epoch:.4f}")
        await asyncio.sleep(0.05)
    if lr > 0.5:
        raise ValueError("the loss is not finite: lower the learning rate")
    while not pathlib.Path("trained").exists():
        await asyncio.sleep(0.02)
    return lr
@batch.task
async def score(sample: int) -> int:
    await asyncio.sleep(0.4 + sample % 977 / 1000)
    if sample % 4321 == 17:
        raise RuntimeError(f"sample {sample} is corrupt")
    return sample
@api.task
async def ml_pipeline(path: str) -> int:
    config, samples = await asyncio.gather(load_config(), read(path))
    scores = await asyncio.gather(*[score(n) for n in range(samples)], return_exceptions=True)
    await asyncio.gather(*[train_model(lr) for lr in (0.1, 0.3, 0.9)], return_exceptions=True)
    return len(scores)
"""
)
_SHOWN = ("%flyte_graph", "%flyte_run ml_pipeline('s3://bucket/samples')", "%flyte_deploy --target cluster")


@pytest.fixture
def sharp(browser, lab):
    """A page in which a pixel of a picture is less than one of the layout."""
    context = browser.new_context(viewport={"width": _WIDTH, "height": 1000}, device_scale_factor=1.5)
    page = context.new_page()
    page.set_default_timeout(60_000)
    yield page
    page.goto("about:blank")
    context.close()
    lab.end_kernels()


@pytest.fixture
def pictured(request, screenshot, page, sharp):
    """Take a picture of a view in each theme."""
    del page

    def taken(notebook, name, view):
        for theme, full in _THEMES.items():
            notebook.theme(full)
            sharp.mouse.move(0, 0)
            path = _patiently(lambda: screenshot(f"readme_{name}_{theme}", sharp.locator(view)))  # noqa: B023
            assert path.stat().st_size < 200_000
            if os.environ.get("FLYTE_NB_DOCS"):
                shutil.copy(path, _DOCS / f"{name}-{theme}.png")
        notebook.theme(_THEMES["light"])

    return taken


def _patiently(take):
    """Take a picture of what is drawn anew now and then."""
    for _ in range(8):
        with suppress(sync_api.Error):
            return take()
    return take()


def test_the_pictures_of_the_readme(lab, sharp, pictured, open_gate):
    """A graph, a run in which little has failed of much, and a deployment that goes on, light and dark."""
    notebook = Notebook(sharp, lab, lab.write("readme.ipynb", _DEFINE, *_SHOWN)).open()
    notebook.run_cell(0)
    notebook.run_cell(1)
    pictured(notebook, "graph", ".fnb-pictured:not(.fnb-deployment)")
    notebook.start_cell(2)
    sharp.locator(".fnb-row[data-state='failed']", has_text="train_model").wait_for()
    pictured(notebook, "run", ".fnb-run")
    open_gate("trained")
    notebook.await_idle()
    notebook.start_cell(3)
    sharp.locator(".fnb-node[data-name='features'][data-state='failed']").wait_for()
    pictured(notebook, "deployment", ".fnb-deployment")
    open_gate("deployed")
    notebook.await_idle()


def test_the_readme_shows_pictures_that_exist():
    """Each is there for light and for dark."""
    readme = (_DOCS.parent / "README.md").read_text(encoding="utf-8")
    for name in ("graph", "run", "deployment"):
        for theme in _THEMES:
            assert f"docs/{name}-{theme}.png" in readme
            assert (_DOCS / f"{name}-{theme}.png").is_file()
