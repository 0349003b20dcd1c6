"""Images: where they start, what is added, and how they read."""

from __future__ import annotations

import copy
import os
import pickle
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyte_nb.errors import InvalidTypeError, InvalidValueError
from flyte_nb.model.image import Image, check_image

if TYPE_CHECKING:
    from pathlib import Path


def test_from_base() -> None:
    """An image can start from a reference."""
    image = Image.from_base("python:3.12-slim")
    assert (image.uri, image.python) == ("python:3.12-slim", None)
    assert str(image) == "python:3.12-slim"


@pytest.mark.parametrize(("python", "version"), [("3.12", "3.12"), ("3.10", "3.10"), ((3, 14), "3.14")])
def test_from_debian_base(python: Any, version: str) -> None:
    """A Debian image has the Python that was asked for."""
    image = Image.from_debian_base(python=python)
    assert (image.uri, image.python) == (None, version)


def test_from_debian_base_takes_flytes_name_of_the_parameter() -> None:
    """The SDK calls it python_version."""
    assert Image.from_debian_base(python_version=(3, 12)).python == "3.12"
    with pytest.raises(InvalidValueError, match="is given beside python"):
        Image.from_debian_base("3.11", python_version=(3, 12))


def test_from_debian_base_by_default() -> None:
    """A Debian image has the running Python by default."""
    assert Image.from_debian_base().python == f"{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.mark.parametrize("python", ["3.9", "2.7", "3", "3.12.1", "3.12\n", "latest", "", (2, 7), (3, 9)])
def test_invalid_python(python: Any) -> None:
    """A Python that Flyte has no image for is refused."""
    with pytest.raises(InvalidValueError, match=r"Image\.from_debian_base.*MAJOR\.MINOR.*3\.12"):
        Image.from_debian_base(python)


@pytest.mark.parametrize("python", [3.12, 3, (3,), (3, "12"), (3, True), b"3.12"])
def test_python_of_wrong_type(python: Any) -> None:
    """A Python that is no string or pair of integers is the wrong type."""
    with pytest.raises(InvalidTypeError, match=r"Image\.from_debian_base"):
        Image.from_debian_base(python)


def test_pip_packages() -> None:
    """Packages are added to a new image, trimmed and without repetitions."""
    base = Image.from_debian_base("3.12")
    more = base.with_pip_packages("pandas", "numpy>=2").with_pip_packages(" polars ", "pandas")
    assert base == Image.from_debian_base("3.12")
    assert more.pip_packages == ("pandas", "numpy>=2", "polars")
    assert base.with_pip_packages() == base


@pytest.mark.parametrize("package", ["", "  ", "a\nb", "a\tb", "a\0", "-e .", " -r x.txt", "--index-url=x"])
def test_invalid_package(package: str) -> None:
    """What is no package is refused."""
    with pytest.raises(InvalidValueError, match=r"Image\.with_pip_packages"):
        Image.from_debian_base().with_pip_packages("pandas", package)


@pytest.mark.parametrize("package", [["pandas"], None, 1, b"pandas"])
def test_package_of_wrong_type(package: Any) -> None:
    """A package that is no string is the wrong type."""
    with pytest.raises(InvalidTypeError, match=r"Image\.with_pip_packages must be given strings"):
        Image.from_debian_base().with_pip_packages(package)


def test_requirements(tmp_path: Path) -> None:
    """A requirements file is read at the call."""
    path = tmp_path / "requirements.txt"
    path.write_bytes(b"\xef\xbb\xbfpandas\r\nnumpy\r\n")
    before = Image.from_debian_base("3.12").with_requirements(path)
    path.write_text("polars\n")
    after = Image.from_debian_base("3.12").with_requirements(str(path))
    assert [file.text for file in before.requirements + after.requirements] == ["pandas\nnumpy\n", "polars\n"]
    assert before.requirements[0].path == str(path)
    assert before != after


def test_requirements_elsewhere(tmp_path: Path) -> None:
    """The same requirements in another file make the same image."""
    images = []
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("pandas")
        images.append(Image.from_debian_base("3.12").with_requirements(tmp_path / name))
    assert images[0] == images[1]
    assert hash(images[0]) == hash(images[1])


