"""From a session to a project and back: the same files, and a project that needs nothing of flyte_nb."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

import flyte_nb
from flyte_nb.bundle.declarations import environment_declaration
from flyte_nb.project.folder import export
from flyte_nb.session import session

from .made import made_project

if TYPE_CHECKING:
    from pathlib import Path

needs_ruff = pytest.mark.skipif(find_spec("ruff") is None, reason="ruff is not installed")
needs_sdk = pytest.mark.skipif(find_spec("flyte") is None, reason="the Flyte SDK is not installed: pip install flyte")

SOURCE = '''
from datetime import timedelta
import flyte_nb as flyte
import helpers

base = flyte.TaskEnvironment("base-utils", image="python:3.12-slim", env_vars={"API_KEY": "hunter2", "LEVEL": "info"},
                             resources=flyte.Resources(cpu=1, memory="2Gi"), description="shared 'helpers'")
ml = flyte.TaskEnvironment(
    "ml-training",
    image=flyte.Image.from_base("pytorch:latest").with_pip_packages("pandas").with_requirements("req.txt"),
    depends_on=[base], cache="auto", secrets=["token", flyte.Secret("k", mount="/etc/flyte/secrets")],
    flyte_options={"queue": "gpu"},
)
api = ml.clone_with("api", depends_on=[ml, base])


@base.task
async def load_config(lr: int = 1) -> dict:
    """Return the configuration."""
    # A comment that stays.
    return {"lr": helpers.scale(lr)}


@base.task(retries=2, timeout=timedelta(minutes=1.5), description="all of it")
async def ml_pipeline(epochs: int = 3) -> str:
    from environments.ml_training import train_model

    return await train_model(await load_config(), epochs)


@ml.task(retries=flyte.RetryStrategy(1, flyte.Backoff(1, 2, 30)), cache="disable")
async def train_model(config: dict, epochs: int) -> str:
    return f"{config} {epochs}"
'''
HELPERS = {"helpers.py": "def scale(x):\n    return 2 * x\n"}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An exported project, and a session that has forgotten all of it."""
    work = tmp_path / "work"
    work.mkdir()
    for name, text in {**HELPERS, "req.txt": "numpy\n", "notebook_source.py": SOURCE}.items():
        (work / name).write_text(text)
    monkeypatch.chdir(work)
    monkeypatch.setenv("API_KEY", "hunter2")
    flyte_nb.adopt("notebook_source.py")
    export(tmp_path / "demo", made_project("demo", "import helpers", HELPERS))
    flyte_nb.reset()
    for name in ("notebook_source", "helpers"):
        sys.modules.pop(name, None)
    if str(work) in sys.path:
        sys.path.remove(str(work))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "demo"


