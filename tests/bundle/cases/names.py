"""What a name of the notebook stands for after all cells ran, and what comes with it."""

from __future__ import annotations

from .case import case

__all__ = ["CASES"]

CASES = (
    case(
        "a loop variable",
        """
        for fold in range(3):
            print(fold)
        """,
        """
        @env.task
        async def train() -> int:
            return fold
        """,
        refused="fold",
    ),
    case(
        "a value that a loop computes",
        """
        total = 0
        for fold in range(3):
            total += fold
        """,
        """
        @env.task
        async def train() -> int:
            return total
        """,
        refused="total",
    ),
    case(
        "a value bound in a while loop",
        """
        import random
        attempts = 0
        while random.random() < 0.5:
            draw = attempts
            attempts += 1
        """,
        """
        @env.task
        async def train() -> int:
            return attempts
        """,
        refused="attempts",
    ),
    case(
        "the target of a with statement",
        """
        from tempfile import TemporaryDirectory
        with TemporaryDirectory() as folder:
            print(folder)
        """,
        """
        @env.task
        async def train() -> str:
            return folder
        """,
        refused="folder",
    ),
    case(
        "a value bound in the body of a with statement",
        """
        import json
        from pathlib import Path
        Path("config.json").write_text('{"rate": 0.1}')
        with open("config.json") as file:
            config = json.load(file)
        """,
        """
        @env.task
        async def train(epochs: int) -> float:
            return config["rate"] * epochs
        """,
        refused="config",
    ),
    case(
        "a name that was deleted again",
        """
        RATE = 0.1
        """,
        "del RATE",
        """
        @env.task
        async def train(epochs: int) -> float:
            return RATE * epochs
        """,
        refused="RATE",
    ),
    case(
        "a name that was deleted and then defined again",
        """
        import random
        rate = random.random()
        del rate
        """,
        "rate = 0.1",
        """
        @env.task
        async def train(epochs: int) -> float:
            return rate * epochs
        """,
        kept="rate",
        left_out="random",
    ),
    case(
        "a constant becomes a run-time value in a cell below the task",
        "threshold = 0.5",
        """
        @env.task
        async def train(value: float) -> bool:
            return value > threshold
        """,
        """
        import random
        threshold = random.random()
        """,
        refused="threshold",
    ),
    case(
        "a run-time value becomes a constant in a cell below the task",
        """
        import random
        threshold = random.random()
        """,
        """
        @env.task
        async def train(value: float) -> bool:
            return value > threshold
        """,
        "threshold = 0.5",
        kept="threshold",
        left_out="random",
    ),
    case(
        "the name of an exception that a cell caught is unbound after it",
        """
        try:
            1 / 0
        except ZeroDivisionError as error:
            print(error)
        """,
        """
        @env.task
        async def train() -> str:
            return str(error)
        """,
        refused="error",
    ),
    case(
        "a run-time value at the end of a chain of helpers",
        """
        import random
        vocabulary = random.sample(["a", "b", "c"], 2)
        def known(word):
            return word in vocabulary
        """,
        """
        def cleaned(words):
            return [word for word in words if known(word)]
        """,
        """
        @env.task
        async def train(words: list[str]) -> int:
            return len(cleaned(words))
        """,
        refused="vocabulary",
    ),
    case(
        "helpers that call each other, one of them in a cell below the task",
        """
        def even(number):
            return number == 0 or odd(number - 1)
        """,
        """
        @env.task
        async def train(number: int) -> bool:
            return even(number)
        """,
        """
        def odd(number):
            return number != 0 and even(number - 1)
        """,
        kept="even odd",
    ),
    case(
        "run-time values, and helpers that use them, are nobody's business if no task uses them",
        """
        import random
        samples = random.sample(range(100), 10)
        def mean():
            return sum(samples) / len(samples)
        print(mean())
        """,
        """
        UNIT = "m"
        @env.task
        async def train(length: float) -> str:
            return f"{length} {UNIT}"
        """,
        kept="UNIT",
        left_out="samples mean random",
    ),
    case(
        "what the shell printed",
        "files = get_ipython().getoutput('ls')",
        """
        @env.task
        async def train() -> list[str]:
            return list(files)
        """,
        refused="files",
    ),
    case(
        "what a magic bound",
        r"get_ipython().run_cell_magic('capture', 'printed', 'print(1)\n')",
        """
        @env.task
        async def train() -> str:
            return printed.stdout
        """,
        refused="printed",
    ),
    case(
        "tasks of this and of another environment are references",
        """
        data = flyte.TaskEnvironment("data")
        @data.task
        async def prepare(count: int) -> list[int]:
            return list(range(count))
        """,
        """
        @env.task
        async def evaluate(value: int) -> bool:
            return value > 3
        """,
        """
        @env.task
        async def train(count: int) -> bool:
            print(data.name, env.name)
            return await evaluate.override(retries=3)(sum(await prepare(count)))
        """,
    ),
    case(
        "a task of another environment uses a run-time value, which stops that environment only",
        """
        import random
        samples = random.sample(range(100), 10)
        data = flyte.TaskEnvironment("data")
        @data.task
        async def prepare() -> list[int]:
            return samples
        """,
        """
        @env.task
        async def train() -> int:
            return sum(await prepare())
        """,
        left_out="samples random",
    ),
)
