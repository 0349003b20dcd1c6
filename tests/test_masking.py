"""What counts as a secret, and that nothing else does."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyte_nb.masking import MASK, beginning_without_credentials, error_text, masked, without_credentials
from flyte_nb.masking.declared import DeclaredSecrets, declared_secrets


@pytest.mark.parametrize(
    "name",
    [
        "TOKEN", "github_token", "API_KEY", "apikey", "PASSWORD", "db_passwd", "Secret", "AWS_SECRET_ACCESS_KEY",
        "PRIVATE_KEY", "CREDENTIALS", "AUTHORIZATION", "MYSQL_PWD", "DB_PASS", "SSH_KEY", "GITHUB_PAT",
        "BASIC_AUTH", "ssh_passphrase", "ACCESS_KEY_ID", "OPENAI_KEY", "HF_KEY", "WANDB_KEY", "ACCOUNT_KEY", "JWT",
        "BEARER", "SESSION_COOKIE", "AZURE_SAS", "SENTRY_DSN", "CONNECTION_STRING", "API_TOKENS", "HF_TOKENS",
        "openaiKey", "OpenAIKey", "dbPassword", "api-key", "MAX_TOKENS_SECRET",
    ],
)  # fmt: skip
def test_a_name_that_says_secret_hides_its_value(name: str) -> None:
    """The value of a variable is masked by the look of its name, in any case."""
    assert masked({name: "hunter2"}) == {name: MASK}


@pytest.mark.parametrize(
    "name",
    [
        "LOG_LEVEL", "AUTHOR", "HOME", "description", "KEYBOARD", "PATH", "COMPASS", "key", "KEYS", "_key", "MONKEY",
        "MAX_TOKENS", "max_new_tokens", "maxTokens", "TOKENS_PER_MINUTE", "TOKENIZERS_PARALLELISM", "TOKENIZER",
        "NODE_KEY_PATH", "COOKIECUTTER", "SASHA",
    ],
)  # fmt: skip
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
        ("https://a.example/x?sv=1&sig=hunter2%3D", "https://a.example/x?sv=1&sig=***"),
        ("https://host/x?max_tokens=3&key=hunter2", "https://host/x?max_tokens=3&key=***"),
    ],
)
def test_credentials_in_urls(text: str, shown: str) -> None:
    """User and password of a URL are masked and the rest of the text stays."""
    assert masked({"text": text}) == {"text": shown}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("key sk-proj-hunter2_a is wrong", "key *** is wrong"),
        ("('ghp_hunter2hunter2',)", "('***',)"),
        ("gho_hunter2hunter2 github_pat_11AA_hunter2", "*** ***"),
        ("AKIAIOSFODNN7EXAMPLE", "***"),
        ("xoxb-12-hunter2 xoxp-12-hunter2", "*** ***"),
        ("{'Authorization': 'Bearer hunter2'}", "{'Authorization': 'Bearer ***'}"),
        ("Server=a;Password=hunter 2;Encrypt=yes", "Server=a;Password=***;Encrypt=yes"),
        ("Server=a;PWD=hunter2", "Server=a;PWD=***"),
        ("AccountName=a;AccountKey=hunter2==;", "AccountName=a;AccountKey=***;"),
        ("risk-2024-assessment sk-learn ask-1234567", "risk-2024-assessment sk-learn ask-1234567"),
        ("the bearer token is missing", "the bearer token is missing"),
        ("AKIA is a town", "AKIA is a town"),
    ],
)
def test_values_that_look_secret(text: str, shown: str) -> None:
    """Keys and tokens of well-known shapes are masked wherever they stand in a text."""
    assert without_credentials(text) == shown
    assert masked({"text": [text]}) == {"text": [shown]}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("token=hunter2", "token=***"),
        ("token: hunter2, user: me", "token: ***, user: me"),
        ("api_key='hunter2'", "api_key='***'"),
        ("OPENAI_API_KEY=hunter2 python x.py", "OPENAI_API_KEY=*** python x.py"),
        ("{'password': 'hunter 2', 'user': 'me'}", "{'password': '***', 'user': 'me'}"),
        ('{"password": "hunter2"}', '{"password": "***"}'),
        ("{b'password': b'hunter2'}", "{b'password': '***'}"),
        ("passwords=['hunter2', 'b'] x", "passwords=*** x"),
        ("cannot connect with Config(secret='hunter2', port=1)", "cannot connect with Config(secret='***', port=1)"),
        ("Authorization: Basic aHVudGVyMg==", "Authorization: ***"),
        ("password: 1234", "password: ***"),
        ("hf_hunter2hunter2 eyJhbGciOi.eyJzdWIiOi.c2lnbg", "*** ***"),
        ("AIza" + "hunter2" * 5, "***"),
        ("-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY----- x", "*** x"),
        ("tokens: 512, loss: 0.25", "tokens: 512, loss: 0.25"),
        ("max_tokens=512 auth: ok token=None", "max_tokens=512 auth: ok token=None"),
        ("KeyError: 'a'", "KeyError: 'a'"),
        ("monkey: 'a', author=me, key: value", "monkey: 'a', author=me, key: value"),
    ],
)
def test_what_is_said_to_be_secret_in_a_text(text: str, shown: str) -> None:
    """In a line of a log or the message of an error, the value after a name that says secret is masked."""
    assert without_credentials(text) == shown
    assert without_credentials(shown) == shown


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "://",
        "://a@",
        "?a=",
        "sk-",
        "sk-a",
        "ghp_",
        "xoxb-",
        "bearer ",
        "password=",
        "password=a b ",
        "_key",
        "token=",
        "token: [",
        "eyJ",
        "eyJaaaaaaa.",
        "'token': '",
        "-----BEGIN PRIVATE KEY-----",
        "a  ",
    ],
)
def test_a_long_text_takes_no_longer_for_its_shape(piece: str) -> None:
    """What nearly matches everywhere is read in time linear in its length; in quadratic time it would take minutes."""
    text = piece * (1_000_000 // len(piece))
    start = time.process_time()
    without_credentials(text)
    masked({text: ""})
    assert time.process_time() - start < 10


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


PIECES = ["a", "b1", ":", "/", "@", " ", "=", ";", "&", "?", "***", "://", "token", "Bearer ", "sk-", "Password=", "\n"]
TEXTS = st.text(alphabet="abc:/@ tokenpw", max_size=12) | st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
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


def test_what_is_declared_as_a_secret_is_masked_whatever_it_looks_like(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also a variable that is set later, and each line of a key; short values are words that stand everywhere."""
    secrets = DeclaredSecrets()
    secrets.add_values(["correct horse", "first line\nsecond line", "dev"])
    secrets.add_variables(["LATER"])
    assert secrets.masked("dev: correct horse, second line, battery") == "dev: ***, ***, battery"
    monkeypatch.setenv("LATER", "battery")
    assert secrets.masked("dev: correct horse, second line, battery") == "dev: ***, ***, ***"
    monkeypatch.delenv("LATER")
    assert secrets.masked("battery") == "***"


