"""What a task may ask for, and how what means nothing is refused."""

from __future__ import annotations

import dataclasses
import math
import pickle
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyte_nb.errors import InvalidTypeError, InvalidValueError
from flyte_nb.model.accelerators import ACCELERATORS, accelerator_problem, nearest_accelerator
from flyte_nb.model.quantities import UNIT, nearest_size, parse_bytes, parse_cores
from flyte_nb.model.resources import Resources

if TYPE_CHECKING:
    from decimal import Decimal


@pytest.mark.parametrize("cpu", [0, 4, 0.5, "500m", "1", "0.5", "2.", ".5", "1e1", (1, 4), ("500m", 2), (0.1, "100m")])
def test_cpu(cpu: Any) -> None:
    """Cores are kept as given, alone or as a pair."""
    assert Resources(cpu=cpu).cpu == cpu


@pytest.mark.parametrize("memory", ["512Mi", "16Gi", "1G", "1024", "1.5Gi", "1e9", "4k", ("1Gi", "4Gi"), ("1G", "1Gi")])
def test_memory(memory: Any) -> None:
    """Memory is kept as given, alone or as a pair."""
    assert Resources(memory=memory).memory == memory


@pytest.mark.parametrize("gpu", [0, 3, "A100:2", "T4 shared:1", "Trn1:16", "AppleSilicon", "AppleSilicon:1"])
def test_gpu(gpu: Any) -> None:
    """GPUs are kept as given, by number or by model."""
    assert Resources(gpu=gpu).gpu == gpu


def test_disk_and_shm() -> None:
    """Disk and shared memory are kept as given."""
    resources = Resources(disk="10Gi", shm="auto")
    assert (resources.disk, resources.shm) == ("10Gi", "auto")
    assert Resources(shm="1Gi").shm == "1Gi"


def test_nothing() -> None:
    """Nothing has to be asked for."""
    assert Resources() == Resources(None, None, None, None, None)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("cpu", "abc", "not a number of cores"),
        ("cpu", "", "not a number of cores"),
        ("cpu", "1\n", "not a number of cores"),
        ("cpu", "4Gi", "not a number of cores"),
        ("cpu", "٤", "not a number of cores"),
        ("cpu", math.nan, "not a number of cores"),
        ("cpu", math.inf, "not a number of cores"),
        ("cpu", -1, "not between 0"),
        ("cpu", -0.5, "not between 0"),
        ("cpu", "-1", "not between 0"),
        ("cpu", -1e-320, "not between 0"),
        ("cpu", 1e300, "not between 0"),
        ("cpu", (4, 1), "limit below its request"),
        ("cpu", ("1", "500m"), "limit below its request"),
        ("cpu", (1, 2, 3), "not a pair"),
        ("cpu", (1,), "not a pair"),
        ("cpu", (1, "abc"), "'abc' is not a number of cores"),
        ("memory", "lots", "not a size in bytes"),
        ("memory", "0", "not between 1"),
        ("memory", "-1Gi", "not between 1"),
        ("memory", "9Ei", "not between 1"),
        ("memory", ("4Gi", "1Gi"), "limit below its request"),
        ("memory", ("1Gi",), "not a pair"),
        ("disk", "big", "not a size in bytes"),
        ("disk", "auto", "not a size in bytes"),
        ("shm", "Auto", "not a size in bytes"),
        ("gpu", -1, "not between 0"),
        ("gpu", "", "not an accelerator"),
        ("gpu", "a100:2", "case-sensitive"),
        ("gpu", "A100", "needs a count: A100 comes as 1 to 8"),
        ("gpu", "A100:9", "A100 comes as 1 to 8"),
        ("gpu", "A100:02", "A100 comes as 1 to 8"),
        ("gpu", "A2:2", "A2 comes as 1 only"),
        ("gpu", "Trn1:2", "Trn1 comes as 1, 4, 8 or 16"),
    ],
)
def test_invalid_value(field: str, value: Any, said: str) -> None:
    """A value that means nothing is refused with its field and the reason."""
    with pytest.raises(InvalidValueError) as caught:
        Resources(**{field: value})
    assert caught.value.field == f"Resources.{field}"
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cpu", True),
        ("cpu", b"1"),
        ("cpu", {}),
        ("cpu", (1, None)),
        ("cpu", ([1], 2)),
        ("cpu", 1j),
        ("memory", 1024),
        ("memory", ("1Gi", 2)),
        ("memory", True),
        ("gpu", True),
        ("gpu", 1.0),
        ("gpu", ("A100", 2)),
        ("disk", 10),
        ("disk", ("1Gi", "2Gi")),
        ("shm", False),
    ],
)
def test_wrong_type(field: str, value: Any) -> None:
    """A value of the wrong type is refused with its field."""
    with pytest.raises(InvalidTypeError) as caught:
        Resources(**{field: value})
    assert caught.value.field == f"Resources.{field}"


