"""Cached results in a notebook: they outlive the kernel, and follow what the cells say."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from .notebook import Notebook

if TYPE_CHECKING:
    from pathlib import Path

CELLS = [
    "%load_ext flyte_nb\nimport flyte_nb as flyte, numpy as np, pandas as pd\nfrom dataclasses import dataclass",
    "@dataclass\nclass Model:\n    weights: np.ndarray\n    frame: pd.DataFrame",
    "rate = 0.5\ndef scaled(values):\n    return values * rate",
    "%%flyte_env ml --cache auto\n@env.task\n"
    "async def train(frame: pd.DataFrame, names: set, epochs: int = 3) -> Model:\n"
    "    print('training')\n    return Model(scaled(frame['a'].to_numpy()) * epochs, frame)\n"
    "@env.task(cache='disable')\nasync def pipeline() -> Model:\n"
    "    model = %flyte_run train(data, names)\n    return model",
    "data = pd.DataFrame({'a': np.arange(4), 'b': pd.Categorical(list('xyxy')), 'c': ['r', None, 's', 't']})\n"
    "names = {'a', 'b', 'c', 'd', 'e'}",
]
RUN = "run = await flyte.run(pipeline)\nlast = run.tree[-1].state.value"


def start(folder: Path, home: Path) -> Notebook:
    """Start a kernel and run every cell."""
    folder.mkdir()
    settings = {"FLYTE_NB_HOME": str(home), "IPYTHONDIR": str(folder / "ipython"), "NO_COLOR": "1"}
    notebook = Notebook(folder, {**os.environ, **settings})
    for number, cell in enumerate(CELLS):
        notebook.ok(cell, f"cell{number}")
    return notebook


@pytest.mark.slow
def test_results_outlive_the_kernel(tmp_path: Path) -> None:
    """After a restart the same call is cached, and its result is of the classes that the notebook defines now."""
    for number, (state, output) in enumerate([("succeeded", "training\n"), ("cached", "")]):
        notebook = start(tmp_path / str(number), tmp_path / "home")
        try:
            assert notebook.ok(RUN).stdout == output
            assert notebook.value("last") == state
            assert notebook.value("run.result.weights.tolist()") == [0.0, 1.5, 3.0, 4.5]
            assert notebook.value("isinstance(run.result, Model), run.result.frame.equals(data)") == (True, True)
        finally:
            notebook.close()


def test_results_follow_the_cells(tmp_path: Path) -> None:
    """A changed helper, constant, input or class makes a new result; running a cell again as it is does not."""
    notebook = start(tmp_path / "kernel", tmp_path / "home")
    try:
        notebook.ok(RUN)
        for number, cell in enumerate(CELLS):
            notebook.ok(cell, f"cell{number}")
        notebook.ok(RUN)
        assert notebook.value("last") == "cached"
        for change in (
            "def scaled(values):\n    return values / rate",
            "rate = 0.25",
            "data.loc[0, 'a'] = 7",
            "names.add('f')",
            "@dataclass\nclass Model:\n    weights: np.ndarray\n    frame: pd.DataFrame\n    more: int = 0",
        ):
            notebook.ok(change)
            notebook.ok(RUN)
            assert notebook.value("last") == "succeeded", change
            notebook.ok(RUN)
            assert notebook.value("last") == "cached", change
    finally:
        notebook.close()


def test_magics_inside_of_tasks(notebook: Notebook) -> None:
    """What a cached task runs with %flyte_run is used by it as if it were called."""
    notebook.ok(
        "cached = flyte.TaskEnvironment('cached', cache='auto')\n@cached.task\nasync def inner(x):\n    return x"
    )
    notebook.ok("@cached.task\nasync def outer(x):\n    y = %flyte_run inner(x)\n    return y")
    assert notebook.ok("[await outer(1), (await flyte.run(outer, 1)).status]").value == "[1, 'cached']"
    notebook.ok("@cached.task\nasync def inner(x):\n    return x + 1")
    assert notebook.ok("[await outer(1), (await flyte.run(outer, 1)).status]").value == "[2, 'cached']"


def test_what_cannot_be_cached(notebook: Notebook) -> None:
    """An input without content is refused in one line, a result without content is given with a warning."""
    notebook.ok("import sqlite3\ncached = flyte.TaskEnvironment('cached', cache='auto')")
    notebook.ok("@cached.task\nasync def read(connection) -> int:\n    return 1")
    result = notebook.run("%flyte_run read(sqlite3.connect(':memory:'))")
    assert result.ename == "UncacheableInputError"
    assert "input `connection` (sqlite3.Connection)" in result.evalue
    assert "flyte_nb/" not in result.traceback
    notebook.ok("@cached.task\nasync def opened():\n    return sqlite3.connect(':memory:')")
    result = notebook.ok("connection = %flyte_run opened()\nconnection.execute('select 1').fetchone()")
    assert result.value == "(1,)"
    assert "cached.opened: its result (sqlite3.Connection) is not cached" in result.stderr


def test_interrupted_while_it_runs(notebook: Notebook) -> None:
    """A cached task that is interrupted keeps nothing, and runs when it is called again."""
    notebook.ok(
        "seconds = 60\n@flyte.TaskEnvironment('cached', cache='auto').task\nasync def slow(salt: int):\n"
        "    print('running', flush=True)\n    await asyncio.sleep(seconds)\n    return 1"
    )
    assert notebook.interrupted("x = %flyte_run slow(1)", after=0.2).ename == "KeyboardInterrupt"
    assert notebook.interrupted("x = %flyte_run slow(1)", after=0.2).ename == "KeyboardInterrupt"
    notebook.ok("seconds = 0")
    assert notebook.ok("x = %flyte_run slow(1)\nx").value == "1"


def test_the_size_is_a_setting(notebook: Notebook) -> None:
    """%config explains and sets it, and refuses what means nothing; unloading sets it back."""
    assert "GiB" in notebook.ok("%config FlyteNB").stdout
    notebook.ok("from flyte_nb.session import session\n%config FlyteNB.cache_size = 0.5")
    assert notebook.value("session().settings.cache_size") == 0.5
    notebook.run("%config FlyteNB.cache_size = -1")
    assert notebook.value("session().settings.cache_size") == 0.5
    notebook.ok("%config FlyteNB.cache_size = 1\n%unload_ext flyte_nb")
    assert notebook.value("session().settings.cache_size") == 5.0
