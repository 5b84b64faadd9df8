"""Names and ARNs of tables in requests.

A name's constraints are checked as the model of the API words them, although a member that also takes an ARN has them
no longer. Source: answers of AWS ("Value 'ab' at 'tableName' failed to satisfy constraint: …", "Invalid AWS region
in '…'").
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cumulo.services.data.dynamodb.errors import VALIDATION

if TYPE_CHECKING:
    from cumulo.core.context import Context

PATTERN = "[a-zA-Z0-9_.-]+"
_NAME = re.compile(PATTERN)
_SHORTEST, _LONGEST = 3, 255


def check(name: str, member: str = "tableName") -> None:
    """ValidationException unless this may be the name of a table."""
    if name.startswith("arn:"):
        return
    broken = []
    if len(name) < _SHORTEST:
        broken.append(f"Member must have length greater than or equal to {_SHORTEST}")
    if len(name) > _LONGEST:
        broken.append(f"Member must have length less than or equal to {_LONGEST}")
    if not _NAME.fullmatch(name):
        broken.append(f"Member must satisfy regular expression pattern: {PATTERN}")
    if broken:
        noun = "error" if len(broken) == 1 else "errors"
        words = "; ".join(f"Value '{name}' at '{member}' failed to satisfy constraint: {each}" for each in broken)
        raise VALIDATION(f"{len(broken)} validation {noun} detected: {words}")


def owner_and_name(ctx: Context, name_or_arn: str) -> tuple[str, str]:
    """The account and the name that a request means."""
    if not name_or_arn.startswith("arn:"):
        check(name_or_arn)
        return ctx.account, name_or_arn
    parts = name_or_arn.split(":", 5)
    if len(parts) != 6 or parts[2] != "dynamodb":
        raise VALIDATION(
            "1 validation error detected: Valid ARN format is arn:<partition>:dynamodb:<region>:<account>:table/<name>"
        )
    if parts[1] != ctx.partition:
        raise VALIDATION(f"1 validation error detected: Invalid AWS partition in '{name_or_arn}'")
    if parts[3] != ctx.region:
        raise VALIDATION(f"1 validation error detected: Invalid AWS region in '{name_or_arn}'")
    kind, _, name = parts[5].partition("/")
    if kind != "table" or "/" in name:
        raise VALIDATION(f"1 validation error detected: Invalid resource type in '{name_or_arn}'")
    check(name)
    return parts[4], name
