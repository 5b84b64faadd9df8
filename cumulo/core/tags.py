"""Tag rules that all services share, and tag operations derived from what a table declares.

Source: AWS General Reference, "Tagging your AWS resources": at most 50 user tags, keys of 1 to 128 and
values of 0 to 256 characters, no key that starts with `aws:`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

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
        if not 1 <= len(key) <= KEY_LENGTH or len(value) > VALUE_LENGTH:
            raise invalid()
        if key.lower().startswith("aws:") or not _ALLOWED.fullmatch(key) or not _ALLOWED.fullmatch(value):
            raise invalid()


def from_list(tags: list[dict[str, str]] | None) -> dict[str, str]:
    """`[{"Key": …, "Value": …}]` as a mapping; of repeated keys the last wins."""
    return {tag["Key"]: tag.get("Value", "") for tag in tags or ()}


def to_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """A mapping as `[{"Key": …, "Value": …}]`."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]
