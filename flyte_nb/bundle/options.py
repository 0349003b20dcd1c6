"""What an environment or a task says by options of the SDK, as source."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta, timezone
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from flyte_nb.bundle.objects import attributes, named_in_flyte, public_name
from flyte_nb.bundle.withheld import is_secret
from flyte_nb.bundle.writing import Atom, Chain, Group, NotWritableError, call, literal, several
from flyte_nb.masking import says_secret
from flyte_nb.model.secret import Secret
from flyte_nb.model.written import Constructed, Name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flyte_nb.bundle.withheld import Withheld
    from flyte_nb.bundle.writing import Code
    from flyte_nb.model.written import Step

__all__ = ["WrittenOptions", "written_options"]

# What tells one item of a list from another better than its position does.
_TELLING = re.compile(r"[\w.-]{1,60}")


@dataclass(frozen=True, slots=True)
class WrittenOptions:
    """Options as source.

    Attributes:
        code: Those that could be written, by name.
        unwritten: The types of the others.
        imports: The import lines that the code needs, besides those of the standard library.
    """

    code: dict[str, Code] = field(default_factory=dict)
    unwritten: dict[str, str] = field(default_factory=dict)
    imports: set[str] = field(default_factory=set)


def written_options(options: Mapping[str, Any], withheld: Withheld) -> WrittenOptions:
    """Return the options as source; what is secret in them is `withheld`."""
    written = WrittenOptions()
    for name, value in options.items():
        before = dict(withheld.values)
        try:
            writer = _Writer(withheld)
            written.code[name] = writer.value(value, (name,), says_secret(name))
            written.imports.update(writer.imports)
        except NotWritableError as error:
            written.unwritten[name] = str(error)
            withheld.values = before
    return written


class _Writer:
    """Writes one option.

    Its methods take where in the declaration a value stands, and whether something that it is called by says that it
    is secret. The names of parameters of the SDK do not: one that is called "secret" takes the name of a secret.
    """

    def __init__(self, withheld: Withheld) -> None:
        self.imports: set[str] = set()
        self._withheld = withheld

    def value(self, value: Any, place: tuple[str, ...], secret: bool) -> Code:
        """Return the source of a value; it raises NotWritableError if there is none."""
        if isinstance(value, str) and (secret or is_secret("", value)):
            return self._withheld.variable(str(value), *place)
        if type(value) in (int, float, bytes) and secret:
            return self._secret_of(value, place)
        if type(value) is dict:
            return self._dict(value, place, secret)
        labels = _labels(value)
        items = several(value, lambda position, each: self.value(each, (*place, labels[position - 1]), secret))
        return items or self._object(value, place, secret) or literal(value)

    def _secret_of(self, value: float | bytes, place: tuple[str, ...]) -> Code:
        """Return what makes a number, or bytes, of a variable, which holds text."""
        if not isinstance(value, bytes):
            read = self._withheld.variable(repr(value), *place)
            # It may be unset where nothing is deployed.
            return call(type(value).__name__, _either(read, "0"))
        try:
            text = value.decode()
        except UnicodeDecodeError:
            raise NotWritableError("bytes") from None
        read = self._withheld.variable(text, *place)
        return Chain((read, call(".encode")))

    def _dict(self, value: dict[Any, Any], place: tuple[str, ...], secret: bool) -> Code:
        items = []
        named = value.get("name") if "value" in value else None
        for position, (key, content) in enumerate(value.items(), 1):
            text = str(key)
            is_plain = not is_secret("", text)
            inside = (*place, text if is_plain else str(position))
            written = literal(key) if is_plain else self._withheld.variable(text, *inside, "key")
            says = secret or says_secret(text) or (text == "value" and isinstance(named, str) and says_secret(named))
            items.append((f"{written.flat()}: ", self.value(content, inside, says)))
        return Group("{", tuple(items), "}")

    def _object(self, value: Any, place: tuple[str, ...], secret: bool) -> Code | None:
        """Return what constructs an object of a library, or a path or a time; None for anything else."""
        if isinstance(value, Constructed):
            labels = _methods(value.steps)
            first, *others = (
                self._step(step, (*place, *label), secret) for step, label in zip(value.steps, labels, strict=True)
            )
            return Chain((first, *others)) if others else first
        if isinstance(value, Name):
            return Atom(value.path)
        if isinstance(value, Secret):
            return _secret(value)
        if isinstance(value, PurePath):
            return call("Path", self.value(str(value), place, secret))
        if type(value) is datetime:
            return _time(value)
        if (name := named_in_flyte(value)) is not None:
            return Atom(name)
        given = attributes(value)
        public = None if given is None else public_name(type(value))
        if given is None or public is None:
            return None
        name, module = public
        if module != "flyte":
            self.imports.add(f"import {module}")
        label = getattr(value, "name", None)
        told = {"value"} if isinstance(label, str) and says_secret(label) else set()
        by_name = not hasattr(value, "openapi_types")  # whose attributes are those of Kubernetes
        written = {
            key: self.value(each, (*place, key), secret or key in told or (by_name and says_secret(key)))
            for key, each in given.items()
        }
        return call(name, **written)

    def _step(self, step: Step, place: tuple[str, ...], secret: bool) -> Group:
        args = [
            self.value(each, place if type(each) is dict else (*place, str(position)), secret)
            for position, each in enumerate(step.args, 1)
        ]
        options = {name: self.value(each, (*place, name), secret) for name, each in step.options}
        return call(step.name if step.name.startswith("flyte.") else f".{step.name}", *args, **options)


def _secret(secret: Secret) -> Code:
    """Return what constructs a reference to a secret as the SDK's own object of it would be written."""
    said = {one.name: getattr(secret, one.name) for one in fields(secret)}
    written = {name: literal(value) for name, value in said.items() if value is not None}
    if secret.mount is not None:
        written["mount"] = call("Path", literal(secret.mount))
    return call("flyte.Secret", **written)


