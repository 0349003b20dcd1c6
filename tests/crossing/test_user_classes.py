"""Values of the user's classes cross by name, and become values of a stand-in where the name means nothing."""

from __future__ import annotations

import dataclasses
from typing import Any, Generic, TypeVar

import pydantic
import pytest

import flyte_nb
from flyte_nb.crossing.packing import pack, unpack
from flyte_nb.errors import CannotCrossError
from tests.crossing import user_code
from tests.crossing.sides import NOWHERE, Side, crossed, knowing
from tests.crossing.user_code import (
    Access,
    Colour,
    Config,
    Custom,
    Frozen,
    Model,
    Plain,
    Point,
    Row,
    Settings,
    Table,
    TrainingError,
    helper,
)

KERNEL = knowing(user_code)

VALUES = [
    Config(0.1, [1, Frozen("a", 2)]), Frozen("a", Config(1.0)), Settings(3, {"a": Settings(1, {})}),
    Model(size=3), Plain([1, 2]), Colour.RED, Colour.BLUE, Access.READ | Access.WRITE, Row(1, 2), Point(1, [2]),
    Table(a=1), helper, Config, Colour,
]  # fmt: skip


def _kind(value: Any) -> str:
    """Return an id that is the same in every process, as a repr with an address is not."""
    return type(value).__name__


@pytest.mark.parametrize("value", VALUES, ids=_kind)
def test_values_of_the_users_classes_arrive_equal(value: Any) -> None:
    """They are of the class that has the name on the other side, and hold what they held."""
    arrived = crossed([value], KERNEL)[0]
    assert arrived == value
    assert type(arrived) is type(value)


def test_members_of_enumerations_stay_single() -> None:
    """A member is the member there, found by name: its value may be equal to nothing."""
    assert crossed(Colour.BLUE, KERNEL) is Colour.BLUE


def test_constructors_and_validators_do_not_run_again() -> None:
    """A value is put together as it was, which its constructor might refuse by now."""
    frozen = Frozen("a")
    object.__setattr__(frozen, "name", "unmade")
    assert crossed(frozen, KERNEL).name == "unmade"
    model = Model.model_construct(size=-1)
    assert crossed(model, KERNEL).size == -1


def test_models_keep_what_is_not_a_field() -> None:
    """Which fields were set, and private attributes, cross too."""
    model = Model(size=3)
    model._seen = 7
    arrived = crossed(model, KERNEL)
    assert arrived.model_fields_set == {"size"}
    assert arrived._seen == 7


def test_records_keep_what_was_added_to_them() -> None:
    """Attributes beside the fields cross too."""
    config = Config(0.1)
    config.note = "added"  # type: ignore[attr-defined]
    assert crossed(config, KERNEL).note == "added"


def test_records_can_hold_themselves() -> None:
    """A tree whose nodes know their parents is the same after the crossing."""
    parent = Config(0.1)
    parent.layers.append(Frozen("child", parent))
    arrived = crossed(parent, KERNEL)
    assert arrived.layers[0].inner is arrived


def test_a_class_that_says_how_it_is_taken_apart_is() -> None:
    """What a class does itself for pickling is done."""
    arrived = crossed(Custom([1]), KERNEL)
    assert arrived.content == [1]
    assert not hasattr(arrived, "cache")


Item = TypeVar("Item")


class Box(pydantic.BaseModel, Generic[Item]):
    item: Item


def test_generic_models_cross() -> None:
    """A model of a generic class that was given types is one of those types there."""
    there = Side("the kernel", {"Box": Box})
    arrived = crossed(Box[int](item=3), there)
    assert type(arrived) is Box[int]
    assert arrived.item == 3


@pytest.mark.parametrize(
    ("value", "fields"),
    [
        (Config(0.1, [1]), {"rate": 0.1, "layers": [1]}),
        (Frozen("a", 2), {"name": "a", "inner": 2}),
        (Settings(3, {}), {"depth": 3, "parts": {}}),
        (Model(size=3), {"size": 3, "label": "none"}),
        (Row(1, 2), {"left": 1, "right": 2}),
        (Point(1, 2), {"x": 1, "y": 2}),
    ],
)
def test_a_class_of_fields_is_stood_in_for(value: Any, fields: dict[str, Any]) -> None:
    """Where its name means nothing, its values have the fields and the name; going on, they are what they were."""
    there = crossed(value, NOWHERE, KERNEL)
    assert {name: getattr(there, name) for name in fields} == fields
    assert type(there).__qualname__ == type(value).__qualname__
    assert type(there) is not type(value)
    assert there == crossed(value, NOWHERE, KERNEL)
    assert crossed(there, KERNEL, NOWHERE) == value
    assert type(crossed(there, KERNEL, NOWHERE)) is type(value)


