"""The body of %%flyte_env is an ordinary cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .notebook import Notebook


def test_await(notebook: Notebook) -> None:
    """Top-level await works, also as the value of the cell."""
    result = notebook.ok("%%flyte_env e\nx = await asyncio.sleep(0, 1)\nawait asyncio.sleep(0, x + 1)\n")
    assert result.value == "2"


def test_value(notebook: Notebook) -> None:
    """The last expression is the value of the cell, and a semicolon hides it."""
    assert notebook.ok("%%flyte_env e\n@env.task\nasync def t(): ...\nenv.name").value == "'e'"
    assert notebook.ok("%%flyte_env e\nenv.name;").value is None
    assert notebook.ok("%%flyte_env e").value is None


def test_traceback(notebook: Notebook) -> None:
    """A traceback points at the line as it is in the cell."""
    result = notebook.run("%%flyte_env e\nx = 1\n\nx / 0\n")
    assert result.ename == "ZeroDivisionError"
    assert "line 4" in result.traceback
    assert "----> 4 x / 0" in result.traceback


def test_a_package_that_the_kernel_lacks(notebook: Notebook) -> None:
    """Where environments bring packages of their own, the error says where to import them."""
    hint = "'not_here' is not installed in the kernel. Import what only an environment has inside of its tasks."
    assert hint not in notebook.run("import not_here.part").traceback
    result = notebook.run("%%flyte_env e --pip not-here\nimport not_here.part\n")
    assert result.ename == "ModuleNotFoundError"
    assert hint in result.traceback


def test_syntax_error(notebook: Notebook) -> None:
    """A syntax error points at the line as it is in the cell, and defines nothing."""
    result = notebook.run("%%flyte_env e\n\nx = = 1\n")
    assert result.ename == "SyntaxError"
    assert "line 3" in result.traceback
    assert notebook.value("list(flyte.registry())") == []


def test_source(notebook: Notebook) -> None:
    """`inspect.getsource` gives the source of a task, with its decorator."""
    source = "@env.task(retries=2)\nasync def t(n: int) -> int:\n    # doubles\n    return 2 * n\n"
    notebook.ok(f"%%flyte_env e\nimport inspect\n\n{source}\nother = 1")
    assert notebook.value("inspect.getsource(t.function)") == source


def test_magics_inside(notebook: Notebook) -> None:
    """Magics and shell commands work in the body."""
    result = notebook.ok(
        "%%flyte_env e\n@env.task\nasync def t() -> int:\n    return 1\n"
        "x = %flyte_run t()\n!echo from the shell\nfiles = !echo listed\n%flyte_env e\nx, list(files)"
    )
    assert "from the shell" in result.stdout
    assert result.value == "(1, ['listed'])"


@pytest.mark.parametrize("end", ["", "\n1 / 0"])
def test_env_is_restored(notebook: Notebook, end: str) -> None:
    """The name `env` is bound in the body only: afterwards it is what it was before, or nothing."""
    notebook.run(f"%%flyte_env e\nassert env.name == 'e'{end}")
    assert notebook.value("'env' in globals()") is False
    notebook.ok("env = 'mine'")
    notebook.run(f"%%flyte_env e\nenv = 'rebound'{end}")
    assert notebook.value("env") == "mine"


def test_variable(notebook: Notebook) -> None:
    """The environment is bound to its name with underscores, or to the variable of --var."""
    notebook.ok("%%flyte_env ml-training\n")
    notebook.ok("%%flyte_env base-utils --var base\n")
    notebook.ok("%%flyte_env other --var env\n")
    assert notebook.value("ml_training.name, base.name, env.name") == ("ml-training", "base-utils", "other")
    assert notebook.value("'base_utils' in globals()") is False


def test_variable_of_a_failing_cell(notebook: Notebook) -> None:
    """A cell that fails leaves the variable as it was."""
    notebook.run("%%flyte_env ml-training\n1 / 0")
    assert notebook.value("'ml_training' in globals()") is False
    notebook.ok("%%flyte_env ml-training --image one:1\n")
    notebook.run("%%flyte_env ml-training --image two:2\n1 / 0")
    assert notebook.value("ml_training.image") == "one:1"


def test_a_variable_in_use_is_not_replaced(notebook: Notebook) -> None:
    """A module, a builtin or a value of the user's stays what it is, and nothing is defined."""
    notebook.ok("import time\ndata_set = [1]")
    for cell in ("time", "list", "data-set", "new --var data_set"):
        result = notebook.run(f"%%flyte_env {cell}\n")
        assert result.ename == "UsageError"
        assert "--var" in result.evalue
    assert notebook.value("time.__name__, list('a'), data_set, list(flyte.registry())") == ("time", ["a"], [1], [])
    notebook.ok("%%flyte_env time --var time_env\n")
    assert notebook.value("time.__name__, time_env.name") == ("time", "time")


def test_running_a_cell_again_may_replace_its_variable(notebook: Notebook) -> None:
    """Also where the body binds the variable to something else, such as a task of that name."""
    for _ in range(2):
        notebook.ok("%%flyte_env train\n@env.task\nasync def train(): ...", "a")
        notebook.ok("%%flyte_env plain\n", "b")
    assert notebook.value("train.name, plain.name") == ("train.train", "plain")
    notebook.run("%%flyte_env train\n1 / 0", "a")
    notebook.ok("%%flyte_env train\n", "a")
    notebook.ok("train = 'mine'", "c")
    assert "--var train_env" in notebook.run("%%flyte_env train\n", "a").evalue
    assert notebook.value("train") == "mine"


