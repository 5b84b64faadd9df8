"""The runs of queries: a durable task each, a few at a time, in threads; results go into a file.

A query that waits for its turn is Scheduled. StopQuery and the hour that AWS gives a query interrupt DuckDB.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

from cumulo.core import kept_blobs, scratch
from cumulo.core.errors import Fault
from cumulo.core.operation import reconciler, task
from cumulo.engines.duckdb import QueryFailed
from cumulo.services.operations.logs.groups import groups
from cumulo.services.operations.logs.insights import lookup_tables, query_groups, query_results, query_sources
from cumulo.services.operations.logs.insights.query_records import (
    ACTIVE,
    CANCELLED,
    COMPLETE,
    FAILED,
    QUERIES,
    RUNNING,
    TIMEOUT,
    LogQuery,
)
from cumulo.services.operations.logs.protection import data_protection
from cumulo.services.operations.logs.query import grammar
from cumulo.services.operations.logs.query.compiling import Times
from cumulo.services.operations.logs.query.execution import Execution, Outcome, Work
from cumulo.services.operations.logs.query.failures import Malformed, Unsupported
from cumulo.services.operations.logs.query.planning import GroupRows
from cumulo.services.operations.logs.stored import segments

if TYPE_CHECKING:
    from pathlib import Path

    from cumulo.core.context import Context
    from cumulo.services.operations.logs.groups.groups import Group
    from cumulo.services.operations.logs.protection.data_protection import Masks
    from cumulo.services.operations.logs.query.tree import Query
    from cumulo.services.operations.logs.stored.segments import Sources

AT_ONCE = 2  # queries that run at the same time: each may use half a gigabyte and all processors
TIMEOUT_S = 3600.0  # "Queries time out after 60 minutes of runtime."
KEPT_MS = 7 * 86_400_000  # "query results … available for 7 days" (CloudWatch Logs quotas)
KEPT_SCHEDULED_MS = 30 * 86_400_000  # "remain available for 30 days" (scheduled queries concepts)
_ATTEMPTS = 3
_RUNNING, _TURNS = "logs.queries.running", "logs.queries.turns"


def begin(ctx: Context, query: LogQuery) -> None:
    """Keep a new query and start its task."""
    QUERIES.put(ctx, query)
    ctx.later(run_query, {"id": query.id})


def cancel(ctx: Context, query: LogQuery) -> None:
    """The query ends with what it has. Its run is interrupted when that is durable."""
    query.status = CANCELLED
    query.duration_ms = int(ctx.now() * 1000) - query.created_ms
    QUERIES.put(ctx, query)
    ctx.txn.on_commit(partial(_interrupt, ctx, query.id))


def _interrupt(ctx: Context, query_id: str) -> None:
    running = ctx.runtime.memory.get(_RUNNING, {}).get(query_id)
    if running is not None:
        running.stop()


@task
async def run_query(ctx: Context, payload: dict[str, Any]) -> None:
    """Run a query to its end, whatever that is."""
    turns: asyncio.Semaphore = ctx.runtime.memory.setdefault(_TURNS, asyncio.Semaphore(AT_ONCE))
    async with turns:
        query = await ctx.transact(partial(_started, query_id=payload["id"]))
        if query is None:
            return
        try:
            outcome = await _run(ctx, query)
        except _Ended as ended:
            await ctx.transact(partial(query_results.ended, query_id=query.id, status=ended.status, text=str(ended)))
        except Exception:  # a query must not be Running for ever
            ctx.logger.exception("the query %s failed", query.id)
            text = "The query failed because of an unknown error."
            await ctx.transact(partial(query_results.ended, query_id=query.id, status=FAILED, text=text))
        else:
            await query_results.keep(ctx, query, outcome, COMPLETE)


class _Ended(Exception):
    """The query ended without results."""

    def __init__(self, status: str, text: str) -> None:
        super().__init__(text)
        self.status = status


def _started(ctx: Context, query_id: str) -> LogQuery | None:
    query = QUERIES.peek(ctx, query_id)
    if query is None or query.status not in ACTIVE:
        return None
    query.status = RUNNING
    QUERIES.put(ctx, query)
    return query


async def _run(ctx: Context, query: LogQuery) -> Outcome:
    tree = grammar.parse(query.text)
    for attempt in range(_ATTEMPTS):
        folder = scratch.new_folder(ctx)
        opened: list[Sources] = []
        try:
            work = await _work(ctx, query, tree, folder, opened)
            folders = [ctx.blobs.folder, *[each.folder for each in opened if each.folder is not None]]
            return await _executed(ctx, query, Execution(folder, folders, work))
        except QueryFailed as failed:
            if attempt == _ATTEMPTS - 1 or "No files found" not in str(failed):
                ctx.logger.warning("the query %s failed: %s", query.id, failed)
                raise _Ended(FAILED, str(failed)) from None
        except (Malformed, Unsupported, Fault) as wrong:
            raise _Ended(FAILED, str(wrong)) from None
        finally:
            await ctx.in_thread(partial(_release, folder, opened))
    raise _Ended(FAILED, "segments came and went")


async def _executed(ctx: Context, query: LogQuery, execution: Execution) -> Outcome:
    running: dict[str, Execution] = ctx.runtime.memory.setdefault(_RUNNING, {})
    running[query.id] = execution
    late: list[bool] = []

    def end() -> None:
        late.append(True)
        execution.stop()

    timer = ctx.runtime.clock.call_at(ctx.now() + TIMEOUT_S, end)
    try:
        # StopQuery may have come before there was anything to interrupt.
        if not await ctx.transact(partial(_is_running, query_id=query.id)):
            raise _Ended(CANCELLED, "The query was stopped.")
        outcome = await ctx.in_thread(execution.run)
    except QueryFailed:
        if late:
            raise _Ended(TIMEOUT, "The query took longer than 60 minutes.") from None
        if execution.stopped:
            raise _Ended(CANCELLED, "The query was stopped.") from None
        raise
    finally:
        timer.cancel()
        running.pop(query.id, None)
    return outcome


def _is_running(ctx: Context, query_id: str) -> bool:
    query = QUERIES.peek(ctx, query_id)
    return query is not None and query.status == RUNNING


def _release(folder: Path, opened: list[Sources]) -> None:
    for each in opened:
        each.release()
    scratch.drop(folder)


async def _work(ctx: Context, query: LogQuery, tree: Query, folder: Path, opened: list[Sources]) -> Work:
    """What DuckDB reads for a query: files of segments, and one file of each group's lines that are in none."""
    now = int(ctx.now() * 1000)
    times = Times(now, query.start_ms, query.end_ms)
    queries = [tree, *query_groups.inner(tree)]
    lists = [query.groups, *query.inner_groups]
    ranges = {id(tree): times, **{id(each): _range(each, times) for each in queries[1:]}}
    earliest = min(each.start for each in ranges.values())
    back = _back(tree, times)
    found: dict[str, GroupRows] = {}
    for arn in dict.fromkeys(arn for each in lists for arn in each):
        group, masks = await ctx.transact(partial(_group, arn=arn, unmask=query.unmask))
        if group is not None:
            latest = max(each.end for each in ranges.values())
            sources = await segments.sources(ctx, group, earliest - back, latest + 1)
            opened.append(sources)
            found[arn] = await ctx.in_thread(
                partial(query_sources.rows, folder, ctx.blobs.folder, group, sources, masks)
            )
    tables = await ctx.transact(partial(lookup_tables.texts, queries=queries))
    return Work(
        tree,
        times,
        {id(each): [found[arn] for arn in arns if arn in found] for each, arns in zip(queries, lists, strict=True)},
        ranges,
        tables,
        query.limit or None,
    )


