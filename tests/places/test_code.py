"""The code of a version is there as a whole or not at all, and for its owner alone."""

from __future__ import annotations

import os
import random
import signal
import stat
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

import flyte_nb
from flyte_nb.errors import StateError
from flyte_nb.places.code import PACKAGE_TEXT, collect_code, unpacked

from .made import defined_in, deploy, deployed, version

if TYPE_CHECKING:
    from pathlib import Path

FILES = {"helpers.py": "ONE = 1\n", "tools/__init__.py": "", "tools/deep/er.py": "é = '\\n'\n"}

# Unpacks versions whose files are large, one after the other, and tells when it begins.
UNPACKER = """
import os, sys
from itertools import count
from pathlib import Path
from flyte_nb.places.code import PACKAGE_TEXT, unpacked
from flyte_nb.places.versions import DeployedVersion

def made(number):
    files = {f"module_{each}.py": f"# {number} {each}\\n" * 2_000 for each in range(12)}
    modules = {"ml": "ml"}
    return DeployedVersion("ml", f"{number:064x}"[::-1], {}, "ml", f"NUMBER = {number}\\n", files, modules)

if __name__ == "__main__":
    os.write(1, b"ready\\n")
    for number in range(int(sys.argv[2])):
        unpacked(made(number), Path(sys.argv[1]))
"""


def content(folder: Path) -> dict[str, str]:
    """Return the text of every file by its path."""
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_folder_has_the_module_and_what_goes_along(tmp_path: Path) -> None:
    """It is a package with this environment's module and no other, beside the modules of the user."""
    made = version("import flyte\nx = 'é'\n", files={**FILES, "environments/ml-training.requirements.txt": "numpy\n"})
    folder = unpacked(made, tmp_path / "home" / "code")
    assert folder == tmp_path / "home" / "code" / ("f1" * 16)
    assert content(folder) == {
        **FILES,
        "environments/__init__.py": PACKAGE_TEXT,
        "environments/ml_training.py": "import flyte\nx = 'é'\n",
        "environments/ml-training.requirements.txt": "numpy\n",
    }


def test_what_was_deployed_can_be_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the folder on its path, a fresh process imports the module, and the user's modules with it."""
    (tmp_path / "own_helpers.py").write_text("def one():\n    return 1\n")
    (tmp_path / "req.txt").write_text("numpy\n")
    monkeypatch.chdir(tmp_path)
    source = """
import flyte_nb as flyte
import own_helpers
env = flyte.TaskEnvironment("ml", image=flyte.Image.from_debian_base().with_requirements("req.txt"))
@env.task
def train() -> int:
    return own_helpers.one()
"""
    defined_in(source, tmp_path, monkeypatch)
    deploy("ml")
    folder = unpacked(deployed("ml"), tmp_path / "code")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import flyte_nb; flyte_nb.adopt(sys.argv[1]); "
        "env = flyte_nb.registry()['ml']; print(env.tasks['ml.train'](), env.image.requirements[0].text.strip())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], cwd=tmp_path / "code", capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "1 numpy\n"), done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="modes are of POSIX")
