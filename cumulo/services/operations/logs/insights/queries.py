"""Queries of Logs Insights: started, stopped, listed.

A query is read and its log groups are found when it is started; it runs as a durable task, so one that a crash
interrupts runs again. Source: API reference, StartQuery, StopQuery, DescribeQueries, ListLogGroupsForQuery.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cumulo.core.errors import not_implemented
from cumulo.core.operation import operation
from cumulo.engines import duckdb
from cumulo.services.operations.logs import pages
from cumulo.services.operations.logs.errors import (
    INVALID_PARAMETER,
    LIMIT_EXCEEDED,
)
from cumulo.services.operations.logs.groups import groups
from cumulo.services.operations.logs.insights import index_policies, query_groups, query_runs
from cumulo.services.operations.logs.insights.lookup_tables import check_tables
from cumulo.services.operations.logs.insights.query_errors import MALFORMED_QUERY, NO_ENGINE
from cumulo.services.operations.logs.insights.query_records import (
    ACTIVE,
    CONCURRENT_MOST,
    LANGUAGE,
    LATEST_S,
    QUERIES,
    LogQuery,
    find,
)
from cumulo.services.operations.logs.query import grammar
from cumulo.services.operations.logs.query.failures import Malformed, Unsupported
from cumulo.services.operations.logs.query.tree import Anomaly, Diff, Fields, Filter, Pattern, Query
from cumulo.services.operations.logs.stored import reading

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.operations.logs.groups.groups import Group
    from cumulo.stubs import logs as t

_SUFFIX = "(Service: AWSLogs; Status Code: 400; Error Code: MalformedQueryException; Request ID: {id}; Proxy: null)"


def parsed(ctx: Context, text: str, language: str, name: str = "StartQuery") -> Query:
    """A query's tree. Raises MalformedQueryException, and NotImplemented for what is not here."""
    if language != LANGUAGE:
        raise not_implemented("logs", name, f"queryLanguage {language}")
    if not duckdb.is_here():
        raise NO_ENGINE(hint=duckdb.INSTALL)
    try:
        return grammar.parse(text)
    except Malformed as wrong:
        raise malformed(ctx, wrong) from None
    except Unsupported as missing:
        raise not_implemented("logs", name, str(missing)) from None


def malformed(ctx: Context, wrong: Malformed) -> Exception:
    """MalformedQueryException with where it is wrong."""
    location = {"startCharOffset": wrong.start, "endCharOffset": wrong.end}
    text = f"{wrong.text} {_SUFFIX.format(id=ctx.request_id)}"
    return MALFORMED_QUERY(text, members={"queryCompileError": {"location": location, "message": wrong.text}})


@operation
def start_query(ctx: Context, request: t.StartQueryRequest) -> t.StartQueryResponse:
    """Start a query of log groups over a time range."""
    query = parsed(ctx, request["queryString"], request.get("queryLanguage") or LANGUAGE)
    start, end = _range(ctx, request, query)
    record = prepared(ctx, request, query, start, end)
    check_room(ctx)
    query_runs.begin(ctx, record)
    return {"queryId": record.id}


def check_room(ctx: Context) -> None:
    """Refuse one query more than an account may have at a time: those of schedules count, too (API reference)."""
    active = [each for status in ACTIVE for each in QUERIES.range(ctx, status, index="status", limit=CONCURRENT_MOST)]
    if len(active) >= CONCURRENT_MOST:
        raise LIMIT_EXCEEDED("You have exceeded the quota of concurrent queries.")


def prepared(ctx: Context, request: Mapping[str, Any], query: Query, start: int, end: int) -> LogQuery:
    """The record of a new query whose groups are found and allowed."""
    found = query_groups.chosen(ctx, request, query)
    queries = query_groups.inner(query)
    inner = [query_groups.of_source(ctx, each.source) if each.source is not None else found for each in queries]
    for each, group_list in zip([query, *queries], [found, *inner], strict=True):
        query_groups.refuse_class(group_list, _standard_only(each))
    _check_end(ctx, found, end, request["queryString"])
    check_tables(ctx, [query, *queries])
    found = index_policies.narrowed(ctx, found, query)
    # What DescribeQueries was seen to answer from AWS.
    unmask = any("unmask" in _standard_only(each) for each in (query, *queries))
    if unmask:
        for group in (*found, *(each for listed in inner for each in listed)):
            groups.authorize(ctx, group.name, group, account=group.account, action="logs:Unmask")
    names = ", ".join(f'"{group.name}"' for group in found)
    shown = request["queryString"]
    if query.source is None:
        shown = f"SOURCE {names} START={start} END={end} | {shown}"
    return LogQuery(
        ctx.uuid(),
        int(ctx.now() * 1000),
        request["queryString"],
        shown,
        [group.arn for group in found],
        start,
        end,
        request.get("limit") or 0,
        user=ctx.principal.arn,
        inner_groups=[[group.arn for group in each] for each in inner],
        unmask=unmask,
    )


