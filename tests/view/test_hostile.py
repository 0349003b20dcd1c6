"""Whatever users, tasks and targets say is inert wherever it is shown: in every output, message and live view."""

from __future__ import annotations

import re

import pytest
from IPython.utils.capture import capture_output

from flyte_nb.deployment.applying.status import State
from flyte_nb.execution.node import RunState
from flyte_nb.session import session
from flyte_nb.view.deployments import deployment_picture
from flyte_nb.view.run_tree import RunTree
from flyte_nb.view.widgets.deployment import DeploymentWidget
from flyte_nb.view.widgets.graph import GraphWidget
from flyte_nb.view.widgets.run import RunWidget

from .calls import call, end
from .deployments import progress, status, step
from .inertness import CORPUS, assert_harmless, assert_inert, texts_of

_ANSI = re.compile(r"\x1b\[[0-9;]*m")  # the colours of IPython itself

_DEFINE = """\
class Hostile:
    name = "hostile"
    def observe(self):
        return {}
    def remarks(self, spec):
        return (text,)
    def refusals(self, bundles):
        return {}
    async def deploy_environment(self, bundle, log):
        log(text)
        if bundle.name == "bad":
            raise RuntimeError(text)
    async def remove_environment(self, name, log):
        log(text)
from flyte_nb.session import session
session()._targets["hostile"] = Hostile
good = flyte.TaskEnvironment("good", description=text)
bad = flyte.TaskEnvironment("bad", description=text, depends_on=[good])
@good.task
async def says(value: str) -> str:
    print(value)
    return value
@good.task
async def fails(value: str) -> str:
    await says(value)
    raise ValueError(value)
"""
_SHOWN = [
    "%flyte_envs",
    "%flyte_env good",
    "%flyte_graph",
    "plan = %flyte_plan --target hostile",
    "%flyte_deploy --target hostile",
    "%flyte_deployments",
    "flyte.deployments()[0]",
    "%flyte_run says(text)",
    "%flyte_run fails(text)",
    "%flyte_runs",
    "%flyte_logs",
]
# Where a user's text is not one that is wanted, the refusal quotes it.
_REFUSED = [
    "flyte.TaskEnvironment(text)",
    "flyte.TaskEnvironment('e', image=text)",
    "flyte.TaskEnvironment('e', resources=flyte.Resources(cpu=text))",
    "flyte.TaskEnvironment('e', depends_on=[text]); flyte.plan()",
    "get_ipython().run_line_magic('flyte_env', text)",
    "get_ipython().run_line_magic('flyte_plan', text)",
    "get_ipython().run_line_magic('flyte_logs', text)",
    "get_ipython().run_line_magic('flyte_remove', text)",
    "get_ipython().run_line_magic('flyte_deploy', '--target ' + text)",
    "get_ipython().run_line_magic('flyte_run', text)",
    "get_ipython().run_line_magic('flyte_export', text)",
    "get_ipython().run_line_magic('flyte_adopt', text)",
]


@pytest.fixture(params=CORPUS)
def text(request):
    """A text that nobody wants to see acting."""
    return CORPUS[request.param]


def _outputs(ip, code):
    with capture_output() as captured:
        ip.run_cell(code)
    return [output.data for output in captured.outputs], captured.stdout + captured.stderr


def test_every_output_is_inert(ip, text):
    """Tables, pictures, trees, plans, logs and histories of what says such things, as HTML and as text."""
    ip.user_ns["text"] = text
    ip.run_cell(_DEFINE).raise_error()
    for code in _SHOWN:
        bundles, told = _outputs(ip, code)
        assert bundles, (code, told)
        for bundle in bundles:
            assert_inert(bundle)
    session()._targets.pop("hostile")


@pytest.mark.parametrize("code", _REFUSED)
def test_refusals_are_inert_and_short(ip, text, code):
    """An error message quotes what was wrong, and neither acts in a terminal nor fills it."""
    ip.user_ns["text"] = text[:5_000] if "magic" in code else text  # Python's shlex is quadratic
    _, told = _outputs(ip, code)
    message = _ANSI.sub("", told)
    assert_harmless(message)
    assert len(message) < 20_000


def test_what_pages_get_is_inert_and_short(text):
    """The live views are told nothing else: their states are harmless, and bounded, before a page draws them."""
    calls = [call(1, f"e.{text}", inputs=text)]
    calls.append(end(call(2, text, calls[0], inputs=text), RunState.FAILED, at=1, error=text, arose=2))
    for one in calls:
        one.write("stdout", f"{text}\n")
        one.write("WARNING", f"{text}\n")
    calls[0].waiting = calls[1].returned = text
    tree = RunTree()
    tree.update(calls)
    going = progress(step(text, remarks=(text,)), step("b", text))
    going.note(status(text, State.FAILED, 1, 2, error=text))
    going.say(text, text)
    views = [
        RunWidget(tree, "fnb-1"),
        DeploymentWidget(going, "fnb-2"),
        GraphWidget(deployment_picture(going), "fnb-3"),
    ]
    for view in views:
        key = next(iter(view._run["rows"] if isinstance(view, RunWidget) else view._states))
        chosen = {str: key, list: [[0, 1]], bool: True, dict: {f"m{key}": 50}}
        view.set_state({choice: chosen[type(getattr(view, choice))] for choice in view._choices})
        state = {name: value for name, value in view.get_state().items() if name not in ("_esm", "_css")}
        texts = texts_of(state)
        assert sum(map(len, texts)) < 100_000
        for each in texts:
            assert_harmless(each)
        view.close()
