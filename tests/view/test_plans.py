"""What is read of a plan: actions, what differs, the lines of source, and how long it will take."""

from __future__ import annotations

from difflib import unified_diff

import pytest

from flyte_nb.deployment.planning.making import make_plan
from flyte_nb.deployment.planning.plan import Action, Change
from flyte_nb.masking import MASK
from flyte_nb.view import differences
from flyte_nb.view.deployments import deployment_picture
from flyte_nb.view.differences import difference_text, source_diff
from flyte_nb.view.picture import Node, Picture
from flyte_nb.view.plans import changes_details, plan_picture, plan_table, source_diffs_html
from flyte_nb.view.scene import compose
from flyte_nb.view.svg import draw
from flyte_nb.view.table import table_html, table_text
from tests.deployment.fakes import make, there

from .deployments import plan, progress, step, update

_OLD = "@ml.task\nasync def train(rate: float):\n    model = fit(rate)\n    return model\n"
_NEW = "@ml.task\nasync def train(rate: float):\n    model = fit(rate, epochs=3)\n    check(model)\n    return model\n"


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("python:3.11", "python:3.12", "f: python:3.11 → python:3.12"),
        ({"cpu": "1", "memory": "2Gi"}, {"cpu": "1", "memory": "4Gi"}, "f.memory: 2Gi → 4Gi"),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, "f.a.c: 2 → 3"),
        ({"cpu": "1"}, {}, "f.cpu: 1 → –"),
        (None, {"cpu": "1", "gpu": None}, "f: – → cpu 1"),
        (["base"], ["base", "ml"], "f: base → base, ml"),
        (False, True, "f: False → True"),
        (0, 1, "f: 0 → 1"),
        (MASK, MASK, "f: a value that is not shown changed"),
        (_OLD, _NEW, "f: +2 −1 lines"),
        (None, _OLD, "f: +4 lines"),
        ("a\nb\n", "a\n", "f: −1 line"),
    ],
)
def test_a_change_is_one_readable_line(old, new, text):
    """Fields as old → new, down to the part that differs; sources as counts of lines."""
    assert difference_text(Change("f", old, new)) == text


def test_long_values_show_their_ends():
    """Images differ in their tags."""
    text = difference_text(Change("image", "x" * 100 + ":one", "x" * 100 + ":two"))
    assert ":one → …" in text
    assert text.endswith(":two")


def test_a_diff_has_the_lines_that_differ():
    """As a unified diff, without the names of files."""
    diff = source_diff(Change("ml.train", _OLD, _NEW))
    assert "-    model = fit(rate)" in diff.lines
    assert [line for line in diff.lines if line.startswith("+")] == [
        "+    model = fit(rate, epochs=3)",
        "+    check(model)",
    ]


def test_sources_too_long_to_compare_are_told_to_differ():
    """A diff of a generated module would take long to make, and nobody would read it."""
    change = Change("f", "a\n" * 5_000, "b\n" * 5_000)
    assert difference_text(change) == "f: source changed"
    assert source_diffs_html(plan(update("env", change))) == ""


def test_the_caption_tells_counts_waves_and_what_to_expect():
    """What most people want to know is in the first line."""
    made = plan(step("base"), step("ml", "base"), expected_duration=14.2, critical_path=("base", "ml"))
    assert plan_table(made).caption == "Plan for target local: 2 to create, 1 wave, expected about 14 s (base → ml)"
    assert plan_table(plan(step("base"))).caption == "Plan for target local: 1 to create, 1 wave"
    path = tuple(f"n{i}" for i in range(100))
    made = plan(step("base"), expected_duration=100, critical_path=path)
    assert plan_table(made).caption.endswith("(n0 → n1 → n2 → … → n98 → n99)")


def test_what_would_be_removed_and_what_is_blocked_are_rows():
    """Each says so, and a problem stands where others have what differs."""
    made = plan(
        step("old", action=Action.REMOVE),
        step("soon", action=Action.UNDEFINED, problem="is not defined."),
        step("ml", "soon", action=Action.BLOCKED, problem="needs soon"),
    )
    assert [row[1:] for row in plan_table(made).rows] == [
        ("old", "- to remove", "–", "–"),
        ("soon", "? not defined", "–", "is not defined."),
        ("ml", "‖ blocked", "soon", "needs soon"),
    ]
    assert {node.name: node.state for node in plan_picture(made).nodes} == {
        "old": "remove",
        "soon": "undefined",
        "ml": "blocked",
    }


