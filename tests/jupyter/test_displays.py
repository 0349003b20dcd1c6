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


def test_without_echo_what_tasks_say_does_not_appear(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where no view could show it, too, and until the extension is unloaded; it is noted all the same."""
    shell.run_cell("%load_ext flyte_nb\nimport flyte_nb as flyte\nenv = flyte.TaskEnvironment('e')")
    capsys.readouterr()  # what was defined before is remarked on
    shell.run_cell("@env.task\ndef say() -> None:\n    print('printed')\n    display('displayed')")
    shell.run_cell("%config FlyteNB.echo = False")
    shell.run_cell("run = flyte.run(say)\nrun = await run\nprint('of the cell')\nsay()")
    assert capsys.readouterr().out == "of the cell\n"
    assert [line.text for line in shell.user_ns["run"].logs] == ["printed", "'displayed'"]
    shell.run_cell("%unload_ext flyte_nb\n%load_ext flyte_nb\nsay()\n%unload_ext flyte_nb")
    assert "printed" in capsys.readouterr().out
