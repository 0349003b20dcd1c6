"""What is remarked on definitions that are deployed to this machine."""

from __future__ import annotations

import sys

import pytest

from flyte_nb.errors import OversizeError
from flyte_nb.machine.detect import Gpu, Machine
from flyte_nb.model.image import Image
from flyte_nb.model.resources import Resources
from flyte_nb.model.secret import Secret
from flyte_nb.model.spec import EnvironmentSpec
from flyte_nb.settings import Settings
from flyte_nb.targets.remarks import LocalRemarks

SMALL = Machine(2.0, 4 * 2**30)
PYTHON = ".".join(map(str, sys.version_info[:2]))


def remarks(oversize: str = "clamp", machine: Machine = SMALL, **fields: object) -> tuple[str, ...]:
    spec = EnvironmentSpec.checked("ml", **fields)
    return LocalRemarks(Settings(oversize=oversize), lambda: machine).of(spec)


@pytest.mark.parametrize(
    ("image", "said"),
    [
        ("auto", ()),
        (Image.from_debian_base(), ()),
        (Image.from_debian_base("3.12").with_pip_packages("pandas"), ()),
        (
            "python:3.12-slim",
            ('runs in the kernel\'s Python: "python:3.12-slim" is a container image, which is not used here',),
        ),
        (
            Image.from_base("cuda:12").with_env_vars({"A": "1"}),
            ('runs in the kernel\'s Python: "cuda:12" is a container image, which is not used here',),
        ),
        (
            Image.from_base("cuda:12").with_pip_packages("torch"),
            (f'its packages are installed for the kernel\'s Python {PYTHON}: the base "cuda:12" is not used here',),
        ),
    ],
    ids=str,
)
def test_images(image: str | Image, said: tuple[str, ...]) -> None:
    """Containers cannot be had here, which is said plainly; what names a Python or packages alone is as it says."""
    assert remarks(image=image) == said


def test_credentials_of_an_image_are_not_shown() -> None:
    """A password in the reference of an image is masked."""
    (said,) = remarks(image="https://me:hunter2@registry.example/image:1")
    assert "hunter2" not in said


def test_what_is_larger_than_the_machine_takes_all_of_it() -> None:
    """Each kind of which there is too little is named, with what there is."""
    asked = Resources(cpu=8, memory="16Gi", gpu="A100:2")
    assert remarks(resources=asked) == (
        "asks for 8 cores of 2, 16 GiB of memory of 4 GiB and 2 GPUs where there is none: takes the whole machine",
    )
    assert remarks(resources=Resources(cpu=2, memory="4Gi")) == ()
    with_gpus = Machine(64.0, 2**40, tuple(Gpu(str(index), "NVIDIA A100-SXM4-40GB") for index in range(2)))
    assert remarks(resources=asked, machine=with_gpus) == ()


def test_what_is_larger_than_the_machine_is_refused_if_the_settings_say_so() -> None:
    """The error says what was asked for, what there is, and how to allow it; what fits is not refused."""
    with pytest.raises(OversizeError) as caught:
        remarks("refuse", resources=Resources(cpu=8))
    assert (caught.value.environment, caught.value.asks) == ("ml", "8 cores of 2")
    assert remarks("refuse", resources=Resources(cpu=2)) == ()


def test_the_machine_is_not_looked_at_without_need() -> None:
    """Where nothing is declared, it is not asked what there is, which takes a while."""
    spec = EnvironmentSpec.checked("ml", image="auto")
    assert LocalRemarks(Settings(), lambda: pytest.fail("it was looked at")).of(spec) == ()


def test_secrets_that_are_files() -> None:
    """A secret that is to be a file is not, which is said, and of which variable it is, if it is one."""
    file = Secret("cert", mount="/etc/flyte/secrets")
    both = Secret("key", mount="/etc/flyte/secrets", as_env_var="KEY")
    assert remarks(secrets=["token", file, both]) == (
        'the secret "cert" is not there as a file',
        'the secret "key" is not there as a file, only as the variable KEY',
    )