def test_remarks_are_told_of_what_would_be_done():
    """Under the table, and with the environments in the picture; not of what is unchanged. They are escaped."""
    made = plan(
        step("base", remarks=("runs in the <b>kernel's</b> Python", "takes the whole machine")),
        step("same", action=Action.UNCHANGED, remarks=("said before",)),
    )
    table, picture = plan_table(made), plan_picture(made)
    assert table.note == "base: runs in the <b>kernel's</b> Python; takes the whole machine"
    assert "&lt;b&gt;" in table_html(table)
    assert "base: runs in the <b>kernel's</b> Python" in table_text(table)
    assert picture.nodes[0].subtitle == "runs in the <b>kernel's</b> Python; takes the whole machine"
    assert picture.nodes[1].details == (("remark", "said before"),)
    assert "<b>" not in draw(picture)


def test_of_many_remarks_some_are_told():
    """Those of ten environments, and on how many more there are."""
    notes = plan_table(plan(*(step(f"n{i}", remarks=("r",)) for i in range(12)))).note.splitlines()
    assert notes[-2:] == ["n9: r", "and remarks on 2 more"]
    assert len(notes) == 11


def test_rows_are_in_the_order_of_waves():
    """What is removed first stands among what is deployed first; nothing comes before what it waits for."""
    steps = [("base", ()), ("ml", ("base",)), ("old", ()), ("older", ("old",))]
    made = make_plan(
        "local",
        ["base", "ml"],
        {"base": (), "ml": ("base",)},
        {name: make(name) for name in ("base", "ml")},
        {"old": there("old", ["older"]), "older": there("older")},
        removable={"old", "older"},
    )
    assert [(step.name, step.depends_on) for step in made.steps] == steps
    assert [row[:2] for row in plan_table(made).rows] == [("1", "base"), ("1", "old"), ("2", "ml"), ("2", "older")]


def test_a_plan_says_what_comes_before_what_and_not_what_depends_on_what():
    """What is removed comes before what it depends on."""
    made = plan(step("api", action=Action.REMOVE), step("base", "api", action=Action.REMOVE))
    assert compose(plan_picture(made)).sides == ("after", "before")
    assert compose(deployment_picture(progress(*made.steps))).sides == ("after", "before")
    assert compose(Picture((Node("api"),))).sides == ("depends on", "needed by")


def test_a_step_after_one_that_is_not_in_the_plan_is_drawn():
    """What was deployed may depend on what nobody knows any more."""
    assert plan_picture(plan(step("old", "older", action=Action.REMOVE))).edges == ()


def test_lines_of_source_are_inert_masked_and_bounded():
    """Markup and terminal codes do nothing, credentials are masked, and of many lines the first are shown."""
    old = 'key = "sk-abc123def456"\nprint("<script>alert(1)</script>")\n\x1b[31mred \u202e\n'
    new = old + "x = 1\n" * 500 + "y" * 100_000
    shown = source_diffs_html(plan(update("env", Change("<b>env.task</b>", old, new))))
    assert "<script" not in shown
    assert "<b>" not in shown
    assert "sk-abc" not in shown
    assert not set(shown) & set("\x1b\u202e")
    assert len(shown) < 20_000
    assert "more lines" in shown
    assert "<details><summary" in shown


def test_many_sources_are_cut():
    """Twenty can be unfolded, and the rest is in the plan."""
    made = plan(*(update(f"env{i}", Change(f"env{i}.t", _OLD, _NEW)) for i in range(30)))
    shown = source_diffs_html(made)
    assert shown.count("<details>") == 20
    assert "and more" in shown


def test_sources_are_compared_when_that_is_seen_and_once(monkeypatch):
    """The picture needs no difference; the table, the lines under it and the details show the same one."""
    compared = []
    monkeypatch.setattr(differences, "unified_diff", lambda *a, **k: compared.append(1) or unified_diff(*a, **k))
    step = update("env", Change("env.t", "once = 1\n", "once = 2\n"))
    made = plan(step)
    assert (plan_picture(made).nodes[0].details, compared) == ((), [])
    assert plan_table(made).rows[0][-1] == "env.t: +1 −1 lines"
    assert "once = 2" in source_diffs_html(made)
    assert changes_details(step) == (("env.t", "+1 −1 lines"),)
    assert compared == [1]


def test_of_five_thousand_environments_those_that_change_are_shown():
    """Unchanged ones come last, and nothing is made for rows that nobody sees."""
    steps = [step(f"n{i}", action=Action.UNCHANGED) for i in range(4_999)]
    made = plan(*steps, update("last", Change("image", "a", "b")))
    table = plan_table(made)
    assert table.rows[0][1:] == ("last", "~ to update", "–", "image: a → b")
    assert table_text(table).count("\n") < 70
    assert len(table_html(table)) < 200_000
