"""Running what is deployed with `--on local`, in real kernels and real worker processes."""

from __future__ import annotations

import os
import re
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import ipykernel
import psutil
import pytest

from .notebook import Notebook

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

TASKS = """
import asyncio, ctypes, os, time
prep = flyte.TaskEnvironment("prep")
ml = flyte.TaskEnvironment("ml-training", depends_on=[prep])

class TooFew(Exception):
    pass

@prep.task
async def load(n: int) -> list:
    print("loading", n)
    if n < 0:
        raise TooFew(f"only {n}")
    return list(range(n))

@prep.task
async def careful(n: int) -> list:
    try:
        return await load(n)
    except TooFew as error:
        raise RuntimeError("cannot load") from error

@ml.task
async def train(n: int) -> int:
    return sum(await careful(n))

@ml.task
async def process() -> int:
    return os.getpid()

@prep.task
async def process_of_prep() -> int:
    return os.getpid()

@ml.task
def steps(count: int) -> int:
    for step in range(count):
        print("step", step)
        time.sleep(0.25)
    return count

@prep.task
async def resting(seconds: float) -> str:
    print("running", flush=True)
    try:
        await asyncio.sleep(seconds)
    finally:
        print("cleaned up", flush=True)
    return "rested"

@ml.task
async def around(seconds: float) -> str:
    return await resting(seconds)

@ml.task
def deaf() -> None:
    print("running", flush=True)
    while True:
        try:
            time.sleep(100)
        except BaseException:
            pass

@prep.task
async def around_deaf() -> None:
    await deaf.aio()

@ml.task
def computing() -> None:
    print("running", flush=True)
    while True:
        pass

@ml.task
def crashing(how: str) -> None:
    os._exit(3) if how == "exit" else ctypes.string_at(0)

@prep.task
async def both() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(around(60))
        group.create_task(load(-1))
"""
# Where cells are awaited, and where they cannot be.
FORMS = ["result = %flyte_run {} --on local", "def f():\n    x = %flyte_run {} --on local\n    return x\nresult = f()"]


@pytest.fixture(scope="module")
def deployed(kernel: Notebook) -> Notebook:
    """The kernel with all of it deployed."""
    kernel.ok("%load_ext flyte_nb\nimport flyte_nb as flyte")
    kernel.ok(TASKS, "tasks")
    kernel.ok("%flyte_deploy")
    return kernel


def workers(notebook: Notebook) -> set[psutil.Process]:
    """Return the processes in which the tasks of a notebook run."""
    own = psutil.Process(notebook.value("os.getpid()"))
    return {child for child in own.children() if any("boot.py" in word for word in child.cmdline())}


@contextmanager
def ends_none(notebook: Notebook) -> Iterator[None]:
    """Check that what the body does is survived by every worker."""
    before = workers(notebook)
    yield
    assert before <= workers(notebook)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("train(4)", 6),
        ("asyncio.gather(train(2), load(2), train(4))", [1, [0, 1], 6]),
        ("flyte.map(train, range(4))", [0, 0, 1, 3]),
        ("steps(1)", 1),
        ("flyte.map(steps, [1, 2])", [1, 2]),
        ("train.override(retries=1)(4)", 6),
        ("[train(4)][0]", 6),
    ],
)
def test_everything_that_an_expression_calls_runs_there(
    deployed: Notebook, form: str, expression: str, value: object
) -> None:
    """Single calls, several at once, maps, and sync tasks; in cells that are awaited and in others."""
    deployed.ok(form.format(expression))
    assert deployed.value("result") == value


@pytest.mark.parametrize("form", FORMS)
def test_it_runs_in_another_process(deployed: Notebook, form: str) -> None:
    """The same one for all cells; inline, in the kernel."""
    deployed.ok(form.format("process()"))
    pid = deployed.value("result")
    assert pid in {worker.pid for worker in workers(deployed)}
    deployed.ok(form.format("process()"))
    assert deployed.value("result") == pid
    assert deployed.ok("%flyte_run process()").value == str(deployed.value("os.getpid()"))
    assert deployed.ok("%flyte_run process() --on inline").value == str(deployed.value("os.getpid()"))


