"""Cells that define with the SDK itself: the same rules as for cells that define with flyte_nb, in a real kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.test_seed import BLOCKS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.kernel.notebook import Notebook

BASE = """
base = flyte.TaskEnvironment("base", image="base:1")

@base.task
async def load() -> int:
    return 20
"""
ML = """
ml = flyte.TaskEnvironment("ml", image="ml:1", depends_on=[base])

@ml.task(retries=2)
async def train(n: int) -> int:
    return n + 1

@ml.task
async def pipeline() -> int:
    return await train(await load())
"""


def order(notebook: Notebook) -> list[str]:
    return list(notebook.value("flyte_nb.deployment_order()"))


def tasks(notebook: Notebook, name: str) -> list[str]:
    return list(notebook.value(f"[task.partition('.')[2] for task in flyte_nb.registry()['{name}'].tasks]"))


def test_environments_are_there_after_their_cell(notebook: Notebook) -> None:
    """Names, order, fields and tasks; and what a pipeline calls is one tree."""
    notebook.ok(BASE, "a")
    notebook.ok(ML, "b")
    assert order(notebook) == ["base", "ml"]
    assert tasks(notebook, "ml") == ["train", "pipeline"]
    assert notebook.value("flyte_nb.registry()['ml'].image") == "ml:1"
    assert notebook.value("flyte_nb.registry()['ml'].tasks['ml.train'].retries.count") == 2
    assert notebook.ok("%flyte_run pipeline()").value == "21"
    assert notebook.value("[call.task for call in (await flyte_nb.run(pipeline)).tree]") == [
        "ml.pipeline",
        "base.load",
        "ml.train",
    ]


def test_magics_of_the_same_cell_know_them(notebook: Notebook) -> None:
    """A notebook of one cell works, too."""
    result = notebook.ok(f"{BASE}\n{ML}\nprint(flyte_nb.deployment_order())\n%flyte_run pipeline()", "a")
    assert "['base', 'ml']" in result.stdout
    assert result.value == "21"
    assert order(notebook) == ["base", "ml"]


def test_wherever_they_are_kept(notebook: Notebook) -> None:
    """In lists, dictionaries, results of functions, or nowhere."""
    notebook.ok(
        """
def make(name):
    return [flyte.TaskEnvironment(name)]
kept = {"some": [flyte.TaskEnvironment("in-a-list")], "one": flyte.TaskEnvironment("in-a-dict")}
made = make("by-a-function")
flyte.TaskEnvironment("nowhere"); None
""",
        "a",
    )
    assert order(notebook) == ["in-a-list", "in-a-dict", "by-a-function", "nowhere"]


def test_a_cell_that_runs_again_heals_what_depends_on_it(notebook: Notebook) -> None:
    """The name means the new environment, for the session and for the SDK's own objects."""
    notebook.ok(BASE, "a")
    notebook.ok(ML, "b")
    notebook.ok("@base.task\nasync def more() -> int:\n    return 1", "c")
    notebook.ok(BASE.replace("base:1", "base:2").replace("load", "read"), "a")
    assert notebook.value("flyte_nb.registry()['base'].image") == "base:2"
    assert sorted(tasks(notebook, "base")) == ["more", "read"]
    assert notebook.value("ml.depends_on[0] is base")
    assert notebook.value("sorted(base.tasks)") == ["base.more", "base.read"]
    assert notebook.value("[call.task for call in (await flyte_nb.run(more)).tree]") == ["base.more"]


def test_a_cell_owns_what_it_says(notebook: Notebook) -> None:
    """What a cell no longer defines, adds or attaches is gone when it runs again."""
    notebook.ok(BASE, "a")
    notebook.ok('api = flyte.TaskEnvironment("api")', "b")
    notebook.ok("api.add_dependency(base)\n@api.task\nasync def serve() -> int:\n    return 1", "c")
    assert notebook.value("flyte_nb.registry()['api'].depends_on") == ("base",)
    notebook.ok("api.add_dependency(base)", "c")
    assert notebook.value("flyte_nb.registry()['api'].depends_on") == ("base",)
    assert tasks(notebook, "api") == []
    assert notebook.value("(len(api.depends_on), list(api.tasks))") == (1, [])
    notebook.ok("pass", "c")
    assert notebook.value("flyte_nb.registry()['api'].depends_on") == ()
    assert notebook.value("api.depends_on") == []
    notebook.ok("pass", "b")
    assert order(notebook) == ["base"]