def in_a_process(code: str, project: Path, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path[:0] = ['.', *{sys.path!r}]\n{code}"],
        cwd=project,
        env={"DO_NOT_TRACK": "1", "HOME": str(project.parent), "PATH": "/usr/bin:/bin", **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def test_exporting_what_was_adopted_gives_the_same_files(project: Path) -> None:
    """Exported, adopted into an empty session and exported again: not a byte differs."""
    flyte_nb.adopt(project)
    assert flyte_nb.deployment_order() == ["base-utils", "ml-training", "api"]
    again = export(project, made_project("demo", "import helpers", HELPERS))
    assert (again.written, again.removed) == ((), ())


async def _run(name: str) -> object:
    environment = name.partition(".")[0]
    return (await flyte_nb.run(session().registry.tasks(environment)[name])).result


def test_adopted_projects_run(project: Path) -> None:
    """Tasks of an adopted project call each other across its modules, and those of the user."""
    import asyncio

    flyte_nb.adopt(project)
    assert asyncio.run(_run("base-utils.ml_pipeline")) == "{'lr': 2} 3"


@needs_ruff
def test_formatting_changes_no_declaration(project: Path) -> None:
    """The declarations of an exported project are as ruff formats them."""
    modules = (project / "environments").glob("*.py")
    declarations = [path.read_text().partition("env = ")[2].partition("\n\n\n")[0].strip() for path in modules]
    source = "\n".join(f"env = {text}" for text in declarations if text) + "\n"
    ruff = [sys.executable, "-m", "ruff", "format", "--isolated", "-"]
    assert subprocess.run(ruff, input=source, capture_output=True, text=True, check=True).stdout == source


# Stands in for the SDK where it is not installed: enough of it to import a project.
_ANY_FLYTE = """
class _Any:
    def __call__(self, *args, **keywords): return args[0] if args and callable(args[0]) else self
    def __getattr__(self, name): return self
import sys; sys.modules["flyte"] = _Any()
"""


def test_a_project_needs_no_flyte_nb(project: Path) -> None:
    """All modules of a project can be imported where flyte_nb cannot."""
    code = "import sys; sys.modules['flyte_nb'] = None\nfrom environments import *\nprint(base_utils.load_config)"
    assert "load_config" in in_a_process(_ANY_FLYTE + code, project)


@needs_sdk
def test_the_sdk_imports_a_project(project: Path) -> None:
    """The real SDK makes the environments, with their dependencies, of it; unset variables do not stop it."""
    code = "import sys; sys.modules['flyte_nb'] = None\nfrom environments import api\n"
    code += "print(api.env.name, [e.name for e in api.env.depends_on], api.env.depends_on[0].queue)"
    assert in_a_process(code, project) == "api ['ml-training', 'base-utils'] gpu\n"


_MODULE_WITH_THE_SDK = """
import flyte.io
import flyte.io, os.path

env = flyte.TaskEnvironment(name="reused", reusable=flyte.ReusePolicy(replicas=2, idle_ttl=60), service_account="me")
kind = flyte.io.File
"""
_ADOPT_WITH_THE_SDK = """
import flyte
before = flyte
import flyte_nb
from flyte_nb.bundle.declarations import environment_declaration
from flyte_nb.session import session
flyte_nb.adopt("with_sdk.py")
print(environment_declaration(session().registry.require("reused"), {}).text)
import flyte, flyte.io, sys
assert flyte is before and flyte.TaskEnvironment is not flyte_nb.TaskEnvironment
assert sys.modules["with_sdk"].kind is flyte.io.File
assert not flyte._environment.list_loaded_environments()
"""


@needs_sdk
def test_objects_of_the_sdk_are_kept(project: Path) -> None:
    """What only the SDK has is kept as an option, and written again; the SDK itself hears nothing of it."""
    (project / "with_sdk.py").write_text(_MODULE_WITH_THE_SDK)
    text = in_a_process(_ADOPT_WITH_THE_SDK, project, FLYTE_NB_HOME=str(project.parent / "home"))
    assert "reusable=flyte.ReusePolicy(" in text
    assert 'service_account="me"' in text


RICH = """
import flyte
from flyte import FixedRate, Trigger
from datetime import timedelta
from pathlib import Path

base = flyte.TaskEnvironment("base", image=flyte.Image.from_dockerfile(Path("/x/Dockerfile"), registry="r", name="n"))
ml = flyte.TaskEnvironment(
    "ml",
    image=flyte.Image.from_debian_base((3, 12), install_flyte=False, registry="r.io/x", name="mine")
    .with_apt_packages("git", "curl", secret_mounts=[flyte.Secret("k"), flyte.Secret("a", mount="/etc/flyte/secrets")])
    .with_pip_packages("pandas", index_url="https://index.example", pre=True)
    .clone(registry="other", platform=("linux/arm64",))
    .with_env_vars({"A": "1"})
    .with_commands(["echo 1"]),
    resources=flyte.Resources(cpu=1, gpu=flyte.GPU("A100", 2, partition="1g.5gb")),
    cache=flyte.Cache("auto", serialize=True),
    reusable=flyte.ReusePolicy(replicas=(1, 2), idle_ttl=timedelta(minutes=5)),
    pod_template=flyte.PodTemplate(labels={"a": "b"}),
    depends_on=[base],
)
other = ml.clone_with("other", image=flyte.Image.from_debian_base().with_pip_packages("a").with_pip_packages("b"))
plain = ml.clone_with("plain", image="python:3.12", cache="auto", resources=flyte.Resources(gpu=1))


@ml.task(
    cache=flyte.Cache("override", version_override="1", serialize=True),
    triggers=(
        Trigger("nightly", flyte.Cron("0 2 * * *"), inputs={"n": flyte.TriggerTime}),
        Trigger("often", FixedRate(30), inputs={"n": 1}),
    ),
    report=True,
)
async def f(n: int = 1) -> int:
    return n
"""
_TEXTS = """
import flyte_nb, sys
{first}
from flyte_nb.session import session
from flyte_nb.bundle.declarations import environment_declaration, task_decorator
flyte_nb.adopt("with_more.py")
registry = session().registry
lines, tasks = ["import flyte"], []
for name in registry.names():
    declared = [environment_declaration(registry.require(name), {{}}, name)]
    declared += [task_decorator(task, name) for task in registry.tasks(name).values()]
    assert not any(each.unwritten for each in declared), declared
    lines += [line for each in declared for line in each.imports] + [each.text for each in declared]
    lines += ["async def f(n: int = 1) -> int:", "    return n"] * (len(declared) - 1)
print(chr(10).join(lines))
"""
SAID = (
    *(".with_apt_packages(", "flyte.Secret(", "index_url=", 'clone(registry="other", platform=', "from_dockerfile("),
    *("idle_ttl=", "serialize=True", "partition=", "flyte.Cron(", "FixedRate(", "PodTemplate(", "flyte.TriggerTime"),
)
_WITHOUT_THE_SDK = "sys.modules['flyte'] = None"


def rewritten(folder: Path, source: str, first: str) -> str:
    """Return what a process that begins so writes of the environments of a module."""
    (folder / "with_more.py").write_text(source)
    return in_a_process(_TEXTS.format(first=first), folder, FLYTE_NB_HOME=str(folder.parent / "home"))


@pytest.mark.parametrize("first", [pytest.param("", marks=needs_sdk), _WITHOUT_THE_SDK], ids=["with", "without"])
def test_what_the_model_has_no_field_for_comes_back(tmp_path: Path, first: str) -> None:
    """Whatever the SDK declares is written as it was adopted, with the SDK or without it, and is the same again."""
    (tmp_path / "folder").mkdir()
    once = rewritten(tmp_path / "folder", RICH, first)
    for said in SAID:
        assert said in once
    assert rewritten(tmp_path / "folder", once, first) == once
    assert rewritten(tmp_path / "folder", once, _WITHOUT_THE_SDK) == once


@needs_sdk
def test_the_sdk_takes_what_was_written_without_it(tmp_path: Path) -> None:
    """What is written where the SDK is not installed are calls of it, and make its objects."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "ml.py").write_text(rewritten(tmp_path / "folder", RICH, _WITHOUT_THE_SDK))
    code = (
        "import ml\nprint(ml.ml.reusable.replicas, ml.ml.resources.gpu.quantity, len(ml.f.triggers), ml.ml.image.name)"
    )
    assert in_a_process(code, tmp_path / "folder") == "(1, 2) 2 2 mine\n"


def test_names_of_the_sdk_that_only_declare_stand_for_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the SDK is not installed they are called, given, annotated with and copied like what they stand for."""
    source = """
import copy, pickle
import flyte
from flyte import Trigger

daily = Trigger.daily("each-day")
assert pickle.loads(pickle.dumps(copy.deepcopy(flyte.TriggerTime))) == flyte.TriggerTime != daily
def f(policy: flyte.ReusePolicy | None = None, other: "Trigger" = None, cache: flyte.Cache | None = None): ...
env = flyte.TaskEnvironment("declared", reusable=flyte.ReusePolicy(2), links=(daily,))
"""
    monkeypatch.setitem(sys.modules, "flyte", None)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "names_of_flyte.py").write_text(source)
    flyte_nb.adopt("names_of_flyte.py")
    text = environment_declaration(session().registry.require("declared"), {}).text
    assert "reusable=flyte.ReusePolicy(2)" in text
    assert 'links=(flyte.Trigger.daily("each-day"),)' in text


@pytest.mark.parametrize("source", [RICH, SOURCE], ids=["rich", "plain"])
def test_whole_projects_come_back_without_the_sdk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    """Export, adopt, export: no file differs, whatever is declared, and nothing of the SDK is installed."""
    monkeypatch.setitem(sys.modules, "flyte", None)
    for name, text in {**HELPERS, "req.txt": "numpy\n", "rich_source.py": source}.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    flyte_nb.adopt("rich_source.py")
    export(tmp_path / "demo", made_project("demo"))
    flyte_nb.reset()
    flyte_nb.adopt(tmp_path / "demo")
    again = export(tmp_path / "demo", made_project("demo"))
    assert (again.written, again.removed) == ((), ())


@pytest.mark.slow
@needs_sdk
def test_flyte_runs_a_project(project: Path) -> None:
    """The command of the README runs a task, and what it calls in other environments."""
    command = next(line for line in (project / "README.md").read_text().splitlines() if line.startswith("flyte run"))
    assert command == "flyte run --local environments/base_utils.py ml_pipeline"
    main = "from flyte.cli.main import main; main()"
    output = in_a_process(
        f"import sys; sys.modules['flyte_nb'] = None; sys.argv = {command.split()!r}\n{main}", project
    )
    assert "{'lr': 2} 3" in output
