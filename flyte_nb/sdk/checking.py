"""What the SDK would refuse of environments, found out without a request: it translates them, and sends nothing."""

from __future__ import annotations

import inspect
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import flyte
from flyte.syncify import syncify

from flyte_nb.errors import RefusedBySdkError
from flyte_nb.masking import error_text
from flyte_nb.sdk.cluster import using
from flyte_nb.sdk.modules import Loaded, write_code
from flyte_nb.sdk.telling import told_to

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from flyte_nb.bundle.content import Bundle
    from flyte_nb.sdk.cluster import Cluster

__all__ = ["refusals"]

# As the SDK called it before 2.12.
_DRY_RUN = "dry_run" if "dry_run" in inspect.signature(flyte.deploy).parameters else "dryrun"
# Even a deployment that sends nothing builds the images that it comes across.
_BUILT = "checked:1"


def refusals(bundles: Collection[Bundle], cluster: Cluster, secrets: Mapping[str, str]) -> dict[str, RefusedBySdkError]:
    """Return why the SDK refuses some of `bundles`, by environment; each module is imported once, and nothing is sent.

    A module that cannot be imported stands in the way of all whose tasks call its tasks.

    Args:
        bundles: Those of one look at the session, linked.
        cluster: Where they would be deployed to.
        secrets: Environment variables that their modules read in the place of what is not written.
    """
    modules = {module: name for bundle in bundles for module, name in bundle.modules.items()}
    with tempfile.TemporaryDirectory(prefix="flyte_nb-") as folder:
        code = write_code(bundles, Path(folder))
        with using(cluster, code), told_to(lambda line: None):
            loaded = Loaded(code, modules, secrets, every=True)
            try:
                broken = {module: _refusal(modules[module], error, code) for module, error in loaded.errors.items()}
                whole = [bundle for bundle in bundles if not broken.keys() & bundle.modules.keys()]
                own = {bundle.name: loaded.environments[bundle.module_name] for bundle in whole}
                found: dict[str, RefusedBySdkError] = _untranslatable(own, code)
            finally:
                loaded.close()
    for bundle in bundles:
        causes = [bundle.module_name, *bundle.modules]
        if cause := next((module for module in causes if module in broken), None):
            found[bundle.name] = broken[cause]
    return found


async def _translated(environments: Mapping[str, Any], code: Path) -> dict[str, RefusedBySdkError]:
    """Let the SDK translate every task of `environments`, and return why it does not."""
    found: dict[str, RefusedBySdkError] = {}
    for name, environment in environments.items():
        try:
            _check_image(environment.image)
        except Exception as error:  # noqa: BLE001 - the SDK raises whatever its libraries do
            found[name] = _refusal(name, error, code)
            continue
        environment.image, environment.depends_on = _BUILT, []
        tasks = dict(environment.tasks)
        for task_name, task in tasks.items():
            environment.tasks.clear()
            environment.tasks[task_name] = task
            task.image = flyte.Image.from_base(_BUILT)
            try:
                await flyte.deploy.aio(environment, version="checked", copy_style="none", **{_DRY_RUN: True})
            except Exception as error:  # noqa: BLE001 - as above
                found[name] = _refusal(task_name, error.__cause__ or error, code)
                break
    return found


_untranslatable = syncify(_translated)


def _check_image(image: Any) -> None:
    if not isinstance(image, flyte.Image):
        return
    image.validate()
    try:
        str(image.uri)  # which it works out of all that it is made of
    except FileNotFoundError:
        raise
    except Exception:  # noqa: BLE001, S110 - of images that are named in its configuration, or hold the code, not yet
        pass


def _refusal(what: str, error: BaseException, code: Path) -> RefusedBySdkError:
    refusal = RefusedBySdkError(
        what, error_text(error).replace(f"{code}/", "")
    )  # a folder that is gone when it is read
    refusal.__cause__ = error
    return refusal
