"""What this machine has: what a container may use of it, and the GPUs that its driver tells."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from flyte_nb.machine.detect import this_machine
from flyte_nb.machine.gpus import Gpu, suits, visible_gpus
from flyte_nb.machine.limits import core_limit, memory_limit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

GIB = 2**30
DRIVER = """#!/bin/sh
test "$*" = "--query-gpu=index,uuid,name --format=csv,noheader" || exit 2
echo "0, GPU-aa11, NVIDIA A100-SXM4-80GB"
echo "1, GPU-bb22, Tesla T4"
echo "2, GPU-bb33, Tesla T4"
"""

Files = "Mapping[str, str]"


def test_this_machine_has_what_this_process_may_use() -> None:
    """There are cores and memory, no more than are built in, and asking again gives the same."""
    machine = this_machine()
    assert 0 < machine.cores <= (os.cpu_count() or 1)
    assert 0 < machine.memory <= psutil.virtual_memory().total
    assert this_machine() is machine


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system knows no affinity")
def test_a_process_that_may_use_one_core_has_one() -> None:
    """A process that is bound to one core is a machine of one core."""
    found = "import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])\n"
    found += "from flyte_nb.machine.detect import this_machine; print(this_machine().cores)"
    done = subprocess.run([sys.executable, "-c", found], check=True, capture_output=True, text=True)
    assert float(done.stdout) <= 1


@pytest.fixture
def root(tmp_path: Path) -> Callable[[Mapping[str, str]], Path]:
    """Write files below a folder that stands for "/", and return it."""

    def write(files: Mapping[str, str]) -> Path:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(f"{text}\n", encoding="utf-8")
        return tmp_path

    return write


def test_control_groups_of_version_2(root: Callable[[Files], Path]) -> None:
    """The smallest limit from the group up to the first one counts; "max" is none."""
    place = root(
        {
            "proc/self/cgroup": "0::/pods/mine",
            "sys/fs/cgroup/pods/mine/cpu.max": "max 100000",
            "sys/fs/cgroup/pods/cpu.max": "150000 100000",
            "sys/fs/cgroup/pods/mine/memory.max": str(2 * GIB),
            "sys/fs/cgroup/memory.max": str(8 * GIB),
        }
    )
    assert (core_limit(place), memory_limit(place)) == (1.5, 2 * GIB)


def test_control_groups_of_version_1(root: Callable[[Files], Path]) -> None:
    """Each controller has its own tree; a group that is seen from outside has its files at the top."""
    place = root(
        {
            "proc/self/cgroup": "4:memory:/docker/abc\n2:cpu,cpuacct:/docker/abc\n1:name=systemd:/\n0::/",
            "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "200000",
            "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": str(4 * GIB),
            "sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes": str(3 * GIB),
        }
    )
    assert (core_limit(place), memory_limit(place)) == (2.0, 3 * GIB)


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"proc/self/cgroup": "0::/../../other", "sys/fs/other/cpu.max": "100000 100000"},
        {"proc/self/cgroup": "0::/", "sys/fs/cgroup/cpu.max": "max 100000", "sys/fs/cgroup/memory.max": "max"},
        {
            "proc/self/cgroup": "4:memory:/\n2:cpu:/",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
        },
        {"proc/self/cgroup": "nonsense", "sys/fs/cgroup/cpu.max": "much more", "sys/fs/cgroup/memory.max": ""},
    ],
    ids=["no groups", "outside", "version 2", "version 1", "nonsense"],
)
def test_no_limit(root: Callable[[Files], Path], files: Files) -> None:
    """Where nothing limits the process, or nothing can be read, there is no limit."""
    place = root(files)
    assert (core_limit(place), memory_limit(place)) == (None, None)


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put a program in the place of the driver's."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    def install(script: str) -> None:
        (tmp_path / "nvidia-smi").write_text(script, encoding="utf-8")
        (tmp_path / "nvidia-smi").chmod(0o755)

    return install


@pytest.mark.parametrize(
    ("visible", "indexes"),
    [
        (None, ["0", "1", "2"]),
        ("2,0", ["2", "0"]),
        ("GPU-bb33, GPU-aa", ["2", "0"]),
        ("1,7,2", ["1"]),
        ("-1", []),
        ("", []),
        ("NoDevFiles", []),
        ("1,1", ["1"]),
    ],
)
def test_the_gpus_that_are_visible(
    driver: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, visible: str | None, indexes: list[str]
) -> None:
    """All GPUs of the driver, or those that CUDA_VISIBLE_DEVICES names, in its order, up to what means nothing."""
    driver(DRIVER)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    gpus = visible_gpus()
    assert [gpu.index for gpu in gpus] == indexes
    models = {"0": "NVIDIA A100-SXM4-80GB", "1": "Tesla T4", "2": "Tesla T4"}
    assert all(gpu.model == models[gpu.index] for gpu in gpus)


@pytest.mark.parametrize(
    "script",
    ["#!/bin/sh\nexit 9", "#!/nowhere/sh", "#!/bin/sh\necho 'No devices were found'", "#!/bin/sh\nprintf '\\377'"],
    ids=["it fails", "it does not start", "no devices", "no text"],
)
def test_a_driver_that_does_not_tell(driver: Callable[[str], None], script: str) -> None:
    """Where the driver does not tell, there are no GPUs, and no error."""
    driver(script)
    assert visible_gpus() == ()


def test_a_driver_that_hangs(driver: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that does not answer is not waited for."""
    monkeypatch.setattr("flyte_nb.machine.gpus._PATIENCE_SECONDS", 0.2)
    driver("#!/bin/sh\nexec sleep 60")
    assert visible_gpus() == ()


@pytest.mark.parametrize(
    ("model", "name", "does"),
    [
        ("", "Tesla T4", True),
        ("T4", "Tesla T4", True),
        ("T4 shared", "Tesla T4", True),
        ("A100", "NVIDIA A100-SXM4-40GB", True),
        ("A100", "NVIDIA A100 80GB PCIe", True),
        ("A100_80G", "NVIDIA A100 80GB PCIe", True),
        ("A100_80G", "NVIDIA A100-SXM4-80GB", True),
        ("A100_80G", "NVIDIA A100-SXM4-40GB", False),
        ("A10", "NVIDIA A100-SXM4-40GB", False),
        ("A10", "NVIDIA A10G", False),
        ("L40s", "NVIDIA L40S", True),
        ("L4", "NVIDIA L40S", False),
        ("H100", "NVIDIA H100 80GB HBM3", True),
        ("RTX_PRO_6000", "NVIDIA RTX PRO 6000 Blackwell Server Edition", True),
        ("RTX_PRO_6000", "NVIDIA RTX 6000 Ada Generation", False),
    ],
)
def test_models_as_flyte_and_the_driver_name_them(model: str, name: str, *, does: bool) -> None:
    """A GPU suits if the driver's name of it has all that Flyte's name says."""
    assert suits(Gpu("0", name), model) is does
