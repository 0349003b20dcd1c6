"""The order of the cells in the saved notebook, whatever is the matter with the file."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from flyte_nb.jupyter.document import NotebookDocument


@pytest.fixture
def document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[NotebookDocument, Path]:
    path = tmp_path / "n.ipynb"
    monkeypatch.setenv("JPY_SESSION_NAME", str(path))
    return NotebookDocument(), path


def write(path: Path, content: Any) -> None:
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    os.utime(path, ns=(time.time_ns(), time.time_ns()))


def read(notebook: NotebookDocument) -> Any:
    """Return the positions after a look at the file."""
    notebook.refresh()
    return notebook.positions


def test_positions(document: tuple[NotebookDocument, Path]) -> None:
    """Positions follow the file."""
    notebook, path = document
    assert read(notebook) == {}
    write(path, {"cells": [{"id": "a"}, {"id": "b"}]})
    assert read(notebook) == {"a": 0, "b": 1}
    write(path, {"cells": [{"id": "b"}, {"id": "x"}, {"id": "a"}]})
    assert read(notebook) == {"b": 0, "x": 1, "a": 2}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        '{"cells": 5}',
        '{"cells": null}',
        '{"cells": {"id": "a"}}',
        '{"cells": [1, null, {"id": 5}, {}]}',
        "[" * 100_000,
        '{"cells": [{"id": "a"}',
    ],
)
def test_broken(document: tuple[NotebookDocument, Path], content: str) -> None:
    """A file that cannot be understood says nothing, or what it said before."""
    notebook, path = document
    write(path, content)
    assert read(notebook) == {}
    write(path, {"cells": [{"id": "a"}]})
    assert read(notebook) == {"a": 0}
    write(path, content)
    assert read(notebook) in ({"a": 0}, {})


def test_not_utf8(document: tuple[NotebookDocument, Path]) -> None:
    """Nor does a file in another encoding."""
    notebook, path = document
    path.write_bytes(b'{"cells": [{"id": "\xff"}]}')
    assert read(notebook) == {}


def test_gone(document: tuple[NotebookDocument, Path]) -> None:
    """When the file is gone, what was read last is the best that is known."""
    notebook, path = document
    write(path, {"cells": [{"id": "a"}]})
    assert read(notebook) == {"a": 0}
    path.unlink()
    assert read(notebook) == {"a": 0}


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_not_a_file(document: tuple[NotebookDocument, Path], make: Any) -> None:
    """A folder or a pipe of that name is not read."""
    notebook, path = document
    make(path)
    assert read(notebook) == {}


@pytest.mark.parametrize("name", ["", "notebook", "console-1"])
def test_other_names(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """What is no notebook has no positions."""
    monkeypatch.setenv("JPY_SESSION_NAME", name)
    assert read(NotebookDocument()) == {}


def test_saves_are_counted(document: tuple[NotebookDocument, Path]) -> None:
    """Each change of the file that can be read counts as a save, and looking again does not."""
    notebook, path = document
    write(path, {"cells": []})
    read(notebook)
    read(notebook)
    assert notebook.saves == 1
    write(path, {"cells": [{"id": "a"}]})
    read(notebook)
    assert notebook.saves == 2


def test_read_once(document: tuple[NotebookDocument, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is read again only when it has changed, also if it is broken."""
    notebook, path = document
    reads: list[str] = []
    monkeypatch.setattr(json, "loads", lambda text: reads.append(text) or [][1])
    write(path, "{")
    with pytest.raises(IndexError):
        read(notebook)
    read(notebook)
    assert reads == ["{"]


def test_relative_to_where_the_kernel_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative name is relative to where the kernel started, wherever the user goes."""
    write(tmp_path / "n.ipynb", {"cells": [{"id": "a"}]})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JPY_SESSION_NAME", "n.ipynb")
    notebook = NotebookDocument()
    monkeypatch.chdir("/")
    assert read(notebook) == {"a": 0}
