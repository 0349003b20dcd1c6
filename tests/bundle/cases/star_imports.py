"""Imports of everything a module has."""

from __future__ import annotations

from .case import case

__all__ = ["CASES"]

CASES = (
    case(
        "the task uses a name that a star import brought",
        "from math import *",
        """
        @env.task
        async def train(value: float) -> float:
            return sqrt(value)
        """,
        kept="sqrt",
    ),
    case(
        "a name that the star import did not bring",
        "from math import *",
        """
        @env.task
        async def train(value: float) -> float:
            return square_root(value)
        """,
        refused="square_root",
    ),
    case(
        "a star import replaces a run-time value",
        """
        import random
        log = random.random()
        """,
        "from math import *",
        """
        @env.task
        async def train(value: float) -> float:
            return log(value)
        """,
        kept="log",
        left_out="random",
    ),
    case(
        "a run-time value replaces what a star import brought",
        "from math import *",
        """
        import random
        log = [random.random()]
        """,
        """
        @env.task
        async def train() -> int:
            return len(log)
        """,
        refused="log",
    ),
    case(
        "a star import hides a builtin",
        "from math import *",
        """
        @env.task
        async def train(value: float) -> float:
            return pow(value, 2)
        """,
        kept="pow",
    ),
    case(
        "a constant is computed from what a star import brought",
        """
        from math import *
        QUARTER_TURN = pi / 2
        """,
        """
        @env.task
        async def train(radius: float) -> float:
            return QUARTER_TURN * radius
        """,
        kept="pi QUARTER_TURN",
    ),
    case(
        "a star import that no task uses",
        "from math import *",
        """
        LIMIT = 3
        print(sqrt(LIMIT))
        """,
        """
        @env.task
        async def train(value: float) -> bool:
            return value < LIMIT
        """,
        kept="LIMIT",
        left_out="sqrt pi",
    ),
    case(
        "a star import of a module inside a package",
        "from os.path import *",
        """
        @env.task
        async def train(folder: str, name: str) -> str:
            return splitext(join(folder, name))[0]
        """,
        kept="join splitext",
    ),
    case(
        "a name of a star import was deleted",
        "from math import *",
        "del sqrt",
        """
        @env.task
        async def train(value: float) -> float:
            return sqrt(value)
        """,
        refused="sqrt",
    ),
    case(
        "the result of a function that a star import brought",
        """
        from random import *
        draws = sample(range(100), 3)
        """,
        """
        @env.task
        async def train() -> int:
            return sum(draws)
        """,
        refused="draws",
    ),
    case(
        "a container whose class a star import brought",
        """
        from collections import *
        COUNTS = Counter("mississippi")
        """,
        """
        @env.task
        async def train(letter: str) -> int:
            return COUNTS[letter]
        """,
        kept="Counter COUNTS",
    ),
    case(
        "a private name, which a star import does not bring",
        "from statistics import *",
        """
        @env.task
        async def train(values: list[int]) -> float:
            return mean(values) + _sum(values)[1]
        """,
        refused="_sum",
    ),
)
