"""The picture that stays in the notebook: an image any front end shows, also untrusted and without a kernel.

JupyterLab's sanitizer strips <svg> and <style>, and keeps an <img> with a data URI.
"""

from __future__ import annotations

import re
from base64 import b64encode
from secrets import token_hex
from typing import TYPE_CHECKING

from flyte_nb.view.collapse import Collapser, collapse
from flyte_nb.view.escape import html_text
from flyte_nb.view.room import MOST_HTML, MOST_PICTURE
from flyte_nb.view.scene import headline
from flyte_nb.view.svg import describe, draw
from flyte_nb.view.text import graph_text
from flyte_nb.view.waves import waves

if TYPE_CHECKING:
    from collections.abc import Callable

    from flyte_nb.view.picture import Picture

__all__ = ["bundle", "new_host", "still"]

_CLASS = re.compile(r"[A-Za-z][\w-]*", re.ASCII)
_LONGEST_ALT, _ROOM_AROUND = 1_000, 200


def still(picture: Picture, host: str, below: Callable[[int], str] | None = None) -> str:
    """Return HTML with `picture` as an image, in a div of the classes "flyte-nb" and `host`.

    Args:
        picture: What to show.
        host: The class by which the live view finds this place; unique to one output.
        below: Returns HTML, of so many characters at most, that a live view shows in its own way, like the picture.

    Raises:
        ValueError: If `host` is not a plain class name, or the edges contain a cycle.
    """
    if not _CLASS.fullmatch(host):
        raise ValueError(f"host must be a class name such as 'fnb-1a2b', not {host!r}")
    shown = collapse(picture)
    source = _source(picture, shown)
    if len(source) > MOST_PICTURE:
        shown = Collapser(picture, always=True)(picture)
        source = _source(picture, shown)
    known = f"{headline(shown, len(waves(shown.names, shown.edges)))}: {describe(shown)}"
    image = f'<img alt="{html_text(known, _LONGEST_ALT)}" src="data:image/svg+xml;base64,{source}">'
    rest = below(MOST_HTML - len(image) - _ROOM_AROUND) if below else ""
    return f'<div class="flyte-nb {host}">{image}{rest}</div>'


def _source(picture: Picture, shown: Picture) -> str:
    return b64encode(draw(picture, shown).encode()).decode()


def new_host() -> str:
    """Return a class no other output has, in this notebook or any other.

    It must not repeat: a live view mounts over whatever has its class, outputs of earlier sessions included.
    """
    return f"fnb-{token_hex(8)}"


def bundle(picture: Picture, host: str) -> dict[str, str]:
    """Return the mimebundle of a hosted view: `still` as text/html, `graph_text` as text/plain."""
    return {"text/html": still(picture, host), "text/plain": graph_text(picture)}
