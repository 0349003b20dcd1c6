"""Other names for what is defined or imported."""

from __future__ import annotations

from .case import case

__all__ = ["CASES"]

CASES = (
    case(
        "a constant of an imported module",
        """
        import math
        HALF_TURN = math.pi
        """,
        """
        @env.task
        async def train(radius: float) -> float:
            return HALF_TURN * radius
        """,
        kept="math HALF_TURN",
    ),
    case(
        "another name for a helper",
        """
        def mean_absolute_error(left, right):
            return abs(left - right)
        loss = mean_absolute_error
        """,
        """
        @env.task
        async def train(left: float, right: float) -> float:
            return loss(left, right)
        """,
        kept="mean_absolute_error loss",
    ),
    case(
        "another name for a run-time value",
        """
        import random
        samples = random.sample(range(100), 10)
        current = samples
        """,
        """
        @env.task
        async def train() -> int:
            return len(current)
        """,
        refused="current",
    ),
    case(
        "another name for a function of a module",
        """
        import json as serialiser
        dump = serialiser.dumps
        """,
        """
        @env.task
        async def train(value: dict[str, int]) -> str:
            return dump(value)
        """,
        kept="serialiser dump",
    ),
    case(
        "a bound method of a run-time value",
        """
        import random
        generator = random.Random(0)
        draw = generator.random
        """,
        """
        @env.task
        async def train() -> float:
            return draw()
        """,
        refused="draw",
    ),
    case(
        "an entry of a constant",
        """
        WEIGHTS = {"low": (1, 2), "high": (3, 4)}
        LOWEST = WEIGHTS["low"][0]
        """,
        """
        @env.task
        async def train() -> int:
            return LOWEST
        """,
        kept="WEIGHTS LOWEST",
    ),
    case(
        "an entry of a run-time value",
        """
        import random
        samples = random.sample(range(100), 10)
        first = samples[0]
        """,
        """
        @env.task
        async def train() -> int:
            return first
        """,
        refused="first",
    ),
    case(
        "the environment variables of the machine by another name",
        """
        import os
        settings = os.environ
        """,
        """
        @env.task
        async def train() -> int:
            return len(settings)
        """,
        refused="settings",
    ),
    case(
        "the arguments of the kernel",
        """
        import sys
        arguments = sys.argv
        """,
        """
        @env.task
        async def train() -> int:
            return len(arguments)
        """,
        refused="arguments",
    ),
    case(
        "the task reads the environment variables of where it runs",
        """
        import os, sys
        """,
        """
        @env.task
        async def train() -> str:
            return os.environ.get("STAGE", "test")
        """,
        kept="os",
        left_out="sys",
    ),
    case(
        "two names of one constant",
        "low = lowest = 0",
        """
        @env.task
        async def train(value: int) -> bool:
            return value > lowest
        """,
        kept="lowest",
    ),
    case(
        "another name for the task of the same environment",
        """
        @env.task
        async def evaluate(value: float) -> float:
            return value
        score = evaluate
        """,
        """
        @env.task
        async def train(value: float) -> float:
            return await score(value)
        """,
        kept="score",
    ),
    case(
        "an alias keeps the function that had the name when the alias was made",
        """
        import random
        samples = random.sample(range(100), 10)
        def mean():
            return sum(samples) / len(samples)
        old_mean = mean
        """,
        """
        def mean(values):
            return sum(values) / len(values)
        """,
        """
        @env.task
        async def train() -> float:
            return old_mean()
        """,
        refused="samples",
    ),
    case(
        "a function that is defined again is what its last cell says",
        """
        import random
        samples = random.sample(range(100), 10)
        def mean():
            return sum(samples) / len(samples)
        """,
        """
        def mean(values=(1, 2)):
            return sum(values) / len(values)
        """,
        """
        @env.task
        async def train() -> float:
            return mean()
        """,
        kept="mean",
        left_out="samples random",
    ),
    case(
        "a constant that is defined again in terms of itself",
        """
        ROOT = "data"
        """,
        'ROOT = ROOT + "/raw"',
        """
        @env.task
        async def train(name: str) -> str:
            return f"{ROOT}/{name}"
        """,
        kept="ROOT",
    ),
    case(
        "a table of helpers and lambdas",
        """
        import statistics
        def spread(values):
            return max(values) - min(values)
        def unused(values):
            return 0
        METRICS = {"spread": spread, "mean": statistics.mean, "size": lambda values: len(values)}
        """,
        """
        @env.task
        async def train(values: list[float]) -> dict[str, float]:
            return {name: metric(values) for name, metric in METRICS.items()}
        """,
        kept="spread statistics METRICS",
        left_out="unused",
    ),
)
