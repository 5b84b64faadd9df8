"""ARNs in the operations that take any resource of DynamoDB: tags and resource policies.

Source of the texts: answers of AWS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cumulo.services.data.dynamodb.errors import VALIDATION
from cumulo.services.data.dynamodb.tables.key_schemas import INVALID

if TYPE_CHECKING:
    from cumulo.core.context import Context


class Resource(NamedTuple):
    """A table, or with a label one of its streams."""

    account: str
    table: str
    label: str = ""


def read(ctx: Context, arn: str) -> Resource:
    """The table or stream that an ARN means."""
    if not arn.startswith("arn:"):
        raise VALIDATION(f"{INVALID}ARNs must start with 'arn:': {arn}")
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[2] != "dynamodb":
        raise VALIDATION(f"{INVALID}Provided Arn is not a DynamoDB resource arn: {arn}")
    if parts[1] != ctx.partition or parts[3] != ctx.region:
        raise VALIDATION(f"{INVALID}Invalid resource Arn: {arn}")
    kinds = parts[5].split("/")
    if kinds[0] == "table" and len(kinds) == 2 and kinds[1]:
        return Resource(parts[4], kinds[1])
    if kinds[0] == "table" and len(kinds) == 4 and kinds[2] == "stream" and kinds[3]:
        return Resource(parts[4], kinds[1], kinds[3])
    raise VALIDATION(
        f"{INVALID}Invalid resource arn provided, only table or stream is accepted. Provided resource arn: {arn}"
    )


def table_in(ctx: Context, arn: str) -> Resource:
    """The table of a table's ARN, for operations on tags: streams and indexes have none."""
    parts = arn.split(":", 5)
    if len(parts) == 6 and parts[2] == "dynamodb" and parts[3] != ctx.region:
        raise VALIDATION(f"Invalid TableArn: Invalid ResourceArn provided as input {arn}")
    resource = read(ctx, arn)
    if resource.label:
        raise VALIDATION(
            f"{INVALID}Invalid resource arn provided, only table or stream is accepted. Provided resource arn: {arn}"
        )
    return resource