def test_a_deployed_task_runs_there_without_being_told(deployed: Notebook) -> None:
    """It has no other place, whether it is run, awaited or called."""
    deployed.ok("task, sync = flyte.deployed('ml-training.train'), flyte.deployed('ml-training.steps')")
    assert deployed.ok("%flyte_run task(4)").value == "6"
    assert deployed.ok("%flyte_run sync(1)").value == "1"
    assert deployed.ok("await task(4), sync(1)").value == "(6, 1)"
    assert deployed.ok("[*(await flyte.map(task, [1, 4]))]").value == "[0, 6]"


@pytest.mark.parametrize("form", FORMS)
def test_a_sync_task_leaves_the_view_alive(deployed: Notebook, form: str) -> None:
    """The tree is brought up to date while it runs, and what it prints comes line by line."""
    result = deployed.ok(form.format("steps(6)"))
    assert any(update.startswith("►") and "lines" in update for update in result.updates)
    assert result.updates[-1].startswith("✓ ml-training.steps(count=6)")
    assert len([message for message in result.messages if message["msg_type"] == "stream"]) > 1


def test_what_tasks_print_is_under_the_cell_that_runs_them(deployed: Notebook) -> None:
    """Also that of several cells whose runs overlap; each call has its own in the log."""
    first = deployed.ok("going = asyncio.ensure_future(flyte.run(steps, 3, on='local'))\nawait asyncio.sleep(0.1)")
    second = deployed.ok("%flyte_run load(5) --on local")
    assert second.stdout == "loading 5\n"
    third = deployed.ok("log = (await going).logs")
    assert "loading" not in first.stdout + third.stdout
    assert deployed.value("[(line.task, line.text) for line in log]") == [
        ("ml-training.steps", f"step {step}") for step in range(3)
    ]
    assert "loading 5" in deployed.ok("%flyte_run load(5) --on local\n%flyte_logs").displays[-1]


@pytest.mark.skipif(ipykernel.version_info < (7,), reason="ipykernel 6 has no subshells")  # type: ignore[attr-defined]
def test_a_run_in_a_subshell_prints_there(deployed: Notebook) -> None:
    """While another run goes on in the main shell."""
    subshell = deployed.subshell()
    long = deployed.submit("%flyte_run steps(4) --on local")
    short = deployed.submit("%flyte_run load(7) --on local", subshell=subshell)
    other, one = deployed.results(short, long)  # in the order of their ends
    assert (one.status, other.status) == ("ok", "ok"), other.traceback
    assert (one.stdout, other.stdout) == ("step 0\nstep 1\nstep 2\nstep 3\n", "loading 7\n")


@pytest.mark.parametrize("form", FORMS)
def test_an_error_shows_the_code_of_every_task_it_came_through(deployed: Notebook, form: str) -> None:
    """One traceback, with its cause, in the user's own lines of both environments; nothing of how it got here."""
    result = deployed.run(form.format("train(-1)"))
    assert (result.ename, result.evalue) == ("RuntimeError", "cannot load")
    told = result.traceback
    for line in ("return sum(await careful(n))", 'raise RuntimeError("cannot load")', 'raise TooFew(f"only {n}")'):
        assert re.search(rf"-> \d+ +{re.escape(line)}", told), told
    assert "TooFew: only -1" in told
    assert "environments/ml_training.py (version " in told
    assert not any(inner in told for inner in ("flyte_nb/", "concurrent", "asyncio", "/code/"))
    assert "✗ prep.load(n=-1)" in result.updates[-1]


def test_the_kernel_has_the_types_of_its_own_errors(deployed: Notebook) -> None:
    """An exception class of the notebook is caught as what it is."""
    deployed.ok("try:\n    x = %flyte_run load(-2) --on local\nexcept TooFew as error:\n    x = str(error)")
    assert deployed.value("x") == "only -2"


