"""What a code object does and which globals it reads: worked out once, and the same wherever its lines stand."""

from __future__ import annotations

import ast
import dis
from dataclasses import dataclass
from hashlib import sha256
from types import CodeType
from typing import TYPE_CHECKING, Any, NamedTuple

from flyte_nb.execution.caching.content import ContentWalk
from flyte_nb.execution.caching.encoding import framed

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CodeFacts", "Import", "facts_of"]

# Says only that there is a docstring (Python 3.13).
_HAS_DOCSTRING = 0x4000000
_READS_GLOBAL = frozenset({"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"})
_READS_ATTRIBUTE = frozenset({"LOAD_ATTR", "LOAD_METHOD"})
_CONSTANTS = frozenset(dis.hasconst)
# How magics inside of functions are written once they are Python.
_SHELL = "get_ipython"
_MOST_KNOWN = 10_000


class Import(NamedTuple):
    """An import statement in a function.

    Attributes:
        level: How many dots stand before the name of the module.
        module: The name of the module.
        binds_top: Whether the outermost package gets the name, as with `import a.b`.
        reads: What is read of what is bound: `("f",)` for `from a import f`; nothing if that cannot be told.
    """

    level: int
    module: str
    binds_top: bool
    reads: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class CodeFacts:
    """What is true of a code object, with those inside of it.

    Attributes:
        digest: SHA-256 of what it does: instructions, names and constants; not of lines, comments and docstring.
        uses: The globals it reads, each with the attributes that are read of it at once: ("helpers", "mean").
        imports: Its import statements.
    """

    digest: bytes
    uses: tuple[tuple[str, ...], ...]
    imports: tuple[Import, ...]


# By id, because comparing code objects costs more than what is remembered; with the object, so that its id stays.
_known: dict[int, tuple[CodeType, CodeFacts]] = {}


def facts_of(code: CodeType) -> CodeFacts:
    """Return what is true of `code`."""
    known = _known.get(id(code))
    if known is None:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        known = _known[id(code)] = (code, _read(code))
    return known[1]


def _read(code: CodeType) -> CodeFacts:
    uses: set[tuple[str, ...]] = set()
    imports: set[Import] = set()
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            uses.update(facts_of(inner).uses)
            imports.update(facts_of(inner).imports)
    if _SHELL in code.co_names:
        own = {*code.co_varnames, *code.co_cellvars, *code.co_freevars}
        uses.update(use for use in _in_magics(code) if use[0] not in own)
    steps = [step for step in dis.get_instructions(code) if step.opname != "EXTENDED_ARG"]
    for index, step in enumerate(steps):
        if step.opname in _READS_GLOBAL:
            uses.add((step.argval, *_attributes(steps[index + 1 :])))
        elif step.opname == "IMPORT_NAME":  # after the constants for how many dots, and for which names
            imports.add(_import(steps, index))
    return CodeFacts(_digest(code, steps), tuple(sorted(uses)), tuple(sorted(imports)))


def _import(steps: list[dis.Instruction], index: int) -> Import:
    """Return the import statement whose module is imported by the instruction at `index`."""
    level, names, module = steps[index - 2].argval or 0, steps[index - 1].argval, steps[index].argval
    if names:
        return Import(level, module, False, () if "*" in names else tuple((name,) for name in names))
    bound = steps[index + 1]
    if bound.opname != "STORE_FAST":  # `import a.b as c` goes on to read b, and other variables are read elsewhere
        return Import(level, module, not bound.opname.startswith("IMPORT_"), ())
    reads = set()
    for position, step in enumerate(steps):
        if step.opname.startswith("LOAD_FAST") and step.argval == bound.argval:
            reads.add(tuple(_attributes(steps[position + 1 :])))
        elif isinstance(step.argval, tuple) and bound.argval in step.argval and "FAST" in step.opname:  # two at once
            reads.add(())
    return Import(level, module, True, () if () in reads else tuple(sorted(reads)))


def _in_magics(code: CodeType) -> Iterator[tuple[str, ...]]:
    """Yield what the text of magics reads: `%flyte_run train(data)` is a string to Python."""
    for constant in code.co_consts:
        if isinstance(constant, str):
            try:
                expression = compile(constant.strip(), "<magic>", "eval", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, True)
            except (SyntaxError, ValueError):
                continue
            yield from facts_of(expression).uses


def _attributes(steps: list[dis.Instruction]) -> list[str]:
    names = []
    for step in steps:
        if step.opname not in _READS_ATTRIBUTE:
            break
        names.append(step.argval)
    return names


def _digest(code: CodeType, steps: list[dis.Instruction]) -> bytes:
    walk = ContentWalk(_nested)
    # The constants that are used, in place of their positions: a docstring is a constant, too, that moves the others.
    work = [
        (step.opname, code.co_consts[step.arg] if step.opcode in _CONSTANTS and step.arg is not None else step.arg)
        for step in steps
    ]
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags & ~_HAS_DOCSTRING)
    exceptions = getattr(code, "co_exceptiontable", b"")  # Python 3.11
    return sha256(walk.token((work, names, counts, exceptions))).digest()


def _nested(value: Any) -> bytes | None:
    return framed(b"k", facts_of(value).digest) if isinstance(value, CodeType) else None
