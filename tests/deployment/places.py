"""Parts of a deployment for tests: bundles, plans, targets in memory, and watchers that note what they are told."""

from __future__ import annotations

import asyncio
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from flyte_nb.bundle.content import Bundle
from flyte_nb.deployment.planning.making import make_plan
from flyte_nb.targets.protocol import Deployed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flyte_nb.deployment.applying.status import EnvironmentStatus
    from flyte_nb.deployment.planning.plan import Plan
    from flyte_nb.targets.protocol import Log, Target

Graph = dict[str, tuple[str, ...]]
CHAIN: Graph = {"base": (), "ml": ("base",), "api": ("ml",)}


def bundle(name: str, version: str = "1", depends_on: tuple[str, ...] = ()) -> Bundle:
    specification = {"image": f"{name}:{version}", "depends_on": list(depends_on), "tasks": {}}
    return Bundle(
        name, specification, {f"{name}.t": f"return {version}"}, f"{name}-{version}", f"# {version}", {"m.py": ""}
    )


def making(
    target: Target, edges: Graph = CHAIN, versions: Mapping[str, str] | str = "1"
) -> Callable[[], tuple[Plan, dict[str, Bundle]]]:
    """Return what plans to deploy `edges` to `target`, each name in its version."""
    of = dict.fromkeys(edges, versions) if isinstance(versions, str) else versions
    bundles = {name: bundle(name, of[name], depends_on) for name, depends_on in edges.items()}
    return lambda: (make_plan(target.name, list(edges), edges, bundles, target.observe()), bundles)


class MemoryTarget:
    """Deploys into memory what `release` lets pass; what is in `failing` fails.

    Attributes:
        begun: The names whose deployment has begun, in order.
    """

    def __init__(self, name: str = "memory") -> None:
        self.name = name
        self.content: dict[str, Deployed] = {}
        self.failing: set[str] = set()
        self.begun: list[str] = []
        self.released: set[str] | None = None

    def observe(self) -> Mapping[str, Deployed]:
        return dict(self.content)

    def remarks(self, spec: object) -> tuple[str, ...]:
        return ()

    def refusals(self, bundles: object) -> dict[str, Any]:
        return {}

    async def deploy_environment(self, bundle: Bundle, log: Log) -> None:
        self.begun.append(bundle.name)
        log(f"deploying {bundle.name}")
        while self.released is not None and bundle.name not in self.released:  # noqa: ASYNC110 - a test adds names
            await asyncio.sleep(0.001)
        if bundle.name in self.failing:
            raise RuntimeError(f"no room for {bundle.name}, token=abcdef123")
        now = datetime.now(timezone.utc)
        self.content[bundle.name] = Deployed(bundle.name, bundle.fingerprint, bundle.specification, bundle.sources, now)

    async def remove_environment(self, name: str, log: Log) -> None:
        del self.content[name]


class Noting:
    """A watcher that notes what it is told."""

    def __init__(self) -> None:
        self.waited: list[str] = []
        self.names: list[str] = []
        self.states: list[tuple[str, str]] = []
        self.lines: list[tuple[str, str]] = []

    def waiting(self, holder: str) -> None:
        self.waited.append(holder)

    def begun(self, plan: Plan, name: str) -> None:
        self.names.append(name)

    def changed(self, status: EnvironmentStatus) -> None:
        self.states.append((status.name, status.state.value))

    def said(self, environment: str, line: str) -> None:
        self.lines.append((environment, line))


async def until(condition: Callable[[], object]) -> None:
    """Wait until something is so."""

    async def wait() -> None:
        while not condition():  # noqa: ASYNC110 - of any condition
            await asyncio.sleep(0.001)

    await asyncio.wait_for(wait(), 20)
