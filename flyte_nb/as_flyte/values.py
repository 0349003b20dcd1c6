"""Values that say more than the model's own: what of them counts here, and the whole of them for a cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flyte_nb.model import Cache as PlainCache
from flyte_nb.model import Resources as PlainResources
from flyte_nb.model.written import Constructed, Name

__all__ = ["DECLARING", "Cache", "Kept", "Resources"]

DECLARING = frozenset(
    {
        *("AMD_GPU", "APPLE_SILICON", "GPU", "HABANA_GAUDI", "TPU", "Device", "Neuron"),
        *("Cron", "FixedRate", "OnArtifact", "Trigger", "TriggerTime", "TriggeredArtifact", "TriggeredPartition"),
        *("CachePolicy", "CacheRequest", "DeviceClass", "Link", "PodTemplate", "ReusePolicy", "SecretRequest"),
    }
)
"""What the SDK has that says something to a cluster, and does nothing."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A value of the SDK for which the model has no field.

    Attributes:
        plain: What the model can hold of it.
        whole: The calls that construct it.
    """

    plain: Any
    whole: Constructed


class Cache(PlainCache):
    """When results are reused, as the SDK says it."""

    __slots__ = ()

    def __new__(  # type: ignore[misc]  # of a class for annotations: what it makes is the model's
        cls,
        behavior: str = "auto",
        version_override: str | None = None,
        serialize: bool = False,
        *by_position: Any,
        policies: Any = None,
        **options: Any,
    ) -> PlainCache | Kept:
        """Return the model's policy, or one that is kept."""
        options = {**dict(zip(("ignored_inputs", "salt"), by_position, strict=False)), **options}
        if isinstance(ignored := options.get("ignored_inputs"), str):
            options["ignored_inputs"] = (ignored,)
        plain = PlainCache(behavior, version_override, **options)
        if not (serialize or policies):
            return plain
        said = {"version_override": version_override, **options, "serialize": serialize, "policies": policies}
        given = {"behavior": behavior, **{name: value for name, value in said.items() if value}}
        return Kept(plain, Name("flyte.Cache")(**given))


class Resources(PlainResources):
    """What a task asks for, as the SDK says it: devices may be objects of it."""

    __slots__ = ()

    def __new__(  # type: ignore[misc]  # as Cache
        cls, cpu: Any = None, memory: Any = None, gpu: Any = None, disk: Any = None, shm: Any = None
    ) -> PlainResources | Kept:
        """Return the model's resources, or those that are kept."""
        if gpu is None or isinstance(gpu, int | str):
            return PlainResources(cpu, memory, gpu, disk, shm)
        try:
            plain = PlainResources(cpu, memory, _device(gpu), disk, shm)
        except (TypeError, ValueError):  # a device that is newer than this library
            plain = PlainResources(cpu, memory, None, disk, shm)
        said = {"cpu": cpu, "memory": memory, "gpu": gpu, "disk": disk, "shm": shm}
        given = {name: value for name, value in said.items() if value is not None}
        return Kept(plain, Name("flyte.Resources")(**given))


def _device(value: Any) -> Any:
    """Return a device as the model says it: "A100:2", or a number."""
    if isinstance(value, Constructed):
        step = value.steps[0]
        names = ("quantity", "device_class", "device") if step.name == "flyte.Device" else ("device", "quantity")
        said = {**dict(zip(names, step.args, strict=False)), **dict(step.options)}
    else:
        said = {name: getattr(value, name, None) for name in ("device", "quantity")}
    quantity = said.get("quantity") or 1
    return f"{said['device']}:{quantity}" if said.get("device") else quantity
