"""Receipt handles: opaque to clients, and to us the place of one delivery of one message. Pure.

Bytes under base64: three of form, the queue (8), the purge it came after (4), the time until which it was
hidden (8), the serial of the message (16), the count of its deliveries (3), and in a FIFO queue the group.
"""

from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from struct import Struct
from typing import NamedTuple

from cumulo.services.messaging.sqs.errors import RECEIPT_HANDLE_IS_INVALID, RECEIPT_HANDLE_OF_ANOTHER_QUEUE

_FORM = b"\x01\x01\x01"  # "AQEB", as AWS's begin
_FIXED = Struct(">8sIQ16sHB")
_LENGTH = len(_FORM) + _FIXED.size


class ReceiptHandle(NamedTuple):
    """What a handle says. `visible_us` is where the message was put when it was received."""

    queue_id: bytes
    epoch: int
    visible_us: int
    serial: bytes
    receive_count: int
    group: str = ""


def write(queue_id: bytes, epoch: int, visible_us: int, serial: bytes, count: int, group: str = "") -> str:
    """The handle of a delivery."""
    data = _FORM + _FIXED.pack(queue_id, epoch, visible_us, serial, (count >> 8) & 0xFFFF, count & 0xFF)
    if group:
        data += group.encode()
    return b2a_base64(data, newline=False).decode()


def read(handle: str, queue_id: bytes) -> ReceiptHandle:
    """The delivery that a handle of this queue names; ReceiptHandleIsInvalid otherwise."""
    try:
        data = a2b_base64(handle, strict_mode=True)
    except (Base64Error, ValueError):
        raise RECEIPT_HANDLE_IS_INVALID(handle=handle) from None
    if data[:3] != _FORM or len(data) < _LENGTH:
        raise RECEIPT_HANDLE_IS_INVALID(handle=handle)
    found_id, epoch, visible_us, serial, high, low = _FIXED.unpack(data[3:_LENGTH])
    if found_id != queue_id:
        raise RECEIPT_HANDLE_OF_ANOTHER_QUEUE(handle=handle)
    try:
        group = data[_LENGTH:].decode()
    except UnicodeDecodeError:
        raise RECEIPT_HANDLE_IS_INVALID(handle=handle) from None
    return ReceiptHandle(found_id, epoch, visible_us, serial, high << 8 | low, group)
