"""Adopting: environments of modules come into the session, all or none, and again when the files change."""

from __future__ import annotations

import asyncio
import inspect
import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

import flyte_nb
from flyte_nb import AdoptError, Image
from flyte_nb.definitions.registry import Owner
from flyte_nb.session import session

from .made import made_project

if TYPE_CHECKING:
    from pathlib import Path

BASE = """
import flyte
from flyte import Resources

env = flyte.TaskEnvironment(name="base-utils", image="python:3.12-slim", resources=Resources(cpu="1"), queue="fast")


@env.task(docs=flyte.Documentation(description="reads it"))
async def load_config() -> dict:
    return {"lr": 1}
"""

ML = """
import flyte
import adopted_base as base

image = flyte.Image.from_base("pytorch:latest").clone(name="ml", extendable=True).with_pip_packages("pandas")
env = flyte.TaskEnvironment(name="ml", image=image, depends_on=[base.env], pod_template=None)


@env.task(retries=2)
async def train(epochs: int = 1) -> str:
    from adopted_base import load_config

    return f"{await load_config()} {epochs}"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two modules, which is the working directory and on Python's path."""
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "adopted_base.py").write_text(BASE)
    (folder / "adopted_ml.py").write_text(ML)
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    return folder


def names() -> list[str]:
    return session().registry.names()


@pytest.mark.parametrize("source", ["adopted_ml", "adopted_ml.py", "{folder}/adopted_ml.py"])
def test_a_module_is_adopted_by_its_name_or_its_file(folder: Path, source: str) -> None:
    """What a module and those it imports define is in the session, and their tasks run."""
    adopted = flyte_nb.adopt(source.format(folder=folder))
    assert names() == ["base-utils", "ml"]
    assert adopted.environments == {"adopted_base": ("base-utils",), "adopted_ml": ("ml",)}
    registry = session().registry
    assert registry.require("base-utils").flyte_options == {"queue": "fast"}
    assert registry.require("ml").image == Image.from_base("pytorch:latest").with_pip_packages("pandas")
    assert registry.dependencies("ml") == ("base-utils",)
    assert registry.tasks("base-utils")["base-utils.load_config"].description == "reads it"
    assert asyncio.run(flyte_nb.run(registry.tasks("ml")["ml.train"], 3)).result == "{'lr': 1} 3"


@pytest.mark.usefixtures("folder")
def test_source_stays_true() -> None:
    """Python shows the source of adopted tasks as it stands in the file, and tracebacks its lines."""
    flyte_nb.adopt("adopted_ml")
    train = session().registry.tasks("ml")["ml.train"].function
    assert inspect.getsource(train) in ML
    assert train.__code__.co_firstlineno == ML.splitlines().index("@env.task(retries=2)") + 1


def test_no_compiled_file_is_shared_with_the_sdk(folder: Path) -> None:
    """What Python compiles of adopted modules is not kept: elsewhere `import flyte` means the SDK."""
    flyte_nb.adopt("adopted_ml")
    assert not (folder / "__pycache__").exists()


def test_adopting_again_replaces(folder: Path) -> None:
    """After the files changed, adopting again defines what they define now, and nothing else."""
    flyte_nb.adopt("adopted_ml")
    (folder / "adopted_base.py").write_text(BASE.replace("base-utils", "base-tools"))
    flyte_nb.adopt("adopted_ml")
    assert names() == ["base-tools", "ml"]
    (folder / "adopted_ml.py").write_text("import flyte\n")
    flyte_nb.adopt("adopted_ml")
    assert names() == []


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ("raise ValueError('boom')", "ValueError: boom"),
        ("1 +", "SyntaxError: invalid syntax"),
        ("import flyte\nflyte.TaskEnvironment('Bad Name')", "is not a name"),
        ("import nowhere_to_be_found", "No module named 'nowhere_to_be_found'"),
        ("import flyte\nenv = flyte.TaskEnvironment('base-utils', depends_on=['ml'])", "circular dependency"),
        ("import sys\nsys.exit(3)", "SystemExit: 3"),
        ("import flyte\n@flyte.TaskEnvironment('x').task\ndef f(): yield 1", "is a generator"),
    ],
)
def test_a_failing_import_changes_nothing(folder: Path, broken: str, reason: str) -> None:
    """If a module fails, the session, what is imported and the path are as they were, and one line says why."""
    flyte_nb.adopt("adopted_ml")
    definitions = {name: session().registry.spec(name) for name in names()}
    modules, path = dict(sys.modules), list(sys.path)
    (folder / "adopted_base.py").write_text(broken + "\n")
    (folder / "adopted_ml.py").write_text("import flyte\nflyte.TaskEnvironment('new')\n" + ML)
    with pytest.raises(AdoptError) as caught:
        flyte_nb.adopt("adopted_ml")
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)
    assert {name: session().registry.spec(name) for name in names()} == definitions
    assert ({**sys.modules}, sys.path) == (modules, path)
    (folder / "adopted_base.py").write_text(BASE)
    (folder / "adopted_ml.py").write_text(ML)
    flyte_nb.adopt("adopted_ml")
    assert {name: session().registry.spec(name) for name in names()} == definitions