def test_a_group_of_errors(deployed: Notebook) -> None:
    """It is shown with the user's lines; what is cancelled for it has ended before the run has."""
    if deployed.value("__import__('sys').version_info < (3, 11)"):
        pytest.skip("Python 3.10 has no groups")
    result = deployed.run("%flyte_run both() --on local")
    assert result.ename == "ExceptionGroup"
    assert "TooFew: only -1" in result.traceback
    assert "flyte_nb/" not in result.traceback
    assert "⊘ ml-training.around(seconds=60)" in result.updates[-1]


@pytest.mark.parametrize("form", [*FORMS, "result = await flyte.run({0!s}, on='local')"])
@pytest.mark.parametrize("call", ["resting(60)", "around(60)"])
def test_an_interrupt_stops_the_task_and_not_its_worker(deployed: Notebook, form: str, call: str) -> None:
    """Wherever it runs, its clean-up is complete and the tree has only calls that have ended; the next call works."""
    deployed.ok(FORMS[0].format("around(0)"))
    cell = form.format(call.replace("(", ", ").rstrip(")")) if "await" in form else form.format(call)
    with ends_none(deployed):
        result = deployed.interrupted(cell)
        assert result.ename in ("KeyboardInterrupt", "CancelledError")
        assert "concurrent" not in result.traceback
        assert "flyte_nb/" not in result.traceback
        assert "cleaned up" in result.stdout
        if "%flyte_run" in cell:
            assert "►" not in result.updates[-1]
        assert deployed.ok("%flyte_run train(4) --on local").value == "6"


@pytest.mark.parametrize(
    "cell", [*(form.format("computing()") for form in FORMS), "flyte.deployed('ml-training.computing')()"]
)
def test_an_interrupt_stops_code_that_computes(deployed: Notebook, cell: str) -> None:
    """Also where the cell itself waits for it; the process goes on."""
    deployed.ok(FORMS[0].format("steps(0)"))
    with ends_none(deployed):
        result = deployed.interrupted(cell)
        assert result.ename == "KeyboardInterrupt"
        assert "concurrent" not in result.traceback
        assert deployed.ok("%flyte_run steps(0) --on local").value == "0"


@pytest.mark.parametrize(
    "cell",
    [
        *(form.format(call) for form in FORMS for call in ("deaf()", "around_deaf()")),
        "flyte.deployed('ml-training.deaf')()",
    ],
)
def test_what_does_not_listen_is_killed(deployed: Notebook, cell: str) -> None:
    """With its process, which nobody else has; that of its caller stays, and the next call gets a new one."""
    deployed.ok(FORMS[0].format("asyncio.gather(steps.aio(0), process_of_prep())"))
    kept = {worker for worker in workers(deployed) if worker.pid == deployed.value("result[1]")}
    result = deployed.interrupted(cell)
    assert result.ename == "KeyboardInterrupt"
    if "around" in cell:
        assert "►" not in result.updates[-1]
    assert kept <= workers(deployed)
    assert deployed.ok("%flyte_run steps(0) --on local").value == "0"


@pytest.mark.skipif(ipykernel.version_info < (7,), reason="ipykernel 6 hears no button")  # type: ignore[attr-defined]
@pytest.mark.parametrize("call", ["around(60)", "computing()", "around_deaf()"])
def test_the_cancel_button_stops_it(deployed: Notebook, call: str) -> None:
    """As an interrupt does, and the cell ends with one line."""
    request = deployed.submit(f"%flyte_run {call} --on local")
    deployed.send_to_widget(deployed.widget_of(request, "_cancellable"), {"cancel": True})
    (result,) = deployed.results(request)
    assert (result.ename, result.evalue, result.traceback) == ("UsageError", "The run was cancelled.", "")
    assert "►" not in result.updates[-1]
    assert deployed.ok("%flyte_run train(4) --on local").value == "6"


@pytest.mark.parametrize(("how", "said"), [("exit", "ended with exit code 3"), ("segfault", "(SIGSEGV)")])
def test_a_crash_is_survived(deployed: Notebook, how: str, said: str) -> None:
    """It fails its task and nothing else; the next call gets a new process."""
    result = deployed.run(f"%flyte_run crashing('{how}') --on local")
    assert result.ename == "WorkerDiedError"
    assert said in result.evalue
    assert "flyte_nb/" not in result.traceback
    assert deployed.ok("%flyte_run steps(0) --on local").value == "0"