def _group(ctx: Context, arn: str, unmask: bool) -> tuple[Group | None, Masks | None]:
    parts = arn.split(":", 6)
    group = groups.GROUPS.peek(ctx, parts[6], account=parts[4], region=parts[3])
    masks = data_protection.masks_of(ctx, group) if group is not None and not unmask else None
    return group, masks


def _range(query: Query, times: Times) -> Times:
    """The time range of a query in a query: its own SOURCE's, or that of the query around it."""
    if query.source is None:
        return times
    start = query_groups.time_of(query.source.start, times.now) if query.source.start else None
    end = query_groups.time_of(query.source.end, times.now) if query.source.end else None
    return Times(times.now, times.start if start is None else start, times.end if end is None else end)


def _back(tree: Query, times: Times) -> int:
    """How far before its range a query looks: diff does."""
    from cumulo.services.operations.logs.query.pattern_steps import shift_ms
    from cumulo.services.operations.logs.query.tree import Diff

    return max([shift_ms(each, times) for each in tree.commands if isinstance(each, Diff)], default=0)


@reconciler(every_s=3600.0)
async def forget_queries(ctx: Context) -> None:
    """Drop queries and results that are seven days old."""
    from cumulo.services.operations.logs.groups.groups import PLACES

    places = await ctx.transact(lambda ctx: {(place.account, place.region) for place in PLACES.range(ctx)})
    for account, region in places:
        await ctx.transact(partial(_forget, account=account, region=region))


def _forget(ctx: Context, account: str, region: str) -> None:
    now = int(ctx.now() * 1000)
    old = QUERIES.range(ctx, index="created", end=(now - KEPT_MS,), account=account, region=region)
    for query in old:
        kept = KEPT_SCHEDULED_MS if query.schedule else KEPT_MS
        if query.status in ACTIVE or query.created_ms > now - kept:
            continue
        QUERIES.delete(ctx, query, account=account, region=region)
        if query.blob:
            kept_blobs.drop(ctx, [query.blob])
