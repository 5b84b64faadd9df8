"""Scheduled queries: what runs by a cron expression, in a role's name.

Source: API reference, CreateScheduledQuery and its kin; CloudWatch Logs User Guide, "Understanding scheduled queries
concepts" (ARNs, roles, schedules).
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cumulo.core import cron_expressions
from cumulo.core.operation import operation
from cumulo.core.table import REGION, Record, Table
from cumulo.services.operations.logs import pages
from cumulo.services.operations.logs.errors import VALIDATION
from cumulo.services.operations.logs.groups import tags
from cumulo.services.operations.logs.insights import queries, scheduled_runs
from cumulo.services.operations.logs.insights.query_errors import SCHEDULED_QUERY_EXISTS, SCHEDULED_QUERY_NOT_FOUND

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import logs as t

ENABLED = "ENABLED"


class ScheduledQuery(Record):
    """A scheduled query. Times are seconds but those in `_ms`; `task` is the id of its next run's."""

    id: str
    name: str
    text: str
    expression: str
    role: str
    created_ms: int
    updated_ms: int
    groups: list[str] = []
    description: str = ""
    timezone: str = ""
    start_offset: int | None = None
    end_offset: int | None = None
    destinations: dict[str, Any] = {}
    not_before: int | None = None
    not_after: int | None = None
    state: str = ENABLED
    tags: dict[str, str] = {}
    task: str = ""
    triggered_ms: int = 0
    last_query: str = ""
    last_status: str = ""


SCHEDULED_QUERIES = Table(
    ScheduledQuery,
    name="logs.scheduled_queries",
    key="id",
    scope=REGION,
    arn="arn:{partition}:logs:{region}:{account}:scheduled-query:{id}",
    missing=SCHEDULED_QUERY_NOT_FOUND,
    tags=lambda query: query.tags,
    indexes={"name": ("name",)},
)


def _find(ctx: Context, identifier: str) -> ScheduledQuery:
    """A scheduled query by its name or ARN, found and authorized."""
    if identifier.startswith("arn:"):
        return SCHEDULED_QUERIES.get(ctx, identifier.rpartition(":")[2])
    named = SCHEDULED_QUERIES.range(ctx, identifier, index="name", limit=1)
    if not named:
        ctx.authorize(SCHEDULED_QUERIES.arn(ctx, identifier))
        raise SCHEDULED_QUERY_NOT_FOUND()
    return SCHEDULED_QUERIES.get(ctx, named[0].id)


@operation
def create_scheduled_query(ctx: Context, request: t.CreateScheduledQueryRequest) -> t.CreateScheduledQueryResponse:
    """Make a query that runs by a schedule."""
    given = tags.checked(request.get("tags"))
    query = ScheduledQuery(ctx.uuid(), request["name"], "", "", "", int(ctx.now() * 1000), 0, tags=given)
    ctx.authorize(SCHEDULED_QUERIES.arn(ctx, query.id), tags=given)
    if SCHEDULED_QUERIES.range(ctx, request["name"], index="name", limit=1):
        raise SCHEDULED_QUERY_EXISTS(name=request["name"])
    _set(ctx, query, request)
    return {"scheduledQueryArn": SCHEDULED_QUERIES.arn(ctx, query.id), "state": query.state}


def _set(ctx: Context, query: ScheduledQuery, request: Mapping[str, Any]) -> None:
    """Everything that both Create and Update say, checked; and the next run."""
    queries.parsed(ctx, request["queryString"], request["queryLanguage"], ctx.operation)
    expression, zone = request["scheduleExpression"], request.get("timezone") or ""
    if cron_expressions.parse(expression) is None:
        raise VALIDATION(f"Invalid schedule expression: {expression}")
    if zone:
        try:
            zoneinfo.ZoneInfo(zone)
        except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
            raise VALIDATION(f"Invalid timezone: {zone}") from None
    begin, end = request.get("startTimeOffset"), request.get("endTimeOffset")
    if min(begin or 0, end or 0) < 0:
        raise VALIDATION("startTimeOffset and endTimeOffset must not be negative.")
    if begin is not None and begin <= (end or 0):
        raise VALIDATION("startTimeOffset must be greater than endTimeOffset.")
    ctx.pass_role(request["executionRoleArn"], "logs.amazonaws.com")
    destinations = dict(request.get("destinationConfiguration") or {})
    for destination in destinations.values():
        ctx.pass_role(destination["roleArn"], "logs.amazonaws.com")
    query.text, query.expression, query.timezone = request["queryString"], expression, zone
    query.role, query.groups = request["executionRoleArn"], list(request.get("logGroupIdentifiers") or [])
    query.description, query.destinations = request.get("description") or "", destinations
    query.start_offset, query.end_offset = begin, end
    query.not_before, query.not_after = request.get("scheduleStartTime"), request.get("scheduleEndTime")
    query.state = request.get("state") or ENABLED
    query.updated_ms = int(ctx.now() * 1000)
    scheduled_runs.plan(ctx, query)


