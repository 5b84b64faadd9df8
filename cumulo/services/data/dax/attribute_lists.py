"""Lists of attribute names, and the numbers by which clients and clusters call them.

A client keeps the numbers for as long as it runs, so they mean the same after a restart and on every node: a number
is a digest of the names.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec

from cumulo.core.table import GLOBAL, Record, Table

if TYPE_CHECKING:
    from cumulo.core.context import Context

EMPTY = 1


class AttributeList(Record):
    """A list and its number."""

    number: int
    names: list[str]


LISTS = Table(AttributeList, name="dax.attribute_lists", key="number", scope=GLOBAL)


def number_of(names: Sequence[str]) -> int:
    """The number of a list."""
    if not names:
        return EMPTY
    digest = sha256(msgspec.json.encode(list(names))).digest()
    return int.from_bytes(digest[:8], "big") >> 2 | 1 << 61


def keep(ctx: Context, lists: Iterable[Sequence[str]]) -> None:
    """Remember lists, so that their numbers can be read again."""
    for names in lists:
        number = number_of(names)
        if number != EMPTY and LISTS.peek(ctx, number) is None:
            LISTS.put(ctx, AttributeList(number, list(names)))


def names_of(ctx: Context, number: int) -> list[str] | None:
    """The names of a list, None when nobody ever made it."""
    if number == EMPTY:
        return []
    found = LISTS.peek(ctx, number)
    return None if found is None else found.names
