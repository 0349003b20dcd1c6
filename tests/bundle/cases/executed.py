"""Names that exec, eval and the dictionaries of names use or bind."""

from __future__ import annotations

from .case import case

__all__ = ["CASES"]

CASES = (
    case(
        "a name that exec bound",
        """exec("RATE = 0.1")""",
        """
        @env.task
        async def train(epochs: int) -> float:
            return RATE * epochs
        """,
        refused="RATE",
    ),
    case(
        "a name that was set in globals",
        """globals()["RATE"] = 0.1""",
        """
        @env.task
        async def train(epochs: int) -> float:
            return RATE * epochs
        """,
        refused="RATE",
    ),
    case(
        "names that a dictionary brought into globals",
        """globals().update({"RATE": 0.1, "EPOCHS": 3})""",
        """
        @env.task
        async def train() -> float:
            return RATE * EPOCHS
        """,
        refused="RATE EPOCHS",
    ),
    case(
        "a name that setattr bound on the module of the notebook",
        """
        import sys
        setattr(sys.modules[__name__], "RATE", 0.1)
        """,
        """
        @env.task
        async def train(epochs: int) -> float:
            return RATE * epochs
        """,
        refused="RATE",
    ),
    case(
        "the task evaluates a text that names a constant",
        "RATE = 0.1",
        """
        @env.task
        async def train(epochs: int) -> float:
            return eval("RATE * epochs")
        """,
        kept="RATE",
    ),
    case(
        "the task executes a text that names a run-time value",
        """
        import random
        samples = random.sample(range(100), 10)
        """,
        """
        @env.task
        async def train() -> None:
            exec("for sample in samples:\\n    print(sample)")
        """,
        refused="samples",
    ),
    case(
        "the task executes a text that binds the names it uses",
        """
        import time
        total = time.time()
        """,
        """
        @env.task
        async def train() -> None:
            exec("total = 1\\nfor part in range(3):\\n    total += part\\nprint(total)")
        """,
        left_out="total time",
    ),
    case(
        "the task executes a text that calls a helper",
        """
        def doubled(value):
            return 2 * value
        """,
        """
        @env.task
        async def train(value: int) -> None:
            exec("import json\\nprint(json.dumps(doubled(value)))")
        """,
        kept="doubled",
    ),
    case(
        "the task evaluates a text with names of its own",
        """
        import time
        price = time.time()
        """,
        """
        @env.task
        async def train(unit: float) -> float:
            return eval("price * 2", {"price": unit})
        """,
        left_out="price time",
    ),
    case(
        "the task evaluates a constant text about its own parameters",
        'FORMULA = "rate * epochs"',
        """
        @env.task
        async def train(rate: float, epochs: int) -> float:
            return eval(FORMULA, {"rate": rate, "epochs": epochs})
        """,
        kept="FORMULA",
    ),
    case(
        "a cell executes a text that has nothing to do with the task",
        """
        RATE = 0.1
        exec("import random\\nnoise = random.random()")
        print(noise)
        """,
        """
        @env.task
        async def train(epochs: int) -> float:
            return RATE * epochs
        """,
        kept="RATE",
        left_out="noise",
    ),
    case(
        "a constant that eval computed",
        """RATES = eval("[0.1, 0.01]")""",
        """
        @env.task
        async def train() -> int:
            return len(RATES)
        """,
        refused="RATES",
    ),
    case(
        "a helper evaluates a text that names nothing the notebook defines",
        """
        def scaled(value):
            return eval("value * SCALE")
        """,
        """
        @env.task
        async def train(value: float) -> float:
            return scaled(value)
        """,
        refused="SCALE",
    ),
)