def test_a_deleted_cell_defines_nothing(notebook: Notebook) -> None:
    """As the front end tells it with the next cell."""
    notebook.ok(BASE, "a")
    notebook.ok("@base.task\nasync def more() -> int:\n    return 1", "b")
    notebook.ok("pass", "c", deleted=["b"])
    assert tasks(notebook, "base") == ["load"]
    assert notebook.value("list(base.tasks)") == ["base.load"]
    notebook.ok("pass", "c", deleted=["a"])
    assert order(notebook) == []


def test_a_cycle_is_told_right_after_the_cell(notebook: Notebook) -> None:
    """In one line with its path; the session, and the SDK's objects, are what they were."""
    notebook.ok(BASE, "a")
    notebook.ok(ML, "b")
    result = notebook.run('other = flyte.TaskEnvironment("other", depends_on=[ml])\nbase.add_dependency(other)', "c")
    assert (result.status, result.ename) == ("error", "UsageError")
    assert "base -> other -> ml -> base" in result.evalue
    assert order(notebook) == ["base", "ml"]
    assert notebook.value("base.depends_on") == []
    notebook.ok('other = flyte.TaskEnvironment("other", depends_on=[ml])', "c")
    assert order(notebook) == ["base", "ml", "other"]


def test_a_failed_cell_changes_nothing(notebook: Notebook) -> None:
    """Neither what it constructed nor what it did to earlier objects counts, then or after later cells."""
    notebook.ok(BASE, "a")
    code = 'lost = flyte.TaskEnvironment("lost")\nbase.add_dependency(lost)\nbase.image = "other:1"\n1 / 0'
    assert notebook.run(code, "b").ename == "ZeroDivisionError"
    notebook.ok("pass", "c")
    assert order(notebook) == ["base"]
    assert notebook.value("flyte_nb.registry()['base'].image") == "base:1"
    assert notebook.value("(base.image, base.depends_on)") == ("base:1", [])
    result = notebook.run("@lost.task\nasync def f() -> int:\n    return 1", "d")
    assert (result.ename, "'lost' is not defined" in result.evalue) == ("UsageError", True)


def test_what_means_nothing_is_refused(notebook: Notebook) -> None:
    """What the SDK takes and no cluster could is one line under the cell, and changes nothing."""
    result = notebook.run('e = flyte.TaskEnvironment("e", resources=flyte.Resources(cpu=(4, 1)))', "a")
    assert (result.status, result.ename) == ("error", "UsageError")
    assert "limit below its request" in result.evalue
    assert order(notebook) == []


def test_changing_an_object_is_saying_it_anew(notebook: Notebook) -> None:
    """A field that is set later counts until the cell that set it runs again without that."""
    notebook.ok(BASE, "a")
    notebook.ok('base.image = "base:2"', "b")
    assert notebook.value("flyte_nb.registry()['base'].image") == "base:2"
    assert tasks(notebook, "base") == ["load"]
    notebook.ok("pass", "b")
    assert notebook.value("flyte_nb.registry()['base'].image") == "base:1"
    assert notebook.value("base.image") == "base:1"
    assert tasks(notebook, "base") == ["load"]


def test_modules_are_adopted_on_request_only(notebook: Notebook, folder: Path) -> None:
    """What a module constructs when it is imported is its own, also where a cell gives it a name."""
    module = 'import flyte\nshared = flyte.TaskEnvironment("shared")\nmany = {"x": flyte.TaskEnvironment("many")}\n'
    factory = "def make(name):\n    return flyte.TaskEnvironment(name)\n"
    (folder / "helpers_of_a_test.py").write_text(module + factory)
    notebook.ok("import helpers_of_a_test as helpers\nfrom helpers_of_a_test import shared, make", "a")
    assert order(notebook) == []
    notebook.ok('mine = make("made-by-a-cell")', "b")
    assert order(notebook) == ["made-by-a-cell"]
    told = notebook.ok('needing = flyte.TaskEnvironment("needing", depends_on=[shared])', "d").stdout
    assert "needing depends on shared of the module helpers_of_a_test" in told
    assert told.strip().endswith("%flyte_adopt helpers_of_a_test")
    notebook.ok("%flyte_adopt helpers_of_a_test", "c")
    assert sorted(order(notebook)) == ["made-by-a-cell", "many", "needing", "shared"]
    assert notebook.ok('needing = flyte.TaskEnvironment("needing", depends_on=[shared])', "d").stdout == ""


def test_what_was_there_before_is_not_taken(notebook: Notebook) -> None:
    """Environments of cells that ran without the extension come with those cells, which says so."""
    notebook.ok("%unload_ext flyte_nb")
    notebook.ok('early = flyte.TaskEnvironment("early")', "a")
    notebook.ok("%load_ext flyte_nb", "b")
    assert order(notebook) == []
    result = notebook.run("@early.task\nasync def f() -> int:\n    return 1", "c")
    assert "'early' is not defined" in result.evalue
    notebook.ok('early = flyte.TaskEnvironment("early")', "a")
    assert order(notebook) == ["early"]


