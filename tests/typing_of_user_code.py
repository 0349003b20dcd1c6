"""What a type checker makes of ordinary user code; `tests/test_typing.py` runs mypy on it."""

from __future__ import annotations

from datetime import timedelta
from typing import assert_type

import flyte_nb as flyte

env = flyte.TaskEnvironment(name="a", resources=flyte.Resources(cpu="1"))
other = flyte.TaskEnvironment(name="b", depends_on=[env, "later"])


@env.task
async def bare(x: int) -> str:
    """Decorated without keywords."""
    return str(x)


@env.task(retries=2, timeout=timedelta(minutes=1), cache="auto")
async def worded(x: int) -> str:
    """Decorated with keywords."""
    return str(x)


@env.task
def sync(x: int) -> float:
    """Not async."""
    return float(x)


async def main() -> None:
    """Use them."""
    assert_type(await bare(1), str)
    assert_type(await worded(x=1), str)
    assert_type(sync(1), float)
    assert_type(await sync.aio(1), float)
    assert_type(await bare.aio(1), str)
    assert_type((await flyte.run(bare, 1)).result, str)
    assert_type((await flyte.run(sync, x=1)).result, float)
    assert_type(await bare.override(retries=3)(1), str)
    bare("x")  # type: ignore[arg-type, unused-coroutine]
    sync()  # type: ignore[call-arg]
    flyte.TaskEnvironment("z", cache=3)  # type: ignore[arg-type]
