"""Queries of Logs Insights as they are kept: what was asked, how far it is, and where its results lie."""

from __future__ import annotations

from typing import Any

from cumulo.core.table import REGION, Record, Table
from cumulo.services.operations.logs.errors import RESOURCE_NOT_FOUND

SCHEDULED, RUNNING, COMPLETE, FAILED, CANCELLED, TIMEOUT = (
    "Scheduled",
    "Running",
    "Complete",
    "Failed",
    "Cancelled",
    "Timeout",
)
ACTIVE = (SCHEDULED, RUNNING)
LANGUAGE = "CWLI"
LATEST_S = 253_402_300_799  # the last second of the year 9999
CONCURRENT_MOST = 100  # "You can have up to 100 concurrent CloudWatch Logs insights queries"


class LogQuery(Record):
    """A query. Times are milliseconds of cloud time; `end_ms` is inclusive.

    `groups` are the ARNs of the log groups that it reads, `inner_groups` those of queries in it. `blob` is a file of
    results in msgpack, `chunks` says where in it every thousand rows begin; `sealed_by` is the group under whose KMS
    key the file is sealed. `unmask`: who started it may see what is masked, and asked for it.
    """

    id: str
    created_ms: int
    text: str
    shown: str
    groups: list[str]
    start_ms: int
    end_ms: int
    limit: int = 0
    status: str = SCHEDULED
    user: str = ""
    duration_ms: int = -1
    statistics: dict[str, float] = {}
    error: str = ""
    blob: str = ""
    chunks: list[int] = []
    rows: int = 0
    sealed_by: str = ""
    inner_groups: list[list[str]] = []
    schedule: str = ""
    unmask: bool = False


QUERIES = Table(
    LogQuery,
    name="logs.queries",
    key="id",
    scope=REGION,
    missing=RESOURCE_NOT_FOUND,
    indexes={"created": ("created_ms",), "status": ("status",)},
)


def find(ctx: Any, query_id: str) -> LogQuery:
    """The query, or AWS's error."""
    query = QUERIES.peek(ctx, query_id)
    if query is None:
        raise RESOURCE_NOT_FOUND(f"Query Id {query_id} doesn't exist")
    return query
