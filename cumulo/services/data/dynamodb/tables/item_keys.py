"""Primary keys of items: their checks, in AWS's words, and their bytes.

Sources of the texts: answers of AWS as they stand in its forums and in issues of its clients; limits: DynamoDB
Developer Guide, "Quotas", partition key 2048 bytes, sort key 1024 bytes.
"""

from __future__ import annotations

from typing import Any

from cumulo.core.errors import Fault
from cumulo.services.data.dynamodb.errors import VALIDATION
from cumulo.services.data.dynamodb.tables.layouts import HASH_LIMIT_BYTES, RANGE_LIMIT_BYTES, Layout
from cumulo.services.data.dynamodb.values.attribute_values import Item
from cumulo.services.data.dynamodb.values.key_values import encode

_INVALID = "One or more parameter values were invalid: "
NOT_VALID = "One or more parameter values are not valid. "
_KIND_NAMES = {"S": "string", "B": "binary"}


def mismatch() -> Fault:
    """A key that is not that of the table."""
    return VALIDATION("The provided key element does not match the schema")


def of_item(layout: Layout, item: Item) -> bytes:
    """The key of a whole item that is to be written; also checks the attributes that are keys of indexes."""
    hash_value = item.get(layout.hash)
    if hash_value is None:
        raise VALIDATION(f"{_INVALID}Missing the key {layout.hash} in the item")
    if layout.hash_kind not in hash_value:
        raise _type_mismatch(layout.hash, layout.hash_kind, hash_value)
    range_bytes = b""
    if layout.range:
        range_value = item.get(layout.range)
        if range_value is None:
            raise VALIDATION(f"{_INVALID}Missing the key {layout.range} in the item")
        if layout.range_kind not in range_value:
            raise _type_mismatch(layout.range, layout.range_kind, range_value)
        range_bytes = _range_bytes(layout.range, range_value)
    key = layout.key_of(_hash_bytes(layout.hash, hash_value), range_bytes)
    if layout.indexes:
        check_index_keys(layout, item)
    return key


def check_types(layout: Layout, item: Item) -> None:
    """BatchWriteItem's words for items that lack a key or have it of another type. Observed in AWS's answers."""
    for name, kind in layout.schema.types.items():
        if kind not in item.get(name, ()):
            raise mismatch()


def of_key(layout: Layout, key: Item) -> bytes:
    """The key that a request names by its attributes alone."""
    if len(key) != len(layout.keys):
        raise mismatch()
    hash_value = key.get(layout.hash)
    if hash_value is None or layout.hash_kind not in hash_value:
        raise mismatch()
    if not layout.range:
        return layout.key_of(_hash_bytes(layout.hash, hash_value), b"")
    range_value = key.get(layout.range)
    if range_value is None or layout.range_kind not in range_value:
        raise mismatch()
    return layout.key_of(_hash_bytes(layout.hash, hash_value), _range_bytes(layout.range, range_value))


def hash_bytes(layout: Layout, item: Item) -> bytes:
    """The partition key of a checked item as bytes."""
    return encode(item[layout.hash])


def check_index_keys(layout: Layout, item: Item, *, updated: bool = False) -> None:
    """Refuse values that an index cannot have as keys; `updated`: it was an update expression that made them."""
    for index in layout.indexes:
        for name, kind in index.types.items():
            value = item.get(name)
            if value is None or name in layout.keys:
                continue
            if kind not in value:
                raise _index_type_mismatch(index.name, name, kind, value, updated)
            if kind == "N":
                continue
            content = value[kind]
            if not content:
                raise _empty_index_key(index.name, name, kind, updated)
            if len(encode(value)) > (HASH_LIMIT_BYTES if name in index.hashes else RANGE_LIMIT_BYTES):
                raise _too_large(name in index.hashes)


def _index_type_mismatch(index: str, name: str, kind: str, value: dict[str, Any], updated: bool) -> Fault:
    if updated:
        return VALIDATION("The update expression attempted to update the secondary index key to unsupported type")
    actual = next(iter(value))
    return VALIDATION(
        f"{_INVALID}Type mismatch for Index Key {name} Expected: {kind} Actual: {actual} IndexName: {index}"
    )


def _empty_index_key(index: str, name: str, kind: str, updated: bool) -> Fault:
    what = f"The AttributeValue for a key attribute cannot contain an empty {_KIND_NAMES[kind]} value."
    if updated:
        return VALIDATION(
            "The update expression attempted to update the secondary index key to a value that is not supported. "
            + what
        )
    return VALIDATION(
        f"{NOT_VALID}A value specified for a secondary index key is not supported. {what} "
        f"IndexName: {index}, IndexKey: {name}"
    )


def _type_mismatch(name: str, kind: str, value: dict[str, Any]) -> Fault:
    return VALIDATION(f"{_INVALID}Type mismatch for key {name} expected: {kind} actual: {next(iter(value))}")


def _hash_bytes(name: str, value: dict[str, Any]) -> bytes:
    encoded = encode(value)
    if not 0 < len(encoded) <= HASH_LIMIT_BYTES:
        raise _too_large(True) if encoded else _empty(name, value)
    return encoded


def _range_bytes(name: str, value: dict[str, Any]) -> bytes:
    encoded = encode(value)
    if not 0 < len(encoded) <= RANGE_LIMIT_BYTES:
        raise _too_large(False) if encoded else _empty(name, value)
    return encoded


def _empty(name: str, value: dict[str, Any]) -> Fault:
    kind = _KIND_NAMES[next(iter(value))]
    return VALIDATION(
        f"{NOT_VALID}The AttributeValue for a key attribute cannot contain an empty {kind} value. Key: {name}"
    )


def _too_large(partition: bool) -> Fault:
    if partition:  # AWS's text has no blank there
        return VALIDATION(f"{_INVALID}Size of hashkey has exceeded the maximum size limit of{HASH_LIMIT_BYTES} bytes")
    return VALIDATION(
        f"{_INVALID}Aggregated size of all range keys has exceeded the size limit of {RANGE_LIMIT_BYTES} bytes"
    )
