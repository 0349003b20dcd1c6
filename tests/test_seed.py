"""The contract: Flyte's page on multiple environments, run as it stands."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

import flyte_nb as flyte

PAGE = Path(__file__).parent / "seed" / "multiple-environments.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)


def block(number: int) -> str:
    """Return a code block of the page, with our package for Flyte's and the one argument that its example lacks."""
    return (
        BLOCKS[number]
        .replace("import flyte\n", "import flyte_nb as flyte\n")
        .replace("async def train_model() -> str:", "async def train_model(config: dict) -> str:")
    )


def run_block(number: int) -> dict[str, object]:
    names: dict[str, object] = {"flyte": flyte}
    exec(block(number), names)  # noqa: S102 - the page's own code
    return names


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_every_code_block_of_the_page_runs(number: int) -> None:
    """Each block runs verbatim after `import flyte_nb as flyte`."""
    run_block(number)


def test_the_page_has_the_blocks_this_test_is_about() -> None:
    """The page still has its four examples."""
    assert len(BLOCKS) == 4


def test_the_pipeline_of_the_page_runs_through_both_environments() -> None:
    """Tasks of one environment call tasks of another, whatever was deployed."""
    names = run_block(0)
    assert asyncio.run(names["ml_pipeline"]()) == "model_trained"  # type: ignore[operator]


def test_the_pages_order_is_base_then_ml_then_api() -> None:
    """`depends_on` orders deployment: base, ml, api."""
    run_block(2)
    assert flyte.deployment_order() == ["base", "ml", "api"]


def test_the_pages_deployment_is_enforced_in_that_order() -> None:
    """No environment starts before the one it depends on has ended."""
    run_block(2)
    deployment = asyncio.run(flyte.deploy())
    assert deployment.order == ["base", "ml", "api"]
    base, ml, api = deployment.environments
    assert base.ended <= ml.started  # type: ignore[operator]
    assert ml.ended <= api.started  # type: ignore[operator]


def test_a_dependency_added_later_counts_like_one_given_at_construction() -> None:
    """Both options of the page lead to the same order."""
    run_block(1)
    assert flyte.deployment_order() == ["base", "ml-training", "api"]


def test_the_page_clones_a_template_without_touching_it() -> None:
    """`clone_with` changes what it is told and keeps the rest; the template stays."""
    names = run_block(3)
    clone, template = names["training_env"], names["base_template"]
    assert clone.image == template.image == "python:3.12-slim"  # type: ignore[attr-defined]
    assert (clone.resources.gpu, template.resources.gpu) == ("A100:2", None)  # type: ignore[attr-defined]
    assert clone.depends_on == ("base-template",)  # type: ignore[attr-defined]


def test_a_circular_reference_is_refused_with_its_path_and_changes_nothing() -> None:
    """The page: "Flyte validates and prevents circular references"."""
    names = run_block(2)
    before = {name: env.depends_on for name, env in flyte.registry().items()}
    with pytest.raises(flyte.CircularDependencyError, match="base -> api -> ml -> base") as caught:
        names["base_env"].add_dependency(names["api_env"])  # type: ignore[attr-defined]
    assert caught.value.cycle == ["base", "api", "ml", "base"]
    assert {name: env.depends_on for name, env in flyte.registry().items()} == before
