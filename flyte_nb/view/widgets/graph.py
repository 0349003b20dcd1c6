"""The live picture: the same scene as the still image, with states that change, details and a keyboard."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from traitlets import Bool, Dict, List, Unicode, observe

from flyte_nb.graph import closure
from flyte_nb.view.collapse import SINGLED_OUT, Collapser
from flyte_nb.view.escape import inert
from flyte_nb.view.picture import Picture
from flyte_nb.view.scene import NAME_SIZE, SUBTITLE_SIZE, TEXT_LEFT, compose
from flyte_nb.view.states import STATES
from flyte_nb.view.widgets.hosted import HostedWidget
from flyte_nb.view.widgets.hosting import module, style
from flyte_nb.view.widgets.patching import changed_rows, changed_scene, changed_states

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flyte_nb.view.picture import Node

__all__ = ["GRAPH_PARTS", "GraphWidget"]

_PARTS = ("drawing", "waves", "ways", "search", "camera", "details", "requests", "hands", "view", "answers")
GRAPH_PARTS = tuple(f"graph_{part}" for part in _PARTS)
"""The parts of the module of every view that is a graph."""

_VOCABULARY = {name: asdict(state) for name, state in STATES.items()}
_SIZES = {"name": NAME_SIZE, "subtitle": SUBTITLE_SIZE, "left": TEXT_LEFT}
_LONGEST_HAY, _LONGEST_VALUE = 300, 2_000


class _Unfolded(NamedTuple):
    """What is shown of a picture that is summed up.

    Attributes:
        spans: Of the waves that are open, in the order of all names.
        stepped: The key of what was looked for, and stands by itself.
    """

    spans: tuple[tuple[int, int], ...] = ()
    stepped: str = ""


class GraphWidget(HostedWidget):
    """Draws a picture over the still image with the class `host`, wherever that is displayed.

    It is never displayed itself: the cell's output is what is still. `close()` brings the still image back.

    Args:
        picture: What to show.
        host: The class of the still image's div.
        on_cancel: What a Cancel button does, where a view has one.
        about: Tells what else there is to know of an environment, as (label, value) pairs, when its details are open.
        with_calls: Lays over a picture what has called what while it ran; without it there is no button for that.
        calls: Whether they are laid over it until a page chooses.
        others: What else a page knows from the beginning, by trait.

    Attributes:
        selected: The name of the environment whose details are open, or "". Can be observed.
    """

    _collapser: Collapser
    _keys: dict[str, str]
    _picture: Picture
    _later: dict[str, str]
    _overlay: dict[str, Any]

    _subtitles_stay: ClassVar[bool] = True
    """Whether what stands below a name is the same whatever state it is in, and can be found."""
    _choices = frozenset({"_selected", "_opened", "_stepped", "_with_calls"})
    _esm = module(*GRAPH_PARTS, "graph")
    _css = style("graph", "graph_search")
    _vocabulary = Dict(_VOCABULARY).tag(sync=True)
    _scene = Dict().tag(sync=True)
    # By key, because a name can be anything and a message cannot. Of every environment, whether it is shown or not.
    _states = Dict().tag(sync=True)
    # Of a picture that is summed up: key, name and what else is searched of every environment, in the order of waves.
    _index: List[list[str]] = List().tag(sync=True)
    _selected = Unicode().tag(sync=True, echo_update=False)
    # What is open: the spans of waves, and the key of what was looked for.
    _opened: List[list[int]] = List().tag(sync=True, echo_update=False)
    _stepped = Unicode().tag(sync=True, echo_update=False)
    # Whether Python has more to tell of what is selected, and knows what has called what.
    _tells = Bool(False).tag(sync=True)
    _tells_calls = Bool(False).tag(sync=True)
    _with_calls = Bool(False).tag(sync=True, echo_update=False)
    selected = Unicode()

    def __init__(
        self,
        picture: Picture,
        host: str,
        on_cancel: Callable[[], None] | None = None,
        *,
        about: Callable[[str], Sequence[tuple[str, str]]] | None = None,
        with_calls: Callable[[Picture], Picture] | None = None,
        calls: bool = False,
        **others: Any,
    ) -> None:
        self._about, self._lay_calls, self._listens = about, with_calls, False
        self._keys, self._needy, self._unfolded, self._overlay = {}, frozenset[str](), _Unfolded(), {}
        self._collapser = Collapser(Picture(()))
        told = {"_tells": about is not None, "_tells_calls": with_calls is not None, "_with_calls": calls}
        super().__init__(host, on_cancel, **self._begin_with(picture, calls=calls), **told, **others)
        self._listens = True

    def show(self, picture: Picture) -> None:
        """Replace the picture. What was selected or opened stays so if it is still there."""
        with self.lock:
            if picture != self.picture:
                self._replace_quietly(lambda: self._begin_with(picture, calls=self._with_calls))

    def look_again(self) -> None:
        """Have pages ask again what is told of what is selected; lay over what has called what since."""
        with self.lock:
            if self._with_calls:
                self._replace_quietly(lambda: self._drawn_with_calls(wanted=True))
            self.send({"outdated": True})

    def _replace_quietly(self, draw: Callable[[], Mapping[str, Any]]) -> None:
        """Replace what is drawn by what `draw` returns; what that changes is no choice of a page's."""
        self._listens = False
        try:
            self._replace(draw())
        finally:
            self._listens = True

    @property
    def picture(self) -> Picture:
        """What is shown, with the states it has now, and without what is laid over it."""
        if self._later:
            self._picture, self._later = self._picture.with_states(self._later), {}
        return self._picture

    @picture.setter
    def picture(self, picture: Picture) -> None:
        self._picture, self._later = picture, {}

    def _new_states(self, states: Mapping[str, str]) -> dict[str, Any]:
        """Return the message by which the page learns those of `states` that it does not know, if there are any.

        Who calls this holds the lock. Names that are not shown are ignored.
        """
        self._later.update(states)  # to draw a picture of thousands for each would take longest
        delta = {self._keys[name]: state for name, state in states.items() if name in self._keys}
        delta = {key: state for key, state in delta.items() if self._states[key] != state}
        # Changed in place: a page that is loaded later gets it, and no event sends the whole.
        self._states.update(delta)
        if self._collapser.needed and (
            not self._needy.isdisjoint(states) or not SINGLED_OUT.isdisjoint(states.values())
        ):
            self._single_out()
        return {"states": delta} if delta else {}

    def _single_out(self) -> None:
        """Draw again if others are to be shown by themselves than are."""
        if self._needy != self._singled_out():
            self._replace(self._drawn())

    def _replace(self, drawn: Mapping[str, Any]) -> None:
        """Replace what is drawn. What was selected stays selected if it is still there."""
        selected = self.selected
        patch = self._patch(drawn)
        with self.hold_sync():
            self.set_trait("_selected", self._keys.get(selected, ""))
            for name, value in drawn.items():
                if name not in patch:
                    self.set_trait(name, value)
        # Changed in place: a page that is loaded later gets it, and no event sends the whole.
        if "_scene" in patch:
            self._scene.update(drawn["_scene"])
        if "_index" in patch:
            self._index[:] = drawn["_index"]
        if "_states" in patch:
            self._states.update(patch["_states"])
        if any(patch.values()):
            self.send({"patch": patch})

    def _patch(self, drawn: Mapping[str, Any]) -> dict[str, Any]:
        """Return what of the large traits differs, by trait, where that is less than all of it."""
        patch: dict[str, Any] = {"_scene": changed_scene(self._scene, drawn["_scene"])}
        if "_index" in drawn:
            patch["_index"] = changed_rows(self._index, drawn["_index"])
        if "_states" in drawn:
            patch["_states"] = changed_states(self._states, drawn["_states"])
        return {name: parts for name, parts in patch.items() if parts is not None}

    def _begin_with(self, picture: Picture, *, calls: bool) -> dict[str, Any]:
        """Return the synced traits of a new picture, and note the key of every name: the one that it had before."""
        earlier, self._collapser = self._collapser, Collapser(picture)
        self.picture = picture
        known, self._keys = self._keys, {}
        number = 1 + max((int(key[1:]) for key in known.values()), default=-1)
        for node in picture.nodes:
            self._keys[node.name] = known.get(node.name) or f"n{number}"
            number += node.name not in known
        node_of = {node.name: node for node in picture.nodes}
        index = [[self._keys[name], *self._searched(node_of[name])] for name in self._collapser.order]
        states = {self._keys[node.name]: node.state for node in picture.nodes}
        self._unfolded = _Unfolded(
            self._collapser.opened_like(earlier, self._unfolded.spans),
            self._unfolded.stepped if self._unfolded.stepped in states else "",
        )
        unfolded = {"_opened": [list(span) for span in self._unfolded.spans], "_stepped": self._unfolded.stepped}
        return {**self._drawn_with_calls(wanted=calls), **unfolded, "_states": states, "_index": index}

    def _searched(self, node: Node) -> tuple[str, str]:
        """Return the name of a node, and the other words by which it is found."""
        described = [value for label, value in node.details if label == "description"]
        words = [node.subtitle, *described] if self._subtitles_stay else described
        return inert(node.name), inert(" ".join(words), _LONGEST_HAY)

    def _drawn_with_calls(self, *, wanted: bool) -> dict[str, Any]:
        """Return what `_drawn` does once it is known what has called what, if that is wanted."""
        self._overlay = {}
        if wanted and self._lay_calls:
            laid = self._lay_calls(self.picture)
            self._overlay = {"calls": laid.calls, "note": laid.note}
        return self._drawn()

    def _drawn(self) -> dict[str, Any]:
        """Return the synced traits of the present picture that depend on what is open and what is singled out."""
        self._needy = self._singled_out()
        picture = replace(self.picture, **self._overlay)
        shown = self._collapser(picture, self._unfolded.spans, [self._name_of(self._unfolded.stepped) or ""])
        groups = {node.name: "g{}-{}".format(*node.span) for node in shown.nodes if node.span}
        self._shown = {node.name: self._keys[node.name] for node in shown.nodes if not node.span}
        facts = asdict(compose(shown, {**self._shown, **groups}))
        for card in facts["cards"]:
            del card["state"]  # lives in _states alone
        return {"_scene": {**facts, "sizes": _SIZES}}

    def _singled_out(self) -> frozenset[str]:
        return frozenset(node.name for node in self.picture.nodes if node.state in SINGLED_OUT)

    # What people choose

    @observe("_selected")
    def _note_selected(self, change: Mapping[str, Any]) -> None:
        self.selected = self._name_of(change["new"]) or ""

    def _name_of(self, key: object) -> str | None:
        """Return the environment that pages know by `key`; what a page tells may be anything."""
        return next((name for name, known in self._keys.items() if known == key), None)

    def _hear(self, widget: HostedWidget, content: object, buffers: object) -> None:
        super()._hear(widget, content, buffers)
        # Asked by the page when it has drawn: what takes long to find out holds nothing else up.
        asked = content.get("tell") if isinstance(content, dict) else None
        with self.lock:
            name = self._name_of(asked)
            ends = {"ends": self._ends(name)} if name is not None and self._collapser.needed else {}
        if name is not None:
            pairs = self._about(name) if self._about else ()
            told = [[inert(label, 60), inert(value, _LONGEST_VALUE)] for label, value in pairs]
            self.send({"about": {"key": asked, "told": told, **ends}})

    def _ends(self, name: str) -> dict[str, Any]:
        """Return what is next to an environment, and how much there is in all, where not all of it is drawn."""
        before, after = self._collapser.before, self._collapser.after
        return {
            "before": [[self._keys[other], inert(other)] for other in before.get(name, ())],
            "after": [[self._keys[other], inert(other)] for other in after.get(name, ())],
            "upstream": len(closure([name], before)) - 1,
            "downstream": len(closure([name], after)) - 1,
        }

    @observe("_opened", "_stepped")
    def _open(self, _change: Mapping[str, Any]) -> None:
        if self._listens:
            self._unfolded = _Unfolded(tuple((start, end) for start, end in self._opened), self._stepped)
            self._replace(self._drawn())
            self.send({"answered": True})  # what is drawn may be the same

    @observe("_with_calls")
    def _show_calls(self, change: Mapping[str, Any]) -> None:
        if self._listens and self._lay_calls:
            self._replace(self._drawn_with_calls(wanted=change["new"]))
            self.send({"answered": True})
