"""A worker has the variables that any process needs and those of its environment, and no others."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import traceback
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import flyte_nb
from flyte_nb.bundle.specification import specification, storable
from flyte_nb.errors import MissingSecretError
from flyte_nb.places.variables import variables

from .made import deployed, record, version

if TYPE_CHECKING:
    from flyte_nb.places.versions import DeployedVersion

HUNTER = "hunter2-Xy9"
NEEDED = {
    "PATH": "/bin", "HOME": "/home/u", "USER": "u", "LOGNAME": "u", "SHELL": "/bin/sh", "LANG": "C", "LC_ALL": "C",
    "TZ": "UTC", "TMPDIR": "/t", "TEMP": "/t", "TMP": "/t", "LD_LIBRARY_PATH": "/l", "DYLD_LIBRARY_PATH": "/l",
    "SSL_CERT_FILE": "/c", "SSL_CERT_DIR": "/c", "REQUESTS_CA_BUNDLE": "/c", "CURL_CA_BUNDLE": "/c",
    "HTTPS_PROXY": "http://p", "no_proxy": "x", "CUDA_VISIBLE_DEVICES": "0", "NVIDIA_VISIBLE_DEVICES": "all",
    "XDG_CACHE_HOME": "/x", "SYSTEMROOT": "C:", "OMP_NUM_THREADS": "2", "DO_NOT_TRACK": "1",
}  # fmt: skip
OTHERS = {
    "PYTHONPATH": "/p", "PYTHONHOME": "/p", "VIRTUAL_ENV": "/v", "AWS_SECRET_ACCESS_KEY": HUNTER, "DATABASE_URL": "db",
    "LD_PRELOAD": "/evil.so", "FLYTE_NB_HOME": "/h", "JPY_PARENT_PID": "1", "MY_OWN": "1", "NVIDIA_API_KEY": HUNTER,
    "CUDA_TOKEN": HUNTER, "PATHS": "1", "LANGCHAIN_API_KEY": HUNTER,
}  # fmt: skip


def version_of(**fields: Any) -> DeployedVersion:
    """Return a version of an environment that was defined with `fields`."""
    spec = flyte_nb.TaskEnvironment("ml", **fields).spec
    return version(environment="ml", **storable(specification(spec, (), {})))


def session_spec() -> Any:
    return flyte_nb.registry()["ml"].spec


def test_only_what_any_process_needs_is_handed_on() -> None:
    """Variables of this process that an environment does not declare stay here, secrets above all."""
    assert dict(variables(version_of(), None, {**NEEDED, **OTHERS})) == NEEDED


@given(st.dictionaries(st.text("ABHMPT_x", min_size=1, max_size=8), st.text(max_size=3)))
def test_nothing_else_is_handed_on(own: dict[str, str]) -> None:
    """Whatever this process has, a worker gets nothing that is neither of the list nor declared."""
    found = variables(version_of(env_vars={"DECLARED": "1"}), None, {**own, "PATH": "/bin"})
    needed = re.compile(rf"{'|'.join(NEEDED)}|(LC|DYLD|CUDA|NVIDIA|XDG)_.*|.*_PROXY", re.IGNORECASE)
    assert {name for name in found if not needed.fullmatch(name)} == {"DECLARED"}
    assert found["DECLARED"] == "1"


def test_declared_variables_come_last() -> None:
    """The environment's variables replace the image's, those replace this process's, and secrets replace all."""
    image = flyte_nb.Image.from_base("python:3.12").with_env_vars({"A": "image", "B": "image", "TZ": "image"})
    secret = flyte_nb.Secret("c-key", as_env_var="C")
    made = version_of(image=image, env_vars={"B": "environment", "C": "environment"}, secrets=secret)
    found = variables(made, None, {"TZ": "UTC", "A": "own", "B": "own", "C": "secret"})
    assert dict(found) == {"TZ": "image", "A": "image", "B": "environment", "C": "secret"}


def test_a_secret_is_taken_from_this_process() -> None:
    """Under the variable that it is declared with, or that its key gives it; one that is a file has none."""
    made = version_of(secrets=["my-token", flyte_nb.Secret("other", as_env_var="OTHER"), mounted()])
    assert dict(variables(made, None, {"MY_TOKEN": HUNTER, "OTHER": "1", "MOUNTED": "no"})) == {
        "MY_TOKEN": HUNTER,
        "OTHER": "1",
    }


def mounted() -> flyte_nb.Secret:
    return flyte_nb.Secret("mounted", mount="/etc/flyte/secrets")


