"""Bundles that hold all they need: a version is what is called, too, whoever calls whom."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flyte_nb.bundle.content import Bundle
from flyte_nb.bundle.linking import linked, needed_by


def bundle(name: str, calls: tuple[str, ...] = (), code: str = "") -> Bundle:
    modules = {f"m_{each}": each for each in {name, *calls}}
    text = f"# {name} {code}"
    return Bundle(name, {}, {f"{name}.task": text}, f"f-{name}-{code}", text, {}, {}, f"m_{name}", modules)


def several(*bundles: Bundle) -> dict[str, Bundle]:
    return {each.name: each for each in bundles}


def test_what_calls_nothing_is_what_it_was() -> None:
    """Its version is its own."""
    alone = bundle("a")
    assert linked("a", several(alone, bundle("b"))) is alone


def test_what_is_called_goes_along() -> None:
    """Its module is a file, and its sources are told after the own ones."""
    whole = several(bundle("a", ("b",)), bundle("b", ("c",)), bundle("c"), bundle("d"))
    found = linked("a", whole)
    assert dict(found.files) == {"environments/m_b.py": "# b ", "environments/m_c.py": "# c "}
    assert list(found.sources) == ["a.task", "b.task", "c.task"]
    assert dict(found.modules) == {"m_a": "a", "m_b": "b", "m_c": "c"}
    assert found.module == "# a "


def test_environments_may_call_each_other() -> None:
    """Both are of one version, each with its own name."""
    whole = several(bundle("a", ("b",)), bundle("b", ("a",)))
    assert needed_by("a", whole) == needed_by("b", whole) == ["a", "b"]
    assert linked("a", whole).fingerprint == linked("b", whole).fingerprint


CALLS = st.dictionaries(st.sampled_from("abcde"), st.sets(st.sampled_from("abcde")), max_size=5)


@given(CALLS, st.sampled_from("abcde"))
def test_a_change_is_a_new_version_of_exactly_those_who_call_it(calls: dict[str, set[str]], changed: str) -> None:
    """Directly or not; of all others the version stays."""
    before = several(*(bundle(name, tuple(calls.get(name, ()))) for name in "abcde"))
    after = {**before, changed: bundle(changed, tuple(calls.get(changed, ())), "changed")}
    for name in "abcde":
        is_new = linked(name, before).fingerprint != linked(name, after).fingerprint
        assert is_new == (changed in needed_by(name, before))
