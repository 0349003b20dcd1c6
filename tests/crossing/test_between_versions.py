"""Values cross between real environments, with other versions of Python and of libraries, in both directions."""

from __future__ import annotations

import pathlib
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from flyte_nb.errors import CannotCrossError, RemoteError
from tests.crossing import user_code
from tests.crossing.foreign import Foreign
from tests.crossing.sides import knowing
from tests.crossing.test_numpy_values import ARRAYS
from tests.crossing.test_numpy_values import SCALARS as NUMPY_SCALARS
from tests.crossing.test_pandas_values import COLUMNS, INDEXES
from tests.crossing.test_pandas_values import SCALARS as PANDAS_SCALARS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.crossing.foreign import Environments

pytestmark = pytest.mark.slow

KERNEL = knowing(user_code)
HAS_ARROW = "import importlib.util\ndef f(_): return importlib.util.find_spec('pyarrow') is not None"
VERSION = "import pandas\ndef f(_): return pandas.__version__"
SAME = "def f(value): return value"

PANDAS = {
    "pandas 1.5": ("3.11", "pandas==1.5.3", "numpy==1.24.4"),
    "pandas 2.2": ("3.12", "pandas==2.2.3", "numpy==1.26.4"),
    "pandas 2.3 on Python 3.10": ("3.10", "pandas==2.3.3", "numpy==2.2.6"),
    "pandas 3 on Python 3.13": ("3.13", "pandas>=3", "numpy>=2.3", "pyarrow", "polars", "pydantic", "attrs"),
}


@pytest.fixture(scope="module", params=PANDAS)
def there(request: pytest.FixtureRequest, environments: Environments) -> Iterator[Foreign]:
    """A process with another pandas."""
    python, *packages = PANDAS[request.param]
    process = Foreign(environments.python(python, *packages), KERNEL)
    yield process
    process.close()


@pytest.fixture(scope="module")
def bare(environments: Environments) -> Iterator[Foreign]:
    """A process without any library."""
    process = Foreign(environments.python("3.10"), KERNEL)
    yield process
    process.close()


def test_only_flyte_nb_is_lent(bare: Foreign) -> None:
    """An environment has its own libraries only."""
    found = bare.call(
        "import importlib.util\ndef f(names): return [name for name in names if importlib.util.find_spec(name)]",
        ["flyte_nb", "numpy", "pytest", "tblib", "json"],
    )
    assert found == ["flyte_nb", "json"]


def test_plain_values_cross_to_other_versions_of_python(bare: Foreign) -> None:
    """So do those whose pickles differ."""
    value = [pathlib.Path("/a"), re.compile("a", re.IGNORECASE), re.IGNORECASE, pathlib.PosixPath, {"a": [1, (2,)]}]
    assert bare.call(SAME, value) == value


def test_values_of_newer_versions_of_python_arrive(environments: Environments) -> None:
    """Python 3.13 keeps its paths in a private module."""
    newer = Foreign(environments.python("3.13"), KERNEL)
    try:
        value = newer.call("import pathlib, re\ndef f(_): return [pathlib.Path('/a'), re.compile('a'), pathlib.Path]")
    finally:
        newer.close()
    assert value == [pathlib.Path("/a"), re.compile("a"), pathlib.Path]


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: f"{type(array).__name__} {array.dtype}")
def test_arrays_cross_between_versions_of_numpy(there: Foreign, array: Any) -> None:
    """An array is the same there, and when it is back."""
    described = there.call("def f(a): return [a.dtype.str, a.shape, a.flags.writeable]", array)
    assert described == [array.dtype.str, array.shape, True]
    if not array.dtype.hasobject:
        assert there.call("def f(a): return a.tobytes()", array) == array.tobytes()
    back = there.call(SAME, array)
    assert back.dtype == array.dtype
    assert repr(back.tolist()) == repr(array.tolist())


def test_large_arrays_are_not_copied_on_arrival(there: Foreign) -> None:
    """A large array there lies in mapped memory, and what is written there is not seen here."""
    array = np.zeros(1_000_000)
    code = "def f(a):\n while getattr(a, 'base', None) is not None: a = a.base\n return type(a).__name__"
    assert there.call(code, array) == "memoryview"
    assert there.call("def f(a):\n a += 1\n return a", array).sum() == 1_000_000
    assert array.sum() == 0


