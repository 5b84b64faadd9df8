"""Items at rest: bytes from which an answer can be written without decoding them.

An item is four bytes, a form number and the item's size as AWS counts it (beside a mark of those that a transaction
wrote), and then the JSON text of its attributes as
clients send and get it (`{"id":{"S":"x"}}`, binary as base64). So GetItem and Query hand the text on as it is, and
capacity and pages are counted from the four bytes. Entries of indexes have the same form. In a table with a KMS key of
its owner's what follows the four bytes is sealed (sealing.py); `read` and `opened` give it back in the plain form, in
which everything else here takes it.
"""

from __future__ import annotations

from binascii import a2b_base64
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.services.data.dynamodb.stored import sealing
from cumulo.services.data.dynamodb.values.attribute_values import Item

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.data.dynamodb.tables.layouts import Layout
    from cumulo.services.data.dynamodb.tables.tables import TableRecord

PLAIN, SEALED = 1, 2
_TRANSACTION = 0x80  # in the second byte, which the size does not reach: a transaction wrote the item
HEAD_BYTES = 4

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def encode(item: Item, size: int) -> bytes:
    """The bytes of an item of this size."""
    return (PLAIN << 24 | size).to_bytes(4, "big") + _encode(item)


def of_transaction(stored: bytes) -> bytes:
    """The plain item as one that a transaction wrote."""
    return bytes((stored[0], stored[1] | _TRANSACTION)) + stored[2:]


def is_of_transaction(stored: bytes) -> bool:
    """Whether it was a transaction that last wrote the item."""
    return stored[1] & _TRANSACTION != 0


def read(ctx: Context, layout: Layout, key: bytes) -> bytes | None:
    """The item of a key, in this transaction."""
    stored = ctx.txn.get(layout.place + key)
    return stored if stored is None or stored[0] == PLAIN else opened(ctx, layout.record, stored)


def opened(ctx: Context, table: TableRecord, stored: bytes) -> bytes:
    """An item in its plain form, sealed or not; KMS may refuse the caller."""
    if stored[0] == PLAIN:
        return stored
    return bytes((PLAIN,)) + stored[1:HEAD_BYTES] + sealing.unseal(ctx, table, stored[HEAD_BYTES:])


def sealed(ctx: Context, table: TableRecord, stored: bytes) -> bytes:
    """A plain item as the table keeps it."""
    if not table.sealed_key:
        return stored
    return bytes((SEALED,)) + stored[1:HEAD_BYTES] + sealing.seal(ctx, table, stored[HEAD_BYTES:])


def size_of(stored: bytes) -> int:
    """The item's size in bytes, as AWS counts it."""
    return (stored[1] & 0x7F) << 16 | stored[2] << 8 | stored[3]


def text_of(stored: bytes) -> msgspec.Raw:
    """The item as it goes out in JSON."""
    return msgspec.Raw(memoryview(stored)[HEAD_BYTES:])


def shown(ctx: Context, stored: bytes) -> Any:
    """The item as an answer has it: as it stands for a client, as a value for a service that asked."""
    return text_of(stored) if ctx.protocol == "json" else decode(stored)


def decode(stored: bytes) -> Item:
    """The item, with binary values as bytes."""
    item: Item = _decode(memoryview(stored)[HEAD_BYTES:])
    # In a JSON text a quotation mark within a value is escaped: where neither stands, there is no binary value.
    if b'"B":"' in stored or b'"BS":[' in stored:
        for value in item.values():
            _read_binary(value)
    return item


def read_binaries(item: Item) -> None:
    """Turn base64 into bytes, in place, all over an item. Raises ValueError for a text that is none."""
    for value in item.values():
        _read_binary(value)


def _read_binary(value: dict[str, Any]) -> None:
    """Turn base64 into bytes, in place."""
    for kind, content in value.items():
        if kind == "B":
            value["B"] = _bytes_of(content)
        elif kind == "BS":
            value["BS"] = [_bytes_of(each) for each in content]
        elif kind == "M":
            for inner in content.values():
                _read_binary(inner)
        elif kind == "L":
            for inner in content:
                _read_binary(inner)


def _bytes_of(text: str) -> bytes:
    return a2b_base64(text)
