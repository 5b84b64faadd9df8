"""From what a query asks of the key to the range of bytes in which its items lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.table import pack
from cumulo.services.data.dynamodb.tables.layouts import HASH_BYTES, after, hash_of
from cumulo.services.data.dynamodb.values.key_values import encode

if TYPE_CHECKING:
    from cumulo.services.data.dynamodb.expressions.key_conditions import KeyCondition
    from cumulo.services.data.dynamodb.tables.layouts import IndexLayout, Layout

Range = tuple[bytes, bytes]  # the first key, and the first beyond

_SPREAD = 1 << 8 * HASH_BYTES


def of_query(layout: Layout, index: IndexLayout | None, wanted: KeyCondition) -> Range:
    """Where the items of a query lie: in the table, or as entries of an index."""
    hashes = tuple([encode(value) for value in wanted.hashes])
    operands = [encode(value) for value in wanted.operands]
    if index is None:
        partition = hashes[0]
        prefix = layout.place + hash_of(partition) + len(partition).to_bytes(2, "big") + partition
        if wanted.equals:
            exact = prefix + encode(wanted.equals[0])
            return exact, exact + b"\x00"
        # Sort keys stand as they are and end the key: "up to and with" ends at the next longer one.
        return _between(prefix, wanted.operator, operands, [prefix + each + b"\x00" for each in operands])
    prefix = index.partition(hashes) + b"".join([pack(encode(value)) for value in wanted.equals])
    if wanted.operator == "begins_with":
        start = prefix + pack(operands[0])[:-1]  # without its end
        return start, after(start)
    packed = [pack(each) for each in operands]
    return _between(prefix, wanted.operator, packed, [prefix + each + b"\x02" for each in packed])


def _between(prefix: bytes, operator: str, operands: list[bytes], beyond: list[bytes]) -> Range:
    """The range of an operator; `beyond` are the first keys after all that have the operands' values."""
    if not operator:
        return prefix, after(prefix)
    if operator == "<":
        return prefix, prefix + operands[0]
    if operator == "<=":
        return prefix, beyond[0]
    if operator == ">":
        return beyond[0], after(prefix)
    if operator == ">=":
        return prefix + operands[0], after(prefix)
    if operator == "begins_with":
        return prefix + operands[0], after(prefix + operands[0])
    assert operator == "BETWEEN"
    return prefix + operands[0], beyond[1]


def of_segment(place: bytes, segment: int, total: int) -> Range:
    """Where a segment of a parallel scan lies: an equal share of the hashes."""
    begin = place + (segment * _SPREAD // total).to_bytes(HASH_BYTES, "big") if segment else place
    if segment + 1 == total:
        return begin, after(place)
    return begin, place + ((segment + 1) * _SPREAD // total).to_bytes(HASH_BYTES, "big")
