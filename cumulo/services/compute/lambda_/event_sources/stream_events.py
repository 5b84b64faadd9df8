"""Changes of a DynamoDB stream as functions see them, and what destinations are told of those that were given up.

Pure; the forms were observed in AWS's events and documents, those of tumbling windows are the Developer Guide's
("Using the DynamoDB stream for aggregation", "Retain discarded records").
"""

from __future__ import annotations

import datetime
from typing import Any

import msgspec

MOST_BYTES = 6_291_456 - 1_048_576 - 1024  # of an event's records: a window's state has to fit in beside them
STATE_BYTES = 1_048_576

RETRIES_EXHAUSTED, AGE_EXCEEDED = "RetryAttemptsExhausted", "RecordAgeExceeded"


class Change(msgspec.Struct):
    """One record of a stream. `at` is when it was made, in seconds since 1970, as the stream says it."""

    number: str  # its SequenceNumber
    order: int  # the same, to compare
    at: float
    record: dict[str, Any]
    encoded: bytes
    lane: int = 0


class Window(msgspec.Struct, frozen=True):
    """A tumbling window at one call: when it begins and ends, and what the function said so far."""

    start: int
    end: int
    state: Any
    final: bool = False
    early: bool = False


def change(record: dict[str, Any], arn: str) -> Change:
    """A record as GetRecords answers it."""
    shown = {name: record[name] for name in ("eventID", "eventName", "eventVersion", "eventSource", "awsRegion")}
    body = record["dynamodb"]
    created = body["ApproximateCreationDateTime"]
    at = float(created.timestamp()) if hasattr(created, "timestamp") else float(created)
    shown["dynamodb"] = {**body, "ApproximateCreationDateTime": at}
    identity = record.get("userIdentity")
    if identity is not None:
        # In events these two names begin with small letters.
        shown["userIdentity"] = {name[0].lower() + name[1:]: value for name, value in identity.items()}
    shown["eventSourceARN"] = arn
    number = body["SequenceNumber"]
    return Change(number, int(number), at, shown, msgspec.json.encode(shown))


def event(changes: list[Change]) -> bytes:
    """The event of these changes."""
    return b'{"Records":[' + b",".join([each.encoded for each in changes]) + b"]}"


def window_event(changes: list[Change], window: Window, shard: str, arn: str) -> bytes:
    """The event of a call within a tumbling window."""
    rest = {
        "window": {"start": instant(window.start), "end": instant(window.end)},
        "state": window.state if window.state is not None else {},
        "shardId": shard,
        "eventSourceARN": arn,
        "isFinalInvokeForWindow": window.final,
        "isWindowTerminatedEarly": window.early,
    }
    return event(changes)[:-1] + b"," + msgspec.json.encode(rest)[1:]


def state_in(payload: bytes) -> Any:
    """The state in what a function answered within a window: {} where it says none."""
    try:
        answer = msgspec.json.decode(payload) if payload else None
    except (msgspec.DecodeError, RecursionError):
        return {}
    state = answer.get("state") if isinstance(answer, dict) else None
    return state if state is not None else {}


def instant(seconds: float) -> str:
    """A time to the second: 2020-07-30T17:00:00Z."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def precise_instant(seconds: float) -> str:
    """A time to the millisecond: 2020-07-30T17:00:00.000Z."""
    shown = datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="milliseconds")
    return f"{shown[:-6]}Z"


class Discarded(msgspec.Struct):
    """Changes that were given up, and why. `ran`: the last call's version and error, where one ended with a result."""

    changes: list[Change]
    condition: str
    function_arn: str
    shard: str
    stream_arn: str
    request_id: str
    calls: int
    ran: tuple[str, str] | None


def document(discarded: Discarded, now: float, *, payload: bool = False) -> bytes:
    """What a destination gets; `payload`: with the records themselves, as in buckets."""
    changes = discarded.changes
    shown: dict[str, Any] = {
        "requestContext": {
            "requestId": discarded.request_id,
            "functionArn": discarded.function_arn,
            "condition": discarded.condition,
            "approximateInvokeCount": discarded.calls,
        }
    }
    if discarded.ran is not None:
        version, error = discarded.ran
        shown["responseContext"] = {"statusCode": 200, "executedVersion": version, "functionError": error or None}
    shown["version"] = "1.0"
    shown["timestamp"] = precise_instant(now)
    shown["DDBStreamBatchInfo"] = {
        "shardId": discarded.shard,
        "startSequenceNumber": changes[0].number,
        "endSequenceNumber": changes[-1].number,
        "approximateArrivalOfFirstRecord": instant(changes[0].at),
        "approximateArrivalOfLastRecord": instant(changes[-1].at),
        "batchSize": len(changes),
        "streamArn": discarded.stream_arn,
    }
    if payload:
        shown["payload"] = {"Records": [each.record for each in changes]}
    return msgspec.json.encode(shown)


def object_key(uuid: str, shard: str, now: float, unique: str) -> str:
    """Where a bucket keeps a document. Source: Developer Guide, "Retain discarded records": Amazon S3 destinations."""
    moment = datetime.datetime.fromtimestamp(now, datetime.UTC)
    return f"aws/lambda/{uuid}/{shard}/{moment:%Y/%m/%d}/{moment:%Y-%m-%dT%H.%M.%S}-{unique}"
