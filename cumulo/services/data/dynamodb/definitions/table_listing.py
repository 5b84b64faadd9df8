"""DescribeTable and ListTables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.data.dynamodb.replicas import descriptions
from cumulo.services.data.dynamodb.tables.tables import TABLES, described

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import dynamodb as t

PAGE = 100


@operation
def describe_table(ctx: Context, request: t.DescribeTableInput) -> t.DescribeTableOutput:
    """What a table is made of, and its state."""
    answer: Any = {"Table": descriptions.described(ctx, described(ctx, request["TableName"]))}
    return answer  # type: ignore[no-any-return]


@operation
def list_tables(ctx: Context, request: t.ListTablesInput) -> t.ListTablesOutput:
    """The names of the tables of this account and region, in order; the start need not be one of them."""
    limit = request.get("Limit") or PAGE
    start = request.get("ExclusiveStartTableName")
    tables = TABLES.range(ctx, after=(start,) if start else None, limit=limit + 1)
    answer: t.ListTablesOutput = {"TableNames": [table.name for table in tables[:limit]]}
    if len(tables) > limit:
        answer["LastEvaluatedTableName"] = tables[limit - 1].name
    return answer