def test_a_memory_limit_is_kept_by_name(deployed: Notebook) -> None:
    """The task that exceeds what its environment declares fails, and says which and by how much."""
    deployed.ok(
        "small = flyte.TaskEnvironment('small', resources=flyte.Resources(memory='150Mi'))\n"
        "@small.task\ndef greedy(mebibytes: int) -> int:\n    return len(bytearray(mebibytes * 2**20))",
        "small",
    )
    deployed.ok("%flyte_deploy small")
    result = deployed.run("%flyte_run greedy(400) --on local")
    assert result.ename == "TaskMemoryError"
    assert "of the 150 MiB that 'small' declares" in result.evalue
    assert deployed.ok("%flyte_run greedy(1) --on local").value == str(2**20)


@pytest.fixture
def redefined(deployed: Notebook) -> Iterator[Notebook]:
    """What was deployed with another definition of `prep` in the notebook."""
    deployed.ok(TASKS.replace("list(range(n))", "list(range(n + 1))"), "tasks")
    yield deployed
    deployed.ok(TASKS, "tasks")


@pytest.mark.parametrize("form", FORMS)
def test_a_version_that_is_not_the_notebooks_is_told(redefined: Notebook, form: str) -> None:
    """In one line above the tree: which, the version that runs, and how to deploy what is defined now."""
    result = redefined.ok(form.format("train(4)"))
    version = redefined.value("flyte.deployed('prep.load').version.fingerprint[:12]")
    notice = f"prep has changed since it was deployed (version {version} runs): %flyte_deploy prep\n"
    assert result.stdout == f"{notice}loading 4\n"
    assert redefined.value("result") == 6
    assert next(m["msg_type"] for m in result.messages if m["msg_type"] in ("stream", "display_data")) == "stream"
    for cell in (
        "%flyte_run train(4)",
        "await flyte.run(train, 4, on='local')",
        "await flyte.deployed('prep.load')(1)",
    ):
        assert "has changed" not in redefined.ok(cell).everything


def test_several_versions_are_told_in_one_line(redefined: Notebook) -> None:
    """With one command for all of them; a definition that cannot be deployed does not keep the run from running."""
    redefined.ok("handle = open(os.devnull)")
    redefined.ok(TASKS.replace("list(range(n))", "[handle]").replace("sum(await", "1 + sum(await"), "tasks")
    result = redefined.ok("%flyte_run train(4) --on local")
    notice, output = result.stdout.splitlines()
    assert notice.startswith("These have changed since they were deployed: ml-training (version ")
    assert notice.endswith("Deploy them: %flyte_deploy ml-training prep")
    assert (output, result.value) == ("loading 4", "6")


def test_the_history_has_it_and_loses_it_with_its_kernel(deployed: Notebook, home: Path, tmp_path: Path) -> None:
    """Runs are recorded like inline ones; when a kernel is killed, its run is lost and its workers are gone."""
    settings = {"FLYTE_NB_HOME": str(home), "IPYTHONDIR": str(tmp_path / "ipython"), "NO_COLOR": "1"}
    other = Notebook(tmp_path, {**os.environ, **settings})
    try:
        other.ok("%load_ext flyte_nb\nimport os, flyte_nb as flyte\nrest = flyte.deployed('ml-training.around')")
        request = other.submit("%flyte_run rest(60)")
        other.wait_for(request, "running")
        own = psutil.Process(other.pid)
        left = own.children(recursive=True)
        assert len(left) >= 2
        assert "► running" in deployed.ok("%flyte_runs --limit 1").displays[0]
        other.kill()
        assert psutil.wait_procs(left, timeout=10)[1] == []
    finally:
        other.close()
    deadline = time.monotonic() + 10
    while "∅ lost" not in (shown := deployed.ok("%flyte_runs --limit 1").displays[0]):
        assert time.monotonic() < deadline, shown
    assert "ml-training.around" in shown
