"""GetQueryResults, and how results are kept: a file of chunks, each a thousand rows in msgpack."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core import encryption, kept_blobs, paging
from cumulo.core.operation import Wait, operation
from cumulo.services.operations.logs.errors import INVALID_TOKEN
from cumulo.services.operations.logs.groups import groups, sealing
from cumulo.services.operations.logs.insights import query_groups
from cumulo.services.operations.logs.insights.query_records import ACTIVE, COMPLETE, LANGUAGE, QUERIES, LogQuery, find

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.encryption import DataKey
    from cumulo.services.operations.logs.groups.groups import Group
    from cumulo.services.operations.logs.query.execution import Outcome, Row
    from cumulo.stubs import logs as t

CHUNK = 1000
PAGE = 10_000
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[list[tuple[str, str]]]).decode


async def keep(ctx: Context, query: LogQuery, outcome: Outcome, status: str) -> None:
    """The query ends with these results."""
    blob, chunks = "", [0]
    sealed_by = await ctx.transact(partial(_sealing_group, query=query))
    if outcome.rows:
        key = None
        if sealed_by is not None:
            key = await ctx.transact(lambda ctx: sealing.sealing_key(ctx, sealed_by))
        stored, chunks = await ctx.in_thread(partial(_write, ctx, outcome.rows, sealed_by, key))
        blob = stored.blob
    statistics = {
        "recordsMatched": float(outcome.matched),
        "recordsScanned": float(outcome.scanned),
        "estimatedRecordsSkipped": 0.0,
        "bytesScanned": float(outcome.bytes),
        "estimatedBytesSkipped": 0.0,
        "logGroupsScanned": float(len(query.groups)),
        "resultCount": float(len(outcome.rows)),
    }

    def commit(ctx: Context) -> None:
        current = QUERIES.peek(ctx, query.id)
        if current is None or current.status not in ACTIVE:
            if blob:
                ctx.txn.on_commit(partial(ctx.runtime.delete_blobs, [blob]))
            return
        current.blob, current.chunks, current.rows = blob, chunks, len(outcome.rows)
        current.sealed_by = sealed_by.arn if sealed_by is not None else ""
        current.statistics = statistics
        if blob:
            kept_blobs.keep(ctx, blob, "logs")
        _end(ctx, current, status)

    await ctx.transact(commit)


def ended(ctx: Context, query_id: str, status: str, text: str) -> None:
    """The query ends without results."""
    query = QUERIES.peek(ctx, query_id)
    if query is None or query.status not in ACTIVE:
        return
    query.error = text[:1000]
    _end(ctx, query, status)


def _end(ctx: Context, query: LogQuery, status: str) -> None:
    query.status = status
    query.duration_ms = int(ctx.now() * 1000) - query.created_ms
    QUERIES.put(ctx, query)
    if query.schedule and status == COMPLETE:
        from cumulo.services.operations.logs.insights import scheduled_runs  # which reads results

        ctx.later(scheduled_runs.deliver_scheduled_query, {"id": query.id})


def _sealing_group(ctx: Context, query: LogQuery) -> Group | None:
    """The first group with a KMS key: what was read of it stays sealed under its key."""
    for arn in query.groups:
        parts = arn.split(":", 6)
        group = groups.GROUPS.peek(ctx, parts[6], account=parts[4], region=parts[3])
        if group is not None and group.kms_key:
            return group
    return None


def _write(ctx: Context, rows: list[Row], group: Group | None, key: DataKey | None) -> Any:
    pieces: list[bytes] = []
    offsets = [0]
    for at in range(0, len(rows), CHUNK):
        data = _encode(rows[at : at + CHUNK])
        if group is not None and key is not None:
            data = encryption.seal(ctx, "", data, sealing.context_of(group), under=key)
        pieces.append(data)
        offsets.append(offsets[-1] + len(data))
    return ctx.blobs.put_pieces(iter(pieces)), offsets


def read(ctx: Context, path: Path, query: LogQuery, begin: int, end: int, keys: Keys | None) -> list[Row]:
    """Rows of a query's results. Blocks."""
    rows: list[Row] = []
    with path.open("rb") as file:
        for chunk in range(begin // CHUNK, (max(end, 1) - 1) // CHUNK + 1):
            file.seek(query.chunks[chunk])
            data = file.read(query.chunks[chunk + 1] - query.chunks[chunk])
            if keys is not None:
                group, opened = keys
                data = encryption.open(ctx, data, sealing.context_of(group), under=opened)
            rows += _decode(data)
    first = begin // CHUNK * CHUNK
    return rows[begin - first : end - first]


Keys = tuple["Group", "DataKey"]


async def all_rows(ctx: Context, query: LogQuery, begin: int = 0, end: int | None = None) -> list[Row]:
    """Rows of a query's results. For `async def` only."""
    last = query.rows if end is None else min(end, query.rows)
    if not query.blob or begin >= last:
        return []
    path = ctx.blobs.path(query.blob)
    keys: Keys | None = None
    if query.sealed_by:
        head = await ctx.in_thread(partial(_head, path, query.chunks[1]))
        keys = await ctx.transact(partial(_keys, query=query, head=head))
    return await ctx.in_thread(partial(read, ctx, path, query, begin, last, keys))


def _head(path: Path, size: int) -> bytes:
    with path.open("rb") as file:
        return file.read(size)


def _keys(ctx: Context, query: LogQuery, head: bytes) -> Keys | None:
    parts = query.sealed_by.split(":", 6)
    group = groups.GROUPS.get(ctx, parts[6], account=parts[4], region=parts[3])
    return group, sealing.opened_key(ctx, group, encryption.sealed_key(head))


@operation
def get_query_results(ctx: Context, request: t.GetQueryResultsRequest) -> t.GetQueryResultsResponse:
    """How far a query is, and a page of its results when it has ended."""
    query = _found(ctx, request["queryId"])
    if query.blob:
        raise Wait(_with_rows)
    return _answer(query, [], None)


def _found(ctx: Context, query_id: str) -> LogQuery:
    query = find(ctx, query_id)
    query_groups.authorize(ctx, query.groups)
    return query


async def _with_rows(ctx: Context) -> t.GetQueryResultsResponse:
    request: Any = ctx.request
    query = await ctx.transact(lambda ctx: _found(ctx, request["queryId"]))
    begin = 0
    if request.get("nextToken"):
        try:
            [begin] = paging.decode(ctx, request["nextToken"], INVALID_TOKEN())  # type: ignore[assignment]
        except ValueError:
            raise INVALID_TOKEN() from None
    if not isinstance(begin, int) or begin < 0:
        raise INVALID_TOKEN()
    end = begin + (request.get("maxItems") or PAGE)
    rows = await all_rows(ctx, query, begin, end)
    return _answer(query, rows, paging.encode(ctx, (end,)) if end < query.rows else None)


def _answer(query: LogQuery, rows: list[Row], token: str | None) -> t.GetQueryResultsResponse:
    statistics = query.statistics or dict.fromkeys(
        (
            "recordsMatched",
            "recordsScanned",
            "estimatedRecordsSkipped",
            "bytesScanned",
            "estimatedBytesSkipped",
            "logGroupsScanned",
        ),
        0.0,
    )
    answer: t.GetQueryResultsResponse = {
        "queryLanguage": LANGUAGE,
        "results": [[{"field": name, "value": value} for name, value in row] for row in rows],
        "statistics": statistics,  # type: ignore[typeddict-item]
        "status": query.status,
    }
    if token:
        answer["nextToken"] = token
    return answer
