"""Whether a name is a local of a function, a global of the notebook, a builtin, or no name at all."""

from __future__ import annotations

from .case import case

__all__ = ["CASES"]

CASES = (
    case(
        "a name with a typing mistake",
        "LEARNING_RATE = 0.1",
        """
        @env.task
        async def train(epochs: int) -> float:
            return LEARNING_RTE * epochs
        """,
        refused="LEARNING_RTE",
    ),
    case(
        "a parameter has the name of a run-time value",
        """
        import random
        samples = random.sample(range(100), 10)
        """,
        """
        @env.task
        async def train(samples: list[int]) -> int:
            return sum(samples)
        """,
        left_out="samples random",
    ),
    case(
        "a local that is bound on one path only is still a local",
        """
        import random
        samples = random.sample(range(100), 10)
        """,
        """
        @env.task
        async def train(few: bool) -> int:
            if few:
                samples = [1]
            else:
                samples = [1, 2, 3]
            samples.append(4)
            count = len(samples)
            del samples
            return count
        """,
        left_out="samples random",
    ),
    case(
        "locals bound by every other statement have names of run-time values",
        """
        import time
        error = path = Model = module = file = item = first = rest = time.time()
        """,
        """
        @env.task
        async def train(values: list[int]) -> int:
            import os.path as path, json as module
            class Model:
                pass
            def item():
                return Model
            try:
                with open(path.join("a", "b")) as file:
                    first, *rest = module.load(file)
            except OSError as error:
                print(error, item)
            return len(values)
        """,
        left_out="error path Model module file item first rest time",
    ),
    case(
        "patterns of a match statement bind locals",
        """
        import time
        width = height = shape = time.time()
        class Square:
            __match_args__ = ("side",)
            side = 1
        LARGEST = {"side": 10}
        """,
        """
        @env.task
        async def train(shape: dict[str, float]) -> float:
            match shape:
                case {"width": width, "height": height}:
                    return width * height
                case Square(side) if side < LARGEST["side"]:
                    return side ** 2
                case [*rest] | {**rest} if False:
                    return 0
            return 1
        """,
        kept="Square LARGEST",
        left_out="width height time",
    ),
    case(
        "the task counts in a constant that it declares global",
        "calls = 0",
        """
        @env.task
        async def train() -> int:
            global calls
            calls += 1
            return calls
        """,
        kept="calls",
    ),
    case(
        "a helper that the task calls binds a global which no cell defines",
        """
        def load():
            global model
            model = {"bias": 1.0}
        """,
        """
        @env.task
        async def train(value: float) -> float:
            load()
            return value + model["bias"]
        """,
        kept="load",
    ),
    case(
        "a function that only the notebook calls binds the global",
        """
        def load():
            global model
            model = {"bias": 1.0}
        load()
        """,
        """
        @env.task
        async def train(value: float) -> float:
            return value + model["bias"]
        """,
        refused="model",
    ),
    case(
        "a run-time value hides a builtin",
        """
        import random
        sum = random.random() + 1
        """,
        """
        @env.task
        async def train(values: list[float]) -> float:
            return sum(values)
        """,
        refused="sum",
    ),
    case(
        "a function of the notebook hides a builtin",
        """
        def print(*values):
            return " ".join(str(value) for value in values)
        """,
        """
        @env.task
        async def train(value: float) -> str:
            return print("trained", value)
        """,
        kept="print",
    ),
    case(
        "display exists in notebooks only",
        """
        @env.task
        async def train(value: float) -> float:
            display(value)
            return value
        """,
        refused="display",
    ),
    case(
        "display is imported",
        "from IPython.display import display",
        """
        @env.task
        async def train(value: float) -> float:
            display(value)
            return value
        """,
        kept="display",
    ),
    case(
        "the last output of the notebook",
        "2 * 21",
        """
        @env.task
        async def train() -> int:
            return _
        """,
        refused="_",
    ),
    case(
        "attributes, keywords and texts have names of run-time values",
        """
        import time
        price = started = time.time()
        """,
        """
        @env.task
        async def train(order: dict[str, float]) -> dict[str, float]:
            "The price of what started."
            total = dict(price=order["price"])
            total.update(started=0.0)  # started, not price
            return total
        """,
        left_out="price started time",
    ),
    case(
        "an f-string of the task formats a run-time value",
        """
        import time
        started = time.time()
        """,
        """
        @env.task
        async def train(name: str) -> str:
            return f"{name}: {started!r:>20}"
        """,
        refused="started",
    ),
    case(
        "a format inside an f-string is a constant",
        "WIDTH = 20",
        """
        @env.task
        async def train(name: str) -> str:
            return f"{name:>{WIDTH}}"
        """,
        kept="WIDTH",
    ),
)
