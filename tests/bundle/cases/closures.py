"""Functions inside functions, and what they capture."""

from __future__ import annotations

from .case import case

__all__ = ["CASES"]

CASES = (
    case(
        "a task made by a factory captures the argument of the factory",
        """
        def make_task(rate):
            @env.task
            async def train(epochs: int) -> float:
                return rate * epochs
            return train
        train = make_task(0.1)
        """,
        refused="rate",
    ),
    case(
        "what a factory captures hides a constant of the same name",
        "rate = 0.1",
        """
        def make_task(rate):
            @env.task
            async def train(epochs: int) -> float:
                return rate * epochs
            return train
        train = make_task(0.5)
        """,
        refused="rate",
    ),
    case(
        "a task defined inside a function uses none of its locals",
        "RATE = 0.1",
        """
        def add_tasks():
            note = "not used"
            @env.task
            async def train(epochs: int) -> float:
                return RATE * epochs
        add_tasks()
        """,
        kept="RATE",
    ),
    case(
        "a helper that a factory returned is the result of a call",
        """
        def make_scaler(factor):
            def scale(value):
                return value * factor
            return scale
        scale = make_scaler(3)
        """,
        """
        @env.task
        async def train(value: float) -> float:
            return scale(value)
        """,
        refused="scale",
    ),
    case(
        "a factory called inside the task is an ordinary function",
        """
        def make_scaler(factor):
            def scale(value):
                return value * factor
            return scale
        """,
        """
        @env.task
        async def train(value: float) -> float:
            scale = make_scaler(3)
            return scale(value)
        """,
        kept="make_scaler",
    ),
    case(
        "a nested function captures locals of the task that have names of run-time values",
        """
        import random
        offset = random.random()
        """,
        """
        @env.task
        async def train(values: list[float]) -> list[float]:
            offset = min(values)
            def shifted(value):
                return value - offset
            return [shifted(value) for value in values]
        """,
        left_out="offset random",
    ),
    case(
        "a nested function of the task reads a run-time value",
        """
        import random
        weights = random.sample(range(100), 3)
        """,
        """
        @env.task
        async def train(values: list[float]) -> list[float]:
            def weighted(index):
                return values[index] * weights[index]
            return [weighted(index) for index in range(len(values))]
        """,
        refused="weights",
    ),
    case(
        "a helper counts with nonlocal",
        """
        def numbered(lines):
            count = 0
            def number(line):
                nonlocal count
                count += 1
                return f"{count}: {line}"
            return [number(line) for line in lines]
        """,
        """
        @env.task
        async def train(lines: list[str]) -> list[str]:
            return numbered(lines)
        """,
        kept="numbered",
    ),
    case(
        "a function that another function publishes with global",
        """
        def prepare():
            global score
            offset = 3
            def score(value):
                return value + offset
        prepare()
        """,
        """
        @env.task
        async def train(value: float) -> float:
            return score(value)
        """,
        refused="score",
    ),
    case(
        "a lambda holds a constant in its default argument",
        "STEP = 5",
        "advance = lambda value, step=STEP: value + step",
        """
        @env.task
        async def train(value: int) -> int:
            return advance(value)
        """,
        kept="STEP advance",
    ),
    case(
        "a lambda reads a run-time value",
        """
        import time
        started = time.time()
        """,
        "elapsed = lambda: time.time() - started",
        """
        @env.task
        async def train() -> float:
            return elapsed()
        """,
        refused="started",
    ),
    case(
        "a partial of a helper with constant arguments",
        """
        import functools
        def scale(value, factor):
            return value * factor
        halved = functools.partial(scale, factor=0.5)
        """,
        """
        @env.task
        async def train(value: float) -> float:
            return halved(value)
        """,
        kept="functools scale halved",
    ),
    case(
        "a partial of a helper with a run-time argument",
        """
        import random
        from functools import partial
        factor = random.random()
        def scale(value, factor):
            return value * factor
        scaled = partial(scale, factor=factor)
        """,
        """
        @env.task
        async def train(value: float) -> float:
            return scaled(value)
        """,
        refused="scaled",
    ),
    case(
        "a class that a factory returned is the result of a call",
        """
        def make_model(layers):
            class Model:
                depth = layers
            return Model
        Model = make_model(3)
        """,
        """
        @env.task
        async def train() -> int:
            return Model.depth
        """,
        refused="Model",
    ),
)
