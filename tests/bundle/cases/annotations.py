"""Annotations, which count although nobody calls them."""

from __future__ import annotations

from .case import case

__all__ = ["CASES"]

CASES = (
    case(
        "annotations in quotes name classes of other cells",
        """
        from dataclasses import dataclass
        from typing import Optional
        @dataclass
        class Row:
            price: float
        @dataclass
        class Report:
            total: float
            unused: int = 0
        """,
        """
        @env.task
        async def train(rows: "list[Row]", first: Optional["Row"] = None) -> "Report":
            return None
        """,
        kept="dataclass Optional Row Report",
    ),
    case(
        "annotations that are not evaluated name what a type checker needs",
        """
        from __future__ import annotations
        from dataclasses import dataclass
        """,
        """
        @dataclass
        class Row:
            price: Price
        Price = float
        """,
        """
        @env.task
        async def train(rows: list[Row]) -> float:
            return sum(row.price for row in rows)
        """,
        kept="dataclass Row Price",
    ),
    case(
        "an annotation in quotes with a typing mistake",
        """
        class Row:
            pass
        """,
        """
        @env.task
        async def train(rows: "list[Rwo]") -> int:
            return len(rows)
        """,
        refused="Rwo",
    ),
    case(
        "texts inside Literal are no names",
        """
        import random
        from typing import Annotated, Literal
        fast = exact = random.random()
        """,
        """
        @env.task
        async def train(mode: Literal["fast", "exact"], name: Annotated[str, "exact"] = "") -> str:
            return mode
        """,
        kept="Literal Annotated",
        left_out="fast exact random",
    ),
    case(
        "type aliases, new types and typed dictionaries",
        """
        from typing import Callable, NewType, TypedDict, Union
        Rows = list[dict[str, float]]
        Number = int | float
        Either = Union[Number, str]
        Step = Callable[[Number], Number]
        UserId = NewType("UserId", int)
        class Order(TypedDict, total=False):
            user: UserId
            price: Number
        """,
        """
        def apply(step: Step, value: Either) -> Number:
            return step(float(value))
        @env.task
        async def train(rows: Rows, order: Order) -> float:
            return apply(abs, order["price"])
        """,
        kept="Callable NewType TypedDict Union Rows Number Either Step UserId Order apply",
    ),
    case(
        "an alias of a type that was found at run time",
        """
        import json
        Payload = type(json.loads("{}"))
        """,
        """
        @env.task
        async def train(payload: Payload) -> int:
            return len(payload)
        """,
        refused="Payload",
    ),
    case(
        "an annotation of a helper's argument is a run-time value",
        """
        import random
        kinds = random.choice([int, float])
        def doubled(value: kinds) -> float:
            return 2 * value
        """,
        """
        @env.task
        async def train(value: float) -> float:
            return doubled(value)
        """,
        refused="kinds",
    ),
    case(
        "metadata of an annotation is a constant of another cell",
        """
        from dataclasses import dataclass
        from typing import Annotated
        @dataclass(frozen=True)
        class Between:
            low: float
            high: float
        SHARE = Between(0, 1)
        """,
        """
        @env.task
        async def train(share: Annotated[float, SHARE]) -> float:
            return share
        """,
        kept="dataclass Annotated Between SHARE",
    ),
    case(
        "an annotated local hides a run-time value",
        """
        import random
        total = random.random()
        """,
        """
        @env.task
        async def train(values: list[float]) -> float:
            total: float = 0.0
            for value in values:
                total += value
            return total
        """,
        left_out="total random",
    ),
)
