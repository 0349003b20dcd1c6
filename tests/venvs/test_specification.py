"""What a virtual environment holds, and when two are the same."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyte_nb.bundle.specification import specification, storable
from flyte_nb.model.image import Image
from flyte_nb.model.requirements import RequirementsFile
from flyte_nb.model.spec import EnvironmentSpec
from flyte_nb.venvs.specification import VenvSpec, venv_spec, venv_spec_of_json

from .conftest import spec_of

if TYPE_CHECKING:
    from pathlib import Path

OWN = "{}.{}".format(*sys.version_info[:2])

names = st.sampled_from(["pandas", "Scikit_Learn", "zope.interface", "a", "numpy [extra,other]"])
secrets = st.sampled_from(["hunter2", "u:hunter2", "ghp_0123456789abcdef", "robot:p@ss#word", "x:$TOKEN"])
requirements = st.one_of(
    st.builds("{}{}{}".format, names, st.sampled_from(["", " >= 2", "==1.0,<3", "~=1.4"]), st.sampled_from(["", ""])),
    st.builds("{} @ https://{}@host/x-1.0.tar.gz".format, names, secrets),
    st.builds("git+https://{}@github.com/o/r@main#egg=r".format, secrets),
    st.builds('{}>=1; python_version < "3.12"'.format, names),
    st.builds("{} @ https://host/x.whl?token={}".format, names, secrets),
)
lines = st.one_of(
    requirements,
    st.builds("--extra-index-url https://{}@pypi.example/simple".format, secrets),
    st.builds("{} # needed, password={}".format, requirements, secrets),
    st.builds("{} \\\n    --hash=sha256:0123456789abcdef".format, names),
    st.just("# nothing"),
    st.just(""),
)
images = st.builds(
    Image,
    uri=st.none(),
    python=st.sampled_from(["3.10", "3.13"]),
    pip_packages=st.lists(requirements, max_size=3).map(tuple),
    requirements=st.lists(
        st.builds(RequirementsFile, path=st.just("req.txt"), text=st.lists(lines).map("\n".join)), max_size=2
    ).map(tuple),
)


def stored(image: str | Image) -> Any:
    """Return an image as it is stored with a bundle."""
    return storable(specification(EnvironmentSpec.checked("env", image=image), (), {}))["image"]


@given(images)
def test_what_is_stored_has_the_same_key(image: Image) -> None:
    """A deployed environment finds what was built from its definition, although its credentials are not stored."""
    defined, deployed = venv_spec(image), venv_spec_of_json(stored(image))
    assert defined
    assert deployed
    assert defined.key == deployed.key
    assert "hunter2" not in repr(defined) + str(defined) + repr(deployed.packages)


@given(st.lists(requirements), st.randoms())
def test_order_and_repetition_make_no_difference(packages: list[str], random: Any) -> None:
    """The same packages are the same environment."""
    other = packages + packages[:2]
    random.shuffle(other)
    assert spec_of(*packages) == spec_of(*other)


@pytest.mark.parametrize(
    "image", ["auto", "python:3.12-slim", Image.from_base("python:3.12").with_env_vars({"A": "b"})]
)
def test_images_that_name_neither_python_nor_packages_need_none(image: str | Image) -> None:
    """Their tasks run in the Python of the kernel: a container cannot be had here."""
    assert venv_spec(image) is None
    assert venv_spec_of_json(stored(image)) is None


def test_an_image_with_a_python_has_its_own() -> None:
    """Even without packages; an image from elsewhere has packages beside the Python of the kernel."""
    assert venv_spec(Image.from_debian_base("3.12")) == VenvSpec("3.12")
    assert venv_spec(Image.from_base("one:1").with_pip_packages("six")) == VenvSpec(OWN, ("six",))


@pytest.mark.parametrize(
    "spelled",
    [
        ("Pandas>=2", "pandas >= 2"),
        ("scikit_learn[A, b]", "scikit-learn[a,b]"),
        ("six==1.0 ,<2", "six==1.0,<2"),
        ('six ;python_version<"4"', 'six; python_version<"4"'),
        ("six@https://host/six.whl", "six  @  https://host/six.whl"),
    ],
)
def test_spelling_makes_no_difference(spelled: tuple[str, str]) -> None:
    """What pip takes as the same is the same."""
    assert spec_of(spelled[0]) == spec_of(spelled[1])


@pytest.mark.parametrize(
    "other", [spec_of("six", "tomli"), spec_of("six==1"), spec_of("six", python="3.99"), spec_of("git+https://h/Six")]
)
def test_different_content_has_another_key(other: VenvSpec) -> None:
    """Packages, versions, and Pythons tell environments apart."""
    assert other.key != spec_of("six").key
    assert len(other.key) == 32


def test_requirements_files_are_read_as_pip_does(tmp_path: Path) -> None:
    """Comments go, continued lines are one, options stay, and other files are named relative to the file."""
    text = "# first\nSix>=1  # small\n--pre\ntomli \\\n  >=2\n\n-r more.txt\n-e ./here\ngit+https://h/r#egg=r\n"
    (tmp_path / "req.txt").write_text(text)
    (tmp_path / "more.txt").write_text("attrs\n")
    spec = venv_spec(Image.from_base("one:1").with_requirements(tmp_path / "req.txt"))
    assert spec
    more, here = tmp_path / "more.txt", os.path.abspath("here")
    assert set(spec.packages) == {"six>=1", "--pre", "tomli>=2", f"-r {more}", f"-e {here}", "git+https://h/r#egg=r"}
    (tmp_path / "more.txt").write_text("attrs>=1\n")
    again = venv_spec(Image.from_base("one:1").with_requirements(tmp_path / "req.txt"))
    assert again
    assert again.key != spec.key


@pytest.mark.parametrize("written", ["{}", "./{}", "mine @ file://{}", "{}[extra]", "{} ; python_version > '3'"])
def test_local_paths_count_with_what_they_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    """Sources that change are another environment, what tools leave beside them is none."""
    monkeypatch.chdir(tmp_path)
    source = tmp_path / "my package"
    source.mkdir()
    (source / "mine.py").write_text("first")
    package = written.format(source.name if written.startswith("./") else source)
    before = spec_of(package).key
    (source / "mine.egg-info").mkdir()
    (source / "mine.egg-info" / "PKG-INFO").write_text("built")
    assert spec_of(package).key == before
    (source / "mine.py").write_text("second")
    changed = spec_of(package)
    assert changed.key != before
    (path,) = changed.packages
    assert str(source) in path