def _range(ctx: Context, request: t.StartQueryRequest, query: Query) -> tuple[int, int]:
    """The time range in milliseconds, its end inclusive: the request's, or the one that SOURCE names."""
    start, end = _moment(request["startTime"]), _moment(request["endTime"], 999)
    if end < start:
        raise INVALID_PARAMETER("The end time of a query must not be before its start time.")
    now = int(ctx.now() * 1000)
    if query.source is not None:
        start = _time(ctx, query.source.start, now, start)
        end = _time(ctx, query.source.end, now, end)
    return start, end


def _check_end(ctx: Context, found: list[Group], end: int, text: str) -> None:
    """Refuse a time range that ends before any of the groups can have had events that are there.

    The text, with the place of the whole query, is what AWS's users quote.
    """
    if found and end < min([max(group.created_ms, reading.retained_from(ctx, group)) for group in found]):
        what = (
            "Query's end date and time is either before the log groups creation time or exceeds the log groups log "
            f"retention settings ([0,{len(text)}])"
        )
        raise malformed(ctx, Malformed(what, 0, len(text)))


def _moment(asked: int, last_ms: int = 0) -> int:
    """Seconds in milliseconds, with these of the last second; what is no second before the year 10000 is milliseconds.

    The API speaks of seconds, and AWS takes both: AWS's own library for pandas (awswrangler) asks in milliseconds, and
    its users see the rows of those days (issue 1029 of aws-sdk-pandas).
    """
    return asked * 1000 + last_ms if asked <= LATEST_S else min(asked, LATEST_S * 1000)


def _time(ctx: Context, text: str, now: int, otherwise: int) -> int:
    if not text:
        return otherwise
    found = query_groups.time_of(text, now)
    if found is None:
        raise malformed(ctx, Malformed(f"invalid time {text}", 0, 0))
    return found


def _standard_only(query: Query) -> set[str]:
    found = set()
    for command in query.commands:
        if isinstance(command, Pattern | Anomaly):
            found.add("pattern")
        elif isinstance(command, Diff):
            found.add("diff")
        elif isinstance(command, Fields) and command.unmask:
            found.add("unmask")
        elif isinstance(command, Filter) and command.index:
            found.add("filterIndex")
    return found


@operation
def stop_query(ctx: Context, request: t.StopQueryRequest) -> t.StopQueryResponse:
    """End a query that has not ended."""
    query = find(ctx, request["queryId"])
    if query.status not in ACTIVE:
        raise INVALID_PARAMETER(f"Query with id {query.id} has already ended with status: {query.status}")
    query_runs.cancel(ctx, query)
    return {"success": True}


@operation
def describe_queries(ctx: Context, request: t.DescribeQueriesRequest) -> t.DescribeQueriesResponse:
    """The account's queries of the last days, the latest first."""
    group, status = request.get("logGroupName"), request.get("status")
    if request.get("queryLanguage", LANGUAGE) != LANGUAGE:
        return {"queries": []}

    def fetch(after: tuple[Any, ...] | None, limit: int) -> list[LogQuery]:
        found: list[LogQuery] = []
        while True:
            some = QUERIES.range(ctx, index="created", after=after, limit=200, reverse=True)
            found += [
                query
                for query in some
                if (status is None or query.status == status) and (group is None or group in _names(query))
            ]
            if len(found) >= limit or len(some) < 200:
                return found[:limit]
            after = (some[-1].created_ms, some[-1].id)

    found, more = pages.page(ctx, request, fetch, lambda query: (query.created_ms, query.id))
    return {"queries": [_described(query) for query in found], **more}


def _names(query: LogQuery) -> list[str]:
    return [arn.split(":", 6)[6] for arn in query.groups]


def _described(query: LogQuery) -> t.QueryInfo:
    answer: t.QueryInfo = {
        "queryLanguage": "CWLI",
        "queryId": query.id,
        "queryString": query.shown,
        "status": query.status,
        "createTime": query.created_ms,
    }
    names = _names(query)
    if names:
        answer["logGroupName"] = names[0]
    if query.duration_ms >= 0:
        answer["queryDuration"] = query.duration_ms
        answer["bytesScanned"] = query.statistics.get("bytesScanned", 0.0)
        answer["userIdentity"] = query.user
    return answer


@operation
def list_log_groups_for_query(ctx: Context, request: t.ListLogGroupsForQueryRequest) -> t.ListLogGroupsForQueryResponse:
    """The log groups that a query reads."""
    query = find(ctx, request["queryId"])
    every = list(dict.fromkeys([*query.groups, *(arn for each in query.inner_groups for arn in each)]))

    def fetch(after: tuple[str | int, ...] | None, limit: int) -> list[tuple[int, str]]:
        begin = 0 if after is None else int(after[0]) + 1
        return list(enumerate(every))[begin : begin + limit]

    found, more = pages.page(ctx, request, fetch, lambda entry: (entry[0],), most=500)
    return {"logGroupIdentifiers": [arn for _, arn in found], **more}
