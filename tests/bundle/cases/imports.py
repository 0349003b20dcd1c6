"""Imports: of parts, under conditions, and inside functions."""

from __future__ import annotations

from .case import case

__all__ = ["CASES"]

CASES = (
    case(
        "one of several modules that one statement imports",
        "import json, math as m, statistics",
        """
        @env.task
        async def train(value: float) -> float:
            return m.sqrt(value)
        """,
        kept="m",
        left_out="json statistics math",
    ),
    case(
        "one of several names that one statement imports",
        """
        from collections import (
            Counter,
            OrderedDict as Ordered,
            deque,
        )
        """,
        """
        @env.task
        async def train() -> int:
            return len(Ordered())
        """,
        kept="Ordered",
        left_out="Counter deque OrderedDict",
    ),
    case(
        "modules inside packages, with and without another name",
        """
        import os.path
        import xml.etree.ElementTree as ET
        import importlib.metadata
        import concurrent.futures
        """,
        """
        @env.task
        async def train(text: str) -> str:
            with concurrent.futures.ThreadPoolExecutor() as pool:
                root = pool.submit(ET.fromstring, text).result()
            return os.path.join("out", root.tag)
        """,
        kept="os ET concurrent",
        left_out="importlib xml",
    ),
    case(
        "two imports of modules of one package bind one name",
        """
        import importlib.metadata
        import importlib.util
        """,
        """
        @env.task
        async def train(name: str) -> bool:
            return importlib.util.find_spec(name) is not None and bool(importlib.metadata.version(name))
        """,
        kept="importlib",
    ),
    case(
        "a module that may be missing",
        """
        try:
            import a_module_that_nobody_has as fast
        except ImportError:
            fast = None
        """,
        """
        @env.task
        async def train(value: float) -> float:
            return fast.sqrt(value) if fast else value ** 0.5
        """,
        kept="fast",
    ),
    case(
        "one of two modules that do the same",
        """
        try:
            from a_module_that_nobody_has import dumps
        except ModuleNotFoundError:
            from json import dumps
        else:
            print("fast")
        """,
        """
        @env.task
        async def train(value: dict[str, int]) -> str:
            return dumps(value)
        """,
        kept="dumps",
    ),
    case(
        "an import that depends on the version of Python",
        """
        import sys
        if sys.version_info >= (3, 11):
            import tomllib
        else:
            tomllib = None
        """,
        """
        @env.task
        async def train(text: str) -> int:
            return len(tomllib.loads(text)) if tomllib else 0
        """,
        kept="sys tomllib",
    ),
    case(
        "a function that depends on the version of Python",
        """
        import sys
        from itertools import islice
        if sys.version_info >= (3, 12):
            from itertools import batched
        else:
            def batched(values, size):
                values = iter(values)
                while batch := tuple(islice(values, size)):
                    yield batch
        """,
        """
        @env.task
        async def train(values: list[int]) -> int:
            return len(list(batched(values, 2)))
        """,
        kept="sys islice batched",
    ),
    case(
        "an import inside the task, of a name that is a run-time value outside",
        """
        import random
        json = random.random()
        """,
        """
        @env.task
        async def train(value: dict[str, int]) -> str:
            import json
            from math import pi as random
            return json.dumps(value) + str(random)
        """,
        left_out="json random",
    ),
    case(
        "a module that no cell imports",
        """
        @env.task
        async def train(value: float) -> float:
            return math.sqrt(value)
        """,
        refused="math",
    ),
    case(
        "a module that only another function imports",
        """
        def root(value):
            import math
            return math.sqrt(value)
        """,
        """
        @env.task
        async def train(value: float) -> float:
            return root(value) + math.pi
        """,
        refused="math",
        kept="root",
    ),
    case(
        "settings of modules and statements that only show something",
        """
        import json
        import random
        import sys
        random.seed(0)
        print(json.dumps({"python": sys.version}))
        get_ipython().run_line_magic('precision', '3')
        """,
        """
        @env.task
        async def train(count: int) -> list[float]:
            return [random.random() for _ in range(count)]
        """,
        kept="random",
        left_out="json sys",
    ),
)
