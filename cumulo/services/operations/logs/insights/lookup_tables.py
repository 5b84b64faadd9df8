"""Lookup tables: CSV that queries enrich events with.

Source: API reference, CreateLookupTable, UpdateLookupTable, GetLookupTable, DescribeLookupTables, DeleteLookupTable;
CloudWatch Logs User Guide, "lookup" (100 tables for an account in a Region, 10 MB each).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from cumulo.core.operation import Wait, operation
from cumulo.core.table import REGION, Record, Table
from cumulo.services.operations.logs import pages
from cumulo.services.operations.logs.errors import INVALID_PARAMETER, LIMIT_EXCEEDED
from cumulo.services.operations.logs.groups import kms_keys, sealing, tags
from cumulo.services.operations.logs.insights import query_results
from cumulo.services.operations.logs.insights.query_errors import (
    LOOKUP_TABLE_EXISTS,
    LOOKUP_TABLE_NOT_FOUND,
    MALFORMED_QUERY,
)
from cumulo.services.operations.logs.insights.query_records import CANCELLED, COMPLETE, find
from cumulo.services.operations.logs.query.tree import Lookup, Query

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.operations.logs.query.execution import Row
    from cumulo.stubs import logs as t

TABLES_MOST = 100
BODY_BYTES = 10 * 1024 * 1024


class LookupTable(Record):
    """A table. Times are milliseconds. Under a KMS key, `sealed` is the body and `body` is empty."""

    name: str
    body: str
    fields: list[str]
    records: int
    updated_ms: int
    description: str = ""
    tags: dict[str, str] = {}
    kms_key: str = ""
    sealed: bytes = b""
    size: int = 0  # of the body in bytes, where it is sealed


LOOKUP_TABLES = Table(
    LookupTable,
    name="logs.lookup_tables",
    key="name",
    scope=REGION,
    arn="arn:{partition}:logs:{region}:{account}:lookup-table:{name}",
    missing=LOOKUP_TABLE_NOT_FOUND,
    tags=lambda table: table.tags,
)


# --- for queries --------------------------------------------------------------------------------


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
            found[command.table] = body_of(ctx, table)
    return found


# --- content ------------------------------------------------------------------------------------


def _owner(ctx: Context, name: str, key: str) -> sealing.Resource:
    return sealing.Resource(LOOKUP_TABLES.arn(ctx, name), ctx.account, ctx.region, key)


def body_of(ctx: Context, table: LookupTable) -> str:
    """A table's CSV."""
    if not table.sealed:
        return table.body
    return sealing.open(ctx, _owner(ctx, table.name, table.kms_key), table.sealed).decode()


def _keep(ctx: Context, table: LookupTable, key: str) -> None:
    """Write a table, its content under this KMS key, "" for none."""
    table.kms_key = key
    if key:
        content = table.body.encode()
        table.sealed = sealing.seal(ctx, _owner(ctx, table.name, key), content)
        table.body, table.size = "", len(content)
    LOOKUP_TABLES.put(ctx, table)


def _checked_key(ctx: Context, name: str, key: str) -> str:
    """A key that CloudWatch Logs may use for a table."""
    if key:
        kms_keys.check_arn(key)
        sealing.check(ctx, _owner(ctx, name, key), key)
    return key


# --- operations ---------------------------------------------------------------------------------


@operation
def create_lookup_table(ctx: Context, request: t.CreateLookupTableRequest) -> t.CreateLookupTableResponse:
    """Make a table of CSV, or of a query's results."""
    name = request["lookupTableName"]
    given = tags.checked(request.get("tags"))
    ctx.authorize(LOOKUP_TABLES.arn(ctx, name), tags=given)
    if LOOKUP_TABLES.peek(ctx, name) is not None:
        raise LOOKUP_TABLE_EXISTS(name=name)
    if len(LOOKUP_TABLES.range(ctx, limit=TABLES_MOST)) >= TABLES_MOST:
        raise LIMIT_EXCEEDED(f"You can have at most {TABLES_MOST} lookup tables.")
    if _wants_query(ctx, request):
        raise Wait(_created_of_query)
    table = _read(ctx, name, request["tableBody"])
    return _created(ctx, table, request)


def _created(ctx: Context, table: LookupTable, request: Mapping[str, Any]) -> t.CreateLookupTableResponse:
    table.description = request.get("description") or ""
    table.tags = dict(request.get("tags") or {})
    _keep(ctx, table, _checked_key(ctx, table.name, request.get("kmsKeyId") or ""))
    return {"lookupTableArn": LOOKUP_TABLES.arn(ctx, table.name), "createdAt": table.updated_ms}


def _wants_query(ctx: Context, request: Mapping[str, Any]) -> bool:
    """Whether results of a query are asked for, which have to be there then."""
    if ("tableBody" in request) == ("queryId" in request):
        raise INVALID_PARAMETER("You must specify either tableBody or queryId, but not both.")
    if "queryId" not in request:
        return False
    query = find(ctx, request["queryId"])
    if query.status not in (COMPLETE, CANCELLED):
        raise INVALID_PARAMETER(f"The query {query.id} has not completed: its status is {query.status}.")
    return True


async def _created_of_query(ctx: Context) -> t.CreateLookupTableResponse:
    request = ctx.request
    body = await body_of_query(ctx, request["queryId"])

    def make(ctx: Context) -> t.CreateLookupTableResponse:
        if LOOKUP_TABLES.peek(ctx, request["lookupTableName"]) is not None:
            raise LOOKUP_TABLE_EXISTS(name=request["lookupTableName"])
        return _created(ctx, _read(ctx, request["lookupTableName"], body), request)

    return await ctx.transact(make)