def test_what_others_declare_as_a_secret_is_withheld() -> None:
    """A variable that any process would need is not handed on where another environment says that it is a secret."""
    assert dict(variables(version_of(), None, {"HTTPS_PROXY": HUNTER, "TZ": "UTC"}, {"HTTPS_PROXY"})) == {"TZ": "UTC"}


MASKED = {"API_KEY": HUNTER, "DSN": f"postgres://u:{HUNTER}@db/x", "LEVEL": "info"}


@pytest.mark.parametrize("place", ["image", "environment"])
def test_masked_values_come_from_the_session(place: str) -> None:
    """What was not stored is what the session's own definition says, if that is of this very version."""
    made = version_of(**declared(place, MASKED))
    assert HUNTER not in str(made.specification)
    assert dict(variables(made, session_spec(), {"API_KEY": "other", "DSN": "other"})) == MASKED


@pytest.mark.parametrize("place", ["image", "environment"])
def test_masked_values_come_from_this_process_otherwise(place: str) -> None:
    """In a fresh kernel, what was not stored must be among the variables of the kernel."""
    made = version_of(**declared(place, MASKED))
    found = variables(made, None, {"API_KEY": HUNTER, "DSN": "postgres://db", "LEVEL": "own"})
    assert dict(found) == {"API_KEY": HUNTER, "DSN": "postgres://db", "LEVEL": "info"}


def declared(place: str, values: dict[str, str]) -> dict[str, Any]:
    if place == "image":
        return {"image": flyte_nb.Image.from_base("python:3.12").with_env_vars(values)}
    return {"env_vars": values}


def test_a_masked_value_that_is_replaced_is_not_needed() -> None:
    """What the image declares and the environment declares otherwise is not asked for."""
    image = flyte_nb.Image.from_base("python:3.12").with_env_vars({"STORE": f"postgres://u:{HUNTER}@db/x"})
    made = version_of(image=image, env_vars={"STORE": "postgres://db"})
    assert dict(variables(made, None, {})) == {"STORE": "postgres://db"}


@pytest.mark.parametrize(
    ("fields", "missing"),
    [({"secrets": "my-token"}, "MY_TOKEN"), ({"env_vars": MASKED}, "API_KEY"), (declared("image", MASKED), "API_KEY")],
)
def test_a_missing_secret_is_one_clear_line(fields: dict[str, Any], missing: str) -> None:
    """The error names the environment and the variable, and shows no value of any other."""
    made = version_of(**fields)
    with pytest.raises(MissingSecretError, match=f"'ml' needs the secret {missing}, which is not set here") as caught:
        variables(made, None, {"DSN": HUNTER, "PATH": "/bin"})
    assert (caught.value.environment, caught.value.variable) == ("ml", missing)
    assert HUNTER not in "".join(traceback.format_exception(caught.value))


def test_values_are_not_shown() -> None:
    """Whoever shows the variables of a worker sees their names."""
    found = variables(version_of(secrets="my-token"), None, {"MY_TOKEN": HUNTER, "PATH": "/bin"})
    assert repr(found) == str(found) == f"{found}" == "<WorkerVariables PATH, MY_TOKEN>"
    assert found["MY_TOKEN"] == HUNTER


def test_a_module_with_a_secret_in_its_image_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it reads a variable for an image or a package with a password in it, there is a text that will do."""
    image = flyte_nb.Image.from_base(f"https://u:{HUNTER}@host/image").with_pip_packages(
        "numpy", f"own @ git+https://{HUNTER}@host/own"
    )
    flyte_nb.TaskEnvironment("ml-training", image=image)
    flyte_nb.TaskEnvironment("plain", image=f"https://u:{HUNTER}@host/image")
    record("ml-training", "plain")  # there is no such host to install from
    flyte_nb.reset()
    for name in ("ml-training", "plain"):
        made = deployed(name)
        for variable, value in variables(made, None, {}).items():
            assert HUNTER not in value
            monkeypatch.setenv(variable, value)
        exec(made.module.replace("import flyte\n", "import flyte_nb.as_flyte as flyte\n"), {})  # noqa: S102 - ours
    assert str(flyte_nb.registry()["plain"].image) == "https://***@host/image"


def test_a_process_starts_with_them() -> None:
    """They are what the operating system takes as an environment."""
    found = variables(version_of(env_vars={"LEVEL": "info"}), None, os.environ)
    code = "import os; print(os.environ['LEVEL'])"
    done = subprocess.run([sys.executable, "-I", "-c", code], env=found, capture_output=True, text=True, check=True)
    assert done.stdout == "info\n"
