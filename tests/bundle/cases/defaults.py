"""Default arguments, which see the notebook as it is when the function is made."""

from __future__ import annotations

from .case import case

__all__ = ["CASES"]

CASES = (
    case(
        "a default argument of the task is a constant",
        "RATE = 0.1",
        """
        @env.task
        async def train(rate: float = RATE) -> float:
            return rate
        """,
        kept="RATE",
    ),
    case(
        "a default argument of the task is a run-time value",
        """
        import random
        best_rate = random.random()
        """,
        """
        @env.task
        async def train(rate: float = best_rate) -> float:
            return rate
        """,
        refused="best_rate",
    ),
    case(
        "a default argument sees the constant above, not the run-time value below",
        "rate = 0.1",
        """
        @env.task
        async def train(step: float = rate) -> float:
            return step
        """,
        """
        import random
        rate = random.random()
        """,
        kept="rate",
        left_out="random",
    ),
    case(
        "a default argument sees the run-time value above, not the constant below",
        """
        import random
        rate = random.random()
        """,
        """
        @env.task
        async def train(step: float = rate) -> float:
            return step
        """,
        "rate = 0.1",
        refused="rate",
    ),
    case(
        "a default argument and the body see two constants of one name",
        "SCALE = 2",
        """
        @env.task
        async def train(value: int = SCALE) -> int:
            return value * SCALE
        """,
        "SCALE = 3",
        kept="SCALE",
    ),
    case(
        "a parameter has the name of its default, a constant",
        "rate = 0.1",
        """
        @env.task
        async def train(rate: float = rate) -> float:
            return rate
        """,
        kept="rate",
    ),
    case(
        "a parameter has the name of its default, a run-time value",
        """
        import random
        rate = random.random()
        """,
        """
        @env.task
        async def train(rate: float = rate) -> float:
            return rate
        """,
        refused="rate",
    ),
    case(
        "a default argument of a helper is a run-time value",
        """
        import random
        noise = random.random()
        def shifted(value, *, by=noise):
            return value + by
        """,
        """
        @env.task
        async def train(value: float) -> float:
            return shifted(value)
        """,
        refused="noise",
    ),
    case(
        "a default argument of a helper is computed when the helper is made",
        """
        import time
        def elapsed(since=time.time()):
            return time.time() - since
        """,
        """
        @env.task
        async def train() -> float:
            return elapsed()
        """,
        kept="time elapsed",
    ),
    case(
        "a default argument is a lambda over a constant",
        """
        COLUMN = "price"
        def ordered(rows, key=lambda row: row[COLUMN]):
            return sorted(rows, key=key)
        """,
        """
        @env.task
        async def train(rows: list[dict[str, float]]) -> int:
            return len(ordered(rows))
        """,
        kept="COLUMN ordered",
    ),
    case(
        "a default argument of a function inside the task is a run-time value",
        """
        import random
        bias = random.random()
        """,
        """
        @env.task
        async def train(values: list[float]) -> list[float]:
            def shifted(value, by=bias):
                return value + by
            return [shifted(value) for value in values]
        """,
        refused="bias",
    ),
    case(
        "a default argument of a lambda in a loop of the task is a local",
        """
        import random
        power = random.random()
        """,
        """
        @env.task
        async def train(value: float) -> float:
            steps = []
            for power in range(3):
                steps.append(lambda number, power=power: number ** power)
            return sum(step(value) for step in steps)
        """,
        left_out="power random",
    ),
)
