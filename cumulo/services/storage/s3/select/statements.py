"""S3 Select's SQL as a tree.

Source: S3 User Guide, "SELECT command", "Data types", "Operators", "Reserved keywords", "SQL functions".
"""

from __future__ import annotations

from typing import NamedTuple

from cumulo.services.storage.s3.select import errors as errors
from cumulo.services.storage.s3.select.expressions import (
    AGGREGATES,
    Call,
    Column,
    Expression,
    ExpressionParser,
    Step,
    columns_of,
    contains_aggregate,
)
from cumulo.services.storage.s3.select.tokens import END, NAME, NUMBER, STRING, WORD, tokens

TABLE = "S3OBJECT"
ANY = Step("*", True)
_NOT_THERE = {
    "GROUP": errors.UNSUPPORTED_GROUP_BY, "JOIN": errors.MALFORMED_JOIN, "INNER": errors.MALFORMED_JOIN,
    "LEFT": errors.MALFORMED_JOIN, "RIGHT": errors.MALFORMED_JOIN, "CROSS": errors.MALFORMED_JOIN,
    "ORDER": errors.UNSUPPORTED_STRUCTURE, "HAVING": errors.UNSUPPORTED_STRUCTURE,
    ",": errors.MALFORMED_JOIN, "UNION": errors.UNSUPPORTED_STRUCTURE, "OFFSET": errors.UNSUPPORTED_STRUCTURE,
}  # fmt: skip
_CLAUSES = frozenset(("WHERE", "LIMIT", *_NOT_THERE))


class Item(NamedTuple):
    """One item of the SELECT list, and its AS ("" for none)."""

    value: Expression
    alias: str


class Statement(NamedTuple):
    """A SELECT: `items` None is `*`. `path` follows S3Object in FROM, `alias` names its rows."""

    items: tuple[Item, ...] | None
    path: tuple[Step, ...]
    alias: str
    where: Expression | None
    limit: int | None

    @property
    def aggregates(self) -> bool:
        """Whether one row is answered for all."""
        return any(contains_aggregate(item.value) for item in self.items or ())


def parse(text: str) -> Statement:
    """The statement of an expression. Raises S3 Select's Lexer… and Parse… errors."""
    return _Parser(text).statement()


class _Parser(ExpressionParser):
    def __init__(self, text: str) -> None:
        super().__init__(tokens(text))

    def statement(self) -> Statement:
        if not self.take("SELECT"):
            raise errors.EXPECTED_KEYWORD()
        items = self._items()
        if not self.take("FROM"):
            raise errors.MISSING_FROM()
        path = self._source()
        alias = self._alias(_CLAUSES)
        where = self.expression() if self.take("WHERE") else None
        limit = self._limit() if self.take("LIMIT") else None
        if self.token.kind != END:
            raise _NOT_THERE.get(self.token.upper, errors.UNEXPECTED_TOKEN)()
        if where is not None and contains_aggregate(where):
            raise errors.UNSUPPORTED_STRUCTURE()
        statement = Statement(items, path, alias, where, limit)
        if statement.aggregates and not all(_is_whole_aggregate(item.value) for item in items or ()):
            raise errors.UNSUPPORTED_STRUCTURE()  # a column beside an aggregate would need GROUP BY
        return statement

    def _items(self) -> tuple[Item, ...] | None:
        if self.peek("FROM"):
            raise errors.EMPTY_SELECT()
        if self.peek("DISTINCT"):
            raise errors.UNSUPPORTED_SELECT()
        if self.take("*"):
            if self.peek(","):
                raise errors.STAR_NOT_ALONE()
            return None
        found = [self._item()]
        while self.take(","):
            if self.peek("*"):
                raise errors.STAR_NOT_ALONE()
            found.append(self._item())
        if len(found) == 1 and isinstance(found[0].value, Column) and found[0].value.star:
            return None  # s.*
        if any(isinstance(item.value, Column) and item.value.star for item in found):
            raise errors.STAR_NOT_ALONE()
        return tuple(found)

    def _item(self) -> Item:
        value = self.expression()
        return Item(value, self._alias(frozenset(("FROM",))))

    def _alias(self, ends: frozenset[str]) -> str:
        if self.take("AS"):
            if self.token.kind not in (WORD, NAME):
                raise errors.EXPECTED_ALIAS()
            return self.advance().text
        if self.token.kind == NAME or (self.token.kind == WORD and self.token.upper not in ends):
            return self.advance().text
        return ""

    def _source(self) -> tuple[Step, ...]:
        if self.token.kind not in (WORD, NAME) or self.token.text.upper() != TABLE:
            raise errors.INVALID_DATA_SOURCE_PATH()
        self.advance()
        steps: list[Step] = []
        while True:
            if self.take("."):
                if self.take("*"):
                    steps.append(ANY)
                elif self.token.kind in (WORD, NAME):
                    quoted = self.token.kind == NAME
                    steps.append(Step(self.advance().text, quoted))
                else:
                    raise errors.INVALID_PATH()
            elif self.take("["):
                steps.append(self._index())
                self.need("]")
            else:
                break
        return tuple(steps)

    def _index(self) -> Step:
        if self.take("*"):
            return ANY
        if self.token.kind == NUMBER and self.token.text.isdigit():
            return Step(int(self.advance().text), True)
        if self.token.kind == STRING:
            return Step(self.advance().text, True)
        raise errors.INVALID_PATH()

    def _limit(self) -> int:
        if self.token.kind != NUMBER or not self.token.text.isdigit():
            raise errors.EXPECTED_NUMBER()
        return int(self.advance().text)


def _is_whole_aggregate(value: Expression) -> bool:
    """Whether all columns of an expression stand inside its aggregates."""
    if isinstance(value, Call) and value.name in AGGREGATES:
        return True
    return not columns_of(value, inside_aggregates=False)
