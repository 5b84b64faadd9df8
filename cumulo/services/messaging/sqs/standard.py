"""Messages of standard queues: put, taken, deleted and hidden. messages.py describes the keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.services.messaging.sqs import dead_letters, receipt_handles
from cumulo.services.messaging.sqs.errors import OVER_LIMIT
from cumulo.services.messaging.sqs.in_flight import IN_FLIGHT
from cumulo.services.messaging.sqs.messages import (
    BODY,
    CODEC,
    LOCATION,
    RECEIVED,
    SECOND_US,
    SERIAL_LENGTH,
    SERIALS,
    WAITING,
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

# A message as it is given out, its serial and its receipt handle.
Delivery = tuple[Message, bytes, str]

LONGEST_DELAY_US = 900 * SECOND_US


def put(ctx: Context, queue: Queue, message: Message, now_us: int, delay_us: int) -> bytes:
    """Add a message that is visible after the delay; its serial."""
    place = queue.place
    serial = SERIALS.next(ctx, now_us)
    txn = ctx.txn
    txn.put(place + WAITING + (now_us + delay_us).to_bytes(8, "big") + serial, encode(txn, place, serial, message))
    return serial


def take(ctx: Context, queue: Queue, limit: int, visibility_us: int, now_us: int) -> list[Delivery]:
    """Give out up to `limit` visible messages, those that became visible first before others.

    On the way, messages that were received too often go to the dead-letter queue and those past the
    retention period go for good.
    """
    txn, place = ctx.txn, queue.place
    limit = min(limit, IN_FLIGHT.room(txn, place + RECEIVED, now_us, limit))
    if limit <= 0:
        raise OVER_LIMIT("Too many messages in flight: delete messages after they are processed.")
    taken: list[Delivery] = []
    moved: list[tuple[bytes, bytes]] = []  # written last: hidden for 0 s, a message must not be found twice here
    at_class = len(place)
    now_ms = now_us // 1000
    while len(taken) < limit:
        found = _visible(txn, place, now_us, limit - len(taken))
        for key, value in found:
            txn.delete(key)
            serial, message = key[-SERIAL_LENGTH:], CODEC.decode(value)
            if expired(message, queue.retention_s, now_ms):
                _forget(txn, place, serial, message)
                continue
            if dead_letters.is_dead(queue, message) and dead_letters.move(ctx, queue, serial, message, now_us, put):
                _forget(txn, place, serial, message)
                continue
            again = key[at_class : at_class + 1] == RECEIVED
            visible_us = _deliver(txn, place, serial, message, now_us, visibility_us, again)
            moved.append((place + RECEIVED + visible_us.to_bytes(8, "big") + serial, CODEC.encode(message)))
            handle = receipt_handles.write(queue.id, queue.epoch, visible_us, serial, message.receive_count)
            taken.append((with_body(txn, place, serial, message), serial, handle))
        if len(found) == 0:
            break
    for key, value in moved:
        txn.put(key, value)
    IN_FLIGHT.add(place + RECEIVED, len(taken))
    return taken


def _visible(txn: Transaction, place: bytes, now_us: int, limit: int) -> list[tuple[bytes, bytes]]:
    """The messages that have been visible longest."""
    end = (now_us + 1).to_bytes(8, "big")
    waiting = txn.range(place + WAITING, place + WAITING + end, limit=limit)
    received = txn.range(place + RECEIVED, place + RECEIVED + end, limit=limit)
    if not received:
        return waiting
    at = len(place) + 1
    return sorted(received + waiting, key=lambda pair: pair[0][at:])[:limit]


def _deliver(
    txn: Transaction, place: bytes, serial: bytes, message: Message, now_us: int, visibility_us: int, again: bool
) -> int:
    message.receive_count += 1
    message.received_us = now_us
    if not message.first_received_ms:
        message.first_received_ms = now_us // 1000
    visible_us = now_us + visibility_us
    if again:  # handles of earlier deliveries must still find it
        message.moved = True
        txn.put(place + LOCATION + serial, visible_us.to_bytes(8, "big"))
    return visible_us


def _forget(txn: Transaction, place: bytes, serial: bytes, message: Message) -> None:
    """Drop what else there is of a message whose record is gone."""
    if message.moved:
        txn.delete(place + LOCATION + serial)
    if message.apart:
        txn.delete(place + BODY + serial)


def _find(txn: Transaction, place: bytes, handle: ReceiptHandle) -> tuple[bytes, int, Message] | None:
    """Where the received message of a handle is now: key, time until which it is hidden, record."""
    visible_us = handle.visible_us
    key = place + RECEIVED + visible_us.to_bytes(8, "big") + handle.serial
    value = txn.get(key)
    if value is None:
        location = txn.get(place + LOCATION + handle.serial)
        if location is None:
            return None
        visible_us = int.from_bytes(location, "big")
        key = place + RECEIVED + location + handle.serial
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
    _forget(txn, place, handle.serial, message)
    if visible_us > now_us:
        IN_FLIGHT.add(place + RECEIVED, -1)


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
    txn.put(place + RECEIVED + when + handle.serial, CODEC.encode(message))


def next_visible_us(txn: Transaction, queue: Queue, now_us: int) -> int | None:
    """When the next hidden or delayed message becomes visible."""
    place, after = queue.place, (now_us + 1).to_bytes(8, "big")
    times = []
    for kind in (WAITING, RECEIVED):
        found = txn.range(place + kind + after, place + kind + b"\xff", limit=1)
        if found:
            at = len(place) + 1
            times.append(int.from_bytes(found[0][0][at : at + 8], "big"))
    return min(times, default=None)


def drop_expired(ctx: Context, queue: Queue, now_us: int, after: bytes, limit: int) -> bytes | None:
    """Drop messages past the retention period among the next `limit` visible ones; where to go on, None at the end."""
    txn, place = ctx.txn, queue.place
    now_ms, end = now_us // 1000, (now_us + 1).to_bytes(8, "big")
    oldest_us = now_us - queue.retention_s * SECOND_US
    at = len(place)
    for kind in (RECEIVED, WAITING):  # in the order of the keys
        if after[at : at + 1] > kind:
            continue
        found = txn.range(max(after, place + kind), place + kind + end, limit=limit)
        for key, value in found:
            message = CODEC.decode(value)
            if expired(message, queue.retention_s, now_ms):
                txn.delete(key)
                _forget(txn, place, key[-SERIAL_LENGTH:], message)
            elif kind == WAITING and int.from_bytes(key[at + 1 : at + 9], "big") > oldest_us + LONGEST_DELAY_US:
                return None  # this and all after it became visible too late to have been sent too early
        if len(found) == limit:
            return found[-1][0] + b"\x00"
    return None