def test_code_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Nobody else can read or change any of it, whatever the process would otherwise allow."""
    before = os.umask(0)
    try:
        folder = unpacked(version(files=FILES), tmp_path / "home" / "code")
    finally:
        os.umask(before)
    for path in [folder.parent, folder, *folder.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_what_is_there_is_not_written_again(tmp_path: Path) -> None:
    """Unpacking once more changes nothing, also not what a process has left in the folder."""
    folder = unpacked(version(files=FILES), tmp_path)
    (folder / "environments" / "__pycache__").mkdir()
    seen = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert unpacked(version(files=FILES), tmp_path) == folder
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == seen
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


@pytest.mark.parametrize(
    "path",
    [
        "../out.py",
        "/etc/out.py",
        "a/../../out.py",
        "a//b.py",
        "./a.py",
        "",
        "..",
        "C:/out.py",
        "a\\..\\out.py",
        "a\0.py",
    ],
)
def test_paths_that_lead_elsewhere_are_refused(tmp_path: Path, path: str) -> None:
    """Nothing is written at all, inside or outside of the folder."""
    with pytest.raises(StateError, match="which is no path inside of it"):
        unpacked(version(files={"fine.py": "", path: "x = 1\n"}), tmp_path / "code")
    assert not list(tmp_path.iterdir())


def test_a_module_name_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    """What is stored as the name of the module is not trusted either."""
    with pytest.raises(StateError, match="which is no path inside of it"):
        unpacked(version(module_name="../../out"), tmp_path / "code")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    """The error has the reason, and nothing is left."""
    (tmp_path / "code").touch()
    with pytest.raises(StateError, match=r"exists|Not a directory"):
        unpacked(version(), tmp_path / "code")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / ("f1" * 16)).touch()  # a file in the place of the folder
    with pytest.raises(StateError):
        unpacked(version(), tmp_path / "other")
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["f1" * 16]


@pytest.fixture
def unpacker(tmp_path: Path) -> list[str]:
    """The command of a process that unpacks."""
    (tmp_path / "unpacker.py").write_text(UNPACKER)
    return [sys.executable, str(tmp_path / "unpacker.py")]


def expected(number: int) -> dict[str, str]:
    files = {f"module_{each}.py": f"# {number} {each}\n" * 2_000 for each in range(12)}
    return {**files, "environments/__init__.py": PACKAGE_TEXT, "environments/ml.py": f"NUMBER = {number}\n"}


def whole(folder: Path) -> list[int]:
    """Return the numbers of the versions that are there, each of which must be complete."""
    found = []
    for place in folder.iterdir():
        if not place.name.startswith("."):
            number = int(place.name[::-1], 16)
            assert content(place) == expected(number)
            found.append(number)
    return sorted(found)


@pytest.mark.slow
def test_a_killed_process_leaves_whole_folders(tmp_path: Path, unpacker: list[str]) -> None:
    """Killed at any moment, it leaves versions that are complete, and the next one makes the rest."""
    seed = random.randrange(2**32)  # noqa: S311 - any will do
    moments = random.Random(seed)  # noqa: S311
    code = tmp_path / "code"
    interrupted = 0
    for _ in range(25):
        with subprocess.Popen([*unpacker, str(code), "1000"], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(moments.uniform(0, 0.05))
            process.kill()
        assert process.returncode == -signal.SIGKILL
        interrupted += any(place.name.startswith(".") for place in code.iterdir()) if code.exists() else 0
        done = whole(code) if code.exists() else []
        assert done == list(range(len(done))), seed
        collect_code(code, [f"{number:064x}"[::-1] for number in done[:-1]], 0)
    subprocess.run([*unpacker, str(code), "30"], check=True, stdout=subprocess.DEVNULL)
    assert set(range(30)) <= set(whole(code))
    assert interrupted, seed


def test_processes_may_unpack_the_same_at_once(tmp_path: Path, unpacker: list[str]) -> None:
    """Each of them finds every version complete, and nothing is left beside them."""
    code = tmp_path / "code"
    rivals = [subprocess.Popen([*unpacker, str(code), "20"], stdout=subprocess.DEVNULL) for _ in range(3)]
    assert [rival.wait() for rival in rivals] == [0, 0, 0]
    assert whole(code) == list(range(20))
    assert len(list(code.iterdir())) == 20


def test_code_that_nobody_runs_is_removed(tmp_path: Path) -> None:
    """What is to be kept stays, and so does what another process may be unpacking now."""
    kept, gone = (unpacked(version(fingerprint=each * 32, files=FILES), tmp_path) for each in ("a1", "b2"))
    now, old = tmp_path / ".unpacking-1-00", tmp_path / ".unpacking-2-00"
    for folder in (now, old):
        folder.mkdir()
        (folder / "half.py").touch()
    hours_ago = time.time() - 7_200
    os.utime(old, (hours_ago, hours_ago))
    assert collect_code(tmp_path, ["a1" * 32], 0) == sorted([old.name, gone.name])
    assert {path.name for path in tmp_path.iterdir()} == {kept.name, now.name}
    assert collect_code(tmp_path / "nowhere", [], 0) == []


def test_collected_code_is_unpacked_again(tmp_path: Path) -> None:
    """What was removed comes back when it is needed."""
    folder = unpacked(version(files=FILES), tmp_path)
    before = content(folder)
    collect_code(tmp_path, [], 0)
    assert not folder.exists()
    assert content(unpacked(version(files=FILES), tmp_path)) == before
    assert flyte_nb.registry() == {}


def test_code_that_was_used_lately_stays(tmp_path: Path) -> None:
    """What is no longer deployed is removed only when no worker began with it for a while."""
    place = unpacked(version(), tmp_path)
    os.utime(place, (0, 0))
    unpacked(version(), tmp_path)
    assert collect_code(tmp_path, [], 3_600) == []
    os.utime(place, (0, 0))
    assert collect_code(tmp_path, [], 3_600) == [place.name]
