"""A target that has nothing and refuses nothing, as text for cells: kernels import none of the tests."""

from __future__ import annotations

__all__ = ["BARE_TARGET"]

BARE_TARGET = """
class BareTarget:
    def observe(self):
        return {}
    def remarks(self, spec):
        return ()
    def refusals(self, bundles):
        return {}
    async def remove_environment(self, name, log):
        log("removed")
"""
