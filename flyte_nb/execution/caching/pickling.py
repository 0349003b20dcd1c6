"""Results as bytes: pickled, with what only the notebook defines.

What can be found by its name, in `__main__` too, is kept by name: after a restart, a result is of the class that the
notebook defines then. Only what has no such name (lambdas, local classes) is kept with its code, by cloudpickle.
"""

from __future__ import annotations

import io
import pickle
from typing import Any

from flyte_nb.libraries import has_name

__all__ = ["pickled", "unpickled"]


def pickled(value: Any) -> bytes:
    """Return `value` as bytes, or raise anything if that cannot be."""
    import cloudpickle  # type: ignore[import-untyped]

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle has no types
        def reducer_override(self, inner: Any) -> Any:
            return NotImplemented if has_name(inner) else super().reducer_override(inner)

    buffer = io.BytesIO()
    Pickler(buffer).dump(value)
    return buffer.getvalue()


def unpickled(body: bytes | memoryview) -> Any:
    """Return a new value from bytes of `pickled`, or raise anything if that cannot be."""
    return pickle.loads(body)  # noqa: S301 - from a folder that is only the user's
