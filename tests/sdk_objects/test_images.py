"""Images of the SDK: what the model holds of them, and what constructs them again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import flyte
import pytest

from flyte_nb.bundle.declarations import Declaration, environment_declaration
from flyte_nb.model.image import Image
from flyte_nb.sdk.objects.images import constructed_image, plain_image, sdk_image
from flyte_nb.sdk.objects.reading import specification_of
from tests.bundle.test_declarations import read_back

Theirs = flyte.Image

PLAIN = [
    "auto",
    "python:3.12-slim",
    Theirs.from_debian_base(),
    Theirs.from_debian_base(python_version=(3, 12)).with_pip_packages("pandas", "numpy>=2"),
    Theirs.from_base("registry/name:1"),
    Theirs.from_base("registry/name:1")
    .clone(name="e", extendable=True)
    .with_pip_packages("a")
    .with_env_vars({"A": "1"}),
]
RICH = [
    Theirs.from_debian_base()
    .with_apt_packages("git", "curl")
    .with_pip_packages("a", pre=True, index_url="https://index", extra_index_urls=["https://more"])
    .with_commands(["echo 1", "echo 2"])
    .with_env_vars({"A": "1"})
    .with_workdir("/x"),
    Theirs.from_debian_base().with_pip_packages("a").with_pip_packages("b"),
    Theirs.from_debian_base(registry="r.io/x", name="n", platform=("linux/amd64",)).with_pip_packages("a"),
    Theirs.from_debian_base(install_flyte=False).with_apt_packages("git"),
    Theirs.from_debian_base(flyte_version="2.0.0").with_pip_packages("a"),
    Theirs.from_debian_base(registry="r", registry_secret="pull").with_pip_packages(  # noqa: S106 - a secret's name
        "a", secret_mounts=[flyte.Secret("gh", as_env_var="GITHUB_PAT")]
    ),
    Theirs.from_base("registry/name:1").clone(name="other", extendable=True).with_apt_packages("git"),
    Theirs.from_dockerfile("/somewhere/Dockerfile", registry="r", name="n"),
    Theirs.from_debian_base().with_source_folder(Path("/somewhere/src")),
    Theirs.from_debian_base().with_source_file(Path("/somewhere/a.py"), "/dst"),
    Theirs.from_debian_base().with_dockerignore(Path("/somewhere/.dockerignore")),
]


def label(image: Any) -> str:
    return str(constructed_image(image) or "unknown") if isinstance(image, Theirs) else image


def declared(image: Any) -> Any:
    """Return the image that the module of an environment with `image` gives its own."""
    said = specification_of(flyte.TaskEnvironment("e", image=image))
    declaration = environment_declaration(said, {})
    assert declaration.unwritten == {}
    names: dict[str, Any] = {}
    exec("\n".join(["import flyte", *declaration.imports, declaration.text]), names)  # noqa: S102 - as a module is
    return names["env"].image


@pytest.mark.parametrize("image", PLAIN, ids=label)
def test_plain_images_are_images_of_the_model(image: Any) -> None:
    """What the model has fields for needs no options, and is the same image again in the SDK."""
    said = specification_of(flyte.TaskEnvironment("e", image=image))
    assert said.flyte_options == {}
    assert sdk_image(said.image, "e") == image
    assert declared(image) == image


@pytest.mark.parametrize("image", RICH, ids=label)
def test_other_images_are_the_same_again(image: Any) -> None:
    """Layers in their order, with all that was said of them, are what a cluster gets."""
    assert declared(image) == image


@pytest.mark.parametrize("image", [*PLAIN, *RICH], ids=label)
def test_images_are_adopted_as_they_were_written(image: Any) -> None:
    """A module that is adopted says the same of its image as it says, and what counts here of it is the same."""
    said = specification_of(flyte.TaskEnvironment("e", image=image))
    written = environment_declaration(said, {})
    adopted, _ = read_back(written, Declaration("@env.task"))
    assert environment_declaration(adopted, {}) == written
    assert adopted.image == said.image


def test_what_counts_here_of_an_image_with_more() -> None:
    """Python, packages and variables are there for virtual environments, whatever else there is."""
    image = Theirs.from_debian_base(python_version=(3, 12)).with_apt_packages("git").with_pip_packages("a", pre=True)
    assert plain_image(image.with_env_vars({"A": "1"})) == Image(
        python="3.12", pip_packages=("a",), env_vars=(("A", "1"),)
    )


def test_an_image_that_nothing_constructs_is_kept_as_it_is() -> None:
    """It goes nowhere as source, and says so, instead of losing a layer."""
    image = Theirs.from_debian_base().with_pip_packages("a").clone(addl_layer=flyte._image._DockerLines(("USER x",)))
    said = specification_of(flyte.TaskEnvironment("e", image=image))
    assert said.flyte_options["image"] == image
    assert environment_declaration(said, {}).unwritten == {"image": "Image"}