def test_a_cut_does_not_show_a_part_of_a_declared_secret() -> None:
    """Output is shown up to some length, which may end within a secret."""
    declared_secrets.add_values(["correct horse"])
    assert beginning_without_credentials("x" * 10 + "correct horse" + "y" * 20, 16) == "x" * 10 + "***" + "yyy"
    assert error_text(ValueError("no correct horse")) == "ValueError: no ***"


@given(st.integers(0, 40), st.integers(7, 60))
def test_a_cut_by_others_does_not_show_a_part_either(before: int, length: int) -> None:
    """A text is cut where a secret is not known: of that no more is left than a word may be."""
    secrets = DeclaredSecrets()
    secrets.add_values(["correct horse battery staple"])
    text = f"'{'x' * before}correct horse battery staple{'y' * 20}'"
    cut = text if len(text) <= length else text[: length - 1] + "…"
    assert "correct" not in secrets.masked_where_cut(cut)
    assert secrets.masked_where_cut(f"{cut}, after") == f"{secrets.masked_where_cut(cut)}, after"


def test_a_variable_by_its_name() -> None:
    """In a mapping that names a variable, as those of Kubernetes do, the value is secret if the name says so."""
    pod = {"env": [{"name": "API_TOKEN", "value": "hunter2"}, {"name": "LEVEL", "value": "info"}]}
    assert masked(pod) == {"env": [{"name": "API_TOKEN", "value": MASK}, {"name": "LEVEL", "value": "info"}]}
