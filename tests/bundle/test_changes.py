"""What statements far from a definition change of it, and modules that must be as the notebook was."""

from __future__ import annotations

import inspect
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import flyte_nb
from flyte_nb.errors import HiddenDependencyError, SourceTooDeepError
from flyte_nb.session import session

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.interactiveshell import InteractiveShell

    from flyte_nb.bundle.content import Bundle

    Cell = Callable[[str, str], None]

SETUP = 'import flyte_nb as flyte\nenv = flyte.TaskEnvironment("ml")'


@pytest.fixture
def cell(ip: InteractiveShell) -> Cell:
    """Run a cell as a front end does."""

    def run(cell_id: str, source: str) -> None:
        assert ip.run_cell(textwrap.dedent(source), store_history=True, cell_id=cell_id).success

    run("setup", SETUP)
    return run


def bundle() -> Bundle:
    found, refused = session().bundles(["ml"])
    for error in refused.values():
        raise error
    return found["ml"]


def task(cell: Cell, value: str) -> None:
    cell("task", f"@env.task\nasync def train() -> str:\n    return str({value})\n")


@pytest.mark.parametrize(
    ("source", "used", "there"),
    [
        ("H = {}\ndef add(f):\n    H[f.__name__] = f\n    return f\n@add\ndef a(): return 1\n", "H", "@add\ndef a()"),
        (
            "H = {}\ndef add(name):\n    def known(f):\n        H[name] = f\n        return f\n    return known\n"
            "@add('one')\ndef a(): return 1\n",
            "H",
            "@add('one')",
        ),
        (
            "from functools import singledispatch\n@singledispatch\ndef say(v): return 'x'\n"
            "@say.register\ndef _(v: int): return 'int'\n",
            "say(3)",
            "@say.register",
        ),
        (
            "class Base:\n    known = []\n    def __init_subclass__(cls): Base.known.append(cls)\n"
            "class A(Base): pass\n",
            "Base.known",
            "class A(Base)",
        ),
        ("options = {'a': 1}\nshared = options\nshared['b'] = 2\n", "options", "shared['b'] = 2"),
        ("options = {'a': []}\npart = options['a']\npart.append(2)\n", "options", "part.append(2)"),
        ("class C: pass\nsetattr(C, 'a', 1)\n", "C.a", "setattr(C, 'a', 1)"),
        ("import heapq\nxs = [3, 1]\nheapq.heapify(xs)\n", "xs", "heapq.heapify(xs)"),
        ("xs = [1, 2, 3]\n*xs[1:], y = (7, 8, 9)\n", "xs", "*xs[1:], y = (7, 8, 9)"),
    ],
)
def test_definitions_come_with_what_changes_them(cell: Cell, source: str, used: str, there: str) -> None:
    """Registrations, changes under another name and by functions of the library belong to what they change."""
    cell("a", source)
    task(cell, used)
    assert there in bundle().module


@pytest.mark.parametrize(
    "source",
    [
        "xs = [1]\ndef fill(values): values.append(2)\nfill(xs)\n",
        "xs = [1]\ndef fill(*, to): to.append(2)\nfill(to=xs)\n",
        "xs = [1]\ndef fill(): xs.append(2)\ndef fill_all(): fill()\nfill_all()\n",
        "xs = 1\ndef count():\n    global xs\n    xs += 1\ncount()\n",
        "import random\nxs = [1, 2]\nrandom.shuffle(xs)\n",
        "import random\nxs = [{}, {}]\nfor each in xs: each['seed'] = random.random()\n",
        "import random\nxs = [{}, {}]\nys = xs\nys[0]['seed'] = random.random()\n",
        "xs = {}\nfor xs['a'] in (1, 2): pass\n",
        "import os\nxs = {}\nwith open(os.devnull) as xs['file']: pass\n",
    ],
)
def test_what_calls_and_loops_change_is_refused(cell: Cell, source: str) -> None:
    """A constant that a call of the user's function, a loop or a `with` statement changes is no constant."""
    cell("a", source)
    task(cell, "xs")
    with pytest.raises(HiddenDependencyError, match="uses `xs`"):
        bundle()


@pytest.mark.parametrize(
    ("source", "used"),
    [
        ("C = {}\ndef f(x):\n    C[x] = 1\n    return C\nf(3)\n", "f(4)"),
        ("C = [{'a': 1}]\ndef f(xs):\n    for x in xs:\n        x = dict(x)\n        x['b'] = 1\nf(C)\n", "C"),
        ("C = {'a': 1}\ndef f(d):\n    d = dict(d)\n    d['b'] = 1\nf(C)\n", "C"),
        ("C = [1]\ndef f(xs):\n    C = []\n    C.append(xs)\nf([])\n", "C"),
        ("C = {'a': 1}\nprint(C)\nsorted(C)\n", "C"),
        ("import random\nC = (1, 2)\ndef shuffle(xs): return xs\nD = shuffle(C)\n", "C"),
    ],
)
def test_calls_that_change_nothing_refuse_nothing(cell: Cell, source: str, used: str) -> None:
    """Copies may be changed, and a cache that a deployed function fills is filled where it is deployed."""
    cell("a", source)
    task(cell, used)
    assert "C = " in bundle().module


