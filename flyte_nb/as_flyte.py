"""What `import flyte` means in a module that is adopted: the names of the Flyte SDK, which define in this session.

They take what the SDK takes. What the session has no field for is kept as `flyte_options`, or refused where it cannot
be kept. Names that are not here are those of the SDK itself, where it is installed.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from flyte_nb.errors import InvalidTypeError, InvalidValueError
from flyte_nb.functions import deploy, map, run  # noqa: A004 - as in Flyte
from flyte_nb.model import Backoff, Cache, Resources, RetryStrategy, Secret, Timeout
from flyte_nb.model import Image as PlainImage
from flyte_nb.model import TaskEnvironment as Environment
from flyte_nb.model.spec import EnvironmentSpec
from flyte_nb.model.task import POLICIES

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "Backoff",
    "Cache",
    "Documentation",
    "Environment",
    "Image",
    "Resources",
    "RetryStrategy",
    "Secret",
    "TaskEnvironment",
    "Timeout",
    "deploy",
    "map",
    "run",
]

_FIELDS = frozenset(field.name for field in fields(EnvironmentSpec)) - {"flyte_options"}


@dataclass(frozen=True)
class Documentation:
    """What a task is for, in full."""

    description: str


class Image(PlainImage):
    """An image, with the parameters that the SDK gives its methods."""

    __slots__ = ()

    @classmethod
    def from_debian_base(  # type: ignore[override]  # the SDK's name of the parameter
        cls, python_version: tuple[int, int] | None = None
    ) -> Image:
        """Return Flyte's own Debian image, with this Python or else the one that runs now."""
        return cls(python=super().from_debian_base(python_version).python)

    def clone(self, *, name: str | None = None, extendable: bool | None = None) -> Image:
        """Return this image: here it needs no name and no permission to be added to."""
        return self


class TaskEnvironment(Environment):
    """An environment of the session, constructed as the SDK constructs one."""

    __slots__ = ()

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(name, **_split(options))

    def clone_with(self, name: str, **changes: Any) -> TaskEnvironment:
        """Define a variation of this environment; as in the SDK, None leaves a field as it is."""
        given = _split(changes)
        given["flyte_options"] = {**self.flyte_options, **given["flyte_options"]}
        return TaskEnvironment.of(super().clone_with(name, **given).spec)

    @classmethod
    def of(cls, spec: EnvironmentSpec) -> TaskEnvironment:
        """Return a handle to the environment that `spec` defined, without defining it again."""
        handle = super().of(spec)
        assert isinstance(handle, cls)  # noqa: S101 - for the type
        return handle

    def task(
        self, function: Callable[..., Any] | None = None, *, docs: Documentation | None = None, **policies: Any
    ) -> Any:
        """Make a function a task of this environment; use it bare or with the SDK's keywords.

        Raises:
            InvalidValueError: A keyword means something to the cluster for which a task has no field here.
        """
        if function is not None:
            return super().task(function)
        given = {key: value for key, value in policies.items() if value not in (None, False, ())}
        for key in given:
            if key not in POLICIES:
                problem = "is not kept for a task: set it for the whole environment"
                raise InvalidValueError("env.task", key, problem, f"TaskEnvironment(..., {key}=...)")
        return super().task(**given, description=_description(docs))


def _split(options: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of an environment, with what is none of them under `flyte_options`."""
    given = {key: value for key, value in options.items() if value is not None}
    known = {key: value for key, value in given.items() if key in _FIELDS}
    if isinstance(known.get("image"), Image):
        known["image"] = PlainImage(**{field.name: getattr(known["image"], field.name) for field in fields(PlainImage)})
    return {**known, "flyte_options": {key: value for key, value in given.items() if key not in _FIELDS}}


def _description(docs: object) -> str | None:
    if docs is None:
        return None
    description = getattr(docs, "description", None)  # the SDK's own object will do
    if not isinstance(description, str):
        raise InvalidTypeError("env.task.docs", docs, "Documentation", 'docs=flyte.Documentation(description="...")')
    return description


def __getattr__(name: str) -> Any:
    """Return what the SDK itself has under a name that is not here."""
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        import flyte  # type: ignore[import-not-found,unused-ignore]  # it need not be installed
    except ImportError:
        example = "pip install flyte"
        raise InvalidValueError("import flyte", name, "needs the Flyte SDK, which is not installed", example) from None
    return getattr(flyte, name)
