"""WHERE: conditions of statements, read into the predicates that expressions have.

Types of values are checked as they are read, before any table is looked for (observed in AWS's answers).
"""

from cumulo.core.errors import Fault
from cumulo.services.data.dynamodb.errors import VALIDATION
from cumulo.services.data.dynamodb.expressions.functions import CallPredicate, Exists, HasType
from cumulo.services.data.dynamodb.expressions.operands import (
    CallOperand,
    GivenOperand,
    Operand,
    PathOperand,
    attribute,
)
from cumulo.services.data.dynamodb.expressions.paths import Path
from cumulo.services.data.dynamodb.expressions.predicates import (
    AllOf,
    AnyOf,
    Between,
    Comparison,
    In,
    Not,
    Predicate,
)
from cumulo.services.data.dynamodb.expressions.scopes import Scope
from cumulo.services.data.dynamodb.partiql import lexer
from cumulo.services.data.dynamodb.partiql.lexer import Words, not_well_formed
from cumulo.services.data.dynamodb.partiql.literals import ValueReader
from cumulo.services.data.dynamodb.partiql.syntax import Where

_COMPARATORS = {"=": "=", "<>": "<>", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_FUNCTIONS = frozenset(("attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains"))
_TYPES = {
    "bool": "BOOL",
    "boolean": "BOOL",
    "string": "S",
    "varchar": "S",
    "char": "S",
    "number": "N",
    "numeric": "N",
    "decimal": "N",
    "int": "N",
    "integer": "N",
    "float": "N",
    "binary": "B",
    "blob": "B",
    "list": "L",
    "map": "M",
    "struct": "M",
    "tuple": "M",
    "null": "NULL",
}
_MAX_DEPTH = 60  # of parentheses and NOTs


class StatementScope(Scope):
    """The surroundings of a statement's condition: its errors do not name a parameter."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__("", {}, {})

    def fail(self, reason: str) -> Fault:
        return VALIDATION(reason)


class ConditionReader:
    """Reads the condition of a statement."""

    __slots__ = ("attributes", "depth", "scope", "values", "words")

    def __init__(self, words: Words, values: ValueReader) -> None:
        self.words = words
        self.values = values
        self.scope = StatementScope()
        self.attributes: dict[str, None] = {}
        self.depth = 0

    def read(self) -> Where:
        """The condition that starts at the current word."""
        predicate = self._either()
        parts = predicate.parts if isinstance(predicate, AllOf) else [predicate]
        return Where(parts, frozenset(self.attributes))

    def _either(self) -> Predicate:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise not_well_formed()
        parts = [self._both()]
        while self.words.accept("or"):
            self.words.check_more()
            parts.append(self._both())
        self.depth -= 1
        return parts[0] if len(parts) == 1 else AnyOf(parts)

    def _both(self) -> Predicate:
        parts: list[Predicate] = []
        while True:
            part = self._negated()
            if isinstance(part, AllOf):
                parts.extend(part.parts)
            else:
                parts.append(part)
            if not self.words.accept("and"):
                return parts[0] if len(parts) == 1 else AllOf(parts)
            self.words.check_more()

    def _negated(self) -> Predicate:
        count = 0
        while self.words.accept("not"):
            count += 1
        found = self._one()
        return Not(found) if count % 2 else found

    def _one(self) -> Predicate:
        words = self.words
        if words.at("("):
            words.next()
            found = self._either()
            words.expect(")")
            return found
        word = words.current
        if words.ahead().text == "(" and word.lower in _FUNCTIONS and not word.quoted:
            return self._function()
        return self._comparison(self.operand())

    def _function(self) -> Predicate:
        words = self.words
        function = words.next().lower
        found = CallPredicate(function, self._arguments()).check(self.scope)
        if words.accept("=") or words.at("<>"):
            differs = words.accept("<>")
            if words.accept("true"):
                return Not(found) if differs else found
            words.expect("false")
            return found if differs else Not(found)
        return found

    def _comparison(self, operand: Operand) -> Predicate:
        words = self.words
        operator = _COMPARATORS.get(words.current.text)
        if operator is not None and words.current.kind == lexer.SYMBOL:
            words.next()
            words.check_more()
            return Comparison(operator, operand, self.operand()).check(self.scope)
        if words.accept("is"):
            return self._is(operand)
        negated = words.accept("not")
        if words.accept("between"):
            lower = self.operand()
            words.expect("and")
            found: Predicate = Between(operand, lower, self.operand()).check(self.scope)
        elif words.accept("in"):
            found = In(operand, self._options()).check(self.scope)
        else:
            raise words.unexpected()
        return Not(found) if negated else found

    def _is(self, operand: Operand) -> Predicate:
        words = self.words
        negated = words.accept("not")
        if not isinstance(operand, PathOperand):
            raise words.unexpected()
        word = words.next()
        if word.lower == "missing":
            return Exists(operand, negated)
        kind = _TYPES.get(word.lower)
        if kind is None:
            raise not_well_formed("Expected type name")
        found = HasType(operand, GivenOperand({"S": kind})).check(self.scope)
        return Not(found) if negated else found

    def _options(self) -> list[Operand]:
        words = self.words
        if words.current.text == "?":
            value = self.values.read()
            return [GivenOperand(each) for each in value.get("L", [value])]
        end = ")" if words.accept("(") else "]"
        if end == "]":
            words.expect("[")
        found = [self.operand()]
        while words.accept(","):
            found.append(self.operand())
        words.expect(end)
        return found

    def _arguments(self) -> list[Operand]:
        words = self.words
        words.expect("(")
        found: list[Operand] = []
        while not words.accept(")"):
            if found:
                words.expect(",")
            found.append(self.operand())
        return found

    def operand(self) -> Operand:
        """A value, a path, or the size of either."""
        words = self.words
        if self.values.starts():
            return GivenOperand(self.values.read())
        word = words.current
        if words.ahead().text == "(" and not word.quoted and word.kind in (lexer.NAME, lexer.KEYWORD):
            if word.lower != "size":
                raise VALIDATION(f"Unrecognized function: {word.lower} at {word.place}")
            words.next()
            return CallOperand("size", self._arguments()).check(self.scope)
        return self.path()

    def path(self) -> PathOperand:
        """A document path."""
        found = read_path(self.words)
        self.attributes[str(found[0])] = None
        return attribute(*found)


def read_path(words: Words) -> Path:
    """A document path: names, `.name`, `[index]`, `['name']`. Raises ValidationException for anything else."""
    if words.current.kind != lexer.NAME:
        raise words.unexpected()
    found: list[str | int] = [words.next().text]
    while True:
        if words.accept("."):
            if words.current.kind != lexer.NAME:
                raise not_well_formed("Invalid path dot component")
            found.append(words.next().text)
        elif words.accept("["):
            word = words.next()
            if word.kind == lexer.NUMBER and word.text.isdigit():
                found.append(int(word.text))
            elif word.kind == lexer.TEXT:
                found.append(word.text)
            else:
                raise not_well_formed("Invalid path component")
            words.expect("]")
        else:
            return tuple(found)
