"""Expressions of S3 Select: their tree, and the parser of it, by precedence.

Source: S3 User Guide, "Operators" (operator precedence), "SQL functions".
"""

from __future__ import annotations

from typing import NamedTuple

from cumulo.services.storage.s3.select import errors as errors
from cumulo.services.storage.s3.select.tokens import END, NAME, NUMBER, STRING, WORD, Token

AGGREGATES = frozenset(("AVG", "COUNT", "MAX", "MIN", "SUM"))
DATE_PARTS = frozenset(("YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND", "TIMEZONE_HOUR", "TIMEZONE_MINUTE"))
# Function: the fewest and the most arguments.
FUNCTIONS = {
    "COALESCE": (1, 100), "NULLIF": (2, 2), "CHAR_LENGTH": (1, 1), "CHARACTER_LENGTH": (1, 1), "LOWER": (1, 1),
    "UPPER": (1, 1), "SUBSTRING": (2, 3), "TRIM": (1, 3), "DATE_ADD": (3, 3), "DATE_DIFF": (3, 3), "EXTRACT": (2, 2),
    "TO_STRING": (2, 2), "TO_TIMESTAMP": (1, 1), "UTCNOW": (0, 0),
}  # fmt: skip
TYPES = frozenset(
    ("BOOL", "BOOLEAN", "INT", "INTEGER", "STRING", "VARCHAR", "CHAR", "CHARACTER", "FLOAT", "DOUBLE", "REAL",
     "DECIMAL", "NUMERIC", "TIMESTAMP", "DATE", "SMALLINT", "BIGINT")
)  # fmt: skip
_COMPARISONS = frozenset(("=", "<>", "!=", "<", ">", "<=", ">="))
_MOST_DEEP = 200


class Step(NamedTuple):
    """A step of a path: a member's name (`exact`: with its case) or an item's number."""

    key: str | int
    exact: bool


class Column(NamedTuple):
    """A column or a path below it; the first step may be the alias of the rows. `star`: `s.*`."""

    path: tuple[Step, ...]
    star: bool = False


class Literal(NamedTuple):
    """A string, a number (as it is written), a boolean or NULL or MISSING; `kind` is text, number, bool, null."""

    value: str
    kind: str


class Call(NamedTuple):
    """A function or an operator with its operands; `name` in capitals ("AND", "+", "LOWER", "CAST:INT")."""

    name: str
    arguments: tuple[Expression, ...]


Expression = Column | Literal | Call


def columns_of(value: Expression, *, inside_aggregates: bool = True) -> list[Column]:
    """The columns that an expression reads."""
    if isinstance(value, Column):
        return [value]
    if isinstance(value, Call) and (inside_aggregates or value.name not in AGGREGATES):
        return [column for each in value.arguments for column in columns_of(each, inside_aggregates=inside_aggregates)]
    return []


def contains_aggregate(value: Expression) -> bool:
    """Whether an aggregate function is called in an expression."""
    if not isinstance(value, Call):
        return False
    return value.name in AGGREGATES or any(contains_aggregate(each) for each in value.arguments)


