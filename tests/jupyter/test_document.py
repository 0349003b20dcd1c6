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
    return NotebookDocument(dict), path


def write(path: Path, content: Any) -> None:
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    os.utime(path, ns=(time.time_ns(), time.time_ns()))


def test_positions(document: tuple[NotebookDocument, Path]) -> None:
    """Positions follow the file."""
    notebook, path = document
    assert notebook.cell_positions() == {}
    write(path, {"cells": [{"id": "a"}, {"id": "b"}]})
    assert notebook.cell_positions() == {"a": 0, "b": 1}
    write(path, {"cells": [{"id": "b"}, {"id": "x"}, {"id": "a"}]})
    assert notebook.cell_positions() == {"b": 0, "x": 1, "a": 2}


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
    assert notebook.cell_positions() == {}
    write(path, {"cells": [{"id": "a"}]})
    assert notebook.cell_positions() == {"a": 0}
    write(path, content)
    assert notebook.cell_positions() in ({"a": 0}, {})


def test_not_utf8(document: tuple[NotebookDocument, Path]) -> None:
    """Nor does a file in another encoding."""
    notebook, path = document
    path.write_bytes(b'{"cells": [{"id": "\xff"}]}')
    assert notebook.cell_positions() == {}


def test_gone(document: tuple[NotebookDocument, Path]) -> None:
    """When the file is gone, what was read last is the best that is known."""
    notebook, path = document
    write(path, {"cells": [{"id": "a"}]})
    assert notebook.cell_positions() == {"a": 0}
    path.unlink()
    assert notebook.cell_positions() == {"a": 0}


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_not_a_file(document: tuple[NotebookDocument, Path], make: Any) -> None:
    """A folder or a pipe of that name is not read."""
    notebook, path = document
    make(path)
    assert notebook.cell_positions() == {}


@pytest.mark.parametrize("name", ["", "notebook", "a\0b.ipynb", "console-1"])
def test_other_names(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """What is no notebook has no positions."""
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    assert NotebookDocument(lambda: {"__vsc_ipynb_file__": name}).cell_positions() == {}


def test_vs_code(document: tuple[NotebookDocument, Path], tmp_path: Path) -> None:
    """VS Code says which file it is by a variable; anything else in that variable is ignored."""
    other = tmp_path / "other.ipynb"
    write(other, {"cells": [{"id": "v"}]})
    assert NotebookDocument(lambda: {"__vsc_ipynb_file__": str(other)}).cell_positions() == {"v": 0}
    assert NotebookDocument(lambda: {"__vsc_ipynb_file__": 5}).cell_positions() == {}


def test_read_once(document: tuple[NotebookDocument, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is read again only when it has changed, also if it is broken."""
    notebook, path = document
    reads: list[str] = []
    monkeypatch.setattr(json, "loads", lambda text: reads.append(text) or [][1])
    write(path, "{")
    with pytest.raises(IndexError):
        notebook.cell_positions()
    notebook.cell_positions()
    assert reads == ["{"]


def test_relative_to_where_the_kernel_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative name is relative to where the kernel started, wherever the user goes."""
    write(tmp_path / "n.ipynb", {"cells": [{"id": "a"}]})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JPY_SESSION_NAME", "n.ipynb")
    notebook = NotebookDocument(dict)
    monkeypatch.chdir("/")
    assert notebook.cell_positions() == {"a": 0}