def test_all_options(notebook: Notebook) -> None:
    """Every option says what the argument of TaskEnvironment of that name says."""
    notebook.ok("%%flyte_env base\n")
    notebook.ok(
        "%%flyte_env ml-training --image pytorch:latest --cpu 2 --memory 4Gi --gpu A100:2 --disk 10Gi "
        "--depends-on base --env A=1 B='two words' --description 'what it is for' --cache auto\n"
    )
    notebook.ok(
        "same = flyte.TaskEnvironment('same', image='pytorch:latest', depends_on=[base], cache='auto',\n"
        "    resources=flyte.Resources(cpu='2', memory='4Gi', gpu='A100:2', disk='10Gi'),\n"
        "    description='what it is for', env_vars={'A': '1', 'B': 'two words'})"
    )
    fields = ["image", "resources", "depends_on", "description", "env_vars", "cache"]
    assert notebook.value(f"[n for n in {fields} if getattr(same, n) != getattr(ml_training, n)]") == []
    notebook.ok("%%flyte_env built --python 3.12 --pip pandas 'scikit-learn>=1.5'\n")
    assert "pandas" in notebook.value("repr(built.image)")


def test_repeated_options(notebook: Notebook) -> None:
    """An option that takes several can be given several times."""
    notebook.ok("a, b = flyte.TaskEnvironment('a'), flyte.TaskEnvironment('b')")
    notebook.ok("%%flyte_env c --depends-on a --depends-on b --env A=1 --env B=2 --pip pandas --pip numpy polars\n")
    assert notebook.value("c.depends_on, dict(c.env_vars), c.image.pip_packages") == (
        ("a", "b"),
        {"A": "1", "B": "2"},
        ("pandas", "numpy", "polars"),
    )


TEMPLATE = (
    "t = flyte.TaskEnvironment('t', image={}, resources=flyte.Resources(cpu=(1, 4), memory='8Gi', gpu='A100:2'),\n"
    "    depends_on=['base'], env_vars={{'A': '1', 'B': '1'}}, description='template', cache='auto', secrets='key')"
)


def test_clone_from(notebook: Notebook) -> None:
    """An option changes its own part of the template and leaves the others."""
    notebook.ok(TEMPLATE.format("'one:1'"))
    notebook.ok("%%flyte_env c --clone-from t --cpu 2 --env B=2 C=3 --depends-on other\n")
    notebook.ok("wanted = flyte.Resources(cpu='2', memory='8Gi', gpu='A100:2')")
    assert notebook.value("c.resources == wanted, dict(c.env_vars), c.depends_on") == (
        True,
        {"A": "1", "B": "2", "C": "3"},
        ("base", "other"),
    )
    fields = ["image", "description", "cache", "secrets"]
    assert notebook.value(f"[n for n in {fields} if getattr(t, n) != getattr(c, n)]") == []
    notebook.ok("%%flyte_env c --clone-from t\n")
    fields = [*fields, "resources", "depends_on", "env_vars"]
    assert notebook.value(f"[n for n in {fields} if getattr(t, n) != getattr(c, n)]") == []


def test_clone_from_an_environment_that_says_little(notebook: Notebook) -> None:
    """What the template does not say, options do."""
    notebook.ok("t = flyte.TaskEnvironment('t')")
    notebook.ok("%%flyte_env c --clone-from t --gpu 1 --env A=1 --depends-on base\n")
    assert notebook.value("c.resources == flyte.Resources(gpu=1), dict(c.env_vars), c.depends_on, c.image") == (
        True,
        {"A": "1"},
        ("base",),
        "auto",
    )


@pytest.mark.parametrize(
    ("image", "options", "wanted"),
    [
        ("'auto'", "--pip pandas", "flyte.Image.from_debian_base().with_pip_packages('pandas')"),
        ("'one:1'", "--pip pandas", "flyte.Image.from_base('one:1').with_pip_packages('pandas')"),
        ("'one:1'", "--image two:2", "'two:2'"),
        ("'one:1'", "--image auto", "'auto'"),
        ("'one:1'", "--image auto --pip pandas", "flyte.Image.from_debian_base().with_pip_packages('pandas')"),
        ("'one:1'", "--python 3.12", "flyte.Image.from_debian_base('3.12')"),
        ("{made}", "--pip pandas", "{made}.with_pip_packages('pandas')"),
        ("{made}", "--cpu 1", "{made}"),
        ("{made}", "--image two:2", "{made}.__class__(uri='two:2', pip_packages=('numpy',), env_vars=(('V', '1'),))"),
        ("{made}", "--python 3.13", "{made}.__class__(python='3.13', pip_packages=('numpy',), env_vars=(('V', '1'),))"),
    ],
)
def test_clone_with_another_image(notebook: Notebook, image: str, options: str, wanted: str) -> None:
    """--image and --python change what the image starts from, and --pip adds to it."""
    made = "flyte.Image.from_debian_base('3.12').with_pip_packages('numpy').with_env_vars({'V': '1'})"
    notebook.ok(TEMPLATE.format(image.replace("{made}", made)))
    notebook.ok(f"%%flyte_env c --clone-from t {options}\n")
    assert notebook.value(f"c.image == {wanted.replace('{made}', made)} or c.image") is True


def test_help(notebook: Notebook) -> None:
    """`%%flyte_env?` explains the options."""
    text = notebook.help("%%flyte_env?")
    assert "--depends-on" in text
    assert "environments to deploy before this one" in text
