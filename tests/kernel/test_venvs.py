"""Deploying environments with packages in a real kernel: what is seen of the builds, and how they are stopped."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import ipykernel
import pytest

from tests.venvs.test_building import processes_with
from tests.venvs.wheels import make_slow_source, make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from .notebook import Notebook

CELL = "%%flyte_env {name} --image one:1 --pip {package}\n@env.task\nasync def {name}_task() -> int:\n    return 1\n"


hears_pages = pytest.mark.skipif(
    ipykernel.version_info < (7,),  # type: ignore[attr-defined]
    reason="ipykernel 6 hears the page only when the cell has ended",
)


@pytest.fixture
def homely(notebook: Notebook, tmp_path: Path) -> Notebook:
    """The kernel with a home of its own."""
    notebook.ok(f"%config FlyteNB.home = {str(tmp_path / 'home')!r}")
    return notebook


@hears_pages
def test_the_lines_of_a_build_are_those_of_the_environment(homely: Notebook, tmp_path: Path) -> None:
    """They are seen while it goes on, and stay with the deployment."""
    wheel = make_wheel(tmp_path, "alpha", files={"alpha.py": "import time; time.sleep(2)"})
    homely.ok(CELL.format(name="ml", package=wheel))
    request = homely.submit("%flyte_deploy")
    comm = homely.widget_of(request, "_facts")
    homely.send_to_widget(comm, {"chosen": {"_selected": "n0"}})
    (result,) = homely.results(request)
    messages = [*result.messages, *homely.late]
    data = [message["content"]["data"] for message in messages if message["msg_type"] == "comm_msg"]
    tails = [content["content"]["tail"]["lines"] for content in data if "tail" in content.get("content", {})]
    said = ["\n".join(text for _, text in tail) for tail in tails]
    assert any("installed alpha 1.0" in text and "built in" not in text for text in said)
    assert "1 deployed" in result.updates[-1]
    lines = homely.value("[line.text for line in flyte.deployments(limit=1)[0].logs]")
    assert any(line.startswith("building a virtual environment: python ") for line in lines)
    assert lines[-1].startswith("recorded version ")


def test_what_cannot_be_built_is_one_line(homely: Notebook) -> None:
    """The environment fails, and what depends on it is not deployed."""
    homely.ok(CELL.format(name="bad", package="/nowhere/alpha-1.0-py3-none-any.whl"))
    homely.ok("flyte.TaskEnvironment('api', depends_on=['bad'])")
    error = homely.run("%flyte_deploy")
    assert error.ename == "UsageError"
    assert error.evalue.startswith("'bad' failed: VenvError: The virtual environment with python ")
    assert "1 failed, 1 skipped" in error.updates[-1]


@pytest.mark.parametrize("code", ["{}", "def f():\n    {}\nf()"])
def test_an_interrupt_ends_the_build(homely: Notebook, tmp_path: Path, code: str) -> None:
    """The installer ends with all it has started, nothing is left, and the next cell works; also in a thread's loop."""
    begun = tmp_path / "begun"
    source = make_slow_source(tmp_path / "slow", begun)
    homely.ok(CELL.format(name="slow", package=source))
    request = homely.submit(code.format("%flyte_deploy"))
    for _ in range(3_000):
        time.sleep(0.01)
        if begun.exists():
            break
    assert processes_with(str(tmp_path / "home"))
    homely.interrupt()
    (result,) = homely.results(request)
    assert result.ename == "KeyboardInterrupt"
    assert "1 cancelled" in result.updates[-1]
    assert not processes_with(str(tmp_path / "home"))
    assert not list((tmp_path / "home" / "venvs" / "aside").iterdir())
    assert homely.ok("await asyncio.sleep(0, 'next')").value == "'next'"


def test_the_kernel_answers_while_it_builds(homely: Notebook, tmp_path: Path) -> None:
    """The loop goes on: nothing of the build blocks it."""
    wheel = make_wheel(tmp_path, "alpha", files={"alpha.py": "import time; time.sleep(1)"})
    homely.ok(CELL.format(name="ml", package=wheel))
    homely.ok(
        "turns = 0\nasync def turning():\n    global turns\n    while True:\n"
        "        turns += 1\n        await asyncio.sleep(0.01)\n"
        "task = asyncio.ensure_future(turning())\nawait flyte.deploy()\ntask.cancel()"
    )
    assert homely.value("turns") > 50


def test_how_long_they_are_kept_is_a_setting(homely: Notebook) -> None:
    """In days, with help."""
    homely.ok("%config FlyteNB.keep_venvs = 0.5")
    assert homely.value("__import__('flyte_nb').session.session().settings.keep_venvs") == 0.5
    assert "virtual environment is kept" in homely.ok("%config FlyteNB").stdout
    homely.ok("%config FlyteNB.keep_venvs = 7.0")
