"""What tags of IAM's entities may be.

Source: IAM User Guide, "Tags for AWS Identity and Access Management resources": keys differ in more than their case.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.tags import TAG_LIMIT, to_list
from cumulo.services.identity.iam import pages
from cumulo.services.identity.iam.errors import DUPLICATE_TAGS, LIMIT_EXCEEDED, SYSTEM_TAGS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cumulo.core.context import Context


def check_tags(given: Sequence[Any] | None) -> dict[str, str]:
    """The tags of a request, checked. Raises InvalidInput."""
    tags = {tag["Key"]: tag["Value"] for tag in given or ()}
    if len({key.lower() for key in tags}) != len(given or ()):
        raise DUPLICATE_TAGS()
    if any(key.lower().startswith("aws:") for key in tags):
        raise SYSTEM_TAGS()
    return tags


def laid_over(tags: dict[str, str], given: Sequence[Any], quota: str) -> dict[str, str]:
    """The tags after a Tag… request: a key that differs only in case takes the place of the old one."""
    new = check_tags(given)
    replaced = {key.lower() for key in new}
    merged = {key: value for key, value in tags.items() if key.lower() not in replaced} | new
    if len(merged) > TAG_LIMIT:
        raise LIMIT_EXCEEDED(quota=quota, limit=TAG_LIMIT)
    return merged


def without(tags: dict[str, str], keys: Sequence[str]) -> dict[str, str]:
    """The tags after an Untag… request; keys that are not there are no error."""
    gone = {key.lower() for key in keys}
    return {key: value for key, value in tags.items() if key.lower() not in gone}


def shown_tags(tags: dict[str, str]) -> list[Any]:
    """Tags as answers show them."""
    shown: list[Any] = to_list(tags)
    return shown


def listed_tags(ctx: Context, tags: dict[str, str], request: Any) -> Any:
    """The answer of a List…Tags operation: a page of tags, by key."""
    return pages.of_list(ctx, shown_tags(tags), request, "Tags", lambda tag: tag, lambda tag: tag["Key"])
