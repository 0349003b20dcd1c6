"""Images as the SDK constructs them: every call is noted, and the model gets what it can hold of them."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flyte_nb.as_flyte.values import Kept
from flyte_nb.errors import InvalidTypeError
from flyte_nb.model.image import Image as PlainImage
from flyte_nb.model.written import Constructed, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Image", "kept_image"]

_BASES = "flyte.Image."
_PLAIN = ("clone", "with_pip_packages", "with_requirements", "with_env_vars")
_WITH_PYTHON = ("from_debian_base", "from_uv_script", "from_pixi_script")


class _Beginnings(type):
    def __getattr__(cls, name: str) -> Callable[..., Image]:
        """Return what notes a call with which an image begins."""
        if not name.startswith("from_"):
            raise AttributeError(f"Image has no attribute {name!r}")
        return lambda *args, **options: Image((_step(f"{_BASES}{name}", args, options),))


@dataclass(frozen=True, slots=True)
class Image(metaclass=_Beginnings):
    """An image as the calls that construct it: any `from_...`, then any `with_...`, and `clone`."""

    steps: tuple[Step, ...]

    @classmethod
    def from_debian_base(cls, *args: Any, **options: Any) -> Image:
        """Return Flyte's own Debian image, with this Python or else the one that runs now."""
        said = {**dict(zip(("python_version",), args, strict=False)), **options}
        if said.get("python_version") is None:
            said["python_version"] = tuple(map(int, str(PlainImage.from_debian_base().python).split(".")))
        said = {"python_version": said.pop("python_version"), **said}
        return cls((_step(f"{_BASES}from_debian_base", args[1:], said),))

    def __getattr__(self, name: str) -> Callable[..., Image]:
        """Return what notes the call of a method."""
        if name != "clone" and not name.startswith("with_"):
            raise AttributeError(f"an image has no attribute {name!r}")
        return lambda *args, **options: Image((*self.steps, _step(name, args, options)))


def kept_image(image: Image, environment: str) -> PlainImage | str | Kept:
    """Return the model's image if it says all that `image` does for this environment, or else one that is kept.

    Raises:
        InvalidTypeError: What counts here means nothing.
        InvalidValueError: Likewise.
    """
    plain = _plain(image)
    if isinstance(plain, PlainImage) and [*_written(plain, environment)] == [*map(_with_text, image.steps)]:
        return plain
    return Kept(plain, Constructed(image.steps))


def _plain(image: Image) -> PlainImage | str:
    """Return what the model can hold of an image: base, Python, packages, requirements and variables."""
    first, *others = image.steps
    name = first.name.removeprefix(_BASES)
    if name == "from_base":
        plain = PlainImage.from_base(_first(first, "image_uri"))
    elif name in _WITH_PYTHON:
        plain = PlainImage.from_debian_base(dict(first.options).get("python_version"))
    else:
        return "auto"
    is_ours = all(step.name in _PLAIN for step in others)
    for step in others:
        if step.name == "with_pip_packages":
            plain = plain.with_pip_packages(*step.args)
        elif step.name == "with_env_vars":
            plain = plain.with_env_vars(_first(step, "env_vars"))
        elif step.name == "with_requirements":
            file = _first(step, "file")
            # What is deployed for a cluster may name files that only the machine has on which its image is built.
            if is_ours or Path(file).is_file():
                plain = plain.with_requirements(file)
    return plain


def _written(plain: PlainImage, environment: str) -> Iterator[Step]:
    """Yield the calls as which the image of the environment is declared."""
    has_more = bool(plain.pip_packages or plain.requirements or plain.env_vars)
    if plain.uri is not None:
        yield _step(f"{_BASES}from_base", (plain.uri,), {})
        if has_more:
            yield _step("clone", (), {"name": environment, "extendable": True})
    else:
        version = tuple(map(int, str(plain.python).split(".")))
        yield _step(f"{_BASES}from_debian_base", (), {"python_version": version})
    if plain.pip_packages:
        yield _step("with_pip_packages", plain.pip_packages, {})
    for file in plain.requirements:
        yield _step("with_requirements", (file.path,), {})
    if plain.env_vars:
        yield _step("with_env_vars", (dict(plain.env_vars),), {})


def _with_text(step: Step) -> Step:
    """Return a call with text in the place of a path."""
    return Step(step.name, tuple(fspath(one) if isinstance(one, PathLike) else one for one in step.args), step.options)


def _step(name: str, args: tuple[Any, ...], options: dict[str, Any]) -> Step:
    return Step(name, args, tuple(options.items()))


def _first(step: Step, name: str) -> Any:
    """Return what a call is given by position, or as `name`."""
    given = [*step.args, *(value for key, value in step.options if key == name)]
    if not given:
        raise InvalidTypeError(f"Image.{step.name.removeprefix(_BASES)}", None, f"given {name}", f"{name}=...")
    return given[0]
