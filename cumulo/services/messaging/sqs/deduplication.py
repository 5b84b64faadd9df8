"""Deduplication in FIFO queues: of messages for five minutes, and of ReceiveMessage attempts.

Source: Amazon SQS Developer Guide, "Exactly-once processing in Amazon SQS"; API reference, ReceiveMessage.
Ids lie in buckets of five minutes, so that forgetting them needs no index: a look-up asks two buckets.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from cumulo.services.messaging.sqs import fifo
from cumulo.services.messaging.sqs.messages import ATTEMPT, SECOND_US, SEEN, queue_place

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.messaging.sqs.queues import Queue
    from cumulo.services.messaging.sqs.standard import Delivery

INTERVAL_S = 300
INTERVAL_US = INTERVAL_S * SECOND_US
_FORGOTTEN = 500


class Seen(NamedTuple):
    """What was answered to the first message with an id, and until when it counts."""

    until_us: int
    message_id: str
    sequence_number: str


class Given(NamedTuple):
    """A message that an attempt was given: it is unchanged while the last two hold."""

    group: str
    serial: bytes
    receive_count: int
    visible_us: int


class Attempt(NamedTuple):
    """What a ReceiveMessage attempt was given."""

    until_us: int
    given: list[Given]


_encode = msgspec.msgpack.encode
_decode_seen = msgspec.msgpack.Decoder(Seen).decode
_decode_attempt = msgspec.msgpack.Decoder(Attempt).decode


def id_of_content(body: bytes) -> str:
    """The deduplication id of a body: its SHA-256, attributes left out."""
    return sha256(body).hexdigest()


def _key(queue: Queue, kind: bytes, bucket: int, name: bytes) -> bytes:
    return queue_place(queue.id) + kind + bucket.to_bytes(4, "big") + name


def _look_up(ctx: Context, queue: Queue, kind: bytes, now_us: int, name: bytes) -> bytes | None:
    bucket = now_us // INTERVAL_US
    return ctx.txn.get(_key(queue, kind, bucket, name)) or ctx.txn.get(_key(queue, kind, bucket - 1, name))


def seen(ctx: Context, queue: Queue, group: str, deduplication_id: str, now_us: int) -> Seen | None:
    """What was answered to this id within the last five minutes, in the queue's scope."""
    found = _seen(ctx, queue, group if queue.group_deduplication else "", deduplication_id, now_us)
    # Ids seen while the scope was the whole queue still count after it became the group; AWS was seen to do so.
    if found is None and queue.group_deduplication and ctx.now() < queue.scope_changed_at + INTERVAL_S:
        found = _seen(ctx, queue, "", deduplication_id, now_us)
    return found


def _seen(ctx: Context, queue: Queue, scope: str, deduplication_id: str, now_us: int) -> Seen | None:
    data = _look_up(ctx, queue, SEEN, now_us, f"{scope}\0{deduplication_id}".encode())
    found = _decode_seen(data) if data is not None else None
    return found if found is not None and found.until_us > now_us else None


def remember(
    ctx: Context, queue: Queue, group: str, deduplication_id: str, now_us: int, answer: tuple[str, str]
) -> None:
    """Keep an id and the message id and sequence number that were answered."""
    scope = group if queue.group_deduplication else ""
    key = _key(queue, SEEN, now_us // INTERVAL_US, f"{scope}\0{deduplication_id}".encode())
    ctx.txn.put(key, _encode(Seen(now_us + INTERVAL_US, *answer)))


def remember_attempt(ctx: Context, queue: Queue, attempt_id: str, taken: list[Delivery], now_us: int) -> None:
    """Keep what a ReceiveMessage attempt was given."""
    given = [Given(message.group, serial, message.receive_count, message.visible_us) for message, serial, _ in taken]
    key = _key(queue, ATTEMPT, now_us // INTERVAL_US, attempt_id.encode())
    ctx.txn.put(key, _encode(Attempt(now_us + INTERVAL_US, given)))


def repeat_attempt(
    ctx: Context, queue: Queue, attempt_id: str, visibility_us: int, now_us: int
) -> list[Delivery] | None:
    """The same messages and handles again, hidden anew; None when it is no repetition or a message has changed."""
    data = _look_up(ctx, queue, ATTEMPT, now_us, attempt_id.encode())
    attempt = _decode_attempt(data) if data is not None else None
    if attempt is None or attempt.until_us <= now_us:
        return None
    taken: list[Delivery] = []
    for group, serial, receive_count, visible_us in attempt.given:
        found = fifo.again(ctx, queue, group, serial)
        if found is None or found[0].receive_count != receive_count or found[0].visible_us != visible_us:
            return None
        if visible_us <= now_us:
            return None
        taken.append(found)
    for message, serial, _ in taken:
        fifo.hide_again(ctx, queue, message, serial, now_us + visibility_us)
    remember_attempt(ctx, queue, attempt_id, taken, now_us)
    return taken


def forget(ctx: Context, queue: Queue) -> bool:
    """Drop some ids that count no more; whether there may be others."""
    more = False
    bucket = int(ctx.now() * SECOND_US) // INTERVAL_US - 1
    for kind in (SEEN, ATTEMPT):
        begin, end = _key(queue, kind, 0, b""), _key(queue, kind, bucket, b"")
        found = ctx.txn.range(begin, end, limit=_FORGOTTEN)
        for key, _ in found:
            ctx.txn.delete(key)
        more = more or len(found) == _FORGOTTEN
    return more
