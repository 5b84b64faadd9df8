"""Projection expressions, and AttributesToGet.

Elements of lists come back in their order, closed up (Developer Guide, "Projection expressions"; observed).
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from cumulo.services.data.dynamodb.expressions import paths
from cumulo.services.data.dynamodb.expressions.paths import Path
from cumulo.services.data.dynamodb.expressions.placeholders import Placeholders
from cumulo.services.data.dynamodb.expressions.scopes import Scope
from cumulo.services.data.dynamodb.expressions.tokens import Tokens
from cumulo.services.data.dynamodb.values.attribute_values import Item, Value

Pairs = tuple[tuple[str, str], ...]
# What is asked for of a value: all of it (None), or these of its members or elements.
Parts = dict[Any, Any] | None


class Projection:
    """The parts of an item that are asked for.

    `attributes` are the top-level attributes among them; `flat` says that all of them are asked for whole.
    """

    __slots__ = ("_parts", "attributes", "flat")

    def __init__(self, asked: Iterable[Path]) -> None:
        parts: dict[Any, Any] = {}
        self.flat = True
        for path in asked:
            inner = parts
            for part in path[:-1]:
                self.flat = False
                inner = inner.setdefault(part, {})
            inner[path[-1]] = None
        self._parts = parts
        self.attributes = frozenset(parts)

    def apply(self, item: Item) -> Item:
        """The asked-for parts that the item has; the item itself is not changed."""
        if self.flat:
            return {name: item[name] for name in self._parts if name in item}
        found: Item = {}
        for name, parts in self._parts.items():
            value = item.get(name)
            if value is not None:
                cut = _cut(value, parts)
                if cut is not None:
                    found[name] = cut
        return found


def _cut(value: Value, parts: Parts) -> Value | None:
    if parts is None:
        return value
    elements = value.get("L")
    if elements is not None:
        kept = []
        for at in sorted([part for part in parts if isinstance(part, int) and part < len(elements)]):
            cut = _cut(elements[at], parts[at])
            if cut is not None:
                kept.append(cut)
        return {"L": kept} if kept else None
    members = value.get("M")
    if members is not None:
        found = {}
        for name, inner in parts.items():
            member = members.get(name)
            if member is not None:
                cut = _cut(member, inner)
                if cut is not None:
                    found[name] = cut
        return {"M": found} if found else None
    return None


class _Program:
    """A parsed projection, for all requests with the same text and names."""

    __slots__ = ("projection", "used_names")

    def __init__(self, projection: Projection, used_names: set[str]) -> None:
        self.projection = projection
        self.used_names = used_names


@lru_cache(maxsize=4096)
def _compiled(text: str, names: Pairs) -> _Program:
    words = Tokens(text, "ProjectionExpression")
    found = [paths.parse(words)]
    while words.accept(","):
        found.append(paths.parse(words))
    words.finish()
    scope = Scope("ProjectionExpression", dict(names), {})
    asked = [path.resolve(scope) for path in found]
    paths.check_apart(asked, scope)
    return _Program(Projection(asked), scope.used_names)


def parse(text: str, placeholders: Placeholders) -> Projection:
    """The projection of a ProjectionExpression. Raises ValidationException."""
    program = _compiled(text, placeholders.names_given)
    placeholders.used_names |= program.used_names
    return program.projection


def of_attributes(names: Iterable[str]) -> Projection:
    """The projection to whole attributes: AttributesToGet, or what an index projects."""
    return Projection([(name,) for name in names])
