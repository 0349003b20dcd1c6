"""Digests of functions and classes by what they do, with all that they use, as it is now.

What is of the user counts by its code; what is of a library by its name and the library's version. A module of the
user counts by what is loaded, not by its file, which may have been edited since. Each definition is written once and
mentioned by number, so that those that use each other are no puzzle.
"""

from __future__ import annotations

import asyncio
import builtins
import functools
import os
import sys
import threading
from contextvars import ContextVar
from hashlib import sha256
from types import (
    BuiltinFunctionType,
    FunctionType,
    GenericAlias,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import TYPE_CHECKING, Any, ForwardRef

from flyte_nb.execution.caching.classes import annotated, fields, is_special, listed, members
from flyte_nb.execution.caching.code import facts_of
from flyte_nb.execution.caching.content import ContentWalk
from flyte_nb.execution.caching.encoding import UnhashableError, framed, text, type_name, unreadable
from flyte_nb.execution.caching.imports import full_name, is_library_import, user_module
from flyte_nb.libraries import has_name, is_library, library_name, module_name
from flyte_nb.model.stand_ins import as_environment, as_task

if TYPE_CHECKING:
    from flyte_nb.execution.caching.code import Import

__all__ = ["digest_of"]

_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
_MISSING = object()
# The notebook itself, which code that displays or uses magics reads.
_NO_DEPENDENCY = frozenset({"get_ipython"})
_CachedFunction = type(functools.cache(lambda: None))
_OF_A_TYPE = (GetSetDescriptorType, MemberDescriptorType, MethodDescriptorType, WrapperDescriptorType)
# What code uses to wait for its turn, or to see where it runs: that says nothing about what it gives.
_WITHOUT_SAY: tuple[type, ...] = (
    type(threading.Lock()), type(threading.RLock()), threading.Condition, threading.Semaphore, threading.Event,
    asyncio.Lock, asyncio.Condition, asyncio.Semaphore, asyncio.Event, type(os.environ),
)  # fmt: skip
# What Python writes into modules: where they are from, and what they are built on.
_OF_EVERY_MODULE = frozenset({
    "__annotate__", "__annotations__", "__builtins__", "__cached__", "__conditional_annotations__", "__doc__",
    "__file__", "__loader__", "__name__", "__package__", "__path__", "__spec__", "__warningregistry__",
})  # fmt: skip


def digest_of(value: Any) -> bytes:
    """Return the SHA-256 of a value by its content; of a function or class by its code and all that it uses.

    Raises:
        UnhashableError: It, or something it uses, has no content that could be hashed, or changes meanwhile.
    """
    try:
        return _Definitions().digest(value)
    except UnhashableError:
        raise
    except Exception as error:  # noqa: BLE001 - what is looked at may be anything, and may change meanwhile
        raise UnhashableError(type_name(type(value)), unreadable(error), "its code") from None


class _Definitions:
    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self._found: list[Any] = []
        self._walk = ContentWalk(self._reference, _by_name)

    def digest(self, value: Any) -> bytes:
        digest = sha256(self._walk.token(value))
        for definition in self._found:  # which grows meanwhile
            digest.update(framed(b"D", self._written(definition)))
        if self._found:
            digest.update(text(_PYTHON))
        return digest.digest()

    def _written(self, definition: Any) -> bytes:
        if isinstance(definition, type):
            return self._class(definition)
        return self._module(definition) if isinstance(definition, ModuleType) else self._function(definition)

    def _reference(self, value: Any) -> bytes | None:
        """Return the token of what is hashed by its code, and None of all else."""
        if _is_definition(value):
            return _global_name(value) if _is_of_library(value) else self._number(value)
        if isinstance(value, ModuleType):
            library = is_library(value.__name__)
            return framed(b"m", text(library_name(value.__name__))) if library else self._number(value)
        if task := as_task(value):
            return framed(b"T", text(task.name) + self._walk.token(task.function))
        if environment := as_environment(value):
            return framed(b"V", text(environment.name))
        parts = _wrapped(value)
        return None if parts is None else framed(b"w", text(type_name(type(value))) + self._walk.token(parts))

    def _number(self, definition: Any) -> bytes:
        number = self._numbers.setdefault(id(definition), len(self._found))
        if number == len(self._found):
            self._found.append(definition)
        return framed(b"@", number.to_bytes(4, "big"))

    def _function(self, function: FunctionType) -> bytes:
        facts = facts_of(function.__code__)
        # `functools.wraps` puts the names of what is wrapped on a wrapper, but not where its code is from.
        module = function.__globals__.get("__name__")
        if module == "functools" and hasattr(function, "registry"):  # of singledispatch, with caches of its own
            return self._walk.token(dict(function.registry))
        if isinstance(module, str) and is_library(module):
            return facts.digest + text(library_name(module)) + self._given(function)
        content = facts.digest + self._given(function)
        for name, value in sorted(vars(function).items()):
            if not is_special(name):  # as is what `functools.wraps` writes
                content += text(name) + self._named(f"`{function.__name__}.{name}`", value)
        for use in facts.uses:
            content += self._use(use, function)
        for statement in facts.imports:
            content += self._import(statement, function)
        return content

    def _given(self, function: FunctionType) -> bytes:
        """Return the tokens of what a function was given when it was defined: defaults, and variables around it."""
        defaults = (function.__defaults__, function.__kwdefaults__)
        content = self._named(f"the defaults of `{function.__name__}`", defaults)
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            try:
                value = cell.cell_contents
            except ValueError:  # not assigned yet
                continue
            content += text(name) + self._named(f"`{name}` in `{function.__name__}`", value)
        return content

    def _use(self, use: tuple[str, ...], function: FunctionType) -> bytes:
        """Return the token of a global as it is now, or of that attribute of it which the code reads."""
        name, *attributes = use
        value = function.__globals__.get(name, _MISSING)
        if name in _NO_DEPENDENCY or (value is _MISSING and hasattr(builtins, name)):
            return b""
        return self._read(value, name, attributes, function)

    def _import(self, statement: Import, function: FunctionType) -> bytes:
        """Return the token of what a function imports while it runs, as it is now."""
        name = full_name(statement.level, statement.module, function.__globals__.get("__package__"))
        if name is None:
            return b""
        if is_library_import(name):
            return framed(b"m", text(library_name(name)))
        module = user_module(name)
        if module and statement.binds_top:
            name = name.partition(".")[0]
            module = user_module(name)
        if module is None:
            return text(name) + framed(b"?", b"")
        content = b""
        for read in statement.reads or [()]:
            if read and read[0] not in vars(module) and hasattr(module, "__path__"):
                user_module(f"{name}.{read[0]}")  # which puts it into its package
            content += self._read(module, name, list(read), function)
        return content

    def _read(self, value: Any, name: str, attributes: list[str], function: FunctionType) -> bytes:
        """Return the token of what a function knows as `name`, or of that attribute of it which it reads."""
        while attributes and isinstance(value, ModuleType) and not is_library(value.__name__):
            inner = vars(value).get(attributes[0], _MISSING)
            if inner is _MISSING:
                break
            value, name = inner, f"{name}.{attributes.pop(0)}"
        content = framed(b"?", b"") if value is _MISSING else self._named(f"`{name}` in `{function.__name__}`", value)
        return text(name) + content

    def _named(self, name: str, value: Any) -> bytes:
        """Return the token of what code uses under a name, which an error then tells."""
        if isinstance(value, _WITHOUT_SAY):
            return text(type_name(type(value)))
        try:
            return self._walk.token(value)
        except UnhashableError as error:
            raise UnhashableError(error.kind, error.reason, error.name or name) from None

    def _module(self, module: ModuleType) -> bytes:
        """Return the token of a module of the user that is used as a whole: of all that is in it now."""
        content = text(module_name(module.__name__))
        for name, value in sorted(vars(module).items()):
            if name not in _OF_EVERY_MODULE:
                content += text(name) + self._named(f"`{module.__name__}.{name}`", value)
        return content

    def _class(self, kind: type) -> bytes:
        content = text(kind.__qualname__) + text(_compiled(kind)) + self._walk.token((type(kind), kind.__bases__))
        for name, description, parts in [*annotated(kind), *fields(kind)]:
            content += text(name) + text(description)
            content += framed(b"l", b"".join(self._named(f"`{kind.__name__}.{name}`", part) for part in parts))
        content += self._walk.token([(name, member.value) for name, member in listed(kind).items()])
        for name, value in members(kind):
            content += text(name) + self._named(f"`{kind.__name__}.{name}`", value)
        return content


def _is_definition(value: Any) -> bool:
    """Say whether something is a function or class; `list[int]` says it is one in Python 3.10."""
    return isinstance(value, FunctionType | type) and not isinstance(value, GenericAlias)


def _is_of_library(definition: Any) -> bool:
    """Say whether a library defines a class or function, so that its name tells all about it.

    What a library's functions made (a wrapper, a model) may carry the library's name, but cannot be found there.
    """
    return is_library(definition.__module__ or "") and has_name(definition)


def _compiled(kind: type) -> str:
    """Return the module of a class that the user compiled, which shows nothing of its methods; or nothing."""
    module = kind.__module__ or ""
    name = module_name(module)
    return "" if is_library(module) or name == module else name


def _wrapped(value: Any) -> Any:
    """Return what makes up a descriptor, a cached function, a function of C and the like, and None of all else."""
    if isinstance(value, staticmethod | classmethod):
        return (value.__func__,)
    if isinstance(value, property):
        return (value.fget, value.fset, value.fdel)
    if isinstance(value, functools.cached_property):
        return (value.func,)
    if isinstance(value, _CachedFunction):
        return (value.__wrapped__,)
    if isinstance(value, ForwardRef):  # which keeps its text compiled, too
        return (value.__forward_arg__,)
    if isinstance(value, ContextVar):
        return (value.name, value.get(None))
    if isinstance(value, _OF_A_TYPE):
        return (value.__objclass__.__qualname__, value.__name__)
    if isinstance(value, BuiltinFunctionType) and (value.__self__ is None or isinstance(value.__self__, ModuleType)):
        return (module_name(value.__module__ or ""), value.__qualname__)
    if isinstance(value, BuiltinFunctionType | MethodType):
        return _of_library_object(value)
    return None


def _of_library_object(method: BuiltinFunctionType | MethodType) -> tuple[str, ...] | None:
    """Return the names that make up a method of what a library's module holds, such as that of its random numbers.

    Whoever calls the library without such a method at hand gets by without the state of that object, too.
    """
    module = type(method.__self__).__module__
    if is_library(module):
        for name, value in list(vars(sys.modules.get(module, builtins)).items()):
            if value is method.__self__:
                return (library_name(module), name, method.__name__)
    return None


def _by_name(value: Any) -> bytes | None:
    if _is_definition(value):
        return _global_name(value)
    if isinstance(value, ModuleType):
        return text(value.__name__)
    if known := as_task(value) or as_environment(value):
        return text(known.name)
    parts = _wrapped(value)
    return None if parts is None else text(" ".join(getattr(part, "__qualname__", str(part)) for part in parts))


def _global_name(definition: Any) -> bytes:
    return framed(b"G", text(module_name(definition.__module__ or "")) + text(definition.__qualname__))
