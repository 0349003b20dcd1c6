"""What there is to see: named nodes with a state each, and what comes before what. Plain facts, no drawing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flyte_nb.view.states import STATES

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Calls", "Node", "Picture"]


@dataclass(frozen=True, slots=True)
class Node:
    """One environment as a view shows it.

    Attributes:
        name: Its name, which identifies it in the picture.
        state: A key of `flyte_nb.view.states.STATES`.
        subtitle: A second line, such as its image.
        details: (label, value) pairs that are shown when it is selected.
        span: Of a node that stands for several environments: where they begin and end in the order of the waves.
        opened: Whether what it stands for is shown as well.

    Raises:
        ValueError: If `state` is not a known state.
    """

    name: str
    state: str = "defined"
    subtitle: str = ""
    details: tuple[tuple[str, str], ...] = ()
    span: tuple[int, int] | None = None
    opened: bool = False

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise ValueError(f"Node.state must be one of {', '.join(STATES)}, not {self.state!r}")


@dataclass(frozen=True, slots=True)
class Calls:
    """How often tasks of one environment have called tasks of another.

    Attributes:
        caller: The environment that calls.
        called: The environment that is called.
        count: How often.
        expected: Whether `called` is among what `caller` depends on, directly or not.
    """

    caller: str
    called: str
    count: int
    expected: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """Environments and the order they deploy in.

    Attributes:
        nodes: In the order they were defined, which breaks ties in every view.
        edges: (dependency, dependent) pairs of names: what is deployed first comes first.
        note: Lines above the picture that say what it leaves out.
        numbered: Whether the views number the waves.
        room: A subtitle for which every node has room, where live views change them.
        like: The names as they lay across the flow of an earlier picture, which this one is to resemble.
        sides: What to call the lists of what comes before a node, and of what comes after it.
        calls: What has called what while it ran; those of environments that are not in the picture are not drawn.

    Raises:
        ValueError: If two nodes have one name, or an edge names a node that is not there.
    """

    nodes: tuple[Node, ...]
    edges: tuple[tuple[str, str], ...] = ()
    note: str = ""
    numbered: bool = True
    room: str = ""
    like: tuple[str, ...] = ()
    sides: tuple[str, str] = ("depends on", "needed by")
    calls: tuple[Calls, ...] = ()

    def __post_init__(self) -> None:
        names = Counter(node.name for node in self.nodes)
        if twice := [name for name, count in names.items() if count > 1]:
            raise ValueError(f"Picture.nodes has {twice[0]!r} twice; a name is an identity")
        if loose := [edge for edge in self.edges if not (edge[0] in names and edge[1] in names)]:
            raise ValueError(f"Picture.edges has {loose[0]!r}, but not both are among the nodes")

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the nodes, in their order."""
        return tuple(node.name for node in self.nodes)

    def with_states(self, states: Mapping[str, str]) -> Picture:
        """Return this picture with the states of the named nodes replaced; names it does not show are ignored."""
        nodes = (replace(node, state=states[node.name]) if node.name in states else node for node in self.nodes)
        return replace(self, nodes=tuple(nodes))
