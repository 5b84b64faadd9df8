"""What a message is and where it is kept.

Records are few and keys are raw bytes, because every message passes here. A queue has a random id of 8
bytes that no other queue ever has, and an epoch that PurgeQueue advances: so deleting or purging a queue
is one write, and what lies under the old place is swept later. Under that place (`place_of`), a letter:

    standard queues (standard.py)
      v  visible_us, serial           a message: delayed or in flight until visible_us, then visible
      l  serial                       where in `v` a message is that moved since its first delivery
    FIFO queues (fifo.py)
      m  group, 0, serial             a message
      g  ready_us, group              a group, by the time its first message is visible
      h  group                        ready_us of that entry (all ones: none), and the time in its last serial
      i  visible_us, serial           a message in flight, for the counts
    both
      d  visible_us, serial           a delayed message, for the counts
      b  serial                       a body (or what is sealed) too large to be written anew with each delivery

and under the id alone (so that they survive a purge), deduplication.py:

      x  bucket, scope, id            a deduplication id that was seen
      a  bucket, attempt id           what a ReceiveMessage attempt was given

A serial is 16 bytes: microseconds, 3 bytes that tell nodes apart, a counter. There are no counters of
messages that every sender would have to write: the counts that a queue reports are lengths of key ranges,
so senders never meet on one key.
"""

from __future__ import annotations

from itertools import count
from struct import Struct
from typing import TYPE_CHECKING, Any

from cumulo.core.table import GLOBAL, Codec, Record, Space

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.store.transaction import Transaction

VISIBLE, LOCATION = b"v", b"l"
MESSAGE, READY, HEAD, IN_FLIGHT, DELAYED = b"m", b"g", b"h", b"i", b"d"
BODY = b"b"
SEEN, ATTEMPT = b"x", b"a"

INLINE_BODY_BYTES = 2048
SERIAL_LENGTH = 16
SECOND_US = 1_000_000

_PLACE = Space("sqs.messages", scope=GLOBAL).prefix("", "")
_COUNTER_BITS = 40
_COUNTER_MASK = (1 << _COUNTER_BITS) - 1
_TWO = Struct(">QQ")


class Message(Record):
    """One message. Milliseconds (`_ms`) and microseconds (`_us`) are cloud time since 1970."""

    id: str
    body: str
    md5: str
    sent_ms: int
    sender: str
    attributes: dict[str, Any] | None = None  # each an Attribute: msgspec has no str-or-bytes
    receive_count: int = 0  # in all queues it was in
    earlier_receives: int = 0  # of those, in the queues before this one
    first_received_ms: int = 0
    received_us: int = 0  # the last delivery, from which the 12 hours of visibility count
    visible_us: int = 0
    moved: bool = False  # standard queues: it has an entry under LOCATION
    apart: bool = False  # its body lies under BODY
    group: str = ""
    deduplication_id: str = ""
    trace_header: str = ""
    dead_letter_source: str = ""
    delayed: bool = False  # it has an entry under DELAYED, until it is received
    sealed_for: str = ""  # the ARN of the encrypted queue that it was sent to: body and attributes are in `sealed`
    sealed: bytes = b""  # sealing.py


CODEC = Codec(Message)


def queue_place(queue_id: bytes) -> bytes:
    """The start of the keys that belong to a queue whatever is purged."""
    return _PLACE + queue_id


def place_of(queue_id: bytes, epoch: int) -> bytes:
    """The start of the keys of a queue's messages since its last purge."""
    return _PLACE + queue_id + epoch.to_bytes(4, "big")


class Serials:
    """Makes serials: unique in all nodes, and rising within one process."""

    __slots__ = ("_counter", "_node")

    def __init__(self) -> None:
        self._counter = count(1)
        self._node = 0

    def next(self, ctx: Context, at_us: int) -> bytes:
        """A new serial for this time."""
        if not self._node:
            self._node = (int.from_bytes(ctx.random_bytes(3), "big") | 1) << _COUNTER_BITS
        return _TWO.pack(at_us, self._node | next(self._counter) & _COUNTER_MASK)


SERIALS = Serials()


def sequence_number(serial: bytes) -> str:
    """The SequenceNumber of a FIFO message: 20 digits that rise within a group."""
    return str(10**19 + int.from_bytes(serial[:8], "big") * 4096 + (serial[-1] | (serial[-2] & 15) << 8))


def encode(txn: Transaction, place: bytes, serial: bytes, message: Message) -> bytes:
    """The bytes of a new message; a large body is put apart, once."""
    if message.sealed_for:
        return _encode_sealed(txn, place, serial, message)
    if len(message.body) <= INLINE_BODY_BYTES:
        return CODEC.encode(message)
    txn.put(place + BODY + serial, message.body.encode())
    message.body, message.apart = "", True
    return CODEC.encode(message)


def _encode_sealed(txn: Transaction, place: bytes, serial: bytes, message: Message) -> bytes:
    if len(message.sealed) > INLINE_BODY_BYTES:
        txn.put(place + BODY + serial, message.sealed)
        message.sealed, message.apart = b"", True
    return CODEC.encode(message)


def with_body(txn: Transaction, place: bytes, serial: bytes, message: Message) -> Message:
    """The message with its body, or what is sealed, wherever that is kept."""
    if message.apart:
        data = txn.get(place + BODY + serial) or b""
        if message.sealed_for:
            message.sealed = data
        else:
            message.body = data.decode()
    return message


def expired(message: Message, retention_s: int, now_ms: int) -> bool:
    """Whether the queue's retention period is over for a message."""
    return message.sent_ms + retention_s * 1000 <= now_ms


def a_message(txn: Transaction, place: bytes, fifo: bool) -> Message | None:
    """One of the messages of a queue, with its body; it stays where and as it is."""
    begin = place + (MESSAGE if fifo else VISIBLE)
    for key, value in txn.range(begin, begin + b"\xff", limit=1):
        return with_body(txn, place, key[-SERIAL_LENGTH:], CODEC.decode(value))
    return None
