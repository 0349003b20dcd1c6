"""Whose turn it is: order, passing, waiting for those that one has called, and what is told meanwhile."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from flyte_nb.machine.admission import PATIENCE_SECONDS
from flyte_nb.machine.claims import Claim
from flyte_nb.machine.detect import Machine
from tests.machine.queues import GIB, MACHINE, Queue, play, settled

if TYPE_CHECKING:
    from flyte_nb.machine.grants import Grant

ALL_CORES, CORE = Claim(cores=4), Claim(cores=1)


def test_who_claims_nothing_begins_without_giving_way() -> None:
    """An empty claim is granted in one step of the loop, also while others wait, and gives back nothing."""

    async def story(queue: Queue) -> None:
        await queue.come("ml.all", ALL_CORES)
        await queue.come("ml.waits", CORE)
        acquiring = queue.admission.acquire(Claim(), "base.load", print)
        with pytest.raises(StopIteration) as ended:
            acquiring.send(None)
        grant: Grant = ended.value.value
        queue.admission.suspend(grant)
        await queue.admission.resume(grant)
        queue.admission.release(grant)
        assert (grant.claim, grant.gpus, queue.admission.used) == (Claim(), (), ALL_CORES)

    assert play(story).begun == ["ml.all"]


def test_what_is_free_is_given_at_once() -> None:
    """A task that claims what is free begins, and what it has is counted until it ends."""

    async def story(queue: Queue) -> None:
        train = await queue.come("ml.train", Claim(cores=1.5, memory=GIB, gpus=2, processes=1))
        assert queue.admission.used == Claim(1.5, GIB, 2, "", 1)
        await queue.leave(train)
        assert queue.admission.used == Claim()

    queue = play(story)
    assert queue.admission.peak == Claim(1.5, GIB, 2, "", 1)
    assert queue.told == {"ml.train": []}


def test_first_come_first_served() -> None:
    """Who asks for the same kinds of things begins in the order of coming, however little it asks for."""

    async def story(queue: Queue) -> None:
        first = await queue.come("first", Claim(cores=3))
        big = await queue.come("big", Claim(cores=2))
        small = await queue.come("small", CORE)
        assert queue.begun == ["first"]
        await queue.leave(first, big, small)

    assert play(story).begun == ["first", "big", "small"]


def test_many_small_ones_run_at_once() -> None:
    """As many run at once as fit, and the sum of fractions is exact."""

    async def story(queue: Queue) -> None:
        tasks = [await queue.come(f"t{number}", Claim(cores=0.1)) for number in range(45)]
        assert len(queue.begun) == 40
        await queue.leave(*tasks)

    assert play(story).admission.peak == Claim(cores=4)


def test_who_needs_nothing_that_is_lacking_may_pass() -> None:
    """While one waits for a GPU, others begin that want cores alone; they do not begin if they want a GPU too."""

    async def story(queue: Queue) -> None:
        await queue.come("has", Claim(gpus=3))
        await queue.come("lacks", Claim(cores=1, gpus=1))
        await queue.come("passes", CORE)
        await queue.come("stays", Claim(gpus=1))

    assert play(story).begun == ["has", "passes"]


def test_who_was_passed_for_long_is_set_aside_all_it_wants() -> None:
    """After some time nobody passes any more who wants anything that it wants, so that its turn comes."""

    async def story(queue: Queue) -> None:
        holder = await queue.come("holder", Claim(gpus=3))
        await queue.come("big", Claim(cores=4, gpus=1))
        passing = await queue.come("passing", CORE)
        await asyncio.sleep(PATIENCE_SECONDS - 1)
        await queue.leave(passing)
        passing = await queue.come("passing", CORE)
        await asyncio.sleep(2)
        await queue.come("late", CORE)
        await queue.come("other", Claim(memory=GIB))
        await queue.leave(passing, holder)

    queue = play(story)
    assert queue.begun == ["holder", "passing", "passing", "other", "big"]
    assert queue.told["late"] == ["its turn: big is ahead", "1 core: none is free"]


def test_a_task_that_waits_for_another_gives_way() -> None:
    """What a task has is for others while it waits for one that it called."""

    async def story(queue: Queue) -> None:
        outer = await (await queue.come("outer", ALL_CORES))
        await queue.come("next", ALL_CORES)
        queue.admission.suspend(outer)
        await settled()
        assert queue.begun == ["outer", "next"]
        queue.admission.suspend(outer)  # again, which is harmless
        assert queue.admission.used == ALL_CORES

    play(story)


def test_who_has_ended_waits_no_more() -> None:
    """Who waits for a task to go on that ends meanwhile is let go, and the task has nothing, nor gets it later."""

    async def story(queue: Queue) -> None:
        outer = await (await queue.come("outer", ALL_CORES))
        queue.admission.suspend(outer)
        inner = await queue.come("inner", CORE)
        resuming = asyncio.ensure_future(queue.admission.resume(outer))
        await settled()
        assert not resuming.done()
        queue.admission.release(outer)
        await resuming
        await queue.admission.resume(outer)
        queue.admission.release(outer)
        assert queue.admission.used == CORE
        await queue.leave(inner)

    assert play(story).admission.used == Claim()


def test_going_on_comes_before_beginning() -> None:
    """Who waits to go on gets what it had before all who came earlier and have not begun; they do not pass it."""

    async def story(queue: Queue) -> None:
        outer = await (await queue.come("outer", Claim(cores=2, memory=8 * GIB)))
        queue.admission.suspend(outer)
        inner = await queue.come("inner", Claim(cores=1, memory=8 * GIB))
        await queue.come("waits", Claim(memory=GIB))
        resuming = asyncio.ensure_future(queue.admission.resume(outer))
        await settled()
        late = await queue.come("late", CORE)  # there are three, but they are for who goes on
        assert queue.begun == ["outer", "inner"]
        await queue.leave(inner)
        assert resuming.done()
        assert queue.admission.used == Claim(cores=3, memory=8 * GIB)
        await queue.leave(late)

    assert play(story).begun == ["outer", "inner", "late"]


def test_several_may_wait_for_the_same_to_go_on() -> None:
    """Two calls that a task awaits may end at once: it goes on once, though one of the two gives up waiting."""

    async def story(queue: Queue) -> None:
        outer = await (await queue.come("outer", ALL_CORES))
        queue.admission.suspend(outer)
        inner = await queue.come("inner", ALL_CORES)
        one, other = (asyncio.ensure_future(queue.admission.resume(outer)) for _ in range(2))
        await settled()
        one.cancel()
        await queue.leave(inner)
        assert (one.cancelled(), other.done(), queue.admission.used) == (True, True, ALL_CORES)
        await queue.admission.resume(outer)  # it has it already
        queue.admission.release(outer)

    assert play(story).admission.used == Claim()


def test_who_gives_up_going_on_leaves_the_queue() -> None:
    """A task that is cancelled while it waits to go on holds nobody up."""

    async def story(queue: Queue) -> None:
        outer = await (await queue.come("outer", ALL_CORES))
        queue.admission.suspend(outer)
        inner = await queue.come("inner", ALL_CORES)
        resuming = asyncio.ensure_future(queue.admission.resume(outer))
        waits = await queue.come("waits", CORE)
        resuming.cancel()
        await queue.leave(inner)
        queue.admission.release(outer)
        await queue.leave(waits)

    queue = play(story)
    assert queue.begun == ["outer", "inner", "waits"]
    assert queue.admission.used == Claim()


def test_who_leaves_makes_room_for_those_behind() -> None:
    """When the first gives up, whoever only waited for its turn behind it begins."""

    async def story(queue: Queue) -> None:
        await queue.come("has", Claim(cores=2))
        big = await queue.come("big", ALL_CORES)
        await queue.come("small", CORE)
        big.cancel()
        await settled()

    assert play(story).begun == ["has", "small"]


def test_a_turn_that_comes_too_late_is_given_back() -> None:
    """A task that is cancelled in the moment in which its turn comes takes nothing away."""

    async def story(queue: Queue) -> None:
        first = await queue.come("first", ALL_CORES)
        second = await queue.come("second", ALL_CORES)
        third = await queue.come("third", ALL_CORES)
        queue.admission.release(first.result())
        second.cancel()
        await settled()
        await queue.leave(third)

    queue = play(story)
    assert queue.begun == ["first", "third"]
    assert queue.admission.used == Claim()


def test_gpus_are_given_by_model_and_never_twice() -> None:
    """A task gets GPUs of the model that it wants, and nobody else has them meanwhile."""

    async def story(queue: Queue) -> None:
        any_one = await (await queue.come("any", Claim(gpus=1)))
        small = await (await queue.come("small", Claim(gpus=1, gpu_model="T4")))
        assert [gpu.index for gpu in (*any_one.gpus, *small.gpus)] == ["0", "2"]
        big = await queue.come("big", Claim(gpus=2, gpu_model="A100_80G"))
        assert not big.done()
        queue.admission.release(any_one)
        assert [gpu.index for gpu in (await big).gpus] == ["0", "1"]

    play(story)


def test_who_goes_on_keeps_its_gpus_if_it_can() -> None:
    """After a wait, a task has the same GPUs as before if they are free, and others if they are not."""

    async def story(queue: Queue) -> None:
        blocker = await (await queue.come("blocker", Claim(gpus=1)))
        outer = await (await queue.come("outer", Claim(gpus=1)))
        queue.admission.suspend(outer)
        queue.admission.release(blocker)
        await queue.admission.resume(outer)
        assert [gpu.index for gpu in outer.gpus] == ["1"]
        queue.admission.suspend(outer)
        await queue.come("others", Claim(gpus=2))
        await queue.admission.resume(outer)
        assert [gpu.index for gpu in outer.gpus] == ["2"]

    play(story)


def test_it_is_told_what_a_task_waits_for() -> None:
    """Who waits is told for what: what is lacking, who has it, or how many are ahead; again whenever that changes."""

    async def story(queue: Queue) -> None:
        train = await queue.come("ml.train", Claim(cores=3, gpus=3))
        memory = await queue.come("etl.load", Claim(memory=7 * GIB))
        process = [await queue.come("io.read", Claim(processes=1)) for _ in range(2)]
        await queue.come("a", Claim(cores=2, memory=2 * GIB))
        await queue.come("b", Claim(gpus=1, gpu_model="A100"))
        await queue.come("c", Claim(processes=1))
        d = await queue.come("d", CORE)
        await queue.come("e", CORE)
        await queue.leave(memory, process[0])
        await queue.leave(train)
        await queue.leave(d)

    queue = play(story)
    assert queue.told["a"] == [
        "2 cores: 1 is free; 2 GiB of memory: 1 GiB is free",
        "2 cores: 1 is free",
    ]
    assert queue.told["b"] == ["1 A100 GPU, which ml.train has"]
    assert queue.told["c"] == ["a process: none is free"]
    assert queue.told["d"] == ["its turn: a is ahead"]
    assert queue.told["e"] == ["its turn: 1 is ahead"]


def test_far_behind_it_is_told_only_that_many_are_ahead() -> None:
    """Each learns how many are ahead of it once those are few, and before that, that they are more."""

    async def story(queue: Queue) -> None:
        tasks = [await queue.come(f"t{number}", ALL_CORES) for number in range(15)]
        await queue.leave(*tasks)

    told = play(story).told["t14"]
    ahead = [f"its turn: {number} are ahead" for number in range(10, 1, -1)]
    assert told == ["its turn: more than 10 are ahead", *ahead, "its turn: 1 is ahead", "4 cores: none is free"]


def test_those_who_have_gpus_are_named_a_few() -> None:
    """Where many tasks have GPUs, three are named."""
    four = Machine(1.0, GIB, tuple(type(MACHINE.gpus[0])(str(index), "Tesla T4") for index in range(5)))

    async def story(queue: Queue) -> None:
        for number in range(5):
            await queue.come(f"t{number}", Claim(gpus=1))
        await queue.come("waits", Claim(gpus=2))

    assert play(story, four).told["waits"] == ["2 GPUs, which t0, t1, t2 and 2 more have"]


@pytest.mark.parametrize(
    "claim",
    [Claim(cores=5), Claim(memory=9 * GIB), Claim(gpus=4), Claim(gpus=2, gpu_model="T4"), Claim(processes=3)],
    ids=lambda claim: repr(claim),
)
def test_what_can_never_be_had_is_refused(claim: Claim) -> None:
    """A claim that the machine can never meet is an error at once, rather than a wait without an end."""

    async def story(queue: Queue) -> None:
        with pytest.raises(ValueError, match="is more than there is"):
            await queue.admission.acquire(claim, "ml.train", print)
        await queue.come("next", ALL_CORES)

    assert play(story).begun == ["next"]
