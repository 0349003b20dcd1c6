"""What Python sends to the browser as modules, written where node and its tools can read it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flyte_nb.view.widgets.deployment import DeploymentWidget
from flyte_nb.view.widgets.graph import GraphWidget
from flyte_nb.view.widgets.run import RunWidget

if TYPE_CHECKING:
    from collections.abc import Mapping

_COMPOSED = Path(__file__).parent / "composed"
_VIEWS = {"graph": GraphWidget, "run": RunWidget, "deployment": DeploymentWidget}


@pytest.fixture(scope="session")
def modules() -> Mapping[str, str]:
    """The module of each live view, as the browser gets it."""
    return {name: str(view._esm) for name, view in _VIEWS.items()}


@pytest.fixture(scope="session")
def style_sheets() -> Mapping[str, str]:
    """The style sheet of each live view, as the browser gets it."""
    return {name: str(view._css) for name, view in _VIEWS.items()}


@pytest.fixture(scope="session")
def composed(modules: Mapping[str, str]) -> Path:
    """The folder in which the modules are, NAME.js each."""
    _COMPOSED.mkdir(exist_ok=True)
    for old in _COMPOSED.iterdir():
        old.unlink()
    for name, text in modules.items():
        (_COMPOSED / f"{name}.js").write_text(text, encoding="utf-8")
    return _COMPOSED
