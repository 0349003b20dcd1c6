"""One output has at most so many characters, whatever stands in it, and says where something was cut."""

from __future__ import annotations

from datetime import datetime, timezone
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyte_nb.deployment.applying.status import State
from flyte_nb.deployment.keeping.recorded import DeploymentLine, RecordedDeployment
from flyte_nb.deployment.planning.plan import Change
from flyte_nb.execution.node import RunState
from flyte_nb.jupyter import output
from flyte_nb.view.deployment_still import deployment_bundle
from flyte_nb.view.deployments import deployment_picture
from flyte_nb.view.past_deployments import said_table
from flyte_nb.view.picture import Node, Picture
from flyte_nb.view.plans import plan_picture, plan_table, source_diffs_html
from flyte_nb.view.room import MOST_HTML, last_that_fit
from flyte_nb.view.run_still import run_bundle
from flyte_nb.view.run_tree import RunTree
from flyte_nb.view.still import bundle, new_host
from flyte_nb.view.table import table_html, table_text

from .calls import call, end
from .deployments import plan, progress, status, step, update
from .inertness import assert_inert

if TYPE_CHECKING:
    from collections.abc import Iterator

EVIL = "\"&<'>" * 1_000
MOST_TEXT = 100_000


def _deployment() -> dict[str, str]:
    names = [f"{at}{EVIL[:500]}" for at in range(300)]
    known = progress(*map(step, names))
    for at, name in enumerate(names):
        for _ in range(50):
            known.say(name, EVIL[:500])
        known.note(status(name, State.FAILED, at, at + 1, error=EVIL))
    return deployment_bundle(known, new_host(), "As it stood.")


def _plan() -> dict[str, str]:
    old = "\n".join([EVIL[:300]] * 20)
    steps = [update(f"{at}{EVIL[:500]}", Change("source", old, f"{old}{at}\nx")) for at in range(300)]
    made, shown = plan(*steps), list[dict[str, str]]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(output, "show", lambda bundle, *_, **__: shown.append(bundle))
        output.GraphOutput(plan_picture(made), plan_table(made), source_diffs_html(made), watched=False)
    return shown[0]


def _run() -> dict[str, str]:
    calls = [call(1, f"e.{EVIL}", inputs=EVIL)]
    for number in range(2, 302):
        made = call(number, f"e{number}.{EVIL[:500]}", calls[0], inputs=EVIL)
        made.write("stdout", f"{EVIL[:500]}\n" * 50)
        calls.append(end(made, RunState.FAILED, at=1, error=EVIL, arose=number))
    tree = RunTree()
    tree.update(calls)
    return run_bundle(tree, new_host(), under_way=True, note="As it stood.")


def _log() -> dict[str, str]:
    moment = datetime(2026, 5, 4, tzinfo=timezone.utc)
    past = RecordedDeployment("d1", "local", "deploy", "", State.FAILED, moment, None, {}, _details=cast("Any", None))
    lines = [DeploymentLine(EVIL, moment, f"{at} {EVIL}") for at in range(300)]
    table = said_table(past, lines)
    return {"text/html": table_html(table, whole=True), "text/plain": table_text(table)}


@pytest.mark.parametrize("make", [_deployment, _plan, _run, _log])
def test_three_hundred_of_what_is_long_and_full_of_markup(make: Any) -> None:
    """A deployment, a plan, a run and a log stay within one size, are still well formed, and say that they are cut."""
    made = make()
    html = made["text/html"]
    assert len(html) <= MOST_HTML
    assert len(made["text/plain"]) <= MOST_TEXT
    assert "are cut" in html
    assert_inert(made, MOST_HTML)


def _graph(nodes: int, edges: int) -> Picture:
    names = [f"environment-{at}" for at in range(nodes)]
    pairs: Iterator[tuple[str, str]] = (
        (a, b) for gap in range(1, nodes) for a, b in zip(names, names[gap:], strict=False)
    )
    made = tuple(Node(name, "failed", subtitle="python:3.12-slim") for name in names)
    return Picture(made, tuple(islice(pairs, edges)))


def test_a_large_graph_is_summed_up_sooner_where_it_stays() -> None:
    """Two hundred environments are drawn as they are; five hundred with two thousand edges have no room."""
    two_hundred = bundle(_graph(200, 300), new_host())["text/html"]
    assert "summed up" not in two_hundred
    html = bundle(_graph(499, 1_990), new_host())["text/html"]
    assert "499 environments, summed up by wave" in html
    assert len(html) <= MOST_HTML


def test_what_failed_is_in_the_table_though_the_picture_is_large() -> None:
    """Of 499 that failed there are the picture and as many rows as there is room for; the rest is counted."""
    known = progress(*[step(f"environment-{at}") for at in range(499)])
    for at in range(499):
        known.note(
            status(f"environment-{at}", State.FAILED, at, at + 1, error=f"RuntimeError: no room {'.' * 500} {at}")
        )
    html = deployment_bundle(known, new_host())["text/html"]
    assert len(html) <= MOST_HTML
    assert html.count("<tr>") > 100
    assert " more</div>" in html
    assert deployment_picture(known).nodes[498].state == "failed"


@given(st.lists(st.text(max_size=20), max_size=20), st.integers(0, 100))
def test_the_last_that_fit(texts: list[str], room: int) -> None:
    """No more than there is room for, and not one less."""
    found = list(last_that_fit(texts, room))
    assert found == texts[len(texts) - len(found) :]
    assert sum(len(text) + 1 for text in found) <= room
    if len(found) < len(texts):
        assert sum(len(text) + 1 for text in texts[-len(found) - 1 :]) > room