def test_unloading_leaves_the_objects_as_they_were(notebook: Notebook) -> None:
    """They are of the SDK's own classes again, and loading again goes on where it was."""
    notebook.ok(BASE, "a")
    notebook.ok("%unload_ext flyte_nb")
    assert notebook.value("type(base) is flyte.TaskEnvironment and not hasattr(load, '__flyte_nb__')")
    notebook.ok("%load_ext flyte_nb")
    notebook.ok("@base.task\nasync def more() -> int:\n    return 1", "c")
    assert tasks(notebook, "base") == ["load", "more"]


def test_tasks_that_are_no_functions_are_told(notebook: Notebook) -> None:
    """They run on a cluster only, by the SDK, and the cell says so in one line."""
    code = """
from flyte.extras import ContainerTask
copy_files = ContainerTask(name="copy", image="alpine", command=["true"])
tools = flyte.TaskEnvironment.from_task("tools", copy_files)
"""
    result = notebook.ok(code, "a")
    assert "is a ContainerTask, which runs on a cluster only" in result.stdout
    assert (order(notebook), tasks(notebook, "tools")) == (["tools"], [])


def test_sync_tasks_and_errors(notebook: Notebook) -> None:
    """A sync task is a run, too, and its error is its own."""
    notebook.ok("e = flyte.TaskEnvironment('e')\n@e.task\ndef half(n: int) -> float:\n    return n / 0", "a")
    assert notebook.run("%flyte_run half(3)").ename == "ZeroDivisionError"
    assert notebook.run("half(3)").ename == "ZeroDivisionError"


def test_what_is_deployed_of_them(notebook: Notebook) -> None:
    """The module has their declaration, with what the model has no field for, and the tasks that cells wrote."""
    notebook.ok(
        """
limit = 3
etl = flyte.TaskEnvironment("etl", queue="fast", image=flyte.Image.from_debian_base().with_apt_packages("git"))

@etl.task(report=True)
async def count() -> int:
    return limit
""",
        "a",
    )
    bundles: Any = notebook.ok(
        "from flyte_nb.session import session\nprint(session().bundles(['etl'])[0]['etl'].module)"
    ).stdout
    assert 'queue="fast"' in bundles
    assert '.with_apt_packages("git")' in bundles
    assert "@env.task(report=True)" in bundles
    assert "limit = 3" in bundles
    assert notebook.run("%flyte_plan").status == "ok"
    assert notebook.run("%flyte_graph").status == "ok"


def test_the_contract_runs_unchanged(notebook: Notebook) -> None:
    """Every block of Flyte's page on multiple environments, with a plain `import flyte`, gives what the page says."""
    for number, block in enumerate(BLOCKS):
        with_argument = block.replace("async def train_model() -> str:", "async def train_model(config: dict) -> str:")
        notebook.ok(with_argument, f"s{number}")
    assert order(notebook) == [
        "base-utils",
        "base",
        "ml-training",
        "ml",
        "api",
        "base-template",
        "training-specialized",
    ]
    assert notebook.value("flyte_nb.deployment_order('api')") == ["base", "ml", "api"]
    assert notebook.ok("%flyte_run ml_pipeline()").value == "'model_trained'"


def test_a_cell_that_changes_a_field_can_run_again(notebook: Notebook) -> None:
    """It leaves dependencies and tasks to the cells that said them, however often it runs."""
    notebook.ok(BASE, "a")
    notebook.ok(ML, "b")
    for image in ("ml:2", "ml:3"):
        notebook.ok(f'ml.image = "{image}"', "c")
        assert notebook.value("flyte_nb.registry()['ml'].image") == image
        assert notebook.value("flyte_nb.registry()['ml'].depends_on") == ("base",)
        assert tasks(notebook, "ml") == ["train", "pipeline"]
        assert notebook.value("(len(ml.depends_on), sorted(ml.tasks))") == (1, ["ml.pipeline", "ml.train"])
    notebook.ok("pass", "d", deleted=["b"])
    assert order(notebook) == ["base"]


