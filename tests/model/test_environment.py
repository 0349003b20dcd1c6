"""TaskEnvironment: a handle to what its name means now."""

from __future__ import annotations

import copy
import gc
import inspect
import threading
import timeit

import pytest

import flyte_nb as flyte
from flyte_nb import CircularDependencyError, InvalidTypeError, InvalidValueError, Resources, TaskEnvironment


def test_redefining_a_name_changes_every_object_of_that_name() -> None:
    """No object is ever stale: an old handle shows the new definition."""
    old = TaskEnvironment("base", image="a")
    new = TaskEnvironment("base", image="b")
    assert old == new
    assert (old.image, hash(old)) == ("b", hash(new))


def test_dependents_follow_a_redefinition_by_name() -> None:
    """Edges are names: what depends on base depends on the new base."""
    base = TaskEnvironment("base", image="a")
    ml = TaskEnvironment("ml", depends_on=[base])
    TaskEnvironment("base", image="b")
    assert flyte.registry()[ml.depends_on[0]].image == "b"


def test_an_object_of_a_removed_name_shows_what_it_was_constructed_with() -> None:
    """After a reset the object is still readable."""
    base = TaskEnvironment("base", image="a", depends_on=["other"])
    flyte.reset()
    assert (base.image, base.depends_on) == ("a", ("other",))


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"depends_on": "base"}, TypeError, "TaskEnvironment.depends_on"),
        ({"depends_on": [3]}, TypeError, "3"),
        ({"depends_on": ["No Name"]}, ValueError, "no-name"),
        ({"resources": "big"}, TypeError, "TaskEnvironment.resources"),
        ({"description": 3}, TypeError, "TaskEnvironment.description"),
        ({"interruptible": 1}, TypeError, "TaskEnvironment.interruptible"),
        ({"cache": "atuo"}, ValueError, "auto"),
        ({"env_vars": ["A"]}, TypeError, "TaskEnvironment.env_vars"),
        ({"flyte_options": [1]}, TypeError, "TaskEnvironment.flyte_options"),
        ({"flyte_options": {"a b": 1}}, ValueError, "a b"),
        ({"image": 3}, TypeError, "TaskEnvironment.image"),
    ],
)
def test_a_wrong_field_is_named_with_its_value_and_an_example(
    fields: dict[str, object], error: type[Exception], words: str
) -> None:
    """Wrong types are TypeErrors, wrong values ValueErrors, and nothing is defined."""
    with pytest.raises(error, match=words) as caught:
        TaskEnvironment("env", **fields)  # type: ignore[arg-type]
    assert "For example: " in str(caught.value)
    assert not flyte.registry()


def test_a_wrong_env_var_never_shows_its_value() -> None:
    """The value may be a secret."""
    with pytest.raises(InvalidTypeError) as caught:
        TaskEnvironment("env", env_vars={"API_TOKEN": b"hunter2"})  # type: ignore[dict-item]
    assert "hunter2" not in str(caught.value)


def test_a_spec_never_shows_values_of_variables_or_options() -> None:
    """They may be secrets, and a spec is shown by tracebacks and debuggers."""
    spec = TaskEnvironment("env", env_vars={"A": "hunter2"}, flyte_options={"b": "hunter2"}).spec
    assert "hunter2" not in repr(spec)
    assert (spec.env_vars, spec.flyte_options) == ({"A": "hunter2"}, {"b": "hunter2"})


def test_depends_on_takes_environments_and_names_each_once() -> None:
    """Order is kept and repetitions are harmless."""
    a = TaskEnvironment("a")
    assert TaskEnvironment("b", depends_on=[a, "later", "a", a]).depends_on == ("a", "later")


def test_an_environment_cannot_depend_on_itself() -> None:
    """Self-dependency is the shortest cycle, in the constructor and later."""
    with pytest.raises(CircularDependencyError, match="a -> a"):
        TaskEnvironment("a", depends_on=["a"])
    a = TaskEnvironment("a")
    with pytest.raises(CircularDependencyError, match="a -> a"):
        a.add_dependency(a)


def test_add_dependency_is_idempotent() -> None:
    """Adding the same twice, or nothing, changes nothing."""
    a, b = TaskEnvironment("a"), TaskEnvironment("b")
    b.add_dependency(a)
    b.add_dependency(a, "a")
    b.add_dependency()
    assert b.depends_on == ("a",)


def test_add_dependency_is_all_or_none() -> None:
    """If one of several would close a cycle, none is added."""
    a, b, c = TaskEnvironment("a"), TaskEnvironment("b", depends_on=["a"]), TaskEnvironment("c")
    with pytest.raises(CircularDependencyError, match="a -> b -> a"):
        a.add_dependency(c, b)
    with pytest.raises(InvalidTypeError):
        a.add_dependency(c, 3)  # type: ignore[arg-type]
    assert a.depends_on == ()


def test_a_cycle_through_a_name_that_is_not_defined_yet_is_refused_when_it_is_defined() -> None:
    """A redefinition that would close a cycle leaves the registry untouched."""
    TaskEnvironment("a", depends_on=["b"])
    with pytest.raises(CircularDependencyError, match="b -> a -> b"):
        TaskEnvironment("b", depends_on=["a"])
    assert list(flyte.registry()) == ["a"]


