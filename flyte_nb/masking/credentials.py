"""Which values are secret by the look of them.

All patterns take time linear in the text, which may be the whole output of a program.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MASK", "masked", "says_secret", "without_credentials"]

MASK = "***"

# Names are read as lower-case words joined by "_".
_SECRET_NAMES = (
    # CLIENT_SECRET, db_passwd, ssh_passphrase, MYSQL_PWD, CREDENTIALS
    r"secret|passw|passphrase|pwd|credential|authorization",
    # GITHUB_TOKEN, but not TOKENIZERS_PARALLELISM
    r"token(?!s|iz)",
    # API_TOKENS, but not what counts them: MAX_TOKENS, TOKENS_PER_MINUTE
    r"^(?!.*(?<![a-z])(max|min|num|n|total|count|limit|per)(?![a-z])).*tokens",
    # API_KEY, apikey, ACCESS_KEY_ID
    r"(api|private|access|account|ssh|signing|encryption)_?key",
    # OPENAI_KEY and any other name of several words that ends so, but not "key" alone
    r"_keys?$",
    # whole words: GITHUB_PAT, BASIC_AUTH, AZURE_SAS, SENTRY_DSN
    r"(?<![a-z])(pass|pat|auth|jwt|bearer|cookies?|sas|dsn)(?![a-z])",
    # CONNECTION_STRING, CONN_STR; it holds a password
    r"conn(ection)?_?str",
)
_SECRET_NAME = re.compile("|".join(f"(?:{pattern})" for pattern in _SECRET_NAMES))
_BETWEEN_WORDS = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

# What these find is masked, but for the group "kept".
_SECRETS_IN_TEXT = tuple(
    re.compile(pattern)
    for pattern in (
        # https://user:password@host; the password may hold "@"
        r"(?<=://)[^/?#\s]+(?=@)",
        # OpenAI, Anthropic and others: sk-..., with a digit, which the names of packages rarely have
        r"(?<![\w-])sk-(?=[\w-]*[0-9])[\w-]{6,}",
        # GitHub: ghp_..., github_pat_...
        r"(?<![A-Za-z0-9])(?:gh[opsur]|github_pat)_\w{6,}",
        # AWS: the id of an access key
        r"(?<![A-Za-z0-9])A[KS]IA[0-9A-Z]{16}",
        # Hugging Face: hf_...
        r"(?<![A-Za-z0-9])hf_[A-Za-z0-9]{8,}",
        # Google: AIza...
        r"(?<![A-Za-z0-9])AIza[\w-]{30,}",
        # JSON Web Tokens: two parts in base64 that begin as JSON does, and a signature
        r"(?<![\w-])eyJ[\w-]{6,}\.[\w-]{6,}(?:\.[\w-]+)?",
        # -----BEGIN RSA PRIVATE KEY-----
        r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[^-]{0,8000}(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?",
        # Slack: xoxb-...
        r"(?<![A-Za-z0-9])xox[a-z]-[\w-]{6,}",
        # Authorization: Bearer ...
        r"(?i:(?P<kept>\bbearer +)(?!token\b)[^\s\"',;]+)",
        # In a connection string: Password=...; the value may hold spaces if a ";" ends it
        r"(?i:(?<![a-z])(?P<kept>(?:password|pwd|account_?key|shared_?access_?(?:key|signature))=)"
        r"(?:[^;\n]{1,256}(?=;)|[^;\s]+))",
    )
)
# token=..., 'password': '...', API_KEY: ...; what stands for the value may be quoted, or in brackets.
_ASSIGNED = re.compile(
    r"(?<![\w-])(?P<name>[A-Za-z][\w-]{1,60})(?P<sign>[\"']?[ \t]{0,5}[=:][ \t]{0,5})"
    r"(?P<value>(?i:basic|bearer|token) +[^\s,;\"']+|[bru]{0,2}\"[^\"\n]{0,1000}\"?|[bru]{0,2}'[^'\n]{0,1000}'?"
    r"|\[[^\]\n]{0,1000}\]?|\{[^}\n]{0,1000}\}?|[^\s,;&}\])\"'\[{]+)"
)
# "tokens: 512" counts, and "auth: ok" is no secret; but "password: 1234" is.
_HARMLESS = re.compile(r"[-+]?[\d.]+(?:[eE%][-+]?\d*)?|None|True|False|null|true|false|ok")
_ALWAYS_SECRET = re.compile(r"(?i:passw|pwd|secret|passphrase)")
_PARAMETER_IN_URL = re.compile(r"(?<=[?&])(?P<name>[\w.-]+)=[^&#\s]+")
# Secret as the parameter of a URL, where the name alone says little.
_SECRET_PARAMETERS = frozenset({"key", "sig", "signature", "x-amz-signature"})


def says_secret(name: str) -> bool:
    """Say whether what is called `name` is secret: API_KEY, dbPassword."""
    words = filter(None, _BETWEEN_WORDS.split(name))
    return _SECRET_NAME.search("_".join(words).lower()) is not None


def masked(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return `values` without those whose name says that they are secret, and without credentials in the others.

    Mappings inside are treated alike; if one has a "name" that says so, as variables of Kubernetes have, its "value" is
    secret.
    """
    return {name: MASK if says_secret(name) else _inside(value) for name, value in values.items()}


def _inside(value: Any) -> Any:
    if isinstance(value, dict):
        named = value.get("name")
        is_named = "value" in value and isinstance(named, str) and says_secret(named)
        return {**masked(value), "value": MASK} if is_named else masked(value)
    if isinstance(value, list):
        return [_inside(entry) for entry in value]
    return without_credentials(value)


def without_credentials(value: Any) -> Any:
    """Return `value`, text or JSON of any depth, with what looks like a key, a token or a password masked."""
    if isinstance(value, str):
        return _without_credentials(value)
    if isinstance(value, dict):
        return {name: without_credentials(content) for name, content in value.items()}
    if isinstance(value, list):
        return [without_credentials(entry) for entry in value]
    return value


def _without_credentials(text: str) -> str:
    text = _PARAMETER_IN_URL.sub(_parameter, text)
    for pattern in _SECRETS_IN_TEXT:
        text = pattern.sub(lambda found: f"{found.groupdict().get('kept', '')}{MASK}", text)
    return _ASSIGNED.sub(_assigned, text)


def _assigned(found: re.Match[str]) -> str:
    name, value = found["name"], found["value"]
    if MASK in value or not says_secret(name):
        return found[0]
    if _HARMLESS.fullmatch(value) and not _ALWAYS_SECRET.search(name):
        return found[0]
    quote = value[-1] if value[-1] in "\"'" else ""
    return f"{name}{found['sign']}{quote}{MASK}{quote}"


def _parameter(found: re.Match[str]) -> str:
    name = found["name"]
    secret = says_secret(name) or name.lower() in _SECRET_PARAMETERS
    return f"{name}={MASK}" if secret else found[0]
