"""Messages of FIFO queues: groups in order, each blocked while its first message is hidden.

messages.py describes the keys. A group is found by the time its first message becomes visible, so a receiver
never walks over blocked groups. Within a group messages are given out from the first on, up to the first that is
hidden: AWS was seen to do so when the visibility of some messages of a group had been changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.services.messaging.sqs import dead_letters, receipt_handles
from cumulo.services.messaging.sqs.errors import INVALID_PARAMETER
from cumulo.services.messaging.sqs.in_flight import IN_FLIGHT as LIMITS
from cumulo.services.messaging.sqs.messages import (
    BODY,
    CODEC,
    DELAYED,
    HEAD,
    IN_FLIGHT,
    MESSAGE,
    READY,
    SECOND_US,
    SERIAL_LENGTH,
    SERIALS,
    Message,
    encode,
    expired,
    with_body,
)

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.messaging.sqs.queues import Queue
    from cumulo.services.messaging.sqs.receipt_handles import ReceiptHandle
    from cumulo.services.messaging.sqs.standard import Delivery
    from cumulo.store.transaction import Transaction

EXPIRED_HANDLE = "The receipt handle has expired."

_NEVER = b"\xff" * 8  # ready_us of a group without messages


def put(ctx: Context, queue: Queue, message: Message, now_us: int, delay_us: int) -> bytes:
    """Add a message at the end of its group, visible after the delay; its serial."""
    txn, place = ctx.txn, queue.place
    group = message.group.encode()
    head = txn.get(place + HEAD + group)
    # Rising even when nodes' clocks differ or many messages come in one microsecond.
    at_us = now_us if head is None else max(now_us, int.from_bytes(head[8:], "big") + 1)
    serial = SERIALS.next(ctx, at_us)
    message.visible_us = now_us + delay_us
    when = message.visible_us.to_bytes(8, "big")
    if delay_us:
        message.delayed = True
        txn.put(place + DELAYED + when + serial, b"")
    txn.put(_key(place, group, serial), encode(txn, place, serial, message))
    ready = _NEVER if head is None else head[:8]
    if ready == _NEVER:
        ready = when
        txn.put(place + READY + ready + group, b"")
    txn.put(place + HEAD + group, ready + at_us.to_bytes(8, "big"))
    return serial


def take(ctx: Context, queue: Queue, limit: int, visibility_us: int, now_us: int) -> list[Delivery]:
    """Give out up to `limit` messages, of the group that has been ready longest first."""
    txn, place = ctx.txn, queue.place
    limit = LIMITS.room(place, limit, lambda: in_flight(txn, place, now_us))
    taken: list[Delivery] = []
    seen: set[bytes] = set()  # hidden for 0 s, a group is ready again at once: not for this receiver
    begin, end = place + READY, place + READY + (now_us + 1).to_bytes(8, "big")
    at_group = len(place) + 9
    while len(taken) < limit:
        wanted = limit - len(taken)
        ready = txn.range(begin, end, limit=wanted)
        for key, _ in ready:
            group = key[at_group:]
            if group not in seen and len(taken) < limit:
                seen.add(group)
                _take_group(ctx, queue, group, limit, visibility_us, now_us, taken)
        if len(ready) < wanted:
            break
        begin = ready[-1][0] + b"\x00"
    LIMITS.add(place, len(taken))
    return taken


def in_flight(txn: Transaction, place: bytes, now_us: int) -> int:
    """How many messages are in flight."""
    return txn.count(place + IN_FLIGHT + (now_us + 1).to_bytes(8, "big"), place + IN_FLIGHT + b"\xff")


def _take_group(
    ctx: Context, queue: Queue, group: bytes, limit: int, visibility_us: int, now_us: int, taken: list[Delivery]
) -> None:
    txn, place = ctx.txn, queue.place
    begin, end = place + MESSAGE + group + b"\x00", place + MESSAGE + group + b"\x01"
    blocked = False
    while len(taken) < limit and not blocked:
        wanted = limit - len(taken)
        found = txn.range(begin, end, limit=wanted)
        for key, value in found:
            serial, message = key[-SERIAL_LENGTH:], CODEC.decode(value)
            if message.visible_us > now_us:
                blocked = True
                break
            if expired(message, queue.retention_s, now_us // 1000):
                _remove(txn, place, group, serial, message)
                continue
            if dead_letters.is_dead(queue, message) and dead_letters.move(ctx, queue, serial, message, now_us, put):
                _remove(txn, place, group, serial, message)
                continue
            _unmark(txn, place, serial, message)
            message.receive_count += 1
            message.received_us = now_us
            message.first_received_ms = message.first_received_ms or now_us // 1000
            _place(txn, place, group, serial, message, now_us + visibility_us)
            taken.append((with_body(txn, place, serial, message), serial, _handle(queue, message, serial)))
        if len(found) < wanted:
            break
        begin = found[-1][0] + b"\x00"
    _refresh(txn, place, group)


def _key(place: bytes, group: bytes, serial: bytes) -> bytes:
    return place + MESSAGE + group + b"\x00" + serial


def _handle(queue: Queue, message: Message, serial: bytes) -> str:
    # Without the time, so that a repeated ReceiveMessage attempt is given the same handle.
    return receipt_handles.write(queue.id, queue.epoch, 0, serial, message.receive_count, message.group)


def _place(txn: Transaction, place: bytes, group: bytes, serial: bytes, message: Message, visible_us: int) -> None:
    """Write a received message back, hidden until then."""
    message.visible_us = visible_us
    txn.put(place + IN_FLIGHT + visible_us.to_bytes(8, "big") + serial, b"")
    txn.put(_key(place, group, serial), CODEC.encode(message))


def _unmark(txn: Transaction, place: bytes, serial: bytes, message: Message) -> None:
    """Take a message out of the counts of delayed messages and of those in flight."""
    when = message.visible_us.to_bytes(8, "big")
    if message.delayed:
        message.delayed = False
        txn.delete(place + DELAYED + when + serial)
    if message.receive_count > message.earlier_receives:
        txn.delete(place + IN_FLIGHT + when + serial)


def _remove(txn: Transaction, place: bytes, group: bytes, serial: bytes, message: Message) -> None:
    _unmark(txn, place, serial, message)
    txn.delete(_key(place, group, serial))
    if message.apart:
        txn.delete(place + BODY + serial)


def _refresh(txn: Transaction, place: bytes, group: bytes) -> None:
    """Let the group be found by what is now its first message."""
    first = txn.range(place + MESSAGE + group + b"\x00", place + MESSAGE + group + b"\x01", limit=1)
    ready = CODEC.decode(first[0][1]).visible_us.to_bytes(8, "big") if first else _NEVER
    head = txn.get(place + HEAD + group) or _NEVER + bytes(8)
    if head[:8] == ready:
        return
    if head[:8] != _NEVER:
        txn.delete(place + READY + head[:8] + group)
    if ready != _NEVER:
        txn.put(place + READY + ready + group, b"")
    txn.put(place + HEAD + group, ready + head[8:])


def _find(txn: Transaction, queue: Queue, handle: ReceiptHandle) -> Message | None:
    value = txn.get(_key(queue.place, handle.group.encode(), handle.serial))
    return CODEC.decode(value) if value is not None and handle.epoch == queue.epoch else None


def _is_current(message: Message, handle: ReceiptHandle, now_us: int) -> bool:
    return message.receive_count & 0xFFFFFF == handle.receive_count and message.visible_us > now_us


def delete(ctx: Context, queue: Queue, handle: ReceiptHandle, text: str, now_us: int) -> None:
    """Delete a message; refused when its visibility timeout is over, for then another may have it."""
    txn, place = ctx.txn, queue.place
    message = _find(txn, queue, handle)
    if message is None:
        return
    if not _is_current(message, handle, now_us):
        raise INVALID_PARAMETER(value=text, name="ReceiptHandle", reason=EXPIRED_HANDLE)
    group = handle.group.encode()
    _remove(txn, place, group, handle.serial, message)
    _refresh(txn, place, group)
    LIMITS.add(place, -1)


def hidden(ctx: Context, queue: Queue, handle: ReceiptHandle, now_us: int) -> Message | None:
    """The message of a handle when it is in flight."""
    message = _find(ctx.txn, queue, handle)
    return message if message is not None and _is_current(message, handle, now_us) else None


def hide(ctx: Context, queue: Queue, handle: ReceiptHandle, visible_us: int) -> None:
    """Let the message of a handle, which is in flight, become visible then."""
    txn, place, group = ctx.txn, queue.place, handle.group.encode()
    message = _find(txn, queue, handle)
    if message is None:
        return
    _unmark(txn, place, handle.serial, message)
    _place(txn, place, group, handle.serial, message, visible_us)
    _refresh(txn, place, group)


def again(ctx: Context, queue: Queue, group: str, serial: bytes) -> Delivery | None:
    """A message that was given out, with the handle that it was given out with."""
    value = ctx.txn.get(_key(queue.place, group.encode(), serial))
    if value is None:
        return None
    message = with_body(ctx.txn, queue.place, serial, CODEC.decode(value))
    return message, serial, _handle(queue, message, serial)


def hide_again(ctx: Context, queue: Queue, message: Message, serial: bytes, visible_us: int) -> None:
    """Hide a message that `again` found for longer."""
    txn, place, group = ctx.txn, queue.place, message.group.encode()
    body, sealed = message.body, message.sealed
    if message.apart:
        message.body, message.sealed = "", b""
    _unmark(txn, place, serial, message)
    _place(txn, place, group, serial, message, visible_us)
    _refresh(txn, place, group)
    message.body, message.sealed = body, sealed


def next_visible_us(txn: Transaction, queue: Queue, now_us: int) -> int | None:
    """When the next group becomes ready."""
    place = queue.place
    found = txn.range(place + READY + (now_us + 1).to_bytes(8, "big"), place + READY + _NEVER, limit=1)
    at = len(place) + 1
    return int.from_bytes(found[0][0][at : at + 8], "big") if found else None


def drop_expired(ctx: Context, queue: Queue, now_us: int, after: bytes, limit: int) -> bytes | None:
    """Drop messages past the retention period in the next `limit` groups; where to go on, None at the end."""
    txn, place = ctx.txn, queue.place
    now_ms = now_us // 1000
    heads = txn.range(max(after, place + HEAD), place + HEAD + b"\xff", limit=limit)
    for key, head in heads:
        group = key[len(place) + 1 :]
        begin, end = place + MESSAGE + group + b"\x00", place + MESSAGE + group + b"\x01"
        found = txn.range(begin, end, limit=limit)
        if not found and int.from_bytes(head[8:], "big") + SECOND_US < now_us:
            txn.delete(key)  # no serial of this group can be too low any more
            continue
        dropped = False
        for message_key, value in found:
            message = CODEC.decode(value)
            if not expired(message, queue.retention_s, now_ms):
                break
            _remove(txn, place, group, message_key[-SERIAL_LENGTH:], message)
            dropped = True
        if dropped:
            _refresh(txn, place, group)
    return heads[-1][0] + b"\x00" if len(heads) == limit else None