def _either(read: Group, otherwise: str) -> Group:
    """Return `read`, an `os.environ.get`, with another default."""
    return Group(read.opening, (read.items[0], ("", literal(otherwise))), read.closing)


def _labels(values: Any) -> list[str]:
    """Return what to call each of several values: its name if no other has it, or else its position."""
    if type(values) not in (list, tuple):
        return [str(position) for position in range(1, len(values) + 1)] if type(values) in (set, frozenset) else []
    names = [each.get("name") if type(each) is dict else getattr(each, "name", None) for each in values]
    counts = Counter(name for name in names if isinstance(name, str))
    return [
        name
        if isinstance(name, str) and counts[name] == 1 and _TELLING.fullmatch(name) and not is_secret("", name)
        else str(position)
        for position, name in enumerate(names, 1)
    ]


def _methods(steps: tuple[Step, ...]) -> list[tuple[str, ...]]:
    """Return what to call each step: nothing for the first, or the method, with a number if it was called before."""
    counts: Counter[str] = Counter()
    labels: list[tuple[str, ...]] = []
    for step in steps:
        name = step.name.removeprefix("with_")
        counts[name] += 1
        number = () if counts[name] == 1 else (str(counts[name]),)
        labels.append((name, *number) if labels else ())
    return labels


def _time(value: datetime) -> Code:
    """Return a call of `datetime`, in UTC if it has a time zone that is one of Python's own."""
    zone = value.tzinfo
    if zone is not None and not isinstance(zone, timezone):
        value = value.astimezone(timezone.utc)
    parts = [value.year, value.month, value.day, value.hour, value.minute, value.second, value.microsecond]
    while len(parts) > 3 and not parts[-1]:  # a date is what it takes at the least
        parts.pop()
    written = [Atom(str(part)) for part in parts]
    if zone is None:
        return call("_datetime.datetime", *written)
    offset = value.utcoffset() or timedelta()
    code = call("_datetime.timezone", literal(offset)) if offset else Atom("_datetime.timezone.utc")
    return call("_datetime.datetime", *written, tzinfo=code)