def test_unreadable_requirements(tmp_path: Path) -> None:
    """Requirements that cannot be read are refused."""
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\xfa")
    for path, said in (
        (tmp_path / "missing.txt", "is not a file"),
        (tmp_path, "is not a file"),
        (tmp_path / "binary.txt", "not text in UTF-8"),
        ("a\0b", "is not a file"),
        ("", "is not a file"),
    ):
        with pytest.raises(InvalidValueError, match=said) as caught:
            Image.from_debian_base().with_requirements(path)
        assert caught.value.field == "Image.with_requirements"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_requirements_from_pipe(tmp_path: Path) -> None:
    """A pipe is refused instead of waited for."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidValueError, match="is not a file"):
        Image.from_debian_base().with_requirements(tmp_path / "pipe")


@pytest.mark.parametrize("path", [None, 0, b"requirements.txt", ["requirements.txt"]])
def test_requirements_of_wrong_type(path: Any) -> None:
    """Requirements that are no path are the wrong type."""
    with pytest.raises(InvalidTypeError, match=r"Image\.with_requirements"):
        Image.from_debian_base().with_requirements(path)


def test_env_vars() -> None:
    """Variables are copied, and later ones win."""
    given_vars = {"B": "1", "A": "1"}
    image = Image.from_base("x").with_env_vars(given_vars).with_env_vars({"B": "2"})
    given_vars["A"] = "changed"
    assert image.env_vars == (("A", "1"), ("B", "2"))


@pytest.mark.parametrize("env_vars", [{"PIN": 70_007}, {"BAD NAME": "70007"}, "PIN=70007", [("PIN", "70007")]])
def test_invalid_env_vars(env_vars: Any) -> None:
    """Refused variables do not show their values."""
    with pytest.raises((InvalidTypeError, InvalidValueError), match=r"Image\.with_env_vars") as caught:
        Image.from_base("x").with_env_vars(env_vars)
    assert "70007" not in str(caught.value)


def test_str(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An image reads well in a table."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "req.txt").write_text("scipy")
    image = Image.from_debian_base("3.12").with_pip_packages("pandas", "numpy")
    assert str(image) == "debian, python 3.12, pip: pandas numpy"
    assert repr(image) == "<Image debian, python 3.12, pip: pandas numpy>"
    full = image.with_requirements("req.txt").with_env_vars({"MODE": "fast"})
    assert str(full) == "debian, python 3.12, pip: pandas numpy, requirements: req.txt, env: MODE"
    many = image.with_pip_packages(*(f"p{n}" for n in range(10)))
    assert str(many) == "debian, python 3.12, pip: pandas numpy p0 p1 p2 and 7 more"


def test_nothing_secret_is_shown() -> None:
    """Neither values of variables nor credentials in packages are shown."""
    package = "tool @ git+https://bob:hunter2@example.com/tool.git"
    image = Image.from_base("x").with_pip_packages(package).with_env_vars({"TOKEN": "hunter2"})
    assert "hunter2" not in f"{image} {image!r}"
    assert "example.com" in str(image)
    with pytest.raises(InvalidValueError) as caught:
        Image.from_base("x").with_pip_packages(f"-e {package}")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("packages", [["https://bob:hunter2@host"], {"hunter2": 1}])
def test_a_refused_package_is_not_shown(packages: Any) -> None:
    """What is no string may hold credentials all the same."""
    with pytest.raises(InvalidTypeError, match=f"not {type(packages).__name__}. For example") as caught:
        Image.from_base("x").with_pip_packages(packages)
    with pytest.raises(InvalidTypeError, match=f"not {type(packages).__name__}. For example") as constructed:
        Image(uri="x", pip_packages=packages)
    assert "hunter2" not in f"{caught.value} {vars(caught.value)} {constructed.value} {vars(constructed.value)}"


def test_value_semantics() -> None:
    """Images can be compared, hashed, pickled and copied."""

    def build() -> Image:
        return Image.from_debian_base("3.12").with_pip_packages("pandas").with_env_vars({"A": "1"})

    assert build() == build()
    assert len({build(), build()}) == 1
    assert pickle.loads(pickle.dumps(build())) == build()  # noqa: S301
    assert copy.deepcopy(build()) == build()


def test_constructor() -> None:
    """An image made by the constructor is checked too."""
    shortcuts: list[dict[str, Any]] = [
        {},
        {"uri": "x", "python": "3.12"},
        {"uri": ""},
        {"python": "3"},
        {"uri": "x", "pip_packages": ["pandas"]},
        {"uri": "x", "requirements": ("pandas",)},
        {"uri": "x", "env_vars": (("A", 1),)},
        {"uri": "x", "env_vars": ("A",)},
    ]
    for fields in shortcuts:
        with pytest.raises((InvalidTypeError, InvalidValueError), match=r"Image\."):
            Image(**fields)


@pytest.mark.parametrize("image", ["auto", "python:3.12-slim", "ghcr.io/a/b@sha256:0f", Image.from_base("x")])
def test_check_image(image: Any) -> None:
    """A field takes a reference or an Image."""
    assert check_image(image) == image


@pytest.mark.parametrize("image", ["", " ", "a b", "a\n", "a\0", "a\u00a0", "a\u200b", "a\ud800", "x" * 4097])
def test_invalid_reference(image: str) -> None:
    """What is no reference is refused in a message of readable length."""
    with pytest.raises(InvalidValueError, match=r"TaskEnvironment\.image") as caught:
        check_image(image)
    assert len(str(caught.value)) < 500


@given(st.none() | st.booleans() | st.integers() | st.binary() | st.lists(st.text()) | st.text())
def test_any_value(value: object) -> None:
    """Any value is either an image or refused with our own errors."""
    try:
        accepted = check_image(value, "Field")
    except (InvalidTypeError, InvalidValueError):
        return
    assert accepted == value
    assert isinstance(accepted, str)
