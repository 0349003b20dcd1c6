"""Versions come back from the database as what a worker needs, whatever session deployed them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import flyte_nb
from flyte_nb.bundle.content import Bundle
from flyte_nb.deployment.keeping.state import DeploymentState
from flyte_nb.errors import NotDeployedError, StateError, UnknownVersionError
from flyte_nb.places.versions import KeptVersions
from flyte_nb.session import session

from .made import defined_in, deploy, deployed, version

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = """
import flyte_nb as flyte
import helpers

base = flyte.TaskEnvironment("base-utils")
ml = flyte.TaskEnvironment("ml-training", depends_on=[base])
api = flyte.TaskEnvironment("api")


@base.task
async def load() -> int:
    return helpers.one()


@ml.task
async def train(rate: float = 0.1) -> int:
    return await load()


@api.task
async def serve() -> int:
    return await train()
"""


def make(name: str, fingerprint: str, module_name: str = "m") -> Bundle:
    return Bundle(name, {"tasks": {}}, {}, fingerprint, "import flyte\n", module_name=module_name)


@pytest.fixture
def state(tmp_path: Path) -> DeploymentState:
    return DeploymentState(tmp_path / "home")


@pytest.fixture
def pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three environments of which two call the next, deployed by a session that has forgotten them."""
    (tmp_path / "helpers.py").write_text("def one():\n    return 1\n")
    defined_in(SOURCE, tmp_path, monkeypatch)
    deploy()
    flyte_nb.reset()


@pytest.mark.usefixtures("pipeline")
def test_a_version_is_what_was_deployed() -> None:
    """Module, specification, files and the names of modules are those of the bundle."""
    found = deployed("base-utils")
    assert found.module_name == "base_utils"
    assert "async def load() -> int:" in found.module
    assert found.files == {"helpers.py": "def one():\n    return 1\n"}
    assert found.modules == {"base_utils": "base-utils"}
    assert found.specification["name"] == "base-utils"
    assert [*found.tasks] == ["base-utils.load"]


@pytest.mark.usefixtures("pipeline")
def test_a_version_says_whose_modules_it_imports() -> None:
    """These are the modules of what it depends on and of what its tasks call, and no others."""
    assert deployed("ml-training").modules == {"base_utils": "base-utils", "ml_training": "ml-training"}
    assert deployed("api").modules == {"api": "api", "ml_training": "ml-training"}


@pytest.mark.usefixtures("pipeline")
def test_what_is_deployed_now_is_known_by_name() -> None:
    """Each environment that is deployed has its fingerprint, by which its version is found."""
    versions = session().embedded.versions
    current = versions.current("local")
    assert set(current) == {"base-utils", "ml-training", "api"}
    for name, fingerprint in current.items():
        found = versions.version("local", name, fingerprint)
        assert found is not None
        assert (found.environment, found.fingerprint) == (name, fingerprint)
        assert found == versions.find("local", name, None)
    assert versions.version("local", "api", "f" * 64) is None


def test_targets_do_not_mix(state: DeploymentState) -> None:
    """What is deployed to one target is not deployed to another."""
    state.record("other", make("base", "a" * 64)).result()
    versions = KeptVersions(state)
    assert (versions.current("local"), versions.current("other")) == ({}, {"base": "a" * 64})
    assert versions.version("local", "base", "a" * 64) is None
    with pytest.raises(NotDeployedError):
        versions.find("local", "base", "aaaaaa")


def test_a_version_is_found_by_its_beginning(state: DeploymentState) -> None:
    """Also one that another has replaced, or that is no longer deployed; upper case will do."""
    state.record("local", make("base", "a1b2c3" + "0" * 58)).result()
    state.record("local", make("base", "d4e5f6" + "0" * 58)).result()
    versions = KeptVersions(state)
    assert versions.find("local", "base", "a1b2c3").fingerprint.startswith("a1b2c3")
    assert versions.find("local", "base", "A1B2C300").fingerprint.startswith("a1b2c3")
    assert versions.find("local", "base", None).fingerprint.startswith("d4e5f6")
    state.forget("local", "base").result()
    assert versions.find("local", "base", "d4e5f6").fingerprint.startswith("d4e5f6")
    with pytest.raises(NotDeployedError):
        versions.find("local", "base", None)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(
    kept=st.sets(st.text("ab", min_size=8, max_size=8), min_size=1, max_size=12),
    wanted=st.text("ab", min_size=6, max_size=9),
)
def test_a_beginning_means_one_version_or_none(
    tmp_path_factory: pytest.TempPathFactory, kept: set[str], wanted: str
) -> None:
    """The version is the only one that begins so; if there are none or several, the error has those there are."""
    state = DeploymentState(tmp_path_factory.mktemp("state"))
    for fingerprint in sorted(kept):
        state.record("local", make("base", fingerprint)).result()
    expected = sorted((each for each in kept if each.startswith(wanted)), reverse=True)
    versions = KeptVersions(state)
    if len(expected) == 1:
        assert versions.find("local", "base", wanted).fingerprint == expected[0]
        return
    with pytest.raises(UnknownVersionError) as caught:
        versions.find("local", "base", wanted)
    assert list(caught.value.known) == (expected or sorted(kept, reverse=True))
    assert bool(caught.value.problem) == bool(expected)


