"""Notebooks that were labelled before the check was tried on them."""

from __future__ import annotations

from .case import case

__all__ = ["CASES"]

CASES = (
    case(
        "a helper with overloads",
        """
        from typing import overload
        @overload
        def doubled(value: int) -> int: ...
        @overload
        def doubled(value: str) -> str: ...
        def doubled(value):
            return value * FACTOR
        FACTOR = 2
        """,
        """
        @env.task
        async def train(value: int) -> int:
            return doubled(value)
        """,
        kept="doubled FACTOR",
    ),
    case(
        "a generic function gets an implementation for each type",
        """
        from functools import singledispatch
        @singledispatch
        def described(value) -> str:
            return "thing"
        @described.register
        def _(value: int) -> str:
            return f"number in {UNIT}"
        @described.register(str)
        def described_text(value) -> str:
            return "text"
        UNIT = "m"
        """,
        """
        @env.task
        async def train(value: int) -> str:
            return described(value)
        """,
        kept="singledispatch described UNIT",
    ),
    case(
        "a property with a setter and a cached property",
        """
        from functools import cached_property
        LOWEST = 0.0
        class Optimiser:
            def __init__(self, rate: float) -> None:
                self._rate = rate
            @property
            def rate(self) -> float:
                return self._rate
            @rate.setter
            def rate(self, value: float) -> None:
                self._rate = max(LOWEST, value)
            @cached_property
            def steps(self) -> list[float]:
                return [self.rate] * 3
        """,
        """
        @env.task
        async def train(rate: float) -> float:
            optimiser = Optimiser(1.0)
            optimiser.rate = rate
            return sum(optimiser.steps)
        """,
        kept="cached_property LOWEST Optimiser",
    ),
    case(
        "dataclasses that inherit, with factories of fields",
        """
        from dataclasses import dataclass, field, replace
        TAGS = ["a"]
        @dataclass
        class Base:
            name: str
            tags: list[str] = field(default_factory=lambda: list(TAGS))
        @dataclass
        class Wide(Base):
            width: int = 3
        WIDE = Wide("wide", width=5)
        """,
        """
        @env.task
        async def train(width: int) -> int:
            return replace(WIDE, width=width).width + len(WIDE.tags)
        """,
        kept="dataclass field replace TAGS Base Wide WIDE",
    ),
    case(
        "a member of an enumeration as a default and behind an alias",
        """
        from enum import Enum, auto
        class Colour(Enum):
            RED = auto()
            GREEN = auto()
            CRIMSON = RED
        PREFERRED = Colour.GREEN
        def is_liked(colour: Colour = Colour.CRIMSON) -> bool:
            return colour is PREFERRED
        """,
        """
        @env.task
        async def train(name: str) -> bool:
            return is_liked(Colour[name])
        """,
        kept="Enum auto Colour PREFERRED is_liked",
    ),
    case(
        "a protocol, a generic class and a type variable",
        """
        from typing import Generic, Protocol, TypeVar
        Item = TypeVar("Item", bound="Sized")
        class Sized(Protocol):
            def __len__(self) -> int: ...
        class Box(Generic[Item]):
            def __init__(self, items: list[Item]) -> None:
                self.items = items
            def size(self) -> int:
                return sum(len(item) for item in self.items)
        """,
        """
        @env.task
        async def train(words: list[str]) -> int:
            return Box[str](words).size()
        """,
        kept="Generic TypeVar Item Box",
    ),
    case(
        "an attribute of a class is set to a run-time value after its definition",
        """
        import random
        class Model:
            bias = 0.0
        """,
        "Model.bias = random.random()",
        """
        @env.task
        async def train(value: float) -> float:
            return value + Model.bias
        """,
        refused="Model",
    ),
    case(
        "a method is added to a class after its definition",
        """
        class Model:
            bias = 1.0
        """,
        """
        def predict(self, value):
            return value + self.bias
        Model.predict = predict
        """,
        """
        @env.task
        async def train(value: float) -> float:
            return Model().predict(value)
        """,
        kept="Model predict",
    ),
    case(
        "a dictionary is changed under its other name",
        """
        import random
        options = {"depth": 3}
        shared = options
        shared["seed"] = random.random()
        """,
        """
        @env.task
        async def train() -> float:
            return options["seed"]
        """,
        refused="options",
    ),
    case(
        "a function of the notebook fills a dictionary that it is given",
        """
        import random
        options = {"depth": 3}
        def fill(target):
            target["seed"] = random.random()
        fill(options)
        """,
        """
        @env.task
        async def train() -> float:
            return options["seed"]
        """,
        refused="options",
    ),
    case(
        "a dictionary is printed and shown, which changes nothing",
        """
        options = {"depth": 3}
        print(options)
        display(options)
        options
        len(options)
        """,
        """
        @env.task
        async def train() -> int:
            return options["depth"]
        """,
        kept="options",
    ),
    case(
        "names unpacked from what calls gave",
        """
        import os
        import random
        low, high = random.sample(range(10), 2)
        first, *rest = os.listdir(os.sep)
        """,
        """
        @env.task
        async def train() -> str:
            return f"{low} {rest}"
        """,
        refused="low rest",
    ),
    case(
        "a name that an expression of a condition binds",
        """
        import random
        if (count := random.randint(1, 3)) > 1:
            print(count)
        """,
        """
        @env.task
        async def train() -> int:
            return count
        """,
        refused="count",
    ),
    case(
        "a name that leaves a comprehension",
        """
        import random
        rolls = [last := random.randint(1, 6) for _ in range(3)]
        """,
        """
        @env.task
        async def train() -> int:
            return last
        """,
        refused="last",
    ),
    case(
        "a table of functions",
        """
        import operator
        def scaled(value, by):
            return value * by
        ACTIONS = {"add": operator.add, "scale": scaled, "keep": lambda value, by: value}
        """,
        """
        @env.task
        async def train(action: str, value: int) -> int:
            return ACTIONS[action](value, 3)
        """,
        kept="operator scaled ACTIONS",
    ),
    case(
        "a table with one run-time entry",
        """
        import time
        def scaled(value):
            return value * 2
        ACTIONS = {"scale": scaled, "started": time.time()}
        """,
        """
        @env.task
        async def train(value: int) -> int:
            return ACTIONS["scale"](value)
        """,
        refused="ACTIONS",
    ),
    case(
        "helpers that remember what they returned",
        """
        import functools
        from functools import lru_cache
        @lru_cache(maxsize=None)
        def fibonacci(n):
            return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)
        @functools.cache
        def doubled(n):
            return 2 * n
        print(fibonacci(10))
        """,
        """
        @env.task
        async def train(n: int) -> int:
            return doubled(fibonacci(n))
        """,
        kept="functools lru_cache fibonacci doubled",
    ),
    case(
        "a context manager of the notebook is used in the task",
        """
        import contextlib
        events = []
        @contextlib.contextmanager
        def noted(name):
            events.append(name)
            try:
                yield name
            finally:
                events.pop()
        """,
        """
        @env.task
        async def train(name: str) -> int:
            with noted(name) as event:
                return len(event) + len(events)
        """,
        kept="contextlib events noted",
    ),
    case(
        "asynchronous generators and context managers",
        """
        import asyncio
        STEP = 2
        async def numbers(stop):
            for number in range(0, stop, STEP):
                await asyncio.sleep(0)
                yield number
        class Guard:
            async def __aenter__(self):
                return self
            async def __aexit__(self, *error):
                return None
        """,
        """
        @env.task
        async def train(stop: int) -> int:
            async with Guard():
                return sum([number async for number in numbers(stop) if number])
        """,
        kept="asyncio STEP numbers Guard",
    ),
    case(
        "decorators over several lines with comments between them",
        """
        import functools
        LIMIT = 2
        def retried(
            times,
        ):
            def decorate(function):
                @functools.wraps(function)
                def call(*args, **kwargs):
                    for _ in range(times - 1):
                        try:
                            return function(*args, **kwargs)
                        except ValueError:
                            pass
                    return function(*args, **kwargs)
                return call
            return decorate
        @retried(
            # as often as is allowed
            times=LIMIT,
        )
        # and now the function

        def parsed(text):
            return int(text)
        """,
        """
        @env.task(
            retries=LIMIT,  # the same
        )
        # an own comment
        async def train(text: str) -> int:
            return parsed(text)
        """,
        kept="functools LIMIT retried parsed",
    ),
    case(
        "the argument of the decorator of a helper is a run-time value",
        """
        import random
        attempts = random.randint(1, 3)
        def retried(times):
            return lambda function: function
        @retried(times=attempts)
        def parsed(text):
            return int(text)
        """,
        """
        @env.task
        async def train(text: str) -> int:
            return parsed(text)
        """,
        refused="attempts",
    ),
    case(
        "a decorator of the notebook under the one of the task",
        """
        import functools
        import logging
        def logged(function):
            @functools.wraps(function)
            async def call(*args, **kwargs):
                logging.info("calling %s", function.__name__)
                return await function(*args, **kwargs)
            return call
        """,
        """
        @env.task
        @logged
        async def train(value: int) -> int:
            return value
        """,
        kept="functools logging logged",
    ),
    case(
        "an import for type checkers alone",
        """
        from __future__ import annotations
        from typing import TYPE_CHECKING
        if TYPE_CHECKING:
            from decimal import Decimal
        def total(values: list[Decimal]) -> Decimal:
            return sum(values)
        """,
        """
        @env.task
        async def train(values: list[int]) -> int:
            return int(total(values))
        """,
        kept="total",
    ),
    case(
        "a flag that says whether an import worked",
        """
        try:
            import a_package_that_nobody_has as fast
            HAS_FAST = True
        except ImportError:
            fast = None
            HAS_FAST = False
        """,
        """
        @env.task
        async def train(value: float) -> float:
            return fast.run(value) if HAS_FAST else value
        """,
        kept="fast HAS_FAST",
    ),
    case(
        "a condition on the environment of the process chooses a constant",
        """
        import os
        if os.environ.get("A_VARIABLE_THAT_NOBODY_SETS"):
            RATE = 1.0
        else:
            RATE = 0.1
        """,
        """
        @env.task
        async def train(epochs: int) -> float:
            return epochs * RATE
        """,
        refused="RATE",
    ),
    case(
        "a converted script calls its main function",
        """
        import argparse
        RATE = 0.1
        def fit(epochs):
            return RATE * epochs
        def main(arguments=()):
            parser = argparse.ArgumentParser()
            parser.add_argument("--epochs", type=int, default=3)
            print(fit(parser.parse_args(list(arguments)).epochs))
        if __name__ == "__main__":
            main()
        """,
        """
        @env.task
        async def train(epochs: int) -> float:
            return fit(epochs)
        """,
        kept="RATE fit",
        left_out="argparse main",
    ),
    case(
        "a converted script binds a constant when it is the program",
        """
        if __name__ == "__main__":
            RATE = 0.1
        """,
        """
        @env.task
        async def train(epochs: int) -> float:
            return RATE * epochs
        """,
        refused="RATE",
    ),
    case(
        "a model that a helper loads on its first call",
        """
        _model = None
        def model():
            global _model
            if _model is None:
                _model = {"bias": 1.0}
            return _model
        """,
        """
        @env.task
        async def train(value: float) -> float:
            return value + model()["bias"]
        """,
        kept="_model model",
    ),
    case(
        "a function hides what a star import gave",
        "from math import *",
        """
        def sqrt(value):
            return value ** 0.5 + floor(OFFSET)
        OFFSET = 1.5
        """,
        """
        @env.task
        async def train(value: float) -> float:
            return sqrt(value)
        """,
        kept="sqrt floor OFFSET",
    ),
    case(
        "a run-time value hides what a star import gave",
        "from math import *",
        """
        import time
        tau = time.time()
        """,
        """
        @env.task
        async def train(value: float) -> float:
            return sqrt(value) * tau
        """,
        refused="tau",
    ),
    case(
        "a star import hides a run-time value",
        """
        import time
        pi = time.time()
        from math import *
        """,
        """
        @env.task
        async def train(value: float) -> float:
            return value * pi
        """,
        kept="pi",
        left_out="time",
    ),
    case(
        "names written into the namespace of the notebook",
        """
        import sys
        globals().update(beta=2)
        globals()["gamma"] = 3
        setattr(sys.modules["__main__"], "delta", 4)
        get_ipython().user_ns["epsilon"] = 5
        get_ipython().push({"zeta": 6})
        vars()["eta"] = 7
        """,
        """
        @env.task
        async def train() -> int:
            return beta + gamma + delta + epsilon + zeta + eta
        """,
        refused="beta gamma delta epsilon zeta eta",
    ),
    case(
        "an expression is evaluated in a dictionary of its own",
        """
        RATE = 0.1
        """,
        """
        @env.task
        async def train(expression: str) -> float:
            return eval(expression, {"rate": RATE})
        """,
        kept="RATE",
    ),
    case(
        "an iterator, an open file and a running task of the event loop",
        """
        import asyncio
        import os
        numbers = iter([1, 2, 3])
        file = open(os.devnull)
        pending = asyncio.ensure_future(asyncio.sleep(0))
        """,
        """
        @env.task
        async def train() -> int:
            await pending
            return next(numbers) + len(file.read())
        """,
        refused="numbers file pending",
    ),
    case(
        "a loop and a with statement write into dictionaries",
        """
        import os
        config = {"rate": 0}
        holder = {}
        for config["rate"] in (1, 2):
            pass
        with open(os.devnull) as holder["file"]:
            pass
        """,
        """
        @env.task
        async def train() -> int:
            return config["rate"] + len(holder)
        """,
        refused="config holder",
    ),
    case(
        "entries of entries are changed with constants",
        """
        CONFIG = {"model": {"depth": 3}, "tags": ["a"]}
        CONFIG["model"]["depth"] = 5
        CONFIG["tags"].append("b")
        CONFIG["tags"][0] += "!"
        CONFIG |= {"new": 1}
        """,
        """
        @env.task
        async def train() -> str:
            return str(CONFIG)
        """,
        kept="CONFIG",
    ),
    case(
        "entries of entries are changed with run-time values",
        """
        import random
        CONFIG = {"model": {"depth": 3}, "tags": ["a"]}
        OTHER = {}
        CONFIG["model"]["depth"] += random.random()
        OTHER.setdefault("tags", []).append(random.random())
        """,
        """
        @env.task
        async def train() -> str:
            return str(CONFIG) + str(OTHER)
        """,
        refused="CONFIG OTHER",
    ),
    case(
        "a table that a function of the notebook computed",
        """
        def squares(stop):
            return {number: number ** 2 for number in range(stop)}
        TABLE = squares(5)
        """,
        """
        @env.task
        async def train(number: int) -> int:
            return TABLE[number]
        """,
        refused="TABLE",
    ),
    case(
        "what top-level awaits gave",
        """
        import asyncio
        async def fetched():
            await asyncio.sleep(0)
            return [1, 2]
        class Source:
            async def __aenter__(self):
                return 3
            async def __aexit__(self, *error):
                return None
        """,
        """
        rows = await fetched()
        both = [*rows, *(await fetched())]
        async with Source() as source:
            inner = 4
        """,
        """
        @env.task
        async def train() -> int:
            return sum(both) + source + inner
        """,
        refused="both source inner",
    ),
    case(
        "a metaclass and arguments of a class",
        """
        STRICT = True
        class Meta(type):
            def __new__(mcs, name, bases, body, **options):
                return super().__new__(mcs, name, bases, {**body, "options": options})
            def __init__(cls, name, bases, body, **options):
                super().__init__(name, bases, body)
        class Plugin(metaclass=Meta, strict=STRICT):
            pass
        """,
        """
        @env.task
        async def train() -> int:
            return len(Plugin.options)
        """,
        kept="STRICT Meta Plugin",
    ),
    case(
        "a comprehension of a class body iterates over what the class defines",
        """
        import os
        names = os.listdir(os.sep)
        class Table:
            names = ["a", "b"]
            upper = [name.upper() for name in names]
        """,
        """
        @env.task
        async def train() -> int:
            return len(Table.upper)
        """,
        kept="Table",
        left_out="names os",
    ),
    case(
        "a condition of a comprehension of a class body looks past the class",
        """
        import os
        names = os.listdir(os.sep)
        class Table:
            names = ["a", "b"]
            known = [name for name in ("a", "c") if name in names]
        """,
        """
        @env.task
        async def train() -> int:
            return len(Table.known)
        """,
        refused="names",
    ),
    case(
        "a method looks past its class for a name",
        """
        import time
        rate = time.time()
        class Model:
            rate = 0.1
            def step(self):
                return rate
        """,
        """
        @env.task
        async def train() -> float:
            return Model().step()
        """,
        refused="rate",
    ),
    case(
        "a default argument of a lambda is a run-time value",
        """
        import random
        seed = random.random()
        shifted = lambda value, by=seed: value + by
        """,
        """
        @env.task
        async def train(value: float) -> float:
            return shifted(value)
        """,
        refused="shifted",
    ),
    case(
        "a partial of a task",
        """
        from functools import partial
        data = flyte.TaskEnvironment("data")
        @data.task
        async def prepare(count: int, start: int = 0) -> list[int]:
            return list(range(start, count))
        prepared = partial(prepare, start=1)
        """,
        """
        @env.task
        async def train(count: int) -> int:
            return sum(await prepared(count))
        """,
        kept="partial prepared",
    ),
    case(
        "a function becomes a task in a cell of its own",
        """
        RATE = 0.1
        async def train(epochs: int) -> float:
            return RATE * epochs
        """,
        "train = env.task(train)",
        kept="RATE",
    ),
    case(
        "a helper is defined a second time",
        """
        OLD = 1
        def shifted(value):
            return value + OLD
        """,
        """
        NEW = 2
        def shifted(value):
            return value + NEW
        """,
        """
        @env.task
        async def train(value: int) -> int:
            return shifted(value)
        """,
        kept="NEW shifted",
        left_out="OLD",
    ),
    case(
        "a helper is wrapped by one of its own name",
        """
        def shifted(value):
            return value + 1
        """,
        """
        original = shifted
        def shifted(value):
            return original(value) * 2
        """,
        """
        @env.task
        async def train(value: int) -> int:
            return shifted(value)
        """,
        kept="original shifted",
    ),
    case(
        "a setting comes from the environment or has a default",
        """
        import os
        try:
            limit = int(os.environ["A_VARIABLE_THAT_NOBODY_SETS"])
        except KeyError:
            limit = 3
        """,
        """
        @env.task
        async def train() -> int:
            return limit
        """,
        refused="limit",
    ),
    case(
        "what magics and the shell gave",
        """
        files = !echo a b
        folder = %pwd
        """,
        """
        @env.task
        async def train() -> str:
            return f"{folder} {files}"
        """,
        refused="files folder",
    ),
    case(
        "magics and shell lines beside definitions",
        """
        %precision 3
        !echo installing
        RATE = 0.1
        %time print(RATE)
        def scaled(value):
            return value * RATE
        """,
        """
        @env.task
        async def train(value: float) -> float:
            return scaled(value)
        """,
        kept="RATE scaled",
    ),
    case(
        "statements share a line",
        """
        import random; RATE = 0.1; seed = random.random(); EPOCHS = 1 + \\
            2
        """,
        """
        @env.task
        async def train() -> int:
            return EPOCHS
        """,
        kept="EPOCHS",
        left_out="RATE seed random",
    ),
    case(
        "a query over several lines",
        """
        TABLE = "orders"
        QUERY = f'''
            SELECT *
          FROM {TABLE}  -- not a "comment"
        WHERE day = :day
        '''
        """,
        """
        @env.task
        async def train(day: str) -> str:
            return QUERY.replace(":day", day)
        """,
        kept="TABLE QUERY",
    ),
    case(
        "containers are put together from others",
        """
        BASE = {"rate": 0.1}
        COLUMNS = ["a", "b", "c"]
        SCHEMA = {**BASE, "columns": [*COLUMNS, "d"], "tail": COLUMNS[-2:]}
        CHOSEN = COLUMNS if len(COLUMNS) > 2 and "a" in COLUMNS else []
        PAIRS = {(left, right) for left in COLUMNS for right in CHOSEN if left < right}
        LOOKUP = {name: index for index, name in enumerate(COLUMNS)}
        """,
        """
        @env.task
        async def train() -> int:
            return len(SCHEMA) + len(PAIRS) + len(LOOKUP)
        """,
        kept="BASE COLUMNS SCHEMA CHOSEN PAIRS LOOKUP",
    ),
    case(
        "one source of a comprehension is a run-time value",
        """
        import os
        rows = os.listdir(os.sep)
        PAIRS = [(letter, row) for letter in "ab" for row in rows]
        """,
        """
        @env.task
        async def train() -> int:
            return len(PAIRS)
        """,
        refused="PAIRS",
    ),
    case(
        "a model of pydantic and one of its instances",
        """
        from pydantic import BaseModel, Field, field_validator
        HIGHEST = 10
        class Settings(BaseModel):
            rate: float = Field(default=0.1, le=HIGHEST)
            name: str = "a"
            @field_validator("name")
            @classmethod
            def stripped(cls, value: str) -> str:
                return value.strip()
        settings = Settings(rate=0.5, name=" b ")
        """,
        """
        @env.task
        async def train() -> str:
            return settings.name
        """,
        kept="BaseModel Field field_validator HIGHEST Settings settings",
    ),
    case(
        "a model of pydantic with a value of this machine",
        """
        import os
        from pydantic import BaseModel
        class Settings(BaseModel):
            folder: str
        settings = Settings(folder=os.getcwd())
        """,
        """
        @env.task
        async def train() -> str:
            return settings.folder
        """,
        refused="settings",
    ),
    case(
        "a database is connected in a cell",
        """
        import sqlite3
        connection = sqlite3.connect(":memory:")
        def rows(query):
            return connection.execute(query).fetchall()
        """,
        """
        @env.task
        async def train() -> int:
            return len(rows("SELECT 1"))
        """,
        refused="connection",
    ),
    case(
        "a database is connected in a helper",
        """
        import sqlite3
        PATH = ":memory:"
        def rows(query):
            with sqlite3.connect(PATH) as connection:
                return connection.execute(query).fetchall()
        connection = sqlite3.connect(PATH)
        """,
        """
        @env.task
        async def train() -> int:
            return len(rows("SELECT 1"))
        """,
        kept="sqlite3 PATH rows",
        left_out="connection",
    ),
    case(
        "arguments of the command line that a cell parsed",
        """
        import argparse
        parser = argparse.ArgumentParser()
        parser.add_argument("--rate", type=float, default=0.1)
        args = parser.parse_args([])
        """,
        """
        @env.task
        async def train(epochs: int) -> float:
            return epochs * args.rate
        """,
        refused="args",
    ),
    case(
        "a variable of a comprehension of the task does not hide the global",
        """
        import os
        row = os.getpid()
        """,
        """
        @env.task
        async def train(rows: list[int]) -> int:
            squares = [row ** 2 for row in rows]
            return row + sum(squares)
        """,
        refused="row",
    ),
    case(
        "a function inside the task reaches past a local with a global statement",
        """
        import os
        count = os.getpid()
        """,
        """
        @env.task
        async def train() -> int:
            count = 1
            def counted():
                global count
                return count
            return count + counted()
        """,
        refused="count",
    ),
    case(
        "modules inside packages",
        """
        import importlib.metadata
        import importlib.util
        import xml.etree.ElementTree as tree, xml.dom
        """,
        """
        @env.task
        async def train(text: str) -> bool:
            found = importlib.util.find_spec("json"), importlib.metadata.metadata
            return tree.fromstring(text) is not None and bool(found)
        """,
        kept="importlib tree",
        left_out="xml",
    ),
    case(
        "a run-time value is put into the environment of the process",
        """
        import os
        import time
        os.environ["STARTED"] = str(time.time())
        """,
        """
        @env.task
        async def train(name: str) -> str:
            return os.path.join("data", name)
        """,
        kept="os",
        left_out="time",
    ),
    case(
        "names of types",
        """
        from typing import Annotated, Optional, Union
        Row = dict[str, float]
        Rows = list[Row]
        Maybe = Optional[Rows]
        Share = Annotated[float, "between 0 and 1"]
        Key = Union[int, str]
        """,
        """
        def first(rows: Maybe, key: Key = "a") -> Share:
            return (rows or [{}])[0].get(str(key), 0.0)
        @env.task
        async def train(rows: Rows) -> float:
            return first(rows)
        """,
        kept="Annotated Optional Union Row Rows Maybe Share Key first",
    ),
    case(
        "a helper of a helper has a typing mistake in its name",
        """
        def cleaned(rows):
            return clen(rows)
        """,
        """
        @env.task
        async def train(rows: list[int]) -> int:
            return len(cleaned(rows))
        """,
        refused="clen",
    ),
    case(
        "what only notebooks know",
        """
        @env.task
        async def train() -> str:
            get_ipython().run_line_magic("pwd", "")
            return str(Out) + str(In)
        """,
        refused="get_ipython Out In",
    ),
    case(
        "what every module knows",
        """
        @env.task
        async def train() -> str:
            assert __debug__
            return f"{__name__} {__doc__} {NotImplemented} {__build_class__}"
        """,
    ),
    case(
        "decorators of a class",
        """
        from dataclasses import dataclass
        from functools import total_ordering
        @total_ordering
        @dataclass(eq=True)
        class Version:
            major: int
            def __lt__(self, other: "Version") -> bool:
                return self.major < other.major
        OLDEST = Version(1)
        """,
        """
        @env.task
        async def train(major: int) -> bool:
            return Version(major) >= OLDEST
        """,
        kept="dataclass total_ordering Version OLDEST",
    ),
    case(
        "patterns compare with attributes, and bind a local of the name of a class",
        """
        import enum
        class Kind(enum.Enum):
            A = "a"
            B = "b"
        class Limits:
            HIGH = 10
        """,
        """
        @env.task
        async def train(kind: str, value: int) -> int:
            match (Kind(kind), value):
                case (Kind.A, Limits.HIGH):
                    return 1
                case (Kind.B, int(Limits)):
                    return Limits
            return 0
        """,
        kept="enum Kind",
        left_out="Limits",
    ),
    case(
        "a match statement of a cell binds a name",
        """
        match {"rate": 0.1}:
            case {"rate": rate}:
                pass
        """,
        """
        @env.task
        async def train(epochs: int) -> float:
            return epochs * rate
        """,
        refused="rate",
    ),
    case(
        "one of two functions is chosen by a constant",
        """
        DEBUG = False
        FACTOR = 3
        if DEBUG:
            def scaled(value):
                return value
        else:
            def scaled(value):
                return value * FACTOR
        """,
        """
        @env.task
        async def train(value: int) -> int:
            return scaled(value)
        """,
        kept="DEBUG FACTOR scaled",
    ),
    case(
        "a loop defines functions",
        """
        for number in (1, 2):
            def shifted(value):
                return value + 1
        """,
        """
        @env.task
        async def train(value: int) -> int:
            return shifted(value)
        """,
        refused="shifted",
    ),
    case(
        "a loop defines the task",
        """
        for rate in (0.1, 0.2):
            @env.task
            async def train(epochs: int) -> float:
                return epochs * rate
        """,
        refused="rate",
    ),
    case(
        "an if statement defines the task",
        """
        RATE = 0.1
        if RATE < 1:
            @env.task
            async def train(epochs: int) -> float:
                return epochs * RATE
        """,
        kept="RATE",
    ),
    case(
        "names with letters of other alphabets",
        """
        größe = 3; π = 3.14; text = "äöü"; 単位 = "m"
        def fläche(r): return π * r ** 2 * größe
        """,
        """
        @env.task
        async def train(r: float) -> str: größer = fläche(r); return f"{größer} {単位}"
        """,
        kept="größe π 単位 fläche",
        left_out="text",
    ),
    case(
        "one environment is used in three, and each has what it uses",
        """
        left = flyte.TaskEnvironment("left")
        right = flyte.TaskEnvironment("right")
        LEFT, RIGHT, OWN, BOTH = 1, 2, 3, 4
        def both(value):
            return value + BOTH
        """,
        """
        @left.task
        async def first(value: int) -> int:
            return both(value) + LEFT if value > 3 else await train(value)
        @right.task
        async def second(value: int) -> int:
            return await first(both(value)) + RIGHT
        @env.task
        async def train(value: int) -> int:
            return await second(value + OWN)
        """,
        kept="OWN",
        left_out="both",
    ),
    case(
        "cells draw and warn beside helpers with any arguments",
        """
        import warnings
        import numpy as np
        warnings.filterwarnings("ignore")
        np.random.seed(0)
        STEP = 1
        def joined(first, /, *parts, by=STEP, **others):
            return sum([first, *parts, by, *others.values()])
        print(joined(1, 2, by=3, other=4), np.ones(2))
        """,
        """
        @env.task
        async def train(value: int) -> int:
            return joined(value, *[1, 2], **{"x": 1})
        """,
        kept="STEP joined",
        left_out="warnings np",
    ),
)
