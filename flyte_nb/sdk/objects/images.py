"""Images of the SDK as images of the model, and as the calls that construct them where those have no field for all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import flyte

from flyte_nb.errors import InvalidValueError
from flyte_nb.model.image import Image
from flyte_nb.model.written import Constructed, Step

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["constructed_image", "plain_image", "sdk_image"]

# How each layer is added: by which method, with which of its fields by position (one that is several, or one as it is),
# and with which by name. A layer that is not here has no method.
_PIP = ("index_url", "extra_index_urls", "pre", "extra_args", "secret_mounts")
_PROJECT = ("extra_args", "secret_mounts", "project_install_mode")
_ADDED_BY: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "PipPackages": ("with_pip_packages", "*packages", _PIP),
    "Requirements": ("with_requirements", "file", _PIP),
    "AptPackages": ("with_apt_packages", "*packages", ("secret_mounts",)),
    "Commands": ("with_commands", "commands", ("secret_mounts",)),
    "WorkDir": ("with_workdir", "workdir", ()),
    "Env": ("with_env_vars", "env_vars", ()),
    "DockerIgnore": ("with_dockerignore", "path", ()),
    "UVProject": ("with_uv_project", "pyproject", ("uvlock", *_PIP, "project_install_mode")),
    "PoetryProject": ("with_poetry_project", "pyproject", ("poetry_lock", *_PROJECT)),
    "PixiProject": ("with_pixi_project", "manifest", ("pixi_lock", "environment", *_PROJECT)),
}
_BASES = "flyte.Image."
_CLONED = ("registry", "name", "platform", "python_version", "extendable")


def sdk_image(image: str | Image, environment: str) -> Any:
    """Return the SDK's image that an environment of this name declares as `image`."""
    if not isinstance(image, Image):
        return image
    if image.uri is not None:
        made = flyte.Image.from_base(image.uri)
        if image.pip_packages or image.requirements or image.env_vars:
            made = made.clone(name=environment, extendable=True)
    else:
        major, minor = map(int, str(image.python).split("."))
        made = flyte.Image.from_debian_base(python_version=(major, minor))
    if image.pip_packages:
        made = made.with_pip_packages(*image.pip_packages)
    for file in image.requirements:
        made = made.with_requirements(file.path)
    return made.with_env_vars(dict(image.env_vars)) if image.env_vars else made


def plain_image(image: Any) -> str | Image:
    """Return what the model can hold of an image of the SDK: base, Python, packages and variables."""
    if image is None or isinstance(image, str):
        return image or "auto"
    if image.base_image is None:
        return "auto"
    base = _debian(image)
    plain = Image.from_base(image.base_image) if base is None else Image.from_debian_base(image.python_version)
    for layer in _layers_over(image, base):
        kind = type(layer).__name__
        if kind == "PipPackages" and layer.packages:
            plain = plain.with_pip_packages(*layer.packages)
        elif kind == "Env":
            plain = plain.with_env_vars(dict(layer.env_vars))
        elif kind == "Requirements" and Path(layer.file).is_file():
            plain = plain.with_requirements(layer.file)
    return plain


def constructed_image(image: Any) -> Constructed | None:
    """Return the calls that construct exactly this image of the SDK, or None if no calls do."""
    for first in _beginnings(image):
        try:
            base = _replayed([first])
            over = _layers_over(image, base)
            steps = [first, *_clone(image, base, has_layers=bool(over)), *map(_added, over)]
            if _replayed(steps) == image:
                return Constructed(tuple(steps))
        except (KeyError, TypeError, ValueError, InvalidValueError):
            continue  # an image that is constructed otherwise
    return None


def _beginnings(image: Any) -> Iterator[Step]:
    """Yield the calls with which an image like this may begin."""
    if image.dockerfile is not None:
        options = (("registry", image.registry), ("name", image.name), ("platform", image.platform))
        yield Step(f"{_BASES}from_dockerfile", (str(image.dockerfile),), options)
        return
    python = ("python_version", tuple(image.python_version))
    for more in ((), (("platform", tuple(image.platform)),)):
        yield Step(f"{_BASES}from_debian_base", (), (python, *more))
        yield Step(f"{_BASES}from_debian_base", (), (python, ("install_flyte", False), *more))
    if image.base_image is not None:
        yield Step(f"{_BASES}from_base", (image.base_image,))
    elif image.name is not None:
        yield Step(f"{_BASES}from_ref_name", (image.name,))


def _clone(image: Any, base: Any, *, has_layers: bool) -> Iterator[Step]:
    """Yield the call that gives `base` what else `image` has, if there is anything."""
    given = {name: getattr(image, name) for name in _CLONED if getattr(image, name) != getattr(base, name)}
    secret = image._image_registry_secret  # noqa: SLF001 - nothing public says it
    if secret is not None:
        given["registry_secret"] = secret
    if given or (image._is_cloned and not base._is_cloned and not has_layers):  # noqa: SLF001
        yield Step("clone", (), tuple(given.items()))


def _added(layer: Any) -> Step:
    """Return the call that adds a layer.

    Raises:
        KeyError: None does.
    """
    kind = type(layer).__name__
    if kind == "CopyConfig":
        is_folder = bool(getattr(layer.path_type, "value", layer.path_type))
        method = "with_source_folder" if is_folder else "with_source_file"
        options = (("copy_contents_only", True),) if is_folder else ()
        return Step(method, (layer.src, layer.dst), options)
    if kind == "CodeBundleLayer":
        return Step("with_code_bundle", (), (("copy_style", layer.copy_style), ("dst", layer.dst)))
    method, first, others = _ADDED_BY[kind]
    value = getattr(layer, first.removeprefix("*"))
    args = tuple(value or ()) if first.startswith("*") else (_argument(kind, value),)
    given = ((name, getattr(layer, name)) for name in others)
    return Step(method, args, tuple((name, value) for name, value in given if value not in (None, False, ())))


def _argument(kind: str, value: Any) -> Any:
    if kind == "Env":
        return dict(value)
    return list(value) if kind == "Commands" else value


def _replayed(steps: Sequence[Step]) -> Any:
    value: Any = flyte.Image
    for step in steps:
        value = getattr(value, step.name.removeprefix(_BASES))(*step.args, **dict(step.options))
    return value


def _debian(image: Any) -> Any:
    """Return Flyte's own Debian image if `image` is made of it, or None."""
    for options in ({}, {"install_flyte": False}):
        base = flyte.Image.from_debian_base(python_version=image.python_version, **options)
        if base.base_image == image.base_image and _layers_of(image)[: len(_layers_of(base))] == _layers_of(base):
            return base
    return None


def _layers_over(image: Any, base: Any) -> tuple[Any, ...]:
    """Return the layers that `image` has more than `base`."""
    return _layers_of(image)[len(_layers_of(base)) if base is not None else 0 :]


def _layers_of(image: Any) -> tuple[Any, ...]:
    layers: tuple[Any, ...] = image._layers  # noqa: SLF001 - nothing public tells them
    return layers
