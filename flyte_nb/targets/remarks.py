"""What deploying to this machine means that a definition does not say: what of it is not used here, or not in full."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from flyte_nb.errors import OversizeError
from flyte_nb.machine.claims import claim_of
from flyte_nb.masking import without_credentials
from flyte_nb.model.image import Image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flyte_nb.machine.detect import Machine
    from flyte_nb.model.spec import EnvironmentSpec
    from flyte_nb.settings import Settings

__all__ = ["LocalRemarks"]


class LocalRemarks:
    """Compares definitions with this machine.

    Args:
        settings: Say what becomes of those that ask for more than there is.
        machine: Gives the machine; asked only when something is declared of which there could be too little.
    """

    def __init__(self, settings: Settings, machine: Callable[[], Machine]) -> None:
        self._settings, self._machine = settings, machine

    def of(self, spec: EnvironmentSpec) -> tuple[str, ...]:
        """Return what there is to say of `spec`.

        Raises:
            OversizeError: It asks for more than there is, and the settings refuse that.
        """
        return (*_image(spec.image), *_layers(spec), *self._size(spec), *_secrets(spec))

    def _size(self, spec: EnvironmentSpec) -> Iterator[str]:
        if spec.resources is None:
            return
        _, beyond = claim_of(spec.resources, self._machine())
        asks = " and ".join(filter(None, (", ".join(beyond[:-1]), *beyond[-1:])))
        if asks and self._settings.oversize == "refuse":
            raise OversizeError(spec.name, asks)
        if asks:
            yield f"asks for {asks}: takes the whole machine"


def _image(image: str | Image) -> Iterator[str]:
    uri = image.uri if isinstance(image, Image) else image
    if uri is None or image == "auto":
        return
    shown = without_credentials(uri)
    if isinstance(image, Image) and (image.pip_packages or image.requirements):
        python = ".".join(map(str, sys.version_info[:2]))
        yield f'its packages are installed for the kernel\'s Python {python}: the base "{shown}" is not used here'
    else:
        yield f'runs in the kernel\'s Python: "{shown}" is a container image, which is not used here'


def _layers(spec: EnvironmentSpec) -> Iterator[str]:
    if spec.flyte_options.get("image") is not None:
        yield "of its image, only Python, packages and variables are used here: other layers are the cluster's"


def _secrets(spec: EnvironmentSpec) -> Iterator[str]:
    for secret in spec.secrets:
        if secret.mount is None:
            continue
        other = f", only as the variable {secret.as_env_var}" if secret.as_env_var else ""
        yield f'the secret "{secret.key}" is not there as a file{other}'
