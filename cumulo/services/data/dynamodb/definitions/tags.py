"""Tags of tables. Source: Amazon DynamoDB Developer Guide, "Tagging restrictions"; answers of AWS for the texts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from cumulo.core import paging
from cumulo.core import tags as core_tags
from cumulo.core.errors import Fault
from cumulo.core.operation import operation
from cumulo.services.data.dynamodb.definitions import resource_arns
from cumulo.services.data.dynamodb.errors import RESOURCE_NOT_FOUND, TABLE_NOT_ACTIVE, VALIDATION
from cumulo.services.data.dynamodb.tables.tables import DELETING, TABLES, TableRecord, keep

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import dynamodb as t

PAGE = 10


def checked(given: Iterable[Mapping[str, str]], table: TableRecord) -> dict[str, str]:
    """The table's tags with these over them, or the error for the rule that they break."""
    new: dict[str, str] = {}
    for tag in given:
        key, value = tag["Key"], tag["Value"]
        if key in new:
            raise VALIDATION(f"Duplicate Tag Keys provided as input: Duplicate Tag Key found {key}")
        if key.lower().startswith("aws:"):
            raise VALIDATION(f"Tag Key cannot be prefixed with aws:, Key: {key}")
        if not core_tags.is_key(key):
            raise VALIDATION(f"The Tag Key provided is invalid, Key: {key}")
        if not core_tags.is_value(value):
            raise VALIDATION(f"The Tag Value provided is invalid, Value: {value}")
        new[key] = value
    merged = {**table.tags, **new}
    if len(merged) > core_tags.TAG_LIMIT:
        raise VALIDATION("Number of Tags exceed the current limit for the provided ResourceArn")
    return merged


def _tagged(ctx: Context, arn: str) -> TableRecord:
    name = resource_arns.table_in(ctx, arn)
    table = TABLES.peek(ctx, name.table, account=name.account)
    if table is None or table.filling:
        ctx.authorize(arn)
        raise RESOURCE_NOT_FOUND(f"Requested resource not found: ResourceArn: {arn} not found")
    ctx.authorize(table.arn, policy=table.policy or None, tags=table.tags)
    if table.status == DELETING:
        raise TABLE_NOT_ACTIVE(change="deleted", name=table.name)
    return table


@operation
def tag_resource(ctx: Context, request: t.TagResourceInput) -> None:
    """Add tags to a table, or change the values of those that are there."""
    table = _tagged(ctx, request["ResourceArn"])
    if not request["Tags"]:
        raise VALIDATION("Atleast one Tag needs to be provided as Input.")
    given: Any = request["Tags"]
    table.tags = checked(given, table)
    keep(ctx, table)


@operation
def untag_resource(ctx: Context, request: t.UntagResourceInput) -> None:
    """Remove tags; keys that are not there are no error."""
    table = _tagged(ctx, request["ResourceArn"])
    if not request["TagKeys"]:
        raise VALIDATION("Atleast one Tag Key needs to be provided as Input.")
    table.tags = core_tags.without(table.tags, request["TagKeys"])
    keep(ctx, table)


@operation
def list_tags_of_resource(ctx: Context, request: t.ListTagsOfResourceInput) -> t.ListTagsOfResourceOutput:
    """A page of a table's tags. A token that is none is passed over, as AWS does."""
    table = _tagged(ctx, request["ResourceArn"])
    start = 0
    token = request.get("NextToken")
    if token:
        with contextlib.suppress(Fault, ValueError):
            start = int(paging.decode(ctx, token)[0])
    tags = core_tags.to_list(table.tags)
    answer: Any = {"Tags": tags[start : start + PAGE]}
    if start + PAGE < len(tags):
        answer["NextToken"] = paging.encode(ctx, (start + PAGE,))
    return answer  # type: ignore[no-any-return]
