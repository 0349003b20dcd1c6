"""Exporting into a folder: all or nothing, and nothing of anybody else's is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flyte_nb import ExportError
from flyte_nb.project.folder import _staging_prefix, export

FILES = {"README.md": "one\n", "environments/a.py": "A = 1\n", "environments/b.py": "B = 1\n", "lib/x.py": "X = 1\n"}
LATER = {"README.md": "two\n", "environments/a.py": "A = 1\n", "environments/c.py": "C = 1\n"}


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def generated(folder: Path) -> dict[str, str]:
    found = content(folder)
    found.pop(".flyte_nb.json", None)
    return {path: text.decode() for path, text in found.items()}


def refused(folder: Path, files: dict[str, str]) -> str:
    """Return why exporting is refused; nothing may have changed."""
    before = content(folder) if folder.is_dir() else {}
    with pytest.raises(ExportError) as caught:
        export(folder, files)
    assert (content(folder) if folder.is_dir() else {}) == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_export_replaces_the_one_before(tmp_path: Path) -> None:
    """What is no longer generated is removed, with its folders; what is unchanged is left alone, and all else, too."""
    folder = tmp_path / "new" / "project"
    first = export(folder, FILES)
    assert (set(first.written), first.unchanged, first.removed) == (set(FILES), (), ())
    assert generated(folder) == FILES
    (folder / ".git").mkdir()
    (folder / ".git" / "HEAD").write_text("ref\n")
    (folder / "notes.txt").write_text("mine\n")
    (folder / "lib" / "__pycache__").mkdir()
    (folder / "lib" / "__pycache__" / "x.cpython-311.pyc").write_bytes(b"x")
    untouched = (folder / "environments" / "a.py").stat().st_mtime_ns
    second = export(folder, LATER)
    assert second.written == ("README.md", "environments/c.py")
    assert second.unchanged == ("environments/a.py",)
    assert set(second.removed) == {"environments/b.py", "lib/x.py"}
    assert generated(folder) == {**LATER, ".git/HEAD": "ref\n", "notes.txt": "mine\n"}
    assert (folder / "environments" / "a.py").stat().st_mtime_ns == untouched
    assert not (folder / "lib").exists()


def test_exporting_twice_writes_nothing(tmp_path: Path) -> None:
    """The same again changes no file, and says so."""
    export(tmp_path, FILES)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    again = export(tmp_path, FILES)
    assert (again.written, set(again.unchanged)) == ((), set(FILES))
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_a_folder_with_something_else_is_refused(tmp_path: Path) -> None:
    """A folder that no export wrote is left alone unless that is forced; one with nothing but .git is as empty."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "thesis.tex").write_text("mine\n")
    assert "thesis.tex" in refused(tmp_path, FILES)
    export(tmp_path, FILES, force=True)
    assert generated(tmp_path) == {**FILES, "thesis.tex": "mine\n"}
    export(tmp_path / "other" / "..", LATER)


def test_an_empty_repository_is_empty(tmp_path: Path) -> None:
    """A folder with nothing but .git can be exported to."""
    (tmp_path / ".git").mkdir()
    export(tmp_path, FILES)
    assert generated(tmp_path) == FILES


@pytest.mark.parametrize("path", ["README.md", "lib/x.py"])
def test_an_edited_file_is_refused(tmp_path: Path, path: str) -> None:
    """What was edited since the last export is neither replaced nor removed, unless that is forced."""
    export(tmp_path, FILES)
    (tmp_path / path).write_text("edited\n")
    assert path in refused(tmp_path, LATER)
    export(tmp_path, LATER, force=True)
    assert generated(tmp_path) == LATER


def test_a_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    """A file that an export would write over, and did not write, is refused, unless it is the same."""
    export(tmp_path, FILES)
    (tmp_path / "environments" / "c.py").write_text("mine\n")
    assert "environments/c.py" in refused(tmp_path, LATER)
    (tmp_path / "environments" / "c.py").write_text(LATER["environments/c.py"])
    export(tmp_path, LATER)


def test_a_deleted_file_comes_back(tmp_path: Path) -> None:
    """A generated file that was deleted is written again."""
    export(tmp_path, FILES)
    (tmp_path / "README.md").unlink()
    assert export(tmp_path, FILES).written == ("README.md",)


def test_links_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    """Nothing is written outside of the folder."""
    (tmp_path / "outside").mkdir()
    folder = tmp_path / "project"
    export(folder, {"README.md": "one\n"})
    (folder / "environments").symlink_to(tmp_path / "outside")
    assert "leads to another folder" in refused(folder, FILES)
    assert not content(tmp_path / "outside")