@pytest.mark.parametrize(
    ("given_version", "said"),
    [
        ("abc", "'abc' is too short for a version: give its first 6 characters or more. Versions of 'base': 'a1b2"),
        ("abcabc", "'base' has no version 'abcabc'. It has 'a1b2c3d4e5f6'."),
        (7, "7 is not a version: give the first characters of one as text. Versions of 'base': 'a1b2c3d4e5f6'."),
    ],
)
def test_a_version_that_is_not_there_is_one_clear_line(state: DeploymentState, given_version: str, said: str) -> None:
    """The error says what is wrong with what was given, and which versions there are."""
    state.record("local", make("base", "a1b2c3d4e5f6" + "0" * 52)).result()
    with pytest.raises(UnknownVersionError) as caught:
        KeptVersions(state).find("local", "base", given_version)
    assert str(caught.value).startswith(said)
    assert caught.value.version == given_version


def test_what_was_never_deployed_is_one_clear_line(state: DeploymentState) -> None:
    """The error has the nearest name, and what to do; looking creates no database."""
    with pytest.raises(NotDeployedError, match=r"'base' is not deployed to local\. Deploy it: %flyte_deploy base"):
        KeptVersions(state).find("local", "base", None)
    assert not state.path.exists()
    state.record("local", make("base", "a" * 64)).result()
    with pytest.raises(NotDeployedError, match="Did you mean 'base'") as caught:
        KeptVersions(state).find("local", "bases", None)
    assert caught.value.known == ("base",)


def test_what_an_earlier_flyte_nb_has_deployed_cannot_be_run(state: DeploymentState) -> None:
    """Its version does not say what its modules are called; the error says to deploy it again."""
    state.record("local", make("base", "a" * 64, module_name="")).result()
    versions = KeptVersions(state)
    for find in (
        lambda: versions.find("local", "base", None),
        lambda: versions.find("local", "base", "aaaaaa"),
        lambda: versions.version("local", "base", "a" * 64),
    ):
        with pytest.raises(NotDeployedError, match=r"cannot be run\. Deploy it again: %flyte_deploy base") as caught:
            find()
        assert caught.value.former == "a" * 64
    assert versions.current("local") == {"base": "a" * 64}


def test_what_an_earlier_flyte_nb_has_deployed_is_an_update_once(tmp_path: Path) -> None:
    """The plan says so, and deploying it makes it a version that can be run."""
    flyte_nb.TaskEnvironment("ml")
    # The fingerprint that the first format gave this environment.
    former = "1fd39ab43f03c7e071af0b8d75ef50619e06ea3283007bdc755243ebaf873e57"
    state = DeploymentState(session().settings.home_path)
    state.record("local", make("ml", former, module_name="")).result()
    assert flyte_nb.plan().actions == {"ml": "update"}
    deploy()
    assert flyte_nb.plan().actions == {"ml": "unchanged"}
    assert deployed("ml").module_name == "ml"


def test_a_damaged_database_is_one_clear_error(state: DeploymentState) -> None:
    """What cannot be read is told as that, not as nothing."""
    state.home.mkdir()
    state.path.write_bytes(b"no database" * 1_000)
    with pytest.raises(StateError):
        KeptVersions(state).current("local")


@pytest.mark.usefixtures("pipeline")
def test_a_rollback_brings_back_what_can_be_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The version that a rollback deploys has its module, its files and the names of the modules it imports."""
    before = deployed("ml-training")
    defined_in(SOURCE.replace("return await load()", "return 2"), tmp_path, monkeypatch)
    deploy()
    assert deployed("ml-training") != before
    asyncio.run(flyte_nb.rollback("d1")).raise_if_failed()
    after = deployed("ml-training")
    assert after == before
    assert (after.module_name, after.modules) == (before.module_name, before.modules)


def test_versions_are_equal_by_what_they_are_of() -> None:
    """A version is a key for what belongs to it, and does not show what may be long."""
    one = version("import flyte\n", "ml", fingerprint="f1")
    assert one == version("import flyte\n# other\n", "ml", fingerprint="f1")
    assert len({one, version(environment="ml", fingerprint="f2"), version(environment="api", fingerprint="f1")}) == 3
    assert repr(one) == "DeployedVersion(environment='ml', fingerprint='f1')"
