"""Digests of values by their content, the same in every process.

Own code, because the libraries for it hash pickles, whose bytes differ between equal values (joblib), or bring a
scheduler along (dask). Objects without a rule of their own are taken apart by what they give `pickle`, structurally.
"""

from __future__ import annotations

import copyreg
from enum import Enum
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from flyte_nb.execution.caching.arrays import array_token
from flyte_nb.execution.caching.encoding import LEAVES, UnhashableError, digested, framed, text, type_name, unreadable
from flyte_nb.execution.caching.frames import frame_token
from flyte_nb.libraries import module_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["ContentWalk"]

# Longer tokens are replaced by their digest and remembered, so that what is shared is walked once.
_LONGEST_TOKEN = 256
# Of the protocols of `pickle` the first that all Pythons here share with all libraries.
_PICKLE_PROTOCOL = 4


class ContentWalk:
    """Writes values down as tokens. One walk remembers what it has seen: use a new one once values may have changed.

    Args:
        reference: Gives the token of what is hashed by its code (functions, classes, modules), and None of all else.
        by_name: Gives the same by name alone, which puts the members of sets in order.
    """

    def __init__(
        self, reference: Callable[[Any], bytes | None], by_name: Callable[[Any], bytes | None] | None = None
    ) -> None:
        self._reference = reference
        self._by_name = by_name
        self._known: dict[int, tuple[Any, bytes]] = {}  # with the value, so that its id stays its own
        self._open: set[int] = set()

    def token(self, value: Any) -> bytes:
        """Return the token of a value: at most about 256 bytes, but for strings and bytes.

        Raises:
            UnhashableError: It, or something inside, has no content: a connection, a generator, a lock.
        """
        leaf = LEAVES.get(type(value))
        if leaf is not None:
            return leaf(value)
        known = self._known.get(id(value))
        if known is not None:
            return known[1]
        token = self._reference(value)
        if token is None:
            token = self._composite(value)
        if len(token) > _LONGEST_TOKEN:
            token = digested(token)
            self._known[id(value)] = (value, token)
        return token

    def _composite(self, value: Any) -> bytes:
        if id(value) in self._open:
            raise UnhashableError(type_name(type(value)), "it contains itself")
        self._open.add(id(value))
        try:
            rule = _RULES.get(type(value))
            if rule is not None:
                return framed(rule[0], rule[1](self, value))
            return array_token(value, self.token) or frame_token(value, self.token) or self._object(value)
        except RecursionError:
            raise UnhashableError(type_name(type(value)), "it is nested too deeply") from None
        except UnhashableError:
            raise
        except Exception as error:  # noqa: BLE001 - it may change meanwhile, or run code of others
            raise UnhashableError(type_name(type(value)), unreadable(error)) from None
        finally:
            self._open.discard(id(value))

    def tokens(self, values: Iterable[Any]) -> bytearray:
        """Return the tokens of values in their order, one after the other."""
        tokens = bytearray()
        for value in values:
            tokens += self.token(value)
        return tokens

    def pairs(self, pairs: Iterable[tuple[Any, Any]]) -> bytearray:
        """Return the tokens of pairs in their order."""
        tokens = bytearray()
        for key, value in list(pairs):  # at once, because another thread may change what they are from
            tokens += self.token(key)
            tokens += self.token(value)
        return tokens

    def members(self, members: Iterable[Any]) -> bytearray:
        """Return the tokens of values that have no order."""
        if self._by_name is None:
            return bytearray().join(sorted(map(self.token, list(members))))
        # Tokens of functions and classes depend on the order in which they are met, so names decide on that.
        return self.tokens(sorted(members, key=ContentWalk(self._by_name).token))

    def _object(self, value: Any) -> bytes:
        kind = type(value)
        if isinstance(value, Enum):
            content = self.token(kind) + text(str(value.name)) + self.token(value.value)
            return framed(b"e", content)
        parts = _taken_apart(value)
        if isinstance(parts, str):  # a global of that name
            module = getattr(value, "__module__", None) or kind.__module__
            return framed(b"g", text(module_name(module)) + text(parts))
        function, arguments, *rest = parts
        state, items, pairs, setter = (*rest, None, None, None, None)[:4]
        content = self.token(function) + self.token(arguments) + self.token(_in_order(kind, state))
        content += framed(b"l", self.tokens(items or ())) + framed(b"d", self.pairs(pairs or ()))
        return framed(b"o", content + self.token(setter))


# How the values of these very types (not of subclasses) are written.
_RULES: dict[type, tuple[bytes, Callable[[ContentWalk, Any], bytes | bytearray]]] = {
    list: (b"l", ContentWalk.tokens),
    tuple: (b"t", ContentWalk.tokens),
    dict: (b"d", lambda walk, value: walk.pairs(value.items())),
    MappingProxyType: (b"d", lambda walk, value: walk.pairs(value.items())),
    set: (b"S", ContentWalk.members),
    frozenset: (b"F", ContentWalk.members),
    bytearray: (b"Y", lambda _, value: value),
    memoryview: (b"M", lambda walk, view: walk.token((view.format, view.shape)) + framed(b"y", view.tobytes())),
}


def _taken_apart(value: Any) -> Any:
    """Return what `value` tells `pickle` about itself."""
    kind = type(value)
    try:
        reducer = copyreg.dispatch_table.get(kind)
        return reducer(value) if reducer else value.__reduce_ex__(_PICKLE_PROTOCOL)
    except Exception:  # noqa: BLE001 - it may refuse in any way, and its own words may tell what is in it
        raise UnhashableError(type_name(kind), "it has no content that can be compared") from None


def _in_order(kind: type, state: Any) -> Any:
    """Return attributes in the order of their names, for which none were ever asked, without what is derived."""
    if type(state) is not dict or any(_own(kind, name) for name in ("__reduce_ex__", "__reduce__", "__getstate__")):
        return state
    return {name: state[name] for name in sorted(state) if not isinstance(getattr(kind, name, None), cached_property)}


def _own(kind: type, method: str) -> bool:
    """Say whether a class has a method of its own in place of that of `object`."""
    return getattr(kind, method, None) is not getattr(object, method, None)
