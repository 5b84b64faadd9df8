"""Tag rules that all services share, and tag operations derived from what a table declares.

Source: AWS General Reference, "Tagging your AWS resources": at most 50 user tags, keys of 1 to 128 and
values of 0 to 256 characters, no key that starts with `aws:`.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping

from cumulo.core.errors import Error

TAG_LIMIT = 50
KEY_LENGTH = 128
VALUE_LENGTH = 256

# Letters, white space and numbers of any script, and + - = . _ : / @
_ALLOWED = re.compile(r"[\w\s+\-=.:/@]*", re.UNICODE)


def check(tags: Mapping[str, str], *, invalid: Error, too_many: Error | None = None, existing: int = 0) -> None:
    """Raise `invalid` (or `too_many`) when tags break a rule; `existing` counts those there with other keys."""
    if len(tags) + existing > TAG_LIMIT:
        raise (too_many or invalid)()
    for key, value in tags.items():
        if key.lower().startswith("aws:") or not is_key(key) or not is_value(value):
            raise invalid()


def is_key(key: str) -> bool:
    """Whether the length and the characters are a key's; AWS's own prefix is not looked at."""
    return 1 <= len(key) <= KEY_LENGTH and is_text(key)


def is_value(value: str) -> bool:
    """Whether the length and the characters are a value's."""
    return len(value) <= VALUE_LENGTH and is_text(value)


def is_text(text: str) -> bool:
    """Whether all characters are such as tags have, however many."""
    return _ALLOWED.fullmatch(text) is not None


def without(tags: Mapping[str, str], keys: Container[str]) -> dict[str, str]:
    """The tags that are left when those with these keys are taken off; keys that are not there are no error."""
    return {key: value for key, value in tags.items() if key not in keys}


def from_list(tags: list[dict[str, str]] | None) -> dict[str, str]:
    """`[{"Key": …, "Value": …}]` as a mapping; of repeated keys the last wins."""
    return {tag["Key"]: tag.get("Value", "") for tag in tags or ()}


def to_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """A mapping as `[{"Key": …, "Value": …}]`."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]
