"""%flyte_plan and %flyte_deploy in a real kernel: what they show while and after they work."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import ipykernel
import pytest

from tests.bare_target import BARE_TARGET

if TYPE_CHECKING:
    from pathlib import Path

    from .notebook import Notebook

hears_buttons = pytest.mark.skipif(
    ipykernel.version_info < (7,),  # type: ignore[attr-defined]
    reason="ipykernel 6 hears a button only when the cell has ended",
)

_SLOW = (
    BARE_TARGET
    + """
from flyte_nb.session import session
class Slow(BareTarget):
    name = "slow"
    seconds = 0.4
    async def deploy_environment(self, bundle, log):
        log(f"building {bundle.name}")
        print(f"printing {bundle.name}")
        await asyncio.sleep(self.seconds)
        if bundle.name == "bad":
            raise RuntimeError("no GPU")
session()._targets["slow"] = Slow
for name, needs in {"base": [], "ml": ["base"], "bad": ["base"], "api": ["bad"]}.items():
    flyte.TaskEnvironment(name, depends_on=needs)
"""
)


@pytest.fixture
def slow(notebook: Notebook) -> Notebook:
    """A session with four environments, one of which fails, and a target that takes its time."""
    notebook.ok(_SLOW)
    return notebook


def kinds(result) -> list[str]:
    """Return what was published, in its order."""
    return [message["msg_type"] for message in result.messages if message["msg_type"] != "status"]


def test_it_takes_its_place_before_anything_is_printed(slow: Notebook) -> None:
    """What stays of a deployment is one output, above what the target prints, and is brought up to date."""
    result = slow.run("%flyte_deploy --target slow")
    order = kinds(result)
    assert order.index("display_data") < order.index("stream")
    assert len(result.displays) == 1
    assert "4 pending" in result.displays[0]
    caption, *_ = result.updates[-1].splitlines()
    assert re.fullmatch(r"Deployment d\d+ to slow: 1 failed, 1 skipped, 2 deployed in 0\.\d{3} s", caption)
    assert "bad: 1 line\n  building bad" in result.updates[-1]
    assert result.ename == "UsageError"
    assert result.evalue.startswith("'bad' failed: RuntimeError: no GPU.")


def test_front_ends_without_widgets_see_it_go_on(slow: Notebook) -> None:
    """What stays is brought up to date while the deployment goes on, and says that it does."""
    slow.ok("Slow.seconds = 1.5")
    result = slow.ok("%flyte_deploy ml --target slow")
    assert any("As it stood after" in text and "deploying" in text for text in result.updates[:-1])
    assert "As it stood" not in result.updates[-1]


def test_a_short_deployment_has_no_live_view(slow: Notebook) -> None:
    """It would come and go before anybody sees it."""
    result = slow.ok("%flyte_deploy ml")
    assert "comm_open" not in kinds(result)
    assert "2 deployed" in result.updates[-1]


@pytest.mark.parametrize("code", ["{}", "def f():\n    {}\nf()"])
def test_an_interrupt_of_a_target_that_blocks(slow: Notebook, code: str) -> None:
    """What it strikes is cancelled, not failed, and nothing else begins; also where the cell cannot be awaited."""
    slow.ok(
        "class Blocking(Slow):\n"
        "    name = 'blocking'\n"
        "    async def deploy_environment(self, bundle, log):\n"
        "        print(f'blocked by {bundle.name}', flush=True)\n"
        "        while True:\n"
        "            sum(range(1000))\n"
        "session()._targets['blocking'] = Blocking\n"
        "flyte.TaskEnvironment('other')"
    )
    magic = "%flyte_deploy --target blocking --max-concurrency 1"
    result = slow.interrupted(code.format(magic), when="blocked by", after=0.7)
    assert result.ename == "KeyboardInterrupt"
    assert "5 cancelled" in result.updates[-1]
    slow.ok("last = flyte.deployments(limit=1)[0]")
    assert slow.value("last.state.value, {one.state.value for one in last.environments}") == (
        "cancelled",
        {"cancelled"},
    )
    assert slow.ok("await asyncio.sleep(0, 'next')").value == "'next'"
    slow.ok("%flyte_remove other")


@pytest.mark.parametrize("fails", ["update", "end"])
def test_a_view_that_fails_hides_nothing(slow: Notebook, fails: str) -> None:
    """What became of the deployment is told all the same, and why nothing is seen is logged."""
    slow.ok(
        "from flyte_nb.jupyter.live_deployment import LiveDeployment\n"
        f"before = LiveDeployment.{fails}\n"
        "def failing(*args):\n"
        "    raise RuntimeError('cannot draw')\n"
        f"LiveDeployment.{fails} = failing"
    )
    try:
        good = slow.ok("deployment = %flyte_deploy ml --target slow")
        bad = slow.run("%flyte_deploy bad --target slow")
    finally:
        slow.ok(f"LiveDeployment.{fails} = before")
    assert slow.value("deployment.succeeded") is True
    assert bad.ename == "UsageError"
    assert bad.evalue.startswith("'bad' failed: RuntimeError: no GPU")
    assert "cannot draw" in good.everything


@hears_buttons
@pytest.mark.parametrize("in_subshell", [False, True])
def test_the_cancel_button(slow: Notebook, in_subshell: bool) -> None:
    """What goes on is cancelled, what has not begun never does, and the cell ends with one line."""
    slow.ok("Slow.seconds = 60")
    subshell = slow.subshell() if in_subshell else None
    request = slow.submit("deployment = %flyte_deploy --target slow")
    slow.send_to_widget(slow.widget_of(request, "_cancellable"), {"cancel": True}, subshell=subshell)
    (result,) = slow.results(request)
    assert (result.ename, result.evalue, result.traceback) == ("UsageError", "The deployment was cancelled.", "")
    assert "4 cancelled in " in result.updates[-1].splitlines()[0]
    assert slow.value("'deployment' in globals()") is False


@hears_buttons
def test_what_a_page_selects_is_heard_while_it_goes_on(slow: Notebook) -> None:
    """The view learns it from a message of the page, and sends the lines of that environment."""
    slow.ok("Slow.seconds = 2")
    request = slow.submit("%flyte_deploy ml --target slow")
    comm = slow.widget_of(request, "_facts")
    slow.send_to_widget(comm, {"chosen": {"_selected": "n0"}})
    (result,) = slow.results(request)
    messages = [*result.messages, *slow.late]
    data = [message["content"]["data"] for message in messages if message["msg_type"] == "comm_msg"]
    tails = [content["content"]["tail"] for content in data if "tail" in content.get("content", {})]
    assert tails[0] == {"key": "n0", "at": 0, "first": 0, "lines": [["stdout", "building base"]]}


def test_a_saved_plan_is_applied(slow: Notebook) -> None:
    """The plan says what is deployed, and nothing can be given beside it."""
    said = slow.ok("%flyte_plan ml --save 'my plan.json'").stdout
    assert said == "saved; apply it with: %flyte_deploy --plan 'my plan.json'\n"
    result = slow.run("%flyte_deploy api --plan 'my plan.json'")
    assert (result.ename, "leave out names" in result.evalue) == ("UsageError", True)
    assert slow.run("%flyte_deploy --prune --plan 'my plan.json'").ename == "UsageError"
    slow.ok("deployment = %flyte_deploy --plan 'my plan.json'")
    assert slow.value("deployment.succeeded") is True


def test_every_option_reaches_the_session(slow: Notebook) -> None:
    """Policy, pruning and waiting are what was typed."""
    slow.ok(
        "class Seen(Exception): pass\nseen = {}\nbefore = session().deploy\n"
        "async def deploy(names, target, policy, **options):\n"
        "    seen.update(names=names, target=target, policy=policy, **options)\n"
        "    return await before(names, target, policy, **options)\n"
        "session().deploy = deploy"
    )
    slow.ok("import os\nos.environ['JPY_SESSION_NAME'] = '/work/churn.ipynb'")  # whose environments are pruned
    try:
        slow.ok("%flyte_deploy --max-concurrency 3 --timeout 2.5 --retries 4 --prune --no-wait")
    finally:
        slow.ok("del session().deploy, os.environ['JPY_SESSION_NAME']")
    assert slow.value("seen['names'], seen['target'], seen['prune'], seen['wait'], seen['saved']") == (
        [],
        "local",
        True,
        False,
        None,
    )
    assert slow.value("(p := seen['policy']).max_concurrency, p.timeout, p.retries") == (3, 2.5, 4)


def test_who_waits_is_told_for_whom(slow: Notebook) -> None:
    """One line stands where the deployment will be shown, and makes room for it; or says that nothing was deployed."""
    slow.ok(
        "before = session().deploy\n"
        "async def deploy(*args, watcher, **options):\n"
        "    watcher.waiting('churn.ipynb (pid 4711) has been deploying to local since 12:03:11 UTC')\n"
        "    if fails:\n"
        "        raise asyncio.CancelledError\n"
        "    return await before(*args, watcher=watcher, **options)\n"
        "session().deploy = deploy"
    )
    try:
        waited = slow.ok("fails = False\n%flyte_deploy ml")
        gave_up = slow.run("fails = True\n%flyte_deploy ml")
    finally:
        slow.ok("del session().deploy")
    assert waited.displays == [
        "Waiting: churn.ipynb (pid 4711) has been deploying to local since 12:03:11 UTC. "
        "Interrupt the kernel (■) to wait no longer."
    ]
    assert "2 pending" in waited.updates[0]
    assert "unchanged" in waited.updates[-1]
    assert gave_up.updates == ["Nothing was deployed."]


def test_a_plan_shows_what_differs(slow: Notebook) -> None:
    """Fields as old → new, sources as counts of lines with the lines to unfold."""
    define = (
        "%%flyte_env train --memory 2Gi\n@env.task\nasync def fit(rate: float) -> float:\n"
        "    loss = 1 / rate\n    return loss\n"
    )
    slow.ok(define, "cell")
    slow.ok("%flyte_deploy train")
    slow.ok(define.replace("2Gi", "4Gi").replace("1 / rate", "2 / rate\n    print(loss)"), "cell")
    result = slow.ok("%flyte_plan train")
    assert "resources.memory: 2Gi → 4Gi; train.fit: +2 −1 lines" in result.everything.encode().decode("unicode_escape")
    assert "+    print(loss)" in result.everything
    slow.ok("%flyte_remove train")


def test_nothing_to_deploy_is_said(notebook: Notebook) -> None:
    """A deployment of nothing, and a rollback to it, do not end without a word."""
    notebook.ok("import tempfile\nflyte.reset()\n%config FlyteNB.home = tempfile.mkdtemp()")
    assert "nothing to deploy" in notebook.ok("%flyte_deploy").updates[-1]
    assert "nothing to deploy" in notebook.ok("%flyte_rollback d1").updates[-1]


def test_what_a_target_says_when_it_fails_is_inert_and_short(slow: Notebook) -> None:
    """Neither its colours nor its pages reach the one line, which ends with what to do."""
    slow.ok(
        "class Loud(Slow):\n"
        "    name = 'loud'\n"
        "    async def deploy_environment(self, bundle, log):\n"
        "        raise RuntimeError('\\x1b[31mno GPU\\u202e\\nin this zone ' + 9_999 * 'x')\n"
        "session()._targets['loud'] = Loud"
    )
    error = slow.run("%flyte_deploy --target loud")
    assert error.evalue.startswith("'base' failed: RuntimeError: no GPU\ufffd in this zone xxx")
    assert error.evalue.endswith("Deploy again once it is mended: what succeeded is not repeated.")
    assert len(error.evalue) < 600
    assert "\x1b[31m" not in error.evalue


def test_a_target_that_does_not_answer_is_one_line(slow: Notebook) -> None:
    """No traceback, and no secret."""
    slow.ok(
        "class Away(Slow):\n"
        "    name = 'away'\n"
        "    def observe(self):\n"
        "        raise ConnectionError('no route to https://me:hunter2@cluster')\n"
        "session()._targets['away'] = Away"
    )
    for magic in ("%flyte_plan --target away", "%flyte_deploy --target away"):
        error = slow.run(magic)
        assert error.ename == "UsageError"
        assert error.evalue.startswith(
            "the target 'away' does not say what is deployed there: ConnectionError: no route"
        )
        assert "hunter2" not in error.everything


def test_a_plan_that_cannot_be_applied_is_not_saved(notebook: Notebook, tmp_path: Path) -> None:
    """Whoever saves it learns that at once."""
    notebook.ok("flyte.TaskEnvironment('ml', depends_on=['base'])")
    error = notebook.run(f"%flyte_plan --save {tmp_path / 'saved.json'}")
    assert error.ename == "UsageError"
    assert "base" in error.evalue
    assert not (tmp_path / "saved.json").exists()
