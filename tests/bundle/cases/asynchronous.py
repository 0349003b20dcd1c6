"""Async tasks, helpers, and what cells await."""

from __future__ import annotations

from .case import case

__all__ = ["CASES"]

CASES = (
    case(
        "the result of an await of a cell",
        """
        import asyncio
        async def fetch(number):
            await asyncio.sleep(0)
            return number
        answer = await fetch(42)
        """,
        """
        @env.task
        async def train() -> int:
            return answer
        """,
        refused="answer",
    ),
    case(
        "the task awaits a helper",
        """
        import asyncio
        async def fetch(number):
            await asyncio.sleep(0)
            return number
        print(await fetch(1))
        """,
        """
        @env.task
        async def train() -> int:
            return await fetch(42)
        """,
        kept="asyncio fetch",
    ),
    case(
        "the task gathers what a helper gives for each item",
        """
        import asyncio
        URLS = ["a", "b"]
        async def size(url):
            return len(url)
        """,
        """
        @env.task
        async def train() -> int:
            return sum(await asyncio.gather(*(size(url) for url in URLS)))
        """,
        kept="asyncio URLS size",
    ),
    case(
        "an async comprehension of the task over an async generator",
        """
        import random
        number = random.random()
        async def numbers(count):
            for number in range(count):
                yield number
        """,
        """
        @env.task
        async def train(count: int) -> list[int]:
            return [number async for number in numbers(count) if number % 2]
        """,
        kept="numbers",
        left_out="number random",
    ),
    case(
        "the variable of an async loop of a cell",
        """
        async def numbers(count):
            for number in range(count):
                yield number
        async for latest in numbers(3):
            print(latest)
        """,
        """
        @env.task
        async def train() -> int:
            return latest
        """,
        refused="latest",
    ),
    case(
        "the target of an async with statement of a cell",
        """
        import contextlib
        @contextlib.asynccontextmanager
        async def connected(host):
            yield {"host": host}
        async with connected("db") as connection:
            print(connection)
        """,
        """
        @env.task
        async def train() -> str:
            return connection["host"]
        """,
        refused="connection",
    ),
    case(
        "the task connects for itself with async with",
        """
        import contextlib, random
        connection = random.random()
        @contextlib.asynccontextmanager
        async def connected(host):
            yield {"host": host}
        """,
        """
        @env.task
        async def train() -> str:
            async with connected("db") as connection:
                return connection["host"]
        """,
        kept="contextlib connected",
        left_out="connection random",
    ),
    case(
        "a semaphore of the notebook's event loop",
        """
        import asyncio
        slots = asyncio.Semaphore(4)
        """,
        """
        @env.task
        async def train(value: int) -> int:
            async with slots:
                return value
        """,
        refused="slots",
    ),
    case(
        "work that the notebook started in the background",
        """
        import asyncio
        pending = asyncio.create_task(asyncio.sleep(0, 42))
        """,
        """
        @env.task
        async def train() -> int:
            return await pending
        """,
        refused="pending",
    ),
    case(
        "a comprehension of a cell awaits",
        """
        async def fetch(number):
            return number
        answers = [await fetch(number) for number in range(3)]
        """,
        """
        @env.task
        async def train() -> int:
            return len(answers)
        """,
        refused="answers",
    ),
    case(
        "an async class of the notebook",
        """
        class Batches:
            def __init__(self, count):
                self.count = count
            def __aiter__(self):
                return self
            async def __anext__(self):
                if not self.count:
                    raise StopAsyncIteration
                self.count -= 1
                return self.count
        """,
        """
        @env.task
        async def train(count: int) -> int:
            total = 0
            async for batch in Batches(count):
                total += batch
            return total
        """,
        kept="Batches",
    ),
    case(
        "an async helper uses the loop of the notebook",
        """
        import asyncio
        loop = asyncio.get_event_loop()
        async def in_thread(function):
            return await loop.run_in_executor(None, function)
        """,
        """
        @env.task
        async def train() -> float:
            return await in_thread(lambda: 1.0)
        """,
        refused="loop",
    ),
)
