"""Element types of numpy, described so that any version of numpy knows them."""

from __future__ import annotations

from typing import Any

from flyte_nb.crossing import installed

__all__ = ["described", "element_type"]


def described(dtype: Any) -> Any:
    """Return a description of an element type: text, or a tuple that begins with what it is."""
    if dtype.names is not None:
        fields = [dtype.fields[name] for name in dtype.names]
        layout = {
            "names": list(dtype.names),
            "formats": [described(field[0]) for field in fields],
            "offsets": [field[1] for field in fields],
            "titles": [field[2] if len(field) > 2 else None for field in fields],
            "itemsize": dtype.itemsize,
        }
        return "fields", layout, dtype.type.__name__ == "record"
    if dtype.subdtype is not None:
        return "array", described(dtype.subdtype[0]), dtype.shape
    if dtype.kind == "T":  # strings of any length, of numpy 2
        missing = (dtype.na_object,) if hasattr(dtype, "na_object") else ()
        return "strings", missing, dtype.coerce
    if dtype.type.__module__.partition(".")[0] != "numpy":
        return "type", dtype.type  # of another library, which is then needed on the other side
    return str(dtype.str)


def element_type(description: Any) -> Any:
    """Return the element type that `described` has described; where numpy has no strings of any length, objects."""
    numpy = installed.numpy()

    if isinstance(description, str):
        return numpy.dtype(description)
    form, *rest = description
    if form == "fields":
        layout, is_record = rest
        made = numpy.dtype({**layout, "formats": [element_type(each) for each in layout["formats"]]})
        return numpy.dtype((numpy.record, made)) if is_record else made
    if form == "array":
        return numpy.dtype((element_type(rest[0]), rest[1]))
    if form == "strings":
        return _strings(numpy, *rest)
    return numpy.dtype(rest[0])


def _strings(numpy: Any, missing: tuple[Any, ...], coerce: bool) -> Any:
    kind = getattr(getattr(numpy, "dtypes", None), "StringDType", None)
    if kind is None:
        return numpy.dtype(object)
    return kind(coerce=coerce, **({"na_object": missing[0]} if missing else {}))
