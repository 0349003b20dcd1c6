"""%load_ext and %unload_ext: on, and off without a trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .notebook import Notebook

SNAPSHOT = """
def snapshot():
    import logging, signal, sys
    shell = get_ipython()
    manager = shell.magics_manager
    formatters = dict(shell.display_formatter.formatters)
    formatters["ipython_display"] = shell.display_formatter.ipython_display_formatter
    formatters["mimebundle"] = shell.display_formatter.mimebundle_formatter
    return {
        "magics": {kind: sorted(magics) for kind, magics in manager.magics.items()},
        "registry": sorted(manager.registry),
        "callbacks": {name: list(callbacks) for name, callbacks in shell.events.callbacks.items()},
        "cleanup": list(shell.input_transformers_cleanup),
        "post": list(shell.input_transformers_post),
        "lines": list(shell.input_transformer_manager.line_transforms),
        "tokens": list(shell.input_transformer_manager.token_transformers),
        "trees": list(shell.ast_transformers),
        "matchers": list(shell.Completer.custom_matchers),
        "configurables": list(shell.configurables),
        "formatters": {key: (dict(f.type_printers), dict(f.deferred_printers)) for key, f in formatters.items()},
        "attributes": sorted(set(vars(shell)) - {"_last_traceback"}),
        "class": sorted(vars(type(shell))),
        "exceptions": (shell.custom_exceptions, getattr(shell, "CustomTB", None)),
        "hooks": sorted(vars(shell.hooks)),
        "names": sorted(name for name in shell.user_ns if not name.startswith("_") and name != "before"),
        "streams": (sys.stdout, sys.stderr, [vars(handler) for handler in logging.getLogger().handlers]),
        "publisher": sorted(vars(shell.display_pub)),
        "signal": signal.getsignal(signal.SIGINT),
    }
