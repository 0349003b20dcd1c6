"""What counts as a secret, and that nothing else does."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyte_nb.masking import MASK, error_text, masked


@pytest.mark.parametrize(
    "name",
    [
        "TOKEN", "github_token", "API_KEY", "apikey", "PASSWORD", "db_passwd", "Secret", "AWS_SECRET_ACCESS_KEY",
        "PRIVATE_KEY", "CREDENTIALS", "AUTHORIZATION", "MYSQL_PWD", "DB_PASS", "SSH_KEY", "GITHUB_PAT",
        "BASIC_AUTH", "ssh_passphrase", "ACCESS_KEY_ID",
    ],
)  # fmt: skip
def test_a_name_that_says_secret_hides_its_value(name: str) -> None:
    """The value of a variable is masked by the look of its name, in any case."""
    assert masked({name: "hunter2"}) == {name: MASK}


@pytest.mark.parametrize(
    "name", ["LOG_LEVEL", "AUTHOR", "HOME", "description", "KEYBOARD", "PATH", "COMPASS", "CACHE_KEY"]
)
def test_an_ordinary_name_shows_its_value(name: str) -> None:
    """What does not look secret is shown."""
    assert masked({name: "hunter2"}) == {name: "hunter2"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://user:hunter2@host/x", "https://***@host/x"),
        ("https://hunter2@host", "https://***@host"),
        ("postgres://u:hunter2@a/b, redis://:hunter2@c", "postgres://***@a/b, redis://***@c"),
        ("--index-url https://u:hunter2@host/simple\nnumpy", "--index-url https://***@host/simple\nnumpy"),
        ("https://host/a@b", "https://host/a@b"),
        ("someone@example.com", "someone@example.com"),
        ("https://u:p@ss@host", "https://***@host"),
        ("https://host/x?access_token=hunter2&a=1", "https://host/x?access_token=***&a=1"),
        ("https://host/x?a=1&Signature=hunter2#b", "https://host/x?a=1&Signature=***#b"),
    ],
)
def test_credentials_in_urls(text: str, shown: str) -> None:
    """User and password of a URL are masked and the rest of the text stays."""
    assert masked({"text": text}) == {"text": shown}


def test_any_depth() -> None:
    """Values are masked inside of mappings and lists."""
    values = {"a": [{"token": "hunter2"}, "https://u:hunter2@host"], "b": {"c": {"password": "hunter2"}}}
    assert "hunter2" not in repr(masked(values))


@pytest.mark.parametrize("value", [["hunter2"], {"a": "hunter2"}, 12345, b"hunter2"])
def test_whatever_a_secret_is_made_of_is_hidden(value: object) -> None:
    """A secret may be a list, a mapping or a number."""
    assert masked({"api_keys": value, "token": value}) == {"api_keys": MASK, "token": MASK}


def test_an_error_is_shown_without_credentials() -> None:
    """A status keeps type and message of an error, even of one whose message cannot be had."""

    class BrokenError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert error_text(OSError("https://u:hunter2@host refused")) == "OSError: https://***@host refused"
    assert error_text(ValueError()) == "ValueError"
    assert error_text(BrokenError()).startswith("BrokenError: ")


TEXTS = st.text(alphabet="abc:/@ tokenpw", max_size=12)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=10,
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["image", "token", "env_vars", "URL"]), JSON_VALUES))
def test_masking_twice_is_masking_once(values: dict[str, object]) -> None:
    """What is masked stays as it is, and nothing is changed in place."""
    before = repr(values)
    once = masked(values)
    assert masked(once) == once
    assert repr(values) == before
    assert list(once) == list(values)
