"""Session tags: which may be set, which travel on, and how much room a session's extras take. No AWS calls here.

Source: "Pass session tags in AWS STS" (IAM User Guide).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from typing import Any

from cumulo.core.errors import Error

INVALID_PARAMETER = Error("InvalidParameterValue", status=400)
DUPLICATE = "Duplicate tag keys found. Please note that Tag keys are case insensitive."
NOT_REQUESTED = "The specified transitive tag key must be included in the requested tags."
RESERVED = "Tag keys beginning with 'aws:' are reserved for system use."
CONFLICT = (
    "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the "
    "calling session."
)
PACKED_LIMIT_B = 2048


def session_tags(given: Iterable[Any], transitive: Sequence[str], inherited: dict[str, str]) -> dict[str, str]:
    """The tags that a request sets, checked: keys are unique without regard to case, and an inherited key stays.

    `inherited` are the transitive tags of the calling session. Raises InvalidParameterValue.
    """
    tags = {tag["Key"]: tag["Value"] for tag in given}
    keys = [tag["Key"].lower() for tag in given]
    if len(set(keys)) != len(keys):
        raise INVALID_PARAMETER(DUPLICATE)
    if any(key.startswith("aws:") for key in keys):
        raise INVALID_PARAMETER(RESERVED)
    if any(key.lower() not in keys for key in transitive):
        raise INVALID_PARAMETER(NOT_REQUESTED)
    if {key.lower() for key in inherited} & set(keys):
        raise INVALID_PARAMETER(CONFLICT)
    return tags


def merged(*layers: dict[str, str]) -> dict[str, str]:
    """Tags over tags: a later one replaces an earlier one of the same key, whatever the case."""
    found: dict[str, tuple[str, str]] = {}
    for layer in layers:
        for key, value in layer.items():
            found[key.lower()] = (key, value)
    return dict(found.values())


def packed_percent(policies: Sequence[str], policy_arns: Sequence[str], tags: dict[str, str]) -> int | None:
    """How much of the room for session policies and tags these take when packed, in percent; None without any.

    AWS does not publish its packing: this compresses the text, as AWS says it does, and holds it against 2,048 bytes.
    """
    if not policies and not policy_arns and not tags:
        return None
    text = "\n".join([*policies, *policy_arns, *[f"{key}={value}" for key, value in tags.items()]])
    return -(-len(zlib.compress(text.encode(), 9)) * 100 // PACKED_LIMIT_B)
