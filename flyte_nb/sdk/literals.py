"""Values of a cluster as far as a preview needs them: nothing is fetched for it, and no code of anybody's runs."""

from __future__ import annotations

from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgpack
from flyteidl2.core.types_pb2 import BlobType

from flyte_nb.execution.preview import MOST_ENTRIES, Described

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["plain_value"]

# What is longer is not taken apart to show its beginning.
_MOST_BYTES = 65_536
_DEEPEST = 2
_PICKLED = "PythonPickle"


def plain_value(literal: Any, depth: int = 0) -> Any:
    """Return what `literal` stands for, if that is plain data, or else in a few words what kind of thing it is.

    Of long lists there are as many entries as a preview shows, and one more.
    """
    kind = literal.WhichOneof("value")
    if kind == "scalar":
        return _scalar(literal.scalar, depth)
    if kind == "offloaded_metadata":
        return Described(f"{literal.offloaded_metadata.size_bytes} bytes")
    if kind not in ("collection", "map"):
        return Described("value")
    entries = literal.collection.literals if kind == "collection" else literal.map.literals
    if depth >= _DEEPEST:
        return Described(f"{'list' if kind == 'collection' else 'dict'} of {len(entries)}")
    if kind == "collection":
        return [plain_value(entry, depth + 1) for entry in _first(entries)]
    return {name: plain_value(entries[name], depth + 1) for name in _first(sorted(entries))}


def _first(entries: Iterable[Any]) -> Iterable[Any]:
    return islice(entries, MOST_ENTRIES + 1)


def _scalar(scalar: Any, depth: int) -> Any:
    kind = scalar.WhichOneof("value")
    if kind == "primitive":
        return _primitive(scalar.primitive)
    if kind == "union":
        return plain_value(scalar.union.value, depth)
    if kind == "binary":
        return _packed(scalar.binary)
    if kind == "blob":
        return Described(_blob(scalar.blob.metadata.type))
    if kind == "none_type":
        return None
    return Described("table" if kind in ("structured_dataset", "schema") else "value")


def _primitive(primitive: Any) -> Any:
    kind = primitive.WhichOneof("value")
    if kind in ("datetime", "duration"):
        return Described("datetime" if kind == "datetime" else "timedelta")
    return getattr(primitive, kind) if kind else None


def _packed(binary: Any) -> Any:
    """Return what is packed, as the SDK does with dataclasses, models and dictionaries."""
    if binary.tag == "msgpack" and len(binary.value) <= _MOST_BYTES:
        with suppress(Exception):  # whoever has packed it may have done so otherwise
            return msgpack.unpackb(binary.value, strict_map_key=False)
    return Described(f"{len(binary.value)} bytes" if binary.tag else "pickled value")  # which alone has none


def _blob(kind: Any) -> str:
    if kind.format == _PICKLED:
        return "pickled value"
    return "folder" if kind.dimensionality == BlobType.MULTIPART else "file"
