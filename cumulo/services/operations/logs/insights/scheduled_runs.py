"""Runs of scheduled queries: each a durable task at its time, a query in the execution role's name, and a delivery.

Source: CloudWatch Logs User Guide, "Understanding scheduled queries concepts": results go to S3 as a JSON array of rows
without @ptr, or into a lookup table, in the destination's role's name, when the query completed. The name of the object
is not documented: it is the query's id. AWS also sends an event to EventBridge.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core import cron_expressions
from cumulo.core.callers import role_sessions
from cumulo.core.errors import Fault
from cumulo.core.operation import task
from cumulo.core.table import REGION, Record, Table
from cumulo.services.operations.logs import pages
from cumulo.services.operations.logs.errors import VALIDATION
from cumulo.services.operations.logs.insights import lookup_tables, query_results, query_runs
from cumulo.services.operations.logs.insights.query_records import ACTIVE, CANCELLED, COMPLETE, LATEST_S, QUERIES
from cumulo.services.operations.logs.pages import Next

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.operations.logs.insights.scheduled_queries import ScheduledQuery
    from cumulo.services.operations.logs.query.execution import Row

SERVICE = "logs"
DEFAULT_LOOKBACK_S = 3600
KEPT_MS = 30 * 86_400_000
RUNNING, INVALID, FAILED = "Running", "InvalidQuery", "Failed"
INVALID_TOKEN = VALIDATION("The specified nextToken is invalid.")


class Trigger(Record):
    """A run: when, which query (none where it could not start), and what became of its deliveries."""

    schedule: str
    at_ms: int
    query: str = ""
    status: str = ""
    error: str = ""
    destinations: list[dict[str, str]] = []


TRIGGERS = Table(Trigger, name="logs.scheduled_query_runs", key=("schedule", "at_ms"), scope=REGION)


def status_of(ctx: Context, query_id: str, otherwise: str) -> str:
    """How a run is or ended: as its query did, or because it could not start."""
    query = QUERIES.peek(ctx, query_id) if query_id else None
    if query is None:
        return otherwise or COMPLETE
    if query.status in ACTIVE:
        return RUNNING
    return FAILED if query.status == CANCELLED else query.status


def plan(ctx: Context, query: ScheduledQuery) -> None:
    """Keep a scheduled query with the task of its next run."""
    from cumulo.services.operations.logs.insights.scheduled_queries import ENABLED, SCHEDULED_QUERIES

    if query.task:
        ctx.cancel(query.task)
        query.task = ""
    cron = cron_expressions.parse(query.expression)
    if query.state == ENABLED and cron is not None:
        zone = zoneinfo.ZoneInfo(query.timezone or "UTC")
        begin = max(ctx.now(), (query.not_before or 0) - 1)
        due = cron_expressions.next_after(cron, begin, zone)
        if due is not None and (query.not_after is None or due <= query.not_after):
            query.task = ctx.later(run_scheduled_query, {"id": query.id, "at": due}, at=due)
    SCHEDULED_QUERIES.put(ctx, query)


def forget(ctx: Context, query: ScheduledQuery) -> None:
    """Drop the next run and what is known of those before."""
    if query.task:
        ctx.cancel(query.task)
    for trigger in TRIGGERS.range(ctx, query.id):
        TRIGGERS.delete(ctx, trigger)


@task
def run_scheduled_query(ctx: Context, payload: dict[str, Any]) -> None:
    """Start a scheduled query's query, and plan the next run."""
    from cumulo.services.operations.logs.insights.scheduled_queries import ENABLED, SCHEDULED_QUERIES

    scheduled = SCHEDULED_QUERIES.peek(ctx, payload["id"])
    if scheduled is None or scheduled.state != ENABLED:
        return
    at_ms = int(payload["at"] * 1000)
    trigger = Trigger(scheduled.id, at_ms)
    try:
        trigger.query = _start(ctx, scheduled, at_ms)
    except Fault as fault:
        trigger.status = INVALID if fault.code == "MalformedQueryException" else FAILED
        trigger.error = fault.message
    TRIGGERS.put(ctx, trigger)
    for old in TRIGGERS.range(ctx, scheduled.id, end=(at_ms - KEPT_MS,)):
        TRIGGERS.delete(ctx, old)
    scheduled.triggered_ms, scheduled.last_query, scheduled.last_status = at_ms, trigger.query, trigger.status
    scheduled.task = ""
    plan(ctx, scheduled)


def _start(ctx: Context, scheduled: ScheduledQuery, at_ms: int) -> str:
    """A query as the execution role starts it; its id."""
    from cumulo.services.operations.logs.insights import queries
    from cumulo.services.operations.logs.insights.scheduled_queries import SCHEDULED_QUERIES

    arn = SCHEDULED_QUERIES.arn(ctx, scheduled.id)
    principal = role_sessions.assume(ctx, scheduled.role, SERVICE, f"scheduled-{scheduled.id[:8]}", source_arn=arn)
    acting = role_sessions.context(ctx, principal, SERVICE, "StartQuery")
    try:
        tree = queries.parsed(acting, scheduled.text, "CWLI")
        lookback_s = DEFAULT_LOOKBACK_S if scheduled.start_offset is None else scheduled.start_offset
        start = max(at_ms - lookback_s * 1000, 0)
        end = max(at_ms - (scheduled.end_offset or 0) * 1000, 0)
        request = {"queryString": scheduled.text, "logGroupIdentifiers": scheduled.groups}
        record = queries.prepared(acting, request, tree, start, end)
        queries.check_room(acting)
    finally:
        acting.enter(None)
    record.schedule = scheduled.id
    query_runs.begin(ctx, record)
    return record.id


# --- deliveries ---------------------------------------------------------------------------------


