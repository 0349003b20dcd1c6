"""What an export wrote, and what was adopted, as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flyte_nb.view.table import Table

if TYPE_CHECKING:
    from flyte_nb.project.adopting import Adopted
    from flyte_nb.project.folder import Exported

__all__ = ["adopted_table", "exported_table"]


def exported_table(exported: Exported) -> Table:
    """Return the files of an export, a row each, and what to do with them."""
    outcome = {
        **dict.fromkeys(exported.written, "written"),
        **dict.fromkeys(exported.unchanged, "unchanged"),
        **dict.fromkeys(exported.removed, "removed"),
    }
    rows = tuple((path, outcome[path]) for path in sorted(outcome))
    note = "README.md there has the commands that run and deploy it."
    return Table(("file", "now"), rows, f"Exported to {exported.folder}", note)


def adopted_table(adopted: Adopted) -> Table:
    """Return the environments that were adopted, a row each, and how to use their tasks."""
    rows = tuple((name, module) for module, names in adopted.environments.items() for name in names)
    if not rows:
        return Table(("environment", "module"), (), "Adopted: nothing", "These modules define no environments.")
    count = f"{len(rows)} environment{'' if len(rows) == 1 else 's'}"
    note = f"Tasks are imported as ever: from {rows[-1][1]} import ...; %flyte_graph shows how the environments depend."
    return Table(("environment", "module"), rows, f"Adopted: {count}", note)
