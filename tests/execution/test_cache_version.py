"""A result is reused as long as neither the code of its task nor anything that the code uses has changed."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import flyte_nb as flyte
from flyte_nb import libraries
from flyte_nb.errors import UncacheableGlobalError
from flyte_nb.execution.caching.key import task_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Notebook:
    """Cells that run one after the other in one namespace, as in a kernel."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {"__name__": "__main__", "flyte": flyte}
        self.run("import functools, json, threading\nenv = flyte.TaskEnvironment('ml')")

    def run(self, cell: str) -> None:
        exec(compile(cell, "<cell>", "exec", dont_inherit=True), self.names)  # noqa: S102 - what a kernel does

    def version(self, task: str = "work") -> str:
        return task_version(self.names[task])


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


WORK = """
@env.task
def work(x: int = 1) -> int:
    return helper(x) + {}
"""

# What is defined first, and what changes.
SAME = [
    ("from random import random\ndef helper(x): return random()", "random()"),
    ("from random import randint\ndef helper(x): return randint(1, 9)", "randint(1, 9)"),
    ("from numpy.random import rand\ndef helper(x): return rand()", "rand()"),
    (
        "def deco(f):\n    @functools.wraps(f)\n    def g(x): return f(x)\n    return g\n"
        "@deco\ndef helper(x): return x",
        "unused = helper(1)",
    ),
    ("def helper(x): return x", "def helper(x):\n    # says nothing\n\n    return (x)"),
    ("def helper(x): return x", "def helper(x):\n    'What it does.'\n    return x"),
    ("def helper(x):\n    'One.'\n    return x", "def helper(x):\n    '''Two.'''\n\n    return x"),
    ("def helper(x): return x", "def helper(x): return x\nunused = 2\ndef other(): ..."),
    ("def helper(x): return x", "def helper(x: int) -> int: return x"),
    ("class A:\n    a = 1\ndef helper(x): return A().a", "class A:\n    # says nothing\n    a = 1"),
    ("limits = {'a', 'b', 'c'}\ndef helper(x): return limits", "limits = {'c', 'b', 'a'}"),
    ("def helper(x): return env", "env = flyte.TaskEnvironment('ml', image='other:1')"),
    ("import logging\nlog = logging.getLogger('a')\ndef helper(x): log.info(x)", "log = logging.getLogger('a')"),
    ("def get_ipython(): ...\ndef helper(x): return get_ipython()", "get_ipython = lambda: 3"),
    ("lock = threading.Lock()\ndef helper(x):\n    with lock: return x", "lock = threading.Lock(); lock.acquire()"),
    ("import asyncio\nturn = asyncio.Semaphore(2)\ndef helper(x): return turn", "asyncio.run(turn.acquire())"),
    ("from os import environ\ndef helper(x): return environ['HOME']", "environ['FLYTE_NB_TEST'] = 'x'"),
]
CHANGED = [
    ("def helper(x): return x", "def helper(x): return x + 1"),
    ("def helper(x): return x", "def helper(x): return -x"),
    ("def helper(x): return x", "def helper(x, y=1): return x"),
    ("def helper(x, y=1): return y", "def helper(x, y=2): return y"),
    ("def helper(x, *, y=1): return y", "def helper(x, *, y=2): return y"),
    ("def helper(x): return x", "async def helper(x): return x"),
    ("def helper(x): return x", "helper = max"),
    ("helper = lambda x: x", "helper = lambda x: 2 * x"),
    ("rate = 1\ndef helper(x): return rate", "rate = 2"),
    ("rate = 1\ndef helper(x): return rate", "rate = True"),
    ("rate = 1\ndef helper(x): return rate", "del rate"),
    ("def helper(x): return len(x)", "def len(x): return 3"),
    ("rates = {'a': [1]}\ndef helper(x): return rates", "rates['a'].append(2)"),
    ("def inner(x): return x\ndef helper(x): return inner(x)", "def inner(x): return 2 * x"),
    ("def inner(x): return x\ndef helper(x): return [inner(y) for y in x]", "def inner(x): return 2 * x"),
    ("def inner(x): return x\ndef helper(x): return lambda: inner(x)", "def inner(x): return 2 * x"),
    ("def a(x): return b(x)\ndef b(x): return a(x)\nhelper = a", "def b(x): return a(x + 1)"),
    ("def f(x): return table\ntable = {'f': f}\nhelper = f", "table['g'] = lambda x: 1"),
    ("def f(x): return 1\ndef helper(x): return table['f'](x)\ntable = {'f': f, 'h': helper}", "table['f'] = max"),
    ("class A:\n    def go(self): return 1\ndef helper(x): return A().go()", "class A:\n    def go(self): return 2"),
    ("class A:\n    a = 1\ndef helper(x): return A.a", "class A:\n    a = 2"),
    ("class A:\n    a = 1\nclass B(A): ...\ndef helper(x): return B.a", "class A:\n    a = 2\nclass B(A): ..."),
    ("class A:\n    @property\n    def a(self): return 1\ndef helper(x): return A().a", "A.a = property(lambda s: 2)"),
    ("class A:\n    @staticmethod\n    def a(): return 1\ndef helper(x): return A.a()", "A.a = staticmethod(max)"),
    ("class A:\n    def __init__(self): self.a = 1\na = A()\ndef helper(x): return a.a", "a.a = 2"),
    ("class A:\n    def go(self): return 1\na = A()\ndef helper(x): return a.go()", "A.go = lambda self: 2"),
    ("from enum import Enum\nclass A(Enum):\n    X = 1\ndef helper(x): return A.X", "class A(Enum):\n    X = 2"),
    (
        "from dataclasses import dataclass, field\n@dataclass\nclass A:\n    a: list = field(default_factory=list)\n"
        "def helper(x): return A()",
        "@dataclass\nclass A:\n    a: list = field(default_factory=dict)",
    ),
    (
        "from pydantic import BaseModel, Field\nclass A(BaseModel):\n    a: int = Field(1, ge=0)\n"
        "def helper(x): return A()",
        "class A(BaseModel):\n    a: int = Field(1, ge=1)",
    ),
    ("@env.task\ndef helper(x): return x", "@env.task\ndef helper(x): return -x"),
    ("@env.task\ndef other(x): return x\ndef helper(x): return other(x)", "@env.task\ndef other(x): return -x"),
    ("def twice(f): return lambda x: f(f(x))\n@twice\ndef helper(x): return x", "helper = twice(lambda x: x + 1)"),
    (
        "def twice(f):\n    @functools.wraps(f)\n    def g(x): return f(f(x))\n    return g\n"
        "@twice\ndef helper(x): return x",
        "@twice\ndef helper(x): return x + 1",
    ),
    ("@functools.cache\ndef helper(x): return x", "@functools.cache\ndef helper(x): return x + 1"),
    (
        "from contextlib import contextmanager\n@contextmanager\ndef helper(x): yield 1",
        "@contextmanager\ndef helper(x): yield 2",
    ),
    (
        "@functools.singledispatch\ndef helper(x): return 1\nhelper.register(int)(lambda x: 2)",
        "helper.register(str)(lambda x: 3)",
    ),
    ("def f(x): return x\nhelper = functools.partial(f, 1)", "helper = functools.partial(f, 2)"),
    ("def helper(x): return json.dumps(x)", "import pickle as json"),
    ("from dataclasses import make_dataclass as m\nA = m('A', ['a'])\ndef helper(x): return A", "A = m('A', ['b'])"),
    (
        "from pydantic import create_model as m\nA = m('A', a=(int, 1))\ndef helper(x): return A()",
        "A = m('A', a=(int, 2))",
    ),
    (
        "@env.task\ndef other(x): return x\n"
        "def helper(x):\n    return get_ipython().run_line_magic('flyte_run', 'other(x)')",
        "@env.task\ndef other(x): return -x",
    ),
    ("def helper(x): return helper.rate * x\nhelper.rate = 1", "helper.rate = 2"),
    ("def f(x): return f\nf.rate = 1\ndef helper(x): return f(x).rate", "f.rate = 2"),
    (
        "class A:\n    @functools.lru_cache\n    def __call__(self): return 1\ndef helper(x): return A()()",
        "class A:\n    @functools.lru_cache\n    def __call__(self): return 2",
    ),
    (
        "class A:\n    __call__ = functools.partialmethod(lambda self, x: x, 1)\ndef helper(x): return A()()",
        "class A:\n    __call__ = functools.partialmethod(lambda self, x: x, 2)",
    ),
    (
        "from typing import Annotated\nfrom pydantic import AfterValidator, BaseModel\ndef check(v): return v * 2\n"
        "class A(BaseModel):\n    a: Annotated[int, AfterValidator(check)] = 1\ndef helper(x): return A(a=x).a",
        "def check(v): return v * 3\nclass A(BaseModel):\n    a: Annotated[int, AfterValidator(check)] = 1",
    ),
    (
        "from typing import Annotated\nfrom pydantic import AfterValidator, BaseModel\ndef check(v): return v * 2\n"
        "class A(BaseModel):\n    a: list[Annotated[int, AfterValidator(check)]]\ndef helper(x): return A(a=[x]).a",
        "def check(v): return v * 3\nclass A(BaseModel):\n    a: list[Annotated[int, AfterValidator(check)]]",
    ),
    (
        "from typing import Annotated\nfrom dataclasses import dataclass\ndef check(v): return v * 2\n"
        "@dataclass\nclass A:\n    a: list[Annotated[int, check]]\ndef helper(x): return A([x])",
        "def check(v): return v * 3\n@dataclass\nclass A:\n    a: list[Annotated[int, check]]",
    ),
    (
        "from pydantic import BaseModel, Field\ndef make(): return 2\n"
        "class A(BaseModel):\n    a: int = Field(default_factory=make)\ndef helper(x): return A().a",
        "def make(): return 3\nclass A(BaseModel):\n    a: int = Field(default_factory=make)",
    ),
    (
        "from pydantic import BaseModel, PrivateAttr\ndef make(): return 2\n"
        "class A(BaseModel):\n    _a: int = PrivateAttr(default_factory=make)\ndef helper(x): return A()._a",
        "def make(): return 3\nclass A(BaseModel):\n    _a: int = PrivateAttr(default_factory=make)",
    ),
    (
        "from pydantic import BaseModel\nclass B(BaseModel):\n    b: int = 1\n    def go(self): return 1\n"
        "class A(BaseModel):\n    a: list[B]\ndef helper(x): return A(a=[{}]).a[0].go()",
        "class B(BaseModel):\n    b: int = 1\n    def go(self): return 2\nclass A(BaseModel):\n    a: list[B]",
    ),
    (
        "from pydantic import BaseModel, field_validator\n"
        "class A(BaseModel):\n    a: int\n    @field_validator('a')\n    def check(cls, v): return v\n"
        "def helper(x): return A(a=x)",
        "class A(BaseModel):\n    a: int\n    @field_validator('a')\n    def check(cls, v): return v + 1",
    ),
    (
        "from typing import Optional\nfrom pydantic import BaseModel\n"
        "class A(BaseModel):\n    a: Optional['A'] = None\ndef helper(x): return A()",
        "class A(BaseModel):\n    a: Optional['A'] = None\n    b: Optional['Unknown'] = None",
    ),
    ("import contextvars\nv = contextvars.ContextVar('v')\nv.set(1)\ndef helper(x): return v.get()", "v.set(2)"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after"), SAME)
def test_what_makes_no_difference(notebook: Notebook, monkeypatch: pytest.MonkeyPatch, before: str, after: str) -> None:
    """Comments, layout, docstrings, annotations of helpers, order of sets, locks and what is not used do not count."""
    monkeypatch.setenv("FLYTE_NB_TEST", "")
    notebook.run(before + WORK.format(1))
    version = notebook.version()
    notebook.run(after)
    assert notebook.version() == version


@pytest.mark.parametrize(("before", "after"), CHANGED)
def test_what_is_used_counts(notebook: Notebook, before: str, after: str) -> None:
    """A change of anything that the task uses, however far, is another version, though its cell did not run again."""
    notebook.run(before + WORK.format(1))
    version = notebook.version()
    assert notebook.version() == version
    notebook.run(after)
    assert notebook.version() != version


@pytest.mark.parametrize(("before", "after"), [*SAME, *CHANGED])
def test_versions_outlive_the_session(before: str, after: str) -> None:
    """The same cells in a new session give the same version."""
    del after
    versions = set()
    for _ in range(2):
        notebook = Notebook()
        notebook.run(before + WORK.format(1))
        versions.add(notebook.version())
    assert len(versions) == 1


@pytest.mark.parametrize("changed", [WORK.format(2), WORK.format(1).replace("= 1", "= 2"), WORK.format("True")])
def test_the_task_itself_counts(notebook: Notebook, changed: str) -> None:
    """Its code and its defaults, but not the lines on which it stands."""
    notebook.run("def helper(x): return x" + WORK.format(1))
    version = notebook.version()
    notebook.run("\n\n\n# moved" + WORK.format(1))
    assert notebook.version() == version
    notebook.run(changed)
    assert notebook.version() != version


def test_a_docstring_that_is_used_counts(notebook: Notebook) -> None:
    """A docstring that is a constant of the code as well makes a difference as such."""
    notebook.run("def helper(x):\n    'a'\n    return 'a'" + WORK.format(1))
    version = notebook.version()
    notebook.run("def helper(x):\n    'b'\n    return 'b'")
    assert notebook.version() != version


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Write a module of the user, and load it again if it is loaded."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    written = set()

    def write(name: str, source: str, *, reload: bool = True) -> None:
        path = tmp_path / f"{name.replace('.', '/')}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(source, encoding="utf-8")
        importlib.invalidate_caches()
        written.add(name.partition(".")[0])
        if reload and name in sys.modules:
            importlib.reload(sys.modules[name])

    yield write
    for name in [name for name in sys.modules if name.partition(".")[0] in written]:
        del sys.modules[name]


USES_OF_A_MODULE = [
    "import mine\ndef helper(x): return mine.f(x)",
    "from mine import f\ndef helper(x): return f(x)",
    "import mine\ndef helper(x): return getattr(mine, 'f')(x)",
    "def helper(x):\n    import mine\n    return mine.f(x)",
    "def helper(x):\n    from mine import f\n    return f(x)",
    "import mine\ndef helper(x): return mine.inner.g(x)",
    "def helper(x):\n    import other\n    return other.mine.f(x)",
]


@pytest.mark.parametrize("use", USES_OF_A_MODULE)
def test_modules_of_the_user_count(notebook: Notebook, module: Callable[..., None], use: str) -> None:
    """A module beside the notebook counts by what is used of it, and as a whole where that cannot be told."""
    module("inner", "def g(x): return 1\n")
    module("mine", "import inner\ndef f(x): return inner.g(x)\n")
    module("other", "import mine\n")
    notebook.run(use + WORK.format(1))
    version = notebook.version()
    module("mine", "# says nothing\nimport inner\ndef f(x): return inner.g(x)\n")
    assert notebook.version() == version
    module("inner", "def g(x): return 22\n")
    notebook.run(use)
    assert notebook.version() != version


def test_an_unused_part_of_a_module_does_not_count(notebook: Notebook, module: Callable[..., None]) -> None:
    """Where the code says what it takes from a module, the rest may change."""
    module("mine", "def f(x): return 1\n")
    notebook.run("import mine\ndef helper(x): return mine.f(x)" + WORK.format(1))
    version = notebook.version()
    module("mine", "def f(x): return 1\ndef other(): ...\n")
    assert notebook.version() == version


@pytest.mark.parametrize("use", USES_OF_A_MODULE)
def test_what_was_edited_and_not_loaded_does_not_count(
    notebook: Notebook, module: Callable[..., None], use: str
) -> None:
    """An edited file counts when it is loaded again: until then, the old code runs, whenever it is looked at first."""
    module("inner", "def g(x): return 1\n")
    module("mine", "import inner\ndef f(x): return inner.g(x)\n")
    module("other", "import mine\n")
    importlib.import_module("other")
    notebook.run(use + WORK.format(1))
    module("inner", "def g(x): return 2222\n", reload=False)
    edited = notebook.version()
    module("inner", "def g(x): return 1\n", reload=False)
    assert notebook.version() == edited
    module("inner", "def g(x): return 2222\n")
    assert notebook.version() != edited


@pytest.mark.parametrize(
    "use",
    [
        "import mine\ndef helper(x): return mine.rate * x",
        "def helper(x):\n    import mine\n    return mine.rate * x",
        "def helper(x):\n    import mine as m\n    return m.rate * x",
        "def helper(x):\n    import mine\n    return lambda y: mine.rate * y",
        "def helper(x):\n    import mine\n    return vars(mine)",
        "def helper(x):\n    from mine import rate\n    return rate * x",
        "def helper(x):\n    import mine, pack.deep as d\n    a, b = mine, d\n    return a.rate",
        "def helper(x):\n    import pack.deep\n    return pack.deep.mine.rate",
        "def helper(x):\n    import pack.deep as d\n    return d.mine.rate",
        "def helper(x):\n    from pack import deep\n    return deep.mine.rate",
        "def helper(x):\n    def inner():\n        import mine\n        return mine.rate\n    return inner()",
    ],
)
def test_what_is_changed_in_a_module_counts(notebook: Notebook, module: Callable[..., None], use: str) -> None:
    """A module counts as it is now, not as it was written, wherever it is imported."""
    module("mine", "rate = 1\nlock = None\n")
    module("pack.__init__", "")
    module("pack.deep", "import mine\n")
    notebook.run(use + WORK.format(1))
    version = notebook.version()
    notebook.names["helper"](1)
    assert notebook.version() == version
    sys.modules["mine"].rate = 100  # type: ignore[attr-defined]
    assert notebook.version() != version


def test_only_what_is_read_of_an_import_counts(notebook: Notebook, module: Callable[..., None]) -> None:
    """Also of a module that the code imports while it runs: the rest may be what cannot be compared."""
    module("mine", "def f(x): return 1\nnumbers = (n for n in ())\n")
    notebook.run("def helper(x):\n    import mine\n    return mine.f(x)" + WORK.format(1))
    version = notebook.version()
    sys.modules["mine"].other = 2  # type: ignore[attr-defined]
    assert notebook.version() == version
    notebook.run("def helper(x):\n    import mine\n    return vars(mine)")
    with pytest.raises(UncacheableGlobalError, match=r"uses `mine.numbers` \(generator\)"):
        notebook.version()


def test_modules_that_import_each_other(notebook: Notebook, module: Callable[..., None]) -> None:
    """They are looked at once each."""
    module("mine", "import other\n")
    module("other", "import mine\nrate = 1\n")
    notebook.run("import mine\ndef helper(x): return getattr(mine, 'other')" + WORK.format(1))
    version = notebook.version()
    sys.modules["other"].rate = 2  # type: ignore[attr-defined]
    assert notebook.version() != version


@pytest.mark.parametrize("source", [None, "raise ValueError", "raise SystemExit"])
def test_what_cannot_be_imported(notebook: Notebook, module: Callable[..., None], source: str | None) -> None:
    """An import that fails is the task's own affair; once it works, that is another version."""
    if source:
        module("mine", source)
    notebook.run("def helper(x):\n    import mine\n    return mine" + WORK.format(1))
    version = notebook.version()
    assert notebook.version() == version
    module("mine", "# now there\n")
    assert notebook.version() != version


def test_whether_a_module_is_loaded_yet_makes_no_difference(notebook: Notebook, module: Callable[..., None]) -> None:
    """What a task imports while it runs counts the same before and after its first run, packages too."""
    module("pack.__init__", "from . import part\n")
    module("pack.part", "import pack.deep\n")
    module("pack.deep", "value = 1\n")
    notebook.run("def helper(x):\n    from pack import part\n    return 1" + WORK.format(1))
    assert "pack" not in sys.modules
    version = notebook.version()
    notebook.names["helper"](1)
    assert "pack.deep" in sys.modules
    assert notebook.version() == version


USES_OF_A_LIBRARY = [
    "import pydantic\ndef helper(x): return pydantic.TypeAdapter(int)",
    "def helper(x):\n    import pydantic\n    return pydantic.TypeAdapter(int)",
    "def helper(x):\n    from pydantic.fields import FieldInfo\n    return FieldInfo",
]


@pytest.mark.parametrize("use", USES_OF_A_LIBRARY)
def test_libraries_count_by_their_version(notebook: Notebook, monkeypatch: pytest.MonkeyPatch, use: str) -> None:
    """Another version of an installed package is another version of what uses it, wherever it is imported."""
    import pydantic

    notebook.run(use + WORK.format(1))
    version = notebook.version()
    monkeypatch.setattr(pydantic, "__version__", "99")
    assert notebook.version() != version


def _install(folder: Path, name: str, version: str, package: str) -> None:
    for old in folder.glob("*.dist-info"):
        shutil.rmtree(old)
    facts = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    facts.mkdir(parents=True)
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (facts / "top_level.txt").write_text(package)
    (folder / f"{package}.py").write_text("def f(x): return x\n")
    importlib.invalidate_caches()


@pytest.mark.parametrize("name", ["libquiet", "dist-of-libquiet"])
def test_libraries_that_do_not_say_their_version(
    notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """What was installed says it, for a library that is not loaded yet; that of one that is stays what it was."""
    folder = tmp_path / "site-packages"
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    libraries.distributions.cache_clear()
    libraries._loaded_version.cache_clear()
    notebook.run("def helper(x):\n    import libquiet\n    return libquiet.f(x)" + WORK.format(1))
    versions = []
    try:
        for number in ("1.0", "2.0"):
            _install(folder, name, number, "libquiet")
            versions.append(notebook.version())
        assert "libquiet" not in sys.modules
        notebook.names["helper"](1)
        versions.append(notebook.version())
        _install(folder, name, "3.0", "libquiet")
        versions.append(notebook.version())
    finally:
        sys.modules.pop("libquiet", None)
        libraries.distributions.cache_clear()
        libraries._loaded_version.cache_clear()
    assert versions[0] != versions[1] == versions[2] == versions[3]


def test_a_library_in_a_folder_that_others_share(
    notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A package without a file of its own is a library where it lies among libraries, loaded or not."""
    inner = tmp_path / "site-packages" / "shared_space" / "inner"
    inner.mkdir(parents=True)
    (inner / "__init__.py").write_text("numbers = (n for n in ())\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site-packages"))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    try:
        notebook.run("def helper(x):\n    import shared_space.inner as i\n    return i" + WORK.format(1))
        version = notebook.version()
        importlib.import_module("shared_space")
        assert notebook.version() == version
        assert "shared_space.inner" not in sys.modules
        notebook.names["helper"](1)
        assert notebook.version() == version
    finally:
        for name in ("shared_space", "shared_space.inner"):
            sys.modules.pop(name, None)


def test_a_submodule_that_is_imported_from_its_package(notebook: Notebook, module: Callable[..., None]) -> None:
    """Relative imports in functions of packages are followed, too."""
    module("pack.__init__", "")
    module("pack.part", "def f(x):\n    from . import deep\n    return deep.value\n")
    module("pack.deep", "value = 1\n")
    notebook.run("from pack.part import f\ndef helper(x): return f(x)" + WORK.format(1))
    version = notebook.version()
    assert notebook.version() == version
    sys.modules["pack.deep"].value = 2  # type: ignore[attr-defined]
    assert notebook.version() != version


COMPILED = """
import sys
import flyte_nb as flyte
from flyte_nb.execution.caching.key import task_version
sys.path.insert(0, sys.argv[1])
env = flyte.TaskEnvironment("ml")
exec(sys.argv[2])
@env.task
def work(x: int = 1) -> int: return helper(x)
print(task_version(work))
assert "xxlimited" not in sys.modules or sys.modules["xxlimited"].__file__.startswith(sys.argv[1])
"""


@pytest.mark.parametrize(
    "use",
    [
        "import xxlimited\ndef helper(x): return xxlimited.foo(x, x)",
        "from xxlimited import foo\ndef helper(x): return foo(x, x)",
        "from xxlimited import Str\ndef helper(x): return Str",
        "def helper(x):\n    import xxlimited\n    return xxlimited.foo(x, x)",
        "def helper(x):\n    import xxlimited\n    return vars(xxlimited)",
    ],
)
def test_what_the_user_compiled_counts_by_its_file(tmp_path: Path, use: str) -> None:
    """A module that was built anew is another version."""
    example = find_spec("xxlimited")  # comes with most Pythons, as an example of how one is compiled
    if not example or not example.origin:
        pytest.skip("this Python comes without a compiled example")
    built = Path(example.origin)
    versions = []
    for more in (b"", b"", b"built anew"):
        (tmp_path / built.name).write_bytes(built.read_bytes() + more)
        command = [sys.executable, "-c", COMPILED, str(tmp_path), use]
        versions.append(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert versions[0] == versions[1] != versions[2]


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("numbers = (n for n in ())\ndef helper(x): return numbers", "`numbers` in `helper`"),
        ("numbers = {'a': [(n for n in ())]}\ndef helper(x): return numbers", "`numbers` in `helper`"),
        ("class A:\n    numbers = (n for n in ())\ndef helper(x): return A", "`A.numbers`"),
        ("def make(numbers): return lambda x: numbers\nhelper = make((n for n in ()))", "`numbers` in `<lambda>`"),
        ("def helper(x, numbers=(n for n in ())): return numbers", "the defaults of `helper`"),
    ],
)
def test_what_cannot_be_compared_is_named(notebook: Notebook, cell: str, name: str) -> None:
    """A global without content is refused in one line that names it and says what to do."""
    notebook.run(cell + WORK.format(1))
    with pytest.raises(UncacheableGlobalError) as caught:
        notebook.version()
    message = str(caught.value)
    assert message.startswith(f"ml.work uses {name} (generator), which cannot be part of a cache key: ")
    assert 'Cache("override", version_override="1")' in message
    assert "\n" not in message
