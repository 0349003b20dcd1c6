"""Decorators of tasks and of helpers, with and without arguments."""

from __future__ import annotations

from .case import case

__all__ = ["CASES"]

CASES = (
    case(
        "a helper is decorated by a function of the notebook",
        """
        import functools, time
        def timed(function):
            @functools.wraps(function)
            def wrapper(*args, **kwargs):
                begun = time.perf_counter()
                try:
                    return function(*args, **kwargs)
                finally:
                    print(function.__name__, time.perf_counter() - begun)
            return wrapper
        """,
        """
        @timed
        def fit(values):
            return sum(values)
        """,
        """
        @env.task
        async def train(values: list[float]) -> float:
            return fit(values)
        """,
        kept="functools time timed fit",
    ),
    case(
        "a decorator with a constant argument",
        """
        TRIES = 3
        def retried(times):
            def decorate(function):
                def wrapper(*args):
                    for attempt in range(times):
                        try:
                            return function(*args)
                        except OSError:
                            continue
                return wrapper
            return decorate
        """,
        """
        @retried(times=TRIES)
        def read(path):
            with open(path) as file:
                return file.read()
        """,
        """
        @env.task
        async def train(path: str) -> str:
            return read(path)
        """,
        kept="TRIES retried read",
    ),
    case(
        "a decorator with a run-time argument",
        """
        import random
        factor = random.random()
        def scaled(by):
            def decorate(function):
                return lambda value: by * function(value)
            return decorate
        """,
        """
        @scaled(by=factor)
        def squared(value):
            return value ** 2
        """,
        """
        @env.task
        async def train(value: float) -> float:
            return squared(value)
        """,
        refused="factor",
    ),
    case(
        "the policies of the task are constants",
        """
        from datetime import timedelta
        RETRIES = 3
        LIMIT = timedelta(minutes=5)
        """,
        """
        @env.task(retries=RETRIES, timeout=LIMIT)
        async def train(value: float) -> float:
            return value
        """,
        left_out="RETRIES LIMIT timedelta",
    ),
    case(
        "a policy of the task is a run-time value, which is part of the specification by then",
        """
        import os
        cores = os.cpu_count()
        """,
        """
        @env.task(retries=cores)
        async def train(value: float) -> float:
            return value
        """,
        left_out="cores",
    ),
    case(
        "a helper remembers its results",
        """
        from functools import cache, lru_cache
        SIZE = 128
        """,
        """
        @lru_cache(maxsize=SIZE)
        def fibonacci(number):
            return number if number < 2 else fibonacci(number - 1) + fibonacci(number - 2)
        """,
        """
        @env.task
        async def train(number: int) -> int:
            return fibonacci(number)
        """,
        kept="lru_cache SIZE fibonacci",
        left_out="cache",
    ),
    case(
        "a decorator is a method of a run-time value",
        """
        class Tracker:
            def __init__(self):
                self.watched = []
            def watch(self, function):
                self.watched.append(function)
                return function
        tracker = Tracker()
        """,
        """
        @tracker.watch
        def fit(value):
            return value
        """,
        """
        @env.task
        async def train(value: float) -> float:
            return fit(value)
        """,
        refused="tracker",
    ),
    case(
        "a decorator is itself the result of a call",
        """
        def make_tracer(label):
            def trace(function):
                print(label, function)
                return function
            return trace
        trace = make_tracer("train")
        """,
        """
        @trace
        def fit(value):
            return value
        """,
        """
        @env.task
        async def train(value: float) -> float:
            return fit(value)
        """,
        refused="trace",
    ),
    case(
        "a second decorator below the one that makes the task",
        """
        from functools import wraps
        def announced(function):
            @wraps(function)
            async def wrapper(value: float) -> float:
                print(function.__name__)
                return await function(value)
            return wrapper
        """,
        """
        @env.task
        @announced
        async def train(value: float) -> float:
            return value
        """,
        kept="wraps announced",
    ),
    case(
        "a decorated helper that no task uses",
        """
        import random
        noise = random.random()
        def shifted(by):
            return lambda function: lambda value: function(value) + by
        @shifted(noise)
        def noisy(value):
            return value
        """,
        """
        @env.task
        async def train(value: float) -> float:
            return value
        """,
        left_out="noise shifted noisy random",
    ),
    case(
        "a decorator registers helpers in a table",
        """
        METRICS = {}
        def metric(function):
            METRICS[function.__name__] = function
            return function
        """,
        """
        @metric
        def spread(values):
            return max(values) - min(values)
        """,
        """
        @env.task
        async def train(values: list[float]) -> float:
            return spread(values)
        """,
        kept="METRICS metric spread",
    ),
    case(
        "a context manager made from a generator",
        """
        import contextlib
        MARK = "--"
        @contextlib.contextmanager
        def section(title):
            print(MARK, title)
            yield title
            print(MARK)
        """,
        """
        @env.task
        async def train(title: str) -> int:
            with section(title) as shown:
                return len(shown)
        """,
        kept="contextlib MARK section",
    ),
    case(
        "a lambda among the arguments of the decorator reads a run-time value",
        """
        import time
        started = time.time()
        def checked(check):
            return lambda function: lambda value: function(value) if check() else None
        """,
        """
        @checked(lambda: time.time() > started)
        def fit(value):
            return value
        """,
        """
        @env.task
        async def train(value: float) -> float:
            return fit(value)
        """,
        refused="started",
    ),
)
