"""What differs between an environment as it is deployed and as it would be."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from flyte_nb.deployment.planning.plan import Change
from flyte_nb.masking import MASK, without_credentials

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from flyte_nb.bundle.content import Bundle
    from flyte_nb.targets.protocol import Deployed

__all__ = ["changes"]


def changes(old: Deployed, new: Bundle) -> tuple[Change, ...]:
    """Return the fields, the tasks and the other parts of the code that differ; at least one, secrets masked."""
    before, after = dict(old.specification), dict(new.specification)
    tasks_before, tasks_after = before.pop("tasks", {}), after.pop("tasks", {})
    staying = [task for task in tasks_before if task in tasks_after]  # the others are told by their sources
    found = (
        *_differing({**before, **after}, before, after),
        *_differing(staying, tasks_before, tasks_after),
        *_differing({**old.sources, **new.sources}, old.sources, new.sources),
    )
    return found or _hidden_changes(old, new)


def _differing(names: Iterable[str], before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for name in names:
        old, new = before.get(name), after.get(name)
        if old != new:
            yield Change(name, _shown(old), _shown(new))


def _shown(value: Any) -> Any:
    return _shown_text(value) if isinstance(value, str) else without_credentials(value)


# Looking for secrets takes half a second for a megabyte, and what many environments use is one text.
_shown_text = lru_cache(maxsize=1024)(without_credentials)


def _hidden_changes(old: Deployed, new: Bundle) -> tuple[Change, ...]:
    """Return the fields with masked values: where nothing visible differs, it was one of those."""
    fields = new.specification.items()
    hidden = tuple(Change(key, old.specification.get(key), value) for key, value in fields if MASK in repr(value))
    return hidden or (Change("fingerprint", old.fingerprint, new.fingerprint),)
