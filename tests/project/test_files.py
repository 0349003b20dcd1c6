"""The files of an exported project."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path

import pytest

import flyte_nb
from flyte_nb import ExportError, Image
from flyte_nb.bundle.content import Bundle
from flyte_nb.bundle.module_names import module_names
from flyte_nb.project.files import project_files
from flyte_nb.project.reading import environment_variables

from .made import made_project

if sys.version_info >= (3, 11):
    import tomllib


def bundle(name: str, module: str = "import flyte\n", **files: str) -> Bundle:
    return Bundle(name, {"image": "auto", "depends_on": [], "tasks": {}}, {}, "", module, files)


def project(module: str, **files: str) -> dict[str, str]:
    made = Bundle("ml", {"image": "auto", "depends_on": [], "tasks": {}}, {}, "", module, files)
    return project_files({"ml": made}, {"ml": "ml"}, "demo")


def test_a_module_for_each_environment() -> None:
    """Names become modules that can be imported, each its own, and nobody else's."""
    names = ["base-utils", "a-b", "a_b", "class", "json", "3d", "pandas", "a_b_env", "environments"]
    assert module_names(names, {"pandas"}) == {
        "base-utils": "base_utils",
        "a-b": "a_b",
        "a_b": "a_b_env",
        "class": "class_env",
        "json": "json_env",
        "3d": "env_3d",
        "pandas": "pandas_env",
        "a_b_env": "a_b_env_env",
        "environments": "environments_env",
    }


def test_a_project_holds_its_modules_and_those_of_the_user() -> None:
    """Environments lie in a package that lists them in order; modules of the user lie where they are imported from."""
    flyte_nb.TaskEnvironment("base-utils")
    flyte_nb.TaskEnvironment("ml", depends_on=["base-utils"])
    files = made_project("demo", "import helpers", {"helpers.py": "import mylib.names\n", "mylib/names.py": "N = 1\n"})
    assert set(files) == {
        "README.md",
        "pyproject.toml",
        "environments/__init__.py",
        "environments/base_utils.py",
        "environments/ml.py",
        "helpers.py",
        "mylib/names.py",
    }
    assert '__all__ = ["base_utils", "ml"]' in files["environments/__init__.py"]
    assert "from environments import base_utils" in files["environments/ml.py"]


@pytest.mark.parametrize(
    "path",
    [
        "README.md",
        "pyproject.toml",
        "environments.py",
        "environments/x.py",
        "/etc/x.py",
        "../x.py",
        "a/../../x.py",
        "ml.py",
    ],
)
def test_collisions_are_refused_by_name(path: str) -> None:
    """A module of the user's that would take the place of another file is refused."""
    with pytest.raises(ExportError) as caught:
        project("import flyte\n", **{path: "X = 1\n"})
    assert Path(path).stem in str(caught.value)
    assert "\n" not in str(caught.value)


def test_two_modules_of_one_name_are_refused() -> None:
    """Two environments cannot bring different modules of one name."""
    bundles = {"a": bundle("a", **{"helpers.py": "X = 1\n"}), "b": bundle("b", **{"helpers.py": "X = 2\n"})}
    with pytest.raises(ExportError, match=r"helpers\.py"):
        project_files(bundles, {"a": "a", "b": "b"}, "demo")


@pytest.mark.skipif(sys.version_info < (3, 11), reason="tomllib is of Python 3.11")
def test_the_dependencies_are_what_is_imported() -> None:
    """Distributions that modules import are dependencies, by the names they are installed by; each only once."""
    source = "import flyte, json, helpers\ndef f():\n    import not_there_at_all, pandas\n    from sklearn import svm\n"
    made = Bundle(
        "my-ml",
        {"image": {"pip_packages": ["Pandas>=2", "git+https://x", "a@https://***@b"]}, "depends_on": [], "tasks": {}},
        {},
        "",
        source,
        {"helpers.py": "import numpy\n"},
    )
    text = project_files({"my-ml": made}, {"my-ml": "my_ml"}, "My Démo!")["pyproject.toml"]
    parsed = tomllib.loads(text)
    assert parsed["project"]["name"] == "my-d-mo"
    assert parsed["project"]["dependencies"] == ["flyte", "numpy", "scikit-learn"]
    assert parsed["project"]["optional-dependencies"] == {"my-ml": ["Pandas>=2"]}
    assert "# Imported too, from distributions that are not known: not_there_at_all\n" in text
    assert parsed["tool"]["hatch"]["build"]["targets"]["wheel"]["include"] == ["environments", "helpers.py"]


def test_the_readme_names_commands_order_and_variables(tmp_path: Path) -> None:
    """It has the commands of `flyte`, the environments in the order of deployment, and what must be set."""
    (tmp_path / "r.txt").write_text("--index-url https://me:hunter2@example.com\n")
    image = Image.from_debian_base("3.12").with_requirements(tmp_path / "r.txt")
    base = flyte_nb.TaskEnvironment("base", env_vars={"API_KEY": "hunter2"}, image=image)
    ml = flyte_nb.TaskEnvironment("ml", depends_on=[base])

    @base.task
    async def needs_nothing(epochs: int = 1) -> int:
        return epochs

    @ml.task(flyte_options={"hooks": {"token": "hunter2"}})
    async def train(epochs: int) -> int:
        return epochs

    files = made_project("demo")
    text = files["README.md"]
    assert "hunter2" not in json.dumps(files)
    assert "flyte run --local environments/base.py needs_nothing\n" in text
    assert "flyte deploy --all --copy-style all environments\n" in text
    assert text.index("| base | `environments/base.py` | – | `needs_nothing` |") < text.index("| ml | ")
    assert "- `API_KEY`\n- `BASE_REQUIREMENTS_1`\n- `ML_TRAIN_HOOKS_TOKEN`\n" in text


def test_variables_that_a_user_reads_are_not_ours() -> None:
    """What functions, and decorators of others, read of the environment is not asked for."""
    source = """
import os
import flyte
env = flyte.TaskEnvironment("ml", env_vars={"A": os.environ.get("A", "")})
@env.task(hooks=[os.environ.get("B", "")])
@other.task(os.environ.get("C", ""))
async def f(): return os.environ.get("D", "")
"""
    assert environment_variables(source) == {"A", "B"}


def test_the_readme_tells_which_inputs_the_task_needs() -> None:
    """Where every task needs inputs, the README says which."""
    ml = flyte_nb.TaskEnvironment("ml")

    @ml.task
    async def train(epochs: int, *, rate: float) -> int:
        return epochs

    text = made_project("demo")["README.md"]
    assert "flyte run --local environments/ml.py train\n" in text
    assert "`--epochs`, `--rate`" in text
    assert "Set these first" not in text


def test_nothing_in_a_project_knows_of_flyte_nb() -> None:
    """No module of a project imports flyte_nb, and it is not among the dependencies."""
    flyte_nb.TaskEnvironment("ml")
    files = made_project("demo")
    assert not [path for path, text in files.items() if "flyte_nb" in text]
    for path, text in files.items():
        if path.endswith(".py"):
            ast.parse(text)
