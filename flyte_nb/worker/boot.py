"""Begins a worker: `python -I boot.py DESCRIPTOR DESCRIPTOR`: those of two sockets to the kernel.

The interpreter is the environment's own. It need not have flyte_nb installed: it gets that of the kernel, and nothing
else that lies beside it.
"""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

__all__ = ["boot"]


def boot(root: Path, descriptors: list[int]) -> None:
    """Import flyte_nb from the folder `root` and serve the kernel until it is gone."""
    spec = spec_from_file_location("flyte_nb", root / "__init__.py", submodule_search_locations=[str(root)])
    assert spec and spec.loader  # noqa: S101, PT018 - it is the file next to this one
    module = sys.modules["flyte_nb"] = module_from_spec(spec)
    spec.loader.exec_module(module)
    from flyte_nb.worker.serving import serve

    serve(*descriptors)


if __name__ == "__main__":
    boot(Path(__file__).resolve().parent.parent, [int(descriptor) for descriptor in sys.argv[1:]])
