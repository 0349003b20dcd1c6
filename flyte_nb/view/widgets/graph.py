"""The live picture: the same scene as the still image, with states that change, details and a keyboard."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from traitlets import Dict, Unicode, observe

from flyte_nb.view.collapse import Collapser
from flyte_nb.view.scene import NAME_SIZE, SUBTITLE_SIZE, TEXT_LEFT, compose
from flyte_nb.view.states import STATES, tally
from flyte_nb.view.still import bundle
from flyte_nb.view.widgets.hosted import HostedWidget
from flyte_nb.view.widgets.hosting import module, style

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flyte_nb.view.picture import Picture

__all__ = ["GraphWidget"]

_VOCABULARY = {name: asdict(state) for name, state in STATES.items()}
_SIZES = {"name": NAME_SIZE, "subtitle": SUBTITLE_SIZE, "left": TEXT_LEFT}


class GraphWidget(HostedWidget):
    """Draws a picture over the still image with the class `host`, wherever that is displayed.

    It is never displayed itself: show `bundle()` as the cell's output. `close()` brings the still image back.

    Args:
        picture: What to show.
        host: The class of the still image's div.
        on_cancel: What a Cancel button does, where a view has one.
        others: What else a page knows from the beginning, by trait.

    Attributes:
        picture: What is shown, with the states it has now.
        selected: The name of the environment whose details are open, or "". Can be observed.
    """

    picture: Picture
    _collapser: Collapser
    _keys: dict[str, str]

    _choices = frozenset({"_selected"})
    _esm = module("graph_view", "graph")
    _css = style("graph")
    _vocabulary = Dict(_VOCABULARY).tag(sync=True)
    _scene = Dict().tag(sync=True)
    # By key, because a name can be anything and a message cannot.
    _states = Dict().tag(sync=True)
    _selected = Unicode().tag(sync=True, echo_update=False)
    selected = Unicode()

    def __init__(self, picture: Picture, host: str, on_cancel: Callable[[], None] | None = None, **others: Any) -> None:
        super().__init__(host, on_cancel, **self._begin_with(picture), **others)

    def show(self, picture: Picture) -> None:
        """Replace the picture. What was selected stays selected if it is still there."""
        self._replace(self._begin_with(picture))

    def set_states(self, states: Mapping[str, str]) -> None:
        """Change the states of the named environments; names that are not shown are ignored.

        Only the difference is sent. Coalesce updates that come faster than every 50 ms.

        Raises:
            ValueError: If a state is not one of `flyte_nb.view.states.STATES`.
        """
        message = self._new_states(states)
        if message:
            self.send(message)

    def _new_states(self, states: Mapping[str, str]) -> dict[str, Any]:
        """Return the message by which the page learns those of `states` that it does not know, if there are any."""
        self.picture = self.picture.with_states(states)
        if self._collapser.needed:
            self._replace(self._drawn())
            return {}
        delta = {self._keys[name]: state for name, state in states.items() if name in self._keys}
        delta = {key: state for key, state in delta.items() if self._states[key] != state}
        # Changed in place: a page that is loaded later gets it, and no event sends the whole.
        self._states.update(delta)
        return {"states": delta} if delta else {}

    def bundle(self) -> dict[str, str]:
        """Return the mimebundle to display, as things are now: also for `update_display` at the end."""
        return bundle(self.picture, self._host)

    def _replace(self, drawn: Mapping[str, Any]) -> None:
        """Replace what is drawn. What was selected stays selected if it is still there, by another key perhaps."""
        selected = self.selected
        with self.hold_sync():
            self.set_trait("_selected", self._keys.get(selected, ""))
            for name, value in drawn.items():
                self.set_trait(name, value)

    def _begin_with(self, picture: Picture) -> dict[str, Any]:
        """Return the synced traits of a new picture."""
        self.picture, self._collapser = picture, Collapser(picture)
        return self._drawn()

    def _drawn(self) -> dict[str, Any]:
        """Return the synced traits of the present picture, and note the key of every name."""
        shown = self._collapser(self.picture)
        scene = compose(shown)
        self._keys = {node.name: f"n{index}" for index, node in enumerate(shown.nodes)}
        counts = tally(node.state for node in self.picture.nodes) if self._collapser.needed else None
        states = {card.key: card.state for card in scene.cards}
        facts = asdict(scene)
        for card in facts["cards"]:
            del card["state"]  # lives in _states alone
        return {"_scene": {**facts, "sizes": _SIZES, "counts": counts}, "_states": states}

    @observe("_selected")
    def _note_selected(self, change: Mapping[str, Any]) -> None:
        names = {key: name for name, key in self._keys.items()}
        self.selected = names.get(change["new"], "")