def test_what_a_model_holds_beside_fields_comes_back_through_a_stand_in() -> None:
    """A model that was where its class is unknown has its private attributes when it is back."""
    model = Model(size=3)
    model._seen = 7
    there = crossed(model, NOWHERE, KERNEL)
    there.label = "changed"
    back = crossed(there, KERNEL, NOWHERE)
    assert (back._seen, back.label, back.model_fields_set) == (7, "changed", {"size"})


@pytest.mark.parametrize("value", [Plain(1), Custom(1), Colour.RED, Table(), helper, [Plain]], ids=_kind)
def test_a_class_with_more_than_fields_must_be_defined(value: Any) -> None:
    """Where its name means nothing, the message says so, and how to give it a meaning."""
    with pytest.raises(CannotCrossError, match="is not defined in the worker of 'features': mention it there"):
        crossed(value, NOWHERE, KERNEL)


def test_a_field_that_the_other_side_has_alone_gets_its_default() -> None:
    """A record of a class that has got a field meanwhile has the default of that field."""

    @dataclasses.dataclass
    class Later:
        rate: float
        added: list[int] = dataclasses.field(default_factory=list)

    @dataclasses.dataclass
    class Earlier:
        rate: float

    here, there = Side("the kernel", {"Earlier": Earlier}), Side("the kernel", {"Named": Later})
    here.name_of = lambda value: ("", "Named") if value is Earlier else None  # type: ignore[method-assign]
    assert crossed(Earlier(0.1), there, here) == Later(0.1, [])


def test_tasks_and_environments_cross_by_name() -> None:
    """A task is what has its name on the other side."""
    environment = flyte_nb.TaskEnvironment("ml")
    task = environment.task(helper)
    here = Side("the kernel", {"helper": task, "ml": environment})
    there = Side("the worker of 'ml'", {"helper": "the task there", "ml": "the environment there"})
    assert crossed([task, environment], there, here) == ["the task there", "the environment there"]


def test_a_task_that_no_cell_defines_is_refused() -> None:
    """A task without a name that travels cannot cross."""
    task = flyte_nb.TaskEnvironment("ml").task(helper)
    with pytest.raises(CannotCrossError, match="defined by no cell"):
        crossed({"task": task})


def test_facts_of_flyte_cross() -> None:
    """What describes an environment is plain data."""
    value = [flyte_nb.Resources(cpu="1"), flyte_nb.Image.from_debian_base(), flyte_nb.Cache("auto")]
    assert crossed(value) == value


def test_exceptions_that_are_values_cross() -> None:
    """An exception inside of a value crosses with what it holds, whatever its constructor takes."""
    try:
        raise TrainingError(3, 0.5) from ValueError("loss")
    except TrainingError as error:
        arrived = crossed({"why": error}, KERNEL)["why"]
    assert isinstance(arrived, TrainingError)
    assert (arrived.epoch, arrived.loss, str(arrived)) == (3, 0.5, "epoch 3 has loss 0.5")
    assert repr(arrived.__cause__) == "ValueError('loss')"


def test_estimators_cross_between_equal_versions() -> None:
    """What a library pickles itself crosses where the library is the same."""
    linear_model = pytest.importorskip("sklearn.linear_model")
    model = linear_model.LinearRegression().fit([[1.0], [2.0]], [1.0, 2.0])
    assert crossed({"model": model})["model"].predict([[3.0]]) == pytest.approx([3.0])


def test_another_version_of_a_library_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a library pickles itself is opened by the same version only, and the message has all that is needed."""
    sklearn = pytest.importorskip("sklearn")
    linear_model = pytest.importorskip("sklearn.linear_model")
    parcel = pack({"models": [linear_model.LinearRegression()]}, "the result of ml.train", KERNEL)
    own = sklearn.__version__
    monkeypatch.setattr(sklearn, "__version__", "0.1")
    with pytest.raises(CannotCrossError) as refusal:
        unpack(parcel, "the result of ml.train", NOWHERE)
    message = str(refusal.value)
    assert message.startswith("the result of ml.train, at ['models'][0] (sklearn.linear_model._base.LinearRegression)")
    assert f"scikit-learn {own} in the kernel, and the worker of 'features' has 0.1" in message
    assert "Pin the same version" in message


def test_a_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a library is not installed, the message says which and where."""
    linear_model = pytest.importorskip("sklearn.linear_model")
    parcel = pack(linear_model.LinearRegression(), "the result of ml.train", KERNEL)
    monkeypatch.setitem(__import__("sys").modules, "sklearn", None)
    with pytest.raises(CannotCrossError, match=r"which is not installed in the worker of 'features'\. Add it"):
        unpack(parcel, "the result of ml.train", NOWHERE)
