"""Lookup tables: CSV that queries enrich events with.

Source: API reference, CreateLookupTable, UpdateLookupTable, GetLookupTable, DescribeLookupTables, DeleteLookupTable;
CloudWatch Logs User Guide, "lookup" (100 tables for an account in a Region, 10 MB each).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cumulo.core.table import REGION, Record, Table
from cumulo.services.operations.logs.errors import MALFORMED_QUERY, RESOURCE_NOT_FOUND
from cumulo.services.operations.logs.query.tree import Lookup, Query

if TYPE_CHECKING:
    from cumulo.core.context import Context


class LookupTable(Record):
    """A table. Times are milliseconds."""

    name: str
    body: str
    fields: list[str]
    records: int
    updated_ms: int
    description: str = ""
    kms_key: str = ""
    tags: dict[str, str] = {}


LOOKUP_TABLES = Table(
    LookupTable,
    name="logs.lookup_tables",
    key="name",
    scope=REGION,
    arn="arn:{partition}:logs:{region}:{account}:lookup-table:{name}",
    missing=RESOURCE_NOT_FOUND,
    tags=lambda table: table.tags,
)


def names_in(queries: Sequence[Query]) -> list[Lookup]:
    """The lookups of queries."""
    return [command for query in queries for command in query.commands if isinstance(command, Lookup)]


def check_tables(ctx: Context, queries: Sequence[Query]) -> None:
    """MalformedQueryException for tables that are not there, or have no such columns."""
    for command in names_in(queries):
        table = LOOKUP_TABLES.peek(ctx, command.table)
        wanted = [theirs for theirs, _ in (*command.keys, *command.outputs) if theirs]
        text = ""
        if table is None:
            text = f"Lookup table {command.table} does not exist"
        else:
            missing = [name for name in wanted if name not in table.fields]
            if missing:
                text = f"Lookup table {command.table} has no field {missing[0]}"
        if text:
            location = {"startCharOffset": command.start, "endCharOffset": command.end}
            raise MALFORMED_QUERY(text, members={"queryCompileError": {"location": location, "message": text}})


def texts(ctx: Context, queries: Sequence[Query]) -> dict[str, str]:
    """The CSV of the tables that queries name."""
    found = {}
    for command in names_in(queries):
        table = LOOKUP_TABLES.peek(ctx, command.table)
        if table is not None:
            found[command.table] = table.body
    return found
