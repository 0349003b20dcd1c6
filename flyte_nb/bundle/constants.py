"""Which expressions are constants: the same whenever, and wherever, the module is imported."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Protocol

from flyte_nb.bundle.scopes import bound_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["CHANGING_FUNCTIONS", "FLYTE", "MUTATORS", "SHUFFLING_FUNCTIONS", "Meanings", "run_time_part"]

# Methods that change a list, a dictionary, a set or a deque in place.
# fmt: off
MUTATORS = frozenset(
    {
        "add", "append", "appendleft", "clear", "difference_update", "discard", "extend", "extendleft", "insert",
        "intersection_update", "move_to_end", "pop", "popitem", "remove", "reverse", "rotate", "setdefault", "sort",
        "subtract", "symmetric_difference_update", "update", "__delattr__", "__delitem__", "__iadd__", "__ior__",
        "__setattr__", "__setitem__",
    }
)
# Functions that change their first argument in place, and do the same whenever they are called.
CHANGING_FUNCTIONS = frozenset(
    {
        "delattr", "delitem", "heapify", "heappop", "heappush", "heappushpop", "heapreplace", "insort", "insort_left",
        "insort_right", "setattr", "setitem",
    }
)
# Those that do something else each time; where their result is used, they are others of that name, which copy.
SHUFFLING_FUNCTIONS = frozenset({"shuffle"})
# fmt: on

# What only makes a value of what it is given. Those of the user's own classes that do are asked of `Meanings`.
# fmt: off
_PURE_BUILTINS = frozenset(
    {
        "abs", "all", "any", "ascii", "bin", "bool", "bytearray", "bytes", "chr", "complex", "dict", "divmod",
        "enumerate", "filter", "float", "format", "frozenset", "hash", "hex", "int", "len", "list", "map", "max",
        "min", "object", "oct", "ord", "pow", "property", "range", "repr", "reversed", "round", "set", "slice",
        "sorted", "staticmethod", "str", "sum", "tuple", "type", "zip",
    }
)
# fmt: on
# fmt: off
_PURE = frozenset(
    {
        "collections.ChainMap", "collections.Counter", "collections.OrderedDict", "collections.defaultdict",
        "collections.deque", "collections.namedtuple", "contextvars.ContextVar", "dataclasses.field",
        "dataclasses.make_dataclass", "datetime.date", "datetime.datetime", "datetime.time", "datetime.timedelta",
        "datetime.timezone", "datetime.date.fromisoformat", "datetime.datetime.fromisoformat",
        "datetime.datetime.strptime", "decimal.Decimal", "enum.Enum", "enum.Flag", "enum.IntEnum", "enum.IntFlag",
        "enum.StrEnum", "enum.auto", "fractions.Fraction", "functools.cache", "functools.lru_cache",
        "functools.partial", "functools.reduce", "functools.wraps", "ipaddress.ip_address", "ipaddress.ip_network",
        "itertools.chain", "itertools.product", "itertools.repeat", "logging.getLogger", "operator.attrgetter",
        "operator.itemgetter", "operator.methodcaller", "os.path.basename", "os.path.dirname", "os.path.join",
        "os.path.splitext", "pathlib.Path", "pathlib.PosixPath", "pathlib.PurePath", "pathlib.PurePosixPath",
        "pathlib.PureWindowsPath", "re.compile", "re.escape", "string.Template", "textwrap.dedent",
        "types.MappingProxyType", "types.SimpleNamespace", "typing.NamedTuple", "typing.NewType", "typing.ParamSpec",
        "typing.TypeVar", "typing.TypeVarTuple", "typing.TypedDict", "typing.cast", "typing_extensions.TypeVar",
        "typing_extensions.TypedDict", "uuid.UUID", "zoneinfo.ZoneInfo", "pydantic.Field", "pydantic.TypeAdapter",
        "pydantic.create_model", "pydantic.ConfigDict",
    }
)
# fmt: on
_PURE_MODULES = ("math.", "cmath.", "statistics.")
# Methods of containers that change nothing.
_OF_SETS = frozenset(
    {"copy", "difference", "intersection", "isdisjoint", "issubset", "issuperset", "symmetric_difference", "union"}
)
_READING: Mapping[type | None, frozenset[str]] = {
    dict: frozenset({"copy", "get", "items", "keys", "values"}),
    list: frozenset({"copy", "count", "index"}),
    tuple: frozenset({"count", "index"}),
    set: _OF_SETS,
    frozenset: _OF_SETS,
}
_CONTAINERS: Mapping[str, type] = {kind.__name__: kind for kind in (dict, frozenset, list, set, tuple)}
_DISPLAYS: Mapping[type, type] = {
    ast.Dict: dict,
    ast.DictComp: dict,
    ast.List: list,
    ast.ListComp: list,
    ast.Set: set,
    ast.SetComp: set,
    ast.Tuple: tuple,
}
# Attributes of modules that say something about the process that asks.
_OF_THE_PROCESS = ("os.environ", "sys.argv", "sys.path", "sys.modules", "sys.stdin", "sys.stdout", "sys.stderr")


class Meanings(Protocol):
    """What names mean where an expression stands."""

    def origin(self, name: str) -> str | None:
        """Return the full name of what an import binds to `name`: "numpy", "pathlib.Path"; None if none does."""

    def is_bound(self, name: str) -> bool:
        """Say whether anything binds `name`: a builtin is then no longer one."""

    def written(self, name: str) -> ast.expr | None:
        """Return the expression that an assignment binds to `name`, or None if none does."""

    def makes_values(self, name: str) -> bool:
        """Say whether `name` is a class of the user's whose instances only hold what they are given."""


