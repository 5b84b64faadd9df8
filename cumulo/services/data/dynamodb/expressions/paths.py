"""Document paths: `name`, `#placeholder`, `list[2]`, `map.key`, in any combination.

Texts: observed in AWS's answers. Limit: Developer Guide, "Quotas", 32 levels.
"""

from collections.abc import Iterable

from cumulo.services.data.dynamodb.expressions import tokens
from cumulo.services.data.dynamodb.expressions.reserved_words import RESERVED_WORDS
from cumulo.services.data.dynamodb.expressions.scopes import Scope
from cumulo.services.data.dynamodb.expressions.tokens import Tokens
from cumulo.services.data.dynamodb.values.attribute_values import MAX_LEVELS, Item, Value

Path = tuple[str | int, ...]

MAX_INDEX = (1 << 31) - 1


class PathSyntax:
    """A document path as it is written: names, placeholders with their `#`, indexes."""

    __slots__ = ("elements",)

    def __init__(self, elements: list[str | int]) -> None:
        self.elements = elements

    def resolve(self, scope: Scope) -> Path:
        """The path with its names. Raises ValidationException for reserved words, unknown placeholders, long paths."""
        resolved: list[str | int] = []
        for element in self.elements:
            if isinstance(element, int):
                if element > MAX_INDEX:
                    raise scope.fail(f"List index is not within the allowable range; index: [{element}]")
                resolved.append(element)
            elif element[0] == "#":
                resolved.append(scope.name(element))
            elif element.upper() in RESERVED_WORDS:
                raise scope.fail(f"Attribute name is a reserved keyword; reserved keyword: {element}")
            else:
                resolved.append(element)
        if len(resolved) > MAX_LEVELS:
            raise scope.fail(
                f"The document path has too many nesting elements; nesting levels: {len(resolved)}"
            )  # fmt: skip
        scope.attributes.add(str(resolved[0]))
        return tuple(resolved)


def starts(words: Tokens) -> bool:
    """Whether a path can start at the current word."""
    kind = words.current.kind
    return kind == tokens.NAME or kind == tokens.NAME_PLACEHOLDER


def parse(words: Tokens) -> PathSyntax:
    """The path that starts at the current word. Raises ValidationException for anything else."""
    elements: list[str | int] = [_name(words)]
    while words.current.kind == tokens.SYMBOL:
        if words.accept("."):
            elements.append(_name(words))
        elif words.accept("["):
            if words.current.kind != tokens.NUMBER:
                raise words.unexpected()
            elements.append(int(words.next().text))
            words.expect("]")
        else:
            break
    return PathSyntax(elements)


def _name(words: Tokens) -> str:
    if not starts(words):
        raise words.unexpected()
    return words.next().text


def shown(path: Path) -> str:
    """A path as AWS's errors show it: `[a, b, [0]]`."""
    return "[" + ", ".join([f"[{part}]" if isinstance(part, int) else part for part in path]) + "]"


def find(item: Item, path: Path) -> Value | None:
    """The value at a path; None where the item has none."""
    value: Value | None = item.get(str(path[0]))
    if len(path) == 1 or value is None:
        return value
    for part in path[1:]:
        if isinstance(part, int):
            elements = value.get("L")
            if elements is None or part >= len(elements):
                return None
            value = elements[part]
        else:
            members = value.get("M")
            if members is None:
                return None
            value = members.get(part)
            if value is None:
                return None
    return value


def check_apart(paths: Iterable[Path], scope: Scope) -> None:
    """Raises ValidationException when one path contains another, or two take the same value for a list and a map."""
    seen: list[Path] = []
    for path in paths:
        for other in seen:
            if word := _clash(other, path):
                raise scope.fail(
                    f"Two document paths {word} with each other; must remove or rewrite one of these paths; "
                    f"path one: {shown(other)}, path two: {shown(path)}"
                )
        seen.append(path)


def _clash(one: Path, two: Path) -> str:
    if one[0] != two[0]:
        return ""
    for left, right in zip(one, two, strict=False):
        if left != right:
            return "" if isinstance(left, int) == isinstance(right, int) else "conflict"
    return "overlap"
