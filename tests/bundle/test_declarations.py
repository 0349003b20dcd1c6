"""Declarations for the SDK: they say what the specification says, in the way it is written there."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import timedelta
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flyte_nb import Backoff, Cache, Image, Resources, RetryStrategy, Secret, Task, Timeout, as_flyte
from flyte_nb.bundle.declarations import (
    Declaration,
    declarations,
    environment_declaration,
    task_decorator,
    withheld_values,
)
from flyte_nb.masking import without_credentials
from flyte_nb.model.spec import EnvironmentSpec
from flyte_nb.model.written import Constructed, Step
from flyte_nb.project.reading import environment_variables
from flyte_nb.session import session

if TYPE_CHECKING:
    from pathlib import Path

from .sdk import described, needs_sdk

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60).filter(
    lambda text: without_credentials(text) == text
)
WORD = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
DURATION = st.timedeltas(timedelta(0), timedelta(days=400))
POSITIVE = st.timedeltas(timedelta(microseconds=1), timedelta(days=400))
CACHES = st.one_of(
    st.sampled_from([Cache("auto"), Cache("disable")]),
    st.builds(
        Cache, st.just("auto"), ignored_inputs=st.sampled_from([(), ("x",)]), salt=WORD, max_age=st.none() | DURATION
    ),
    st.builds(Cache, st.just("override"), version_override=WORD),
)
SECRETS = st.lists(
    st.builds(
        Secret,
        WORD,
        group=st.none() | WORD,
        mount=st.none() | st.just("/etc/flyte/secrets"),
        as_env_var=st.none() | st.from_regex(r"[A-Z]{2,8}", fullmatch=True),
    ),
    max_size=3,
    unique_by=(lambda secret: secret.as_env_var or secret.key, lambda secret: secret.key),
)
needs_ruff = pytest.mark.skipif(find_spec("ruff") is None, reason="ruff is not installed")
# What a test can read back is called V...: the Debian image has variables of its own.
VARIABLES = st.dictionaries(
    st.sampled_from(["VA", "V_B_2", "VERBOSE", "Vc"]), TEXT.filter(lambda text: "\0" not in text)
)
PACKAGES = st.lists(st.sampled_from(["pandas", "numpy>=2", "scikit-learn[all]==1.5", 'torch; sys_platform == "linux"']))


@st.composite
def images(draw: st.DrawFn) -> Image | str:
    base = draw(
        st.sampled_from(["auto", "python:3.12-slim", Image.from_base("r.io/x:1"), Image.from_debian_base("3.11")])
    )
    if isinstance(base, str):
        return base
    return base.with_pip_packages(*draw(PACKAGES)).with_env_vars(draw(VARIABLES))


RESOURCES = st.builds(
    Resources,
    cpu=st.sampled_from([None, 1, 0.5, "500m", (1, 4), ("1", "2")]),
    memory=st.sampled_from([None, "1Gi", "512M", ("1Gi", "4Gi")]),
    gpu=st.sampled_from([None, 0, 2, "A100:2", "T4 shared:1"]),
    disk=st.sampled_from([None, "10Gi"]),
    shm=st.sampled_from([None, "auto", "1Gi"]),
)
SPECS = st.builds(
    lambda name, **fields: EnvironmentSpec.checked(name, **fields),
    st.from_regex(r"[a-z0-9]{1,9}([-_][a-z0-9]{1,9}){0,2}", fullmatch=True),
    image=images(),
    resources=st.none() | RESOURCES,
    description=st.none() | TEXT.map(lambda text: text[:50]),
    env_vars=VARIABLES,
    secrets=SECRETS,
    cache=CACHES,
    interruptible=st.booleans(),
    flyte_options=st.dictionaries(st.just("queue"), WORD),
)
RETRIES = st.one_of(
    st.integers(0, 9).map(RetryStrategy),
    st.builds(RetryStrategy, st.integers(1, 9), st.builds(Backoff, DURATION, st.sampled_from([1, 2.5]), POSITIVE)),
)
POLICIES = st.fixed_dictionaries(
    {},
    optional={
        "short_name": WORD,
        "retries": RETRIES,
        "timeout": st.builds(Timeout, st.none() | POSITIVE, st.none() | POSITIVE, st.none() | POSITIVE),
        "cache": CACHES,
        "description": TEXT,
    },
)


def task_of(spec: EnvironmentSpec, policies: dict[str, Any]) -> Task[..., Any]:
    def f(x: int = 0) -> int:
        """Doc."""
        return x

    return Task(f, spec.name, **policies)


def declared(spec: EnvironmentSpec, task: Task[..., Any]) -> tuple[Declaration, Declaration]:
    return environment_declaration(spec, {}), task_decorator(task)


def read_back(environment: Declaration, decorator: Declaration, **names: Any) -> tuple[EnvironmentSpec, Task[..., Any]]:
    """Return what flyte_nb makes of declarations, as in an adopted module."""
    lines = [*environment.imports, *decorator.imports, environment.text, decorator.text]
    body = ["def f(x: int = 0) -> int:", '    "Doc."', "    return x"]
    space: dict[str, Any] = {"flyte": as_flyte, "__name__": "__main__", **names}
    exec("\n".join([*lines, *body]), space)  # noqa: S102 - this is what declarations are for
    return space["env"].spec, space["f"]


def policies_of(task: Task[..., Any]) -> list[Any]:
    return [getattr(task, name) for name in ("name", "short_name", "retries", "timeout", "cache", "description")]


@given(SPECS, POLICIES)
def test_declarations_say_what_they_were_made_from(spec: EnvironmentSpec, policies: dict[str, Any]) -> None:
    """What is declared, read by flyte_nb, is equal to what it was written from."""
    task = task_of(spec, policies)
    environment, decorator = declared(spec, task)
    again, task_again = read_back(environment, decorator)
    assert again == spec
    assert policies_of(task_again) == policies_of(task)
    assert declared(again, task_again) == (environment, decorator)


@pytest.mark.slow
@needs_sdk
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.tuples(SPECS, POLICIES), min_size=15, max_size=25))
def test_the_sdk_reads_the_same(tmp_path: Path, pairs: list[tuple[EnvironmentSpec, dict[str, Any]]]) -> None:
    """The SDK makes of a declaration an object with the same fields."""
    tasks = [(spec, task_of(spec, policies), policies) for spec, policies in pairs]
    sources = []
    for spec, task, _ in tasks:
        environment, decorator = declared(spec, task)
        sources.append(([*environment.imports, *decorator.imports], environment.text, decorator.text))
    for (spec, task, policies), found in zip(tasks, described(sources, tmp_path, {}), strict=True):
        assert found == expected(spec, task, policies)


def expected(spec: EnvironmentSpec, task: Task[..., Any], policies: dict[str, Any]) -> dict[str, Any]:
    backoff, resources, timeout = task.retries.backoff, spec.resources, task.timeout
    waits = [backoff.base.total_seconds(), backoff.factor, seconds(backoff.cap)] if backoff else None
    fields = ("cpu", "memory", "gpu", "disk", "shm")
    return {
        "name": spec.name,
        "image": image_of(spec.image),
        "description": spec.description,
        "env_vars": dict(spec.env_vars),
        "resources": {field: plain(getattr(resources, field)) for field in fields} if resources else None,
        "interruptible": spec.interruptible,
        "secrets": [[secret.key, secret.group, secret.mount, secret.as_env_var] for secret in spec.secrets],
        "cache": cache_of(spec.cache),
        "queue": spec.flyte_options.get("queue"),
        "task": f"{spec.name}.f",
        "short_name": policies.get("short_name", "f"),
        "task_cache": cache_of(task.cache or spec.cache),
        "docs": task.description,
        "timeout": times(timeout),
        "retries": [task.retries.count, waits],
    }


def times(timeout: Timeout) -> list[float | None]:
    if timeout == Timeout():
        return [0, None, None]  # what the SDK means by none at all
    return [seconds(timeout.max_runtime), seconds(timeout.max_queued_time), seconds(timeout.deadline)]


def seconds(value: timedelta | None) -> float | None:
    return None if value is None else value.total_seconds()


def plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def cache_of(cache: Cache) -> list[Any]:
    return [cache.behavior, cache.version_override, [*cache.ignored_inputs], cache.salt, seconds(cache.max_age)]


def image_of(image: Image | str) -> Any:
    if isinstance(image, str):
        return image
    python = [int(part) for part in image.python.split(".")] if image.python else None
    return [image.uri, python, [*image.pip_packages], [list(pair) for pair in image.env_vars]]


def test_defaults_are_left_out() -> None:
    """Only what was said is written."""
    spec = EnvironmentSpec.checked("base-utils")
    environment, decorator = declared(spec, task_of(spec, {}))
    assert environment == Declaration('env = flyte.TaskEnvironment(name="base-utils")')
    assert decorator == Declaration("@env.task")


def test_dependencies_are_expressions() -> None:
    """An environment is declared after the modules of those it depends on."""
    spec = EnvironmentSpec.checked("ml", depends_on=("base-utils",))
    declaration = environment_declaration(spec, {"base-utils": "base_utils.env"})
    assert declaration.text == 'env = flyte.TaskEnvironment(name="ml", depends_on=[base_utils.env])'


def test_secret_values_are_never_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """What looks secret, by its name or by itself, is read from the environment where the project is used."""
    image = Image.from_base("r.io/x:1").with_env_vars({"V_TOKEN": "hunter2"})
    spec = EnvironmentSpec.checked(
        "my-api",
        image=image.with_pip_packages("pandas", "git+https://me:hunter2@example.com/x.git"),
        env_vars={"API_KEY": "hunter2", "DB": "postgres://me:hunter2@db", "LEVEL": "info"},
        flyte_options={"settings": {"password": "hunter2", "size": 3}},
        description="at https://me:hunter2@example.com",
    )
    task = task_of(spec, {"description": "uses https://me:hunter2@example.com"})
    environment, decorator = declared(spec, task)
    assert "hunter2" not in environment.text + decorator.text
    variables = {
        "API_KEY": "hunter2",
        "DB": "postgres://me:hunter2@db",
        "V_TOKEN": "hunter2",
        "MY_API_PIP_PACKAGE_2": "git+https://me:hunter2@example.com/x.git",
        "MY_API_SETTINGS_PASSWORD": "hunter2",
    }
    assert environment.withheld == variables
    assert "hunter2" not in repr(environment)
    for name, value in variables.items():
        assert f'os.environ.get("{name}", "")' in environment.text
        monkeypatch.setenv(name, value)
    again, task_again = read_back(environment, decorator)
    assert (again.image, again.env_vars, again.flyte_options) == (spec.image, spec.env_vars, spec.flyte_options)
    assert declared(again, task_again) == (environment, decorator)


def test_each_secret_has_a_variable_of_its_own() -> None:
    """Named by environment, task and place, whatever is called alike; the text reads exactly these."""
    image = Constructed(
        (
            Step("flyte.Image.from_debian_base"),
            Step("with_pip_packages", ("six", "git+https://a:p1@h"), (("index_url", "https://u:p2@h"),)),
            Step("with_env_vars", ({"API_TOKEN": "t1"},)),
            Step("with_pip_packages", ("x",), (("extra_index_urls", ["https://u:p3@h", "https://u:p4@h"]),)),
        )
    )
    spec = EnvironmentSpec.checked(
        "im",
        env_vars={"API_TOKEN": "t2"},
        flyte_options={"image": image, "f_hooks": {"token": "t3"}, "hooks": {"token": ["t4", "t5"]}},
    )
    tasks = {}
    for name in ("f", "g"):
        task = task_of(spec, {"flyte_options": {"hooks": {"token": f"t6{name}"}}})
        task.function.__name__ = name
        tasks[f"im.{name}"] = task
    environment, decorators = declarations(spec, {}, tasks)
    assert environment.withheld == {
        "API_TOKEN": "t2",
        "IM_IMAGE_PIP_PACKAGES_2": "git+https://a:p1@h",
        "IM_IMAGE_PIP_PACKAGES_INDEX_URL": "https://u:p2@h",
        "IM_IMAGE_ENV_VARS_API_TOKEN": "t1",
        "IM_IMAGE_PIP_PACKAGES_2_EXTRA_INDEX_URLS_1": "https://u:p3@h",
        "IM_IMAGE_PIP_PACKAGES_2_EXTRA_INDEX_URLS_2": "https://u:p4@h",
        "IM_F_HOOKS_TOKEN": "t3",
        "IM_HOOKS_TOKEN_1": "t4",
        "IM_HOOKS_TOKEN_2": "t5",
    }
    assert decorators["im.f"].withheld == {"IM_F_HOOKS_TOKEN_2": "t6f"}  # an option of the environment came first
    assert decorators["im.g"].withheld == {"IM_G_HOOKS_TOKEN": "t6g"}
    assert decorators["im.f"].text == '@env.task(hooks={"token": os.environ.get("IM_F_HOOKS_TOKEN_2", "")})'
    every = withheld_values(spec, dict(reversed(tasks.items())))
    assert len(every) == 11
    source = "\n".join(
        ["import flyte, os", environment.text, *(f"{each.text}\ndef f(): ..." for each in decorators.values())]
    )
    assert environment_variables(source) == every.keys()


def test_two_values_of_one_environment_variable() -> None:
    """The image may give a variable another value than the environment does; then it has another name."""
    image = Image.from_base("r.io/x:1").with_env_vars({"TOKEN": "one", "SAME_KEY": "same"})
    spec = EnvironmentSpec.checked("ml", image=image, env_vars={"TOKEN": "two", "SAME_KEY": "same"})
    declaration = environment_declaration(spec, {})
    assert declaration.withheld == {"TOKEN": "one", "SAME_KEY": "same", "ML_TOKEN": "two"}


SECRET_THINGS = {
    "password": 1234,
    "api_key": b"bytes",
    "tokens": ["a", {"deep": "b"}],
    "auth": (1.5, None, True),
    "https://u:hunter2@h": 1,
    "env": [{"name": "A_TOKEN", "value": "c"}, {"name": "PLAIN", "value": "d"}],
}


def test_secrets_of_any_kind_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers and bytes are made of the text that a variable holds; it may be unset where nothing is deployed."""
    spec = EnvironmentSpec.checked("ml", flyte_options={"things": SECRET_THINGS})
    declaration = environment_declaration(spec, {})
    assert set(declaration.withheld.values()) == {"1234", "bytes", "a", "b", "1.5", "https://u:hunter2@h", "c"}
    assert "ML_THINGS_ENV_A_TOKEN_VALUE" in declaration.withheld
    assert all("HUNTER" not in name for name in declaration.withheld)
    read_back(declaration, Declaration("@env.task"))
    for name, value in declaration.withheld.items():
        monkeypatch.setenv(name, value)
    again, _ = read_back(declaration, Declaration("@env.task"))
    assert again.flyte_options == spec.flyte_options


