"""Bundles that hold all they need: the modules of the environments whose tasks theirs call, and of those these call.

A Flyte task carries the code of all that it calls. So a version of an environment is a version of all of it, and what
is called makes a new one when it changes.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

from flyte_nb.bundle.module_names import PACKAGE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flyte_nb.bundle.content import Bundle

__all__ = ["linked", "needed_by"]

# A version of another format is another version, so that it is deployed again.
_FORMAT = "linked 1"


def needed_by(name: str, bundles: Mapping[str, Bundle]) -> list[str]:
    """Return `name` and every environment that its module imports, directly or not, in alphabetical order.

    Some may not be among `bundles`: what they need is not known.
    """
    found, pending = {name}, [name]
    while pending:
        bundle = bundles.get(pending.pop())
        new = set(bundle.modules.values()) - found if bundle else set()
        found |= new
        pending += new
    return sorted(found)


def linked(name: str, bundles: Mapping[str, Bundle]) -> Bundle:
    """Return the bundle of `name` with the modules that it needs among its files.

    Args:
        name: An environment.
        bundles: The bundles of all that `needed_by` gives, whole.

    Returns:
        One whose fingerprint is the SHA-256 in hex of the fingerprints of all of them, and whose `modules` are all of
        them. Of what is called, the sources are there under the same labels, after its own.
    """
    own, needed = bundles[name], [bundles[each] for each in needed_by(name, bundles)]
    if needed == [own]:
        return own
    others = [bundle for bundle in needed if bundle is not own]
    files: dict[str, str] = {}
    sources: dict[str, str] = {}
    for bundle in others:
        files |= {**bundle.files, f"{PACKAGE}/{bundle.module_name}.py": bundle.module}
        sources |= bundle.sources
    digest = sha256("\n".join([_FORMAT, *(f"{each.name} {each.fingerprint}" for each in needed)]).encode())
    return replace(
        own,
        sources={**own.sources, **{label: text for label, text in sources.items() if label not in own.sources}},
        fingerprint=digest.hexdigest(),
        files={**files, **own.files},
        modules={bundle.module_name: bundle.name for bundle in needed},
    )
