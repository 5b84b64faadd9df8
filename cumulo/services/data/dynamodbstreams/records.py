"""GetRecords. Source: Amazon DynamoDB API Reference, GetRecords: at most 1,000 records and 1 MB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.change_streams import CHANGES, KEPT_S, Change, Stream, number_at, text_of
from cumulo.core.operation import operation
from cumulo.core.table import pack
from cumulo.services.data.dynamodbstreams import iterators, sealed_changes, streams
from cumulo.services.data.dynamodbstreams.errors import TRIMMED_DATA_ACCESS
from cumulo.services.data.dynamodbstreams.iterators import Position

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import dynamodbstreams as t

MOST = 1000
MOST_BYTES = 1_048_576
_STEP = 100
_OPEN_END = 1 << 63


@operation
def get_records(ctx: Context, request: t.GetRecordsInput) -> t.GetRecordsOutput:
    """The changes from an iterator on, and where to go on; nowhere at the end of a closed shard."""
    limit = streams.checked_limit(request.get("Limit"), MOST)
    arn, position = iterators.decode(ctx, request["ShardIterator"])
    stream = streams.find(ctx, arn)
    shard = iterators.shard_of(ctx, stream, position.shard)
    now = ctx.now()
    number, horizon = position.number, number_at(now - KEPT_S)
    if number < horizon:
        if not position.floats:
            raise TRIMMED_DATA_ACCESS()
        number = horizon
    end = shard.end if shard.end is not None else _OPEN_END
    found, done = _read(ctx, stream, number, end, limit)
    answer: dict[str, Any] = {"Records": [_shown(ctx, stream, *each) for each in found]}
    following = found[-1][0] + 1 if found else number
    if shard.end is None or not done:
        answer["NextShardIterator"] = iterators.encode(stream, Position(shard.id, following, now, done))
    return answer  # type: ignore[return-value]


def _read(ctx: Context, stream: Stream, number: int, end: int, limit: int) -> tuple[list[tuple[int, Change]], bool]:
    """Changes with their numbers, as many as a page takes, and whether these are all that there are."""
    place = CHANGES.key(ctx, stream.id)
    found: list[tuple[int, Change]] = []
    size = 0
    while len(found) < limit:
        step = min(_STEP, limit - len(found))
        pairs = ctx.txn.range(place + pack(number), place + pack(end), limit=step)
        for key, value in pairs:
            change = sealed_changes.read(ctx, stream, value)
            size += change.size
            if found and size > MOST_BYTES:
                return found, False
            found.append((_number_in(key), change))
        if len(pairs) < step:
            return found, True
        number = found[-1][0] + 1
    return found, False


def _number_in(key: bytes) -> int:
    """The number at the end of a change's key: eight bytes, as all of them are this side of the year 2286."""
    return int.from_bytes(key[-8:], "big")


def _shown(ctx: Context, stream: Stream, number: int, change: Change) -> dict[str, Any]:
    body: dict[str, Any] = {
        "ApproximateCreationDateTime": int(change.at),
        "Keys": change.keys,
        "SequenceNumber": text_of(number),
        "SizeBytes": change.size,
        "StreamViewType": stream.view,
    }
    if change.new is not None:
        body["NewImage"] = change.new
    if change.old is not None:
        body["OldImage"] = change.old
    shown: dict[str, Any] = {
        "eventID": change.event_id,
        "eventName": change.name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": stream.region,
        "dynamodb": body,
    }
    if change.identity is not None:
        shown["userIdentity"] = change.identity
    return shown
