"""The environment variables of a worker: what any process on this machine needs, and what its environment declares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flyte_nb.bundle.withheld import variable_name
from flyte_nb.errors import MissingSecretError
from flyte_nb.masking import MASK, declared_secrets, says_secret
from flyte_nb.model.image import Image

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from flyte_nb.model.spec import EnvironmentSpec
    from flyte_nb.places.versions import DeployedVersion

__all__ = ["WorkerVariables", "variables"]

# What a process on this machine cannot do without. Names are compared in upper case, as Windows has them.
_NEEDED = (
    # whose process it is, where programs and temporary files are
    "PATH HOME USER LOGNAME SHELL TMPDIR TEMP TMP",
    # the same on Windows, where nothing starts without the first
    "SYSTEMROOT WINDIR SYSTEMDRIVE COMSPEC PATHEXT PROCESSOR_ARCHITECTURE NUMBER_OF_PROCESSORS",
    "USERNAME USERPROFILE HOMEDRIVE HOMEPATH APPDATA LOCALAPPDATA PROGRAMDATA PROGRAMFILES",
    # the user's language and time
    "LANG LANGUAGE TZ TZDIR",
    # where compiled libraries are found
    "LD_LIBRARY_PATH",
    # whom to trust on the network: of OpenSSL, requests and curl
    "SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE",
    # which accelerators are to be used, where they are not NVIDIA's
    "ROCR_VISIBLE_DEVICES HIP_VISIBLE_DEVICES GPU_DEVICE_ORDINAL ROCM_PATH ROCM_HOME",
    # how many threads libraries for arithmetic start
    "OMP_NUM_THREADS OPENBLAS_NUM_THREADS MKL_NUM_THREADS BLIS_NUM_THREADS VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS NUMEXPR_MAX_THREADS RAYON_NUM_THREADS POLARS_MAX_THREADS",
    # that libraries report to nobody
    "DO_NOT_TRACK",
)
_NAMES = frozenset(" ".join(_NEEDED).split())
# The language in its parts; compiled libraries of macOS; where CUDA is, and which GPUs are to be used; where desktops
# keep what is the user's.
_BEGINNINGS = ("LC_", "DYLD_", "CUDA_", "NVIDIA_", "XDG_")
# The way out of this network: HTTPS_PROXY, no_proxy.
_ENDINGS = ("_PROXY",)


class WorkerVariables(dict[str, str]):
    """Environment variables, secrets among them; what they hold is not shown."""

    def __repr__(self) -> str:
        return f"<WorkerVariables {', '.join(self)}>"

    __str__ = __repr__


def variables(
    version: DeployedVersion, spec: EnvironmentSpec | None, own: Mapping[str, str], withheld: Collection[str] = ()
) -> WorkerVariables:
    """Return the environment variables with which a worker of `version` starts.

    Of what this process has, a worker gets only what any process needs, and of that nothing that is secret by its name
    or by anybody's declaration. What the image declares comes next, then what the environment declares, then its
    secrets. A secret that was not stored is taken from `spec`, or else from `own`. From then on, it is masked in
    what its workers write, in errors, and in what is kept of runs.

    Args:
        version: The version.
        spec: The session's definition of the environment, if this very version is made of it.
        own: The variables of this process.
        withheld: The variables of secrets that other environments declare.

    Raises:
        MissingSecretError: A secret is in neither.
    """
    secrets = [secret["as_env_var"] for secret in version.specification["secrets"] if secret["as_env_var"]]
    kept_back = {*withheld, *secrets}
    found = WorkerVariables({name: own[name] for name in own if _is_needed(name) and name not in kept_back})
    found.update(_stand_ins(version))
    given = {} if spec is None else {**_of_image(spec.image), **spec.env_vars}
    image = version.specification["image"]
    stored = {**(image["env_vars"] if isinstance(image, dict) else {}), **version.specification["env_vars"]}
    for name, value in stored.items():
        found[name] = _secret(version, name, {**own, **given}) if MASK in value else value
    found.update((name, _secret(version, name, own)) for name in secrets)
    return found


def _secret(version: DeployedVersion, name: str, known: Mapping[str, str]) -> str:
    if name not in known:
        raise MissingSecretError(version.environment, name)
    declared_secrets.add_values([known[name]])
    return known[name]


def _is_needed(name: str) -> bool:
    plain = name.upper()
    is_known = plain in _NAMES or plain.startswith(_BEGINNINGS) or plain.endswith(_ENDINGS)
    return is_known and not says_secret(name)


def _of_image(image: str | Image) -> dict[str, str]:
    return dict(image.env_vars) if isinstance(image, Image) else {}


def _stand_ins(version: DeployedVersion) -> Iterator[tuple[str, str]]:
    """Yield masked texts for what the module reads in the place of secrets that it only declares its image with.

    No worker needs these, but the module cannot be imported with an image or a package that is empty.
    """
    image: Any = version.specification["image"]
    declared = image if isinstance(image, dict) else {"uri": image, "pip_packages": []}
    texts = {"image": declared["uri"] or ""}
    texts |= {f"pip_package_{number}": package for number, package in enumerate(declared["pip_packages"], 1)}
    yield from ((variable_name(version.environment, what), text) for what, text in texts.items() if MASK in text)
