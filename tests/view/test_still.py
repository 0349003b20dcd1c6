"""The still image of a picture."""

from __future__ import annotations

import re
from base64 import b64decode
from itertools import pairwise

import pytest

from flyte_nb.view.picture import Node, Picture
from flyte_nb.view.still import still
from flyte_nb.view.svg import draw


@pytest.mark.parametrize("size", [3, 501])
def test_the_image_is_the_whole_picture_with_a_legend_that_counts_environments(size: int) -> None:
    """A picture that is summed up to be drawn still counts its environments by state, not the nodes that stand in."""
    names = [f"n{index}" for index in range(size)]
    picture = Picture(tuple(Node(name, "succeeded") for name in names), tuple(pairwise(names)))
    encoded = re.search(r"base64,([\w+/=]+)", still(picture, "fnb-test"))
    assert encoded
    svg = b64decode(encoded[1]).decode()
    assert svg == draw(picture)
    assert f"{size:,} deployed" in svg