def run_time_part(node: ast.expr, meanings: Meanings, local: frozenset[str] = frozenset()) -> ast.expr | None:
    """Return a part of `node` that makes it a run-time value, or None if it is a constant.

    Names count as constants here: what they are bound to is for the caller to look at.

    Args:
        node: The expression.
        meanings: What its names mean.
        local: Variables of the comprehensions around it.
    """
    match node:
        case ast.Constant() | ast.Lambda():
            return None
        case ast.Name():
            return None
        case ast.Attribute() if (known := _full_name(node, meanings)) is not None:
            return node if known.startswith(_OF_THE_PROCESS) else None
        case ast.Call():
            if not _is_pure(node, meanings, local):
                return node
            parts: Iterable[ast.expr] = [*node.args, *(keyword.value for keyword in node.keywords)]
            if isinstance(node.func, ast.Attribute):
                parts = [node.func.value, *parts]
            return _first(parts, meanings, local)
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            return _in_comprehension(node, meanings, local)
        case ast.Await() | ast.Yield() | ast.YieldFrom() | ast.NamedExpr():
            return node
        case _:
            children = (child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr))
            return _first(children, meanings, local)


def _first(parts: Iterable[ast.expr], meanings: Meanings, local: frozenset[str]) -> ast.expr | None:
    return next((found for part in parts if (found := run_time_part(part, meanings, local)) is not None), None)


def _in_comprehension(
    node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp, meanings: Meanings, local: frozenset[str]
) -> ast.expr | None:
    inner = local | bound_names(generator.target for generator in node.generators).keys()
    parts: list[ast.expr] = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
    for generator in node.generators:
        if generator.is_async:
            return node
        parts += [generator.iter, *generator.ifs]
    return _first(parts, meanings, frozenset(inner))


def _is_pure(call: ast.Call, meanings: Meanings, local: frozenset[str]) -> bool:
    """Say whether the called function only makes a value of what it is given."""
    function = call.func
    if isinstance(function, ast.Name) and function.id not in local:
        origin = meanings.origin(function.id)
        if origin is not None:
            return _is_known(origin)
        bound = meanings.is_bound(function.id)
        return meanings.makes_values(function.id) if bound else function.id in _PURE_BUILTINS
    if isinstance(function, ast.Attribute):
        full = _full_name(function, meanings)
        if full is not None:
            return _is_known(full)
        of_text = _is_text_method(function, meanings, local)
        return of_text or _is_reading(function, meanings, local) or _is_of_flyte(function, meanings)
    return False


def _is_of_flyte(function: ast.Attribute, meanings: Meanings) -> bool:
    """Say whether a method of an object of Flyte is called: Image.from_debian_base().with_pip_packages."""
    node: ast.expr = function
    while isinstance(node, ast.Attribute | ast.Call):
        if isinstance(node, ast.Attribute) and _is_flyte(_full_name(node, meanings)):
            return True
        node = node.func if isinstance(node, ast.Call) else node.value
    return isinstance(node, ast.Name) and _is_flyte(meanings.origin(node.id))


def _is_flyte(full_name: str | None) -> bool:
    return full_name is not None and full_name.partition(".")[0] in FLYTE


def _is_text_method(function: ast.Attribute, meanings: Meanings, local: frozenset[str]) -> bool:
    """Say whether a method of a string is called: of one that is written out, or of what a comprehension gives."""
    if not hasattr(str, function.attr):
        return False
    match function.value:
        case ast.Constant(value=str() | bytes()) | ast.JoinedStr():
            return True
        case ast.Name(id=name):
            return name in local or _kind(meanings.written(name), meanings) in (str, bytes)
        case ast.Call(func=ast.Attribute() as inner):
            return _is_text_method(inner, meanings, local)
    return False


def _is_reading(function: ast.Attribute, meanings: Meanings, local: frozenset[str]) -> bool:
    """Say whether a method is called of a container that is written out, and only reads it."""
    value: ast.expr | None = function.value
    if isinstance(value, ast.Name):
        value = None if value.id in local else meanings.written(value.id)
    return function.attr in _READING.get(_kind(value, meanings), ())


def _kind(value: ast.expr | None, meanings: Meanings) -> type | None:
    """Return the type of a container or a text, as far as its syntax says it."""
    match value:
        case ast.Constant(value=str() | bytes() as text):
            return type(text)
        case ast.JoinedStr():
            return str
        case ast.Call(func=ast.Name(id="dict" | "frozenset" | "list" | "set" | "tuple" as name)):
            return None if meanings.is_bound(name) else _CONTAINERS[name]
    return _DISPLAYS.get(type(value))


def _is_known(full_name: str) -> bool:
    return full_name in _PURE or full_name.startswith(_PURE_MODULES) or _is_flyte(full_name)


FLYTE = ("flyte", "flyte_nb")


def _full_name(node: ast.expr, meanings: Meanings) -> str | None:
    """Return the full name of an attribute of something imported: "numpy.random.rand"; None for anything else."""
    attributes: list[str] = []
    while isinstance(node, ast.Attribute):
        attributes.append(node.attr)
        node = node.value
    origin = meanings.origin(node.id) if isinstance(node, ast.Name) else None
    return None if origin is None else ".".join([origin, *reversed(attributes)])
