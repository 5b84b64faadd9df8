"""Where the items of a table and the entries of its indexes lie, worked out once for each form that the table takes.

Under the id of a table, never its name, so that a later table of that name shares nothing with it, lie

    items     hash of the partition key (8 bytes), its length, the partition key, the sort key       the item
    indexes   name and mark, hash of the partition key, the key attributes, 01, the key of the item   what it projects

Items of one partition key lie together, in the order of the sort key; partition keys in the order of their hashes, in
which Scan goes and into which parallel segments are cut. Source: DynamoDB Developer Guide, "Partitions and data
distribution" and "Scanning tables", parallel scan.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from cumulo.core.table import GLOBAL, Space, pack
from cumulo.services.data.dynamodb.expressions.key_conditions import KeySchema
from cumulo.services.data.dynamodb.values.attribute_values import Item
from cumulo.services.data.dynamodb.values.key_values import encode as encode_key

if TYPE_CHECKING:
    from cumulo.services.data.dynamodb.tables.tables import IndexRecord, InsightsRecord, TableRecord

ITEMS = Space("dynamodb.items", scope=GLOBAL).prefix("", "")
INDEX = Space("dynamodb.index", scope=GLOBAL).prefix("", "")
HASH_BYTES = 8
HASH_LIMIT_BYTES = 2048  # of a partition key; of a sort key the next. Source: Developer Guide, "Quotas"
RANGE_LIMIT_BYTES = 1024
ENTRY = b"\x01"  # between an index's key attributes and the item's key, so that the order is that of the attributes


class IndexLayout:
    """A secondary index. `projected`: the attributes that its entries have, None for all."""

    __slots__ = (
        "active",
        "backfilling",
        "hashes",
        "local",
        "name",
        "place",
        "projected",
        "projection",
        "ranges",
        "schema",
        "types",
    )

    def __init__(self, table: TableRecord, index: IndexRecord) -> None:
        self.name = index.name
        self.local = index.kind == "LSI"
        self.active = index.status not in ("CREATING", "DELETING")
        self.backfilling = index.backfilling
        self.hashes = tuple(index.hash_keys)
        self.ranges = tuple(index.range_keys)
        self.types = {name: table.attribute_types[name] for name in self.hashes + self.ranges}
        self.schema = KeySchema(self.hashes, self.ranges, self.types)
        self.projection = index.projection
        self.projected: frozenset[str] | None = None
        if index.projection != "ALL":
            names = (*table.key_attributes, *self.hashes, *self.ranges, *index.non_key_attributes)
            self.projected = frozenset(names)
        self.place = INDEX + pack(table.id, index.name, index.mark)

    def entry_of(self, item: Item, key: bytes) -> bytes | None:
        """Where the item's entry lies; None when it lacks a key attribute of the index (a sparse index)."""
        hashes = self._packed(item, self.hashes, HASH_LIMIT_BYTES)
        ranges = self._packed(item, self.ranges, RANGE_LIMIT_BYTES)
        if hashes is None or ranges is None:
            return None
        return self.place + hash_of(hashes) + hashes + ranges + ENTRY + key

    def _packed(self, item: Item, names: tuple[str, ...], limit: int) -> bytes | None:
        """The attributes as parts of a key; None when one is not there, or is not fit for a key."""
        packed = b""
        for name in names:
            value = item.get(name)
            if value is None or self.types[name] not in value:
                return None
            encoded = encode_key(value)
            if not 0 < len(encoded) <= limit:
                return None  # from before there was the index: no write puts such a value now
            packed += pack(encoded)
        return packed

    def partition(self, values: tuple[bytes, ...]) -> bytes:
        """What the entries of a partition key start with."""
        packed = b"".join([pack(value) for value in values])
        return self.place + hash_of(packed) + packed


class Layout:
    """A table as reading and writing see it."""

    __slots__ = (
        "attributes",
        "hash",
        "hash_kind",
        "indexes",
        "insights",
        "keys",
        "locals",
        "place",
        "range",
        "range_kind",
        "record",
        "schema",
    )

    def __init__(self, table: TableRecord) -> None:
        self.record = table
        self.hash = table.hash_key
        self.range = table.range_key
        self.hash_kind = table.attribute_types[self.hash]
        self.range_kind = table.attribute_types[self.range] if self.range else ""
        self.keys = table.key_attributes
        self.place = ITEMS + pack(table.id)
        types = {name: table.attribute_types[name] for name in self.keys}
        self.schema = KeySchema((self.hash,), (self.range,) if self.range else (), types)
        self.indexes = [IndexLayout(table, index) for index in table.indexes if index.status != "DELETING"]
        self.locals = any(index.local for index in self.indexes)
        # By index, "" for the table: whose keys are counted. Empty for most tables, which so pay nothing for it.
        self.insights: dict[str, InsightsRecord] = {each.index: each for each in table.insights if each.rules}

    def index(self, name: str) -> IndexLayout | None:
        """The index of this name."""
        for index in self.indexes:
            if index.name == name:
                return index
        return None

    def key_of(self, hash_value: bytes, range_value: bytes) -> bytes:
        """A primary key as bytes: what follows the table's place."""
        return hash_of(hash_value) + len(hash_value).to_bytes(2, "big") + hash_value + range_value


def layout_of(table: TableRecord) -> Layout:
    """The layout of a table as it is now, for tasks and the like; a call asks `layout_for`."""
    return Layout(table)


def hash_of(partition: bytes) -> bytes:
    """Where a partition key lies among all: eight bytes, spread evenly."""
    return blake2b(partition, digest_size=HASH_BYTES).digest()


def after(prefix: bytes) -> bytes:
    """The first key beyond all that start with these bytes."""
    kept = prefix.rstrip(b"\xff")
    return kept[:-1] + bytes((kept[-1] + 1,))
