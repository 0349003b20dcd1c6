"""A run on screen: how long such runs take, and calls that outlive the cell."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import flyte_nb as flyte
from flyte_nb import TaskEnvironment
from flyte_nb.execution.call import Call
from flyte_nb.execution.journal import Journal
from flyte_nb.execution.node import RunState
from flyte_nb.jupyter import live, live_run, output
from flyte_nb.jupyter.live_run import LiveRun
from flyte_nb.jupyter.on_screen import ViewsOnScreen
from flyte_nb.session import session


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What stays in the notebook, as text, each time that it is displayed; everything lasts long enough."""
    told: list[str] = []
    monkeypatch.setattr(output, "show", lambda bundle, *_, **__: told.append(bundle["text/plain"]))
    for name in ("_PATIENCE_SECONDS", "_KEEP_SECONDS", "_KEEP_SHARE", "_REST"):
        monkeypatch.setattr(live, name, 0.0)
    monkeypatch.setattr(live_run, "_FOLLOW_SECONDS", 0.01)
    monkeypatch.setattr(live, "monotonic", iter(range(10_000)).__next__)  # every look comes a second later
    return told


def test_what_is_left_of_a_map_that_was_abandoned(shown: list[str]) -> None:
    """While the cell runs its calls are to come; of the run that has ended it is said how many never began."""
    journal, on_screen = Journal(), ViewsOnScreen()
    view = LiveRun(journal, on_screen, watched=True)
    calls = [Call(number, "e.work", "", None, journal) for number in range(1, 11)]
    journal.extend(calls)
    journal.expect(None, "e.work", 90, maps=1)
    view.update()
    for made in calls:
        made.end()
    journal.extend(calls)
    view.update()
    assert shown[-1].startswith("✓ e.work × 10 of 100")
    assert "running: 10 calls, 10 succeeded, 90 to come" in shown[-1]
    journal.close()
    view.end()
    assert shown[-1].startswith("✓ e.work × 10 of 100  ")
    assert ": 10 calls, 90 not begun" in shown[-1]


def test_calls_that_outlive_the_cell_are_said_to_go_on(shown: list[str]) -> None:
    """Until the last has ended, what stays in the notebook says that it may be out of date; the live view follows."""
    journal, on_screen = Journal(), ViewsOnScreen()
    view = LiveRun(journal, on_screen, watched=True)

    async def cell() -> Any:
        root = Call(1, "e.root", "", None, journal)
        other = Call(2, "e.other", "", root, journal)
        journal.extend([root, other])
        view.update()
        root.end(ValueError("bad"))
        journal.append(root)
        view.end()
        assert "As it stood after" in shown[-1]
        for _ in range(3):
            await asyncio.sleep(0.03)
        assert "As it stood after" in shown[-1]
        widget = view._widget
        assert widget
        assert (widget._run["head"]["state"], widget._run["head"]["ended"]) == ("running", None)
        other.end()
        journal.append(other)
        await asyncio.gather(*on_screen._followers)
        assert "As it stood" not in shown[-1]
        return widget._run["head"]

    head = asyncio.run(cell())
    assert (head["state"], head["done"]) == ("failed", 2)
    assert head["ended"] is not None
    on_screen.close()


def test_the_history_is_asked_once_how_long_such_runs_take(shown: list[str]) -> None:
    """When there is a live view, and never again; the first call says what is run, and where."""
    journal, on_screen, asked = Journal(), ViewsOnScreen(), list[Call]()

    def usual(call: Call) -> float:
        asked.append(call)
        return 1_000.0

    view = LiveRun(journal, on_screen, usual=usual, watched=True)
    journal.append(Call(1, "e.root", "", None, journal))
    for _ in range(3):
        view.update()
    assert asked == [journal[0]]
    assert view._widget
    assert view._widget._run["head"]["left"] > 900
    journal[0].end()
    journal.append(journal[0])
    view.end()
    assert view._widget._run["head"]["left"] is None
    on_screen.close()


def test_a_run_takes_as_long_as_those_before_that_succeeded() -> None:
    """The median of runs of the same task in the same place; of what never succeeded nothing is known."""
    env = TaskEnvironment("usual")

    @env.task
    async def waits(seconds: float) -> None:
        await asyncio.sleep(seconds)
        if not seconds:
            raise ValueError("bad")

    async def runs() -> None:
        for seconds in (0.05, 0.15, 0.3, 0.0):
            await asyncio.gather(flyte.run(waits, seconds), return_exceptions=True)

    first = Call(1, "usual.waits", "", None, Journal())
    history = session().history
    assert history.usual_seconds(first) is None
    asyncio.run(runs())
    history.flush()
    found = history.usual_seconds(first)
    assert [run.state for run in flyte.runs(task="usual.waits")].count(RunState.FAILED) == 1
    took = [run.duration for run in flyte.runs(task="usual.waits", state="succeeded") if run.duration]
    assert found == pytest.approx(sorted(took)[1], abs=1e-5)  # the history tells microseconds
    assert history.usual_seconds(Call(1, "usual.other", "", None, Journal())) is None
