"""Runs in another environment, where of this one flyte_nb alone can be imported."""

from __future__ import annotations

import importlib.util
import socket
import sys
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any


class Finder:
    """Finds flyte_nb and nothing else that lies beside it."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        del path, target
        return PathFinder.find_spec(name, [self.folder]) if name == "flyte_nb" else None


def main(fd: int, flyte_nb: str) -> None:
    sys.meta_path.insert(0, Finder(str(Path(flyte_nb).parent.parent)))  # type: ignore[arg-type]
    from flyte_nb.crossing.exceptions import pack_error
    from flyte_nb.crossing.packing import pack, unpack

    wire, sides = module("foreign_wire"), module("sides")
    connection = socket.socket(fileno=fd)
    while True:
        try:
            code, parcel = wire.receive(connection)
        except EOFError:
            return
        names: dict[str, Any] = {"__name__": "__main__"}
        there = sides.Side("the worker of 'there'", names)
        try:
            exec(compile(code, "<cell>", "exec"), names)  # noqa: S102 - of a test
            value = unpack(parcel, "argument 'value' of there.f", there)
            answer = pack(names["f"](value), "the result of there.f", there)
        except BaseException as error:  # noqa: BLE001 - it goes back
            wire.send(connection, b"error", pack_error(error, there))
        else:
            wire.send(connection, b"value", answer)


def module(name: str) -> Any:
    """Return a module that lies beside this one."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec
    assert spec.loader
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