def test_scalars_cross_between_versions(there: Foreign) -> None:
    """Scalars of numpy and pandas are the same there, and when they are back."""
    for scalar in [*NUMPY_SCALARS, *PANDAS_SCALARS]:
        back = there.call(SAME, scalar)
        assert back == scalar
        assert type(back) is type(scalar)
    assert there.call(SAME, [pd.NaT, pd.NA])[1] is pd.NA


def told(series: Any) -> str:
    """Return what a series holds, without its type."""
    return repr(
        [None if missing else value for value, missing in zip(series.astype(object), series.isna(), strict=True)]
    )


# The same, for the other side.
TOLD = "def f(s): return repr([None if m else v for v, m in zip(s.astype(object), s.isna())])"


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_cross_between_versions_of_pandas(there: Foreign, name: str) -> None:
    """A column has the same values there and when it is back; what the other version lacks becomes the nearest type."""
    sent = pd.Series(COLUMNS[name], name=name)
    if name == "arrow" and not there.call(HAS_ARROW):
        with pytest.raises(CannotCrossError, match="it needs pyarrow"):
            there.call(SAME, sent)
        return
    back = there.call(SAME, sent)
    assert told(back) == told(sent)
    assert (back.name, back.dtype.kind) == (name, sent.dtype.kind)
    if not name.startswith("complex"):
        assert there.call(TOLD, sent).replace("np.", "") == there.call(TOLD, back).replace("np.", "")
    if there.call(VERSION) == pd.__version__ and there.call(HAS_ARROW):
        pd.testing.assert_series_equal(back, sent)


@pytest.mark.parametrize("index", INDEXES, ids=lambda index: f"{type(index).__name__} {index.dtype}")
def test_indexes_cross_between_versions_of_pandas(there: Foreign, index: Any) -> None:
    """An index has the same values and names there, and when it is back its frequency too."""
    frame = pd.Series(range(len(index)), index=index, dtype="int64").to_frame("a")
    code = "def f(frame): return [type(frame.index).__name__, str(list(frame.index)), list(frame.index.names)]"
    kind, values, names = there.call(code, frame)
    assert kind.replace("Int64Index", "Index").replace("Float64Index", "Index") == type(index).__name__
    assert names == list(index.names)
    back = there.call(SAME, frame).index
    assert repr(back.tolist()) == repr(index.tolist())
    assert there.call(code, back.to_frame(name="a" if back.nlevels == 1 else ["a", "b"]))[1] == values
    assert getattr(back, "freq", None) == getattr(index, "freq", None)


def test_frames_made_there_arrive_here(there: Foreign) -> None:
    """A frame that the other version has made and worked on has its types here."""
    code = """
import pandas as pd, numpy as np
def f(_):
    frame = pd.DataFrame({"t": pd.date_range("2020", periods=4, freq="D", tz="UTC"), "k": ["a", "b", "a", None],
                          "v": [1.5, 2, np.nan, 4], "c": pd.Categorical(list("xyxy")),
                          "i": pd.array([1, None, 3, 4], "Int64")})
    grouped = frame.groupby(["k", "c"], observed=True)["v"].sum()
    return frame, grouped, frame.set_index("t"), frame.describe()
"""
    frame, grouped, indexed, summary = there.call(code)
    assert frame["v"].sum() == 7.5
    assert frame["k"].isna().tolist() == [False, False, False, True]
    assert frame["c"].cat.categories.tolist() == ["x", "y"]
    assert frame["i"].sum() == 8
    assert isinstance(grouped.index, pd.MultiIndex)
    assert grouped.to_dict() == {("a", "x"): 1.5, ("b", "y"): 2.0}
    assert str(indexed.index.tz) == "UTC"
    assert summary.loc["mean", "v"] == 2.5


def test_what_the_other_side_lacks_is_named(bare: Foreign) -> None:
    """An environment without the library of a value says which it needs."""
    with pytest.raises(CannotCrossError, match=r"numpy, which cannot be imported in the worker of 'there'"):
        bare.call(SAME, np.zeros(3))