class ExpressionParser:
    """Reads expressions from tokens; raises S3 Select's Parse… errors."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    @property
    def token(self) -> Token:
        return self._tokens[self._at]

    def advance(self) -> Token:
        token = self._tokens[self._at]
        if token.kind != END:
            self._at += 1
        return token

    def peek(self, *words: str) -> bool:
        return self.token.upper in words

    def take(self, word: str) -> bool:
        if self.token.upper == word:
            self._at += 1
            return True
        return False

    def need(self, word: str) -> None:
        if not self.take(word):
            raise (errors.EXPECTED_KEYWORD if word.isalpha() else errors.EXPECTED_TOKEN)()

    def expression(self) -> Expression:
        self._depth += 1
        if self._depth > _MOST_DEEP:
            raise errors.UNSUPPORTED_STRUCTURE()
        found = self._and()
        while self.take("OR"):
            found = Call("OR", (found, self._and()))
        self._depth -= 1
        return found

    def _and(self) -> Expression:
        found = self._not()
        while self.take("AND"):
            found = Call("AND", (found, self._not()))
        return found

    def _not(self) -> Expression:
        negations = 0
        while self.take("NOT"):
            negations += 1
        found = self._comparison()
        return Call("NOT", (found,)) if negations % 2 else found

    def _comparison(self) -> Expression:
        left = self._sum()
        while True:
            if self.token.upper in _COMPARISONS:
                sign = self.advance().text
                left = Call("<>" if sign == "!=" else sign, (left, self._sum()))
            elif self.take("IS"):
                negated = self.take("NOT")
                if not (self.peek("NULL") or self.peek("MISSING")):
                    raise errors.EXPECTED_KEYWORD()
                left = _negated(Call(f"IS {self.advance().upper}", (left,)), negated)
            elif self.peek("NOT", "IN", "BETWEEN", "LIKE"):
                left = self._range(left)
            else:
                return left

    def _range(self, left: Expression) -> Expression:
        negated = self.take("NOT")
        if self.take("IN"):
            found = Call("IN", (left, *self._list()))
        elif self.take("BETWEEN"):
            low = self._sum()
            self.need("AND")
            found = Call("BETWEEN", (left, low, self._sum()))
        elif self.take("LIKE"):
            pattern = self._sum()
            escape = (self._sum(),) if self.take("ESCAPE") else ()
            found = Call("LIKE", (left, pattern, *escape))
        else:
            raise errors.EXPECTED_KEYWORD()
        return _negated(found, negated)

    def _list(self) -> list[Expression]:
        closing = "]" if self.take("[") else ")"
        if closing == ")":
            self.need("(")
        if self.peek("SELECT"):
            raise errors.UNSUPPORTED_SELECT()
        found = [self.expression()]
        while self.take(","):
            found.append(self.expression())
        self.need(closing)
        return found

    def _sum(self) -> Expression:
        found = self._product()
        while self.peek("+", "-", "||"):
            found = Call(self.advance().text, (found, self._product()))
        return found

    def _product(self) -> Expression:
        found = self._unary()
        while self.peek("*", "/", "%"):
            found = Call(self.advance().text, (found, self._unary()))
        return found

    def _unary(self) -> Expression:
        if self.take("-"):
            inner = self._unary()
            if isinstance(inner, Literal) and inner.kind == "number" and not inner.value.startswith("-"):
                return Literal(f"-{inner.value}", "number")
            return Call("NEGATE", (inner,))
        self.take("+")
        return self._primary()

    def _primary(self) -> Expression:
        token = self.token
        if token.kind == STRING:
            self.advance()
            return Literal(token.text, "text")
        if token.kind == NUMBER:
            self.advance()
            return Literal(token.text, "number")
        if self.take("("):
            if self.peek("SELECT"):
                raise errors.UNSUPPORTED_SELECT()
            found = self.expression()
            if not self.take(")"):
                raise errors.EXPECTED_TOKEN()
            return found
        if token.kind == NAME:
            return self._column()
        if token.kind != WORD:
            raise (errors.EXPECTED_EXPRESSION if token.kind == END else errors.UNEXPECTED_TOKEN)()
        return self._word(token)

    def _word(self, token: Token) -> Expression:
        upper = token.upper
        if upper in ("TRUE", "FALSE", "NULL", "MISSING"):
            self.advance()
            return Literal(upper, "bool" if upper in ("TRUE", "FALSE") else "null")
        if upper == "CASE":
            self.advance()
            return self._case()
        if upper == "CAST":
            self.advance()
            return self._cast()
        if self._tokens[self._at + 1].text == "(":
            self.advance()
            return self._call(upper)
        if upper in ("FROM", "WHERE", "SELECT", "AND", "OR", "LIMIT", "AS", "IN", "LIKE", "BETWEEN", "IS"):
            raise errors.UNEXPECTED_KEYWORD()
        return self._column()

    def _column(self) -> Expression:
        token = self.advance()
        steps = [Step(token.text, token.kind == NAME)]
        while True:
            if self.take("."):
                if self.take("*"):
                    return Column(tuple(steps), star=True)
                if self.token.kind not in (WORD, NAME):
                    raise errors.INVALID_PATH()
                step = self.advance()
                steps.append(Step(step.text, step.kind == NAME))
            elif self.take("["):
                steps.append(self._item_step())
                self.need("]")
            else:
                return Column(tuple(steps))

    def _item_step(self) -> Step:
        if self.token.kind == NUMBER and self.token.text.isdigit():
            return Step(int(self.advance().text), True)
        if self.token.kind == STRING:
            return Step(self.advance().text, True)
        raise errors.INVALID_PATH()

    def _case(self) -> Expression:
        subject = None if self.peek("WHEN") else self.expression()
        parts: list[Expression] = []
        while self.take("WHEN"):
            condition = self.expression()
            parts.append(condition if subject is None else Call("=", (subject, condition)))
            self.need("THEN")
            parts.append(self.expression())
        if not parts:
            raise errors.EXPECTED_WHEN()
        parts.append(self.expression() if self.take("ELSE") else Literal("NULL", "null"))
        self.need("END")
        return Call("CASE", tuple(parts))

    def _cast(self) -> Expression:
        self.need("(")
        value = self.expression()
        self.need("AS")
        name = self.advance().upper
        if name not in TYPES:
            raise errors.EXPECTED_TYPE()
        numbers: list[str] = []
        if self.take("("):
            while self.token.kind == NUMBER:
                numbers.append(self.advance().text)
                self.take(",")
            self.need(")")
            if not all(number.isdigit() for number in numbers) or not 1 <= len(numbers) <= 2:
                raise errors.INVALID_TYPE_PARAMETER()
        if not self.take(")"):
            raise errors.EXPECTED_RIGHT_PAREN()
        return Call(f"CAST:{name}", (value, *[Literal(number, "number") for number in numbers]))

    def _call(self, name: str) -> Expression:
        self.need("(")
        if name in AGGREGATES:
            return self._aggregate(name)
        if name not in FUNCTIONS:
            raise errors.UNSUPPORTED_FUNCTION()
        special = {"TRIM": self._trim, "EXTRACT": self._extract, "SUBSTRING": self._substring}.get(name)
        if special is not None:
            arguments = special()
        elif name in ("DATE_ADD", "DATE_DIFF"):
            arguments = [self._date_part()]
            while self.take(","):
                arguments.append(self.expression())
        else:
            arguments = [] if self.peek(")") else [self.expression()]
            while self.take(","):
                arguments.append(self.expression())
        if not self.take(")"):
            raise errors.EXPECTED_RIGHT_PAREN()
        fewest, most = FUNCTIONS[name]
        if not fewest <= len(arguments) <= most:
            raise errors.ARGUMENT_COUNT()
        return Call(name, tuple(arguments))

    def _aggregate(self, name: str) -> Expression:
        if self.take("*"):
            if name != "COUNT":
                raise errors.CALL_WITH_STAR()
            found = Call("COUNT", ())
        else:
            if self.peek(")", "DISTINCT"):
                raise errors.AGGREGATE_ARITY()
            value = self.expression()
            if contains_aggregate(value):
                raise errors.UNSUPPORTED_STRUCTURE()
            found = Call(name, (value,))
        if self.peek(","):
            raise errors.AGGREGATE_ARITY()
        if not self.take(")"):
            raise errors.EXPECTED_RIGHT_PAREN()
        return found

    def _date_part(self) -> Expression:
        if self.token.upper not in DATE_PARTS:
            raise errors.EXPECTED_DATE_PART()
        return Literal(self.advance().upper, "text")

    def _extract(self) -> list[Expression]:
        part = self._date_part()
        self.need("FROM")
        return [part, self.expression()]

    def _substring(self) -> list[Expression]:
        found = [self.expression()]
        if self.take("FROM"):
            found.append(self.expression())
            if self.take("FOR"):
                found.append(self.expression())
            return found
        while self.take(","):
            found.append(self.expression())
        return found

    def _trim(self) -> list[Expression]:
        """Side, characters and text."""
        side = self.advance().upper if self.peek("LEADING", "TRAILING", "BOTH") else "BOTH"
        characters: Expression = Literal(" ", "text")
        if not self.take("FROM"):
            first = self.expression()
            if not self.take("FROM"):
                return [Literal(side, "text"), characters, first]
            characters = first
        return [Literal(side, "text"), characters, self.expression()]


def _negated(found: Expression, negated: bool) -> Expression:
    return Call("NOT", (found,)) if negated else found
