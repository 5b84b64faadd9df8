"""Kinesis streaming destinations of tables: none can be enabled, so that there are none to describe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.operation import operation
from cumulo.services.data.dynamodb.tables.tables import settled

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import dynamodb as t


@operation
def describe_kinesis_streaming_destination(
    ctx: Context, request: t.DescribeKinesisStreamingDestinationInput
) -> t.DescribeKinesisStreamingDestinationOutput:
    """The destinations of a table."""
    table = settled(ctx, request["TableName"])
    return {"TableName": table.name, "KinesisDataStreamDestinations": []}
