"""Pictures that follow each other on screen: what people have seen stays where it was."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flyte_nb.view.collapse import is_large
from flyte_nb.view.scene import across

if TYPE_CHECKING:
    from flyte_nb.view.picture import Picture

__all__ = ["resembling"]


def resembling(picture: Picture, earlier: Picture) -> Picture:
    """Return `picture`, to be drawn like `earlier` as far as that goes.

    Those that are summed up keep their places anyway.
    """
    if (picture.names, picture.edges) == (earlier.names, earlier.edges):
        return replace(picture, like=earlier.like)
    if is_large(picture) or is_large(earlier):
        return picture
    return replace(picture, like=across(earlier))