def test_an_undone_deletion_brings_everything_back(notebook: Notebook) -> None:
    """As JupyterLab tells it: a save lists the cell again. The objects have their tasks, and calls are runs."""
    notebook.ok(BASE, "a")
    notebook.ok(ML, "b")
    notebook.ok("@base.task\nasync def more() -> int:\n    return 1", "c")
    notebook.ok("pass", "d", deleted=["b", "c"])
    assert (order(notebook), tasks(notebook, "base")) == (["base"], ["load"])
    notebook.ok("from flyte_nb.session import session\nsession().registry.remember(['b', 'c'])", "d")
    notebook.ok("session().sdk_cells.remember(['b', 'c'])", "d")
    assert order(notebook) == ["base", "ml"]
    assert notebook.value("(sorted(ml.tasks), sorted(base.tasks))") == (
        ["ml.pipeline", "ml.train"],
        ["base.load", "base.more"],
    )
    assert notebook.value("[call.task for call in (await flyte_nb.run(pipeline)).tree]")[0] == "ml.pipeline"
    notebook.ok("@ml.task\nasync def late() -> int:\n    return 1", "e")
    assert "late" in tasks(notebook, "ml")


def test_what_the_session_keeps_the_objects_keep(notebook: Notebook) -> None:
    """Where a deletion would uncover a cycle, the session keeps what the cell says, and so do the objects."""
    notebook.ok('q = flyte.TaskEnvironment("q")\np = flyte.TaskEnvironment("p", depends_on=[q])', "a")
    notebook.ok('p = flyte.TaskEnvironment("p")', "b")
    notebook.ok("q.add_dependency(p)", "c")
    notebook.ok("pass", "d", deleted=["b"])
    known = "{name: set(env.depends_on) for name, env in flyte_nb.registry().items()}"
    assert notebook.value(known) == {"q": {"p"}, "p": set()}
    assert notebook.value("([e.name for e in q.depends_on], p.depends_on)") == (["p"], [])


def test_a_module_that_was_adopted_goes_on_with_the_sdk(notebook: Notebook, folder: Path) -> None:
    """Its environments are the SDK's own objects: cells depend on them, add to them, and call their tasks."""
    source = 'import flyte\nshared = flyte.TaskEnvironment("shared", image="{image}")\n'
    task = "\n@shared.task\nasync def helper(n: int) -> int:\n    return n * 2\n"
    path = folder / "adopted_by_a_test.py"
    path.write_text(source.format(image="one:1") + task)
    notebook.ok("%flyte_adopt adopted_by_a_test", "a")
    notebook.ok('import adopted_by_a_test as helpers\nu = flyte.TaskEnvironment("u", depends_on=[helpers.shared])', "b")
    notebook.ok("@u.task\nasync def uses(n: int) -> int:\n    return await helpers.helper(n) + 1", "b2")
    notebook.ok("@helpers.shared.task\nasync def more() -> int:\n    return 1", "c")
    assert order(notebook) == ["shared", "u"]
    assert tasks(notebook, "shared") == ["helper", "more"]
    run = "[(call.task, call.state.value) for call in (await flyte_nb.run(uses, 4)).tree]"
    assert notebook.value(run) == [("u.uses", "succeeded"), ("shared.helper", "succeeded")]
    path.write_text(source.format(image="two:22") + task)
    notebook.ok("%flyte_adopt adopted_by_a_test", "a")
    assert notebook.value("flyte_nb.registry()['shared'].image") == "two:22"
    assert sorted(tasks(notebook, "shared")) == ["helper", "more"]
    (folder / "broken_in_a_test.py").write_text("import flyte\n1 / 0\n")
    broken = notebook.run("%flyte_adopt broken_in_a_test", "e")
    assert (broken.ename, "ZeroDivisionError" in broken.evalue) == ("UsageError", True)


def test_what_cannot_be_taken_is_one_line(notebook: Notebook) -> None:
    """Whatever is wrong with an object, the cell says so, and the session is as it was."""
    code = 'odd = flyte.TaskEnvironment("odd")\nodd.secrets = 3'
    result = notebook.run(code, "a")
    assert (result.status, result.ename) == ("error", "UsageError")
    assert "cannot be taken into the session" in result.evalue
    assert order(notebook) == []


def test_apps_are_told(notebook: Notebook) -> None:
    """An environment of another kind is the SDK's to deploy."""
    code = """
from flyte.app import AppEnvironment
app = AppEnvironment(name="app", image="app:1")
behind = flyte.TaskEnvironment("behind", depends_on=[app])
"""
    assert (
        "behind depends on app, of the kind AppEnvironment, which only the SDK itself deploys"
        in notebook.ok(code, "a").stdout
    )


def test_overridden_resources_are_for_the_cluster(notebook: Notebook) -> None:
    """What only a cluster applies goes along with a task that is overridden."""
    notebook.ok(BASE, "a")
    notebook.ok('other = load.override(env_vars={"A": "1"}, retries=2).__flyte_nb__()')
    assert notebook.value("(dict(other.cluster_policies), other.retries.count)") == ({"env_vars": {"A": "1"}}, 2)
