"""Shard iterators: GetShardIterator, and what an iterator says. They are good for 15 minutes.

Source: Amazon DynamoDB API Reference, GetShardIterator.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from cumulo.core.change_streams import KEPT_S, Stream, number_at
from cumulo.core.operation import operation
from cumulo.services.data.dynamodbstreams import shards, streams
from cumulo.services.data.dynamodbstreams.errors import (
    EXPIRED_ITERATOR,
    SHARD_NOT_FOUND,
    TRIMMED_DATA_ACCESS,
    VALIDATION,
)

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.data.dynamodbstreams.shards import Shard
    from cumulo.stubs import dynamodbstreams as t

VALID_S = 900
_SEPARATOR = "|1|"


class Position(NamedTuple):
    """Where reading goes on. `floats`: what is trimmed before it is nothing that was missed."""

    shard: str
    number: int
    made_at: float
    floats: bool


_decode = msgspec.msgpack.Decoder(Position).decode


def encode(stream: Stream, position: Position) -> str:
    """The text of an iterator."""
    return stream.arn + _SEPARATOR + base64.b64encode(msgspec.msgpack.encode(position)).decode()


def decode(ctx: Context, text: str) -> tuple[str, Position]:
    """The stream's ARN and the position in an iterator that is still good."""
    arn, separator, data = text.rpartition(_SEPARATOR)
    try:
        position = _decode(base64.b64decode(data, validate=True))
    except (ValueError, msgspec.DecodeError):
        separator = ""
    if not separator:
        raise VALIDATION("Invalid ShardIterator")
    if ctx.now() > position.made_at + VALID_S:
        raise EXPIRED_ITERATOR()
    return arn, position


def shard_of(ctx: Context, stream: Stream, shard_id: str) -> Shard:
    """The shard of this id."""
    for shard in shards.of(stream, ctx.now(), streams.last_number(ctx, stream)):
        if shard.id == shard_id:
            return shard
    raise SHARD_NOT_FOUND()


@operation
def get_shard_iterator(ctx: Context, request: t.GetShardIteratorInput) -> t.GetShardIteratorOutput:
    """Where to begin reading a shard."""
    kind = request["ShardIteratorType"]
    text = request.get("SequenceNumber")
    by_number = kind in ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER")
    if by_number and text is None:
        raise VALIDATION(f"SequenceNumber must be specified when ShardIteratorType is {kind}")
    if kind == "AT_TIMESTAMP" and "Timestamp" not in request:
        raise VALIDATION("Timestamp must be specified when ShardIteratorType is AT_TIMESTAMP")
    stream = streams.find(ctx, request["StreamArn"])
    shard = shard_of(ctx, stream, request["ShardId"])
    now = ctx.now()
    floats = False
    if by_number:
        assert text is not None
        number = _number(text, shard) + (kind == "AFTER_SEQUENCE_NUMBER")
        if number < number_at(now - KEPT_S):
            raise TRIMMED_DATA_ACCESS()
    elif kind == "LATEST":
        number = shard.end or max(streams.last_number(ctx, stream) + 1, shard.first)
        floats = True
    elif kind == "TRIM_HORIZON":
        number, floats = shard.first, True
    else:
        when = _seconds(request["Timestamp"])
        if when > now:
            raise VALIDATION("The timestampInMillis parameter cannot be greater than the currentTimestampInMillis.")
        number, floats = max(number_at(when), shard.first), True
    return {"ShardIterator": encode(stream, Position(shard.id, number, now, floats))}


def _seconds(when: object) -> float:
    """A timestamp of a request, in seconds since 1970."""
    return float(when.timestamp()) if hasattr(when, "timestamp") else float(when)  # type: ignore[arg-type]


def _number(text: str, shard: Shard) -> int:
    """The number that a sequence number of this shard stands for."""
    if not text.isdigit() or not text.endswith("00"):
        raise VALIDATION(f"Invalid SequenceNumber: {text}")
    number = int(text) // 100
    if number < shard.first or (shard.end is not None and number >= shard.end):
        raise VALIDATION(f"Invalid SequenceNumber: {text}")
    return number
