"""What the tests of plan and apply share: a record in memory, bundles, and a loop in which waiting takes no time."""

from __future__ import annotations

import asyncio
import selectors
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from flyte_nb.bundle.content import Bundle
from flyte_nb.targets.protocol import Deployed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flyte_nb.deployment.applying.status import EnvironmentStatus, State


@dataclass
class Memory:
    """A record that keeps what it is told, until it has settled."""

    events: list[EnvironmentStatus] = field(default_factory=list)
    lines: list[tuple[str, str]] = field(default_factory=list)
    settled: int = 0
    name = "d1"

    def note(self, status: EnvironmentStatus) -> None:
        assert not self.settled
        self.events.append(status)

    def log(self, name: str, line: str) -> None:
        assert not self.settled
        self.lines.append((name, line))

    async def settle(self) -> None:
        await asyncio.sleep(0)
        self.settled += 1

    def lives(self) -> dict[str, tuple[State, ...]]:
        """Return the states of each environment, one after the other."""
        lives: dict[str, tuple[State, ...]] = defaultdict(tuple)
        for event in self.events:
            lives[event.name] += (event.state,)
        return dict(lives)

    def last(self) -> dict[str, str]:
        """Return the state of each environment that it was told last."""
        return {name: life[-1].value for name, life in self.lives().items()}


def make(name: str, fingerprint: str = "f1", sources: Mapping[str, str] | None = None, **fields: Any) -> Bundle:
    """Return a bundle."""
    return Bundle(name, fields, sources or {}, fingerprint)


def deployed(bundle: Bundle) -> Deployed:
    """Return `bundle` as it is deployed."""
    return Deployed(bundle.name, bundle.fingerprint, bundle.specification, bundle.sources, datetime.now(timezone.utc))


def there(name: str, depends_on: Iterable[str] = (), fingerprint: str = "old") -> Deployed:
    """Return an environment that is deployed."""
    return deployed(make(name, fingerprint, depends_on=list(depends_on)))


class VirtualTime(asyncio.SelectorEventLoop):
    """A loop that does not wait: when nothing is left to do, it becomes the time of the next timer."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__(_Jump(self))

    def time(self) -> float:
        return self.now


class _Jump(selectors.SelectSelector):
    def __init__(self, loop: VirtualTime) -> None:
        super().__init__()
        self._virtual = loop

    def select(self, timeout: float | None = None) -> Any:
        events = super().select(0)
        if not events:
            assert timeout is not None, "nothing will ever happen"
            self._virtual.now += timeout
        return events