def test_a_failing_import_in_a_cell_changes_nothing(folder: Path) -> None:
    """Inside a cell, too, and what the cell said itself still counts if it handles the error."""
    registry = session().registry
    (folder / "adopted_ml.py").write_text(ML + "raise ValueError\n")
    registry.begin(Owner("cell"))
    flyte_nb.TaskEnvironment("mine")
    with pytest.raises(AdoptError):
        flyte_nb.adopt("adopted_ml")
    registry.commit()
    assert names() == ["mine"]
    registry.begin(Owner("cell"))
    registry.commit()
    assert names() == []


@pytest.mark.parametrize("source", ["nowhere", "nowhere.py", "no such thing", "adopted_ml.train", "json.nothing", "."])
@pytest.mark.usefixtures("folder")
def test_what_cannot_be_adopted_is_told(source: str) -> None:
    """One line says what is wrong and what can be given."""
    with pytest.raises(AdoptError, match=r"importable name|Adopt a file of it") as caught:
        flyte_nb.adopt(source)
    assert "\n" not in str(caught.value)


def test_a_package_brings_its_modules(folder: Path) -> None:
    """All modules of a package are adopted, whether it is given by name or as a folder."""
    (folder / "pack" / "inner").mkdir(parents=True)
    (folder / "pack" / "__init__.py").write_text("")
    (folder / "pack" / "inner" / "__init__.py").write_text("import flyte as f\ne = f.TaskEnvironment('inner')\n")
    (folder / "pack" / "other.py").write_text(
        "from flyte import TaskEnvironment as T\nfrom .inner import e\nT('other')\n"
    )
    for source in ("pack", "pack/", "pack"):
        flyte_nb.adopt(source)
        assert names() == ["inner", "other"]


def test_other_modules_are_left_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Modules that are not adopted import the real `flyte`, before and after."""
    real = ModuleType("flyte")
    monkeypatch.setitem(sys.modules, "flyte", real)
    (folder / "plain_one.py").write_text("import flyte\n")
    (folder / "plain_two.py").write_text("import flyte\n")
    one = import_module("plain_one")
    flyte_nb.adopt("adopted_ml")
    two = import_module("plain_two")
    assert one.flyte is two.flyte is sys.modules["flyte"] is real


def test_names_of_the_sdk_itself_are_passed_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the session has no name for is the SDK's where it is installed, and refused in one line elsewhere."""
    (folder / "adopted_ml.py").write_text("import flyte\nx = flyte.with_runcontext\n")
    monkeypatch.setitem(sys.modules, "flyte", None)
    with pytest.raises(AdoptError, match="needs the Flyte SDK, which is not installed"):
        flyte_nb.adopt("adopted_ml")
    sdk: Any = ModuleType("flyte")
    sdk.with_runcontext = "the real one"
    monkeypatch.setitem(sys.modules, "flyte", sdk)
    flyte_nb.adopt("adopted_ml")
    assert vars(sys.modules["adopted_ml"])["x"] == "the real one"


def test_two_modules_of_one_name_are_refused(folder: Path, tmp_path: Path) -> None:
    """A module that would take another's place is refused: functions import by name."""
    flyte_nb.adopt("adopted_ml")
    (tmp_path / "adopted_ml.py").write_text(ML)
    with pytest.raises(AdoptError, match="another module called 'adopted_ml' is imported"):
        flyte_nb.adopt(str(tmp_path / "adopted_ml.py"))


def test_clones_keep_the_options(folder: Path) -> None:
    """As in the SDK, a clone keeps what is not changed, options of the cluster included."""
    more = "\ngpu = env.clone_with('gpu', depends_on=[env], service_account='me', image=None)\n"
    (folder / "adopted_base.py").write_text(BASE + more)
    flyte_nb.adopt("adopted_base")
    spec = session().registry.require("gpu")
    assert (spec.image, spec.flyte_options) == ("python:3.12-slim", {"queue": "fast", "service_account": "me"})


def test_a_project_is_adopted_in_its_order(tmp_path: Path) -> None:
    """The environments of an exported project keep the order of deployment, whatever their names are."""
    for name in ("zeta", "alpha", "mid"):
        flyte_nb.TaskEnvironment(name, depends_on=["zeta"] if name == "mid" else [])
    for path, text in made_project("p").items():
        (tmp_path / "p" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "p" / path).write_text(text)
    flyte_nb.reset()
    adopted: Any = flyte_nb.adopt(tmp_path / "p")
    assert flyte_nb.deployment_order() == ["zeta", "alpha", "mid"]
    assert adopted.modules[1:] == ("environments.zeta", "environments.alpha", "environments.mid")
