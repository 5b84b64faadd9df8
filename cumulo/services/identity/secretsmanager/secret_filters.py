"""Filters of ListSecrets and BatchGetSecretValue. Pure.

Source: Secrets Manager API Reference, Filter; User Guide, "Find secrets in AWS Secrets Manager".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cumulo.services.identity.secretsmanager.errors import INVALID_PARAMETER

if TYPE_CHECKING:
    from cumulo.services.identity.secretsmanager.secret_records import Secret

_WORDS = re.compile(r"[^A-Za-z0-9_]+")


def _prefix(texts: list[str], value: str) -> bool:
    return any(text.startswith(value) for text in texts)


def _description(secret: Secret, value: str) -> bool:
    text, wanted = secret.description.lower(), value.lower()
    return text.startswith(wanted) or any(word.startswith(wanted) for word in text.split())


def _all(secret: Secret, value: str) -> bool:
    texts = [secret.name, secret.description, *secret.tags, *secret.tags.values(), secret.primary_region]
    words = {word for text in texts for word in _WORDS.split(text.lower()) if word}
    wanted = [word for word in _WORDS.split(value.lower()) if word]
    return bool(wanted) and all(any(word.startswith(each) for word in words) for each in wanted)


_TESTS: dict[str, Callable[[Secret, str], bool]] = {
    "name": lambda secret, value: _prefix([secret.name], value),
    "description": _description,
    "tag-key": lambda secret, value: _prefix(list(secret.tags), value),
    "tag-value": lambda secret, value: _prefix(list(secret.tags.values()), value),
    "primary-region": lambda secret, value: _prefix([_primary_region(secret)], value),
    "owning-service": lambda secret, value: False,  # no service owns secrets here
    "all": _all,
}


def _primary_region(secret: Secret) -> str:
    return secret.primary_region or (secret.region if secret.replicas else "")


def matches(secret: Secret, filters: list[Any]) -> bool:
    """Whether a secret passes all filters. A value that begins with `!` must not match; of the others one must."""
    return all(_passes(secret, each["Key"], each["Values"]) for each in filters)


def _passes(secret: Secret, key: str, values: list[str]) -> bool:
    test = _TESTS[key]
    unwanted = [value[1:] for value in values if value.startswith("!")]
    wanted = [value for value in values if not value.startswith("!")]
    if any(test(secret, value) for value in unwanted):
        return False
    return not wanted or any(test(secret, value) for value in wanted)


def check(filters: list[Any]) -> None:
    """InvalidParameterException for a filter without key or values."""
    for each in filters:
        if not each.get("Key"):
            raise INVALID_PARAMETER("Invalid filter key")
        if not each.get("Values"):
            raise INVALID_PARAMETER(f"Invalid filter values for key: {each['Key']}")
