"""What tasks display is noted, and the shell's publisher is as it was afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest
    from IPython.core.interactiveshell import InteractiveShell


def test_a_publisher_of_somebody_else_is_called_and_comes_back(
    shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another tool that listens hears everything while the extension is loaded, and stays when it is not."""
    heard: list[Any] = []
    publisher: Any = shell.display_pub
    real = publisher.publish

    def listening(data: Any, *args: Any, **kwargs: Any) -> None:
        heard.append(data["text/plain"])
        real(data, *args, **kwargs)

    monkeypatch.setattr(publisher, "publish", listening)
    shell.run_cell("%load_ext flyte_nb\nfrom IPython.display import display")
    shell.run_cell("display(1)")
    shell.run_cell("%unload_ext flyte_nb")
    shell.run_cell("display(2)")
    assert heard == ["1", "2"]
    assert publisher.publish is listening
