"""Environments without tasks, which say to the SDK what image an environment has."""

from __future__ import annotations

import flyte

__all__ = ["ImageStub"]


class ImageStub(flyte.TaskEnvironment):  # type: ignore[misc]  # the SDK need not be installed
    """An environment that stands for one which is deployed by itself."""
