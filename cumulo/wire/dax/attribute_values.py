"""Attribute values, keys and items as DAX carries them.

An item travels in two pieces: its key, and the values of its other attributes without their names. The names are a
list with a number that client and server agree on once; the values stand in the list's order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from cumulo.wire.dax import items, sorted_numbers
from cumulo.wire.dax.items import MalformedItem, Reader, ValueSet, number_text

Value = dict[str, Any]
Item = Mapping[str, Value]

NO_NAMES = 1  # the number of the empty list
_ITEM_BYTES = 1 << 20  # far more than an item may have: DynamoDB would refuse it, but only when it is read


class KeyAttribute(NamedTuple):
    """One attribute of a table's key: name and type (S, N or B)."""

    name: str
    type: str


Schema = Sequence[KeyAttribute]


def value_of(found: Any) -> Value:
    """The attribute value that was read as a CBOR item. Raises MalformedItem."""
    kind = type(found)
    if kind is str:
        return {"S": found}
    if kind is bytes:
        return {"B": found}
    if found is None:
        return {"NULL": True}
    if kind is bool:
        return {"BOOL": found}
    if kind is list:
        return {"L": [value_of(each) for each in found]}
    if kind is ValueSet:
        return {found.kind: found.elements}
    if kind is dict:
        if any(type(name) is not str for name in found):
            raise MalformedItem("an attribute's name is no text")
        return {"M": {name: value_of(each) for name, each in found.items()}}
    return {"N": number_text(found)}


def write(value: Value) -> bytes:
    """An attribute value as CBOR."""
    ((kind, content),) = value.items()
    if kind == "S":
        return items.text(content)
    if kind == "N":
        return items.number(content)
    if kind == "B":
        return items.binary(content)
    if kind == "BOOL":
        return b"\xf5" if content else b"\xf4"
    if kind == "NULL":
        return items.NULL
    if kind == "L":
        return items.array(map(write, content))
    if kind == "M":
        return items.mapping((items.text(name), write(each)) for name, each in sorted(content.items()))
    return items.head(6, items.SET_TAGS[kind]) + items.array(write({kind[0]: each}) for each in content)


# --- keys ---------------------------------------------------------------------------------------------------


def read_key(data: bytes, schema: Schema) -> dict[str, Value]:
    """The key of an item from its bytes. Raises MalformedItem."""
    first = schema[0]
    if len(schema) == 1:
        if first.type == "N":
            return {first.name: value_of(Reader(data).item())}
        return {first.name: _from_raw(data, first.type)}
    reader = Reader(data)
    second = schema[1]
    hashed = value_of(reader.item())
    if first.type not in hashed:
        raise MalformedItem("a key of another type")
    return {first.name: hashed, second.name: _from_raw(reader.rest(), second.type)}


def _from_raw(data: bytes, kind: str) -> Value:
    if kind == "B":
        return {"B": data}
    if kind == "N":
        return {"N": number_text(sorted_numbers.decode(data))}
    try:
        return {"S": data.decode()}
    except UnicodeDecodeError:
        raise MalformedItem("a key is not UTF-8") from None


def write_key(item: Item, schema: Schema) -> bytes:
    """The bytes of an item's key. Raises MalformedItem when the item is of a table with another key."""
    first = schema[0]
    try:
        content = item[first.name][first.type]
        if len(schema) == 1:
            return items.number(content) if first.type == "N" else _raw(content, first.type)
        second = schema[1]
        return write({first.type: content}) + _raw(item[second.name][second.type], second.type)
    except KeyError:
        raise MalformedItem("a key of another table") from None


def _raw(content: Any, kind: str) -> bytes:
    if kind == "N":
        return sorted_numbers.encode(Decimal(content))
    return content.encode() if kind == "S" else bytes(content)


def read_compound(data: bytes) -> dict[str, Value]:
    """The start key of an index: attributes with their names."""
    found = Reader(data).item()
    if type(found) is not dict:
        raise MalformedItem("a key that is no map")
    return {str(name): value_of(each) for name, each in found.items()}


def write_compound(key: Item) -> bytes:
    """The last key of an index, which has the index's attributes beside the table's."""
    pairs = b"".join(items.text(name) + write(value) for name, value in key.items())
    return items.MAP_BEGIN + pairs + items.BREAK


# --- the other attributes -----------------------------------------------------------------------------------


def names_beside_key(item: Item, schema: Schema) -> tuple[str, ...]:
    """The names of the attributes that are not of the key, in the order in which their values travel."""
    key = {attribute.name for attribute in schema}
    return tuple(sorted(name for name in item if name not in key))


def read_number(data: bytes) -> int:
    """The number of the list of names that the values go by."""
    return _number(Reader(data))


def _number(reader: Reader) -> int:
    number = reader.item()
    if type(number) is not int or not 0 <= number < 1 << 63:
        raise MalformedItem("no number of a list of names")
    return number


def read_values(data: bytes) -> tuple[int, list[Value]]:
    """The number of the list of names, and the values in its order."""
    if len(data) > _ITEM_BYTES:
        raise MalformedItem("an item that is too large")
    reader = Reader(data)
    number = _number(reader)
    values = []
    while not reader.at_end:
        values.append(value_of(reader.item()))
    return number, values


def write_values(item: Item, names: Sequence[str], number: int) -> bytes:
    """The values of the attributes of these names, behind the number of the list."""
    return items.integer(number) + b"".join(write(item[name]) for name in names)
