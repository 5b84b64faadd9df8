"""Quotas and endpoints. Source: Amazon DynamoDB Developer Guide, "Quotas"; API Reference, DescribeEndpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cumulo.core.operation import operation
from cumulo.services.data.dynamodb.tables.throughputs import TABLE_MAXIMUM

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import dynamodb as t

ACCOUNT_MAXIMUM = 80_000
CACHED_MINUTES = 1440


@operation
def describe_limits(ctx: Context, request: t.DescribeLimitsInput) -> t.DescribeLimitsOutput:
    """What an account, and one of its tables, may provision."""
    return {
        "AccountMaxReadCapacityUnits": ACCOUNT_MAXIMUM,
        "AccountMaxWriteCapacityUnits": ACCOUNT_MAXIMUM,
        "TableMaxReadCapacityUnits": TABLE_MAXIMUM,
        "TableMaxWriteCapacityUnits": TABLE_MAXIMUM,
    }


@operation
def describe_endpoints(ctx: Context, request: t.DescribeEndpointsRequest) -> t.DescribeEndpointsResponse:
    """Where this region's DynamoDB is: here."""
    return {"Endpoints": [{"Address": urlsplit(ctx.endpoint).netloc, "CachePeriodInMinutes": CACHED_MINUTES}]}
