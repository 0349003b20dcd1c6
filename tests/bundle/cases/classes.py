"""Classes: their bases, bodies and instances."""

from __future__ import annotations

from .case import case

__all__ = ["CASES"]

CASES = (
    case(
        "a frozen configuration is an instance of a dataclass with constant arguments",
        """
        from dataclasses import dataclass, field
        COLUMNS = ("price", "amount")
        @dataclass(frozen=True)
        class Config:
            rate: float = 0.1
            columns: list[str] = field(default_factory=lambda: list(COLUMNS))
        config = Config(rate=0.01)
        """,
        """
        @env.task
        async def train(epochs: int) -> float:
            return config.rate * epochs
        """,
        kept="dataclass field COLUMNS Config config",
    ),
    case(
        "an instance of a dataclass with a run-time argument",
        """
        import random
        from dataclasses import dataclass
        @dataclass
        class Config:
            rate: float = 0.1
        config = Config(rate=random.random())
        """,
        """
        @env.task
        async def train(epochs: int) -> float:
            return config.rate * epochs
        """,
        refused="config",
    ),
    case(
        "a default of a dataclass is a run-time value",
        """
        import random
        from dataclasses import dataclass
        best_rate = random.random()
        """,
        """
        @dataclass
        class Config:
            rate: float = best_rate
        """,
        """
        @env.task
        async def train(epochs: int) -> float:
            return Config().rate * epochs
        """,
        refused="best_rate",
    ),
    case(
        "an instance of an ordinary class is the result of a call",
        """
        class Model:
            def __init__(self, depth):
                self.depth = depth
        model = Model(3)
        """,
        """
        @env.task
        async def train() -> int:
            return model.depth
        """,
        refused="model",
    ),
    case(
        "a dataclass is made by a class method that reads the machine",
        """
        import os
        from dataclasses import dataclass
        @dataclass
        class Config:
            stage: str = "test"
            @classmethod
            def from_machine(cls):
                return cls(os.environ.get("STAGE", "test"))
        config = Config.from_machine()
        """,
        """
        @env.task
        async def train() -> str:
            return config.stage
        """,
        refused="config",
    ),
    case(
        "an instance of a named tuple and a member of an enumeration",
        """
        from enum import Enum
        from typing import NamedTuple
        class Mode(Enum):
            FAST = "fast"
            EXACT = "exact"
        class Span(NamedTuple):
            low: float
            high: float = 1.0
        MODE = Mode.FAST
        SPAN = Span(0.0)
        """,
        """
        @env.task
        async def train(value: float) -> bool:
            return MODE is Mode("fast") and SPAN.low <= value <= SPAN.high
        """,
        kept="Enum NamedTuple Mode Span MODE SPAN",
    ),
    case(
        "an instance of a pydantic model with constant arguments",
        """
        from pydantic import BaseModel
        LAYERS = [16, 8]
        class Settings(BaseModel):
            rate: float = 0.1
            layers: list[int]
        settings = Settings(layers=LAYERS)
        """,
        """
        @env.task
        async def train() -> int:
            return sum(settings.layers)
        """,
        kept="BaseModel LAYERS Settings settings",
    ),
    case(
        "a base class and a metaclass of other cells",
        """
        class Named(type):
            def __new__(meta, name, bases, body):
                return super().__new__(meta, name.lower(), bases, body)
        """,
        """
        class Step:
            def run(self, value):
                return value
        """,
        """
        class Double(Step, metaclass=Named):
            def run(self, value):
                print(__class__)
                return 2 * super().run(value)
        """,
        """
        @env.task
        async def train(value: int) -> int:
            return Double().run(value)
        """,
        kept="Named Step Double",
    ),
    case(
        "a base class is the result of a call",
        """
        def make_base(name):
            return type(name, (), {"size": 3})
        Base = make_base("Base")
        class Model(Base):
            pass
        """,
        """
        @env.task
        async def train() -> int:
            return Model.size
        """,
        refused="Base",
    ),
    case(
        "a base class is made by namedtuple",
        """
        from collections import namedtuple
        Base = namedtuple("Base", "low high")
        class Span(Base):
            @property
            def width(self):
                return self.high - self.low
        """,
        """
        @env.task
        async def train(low: float, high: float) -> float:
            return Span(low, high).width
        """,
        kept="namedtuple Base Span",
    ),
    case(
        "a method does not see the names of its class",
        """
        class Model:
            rate = 0.1
            def fit(self, epochs):
                return rate * epochs
        """,
        """
        @env.task
        async def train(epochs: int) -> float:
            return Model().fit(epochs)
        """,
        refused="rate",
    ),
    case(
        "the body of a class sees its own names, not the run-time values of the same names",
        """
        import random
        rate = random.random()
        names = random.sample("abc", 2)
        """,
        """
        class Model:
            rate = 0.1
            names = ("low", "high")
            steps = (rate, 2 * rate)
            sizes = [len(name) for name in names]
            for name in names:
                print(name)
            def fit(self, epochs):
                return self.rate * epochs
        """,
        """
        @env.task
        async def train(epochs: int) -> float:
            return Model().fit(epochs)
        """,
        kept="Model",
        left_out="rate names random",
    ),
    case(
        "a comprehension in the body of a class does not see the names of the class",
        """
        import random
        scale = random.random()
        """,
        """
        class Model:
            scale = 2
            sizes = [scale * size for size in (1, 2)]
        """,
        """
        @env.task
        async def train() -> float:
            return sum(Model.sizes)
        """,
        refused="scale",
    ),
    case(
        "the body of a class reads a constant of the notebook before it has one of that name",
        "limit = 3",
        """
        class Model:
            limit = limit
            double = limit * 2
        """,
        """
        @env.task
        async def train() -> int:
            return Model.double
        """,
        kept="limit Model",
    ),
    case(
        "the body of a class reads a run-time value before it has one of that name",
        """
        import random
        limit = random.random()
        """,
        """
        class Model:
            limit = limit
        """,
        """
        @env.task
        async def train() -> float:
            return Model.limit
        """,
        refused="limit",
    ),
    case(
        "properties, static methods and class methods use definitions of other cells",
        """
        import statistics
        FACTOR = 2
        def centred(values):
            middle = statistics.mean(values)
            return [value - middle for value in values]
        """,
        """
        class Series:
            def __init__(self, values):
                self._values = values
            @property
            def values(self):
                return centred(self._values)
            @values.setter
            def values(self, values):
                self._values = values
            @staticmethod
            def scaled(value):
                return FACTOR * value
            @classmethod
            def of(cls, *values):
                return cls(values)
        """,
        """
        @env.task
        async def train(low: float, high: float) -> float:
            return Series.scaled(sum(Series.of(low, high).values))
        """,
        kept="statistics FACTOR centred Series",
    ),
    case(
        "a static method uses a run-time value",
        """
        import random
        noise = random.random()
        class Series:
            @staticmethod
            def shifted(value):
                return value + noise
        """,
        """
        @env.task
        async def train(value: float) -> float:
            return Series.shifted(value)
        """,
        refused="noise",
    ),
    case(
        "a generic class with a type variable",
        """
        from typing import Generic, TypeVar
        T = TypeVar("T")
        class Stack(Generic[T]):
            def __init__(self) -> None:
                self.items: list[T] = []
            def push(self, item: T) -> T:
                self.items.append(item)
                return item
        """,
        """
        @env.task
        async def train(value: int) -> int:
            return Stack[int]().push(value)
        """,
        kept="Generic TypeVar T Stack",
    ),
    case(
        "a class inside the task has a base of another cell and a run-time value in its body",
        """
        import random
        size = random.randint(1, 3)
        class Base:
            pass
        """,
        """
        @env.task
        async def train() -> int:
            class Model(Base):
                depth = size
            return Model.depth
        """,
        refused="size",
        kept="Base",
    ),
)
