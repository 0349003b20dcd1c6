"""Begins a worker: `python -I boot.py DESCRIPTOR DESCRIPTOR`: those of two sockets to the kernel.

The interpreter is the environment's own. It need not have flyte_nb installed: it gets that of the kernel, and nothing
else that lies beside it.
"""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

__all__ = ["boot", "join"]

_ROOT = Path(__file__).resolve().parent.parent


def boot(descriptors: list[int]) -> None:
    """Serve the kernel until it is gone."""
    _import_flyte_nb()
    from flyte_nb.worker.serving import serve

    serve(*descriptors)


def join(beginning: str) -> None:
    """Have this process, which a task has started, import modules of environments as their worker does.

    Args:
        beginning: What `flyte_nb.worker.children.offer` has left for it.
    """
    _import_flyte_nb()
    from flyte_nb.worker.children import prepare

    prepare(beginning)


def _import_flyte_nb() -> None:
    spec = spec_from_file_location("flyte_nb", _ROOT / "__init__.py", submodule_search_locations=[str(_ROOT)])
    assert spec and spec.loader  # noqa: S101, PT018 - it is the file next to this one
    module = sys.modules["flyte_nb"] = module_from_spec(spec)
    spec.loader.exec_module(module)


if __name__ == "__main__":
    boot([int(descriptor) for descriptor in sys.argv[1:]])