@task
async def deliver_scheduled_query(ctx: Context, payload: dict[str, Any]) -> None:
    """Bring a completed query's results to its destinations."""
    from cumulo.services.operations.logs.insights.scheduled_queries import SCHEDULED_QUERIES

    query = await ctx.transact(lambda ctx: QUERIES.peek(ctx, payload["id"]))
    if query is None:
        return
    scheduled = await ctx.transact(lambda ctx: SCHEDULED_QUERIES.peek(ctx, query.schedule))
    if scheduled is None or not scheduled.destinations:
        return
    rows = await query_results.all_rows(ctx, query)
    done = []
    for kind, configuration in scheduled.destinations.items():
        deliver = _to_s3 if kind == "s3Configuration" else _to_lookup_table
        done.append(await deliver(ctx, scheduled, query.id, configuration, rows))
    await ctx.transact(partial(_delivered, scheduled=scheduled, query_id=query.id, done=done))


def _delivered(ctx: Context, scheduled: ScheduledQuery, query_id: str, done: list[dict[str, str]]) -> None:
    for trigger in TRIGGERS.range(ctx, scheduled.id, reverse=True):
        if trigger.query == query_id:
            trigger.destinations = done
            TRIGGERS.put(ctx, trigger)
            return


def _acting(ctx: Context, scheduled: ScheduledQuery, role: str, operation: str) -> Context:
    from cumulo.services.operations.logs.insights.scheduled_queries import SCHEDULED_QUERIES

    arn = SCHEDULED_QUERIES.arn(ctx, scheduled.id)
    principal = role_sessions.assume(ctx, role, SERVICE, f"scheduled-{scheduled.id[:8]}", source_arn=arn)
    acting = role_sessions.context(ctx, principal, SERVICE, operation)
    acting.enter(None)
    return acting


async def _to_s3(
    ctx: Context, scheduled: ScheduledQuery, query_id: str, configuration: dict[str, str], rows: list[Row]
) -> dict[str, str]:
    uri = configuration["destinationIdentifier"]
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    key = f"{prefix.rstrip('/')}/{query_id}.json".lstrip("/")
    answer = {"destinationType": "S3", "destinationIdentifier": uri}
    body = await ctx.in_thread(partial(_json, rows))
    request: dict[str, Any] = {"Bucket": bucket, "Key": key, "Body": body, "ContentType": "application/json"}
    if "ownerAccountId" in configuration:
        request["ExpectedBucketOwner"] = configuration["ownerAccountId"]
    if "kmsKeyId" in configuration:
        request |= {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": configuration["kmsKeyId"]}
    try:
        acting = await ctx.transact(lambda ctx: _acting(ctx, scheduled, configuration["roleArn"], "StartQuery"))
        await acting.aws.s3.put_object(request)
    except Fault as fault:
        return {**answer, "status": "CLIENT_ERROR", "errorMessage": fault.message}
    return {**answer, "status": "COMPLETE", "processedIdentifier": f"s3://{bucket}/{key}"}


def _json(rows: list[Row]) -> bytes:
    return msgspec.json.encode([{name: value for name, value in row if name != "@ptr"} for row in rows])


async def _to_lookup_table(
    ctx: Context, scheduled: ScheduledQuery, query_id: str, configuration: dict[str, Any], rows: list[Row]
) -> dict[str, str]:
    name = configuration["tableName"]
    answer = {"destinationType": "LOOKUP_TABLE", "destinationIdentifier": name}
    body = await ctx.in_thread(partial(lookup_tables.to_csv, rows))

    def put(ctx: Context) -> str:
        acting = _acting(ctx, scheduled, configuration["roleArn"], "StartQuery")
        arn = lookup_tables.LOOKUP_TABLES.arn(ctx, name)
        exists = lookup_tables.LOOKUP_TABLES.peek(ctx, name) is not None
        acting.enter(ctx.txn)
        try:
            acting.authorize(arn, action=f"logs:{'Update' if exists else 'Create'}LookupTable")
        finally:
            acting.enter(None)
        return lookup_tables.put_results(ctx, name, body, configuration)

    try:
        arn = await ctx.transact(put)
    except Fault as fault:
        return {**answer, "status": "CLIENT_ERROR", "errorMessage": fault.message}
    return {**answer, "status": "COMPLETE", "processedIdentifier": arn}


# --- history ------------------------------------------------------------------------------------


def history(ctx: Context, query: ScheduledQuery, request: Mapping[str, Any]) -> tuple[list[dict[str, Any]], Next]:
    """A page of runs with startTime <= when <= endTime (seconds), the latest first."""
    statuses = request.get("executionStatuses")
    begin, end = (min(request[name], LATEST_S) * 1000 for name in ("startTime", "endTime"))

    def fetch(after: tuple[Any, ...] | None, limit: int) -> list[Trigger]:
        edge = None if after is None else (query.id, *after)
        found = TRIGGERS.range(ctx, query.id, start=(begin,), end=(end + 1000,), after=edge, reverse=True)
        if statuses is not None:
            found = [each for each in found if status_of(ctx, each.query, each.status) in statuses]
        return found[:limit]

    found, more = pages.page(ctx, request, fetch, lambda trigger: (trigger.at_ms,), error=INVALID_TOKEN)
    return [_described(ctx, trigger) for trigger in found], more


def _described(ctx: Context, trigger: Trigger) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "executionStatus": status_of(ctx, trigger.query, trigger.status),
        "triggeredTimestamp": trigger.at_ms,
        "destinations": trigger.destinations,
    }
    if trigger.query:
        answer["queryId"] = trigger.query
    if trigger.error:
        answer["errorMessage"] = trigger.error
    return answer
