"""Secrets in fingerprints: changes are noticed, values are not told."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import flyte_nb
from flyte_nb.bundle.secret_digests import SecretDigests
from flyte_nb.bundle.specification import specification
from flyte_nb.errors import StateError
from flyte_nb.session import session

if TYPE_CHECKING:
    from pathlib import Path


def of(home: Path, text: str = "hunter2") -> str:
    return SecretDigests(lambda: home).digest(text)


def test_the_same_value_has_the_same_digest_in_one_folder(tmp_path: Path) -> None:
    """Another value has another, and so has the same in another folder; the key is for its owner alone."""
    assert of(tmp_path) == of(tmp_path)
    assert of(tmp_path) != of(tmp_path, "hunter3")
    assert of(tmp_path) != of(tmp_path / "other")
    assert (tmp_path / "fingerprint.key").stat().st_mode & 0o777 == 0o600
    assert {path.name for path in tmp_path.iterdir()} == {"fingerprint.key", "other"}


def test_processes_that_begin_at_once_agree(tmp_path: Path) -> None:
    """Whoever is first makes the key, and everybody uses it."""
    code = (
        "import sys; from pathlib import Path; from flyte_nb.bundle.secret_digests import SecretDigests;"
        "print(SecretDigests(lambda: Path(sys.argv[1])).digest('hunter2'))"
    )
    begun = [
        subprocess.Popen([sys.executable, "-c", code, tmp_path / "home"], stdout=subprocess.PIPE) for _ in range(6)
    ]
    assert len({process.communicate()[0] for process in begun}) == 1
    assert not any(process.returncode for process in begun)


@pytest.mark.parametrize("content", [b"", b"short"])
def test_what_is_no_key_is_one_clear_error(tmp_path: Path, content: bytes) -> None:
    """A file that somebody cut is not taken for a key."""
    (tmp_path / "fingerprint.key").write_bytes(content)
    with pytest.raises(StateError, match="does not hold a key"):
        of(tmp_path)


def test_a_fingerprint_does_not_tell_the_secret() -> None:
    """Whoever knows all of an environment but the password cannot find it by trying."""
    env = flyte_nb.TaskEnvironment("ml", env_vars={"DB_PASSWORD": "hunter2"})
    found, _ = session().bundles(["ml"])
    said = specification(env.spec, (), {})
    tried: dict[str, object] = {"format": 2, "specification": said, "code": [], "refers": [], "files": {}}
    assert found["ml"].fingerprint != hashlib.sha256(json.dumps(tried, sort_keys=True).encode()).hexdigest()
    plain = flyte_nb.TaskEnvironment("plain")
    tried["specification"] = specification(plain.spec, (), {})
    found, _ = session().bundles(["plain"])
    assert found["plain"].fingerprint == hashlib.sha256(json.dumps(tried, sort_keys=True).encode()).hexdigest()