"""


DIFFERING = "[(key, str(value), str(snapshot()[key])) for key, value in before.items() if value != snapshot()[key]]"


def test_unload_leaves_nothing(kernel: Notebook) -> None:
    """After unloading, the shell is as it was before loading, and so again after the second time."""
    kernel.ok(SNAPSHOT)
    kernel.ok("%unload_ext nothing")  # IPython loads some of its own magics when they are first used
    kernel.ok("before = snapshot()")
    for _ in range(2):
        kernel.ok("%load_ext flyte_nb")
        kernel.ok("%%flyte_env e\n@env.task\nasync def t() -> int:\n    return 1\n")
        kernel.ok("%flyte_graph\n%flyte_plan")
        kernel.ok("x = %flyte_run t()\nx = %flyte_deploy")
        kernel.ok("%unload_ext flyte_nb\ndel e, t, x")
        assert kernel.value(DIFFERING) == []
    for cell in ("%flyte_envs", "%%flyte_env e\n", "x = %flyte_run t()"):
        assert kernel.run(cell).ename == "UsageError"


def test_nothing_is_shown(kernel: Notebook) -> None:
    """Importing and loading show nothing."""
    result = kernel.ok("import flyte_nb\n%load_ext flyte_nb")
    assert (result.stdout, result.stderr, result.displays, result.value) == ("", "", [], None)


def test_twice(kernel: Notebook) -> None:
    """Loading twice changes nothing, and one unload undoes both."""
    kernel.ok(SNAPSHOT)
    kernel.ok("%load_ext flyte_nb")
    kernel.ok("before = snapshot()")
    kernel.ok("%load_ext flyte_nb")
    kernel.ok("__import__('flyte_nb').load_ipython_extension(get_ipython())")
    assert kernel.value(f"{DIFFERING}, before == snapshot()") == ([], True)
    kernel.ok("%unload_ext flyte_nb")
    kernel.ok("__import__('flyte_nb').unload_ipython_extension(get_ipython())")
    assert kernel.run("%flyte_envs").ename == "UsageError"


def test_reload(kernel: Notebook) -> None:
    """Reloading keeps what is defined, and what cells own."""
    kernel.ok("%load_ext flyte_nb\nimport flyte_nb as flyte")
    kernel.ok("flyte.reset()")
    kernel.ok("x = flyte.TaskEnvironment('x')\ny = flyte.TaskEnvironment('y')", "a")
    kernel.ok("z = flyte.TaskEnvironment('z')")
    kernel.ok("%reload_ext flyte_nb")
    kernel.ok("import flyte_nb as flyte")
    assert kernel.value("list(flyte.registry())") == ["x", "y", "z"]
    kernel.ok("y = flyte.TaskEnvironment('y')", "a")
    kernel.ok("pass")
    assert kernel.value("sorted(flyte.registry())") == ["y", "z"]
    assert kernel.ok("%flyte_envs").displays


def test_unloaded(kernel: Notebook) -> None:
    """Without the extension definitions still work, and loading it again shows them."""
    kernel.ok("%unload_ext flyte_nb\nimport flyte_nb as flyte\nflyte.reset()\nx = flyte.TaskEnvironment('x')")
    kernel.ok("%load_ext flyte_nb")
    assert "x" in kernel.ok("%flyte_envs").displays[0]


def test_settings(kernel: Notebook) -> None:
    """%config FlyteNB explains the settings and sets them."""
    kernel.ok("%load_ext flyte_nb")
    assert "FLYTE_NB_HOME" in kernel.ok("%config FlyteNB").stdout
    kernel.ok("%config FlyteNB.home = 'elsewhere'\nfrom flyte_nb.session import session")
    assert kernel.value("session().settings.home") == "elsewhere"
    kernel.ok("%config FlyteNB.home = ''")


@pytest.mark.parametrize(("name", "value", "wrong"), [("oversize", "refuse", "shrink"), ("run_on", "local", "cluster")])
def test_a_setting_with_few_values(kernel: Notebook, name: str, value: str, wrong: str) -> None:
    """Its values are in the help; letters may be large or small; another value is refused in one line."""
    kernel.ok("%load_ext flyte_nb\nfrom flyte_nb.session import session")
    assert f"'{value}'" in kernel.ok("%config FlyteNB").stdout
    kernel.ok(f"%config FlyteNB.{name} = {value.upper()!r}")
    assert kernel.value(f"session().settings.{name}") == value
    refused = kernel.run(f"%config FlyteNB.{name} = {wrong!r}")
    told = (refused.evalue or refused.stderr).strip()
    assert value in told
    assert wrong in told
    assert "\n" not in told
    assert kernel.value(f"session().settings.{name}") == value
    kernel.ok(f"%config FlyteNB.{name} = session().settings.__class__().{name}")
    assert kernel.value(f"session().settings.{name}") != value


def test_a_refused_setting_is_forgotten_with_the_extension(kernel: Notebook) -> None:
    """The shell keeps what it was told; loaded again, the extension has its settings as they were."""
    kernel.ok("%unload_ext flyte_nb\nget_ipython().config.FlyteNB.run_on = 'local'")
    kernel.ok("%load_ext flyte_nb\nfrom flyte_nb.session import session")
    kernel.run("%config FlyteNB.run_on = 'nowhere'")
    kernel.ok("%unload_ext flyte_nb")
    kernel.ok("%load_ext flyte_nb")
    assert kernel.value("session().settings.run_on") == "local"
    kernel.ok("%unload_ext flyte_nb\ndel get_ipython().config['FlyteNB']")


def test_plan_shown_again(kernel: Notebook) -> None:
    """What a magic has shown is not shown twice by its cell, and is shown when a later cell ends with it."""
    kernel.ok("%load_ext flyte_nb\nimport flyte_nb as flyte\nx = flyte.TaskEnvironment('x')")
    assert len(kernel.ok("%flyte_plan").displays) == 1
    assert len(kernel.ok("plan = %flyte_plan").displays) == 1
    assert len(kernel.ok("plan").displays) == 1
    assert len(kernel.ok("plan").displays) == 1
