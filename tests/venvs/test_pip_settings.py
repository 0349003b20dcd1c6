"""What pip is configured with reaches uv."""

from __future__ import annotations

from pathlib import Path

import pytest

from flyte_nb.venvs.pip_settings import options_for_uv, variables_for_uv

CONFIG = """
[global]
index-url = https://robot:hunter2@mirror.example/simple
extra_index_url =
    https://one.example/simple
    https://two.example/simple
cert = /etc/company.pem
[install]
find-links = /opt/wheels https://three.example/links
trusted-host = one.example two.example
[list]
timeout = 7
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment variables of a machine whose pip is not configured but by the file they name."""
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setattr("sys.prefix", str(tmp_path / "prefix"))
    file = tmp_path / "pip.conf"
    file.write_text(CONFIG)
    return {"PIP_CONFIG_FILE": str(file)}


def told(variables: dict[str, str]) -> dict[str, str]:
    """Return what uv is told, but for what the machine that runs the test has in /etc."""
    return variables_for_uv({"XDG_CONFIG_DIRS": "/nowhere", **variables})


def test_the_file_of_pip_is_read(machine: dict[str, str]) -> None:
    """Names are written as pip takes them, several values as uv takes them."""
    assert told(machine) == {
        "UV_INDEX_URL": "https://robot:hunter2@mirror.example/simple",
        "UV_EXTRA_INDEX_URL": "https://one.example/simple https://two.example/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_FIND_LINKS": "/opt/wheels,https://three.example/links",
        "UV_INSECURE_HOST": "one.example two.example",
        "SSL_CERT_FILE": "/etc/company.pem",
    }


def test_variables_of_pip_come_before_its_files(machine: dict[str, str]) -> None:
    """As in pip itself."""
    variables = {**machine, "PIP_INDEX_URL": "https://other.example/simple", "PIP_TIMEOUT": "60", "PIP_CERT": ""}
    assert told(variables)["UV_INDEX_URL"] == "https://other.example/simple"
    assert told(variables)["UV_HTTP_TIMEOUT"] == "60"
    assert told(variables)["SSL_CERT_FILE"] == "/etc/company.pem"


@pytest.mark.parametrize("said", ["UV_DEFAULT_INDEX", "UV_INDEX_URL"])
def test_what_uv_is_told_stays(machine: dict[str, str], said: str) -> None:
    """Whoever configures uv means uv."""
    assert "UV_INDEX_URL" not in told({**machine, said: "https://other.example/simple"})
    assert "UV_EXTRA_INDEX_URL" in told({**machine, said: "https://other.example/simple"})


def test_pip_can_be_told_to_read_no_file(machine: dict[str, str], tmp_path: Path) -> None:
    """With the null device for its file, as in pip itself."""
    assert told({"PIP_CONFIG_FILE": "/dev/null"}) == {}


@pytest.mark.parametrize("content", ["no section", "[global]\nno value\n", "[global\nindex-url = a"])
def test_a_file_that_is_damaged_stops_nothing(machine: dict[str, str], content: str) -> None:
    """Whether a package can be found is seen when it is looked for."""
    file = Path(machine["PIP_CONFIG_FILE"])
    file.write_text("")
    before = told(machine)
    file.write_text(content)
    assert told(machine) == before


def test_files_are_found_where_pip_has_them(machine: dict[str, str], tmp_path: Path) -> None:
    """The user's, and that of the environment of the kernel, which wins."""
    for folder, host in ((tmp_path / ".config" / "pip", "user"), (tmp_path / "prefix", "site")):
        folder.mkdir(parents=True)
        (folder / "pip.conf").write_text(f"[global]\nindex-url = https://{host}\n{host}-only = 1\n")
    assert told({})["UV_INDEX_URL"] == "https://site"
    assert told(machine)["UV_INDEX_URL"] == "https://robot:hunter2@mirror.example/simple"


@pytest.mark.parametrize(("said", "options"), [("1", ("--no-index",)), ("true", ("--no-index",)), ("0", ()), ("", ())])
def test_no_index_at_all(machine: dict[str, str], said: str, options: tuple[str, ...]) -> None:
    """What machines without a network say."""
    assert options_for_uv({**machine, "PIP_NO_INDEX": said}) == options
