"""What is a constant and what is the result of a call; constants that later statements change."""

from __future__ import annotations

from .case import case

__all__ = ["CASES"]

CASES = (
    case(
        "containers, operators and f-strings of constants",
        """
        EPOCHS: int = 3
        RATES = {"low": 10 ** -3, "high": -0.5 + 1}
        NAME = f"model-{EPOCHS}-{RATES['low']:.4f}"
        STEPS = [*range(EPOCHS), EPOCHS if EPOCHS > 2 else 0]
        PATHS = {**RATES, "name": NAME}
        """,
        """
        @env.task
        async def train() -> int:
            return len(STEPS) + len(PATHS)
        """,
        kept="EPOCHS RATES NAME STEPS PATHS",
    ),
    case(
        "calls of builtins with constant arguments",
        """
        CLASSES = "cat dog bird".split()
        WANTED = frozenset(CLASSES)
        COUNT = len(WANTED)
        LONGEST = max(len("cat"), len("bird"))
        ORDERED = sorted(CLASSES)
        TITLE = ", ".join(ORDERED)
        NUMBERS = dict(zip(CLASSES, range(COUNT)))
        """,
        """
        @env.task
        async def train(name: str) -> int:
            print(TITLE, LONGEST)
            return NUMBERS[name]
        """,
        kept="CLASSES WANTED COUNT LONGEST ORDERED TITLE NUMBERS",
    ),
    case(
        "dates, numbers, paths and patterns of the standard library",
        """
        import datetime as dt
        import re
        from decimal import Decimal
        from fractions import Fraction
        from pathlib import Path, PurePosixPath
        START = dt.datetime(2024, 1, 1, tzinfo=dt.timezone.utc)
        WEEK = dt.timedelta(days=7)
        END = START + 4 * WEEK
        PRICE = Decimal("0.10")
        SHARE = Fraction(1, 3)
        ROOT = Path("data") / "raw"
        KEY = PurePosixPath("bucket", "key")
        DIGITS = re.compile(r"\\d+", re.IGNORECASE)
        """,
        """
        @env.task
        async def train(text: str) -> str:
            print(END, PRICE * 2, SHARE, ROOT, KEY)
            return DIGITS.sub("#", text)
        """,
        kept="dt re Decimal Fraction Path PurePosixPath START WEEK END PRICE SHARE ROOT KEY DIGITS",
    ),
    case(
        "containers, getters and context variables of the standard library",
        """
        import logging, operator
        from collections import Counter, OrderedDict, defaultdict, deque
        from contextvars import ContextVar
        from types import MappingProxyType
        logger = logging.getLogger(__name__)
        logger.setLevel(logging.DEBUG)
        by_price = operator.itemgetter("price")
        request = ContextVar("request", default=None)
        groups = defaultdict(list)
        recent = deque([1, 2], maxlen=3)
        LIMITS = MappingProxyType({"low": 1})
        ORDER = OrderedDict(low=1)
        COUNTS = Counter({"a": 1})
        """,
        """
        @env.task
        async def train(rows: list[dict[str, float]]) -> int:
            logger.info("sorted %s", sorted(rows, key=by_price))
            groups[request.get()].append(LIMITS["low"])
            recent.append(ORDER["low"] + COUNTS["a"])
            return len(recent)
        """,
        kept=(
            "logging operator Counter OrderedDict defaultdict deque ContextVar MappingProxyType logger by_price request"
            " groups recent LIMITS ORDER COUNTS"
        ),
    ),
    case(
        "values unpacked from constants",
        """
        low, high = 0.1, 0.9
        first, *rest = (1, 2, 3)
        (a, b), c = (1, 2), 3
        low, high = high, low
        """,
        """
        @env.task
        async def train(value: float) -> bool:
            return low > value > high and len(rest) > b
        """,
        kept="low high rest b",
    ),
    case(
        "Flyte's own objects",
        """
        RESOURCES = flyte.Resources(cpu="2", memory="4Gi")
        IMAGE = flyte.Image.from_debian_base().with_pip_packages("numpy")
        """,
        """
        @env.task(retries=flyte.RetryStrategy(count=2))
        async def train() -> str:
            return f"{RESOURCES.cpu} of {IMAGE}"
        """,
        kept="RESOURCES IMAGE",
    ),
    case(
        "values of the moment and of the machine",
        """
        import datetime as dt
        import os
        import uuid
        from pathlib import Path
        today = dt.date.today()
        now = dt.datetime.now()
        home = Path.home()
        here = Path("data").resolve()
        run_id = uuid.uuid4()
        stage = os.environ.get("STAGE", "test")
        user = os.environ["PATH"]
        """,
        """
        @env.task
        async def train() -> list[str]:
            return [str(part) for part in (today, now, home, here, run_id, stage, user)]
        """,
        refused="today now home here run_id stage user",
    ),
    case(
        "what a call of a library gave for constant arguments",
        """
        import json
        import random
        import threading
        generator = random.Random(0)
        lock = threading.Lock()
        settings = json.loads('{"rate": 0.1}')
        """,
        """
        @env.task
        async def train() -> float:
            with lock:
                return generator.random() * settings["rate"]
        """,
        refused="generator lock settings",
    ),
    case(
        "an operator on a run-time value",
        """
        import random
        share = random.random()
        percent = f"{100 * share} %"
        rounded = round(share) + 1
        """,
        """
        @env.task
        async def train() -> str:
            return percent * rounded
        """,
        refused="percent rounded",
    ),
    case(
        "a constructor with a run-time argument",
        """
        import os
        from datetime import timedelta
        names = set(os.listdir("."))
        pause = timedelta(seconds=os.getpid())
        """,
        """
        @env.task
        async def train() -> str:
            return f"{names} {pause}"
        """,
        refused="names pause",
    ),
    case(
        "constants are changed by statements with constant values",
        """
        from dataclasses import dataclass
        @dataclass
        class Config:
            rate: float = 0.1
        config = Config()
        options = {"depth": 3}
        columns = ["price"]
        epochs = 1
        """,
        """
        config.rate = 0.01
        options["trees"] = 100
        options.update(depth=5)
        columns += ["amount"]
        columns.append("day")
        epochs *= 10
        """,
        """
        @env.task
        async def train() -> float:
            return config.rate * epochs * len(options) * len(columns)
        """,
        kept="dataclass Config config options columns epochs",
    ),
    case(
        "an entry of a constant is deleted, below the task",
        'options = {"depth": 3, "debug": True}',
        """
        @env.task
        async def train() -> int:
            return len(options)
        """,
        'del options["debug"]',
        kept="options",
    ),
    case(
        "constants are changed by statements with run-time values",
        """
        import random
        options = {"depth": 3}
        columns = ["price"]
        best = 0
        """,
        """
        options["seed"] = random.random()
        columns.append(random.choice("abc"))
        best += random.random()
        """,
        """
        @env.task
        async def train() -> float:
            return best * len(options) * len(columns)
        """,
        refused="options columns best",
    ),
    case(
        "a container that a loop fills",
        """
        squares = {}
        for number in range(3):
            squares[number] = number ** 2
        names = []
        for name in ("a", "b"):
            names.append(name)
        """,
        """
        @env.task
        async def train(number: int) -> int:
            return squares[number] + len(names)
        """,
        refused="squares names",
    ),
    case(
        "a container that collects the results of tasks",
        """
        @env.task
        def score(value: int) -> int:
            return value
        history = []
        """,
        "history.append(score(3))",
        """
        @env.task
        async def train() -> int:
            return len(history)
        """,
        refused="history",
    ),
    case(
        "an annotation without a value binds nothing",
        "RATE: float",
        """
        @env.task
        async def train(epochs: int) -> float:
            return RATE * epochs
        """,
        refused="RATE",
    ),
    case(
        "constants chosen by what is constant too",
        """
        DEBUG = False
        if DEBUG:
            EPOCHS = 1
        elif not DEBUG and True:
            EPOCHS = 10
        else:
            EPOCHS = 5
        """,
        """
        @env.task
        async def train() -> int:
            return EPOCHS
        """,
        kept="DEBUG EPOCHS",
    ),
    case(
        "an if statement binds a run-time value in one of its branches",
        """
        import random
        DEBUG = True
        if DEBUG:
            seed = 1
        else:
            seed = random.random()
        """,
        """
        @env.task
        async def train() -> float:
            return seed
        """,
        refused="seed",
    ),
    case(
        "a try statement falls back to a constant when a file is missing",
        """
        import json
        try:
            with open("missing.json") as file:
                config = json.load(file)
        except FileNotFoundError:
            config = {"rate": 0.1}
        """,
        """
        @env.task
        async def train() -> float:
            return config["rate"]
        """,
        refused="config",
    ),
    case(
        "constant containers and texts are read by their methods",
        """
        CLASSES = {"cat": 0, "dog": 1}
        NAMES = {number: name for name, number in CLASSES.items()}
        LAST = max(CLASSES.values()) + CLASSES.get("bird", 0)
        ORDER: list[str] = list(CLASSES.keys())
        TEXT = "a line\\nanother"
        LINES = TEXT.upper().splitlines()
        BOTH = {"cat"}.union(ORDER)
        """,
        """
        @env.task
        def train(number: int) -> str:
            return NAMES[number % LAST] + LINES[0] + ORDER[ORDER.index("cat")] + "".join(BOTH)
        """,
        kept="CLASSES NAMES LAST ORDER TEXT LINES BOTH",
    ),
    case(
        "methods of these names are of classes of the notebook",
        """
        import time
        class Clock(dict):
            def items(self):
                return [("now", time.time())]
        clock = Clock()
        NAMES = [name for name, _ in clock.items()]
        VALUES = list(Clock(a=1).values())
        dict = Clock
        TABLE = dict(a=1)
        ITEMS = tuple(TABLE.items())
        """,
        """
        @env.task
        def train(number: int) -> int:
            return len(NAMES) + len(VALUES) + len(ITEMS)
        """,
        refused="NAMES VALUES ITEMS",
    ),
)
