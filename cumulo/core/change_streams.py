"""Change streams of DynamoDB's tables: what the service that writes items keeps, and the one that reads them needs.

A stream is a sequence of changes, numbered by their time: a number is microseconds since 1970 times 1,000, or one more
than the number before. A shard is the numbers of four hours, counted from the stream's start, so that shards need no
record of their own. Changes are kept for 24 hours. Source: Amazon DynamoDB Developer Guide, "Change data capture for
DynamoDB Streams".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from cumulo.core.arns import partition_of
from cumulo.core.errors import Error
from cumulo.core.table import GLOBAL, REGION, Record, Space, Table

if TYPE_CHECKING:
    from cumulo.core.context import Context

KEPT_S = 86_400
SHARD_S = 14_400

ENABLED, DISABLED = "ENABLED", "DISABLED"


class Stream(Record):
    """A stream of a table, also after it was disabled. Times are cloud time in seconds since 1970."""

    account: str
    region: str
    table: str
    label: str
    id: str  # of its changes' keys
    view: str
    created_at: float
    key_schema: list[tuple[str, str]]  # attribute name and HASH or RANGE
    disabled_at: float = 0.0
    policy: str = ""
    policy_revision: str = ""

    @property
    def arn(self) -> str:
        """The stream's ARN."""
        place = f"{self.region}:{self.account}:table/{self.table}/stream/{self.label}"
        return f"arn:{partition_of(self.region)}:dynamodb:{place}"

    @property
    def status(self) -> str:
        """ENABLED or DISABLED."""
        return DISABLED if self.disabled_at else ENABLED

    def end(self, now: float) -> float:
        """When its last change was, or may be."""
        return self.disabled_at or now


STREAM_NOT_FOUND = Error("ResourceNotFoundException", "Requested resource not found: Stream: {arn} not found")

STREAMS = Table(
    Stream,
    name="dynamodb.streams",
    key=("table", "label"),
    scope=REGION,
    arn="arn:{partition}:dynamodb:{region}:{account}:table/{table}/stream/{label}",
    missing=STREAM_NOT_FOUND,
    policy=lambda stream: stream.policy or None,
)

ALL_STREAMS = Space(STREAMS.name, scope=GLOBAL)  # the same keys, whatever account and region they name next
CHANGES = Space("dynamodb.changes", scope=GLOBAL)  # (stream id, number) → Change
LAST = Space("dynamodb.last_change", scope=GLOBAL)  # stream id → the last number given out


class Change(NamedTuple):
    """One change of an item. Images are items in their wire form; None where the stream's view leaves them out."""

    event_id: str
    name: str  # INSERT, MODIFY or REMOVE
    at: float
    keys: dict[str, dict[str, Any]]
    new: dict[str, dict[str, Any]] | None
    old: dict[str, dict[str, Any]] | None
    size: int
    identity: dict[str, str] | None  # who deleted it, where that was DynamoDB itself


encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Change).decode


def number_at(when: float) -> int:
    """The first number that a change at this time may have."""
    return int(when * 1_000_000) * 1_000


def text_of(number: int) -> str:
    """A number as SequenceNumber shows it: 21 digits."""
    return f"{number:019d}00"


def next_number(ctx: Context, stream_id: str) -> int:
    """The number of the next change of a stream, in this transaction."""
    place = LAST.key(ctx, stream_id)
    last = ctx.txn.get(place)
    number = number_at(ctx.now())
    if last is not None:
        number = max(number, int.from_bytes(last, "big") + 1)
    ctx.txn.put(place, number.to_bytes(8, "big"))
    return number


def append(ctx: Context, stream_id: str, change: bytes) -> None:
    """Add a change, encoded and maybe sealed, to the end of a stream, and wake who reads it."""
    ctx.txn.put(CHANGES.key(ctx, stream_id, next_number(ctx, stream_id)), change)
    ctx.txn.signal(signal_of(stream_id).encode())


def signal_of(stream_id: str) -> str:
    """The signal that announces changes of a stream."""
    return f"dynamodb.changes {stream_id}"


def last_number(ctx: Context, stream_id: str) -> int:
    """The number of a stream's last change, 0 before the first."""
    found = ctx.txn.get(LAST.key(ctx, stream_id))
    return int.from_bytes(found, "big") if found is not None else 0


def bound_to(table: str, account: str) -> dict[str, str]:
    """The encryption context of a table's data keys, under which the changes of its items are sealed as well."""
    return {"aws:dynamodb:tableName": table, "aws:dynamodb:subscriberId": account}
