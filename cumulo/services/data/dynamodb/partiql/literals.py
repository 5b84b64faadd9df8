"""Values in statements: literals, and the parameters that stand for `?`.

Literal numbers are read as Java's BigDecimal reads them, exponents of 32 bits only; what is wrong with a literal says
where in it, what is wrong with parameters comes in the order in which they hold it, in the older words. All observed in
AWS's answers.
"""

from typing import Any

from cumulo.core.errors import Fault
from cumulo.services.data.dynamodb.errors import VALIDATION
from cumulo.services.data.dynamodb.partiql import lexer
from cumulo.services.data.dynamodb.partiql.lexer import Words, not_well_formed
from cumulo.services.data.dynamodb.values import numbers, older_values
from cumulo.services.data.dynamodb.values.attribute_values import MAX_LEVELS, Value, check_levels, check_value

_BOUND = 1 << 31
_BAGS = {"S": "SS", "N": "NS", "B": "BS"}


def check_parameters(parameters: list[Value]) -> None:
    """Check the parameters of a statement, normalize their numbers in place. Raises ValidationException."""
    for value in parameters:
        try:
            check_value(value)
        except Fault:
            older_values.check(value)
            raise


class ValueReader:
    """Reads the values of a statement; `?` takes the parameters one after the other."""

    __slots__ = ("parameters", "taken", "words")

    def __init__(self, words: Words, parameters: list[Value]) -> None:
        self.words = words
        self.parameters = parameters
        self.taken = 0

    def parameter(self) -> Value:
        """The next parameter."""
        self.taken += 1
        if self.taken > len(self.parameters):
            raise self.miscounted()
        return self.parameters[self.taken - 1]

    def miscounted(self) -> Fault:
        """The error of a statement that has more or fewer `?` than the request has parameters."""
        return VALIDATION("Number of parameters in request and statement don't match.")

    def starts(self) -> bool:
        """Whether a value can start at the current word."""
        word = self.words.current
        if word.kind in (lexer.TEXT, lexer.NUMBER):
            return True
        if word.kind == lexer.SYMBOL:
            return word.text in ("?", "[", "{", "<<", "-", "+")
        return word.kind == lexer.KEYWORD and word.lower in ("true", "false", "null")

    def read(self, path: str = "root", level: int = 1) -> Value:
        """The value that starts at the current word. `path`: where it stands in the value around it."""
        words = self.words
        if level > MAX_LEVELS + 1:
            check_levels({"S": ""}, level)
        word = words.current
        if word.kind == lexer.TEXT:
            return {"S": words.next().text}
        if word.kind == lexer.NUMBER or word.text in ("-", "+"):
            return {"N": self._number(path)}
        if words.accept("?"):
            return self.parameter()
        if words.accept("["):
            return {"L": self._elements("]", path, level)}
        if words.accept("<<"):
            return _bag(self._elements(">>", path, level))
        if words.accept("{"):
            return {"M": self._members(path, level)}
        if word.kind == lexer.KEYWORD and word.lower in ("true", "false"):
            return {"BOOL": words.next().lower == "true"}
        if word.kind == lexer.KEYWORD and word.lower == "null":
            words.next()
            return {"NULL": True}
        if words.ahead().text == "(" and word.kind in (lexer.NAME, lexer.KEYWORD):
            raise VALIDATION(f"Unsupported data type: {word.lower} under key {path} at {word.place}")
        raise words.unexpected()

    def _number(self, path: str) -> str:
        words = self.words
        sign = ""
        if words.current.text in ("-", "+"):
            sign = words.next().text
        if words.current.kind != lexer.NUMBER:
            raise words.unexpected()
        text = words.next().text
        mantissa, _, written = text.lower().partition("e")
        scale = len(mantissa.partition(".")[2]) - (int(written) if written else 0)
        if not -_BOUND <= scale < _BOUND or (written and not -_BOUND <= int(written) < _BOUND):
            raise not_well_formed()
        try:
            return numbers.normalize(sign + text)
        except Fault as fault:
            raise VALIDATION(f"{fault.message} under {path}") from None

    def _elements(self, end: str, path: str, level: int) -> list[Value]:
        words = self.words
        found: list[Value] = []
        while not words.accept(end):
            if found:
                words.expect(",")
            found.append(self.read(f"{path}[{len(found)}]", level + 1))
        return found

    def _members(self, path: str, level: int) -> dict[str, Value]:
        words = self.words
        found: dict[str, Value] = {}
        while not words.accept("}"):
            if found:
                words.expect(",")
            if words.current.kind != lexer.TEXT:
                raise words.unexpected()
            name = words.next().text
            if name in found:
                raise VALIDATION(f"The attribute {name} is given twice under {path}")  # AWS refuses it too: our words
            words.expect(":")
            found[name] = self.read(path if not level else f"{path}.{name}", level + 1)
        return found

    def item(self) -> dict[str, Value]:
        """The item of an INSERT: a map whose attributes are each a value of their own."""
        if self.words.accept("?"):
            value = self.parameter()
            if "M" not in value:
                raise VALIDATION("Unsupported data type: the value of an INSERT must be a map")
            return value["M"]  # type: ignore[no-any-return]
        self.words.expect("{")
        return self._members("root", 0)


def _bag(members: list[Value]) -> Value:
    if not members:
        raise VALIDATION("Empty bags are not supported")
    kinds = {kind for member in members for kind in member}
    kind = next(iter(kinds))
    if len(kinds) > 1 or kind not in _BAGS:
        raise VALIDATION("Bags may only hold strings, numbers or binaries, all of one type")
    content: list[Any] = [member[kind] for member in members]
    if len(set(content)) < len(content):
        if kind == "N":
            raise VALIDATION("Input collection contains duplicates")
        shown = ", ".join([str(each) for each in content])
        raise VALIDATION(f"One or more parameter values were invalid: Input collection [{shown}] contains duplicates.")
    value: Value = {_BAGS[kind]: content}
    check_value(value)
    return value
