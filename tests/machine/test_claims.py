"""What a task claims: what it declares, and no more than there is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyte_nb.machine.admission import Admission
from flyte_nb.machine.claims import Claim, claim_of, memory_limit
from flyte_nb.machine.detect import Gpu, Machine
from flyte_nb.model.accelerators import ACCELERATORS
from flyte_nb.model.resources import Resources

GIB = 2**30
SMALL = Machine(2.0, 4 * GIB)
MIXED = Machine(8.0, 64 * GIB, (Gpu("0", "NVIDIA A100-SXM4-80GB"), Gpu("1", "Tesla T4")))


@pytest.mark.parametrize(
    ("resources", "machine", "claim", "beyond"),
    [
        (None, SMALL, Claim(), ()),
        (Resources(), SMALL, Claim(), ()),
        (Resources(disk="1Ti", shm="auto"), SMALL, Claim(), ()),
        (Resources(cpu=2, memory="4Gi"), SMALL, Claim(cores=2, memory=4 * GIB), ()),
        (Resources(cpu="500m", memory="1G"), SMALL, Claim(cores=0.5, memory=10**9), ()),
        (Resources(cpu=("500m", 8), memory=("1Gi", "64Gi")), SMALL, Claim(cores=0.5, memory=GIB), ()),
        (Resources(cpu=0.1), SMALL, Claim(cores=0.1), ()),
        (Resources(cpu=8), SMALL, Claim(cores=2), ("8 cores of 2",)),
        (Resources(cpu="2500m"), Machine(1.5, GIB), Claim(cores=1.5), ("2.5 cores of 1.5",)),
        (Resources(memory="16Gi"), SMALL, Claim(memory=4 * GIB), ("16 GiB of memory of 4 GiB",)),
        (Resources(gpu="A100:2"), SMALL, Claim(), ("2 GPUs where there is none",)),
        (Resources(gpu=1), SMALL, Claim(), ("1 GPU where there is none",)),
        (Resources(gpu=0), MIXED, Claim(), ()),
        (Resources(gpu=2), MIXED, Claim(gpus=2), ()),
        (Resources(gpu="T4:1"), MIXED, Claim(gpus=1, gpu_model="T4"), ()),
        (Resources(gpu="A100:8"), MIXED, Claim(gpus=1, gpu_model="A100"), ("8 A100 GPUs of 1",)),
        (Resources(gpu="H100:1"), MIXED, Claim(gpus=1), ("1 H100 GPU where there is none",)),
        (Resources(gpu="H100:8"), MIXED, Claim(gpus=2), ("8 H100 GPUs where there is none",)),
        (Resources(gpu="AppleSilicon"), MIXED, Claim(gpus=1), ("1 AppleSilicon GPU where there is none",)),
        (
            Resources(cpu=8, memory="16Gi", gpu="A100:2"),
            SMALL,
            Claim(cores=2, memory=4 * GIB),
            ("8 cores of 2", "16 GiB of memory of 4 GiB", "2 GPUs where there is none"),
        ),
    ],
    ids=repr,
)
def test_what_is_claimed(resources: Resources, machine: Machine, claim: Claim, beyond: tuple[str, ...]) -> None:
    """A task claims what it requests, or all there is of what it requests too much of, which is told."""
    assert claim_of(resources, machine) == (claim, beyond)


@given(
    st.integers(0, 100) | st.floats(0, 100) | st.sampled_from(["1n", "333m", "1e3"]),
    st.sampled_from(["1", "1500m", "3Gi", "7Ei"]),
    st.sampled_from([None, 0, 1, 100, *(f"{model}:{counts[-1]}" for model, counts in ACCELERATORS.items())]),
    st.sampled_from([SMALL, MIXED, Machine(0.3, 1)]),
)
def test_every_claim_fits(cpu: float, memory: str, gpu: int | str | None, machine: Machine) -> None:
    """Whatever is declared, what is claimed can be given; more is told of exactly if it was asked for."""
    memory = "2" if memory == "1500m" else memory
    claim, beyond = claim_of(Resources(cpu=cpu, memory=memory, gpu=gpu), machine)
    acquiring = Admission(machine, 1).acquire(claim, "ml.train", lambda words: pytest.fail("it must wait"))
    with pytest.raises(StopIteration):
        acquiring.send(None)
    assert bool(beyond) == (
        claim_of(Resources(cpu=cpu, memory=memory, gpu=gpu), machine)[0] != _declared(cpu, memory, gpu)
    )


def _declared(cpu: float | str, memory: str, gpu: int | str | None) -> Claim:
    endless = Machine(1e18, 2**80, tuple(Gpu(str(at), model) for model in ACCELERATORS for at in range(100)))
    return claim_of(Resources(cpu=cpu, memory=memory, gpu=gpu), endless)[0]


@pytest.mark.parametrize(
    ("resources", "limit"),
    [
        (None, None),
        (Resources(cpu=1), None),
        (Resources(memory="1Gi"), GIB),
        (Resources(memory=("1Gi", "2Gi")), 2 * GIB),
        (Resources(memory=("1Gi", "64Gi")), 4 * GIB),
    ],
    ids=repr,
)
def test_the_memory_that_may_be_used(resources: Resources | None, limit: int | None) -> None:
    """A task may use the limit of a pair, or else what it requests, but no more than there is; or nothing is said."""
    assert memory_limit(resources, SMALL) == limit
