"""Messages of standard queues: put, taken, deleted and hidden. messages.py describes the keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.services.messaging.sqs import dead_letters, receipt_handles
from cumulo.services.messaging.sqs.errors import OVER_LIMIT
from cumulo.services.messaging.sqs.in_flight import IN_FLIGHT
from cumulo.services.messaging.sqs.messages import (
    BODY,
    CODEC,
    DELAYED,
    LOCATION,
    SECOND_US,
    SERIAL_LENGTH,
    SERIALS,
    VISIBLE,
    Message,
    encode,
    expired,
    with_body,
)

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.messaging.sqs.queues import Queue
    from cumulo.services.messaging.sqs.receipt_handles import ReceiptHandle
    from cumulo.store.transaction import Transaction

# Where to look first: behind what was last taken. A receiver then need not pass over what others have just taken and
# the store has yet to forget. It is only a hint, for a second: when it finds too little, or a transaction was undone,
# or another node's clock is behind, the next look is from the beginning.
HEADS: dict[bytes, tuple[bytes, int]] = {}
HINT_US = SECOND_US
_HINTED = 4096

# A message as it is given out, its serial and its receipt handle.
Delivery = tuple[Message, bytes, str]


def put(ctx: Context, queue: Queue, message: Message, now_us: int, delay_us: int) -> bytes:
    """Add a message that is visible after the delay; its serial."""
    place = queue.place
    serial = SERIALS.next(ctx, now_us)
    txn = ctx.txn
    when = (now_us + delay_us).to_bytes(8, "big") + serial
    if delay_us:
        message.delayed = True
        txn.put(place + DELAYED + when, b"")
    txn.put(place + VISIBLE + when, encode(txn, place, serial, message))
    return serial


def take(ctx: Context, queue: Queue, limit: int, visibility_us: int, now_us: int) -> list[Delivery]:
    """Give out up to `limit` visible messages, those that became visible first before others.

    On the way, messages that were received too often go to the dead-letter queue and those past the
    retention period go for good.
    """
    txn, place = ctx.txn, queue.place
    limit = IN_FLIGHT.room(place, limit, lambda: in_flight(txn, place, now_us))
    if limit <= 0:
        raise OVER_LIMIT("Too many messages in flight: delete messages after they are processed.")
    taken: list[Delivery] = []
    moved: list[tuple[bytes, bytes]] = []  # written last: hidden for 0 s, a message must not be found twice here
    now_ms, visible_us = now_us // 1000, now_us + visibility_us
    when = visible_us.to_bytes(8, "big")
    first = place + VISIBLE
    end = first + (now_us + 1).to_bytes(8, "big")
    begin, hinted_until_us = HEADS.get(place, (first, 0))
    if not now_us < hinted_until_us <= now_us + HINT_US:
        begin, hinted_until_us = first, now_us + HINT_US
    while len(taken) < limit:
        wanted = limit - len(taken)
        found = txn.range(begin, end, limit=wanted)
        if found:
            HEADS[place] = found[-1][0] + b"\x00", hinted_until_us
        for key, value in found:
            txn.delete(key)
            serial, message = key[-SERIAL_LENGTH:], CODEC.decode(value)
            if expired(message, queue.retention_s, now_ms) or (
                dead_letters.is_dead(queue, message) and dead_letters.move(ctx, queue, serial, message, now_us, put)
            ):
                _forget(txn, place, key, serial, message)
                continue
            _deliver(txn, place, key, serial, message, now_us, when, visibility_us > 0)
            moved.append((first + when + serial, CODEC.encode(message)))
            handle = receipt_handles.write(queue.id, queue.epoch, visible_us, serial, message.receive_count)
            taken.append((with_body(txn, place, serial, message), serial, handle))
        if len(found) < wanted:
            if begin == first:
                break
            begin, hinted_until_us = first, now_us + HINT_US
    for key, value in moved:
        txn.put(key, value)
    IN_FLIGHT.add(place, len(taken))
    if len(HEADS) > _HINTED:
        HEADS.clear()
    return taken


def in_flight(txn: Transaction, place: bytes, now_us: int) -> int:
    """How many messages are in flight: those not visible, without those delayed."""
    after = (now_us + 1).to_bytes(8, "big")
    hidden = txn.count(place + VISIBLE + after, place + VISIBLE + b"\xff")
    return hidden - txn.count(place + DELAYED + after, place + DELAYED + b"\xff") if hidden else 0


def _deliver(
    txn: Transaction, place: bytes, key: bytes, serial: bytes, message: Message, now_us: int, when: bytes, hides: bool
) -> None:
    if message.delayed:
        message.delayed = False
        txn.delete(place + DELAYED + key[-SERIAL_LENGTH - 8 :])
    # Handles of earlier deliveries must still find it. One that was only looked at, hidden for no time, is found by the
    # last handle ("the most recent time you received the message", API reference, DeleteMessage): that saves a write.
    if message.moved or (hides and message.receive_count > message.earlier_receives):
        message.moved = True
        txn.put(place + LOCATION + serial, when)
    message.receive_count += 1
    message.received_us = now_us
    if not message.first_received_ms:
        message.first_received_ms = now_us // 1000


def _forget(txn: Transaction, place: bytes, key: bytes, serial: bytes, message: Message) -> None:
    """Drop what else there is of a message whose record, at `key`, is gone."""
    if message.delayed:
        txn.delete(place + DELAYED + key[-SERIAL_LENGTH - 8 :])
    if message.moved:
        txn.delete(place + LOCATION + serial)
    if message.apart:
        txn.delete(place + BODY + serial)


def _find(txn: Transaction, place: bytes, handle: ReceiptHandle) -> tuple[bytes, int, Message] | None:
    """Where the received message of a handle is now: key, time until which it is hidden, record."""
    visible_us = handle.visible_us
    key = place + VISIBLE + visible_us.to_bytes(8, "big") + handle.serial
    value = txn.get(key)
    if value is None:
        location = txn.get(place + LOCATION + handle.serial)
        if location is None:
            return None
        visible_us = int.from_bytes(location, "big")
        key = place + VISIBLE + location + handle.serial
        value = txn.get(key)
        if value is None:
            return None
    return key, visible_us, CODEC.decode(value)


def delete(ctx: Context, queue: Queue, handle: ReceiptHandle, text: str, now_us: int) -> None:
    """Delete a message, with any handle it was ever given out with; one that is gone is no error."""
    if handle.epoch != queue.epoch:
        return
    txn, place = ctx.txn, queue.place
    found = _find(txn, place, handle)
    if found is None:
        return
    key, visible_us, message = found
    txn.delete(key)
    _forget(txn, place, key, handle.serial, message)
    if visible_us > now_us:
        IN_FLIGHT.add(place, -1)


def hidden(ctx: Context, queue: Queue, handle: ReceiptHandle, now_us: int) -> Message | None:
    """The message of a handle when it is in flight."""
    if handle.epoch != queue.epoch:
        return None
    found = _find(ctx.txn, queue.place, handle)
    return found[2] if found is not None and found[1] > now_us else None


def hide(ctx: Context, queue: Queue, handle: ReceiptHandle, visible_us: int) -> None:
    """Let the message of a handle, which is in flight, become visible then."""
    txn, place = ctx.txn, queue.place
    found = _find(txn, place, handle)
    if found is None:
        return
    key, _, message = found
    message.moved = True
    when = visible_us.to_bytes(8, "big")
    txn.delete(key)
    txn.put(place + LOCATION + handle.serial, when)
    txn.put(place + VISIBLE + when + handle.serial, CODEC.encode(message))


def next_visible_us(txn: Transaction, queue: Queue, now_us: int) -> int | None:
    """When the next hidden or delayed message becomes visible."""
    begin = queue.place + VISIBLE
    found = txn.range(begin + (now_us + 1).to_bytes(8, "big"), begin + b"\xff", limit=1)
    at = len(begin)
    return int.from_bytes(found[0][0][at : at + 8], "big") if found else None


def drop_expired(ctx: Context, queue: Queue, now_us: int, after: bytes, limit: int) -> bytes | None:
    """Drop messages past the retention period among the next `limit` visible ones; where to go on, None at the end."""
    txn, place = ctx.txn, queue.place
    begin, now_ms = place + VISIBLE, now_us // 1000
    found = txn.range(max(after, begin), begin + (now_us + 1).to_bytes(8, "big"), limit=limit)
    for key, value in found:
        message = CODEC.decode(value)
        if expired(message, queue.retention_s, now_ms):
            txn.delete(key)
            _forget(txn, place, key, key[-SERIAL_LENGTH:], message)
    return found[-1][0] + b"\x00" if len(found) == limit else None
