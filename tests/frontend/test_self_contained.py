"""What is sent to a front end needs nothing from elsewhere: VS Code and Colab allow no more."""

from __future__ import annotations

import re

import pytest

# Names of namespaces are addresses that nobody asks.
_NAMESPACES = re.compile(r"http://www\.w3\.org/(?:2000/svg|1999/xlink|1999/xhtml)")
_ELSEWHERE = {
    "an address": r"\b(?:https?|wss?|ftp)://|[\"'(`]//",
    "an import": r"(?m)^\s*import\b|\bimport\s*\(|\bfrom\s+[\"']|\brequire\s*\(|@import|@font-face",
    "a request": r"\b(?:fetch|importScripts|sendBeacon)\s*\(|\b(?:XMLHttpRequest|WebSocket|EventSource|Worker)\b",
    "markup from text": r"\b(?:innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|srcdoc)\b",
    "code from text": r"\beval\s*\(|\bnew\s+Function\b|\bset(?:Timeout|Interval)\s*\(\s*[\"'`]",
    "what is kept in the browser": r"\b(?:localStorage|sessionStorage|indexedDB|document\.cookie)\b",
    "a picture by address": r"url\(\s*(?![\"']?#|`?#|[\"']?data:)",
}


@pytest.mark.parametrize("kind", _ELSEWHERE)
def test_modules_and_style_sheets_need_nothing_from_elsewhere(modules, style_sheets, kind):
    """No CDN, no import, no request, no parsing of texts as markup or code."""
    for name, text in (*modules.items(), *style_sheets.items()):
        found = re.search(_ELSEWHERE[kind], _NAMESPACES.sub("", text))
        assert not found, f"{name}: {found[0] if found else ''}"


def test_each_module_exports_one_thing(modules):
    """It is loaded as it is, from a blob: its only export is what anywidget asks for."""
    for text in modules.values():
        assert [line.split("(")[0] for line in re.findall(r"(?m)^export .*", text)] == ["export default hosted"]


def test_style_sheets_reach_nothing_but_the_views(style_sheets):
    """Every rule begins at an element of ours, so that nothing of the notebook changes its looks."""
    for name, text in style_sheets.items():
        bare = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
        for selectors in re.findall(r"(?:^|[{}])\s*([^{}@]+?)\s*\{", bare):
            for _ in range(3):  # what stands in brackets stands in others
                selectors = re.sub(r"\([^()]*\)", "", selectors)
            for selector in selectors.split(","):
                assert ".fnb-" in selector or re.fullmatch(r"\s*(?:from|to|[\d.]+%)\s*", selector), (name, selector)
