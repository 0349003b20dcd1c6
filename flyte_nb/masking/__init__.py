"""What is secret, by the look of it or because somebody has declared it: that is never shown and never stored."""

from __future__ import annotations

from flyte_nb.masking.credentials import MASK, masked, says_secret, without_credentials
from flyte_nb.masking.declared import declared_secrets
from flyte_nb.masking.showing import beginning_without_credentials, error_text

__all__ = [
    "MASK",
    "beginning_without_credentials",
    "declared_secrets",
    "error_text",
    "masked",
    "says_secret",
    "without_credentials",
]
