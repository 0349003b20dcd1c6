"""The module of an environment: what is in it, in which order, and how it is written."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

from flyte_nb.bundle.namespace import Namespace
from flyte_nb.errors import CredentialInSourceError, FlyteNbError, HiddenDependencyError
from flyte_nb.session import session

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from IPython.core.interactiveshell import InteractiveShell

    from flyte_nb.bundle.content import Bundle
    from flyte_nb.bundle.namespace import Meaning
    from flyte_nb.bundle.statements import Statement

    Cell = Callable[..., None]

ENVIRONMENT = 'env = flyte.TaskEnvironment("ml")'
TASK = "@env.task\ndef t(x: int = 1) -> int:\n    return {}\n"


@pytest.fixture
def cell(ip: InteractiveShell) -> Cell:
    """Run a cell as a front end does: `cell("a", source)`; with `fails`, it is expected to fail."""

    def run(cell_id: str, source: str, *, fails: bool = False) -> None:
        result = ip.run_cell(textwrap.dedent(source), store_history=True, cell_id=cell_id)
        assert result.success is not fails

    run("setup", f"import flyte_nb as flyte\n{ENVIRONMENT}")
    return run


def bundle(name: str = "ml") -> Bundle:
    found, refused = session().bundles([name])
    for error in refused.values():
        raise error
    return found[name]


def body(name: str = "ml") -> str:
    """Return what stands in the module after the declaration of the environment."""
    return bundle(name).module.partition("env = flyte.TaskEnvironment")[2].partition("\n")[2].strip()


def test_only_what_is_used_is_there_as_it_was_written(cell: Cell) -> None:
    """Definitions come with their comments and formatting; what no task uses stays out, and so does what is shown."""
    cell("a", "import numpy as np, json\nUNUSED = 1\nLIMIT = 3  # at most\nprint(LIMIT)\n")
    cell("b", "# Says it.\ndef say(x):\n    return  json.dumps( x )\n")
    cell("c", TASK.format("say(x) * LIMIT"))
    assert bundle().module.startswith("import flyte\nimport json\n\nenv = ")
    assert body() == (
        "LIMIT = 3  # at most\n\n\n# Says it.\ndef say(x):\n    return  json.dumps( x )\n\n\n"
        "@env.task\ndef t(x: int = 1) -> int:\n    return say(x) * LIMIT"
    )


def test_the_order_is_that_of_a_clean_run(cell: Cell) -> None:
    """A cell that was run again, or late, stands where it stands in the notebook."""
    cell("a", "RATE = 1\ndef first(): return RATE\n")
    cell("b", "def second(): return first()\n")
    cell("c", TASK.format("second()"))
    cell("a", "RATE = 2\ndef first(): return RATE\n")
    text = body()
    assert text.index("RATE = 2") < text.index("def first") < text.index("def second") < text.index("def t(")


def test_what_is_needed_comes_first_when_cells_ran_in_another_order(cell: Cell) -> None:
    """A default needs its constant, even where the notebook has it further down."""
    cell("b", "def scale(x, by=1): return x * by\n")
    cell("a", "RATE = 2\n")
    cell("b", "def scale(x, by=RATE): return x * by\n")
    cell("c", TASK.format("scale(x)"))
    assert body().index("RATE = 2") < body().index("def scale")


def test_a_default_sees_the_value_above_it_and_a_body_the_last_one(cell: Cell) -> None:
    """Names that are bound twice mean what they mean in a clean run."""
    cell("a", "RATE = 1\n")
    cell("b", "def default(r=RATE): return r\ndef called(): return RATE\n")
    cell("c", "RATE = 2\n")
    cell("d", TASK.format("default() + called()"))
    names: dict[str, object] = {}
    exec(bundle().module.replace("import flyte\n", "import flyte_nb as flyte\n"), names)  # noqa: S102
    assert (names["default"](), names["called"]()) == (1, 2)  # type: ignore[operator]


def test_an_import_that_is_written_once_more_changes_nothing(cell: Cell) -> None:
    """Cells import what they use again and again, as they are written one by one."""
    cell("a", "import json\ndef say(x): return json.dumps(x)\n")
    cell("b", TASK.format("say(x) + json.dumps(x)"))
    before = bundle().fingerprint
    cell("a", "def say(x): return json.dumps(x)\n")
    cell("0", "import json\n")
    cell("a", "import json\ndef say(x): return json.dumps(x)\n")
    assert bundle().fingerprint == before


def test_a_cell_that_fails_says_what_it_said_before(cell: Cell) -> None:
    """Half of a cell does not count."""
    cell("a", "RATE = 1\n")
    cell("b", TASK.format("RATE"))
    before = bundle().fingerprint
    cell("a", "RATE = 2\n1 / 0\n", fails=True)
    assert bundle().fingerprint == before
    cell("new", "EXTRA = 1\n1 / 0\n", fails=True)
    cell("b", TASK.format("EXTRA"))
    with pytest.raises(HiddenDependencyError, match="EXTRA"):
        bundle()


def test_a_cell_that_is_not_over_counts(cell: Cell, ip: InteractiveShell) -> None:
    """Definitions and deployment may stand in one cell."""
    cell("a", f"RATE = 5\n{TASK.format('RATE')}\nplan = flyte.plan()\n")
    assert ip.user_ns["plan"].actions == {"ml": "create"}


def test_cells_before_the_extension_count(cell: Cell, ip: InteractiveShell) -> None:
    """Imports and helpers may stand above %load_ext."""
    ip.run_cell("%unload_ext flyte_nb", store_history=True)
    session().cells.reset()
    ip.run_cell("def helper(): return 1\n", store_history=True)
    ip.run_cell("%load_ext flyte_nb", store_history=True)
    cell("c", TASK.format("helper()"))
    assert "def helper(): return 1" in body()


def test_tasks_of_other_environments_are_imported_where_they_are_called(cell: Cell) -> None:
    """Modules of environments whose tasks call each other can be imported in any order."""
    cell("a", 'other = flyte.TaskEnvironment("data-prep", depends_on=[env])\n@other.task\ndef load(): return ask()\n')
    cell("b", TASK.format("load()").replace("    return", '    """Says."""\n    return'))
    cell("c", "@env.task\ndef ask(): return load() if other.name else env.name\n")
    assert '    """Says."""\n    from environments.data_prep import load\n    return load()' in body()
    assert "def ask(): from environments.data_prep import env as other" not in body()
    assert (
        "def ask(): from environments.data_prep import load; from environments.data_prep import env as other; return"
        in body()
    )
    assert "from environments import ml\n" in bundle("data-prep").module
    assert "    from environments.ml import ask" in body("data-prep") or "def load(): from environments.ml" in body(
        "data-prep"
    )


def test_the_environment_is_known_under_the_names_that_are_used(cell: Cell) -> None:
    """Code that asks the environment for its name finds it."""
    cell("a", "ml_env = env\n" + TASK.replace("env.task", "ml_env.task").format("len(ml_env.name)"))
    assert body().endswith("ml_env = env")


def test_modules_of_the_user_go_along(cell: Cell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A helper module is part of the bundle with all it imports; a change of it is one, a comment in it is not."""
    monkeypatch.syspath_prepend(tmp_path)
    package = tmp_path / "mine_helpers"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "clean.py").write_text("from mine_helpers.deep import K\ndef clean(x): return x + K\n")
    (package / "deep.py").write_text("import json\nK = 1\n")
    cell("a", "from mine_helpers.clean import clean\nimport json\n")
    cell("b", TASK.format("clean(x)"))
    try:
        first = bundle()
        assert list(first.files) == ["mine_helpers/__init__.py", "mine_helpers/clean.py", "mine_helpers/deep.py"]
        (package / "deep.py").write_text("# why\nimport json\n\nK = 1\n")
        assert bundle().fingerprint == first.fingerprint
        (package / "deep.py").write_text("import json\nK = 2\n")
        assert bundle().fingerprint != first.fingerprint
    finally:
        for name in [name for name in sys.modules if name.startswith("mine_helpers")]:
            del sys.modules[name]