def test_models_cross_to_environments_without_pydantic(bare: Foreign) -> None:
    """Models, records and attrs are their fields where their libraries are not."""
    value = [user_code.Model(size=3), user_code.Settings(1, {}), user_code.Config(0.5), user_code.Row(1, 2)]
    assert bare.call("def f(v): return [v[0].size, v[1].depth, v[2].rate, v[3].right]", value) == [3, 1, 0.5, 2]
    assert bare.call(SAME, value) == value


@pytest.mark.parametrize("packages", [["pydantic==1.10.19"], ["pydantic==2.4.0"]], ids=" ".join)
def test_models_cross_between_versions_of_pydantic(environments: Environments, packages: list[str]) -> None:
    """A model is one of the class that has its name there, without being validated again."""
    process = Foreign(environments.python("3.11", *packages), KERNEL)
    code = """
import pydantic
class Model(pydantic.BaseModel):
    size: int
    label: str = "none"
    _seen: int = pydantic.PrivateAttr(default=0)
def f(model):
    assert isinstance(model, Model), type(model)
    model.label = f"{model.size} {model._seen}"
    return model
"""
    model = user_code.Model.model_construct(size=-1)
    model._seen = 7
    try:
        back = process.call(code, model)
    finally:
        process.close()
    assert isinstance(back, user_code.Model)
    assert (back.size, back.label, back._seen) == (-1, "-1 7", 7)
    assert back.model_fields_set == {"size", "label"}


def test_classes_made_there_are_those_here(bare: Foreign) -> None:
    """A record, an enumeration and a named tuple of an older Python become those of this one."""
    code = """
import dataclasses, enum
from typing import NamedTuple
@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    name: str
    inner: object = None
class Access(enum.Flag):
    READ = 1
    WRITE = 2
class Row(NamedTuple):
    left: int
    right: int
def f(value):
    assert value == Frozen("sent", Access.WRITE), value
    return Frozen("a", [Access.READ | Access.WRITE, Row(1, 2)])
"""
    arrived = bare.call(code, user_code.Frozen("sent", user_code.Access.WRITE))
    assert arrived == user_code.Frozen("a", [user_code.Access.READ | user_code.Access.WRITE, user_code.Row(1, 2)])


def test_another_scikit_learn_is_refused_with_both_versions(environments: Environments) -> None:
    """What a library pickles itself is not opened by another version of it."""
    linear_model = pytest.importorskip("sklearn.linear_model")
    process = Foreign(environments.python("3.11", "scikit-learn==1.5.2", "numpy==1.26.4"), KERNEL)
    try:
        with pytest.raises(
            CannotCrossError, match=r"scikit-learn .* in the kernel, and the worker of 'there' has 1\.5\.2"
        ):
            process.call(SAME, {"model": linear_model.LinearRegression()})
        with pytest.raises(
            CannotCrossError, match=r"scikit-learn 1\.5\.2 in the worker of 'there', and the kernel has"
        ):
            process.call("from sklearn.svm import SVC\ndef f(_): return SVC()")
    finally:
        process.close()


def test_exceptions_come_back_with_their_tracebacks(bare: Foreign) -> None:
    """The type, what it holds, its cause and where it was raised arrive here."""
    code = """
class TrainingError(Exception):
    def __init__(self, epoch, loss):
        super().__init__(f"epoch {epoch}")
        self.epoch, self.loss = epoch, loss
def inner():
    raise KeyError("missing")
def f(_):
    try:
        inner()
    except KeyError as error:
        raise TrainingError(3, 0.5) from error
"""
    with pytest.raises(user_code.TrainingError, match="epoch 3") as failure:
        bare.call(code)
    error = failure.value
    assert (error.epoch, error.loss) == (3, 0.5)
    assert isinstance(error.__cause__, KeyError)
    functions = [entry.name for entry in failure.traceback]
    assert functions[-1] == "f"
    cause: Any = error.__cause__.__traceback__
    while cause.tb_next:
        cause = cause.tb_next
    assert (cause.tb_frame.f_code.co_name, cause.tb_lineno) == ("inner", 7)


def test_exceptions_whose_type_is_there_only_are_named(bare: Foreign) -> None:
    """Where its type cannot be had, an exception is told by its type and message."""
    with pytest.raises(RemoteError, match=r"^Odd: bad luck$"):
        bare.call("class Odd(Exception): pass\ndef f(_): raise Odd('bad luck')")