@pytest.mark.skipif(sys.version_info < (3, 12), reason="type parameters are of Python 3.12")
def test_type_parameters_are_names_of_their_definitions_alone(cell: Cell) -> None:
    """Parameters of types are no names of the notebook; what bounds them is."""
    cell("a", "class Bound: pass\nclass Other: pass\ntype Pair[T] = tuple[T, T]\n")
    cell("b", "def first[T: Bound](values: Pair[T]) -> T: return values[0]\nclass Box[T: Other]: pass\n")
    task(cell, "(first((1, 2)), Box())")
    module = bundle().module
    assert all(part in module for part in ("class Bound", "class Other", "type Pair[T]", "def first[T: Bound]"))


def test_imports_of_modules_inside_one_package_are_all_there(cell: Cell) -> None:
    """What is used of `xml` needs each import that loads a part of it, and only those."""
    cell("a", "import xml.etree.ElementTree\nimport xml.sax\nimport xml.dom.minidom\n")
    task(cell, "(xml.etree.ElementTree.fromstring('<a/>'), xml.dom.minidom)")
    module = bundle().module
    assert "import xml.etree.ElementTree\n" in module
    assert "import xml.dom.minidom\n" in module
    assert "import xml.sax" not in module


def test_imports_stay_where_their_name_has_two_meanings(cell: Cell) -> None:
    """A constant that was made before a name was imported anew has what the name meant then."""
    cell("a", "from math import floor as f\nrounded = f(1.5)\ng = f\nfrom math import ceil as f\n")
    task(cell, "(g(1.5), f(1.5))")
    module = bundle().module
    assert module.index("floor as f") < module.index("g = f") < module.index("ceil as f")


def test_texts_of_indented_tasks_stay_as_they_are(cell: Cell) -> None:
    """What stands in a string over several lines is not moved to the left, nor keeps the rest from it."""
    cell("a", "if True:\n    @env.task\n  # odd\n    async def train() -> str:\n        return '''a\n    b\nc'''\n")
    module = bundle().module
    compile(module, "ml.py", "exec")
    assert "\nasync def train() -> str:\n    return '''a\n    b\nc'''" in module


@pytest.mark.parametrize("name", ["env", "flyte"])
def test_names_of_the_module_itself_cannot_be_used(cell: Cell, name: str) -> None:
    """A constant called `env` would hide the environment in its module; the refusal says to rename it."""
    cell("a", f"training = env\n{name} = 'prod'\n")
    cell("b", f"@training.task\nasync def train() -> str:\n    return {name}\n")
    with pytest.raises(HiddenDependencyError, match=f"uses `{name}`.*Give it another name"):
        bundle()


def test_long_chains_of_constants_and_changes_are_followed(cell: Cell) -> None:
    """A thousand constants that are made of each other, or changes of one, need no deep recursion."""
    cell("a", "c0 = 1\n" + "\n".join(f"c{number + 1} = c{number} + 1" for number in range(1000)))
    cell("b", "xs = []\n" + "xs.append(1)\n" * 500)
    task(cell, "c1000 + len(xs)")
    assert bundle().module.count("xs.append(1)") == 500


def test_code_that_is_nested_too_deeply_is_refused_in_one_line(cell: Cell) -> None:
    """Python can compile what cannot be taken apart; that is said, and stops no other environment."""
    cell("a", "total = " + " + ".join(["1"] * 400))
    task(cell, "total")
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 300)
    try:
        found, refused = session().bundles(["ml"])
    finally:
        sys.setrecursionlimit(limit)
    assert not found
    assert isinstance(refused["ml"], SourceTooDeepError)
    assert "\n" not in str(refused["ml"])


VALUES = st.integers(0, 9)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=st.tuples(*[VALUES] * 7), after=st.tuples(*[VALUES] * 7))
def test_fingerprints_differ_if_and_only_if_something_used_does(
    cell: Cell, before: tuple[int, ...], after: tuple[int, ...]
) -> None:
    """Every token of a used definition, default, change or decorator counts, and none of what is not used."""
    seen = []
    for a, b, c, d, e, f, unused in (before, after):
        flyte_nb.reset()
        cell("setup", SETUP)
        cell("a", f"# {unused}\nH = {{'x': {a}}}\nH['y'] = {b}\nother = {unused}\ndef idle(): return {unused}\n")
        cell("b", f"def add(f):\n    H[{c}] = f\n    return f\n@add\ndef part(v={d}): return v + {e}\n")
        cell("c", f"@env.task\nasync def train() -> str:\n    return str((H, {f}))  # {unused}\n")
        seen.append(bundle().fingerprint)
    assert (seen[0] == seen[1]) is (before[:-1] == after[:-1])