def test_environments_of_modules_are_taken_out_of_them(
    cell: Cell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A module that defines an environment is a source like a cell; relative imports of it become absolute."""
    monkeypatch.syspath_prepend(tmp_path)
    package = tmp_path / "mine_flows"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "tools.py").write_text("def tool(): return 1\n")
    (package / "flow.py").write_text(
        "import flyte_nb as flyte\nfrom .tools import tool\nUNUSED = 1\nLIMIT = 2\n"
        "flow_env = flyte.TaskEnvironment('flow')\n@flow_env.task\ndef go():\n    from .tools import tool as again\n"
        "    return tool() + LIMIT + again()\n"
    )
    cell("a", "from mine_flows.flow import go, LIMIT\n")
    cell("b", TASK.format("go() + LIMIT"))
    try:
        flow = bundle("flow")
        assert "from mine_flows.tools import tool\n" in flow.module
        assert "    from mine_flows.tools import tool as again\n" in flow.module
        assert "UNUSED" not in flow.module
        assert list(flow.files) == ["mine_flows/__init__.py", "mine_flows/tools.py"]
        assert "    from environments.flow import go\n" in body()
        assert "LIMIT = 2" in body()
        assert not bundle().files
    finally:
        for name in [name for name in sys.modules if name.startswith("mine_flows")]:
            del sys.modules[name]


def test_flyte_nb_becomes_flyte(cell: Cell) -> None:
    """The module runs without flyte_nb, however it was imported."""
    cell("a", "import flyte_nb\nimport flyte_nb as fl\nfrom flyte_nb import Resources as R\n")
    cell("b", "@env.task\ndef t():\n    import flyte_nb as inner\n    return flyte_nb, fl, R, inner\n")
    module = bundle().module
    assert "import flyte as flyte_nb\nimport flyte as fl\nfrom flyte import Resources as R\n" in module
    assert "    import flyte as inner\n" in module


@pytest.mark.parametrize(
    "source",
    [
        'TOKEN = "ghp_0123456789abcdef0123"\n',
        'URL = "postgres://me:hunter2@db/x"\n',
        'api_key = "x9f8a7s6d5f4g3h2j1"\n',
        'def TOKEN_of(): return "ghp_0123456789abcdef0123"\nTOKEN = URL = api_key = 1\n',
    ],
)
def test_credentials_in_code_are_refused_by_place(cell: Cell, source: str) -> None:
    """What is deployed is stored and shown; the message says where the credential is and not what."""
    cell("a", source)
    name = source.split()[1].partition("(")[0] if source.startswith("def") else source.split()[0]
    cell("b", TASK.format(f"str({name})"))
    with pytest.raises(CredentialInSourceError, match=r"cell \[\d+\], line 1 holds what looks like") as caught:
        bundle()
    assert "hunter2" not in str(caught.value)
    assert "0123" not in str(caught.value)


@pytest.mark.parametrize(
    "source", ['pad_token = "[PAD]"\n', 'password_field = "password"\n', 'KEY = "a b c d e f g h 1"\n']
)
def test_words_are_no_credentials(cell: Cell, source: str) -> None:
    """A name that sounds secret is not enough."""
    cell("a", source)
    cell("b", TASK.format(source.split()[0]))
    assert source.strip() in body()


def test_a_refusal_says_cell_line_name_and_way_out(cell: Cell) -> None:
    """The message has what is needed to mend it, in one line."""
    cell("a", "import io\n\nframe = io.StringIO('x')\n")
    cell("b", TASK.format("helper(x)"))
    cell("c", "def helper(x):\n    return (x,\n        frame)\n")
    with pytest.raises(HiddenDependencyError) as caught:
        bundle()
    assert str(caught.value) == (
        "ml.t, through `helper`, uses `frame` (cell [4], line 3), a run-time value set in cell [2], line 3 "
        "(`io.StringIO('x')`). Pass it as an input, t(frame=...), or define it in a cell as a function or a constant."
    )
    (found,) = caught.value.dependencies
    assert (found.name, found.task, found.used_by) == ("frame", "ml.t", "helper")


def test_decorators_may_stand_in_brackets(cell: Cell) -> None:
    """What is around a decorator is part of it: of the task's own it goes, of others it stays."""
    cell("a", "import functools\n@(  # once\n    functools\n    .cache\n)\ndef helper(): return 1\n")
    cell("b", "def plain(function):\n    return function\n")
    cell("c", "@(\n    env\n    .task\n)\n# Below.\n@(\n  plain\n)\ndef t(): return helper()\n")
    assert body() == (
        "@(  # once\n    functools\n    .cache\n)\ndef helper(): return 1\n\n\n"
        "def plain(function):\n    return function\n\n\n"
        "@env.task\n# Below.\n@(\n  plain\n)\ndef t(): return helper()"
    )


def test_imports_go_above_a_decorator_in_brackets(cell: Cell) -> None:
    """A task of another environment is imported before the function inside that uses it."""
    cell("a", "base = flyte.TaskEnvironment('base')\n@base.task\ndef load(): return 1\n")
    cell("b", "import functools\n")
    inner = "    @(\n        functools.cache\n    )\n    def inner(): return load()\n    return inner()\n"
    cell("c", f"@env.task\ndef t():\n{inner}")
    assert body() == f"@env.task\ndef t():\n    from environments.base import load\n{inner}".strip()


@pytest.mark.parametrize("name", ["env", "flyte"])
def test_a_task_has_a_name_that_its_module_does_not_need(cell: Cell, name: str) -> None:
    """The module binds these two itself, so a function that is called so would take their place."""
    cell("a", f"ml = env\n@ml.task\ndef {name}(): return 1\n")
    with pytest.raises(HiddenDependencyError, match=rf"`{name}` \(cell \[2\], line 3\), .* Give it another name\."):
        bundle()


def test_each_value_is_looked_at_once(cell: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many statements change a value, what it is takes one look."""
    asked = []
    meaning = Namespace.meaning

    def counted(self: Namespace, name: str, before: Statement | None = None) -> Meaning:
        asked.append(name)
        return meaning(self, name, before)

    monkeypatch.setattr(Namespace, "meaning", counted)
    cell("a", "xs = []\n" + "xs.append(1)\n" * 50)
    cell("b", TASK.format("len(xs)"))
    assert body().count("xs.append(1)") == 50
    assert asked.count("xs") == 1


def test_scripts_have_bundles_too(tmp_path: Path) -> None:
    """Without a notebook, the source is the script."""
    script = tmp_path / "flow.py"
    script.write_text(
        "import flyte_nb as flyte\nLIMIT = 3\nOTHER = 4\nenv = flyte.TaskEnvironment('ml')\n"
        "@env.task\ndef t(): return LIMIT\nif __name__ == '__main__':\n"
        "    from flyte_nb.session import session\n    print(session().bundles(['ml'])[0]['ml'].module)\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert "LIMIT = 3" in done.stdout
    assert "OTHER" not in done.stdout


def test_what_is_known_is_not_worked_out_again(cell: Cell) -> None:
    """An environment with the fingerprint that is known has nothing but that; another is whole."""
    cell("a", TASK.format("x"))
    whole = bundle()
    same, _ = session().bundles(["ml"], {"ml": whole.fingerprint})
    assert same["ml"].fingerprint == whole.fingerprint
    cell("a", TASK.format("x + 1"))
    assert session().bundles(["ml"], {"ml": whole.fingerprint})[0]["ml"].module


def test_where_something_stands_does_not_count(cell: Cell) -> None:
    """Moving definitions to another cell, or reformatting them, does not change what is deployed."""
    cell("a", "RATE = 1\ndef first(): return RATE\ndef second(): return 2\n")
    cell("b", TASK.format("first() + second()"))
    before = bundle().fingerprint
    cell("a", "def second():\n    # two\n    return 2\n\n\nRATE = 1\n")
    cell("c", "def first():\n    return (RATE)\n")
    assert bundle().fingerprint == before


def test_a_helper_counts(cell: Cell) -> None:
    """A change of what a task uses is a change of its environment, and of no other."""
    cell("a", "def helper(): return 1\n")
    cell("b", TASK.format("helper()") + '\nother = flyte.TaskEnvironment("other")\n@other.task\ndef u(): return 1\n')
    ml, other = bundle().fingerprint, bundle("other").fingerprint
    cell("a", "def helper(): return 2\n")
    assert bundle().fingerprint != ml
    assert bundle("other").fingerprint == other


def test_cells_of_magics_that_run_them_count(cell: Cell) -> None:
    """%%time and %%capture run a cell as it is."""
    cell("a", "%%time\ndef helper(): return 1\n")
    cell("b", "%%capture out\nRATE = 2\n")
    cell("c", TASK.format("helper() * RATE"))
    assert "def helper(): return 1" in body()
    assert "RATE = 2" in body()


def test_environment_cells_give_modules(cell: Cell) -> None:
    """A %%flyte_env cell is a source as any other; its variable means the environment."""
    cell("a", "%%flyte_env data --cpu 1\nRATE = 2\n@env.task(retries=2)\ndef load():\n    return RATE\n")
    cell("b", TASK.format("load() + len(data.name)"))
    assert "@env.task(retries=2)\ndef load():\n    return RATE" in body("data")
    assert "    from environments.data import load\n" in body()
    assert "    from environments.data import env as data\n" in body()


def test_a_task_without_a_place_is_refused(cell: Cell) -> None:
    """What `exec` defines has no source."""
    cell("a", "exec('@env.task\\ndef t(): return 1')")
    with pytest.raises(FlyteNbError, match=r"source of task 'ml\.t'"):
        bundle()