async def body_of_query(ctx: Context, query_id: str) -> str:
    """A query's results as CSV."""
    query = await ctx.transact(lambda ctx: find(ctx, query_id))
    rows = await query_results.all_rows(ctx, query)
    return await ctx.in_thread(partial(to_csv, rows))


def to_csv(rows: Sequence[Row]) -> str:
    """Results as CSV, without the pointers of events."""
    names = list(dict.fromkeys(name for row in rows for name, _ in row if name != "@ptr"))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        cells = dict(row)
        writer.writerow([cells.get(name, "") for name in names])
    return out.getvalue()


def _read(ctx: Context, name: str, body: str) -> LookupTable:
    """A table of this CSV, or AWS's error."""
    if len(body.encode()) > BODY_BYTES:
        raise INVALID_PARAMETER("The content of a lookup table must not exceed 10 MB.")
    rows = csv.reader(io.StringIO(body), strict=True)
    try:
        header = [title.strip() for title in next(rows, [])]
        records = sum(1 for row in rows if row)
    except csv.Error as error:
        raise INVALID_PARAMETER(f"The content of a lookup table must be CSV: {error}.") from None
    if not header or not all(header) or len(set(header)) != len(header):
        raise INVALID_PARAMETER("The first row of a lookup table must have the unique names of its columns.")
    return LookupTable(name, body, header, records, int(ctx.now() * 1000))


def put_results(ctx: Context, name: str, body: str, options: Mapping[str, Any]) -> str:
    """A scheduled query's results in place of a table, or as a new one; its ARN."""
    table = _read(ctx, name, body)
    before = LOOKUP_TABLES.peek(ctx, name)
    table.tags = before.tags if before is not None else dict(options.get("tags") or {})
    table.description = options.get("description") or (before.description if before is not None else "")
    key = options.get("kmsKeyId") or (before.kms_key if before is not None else "")
    _keep(ctx, table, _checked_key(ctx, name, key))
    return LOOKUP_TABLES.arn(ctx, name)


@operation
def update_lookup_table(ctx: Context, request: t.UpdateLookupTableRequest) -> t.UpdateLookupTableResponse:
    """Replace a table's content."""
    table = _table(ctx, request["lookupTableArn"])
    if _wants_query(ctx, request):
        raise Wait(_updated_of_query)
    return _updated(ctx, table, request["tableBody"], request)


def _updated(ctx: Context, table: LookupTable, body: str, request: Mapping[str, Any]) -> t.UpdateLookupTableResponse:
    changed = _read(ctx, table.name, body)
    changed.tags, changed.description = table.tags, request.get("description", table.description)
    _keep(ctx, changed, _checked_key(ctx, table.name, request.get("kmsKeyId", table.kms_key)))
    return {"lookupTableArn": LOOKUP_TABLES.arn(ctx, table.name), "lastUpdatedTime": changed.updated_ms}


async def _updated_of_query(ctx: Context) -> t.UpdateLookupTableResponse:
    request = ctx.request
    body = await body_of_query(ctx, request["queryId"])
    return await ctx.transact(lambda ctx: _updated(ctx, _table(ctx, request["lookupTableArn"]), body, request))


def _table(ctx: Context, arn: str) -> LookupTable:
    parts = arn.split(":", 6)
    if len(parts) != 7 or parts[2] != "logs" or parts[5] != "lookup-table":
        raise INVALID_PARAMETER(f"Invalid lookup table ARN: {arn}")
    if parts[3] != ctx.region or parts[4] != ctx.account:
        ctx.authorize(arn)
        raise LOOKUP_TABLE_NOT_FOUND()
    return LOOKUP_TABLES.get(ctx, parts[6])


@operation
def get_lookup_table(ctx: Context, request: t.GetLookupTableRequest) -> t.GetLookupTableResponse:
    """A table with its content."""
    table = _table(ctx, request["lookupTableArn"])
    answer: Any = _shown(ctx, table) | {"tableBody": body_of(ctx, table)}
    return answer  # type: ignore[no-any-return]


@operation
def describe_lookup_tables(ctx: Context, request: t.DescribeLookupTablesRequest) -> t.DescribeLookupTablesResponse:
    """Tables by name, without their content."""
    prefix = request.get("lookupTableNamePrefix")
    start, end = ((prefix,), (prefix + "\U0010ffff",)) if prefix else (None, None)
    found, more = pages.page(
        ctx,
        request,
        lambda after, limit: LOOKUP_TABLES.range(ctx, start=start, end=end, after=after, limit=limit),
        lambda table: (table.name,),
    )
    return {"lookupTables": [_described(ctx, table) for table in found], **more}


def _described(ctx: Context, table: LookupTable) -> Any:
    return _shown(ctx, table) | {"tableFields": table.fields, "recordsCount": table.records}


def _shown(ctx: Context, table: LookupTable) -> dict[str, Any]:
    """What is told of a table with its content and without."""
    answer: dict[str, Any] = {
        "lookupTableArn": LOOKUP_TABLES.arn(ctx, table.name),
        "lookupTableName": table.name,
        "description": table.description,
        "sizeBytes": table.size if table.sealed else len(table.body.encode()),
        "lastUpdatedTime": table.updated_ms,
    }
    if table.kms_key:
        answer["kmsKeyId"] = table.kms_key
    return answer


@operation
def delete_lookup_table(ctx: Context, request: t.DeleteLookupTableRequest) -> None:
    """Delete a table. Queries that name it are malformed from now on."""
    LOOKUP_TABLES.delete(ctx, _table(ctx, request["lookupTableArn"]))


tags.add_kind("lookup-table", LOOKUP_TABLES)