def test_requirements_become_a_file(tmp_path: Path) -> None:
    """A requirements file is written beside the module, without the passwords in it."""
    (tmp_path / "req.txt").write_text("--index-url https://me:hunter2@pypi.example.com\npandas\n")
    image = Image.from_debian_base("3.12").with_requirements(tmp_path / "req.txt")
    declaration = environment_declaration(EnvironmentSpec.checked("ml", image=image), {})
    assert declaration.imports == ("from pathlib import Path",)
    ((name, text),) = declaration.files.items()
    assert "hunter2" not in text
    assert "pandas" in text
    module = tmp_path / "ml.py"
    (tmp_path / name).write_text(text)
    again, _ = read_back(declaration, Declaration("@env.task"), __file__=str(module))
    assert environment_declaration(again, {}) == declaration


def test_options_without_a_literal_are_told() -> None:
    """An object that no source stands for is left out, and said to be."""
    declaration = environment_declaration(
        EnvironmentSpec.checked("ml", flyte_options={"queue": "gpu", "pod_template": {"token": "t", "x": object()}}), {}
    )
    assert declaration.withheld == {}
    assert declaration.text == 'env = flyte.TaskEnvironment(name="ml", queue="gpu")'
    assert declaration.unwritten == {"pod_template": "object"}


@needs_ruff
@given(SPECS, POLICIES)
@settings(max_examples=20)
def test_declarations_are_laid_out_as_ruff_does(spec: EnvironmentSpec, policies: dict[str, Any]) -> None:
    """Formatting an exported project changes nothing in its declarations, where a character takes one column."""
    environment, decorator = declared(spec, task_of(spec, policies))
    source = re.sub("[^\0-\u02ff]", "x", f"{environment.text}\n\n\n{decorator.text}\ndef f(): ...\n")
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--isolated", "-"],
        input=source.encode(),
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode() == source


def test_the_session_is_untouched() -> None:
    """Writing a declaration defines nothing."""
    environment_declaration(EnvironmentSpec.checked("ml"), {})
    assert session().registry.names() == []