def test_what_cannot_be_a_folder_is_refused(tmp_path: Path) -> None:
    """A file in the place of the folder, or a folder in the place of a file, is refused."""
    (tmp_path / "file").write_text("mine\n")
    assert "not a folder" in refused(tmp_path / "file", FILES)
    assert "it cannot be written" in refused(tmp_path / "file" / "below", FILES)
    (tmp_path / "project" / "README.md").mkdir(parents=True)
    with pytest.raises(ExportError, match="a file is to be there"):
        export(tmp_path / "project", FILES, force=True)


@pytest.mark.parametrize(
    "manifest",
    [
        "",
        "[]",
        "{}",
        '{"files": 3}',
        '{"files": {"README.md": 5}}',
        "\xff",
        '{"files": {"/dev/zero": []}}',
        '{"files": {"../x": []}}',
        '{"files": {"a\\u0000b": []}}',
    ],
)
def test_a_damaged_manifest_counts_as_none(tmp_path: Path, manifest: str) -> None:
    """If it cannot be known what was generated, nothing is replaced unless that is forced."""
    export(tmp_path, FILES)
    (tmp_path / ".flyte_nb.json").write_text(manifest, encoding="latin-1")
    assert "which no export wrote" in refused(tmp_path, LATER)
    export(tmp_path, LATER, force=True)
    assert {**generated(tmp_path), **LATER} == generated(tmp_path)


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    """A manifest may list a link to what has no end; it is refused before it is read."""
    export(tmp_path, FILES)
    (tmp_path / "README.md").unlink()
    (tmp_path / "README.md").symlink_to("/dev/zero")
    assert "a file is to be there" in refused_unread(tmp_path)
    (tmp_path / "README.md").unlink()
    (tmp_path / "lib" / "x.py").unlink()
    (tmp_path / "lib").rmdir()
    (tmp_path / "lib").symlink_to("/dev")
    assert "leads to another folder" in refused_unread(tmp_path)


def refused_unread(folder: Path) -> str:
    with pytest.raises(ExportError) as caught:
        export(folder, LATER, force=True)
    return str(caught.value)


def test_only_what_was_left_behind_is_cleaned_up(tmp_path: Path) -> None:
    """The files of an export that goes on stay, whoever's it is; those of a process that is gone do not."""
    prefix = subprocess.run(
        [sys.executable, "-c", "from flyte_nb.project.folder import _staging_prefix as p; print(p())"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    gone, mine, unknown = tmp_path / f"{prefix}abc", tmp_path / f"{_staging_prefix()}abc", tmp_path / ".flyte_nb-abc"
    old = tmp_path / ".flyte_nb-def"
    for staging in (gone, mine, unknown, old):
        (staging / "new").mkdir(parents=True)
    os.utime(old, (0, 0))
    export(tmp_path, FILES)
    assert {path.name for path in tmp_path.glob(".flyte_nb-*")} == {mine.name, unknown.name}


def test_a_failure_halfway_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a file cannot be replaced, those before it are put back."""
    export(tmp_path, FILES)
    before = content(tmp_path)
    replace = os.replace

    def failing(source: Path, target: Path) -> None:
        if Path(target).name == "c.py":
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(ExportError, match="No space left on device"):
        export(tmp_path, LATER)
    assert content(tmp_path) == before


PATHS = st.sampled_from(["README.md", "environments/a.py", "environments/b.py", "lib/x.py", "lib/deep/y.py"])
PROJECTS = st.dictionaries(PATHS, st.sampled_from(["1\n", "2\n", ""]), min_size=1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.lists(PROJECTS, min_size=1, max_size=4))
def test_a_folder_holds_the_last_export(
    tmp_path_factory: pytest.TempPathFactory, projects: list[dict[str, str]]
) -> None:
    """After any sequence of exports, the folder holds exactly what the last one generated."""
    folder = tmp_path_factory.mktemp("export")
    for files in projects:
        export(folder, files)
        assert generated(folder) == files


_ALTERNATE = """
import sys
from pathlib import Path
from flyte_nb.project.folder import export
many = [{f"environments/{i}.py": f"V = {v}" * 50 for i in range(20 + v)} for v in range(2)]
print("ready", flush=True)
while True:
    for files in many:
        export(Path(sys.argv[1]), files)
"""


@pytest.mark.slow
def test_a_killed_export_leaves_whole_files_and_is_gone_on_with(tmp_path: Path) -> None:
    """Killed at any moment, every file is whole, old or new, and the next export is not refused."""
    script, folder = tmp_path / "alternate.py", tmp_path / "project"
    script.write_text(_ALTERNATE)
    many = [{f"environments/{i}.py": f"V = {v}" * 50 for i in range(20 + v)} for v in range(2)]
    for attempt in range(25):
        process = subprocess.Popen([sys.executable, script, folder], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.003 * attempt)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        for path in folder.glob("environments/*.py"):
            assert path.read_text() in {f"V = {v}" * 50 for v in range(2)}
        export(folder, many[attempt % 2])
        assert generated(folder) == many[attempt % 2]
