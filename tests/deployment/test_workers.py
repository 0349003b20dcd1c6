"""Workers: as many as there is something to do for, and no more than are allowed."""

from __future__ import annotations

import asyncio

from flyte_nb.deployment.applying.workers import Workers


def test_no_more_are_called_than_are_needed() -> None:
    """Those who were called and have not come yet count; those who work do not, as they are busy."""

    async def scenario() -> None:
        async def work() -> None:
            workers.arrived()
            await done.wait()

        workers, done = Workers(5, work, left=lambda: None), asyncio.Event()
        workers.call(2)
        workers.call(2)
        assert len(workers) == 2
        await asyncio.sleep(0)
        workers.call(2)
        assert len(workers) == 4
        await asyncio.sleep(0)
        workers.call(2)
        assert len(workers) == 5
        done.set()
        await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()})
        await asyncio.sleep(0)
        assert not workers

    asyncio.run(scenario())


def test_one_that_never_comes_makes_room() -> None:
    """A worker that is cancelled before it has begun is not counted on."""

    async def scenario() -> None:
        async def work() -> None:
            workers.arrived()
            came.append(True)

        came: list[bool] = []
        workers = Workers(1, work, left=lambda: None)
        workers.call(1)
        (worker,) = asyncio.all_tasks() - {asyncio.current_task()}
        worker.cancel()
        await asyncio.wait([worker])
        await asyncio.sleep(0)
        workers.call(1)
        await asyncio.sleep(0)
        assert came == [True]

    asyncio.run(scenario())
