"""Comprehensions in tasks and in constants."""

from __future__ import annotations

from .case import case

__all__ = ["CASES"]

CASES = (
    case(
        "the variable of a comprehension has the name of a loop variable of a cell",
        """
        for column in ["price", "amount"]:
            print(column)
        """,
        """
        @env.task
        async def train(columns: list[str]) -> list[str]:
            return [column.upper() for column in columns]
        """,
        left_out="column",
    ),
    case(
        "the variable of a comprehension is gone after it",
        """
        for column in ["price", "amount"]:
            print(column)
        """,
        """
        @env.task
        async def train(columns: list[str]) -> str:
            upper = [column.upper() for column in columns]
            return column
        """,
        refused="column",
    ),
    case(
        "a comprehension of the task goes over a run-time value",
        """
        import random
        samples = random.sample(range(100), 10)
        """,
        """
        @env.task
        async def train(limit: int) -> list[int]:
            return [sample for sample in samples if sample < limit]
        """,
        refused="samples",
    ),
    case(
        "a condition of a comprehension of the task reads a constant",
        "LIMIT = 10",
        """
        @env.task
        async def train(samples: list[int]) -> dict[int, int]:
            return {sample: sample ** 2 for sample in samples if sample < LIMIT}
        """,
        kept="LIMIT",
    ),
    case(
        "a lambda in a comprehension of the task reads a run-time value",
        """
        import random
        mean = random.random()
        """,
        """
        @env.task
        async def train(values: list[float]) -> list[float]:
            return [step(value) for value in values for step in (abs, lambda number: number - mean)]
        """,
        refused="mean",
    ),
    case(
        "a constant is a comprehension over a range",
        "SQUARES = [number * number for number in range(10)]",
        """
        @env.task
        async def train(index: int) -> int:
            return SQUARES[index]
        """,
        kept="SQUARES",
    ),
    case(
        "a grid of parameters is a comprehension over constants",
        """
        RATES = (0.1, 0.01)
        DEPTHS = (3, 5)
        GRID = [{"rate": rate, "depth": depth} for rate in RATES for depth in DEPTHS if depth * rate < 1]
        """,
        """
        @env.task
        async def train() -> int:
            return len(GRID)
        """,
        kept="RATES DEPTHS GRID",
    ),
    case(
        "labels are numbered by a comprehension over enumerate",
        """
        CLASSES = ["cat", "dog"]
        INDEX = {name: index for index, name in enumerate(CLASSES)}
        """,
        """
        @env.task
        async def train(name: str) -> int:
            return INDEX[name]
        """,
        kept="CLASSES INDEX",
    ),
    case(
        "a comprehension of a cell goes over a run-time value",
        """
        import os
        paths = [name for name in os.listdir(".") if name.endswith(".csv")]
        """,
        """
        @env.task
        async def train() -> int:
            return len(paths)
        """,
        refused="paths",
    ),
    case(
        "a comprehension of a cell calls a function of the notebook",
        """
        def square(number):
            return number * number
        TABLE = [square(number) for number in range(3)]
        """,
        """
        @env.task
        async def train(index: int) -> int:
            return TABLE[index]
        """,
        refused="TABLE",
    ),
    case(
        "a walrus in a comprehension of the task binds a local of the task",
        """
        import time
        last = time.time()
        """,
        """
        @env.task
        async def train(values: list[int]) -> int:
            doubled = [last := 2 * value for value in values]
            return last
        """,
        left_out="last time",
    ),
    case(
        "a generator of the task nests two scopes around a constant and a builtin",
        "WIDTH = 3",
        """
        @env.task
        async def train(rows: list[list[int]]) -> int:
            return sum(sum(cell for cell in row[:WIDTH]) for row in rows)
        """,
        kept="WIDTH",
    ),
)
