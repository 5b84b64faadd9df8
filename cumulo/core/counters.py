"""Numbers that many transactions add to without getting in each other's way.

A counter is a few keys, whose sum is its value. Each thread that runs transactions writes a key of its own: where all
run one after the other that is one key a counter, where they run side by side no two of a node want the same.
"""

from __future__ import annotations

import struct
import threading
import zlib
from typing import TYPE_CHECKING

from cumulo.core.table import GLOBAL, Space, prefix_range

if TYPE_CHECKING:
    from cumulo.core.context import Context

_SLOTS = 256
_PAIR = struct.Struct(">qq")


class Slots:
    """A number for each thread that runs transactions, different from those of others on its node."""

    __slots__ = ("_numbers",)

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}

    def of(self, ctx: Context) -> int:
        """The number of the thread that runs this transaction, below 256."""
        thread = threading.get_ident()
        slot = self._numbers.get(thread)
        if slot is None:
            first = zlib.crc32(ctx.runtime.store.node_id.encode())
            slot = self._numbers[thread] = (first + len(self._numbers)) % _SLOTS
        return slot


class Counters(Space):
    """Pairs of numbers (of things, and of their bytes) by key, in all accounts and regions together."""

    __slots__ = ("_slots",)

    def __init__(self, name: str) -> None:
        super().__init__(name, scope=GLOBAL)
        self._slots = Slots()

    def add(self, ctx: Context, *key: str, count: int, size: int) -> None:
        """Add to both numbers of the pair, in this transaction."""
        place = self.key(ctx, *key, self._slots.of(ctx))
        found = ctx.txn.get(place)
        if found is not None:
            before, bytes_before = _PAIR.unpack(found)
            count += before
            size += bytes_before
        ctx.txn.put(place, _PAIR.pack(count, size))

    def total(self, ctx: Context, *key: str) -> tuple[int, int]:
        """Both numbers of the pair."""
        count = size = 0
        for _, value in ctx.txn.range(*prefix_range(self.key(ctx, *key))):
            more, bytes_more = _PAIR.unpack(value)
            count += more
            size += bytes_more
        return count, size

    def forget(self, ctx: Context, *key: str) -> None:
        """Drop the counters whose keys start so."""
        for place, _ in ctx.txn.range(*prefix_range(self.key(ctx, *key))):
            ctx.txn.delete(place)