def test_clone_with_changes_any_field_and_keeps_the_others() -> None:
    """Every field of the constructor can be changed, and what is not named is the template's."""
    template = TaskEnvironment(
        "template",
        image="python:3.12",
        resources=Resources(cpu=2),
        depends_on=["base"],
        description="d",
        env_vars={"A": "1"},
        secrets="key",
        cache="auto",
        interruptible=True,
        flyte_options={"queue": "gpu"},
    )
    fields = [name for name in inspect.signature(TaskEnvironment).parameters if name != "name"]
    same = template.clone_with("same")
    assert [getattr(same, field) for field in fields] == [getattr(template, field) for field in fields]
    reset = template.clone_with("reset", **dict.fromkeys(fields))
    plain = TaskEnvironment("plain")
    assert [getattr(reset, field) for field in fields] == [getattr(plain, field) for field in fields]
    assert template.clone_with("other", image="x", depends_on=["b"]).depends_on == ("b",)


def test_a_clone_shares_nothing_mutable_and_has_no_tasks() -> None:
    """Changing what was given, or what a clone returns, changes no environment."""
    given = {"queue": ["a"]}
    template = TaskEnvironment("template", flyte_options=given)

    @template.task
    async def work() -> None: ...

    clone = template.clone_with("clone")
    given["queue"].append("b")
    clone.flyte_options["queue"].append("c")
    assert template.flyte_options == clone.flyte_options == {"queue": ["a"]}
    assert (len(template.tasks), len(clone.tasks)) == (1, 0)
    with pytest.raises(TypeError):
        clone.env_vars["A"] = "1"  # type: ignore[index]


def test_an_option_that_cannot_be_copied_is_kept() -> None:
    """An object that holds a lock is an option, too: itself, in the environment, its clones and its tasks."""
    held = {"lock": threading.Lock()}
    template = TaskEnvironment("template", flyte_options={"plugin_config": held, "queue": ["a"]})

    @template.task(flyte_options={"plugin_config": held})
    async def work() -> None: ...

    clone = template.clone_with("clone")
    assert clone.flyte_options["plugin_config"] is work.flyte_options["plugin_config"] is held
    clone.flyte_options["queue"].append("b")
    assert clone.flyte_options["queue"] == ["a"]


def test_clone_with_refuses_its_own_name_and_unknown_fields() -> None:
    """A clone is another environment; a misspelt field gets a suggestion."""
    template = TaskEnvironment("template")
    with pytest.raises(InvalidValueError, match="own name"):
        template.clone_with("template")
    with pytest.raises(InvalidValueError, match=r"Did you mean 'resources'\? For example: "):
        template.clone_with("other", resource=Resources(cpu=1))
    assert list(flyte.registry()) == ["template"]


def test_a_clone_that_would_close_a_cycle_is_refused() -> None:
    """Cloning defines, so it obeys the same rules."""
    a = TaskEnvironment("a", depends_on=["b"])
    with pytest.raises(CircularDependencyError):
        a.clone_with("b", depends_on=[a])


def test_a_description_of_any_length_is_kept_whole() -> None:
    """Flyte cuts descriptions at 255 characters; here they stay as they are."""
    text = "x" * 100_000
    assert TaskEnvironment("a", description=text).description == text


def test_repr_equality_and_hash_do_not_grow_with_the_number_of_environments() -> None:
    """A ladder of 400 diamonds, on which Flyte's `repr` would never end, costs what one environment costs."""

    def cost(env: TaskEnvironment, other: TaskEnvironment) -> float:
        gc.collect()
        return min(timeit.repeat(lambda: (repr(env), env == other, hash(env)), number=200, repeat=5))

    alone = TaskEnvironment("alone", depends_on=["x", "y"])
    before = cost(alone, TaskEnvironment("alone-2"))
    below = "step-0"
    TaskEnvironment(below)
    for step in range(400):
        left, right = (
            TaskEnvironment(f"left-{step}", depends_on=[below]),
            TaskEnvironment(f"r-{step}", depends_on=[below]),
        )
        below = TaskEnvironment(f"step-{step + 1}", depends_on=[left, right]).name
    top = flyte.registry()[below]
    assert len(repr(top)) < 200
    assert cost(top, flyte.registry()["step-399"]) < 20 * before


def test_an_environment_can_be_a_key_and_differs_from_other_things() -> None:
    """Equality is by name and only among environments."""
    a, b = TaskEnvironment("a"), TaskEnvironment("b")
    assert {a: 1, b: 2}[flyte.registry()["a"]] == 1
    assert a != b
    assert a != "a"


def test_an_object_whose_name_is_gone_takes_no_tasks_or_dependencies() -> None:
    """They would be nobody's: the message says to define the name again."""
    gone = TaskEnvironment("gone")
    flyte.reset()
    with pytest.raises(flyte.UnknownEnvironmentError, match="'gone' is not defined"):

        @gone.task
        async def work() -> None: ...

    with pytest.raises(flyte.UnknownEnvironmentError, match="gone"):
        gone.add_dependency("base")


def test_copies_of_an_environment_are_the_environment() -> None:
    """A name has one meaning, so there is nothing to copy."""
    env = TaskEnvironment("env", env_vars={"A": "1"})
    assert copy.copy(env) == copy.deepcopy({"env": env})["env"] == env
