"""ListStreams and DescribeStream; and how the operations find a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core import change_streams
from cumulo.core.change_streams import STREAM_NOT_FOUND, STREAMS, Stream, text_of
from cumulo.core.errors import Fault
from cumulo.core.operation import operation
from cumulo.services.data.dynamodbstreams import shards
from cumulo.services.data.dynamodbstreams.errors import VALIDATION

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.data.dynamodbstreams.shards import Shard
    from cumulo.stubs import dynamodbstreams as t

MOST = 100


def find(ctx: Context, arn: str) -> Stream:
    """The stream of an ARN, found and authorized."""
    account, table, label = read(ctx, arn)
    try:
        return STREAMS.get(ctx, table, label, account=account)
    except Fault as fault:
        if fault.code == STREAM_NOT_FOUND.code:
            raise STREAM_NOT_FOUND(arn=arn) from None
        raise


def read(ctx: Context, arn: str) -> tuple[str, str, str]:
    """The account, the table and the label in a stream's ARN."""
    parts = arn.split(":", 5)
    kinds = parts[5].split("/") if len(parts) == 6 else []
    if (
        len(kinds) != 4
        or parts[2] != "dynamodb"
        or parts[3] != ctx.region
        or (kinds[0], kinds[2]) != ("table", "stream")
    ):
        raise VALIDATION("Invalid StreamArn")
    return parts[4], kinds[1], kinds[3]


def last_number(ctx: Context, stream: Stream) -> int:
    """The number of a stream's last change, 0 before the first."""
    return change_streams.last_number(ctx, stream.id)


def checked_limit(limit: int | None, most: int) -> int:
    """A request's Limit; ValidationException above what the API reference names."""
    if limit is not None and limit > most:
        raise VALIDATION(
            f"1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: Member must have "
            f"value less than or equal to {most}"
        )
    return limit or most


@operation
def list_streams(ctx: Context, request: t.ListStreamsInput) -> t.ListStreamsOutput:
    """The streams of the account, or of one table, by table and age: also those disabled in the last 24 hours."""
    limit = checked_limit(request.get("Limit"), MOST)
    start = request.get("ExclusiveStartStreamArn")
    after = read(ctx, start)[1:] if start else None
    table = request.get("TableName")
    prefix = (table,) if table else ()
    found = STREAMS.range(ctx, *prefix, after=after, limit=limit + 1)
    shown = found[:limit]
    answer: t.ListStreamsOutput = {
        "Streams": [{"StreamArn": each.arn, "TableName": each.table, "StreamLabel": each.label} for each in shown]
    }
    if len(found) > limit:
        answer["LastEvaluatedStreamArn"] = shown[-1].arn
    return answer


@operation
def describe_stream(ctx: Context, request: t.DescribeStreamInput) -> t.DescribeStreamOutput:
    """A stream and a page of its shards."""
    limit = checked_limit(request.get("Limit"), MOST)
    stream = find(ctx, request["StreamArn"])
    found = shards.of(stream, ctx.now(), last_number(ctx, stream))
    wanted = request.get("ShardFilter")
    if wanted is not None:
        parent = wanted.get("ShardId")
        if parent is None:
            raise VALIDATION("ShardId must be specified when ShardFilter Type is CHILD_SHARDS")
        found = [shard for shard in found if shard.parent == parent]
    start = request.get("ExclusiveStartShardId")
    if start is not None:
        found = [shard for shard in found if shard.id > start]
    description: dict[str, Any] = {
        "StreamArn": stream.arn,
        "StreamLabel": stream.label,
        "StreamStatus": stream.status,
        "StreamViewType": stream.view,
        "CreationRequestDateTime": stream.created_at,
        "TableName": stream.table,
        "KeySchema": [{"AttributeName": name, "KeyType": kind} for name, kind in stream.key_schema],
        "Shards": [_shown(shard) for shard in found[:limit]],
    }
    if len(found) > limit:
        description["LastEvaluatedShardId"] = found[limit - 1].id
    answer: Any = {"StreamDescription": description}
    return answer  # type: ignore[no-any-return]


def _shown(shard: Shard) -> dict[str, Any]:
    numbers = {"StartingSequenceNumber": text_of(shard.first)}
    if shard.end is not None:
        numbers["EndingSequenceNumber"] = text_of(shard.end - 1)
    shown: dict[str, Any] = {"ShardId": shard.id, "SequenceNumberRange": numbers}
    if shard.parent:
        shown["ParentShardId"] = shard.parent
    return shown