@pytest.mark.parametrize(
    ("field", "value", "example"),
    [
        ("memory", "16GB", '"16G"'),
        ("memory", "16 gib", '"16Gi"'),
        ("memory", "500m", '"500M"'),
        ("disk", "4K", '"4k"'),
        ("memory", "lots", '"512Mi"'),
        ("shm", "Auto", '"1Gi" or "auto"'),
        ("gpu", "a100:2", '"A100:2"'),
        ("gpu", "A100", '"A100:1"'),
        ("gpu", "A100:9", '"A100:8"'),
        ("gpu", "A100-80G:4", '"A100_80G:4"'),
        ("gpu", "L40S:2", '"L40s:2"'),
        ("gpu", "what?", '"A100:1"'),
        ("gpu", "2", "2"),
        ("gpu", "02", "2"),
        ("gpu", "9" * 5000, '"A100:1"'),
    ],
)
def test_example(field: str, value: str, example: str) -> None:
    """The example in an error is the nearest valid spelling."""
    with pytest.raises(InvalidValueError) as caught:
        Resources(**{field: value})
    assert caught.value.example == example


def test_pair_as_list() -> None:
    """A pair given as a list becomes a tuple that shares nothing with it."""
    pair: Any = [1, 4]
    resources = Resources(cpu=pair)
    pair.append(5)
    assert resources.cpu == (1, 4)


def test_value_semantics() -> None:
    """Resources can be compared, hashed and pickled, and do not change."""
    one, same = Resources(cpu=1, memory=("1Gi", "2Gi")), Resources(cpu=1, memory=("1Gi", "2Gi"))
    assert one == same
    assert hash(one) == hash(same)
    assert pickle.loads(pickle.dumps(one)) == one  # noqa: S301
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.cpu = 2  # type: ignore[misc]


def test_repr() -> None:
    """The representation shows only what was asked for."""
    assert repr(Resources(cpu=0, memory="2Gi")) == "Resources(cpu=0, memory='2Gi')"
    assert repr(Resources()) == "Resources()"


def test_accelerators() -> None:
    """Every count of the table is accepted, and no other."""
    for model, counts in ACCELERATORS.items():
        accepted = [count for count in range(20) if accelerator_problem(f"{model}:{count}") is None]
        assert accepted == list(counts)


@given(st.text() | st.sampled_from([f"{model}:{count}".swapcase() for model in ACCELERATORS for count in (1, 2, 99)]))
def test_suggested_accelerator(text: str) -> None:
    """The suggested accelerator is always valid."""
    assert accelerator_problem(nearest_accelerator(text)) is None


@given(
    number=st.decimals(min_value=0, max_value=10**9, places=12),
    suffix=st.sampled_from([("m", "1/1000"), ("", "1"), ("k", "1000"), ("Gi", "1073741824"), ("e-3", "1/1000")]),
)
def test_quantity(number: Decimal, suffix: tuple[str, str]) -> None:
    """A quantity is its exact value, rounded up to nine places."""
    parse = parse_cores if suffix[0] == "m" else parse_bytes
    assert parse(f"{number:f}{suffix[0]}") == math.ceil(Fraction(number) * Fraction(suffix[1]) * UNIT)


def test_quantities_across_units() -> None:
    """Quantities compare across units."""
    assert parse_bytes("1Gi") == parse_bytes("1024Mi") == parse_bytes("1073741824")
    assert parse_bytes("1G") == parse_bytes("1e9") == parse_bytes("1000M")
    assert parse_cores("0.1") == parse_cores("100m") == parse_cores("1e-1")


@pytest.mark.parametrize("text", ["", "1 Gi", "Gi", "1.2.3", "1e", "1e3Ki", "0x10", "1_000", "1" * 65, "1e9999", "+"])
def test_no_quantity(text: str) -> None:
    """What is no quantity is None."""
    assert parse_bytes(text) is None


@given(st.from_regex(r"[0-9]{1,3} ?[a-zA-Z]{0,3}", fullmatch=True))
def test_suggested_size(text: str) -> None:
    """The suggested size is always valid."""
    nearest = nearest_size(text)
    assert nearest is None or Resources(memory=nearest).memory == nearest


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.complex_numbers() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=5,
)


@given(field=st.sampled_from(["cpu", "memory", "gpu", "disk", "shm"]), value=_ANYTHING)
def test_any_value(field: str, value: Any) -> None:
    """Any value is either accepted and hashable, or refused with our own errors."""
    try:
        resources = Resources(**{field: value})
    except (InvalidTypeError, InvalidValueError):
        return
    assert hash(resources) == hash(Resources(**{field: value}))