@operation
def update_scheduled_query(ctx: Context, request: t.UpdateScheduledQueryRequest) -> t.UpdateScheduledQueryResponse:
    """Replace everything about a scheduled query but its name and tags."""
    query = _find(ctx, request["identifier"])
    _set(ctx, query, request)
    return _described(ctx, query)  # type: ignore[return-value]


@operation
def get_scheduled_query(ctx: Context, request: t.GetScheduledQueryRequest) -> t.GetScheduledQueryResponse:
    """A scheduled query and how its last run ended."""
    return _described(ctx, _find(ctx, request["identifier"]))  # type: ignore[return-value]


def _described(ctx: Context, query: ScheduledQuery) -> dict[str, Any]:
    answer: dict[str, Any] = {
        **_summary(ctx, query),
        "description": query.description,
        "queryLanguage": "CWLI",
        "queryString": query.text,
        "logGroupIdentifiers": query.groups,
        "executionRoleArn": query.role,
        "startTimeOffset": query.start_offset,
        "endTimeOffset": query.end_offset,
        "scheduleStartTime": query.not_before,
        "scheduleEndTime": query.not_after,
    }
    return {name: value for name, value in answer.items() if value not in (None, "", [])}


def _summary(ctx: Context, query: ScheduledQuery) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "scheduledQueryArn": SCHEDULED_QUERIES.arn(ctx, query.id),
        "name": query.name,
        "state": query.state,
        "scheduleType": "CUSTOMER_MANAGED",
        "scheduleExpression": query.expression,
        "timezone": query.timezone or "UTC",
        "destinationConfiguration": query.destinations or None,
        "creationTime": query.created_ms,
        "lastUpdatedTime": query.updated_ms,
    }
    if query.triggered_ms:
        answer["lastTriggeredTime"] = query.triggered_ms
        answer["lastExecutionStatus"] = scheduled_runs.status_of(ctx, query.last_query, query.last_status)
    return {name: value for name, value in answer.items() if value is not None}


@operation
def list_scheduled_queries(ctx: Context, request: t.ListScheduledQueriesRequest) -> t.ListScheduledQueriesResponse:
    """Scheduled queries by name."""
    state, kind = request.get("state"), request.get("scheduleType")
    every = [] if kind == "AWS_MANAGED" else SCHEDULED_QUERIES.range(ctx, index="name")
    chosen = [query for query in every if state is None or query.state == state]
    error = scheduled_runs.INVALID_TOKEN
    found, more = pages.of_list(ctx, request, chosen, lambda query: (query.name, query.id), error=error)
    summaries: list[Any] = [_summary(ctx, query) for query in found]
    return {"scheduledQueries": summaries, **more}


@operation
def delete_scheduled_query(ctx: Context, request: t.DeleteScheduledQueryRequest) -> None:
    """Run a query no more, and forget its runs."""
    query = _find(ctx, request["identifier"])
    scheduled_runs.forget(ctx, query)
    SCHEDULED_QUERIES.delete(ctx, query)


@operation
def get_scheduled_query_history(
    ctx: Context, request: t.GetScheduledQueryHistoryRequest
) -> t.GetScheduledQueryHistoryResponse:
    """The runs of a scheduled query in a time, the latest first."""
    query = _find(ctx, request["identifier"])
    found, more = scheduled_runs.history(ctx, query, request)
    return {
        "name": query.name,
        "scheduledQueryArn": SCHEDULED_QUERIES.arn(ctx, query.id),
        "triggerHistory": found,  # type: ignore[typeddict-item]
        **more,
    }


tags.add_kind("scheduled-query", SCHEDULED_QUERIES)
