"""Event patterns read and compiled: the language of EventBridge, Pipes, Lambda's event filters, SNS's filter policies.

Pure: no state and no clock. The grammar, the texts of its errors and their positions are those of Event Ruler, the
matcher that AWS publishes and these services run; `matching` holds the matching itself.
"""

import re
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any

from cumulo.core.event_patterns.complexity import too_complex
from cumulo.core.event_patterns.json_reader import JsonError, Token, location, tokens
from cumulo.core.event_patterns.matching import (
    Absent,
    AnythingBut,
    AnythingButPattern,
    Cidr,
    Condition,
    Exact,
    Exists,
    Leaves,
    Numeric,
    Pattern,
    Rule,
    accepts,
    document_leaves,
)

_OR = "$or"
_RESERVED = frozenset(
    """exactly prefix suffix equals-ignore-case wildcard numeric cidr exists
    anything-but anything-but-prefix anything-but-suffix = < <= > >=""".split()  # noqa: SIM905
)
_NUMBER_LIMIT = 1e9
_IPV4 = re.compile(r"(\d+\.){3}\d+")
_IPV6 = re.compile(r"[0-9a-fA-F:]*:[0-9a-fA-F:]*(%[0-9a-zA-Z]+)?")

_STRING_OPERATORS = ("exactly", "prefix", "suffix", "equals-ignore-case", "wildcard")

Fields = dict[str, tuple[tuple[Condition, ...], int]]  # the conditions of a path, and how deep it lies


class PatternError(ValueError):
    """A pattern that AWS refuses; its text is what follows `Event pattern is not valid. Reason: ` in AWS's message."""


class EventPattern:
    """A compiled pattern of an event."""

    __slots__ = ("rules",)

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self.rules = rules

    def matches(self, event: dict[str, Any]) -> bool:
        """Whether an event, a JSON object, matches."""
        return accepts(self.rules, document_leaves(event))

    def takes(self, leaves: Leaves) -> bool:
        """Whether an event matches of which the leaves are known already, as where many patterns ask."""
        return accepts(self.rules, leaves)


@lru_cache(maxsize=4096)
def compile_pattern(document: str) -> EventPattern:
    """The matcher of a pattern. Raises PatternError. The same document gives the same object."""
    try:
        found = tokens(document, quoted=True)
    except JsonError as error:
        raise PatternError(str(error)) from None
    return EventPattern(fields_only(Compiler(document, found).compile()))


def fields_only(rules: list[Fields]) -> tuple[Rule, ...]:
    """Rules as matching takes them."""
    return tuple(tuple((field, conditions) for field, (conditions, _) in rule.items()) for rule in rules)


class Compiler:
    """One pass over the tokens, in Event Ruler's order of checks."""

    error: type[PatternError] = PatternError
    quoted = True  # whether positions come with the document
    empty_allowed = False  # whether a document may be `{}`
    combinations = 10_000  # branches that `$or` may open

    def __init__(self, document: str, found: list[Token]) -> None:
        self.document = document
        self.tokens = found
        self.index = 0
        self.top_level_keys = 0

    def compile(self) -> list[Fields]:
        """The rules of the document, each a choice of what `$or` leaves open."""
        if self._next().kind != "{":
            raise self._fail("Filter is not an object")
        return self._object([{}], (), in_or=False)

    def _next(self) -> Token:
        token = self.tokens[self.index]
        self.index += 1
        return token

    def _fail(self, message: str, *, read: bool = False, listed: bool = False) -> PatternError:
        """The error at the last token; `read`: its text was read already; `listed`: AWS says twice where, in lists."""
        token = self.tokens[self.index - 1]
        where = f"\n at {location(self.document, token.end if read else token.at, self.quoted)}"
        return self.error(f"{message}{where}{where if listed else ''}")

    def _object(self, rules: list[Fields], path: tuple[str, ...], *, in_or: bool) -> list[Fields]:
        """The fields of an object, added to every branch; `$or` multiplies the branches."""
        if self.tokens[self.index].kind == "}":
            self._next()
            if self.empty_allowed and not path and not in_or:
                return rules
            raise self._fail("Empty objects are not allowed")
        keys = 0
        while self._next().kind != "}":
            name = self.tokens[self.index - 1].text
            if name == _OR and self._is_or():
                rules = self._or(rules, path)
                continue
            keys += 1
            token = self._next()
            if token.kind == "{":
                self._enter(path)
                rules = self._object(rules, (*path, name), in_or=in_or)
            elif token.kind == "[":
                conditions = self._conditions()
                for rule in rules:
                    rule[".".join((*path, name))] = (conditions, len(path) + 1)
            else:
                raise self._fail(f'"{name}" must be an object or an array')
        if not path:
            self.top_level_keys = max(self.top_level_keys, keys)
        return rules

    def _enter(self, path: tuple[str, ...]) -> None:
        """Called at the brace of a nested object; a language without them refuses it here."""

    def _is_or(self) -> bool:
        """Whether what follows is the operator: an array of two or more objects without reserved names in them."""
        index = self.index
        if self.tokens[index].kind != "[":
            return False
        index, depth, objects = index + 1, 0, 0
        while not (depth == 0 and self.tokens[index].kind == "]"):
            token = self.tokens[index]
            if depth == 0 and token.kind != "{":
                return False
            if depth == 1 and token.kind == "name" and token.text in _RESERVED:
                return False
            if token.kind in "{[":
                objects += depth == 0
                depth += 1
            elif token.kind in "}]":
                depth -= 1
            index += 1
        return objects >= 2

    def _or(self, rules: list[Fields], path: tuple[str, ...]) -> list[Fields]:
        self._next()  # the array
        out: list[Fields] = []
        while self._next().kind == "{":
            out += self._object([dict(rule) for rule in rules], path, in_or=True)
            if len(out) > self.combinations:
                raise self._too_complex()
        return out

    def _too_complex(self) -> PatternError:
        return self.error(
            "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a "
            "wildcard character"
        )

    def _conditions(self) -> tuple[Condition, ...]:
        """The alternatives in a field's array."""
        out: list[Condition] = []
        while (token := self._next()).kind != "]":
            if token.kind == "{":
                out.append(self._expression())
            elif token.kind in ("string", "number", "literal"):
                out.append(Exact(token.value))
            else:
                raise self._fail("Match value must be String, number, true, false, or null")
        if not out:
            raise self._fail("Empty arrays are not allowed")
        return tuple(out)

    def _expression(self) -> Condition:
        """`{"operator": operand}`."""
        if self._next().kind != "name":
            raise self._fail("Match expression name not found")
        operator = self.tokens[self.index - 1].text
        if operator in _STRING_OPERATORS:
            condition = self._string_operator(operator)
        elif operator == "numeric":
            condition = self._numeric()
        elif operator == "anything-but":
            condition = self._anything_but()
        elif operator == "exists":
            if not isinstance(self._next().value, bool):
                raise self._fail("exists match pattern must be either true or false.")
            condition = Exists() if self.tokens[self.index - 1].value else Absent()
        elif operator == "cidr":
            if self._next().kind != "string":
                raise self._fail("prefix match pattern must be a string")  # so AWS words it
            condition = self._cidr(self.tokens[self.index - 1].text)
        else:
            self._next()
            raise self._fail(f"Unrecognized match type {operator}")
        if self._next().kind != "}":
            wrong = "Too many elements in numeric expression"
            raise self._fail(
                wrong if operator in ("numeric", "anything-but") else "Only one key allowed in match expression"
            )
        return condition

    def _string_operator(self, operator: str) -> Condition:
        token = self._next()
        if token.kind == "{" and operator in ("prefix", "suffix"):
            return self._folded(operator)
        if token.kind != "string":
            raise self._fail(f"{'exact' if operator == 'exactly' else operator} match pattern must be a string")
        if operator == "exactly":
            return Exact(token.text)
        if operator == "wildcard":
            self._check_wildcard(token.text)
        return Pattern(operator, token.text)

    def _folded(self, operator: str) -> Condition:
        """`{"prefix": {"equals-ignore-case": "a"}}`, whose inner object was entered."""
        if self._next().text != "equals-ignore-case":
            raise self._fail(f"{operator} match pattern must be a string")
        if self._next().kind != "string":
            raise self._fail("equals-ignore-case match pattern must be a string")
        text = self.tokens[self.index - 1].text
        if self._next().kind != "}":
            raise self._fail("Only one key allowed in match expression")
        return Pattern(operator, text, folded=True)

    def _check_wildcard(self, text: str) -> None:
        position = 0
        while position < len(text):
            if text[position] == "*" and text[position + 1 : position + 2] == "*":
                raise self._fail(f"Consecutive wildcard characters at pos {position + 1}", read=True)
            if text[position] == "\\":
                if text[position + 1 : position + 2] not in ("*", "\\"):
                    raise self._fail(f"Invalid escape character at pos {position + 1}", read=True)
                position += 1
            position += 1
        if too_complex(text):
            raise self._too_complex()

    def _number(self, wrong: str) -> float:
        token = self._next()
        if token.kind != "number":
            raise self._fail(wrong)
        if not -_NUMBER_LIMIT <= token.value <= _NUMBER_LIMIT:
            raise self._fail("Value must be between -1.0E9 and 1.0E9, inclusive")
        return float(token.value)

    def _numeric(self) -> Condition:
        """`["=", 5]`, `[">", 0]` or `[">", 0, "<=", 5]`."""
        if self._next().kind != "[":
            raise self._fail("Value of numeric must be an array.")
        token = self._next()
        if token.kind != "string":
            raise self._fail(f"Invalid member in numeric match: {token.text}")
        operator = token.text
        if operator not in ("=", ">", ">=", "<", "<="):
            self._next()
            raise self._fail(f"Unrecognized numeric range operator: {operator}")
        number = self._number(f"Value of {'equals' if operator == '=' else operator} must be numeric")
        token = self._next()
        if token.kind == "]":
            return Numeric.one(operator, number)
        if operator not in (">", ">="):
            raise self._fail("Too many elements in numeric expression")
        if token.kind != "string":
            raise self._fail(f"Bad value in numeric range: {token.text}")
        if token.text not in ("<", "<="):
            raise self._fail(f"Bad numeric range operator: {token.text}", read=True)
        top = self._number(f"Value of {token.text} must be numeric")
        if self._next().kind != "]":
            raise self._fail("Too many terms in numeric range expression")
        if number >= top:
            raise self._fail("Bottom must be less than top")
        return Numeric(number, operator == ">", top, token.text == "<")

    def _anything_but(self) -> Condition:
        token = self._next()
        if token.kind in ("string", "number"):
            return AnythingBut((token.value,))
        if token.kind == "[":
            return AnythingBut(
                self._values("Inside anything but list, start|null|boolean is not supported.", numbers=True)
            )
        if token.kind != "{":
            raise self._fail("Value of anything-but must be an array or single string/number value.")
        if self._next().kind != "name":
            raise self._fail("Anything-But expression name not found")
        operator = self.tokens[self.index - 1].text
        if operator not in ("prefix", "suffix", "wildcard", "equals-ignore-case"):
            raise self._fail(f"Unsupported anything-but pattern: {operator}")
        token = self._next()
        folds = "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported."
        if token.kind == "string":
            texts: tuple[Any, ...] = (token.text,)
        elif token.kind == "[":
            wrong = folds if operator == "equals-ignore-case" else "prefix/suffix match pattern must be a string"
            texts = self._values(wrong, numbers=False)
        elif operator == "equals-ignore-case":
            raise self._fail(folds)
        elif token.kind == "{":
            raise self._fail("Value of anything-but must be an array or single string/number value.")
        else:
            raise self._fail("prefix/suffix match pattern must be a string")
        if operator in ("prefix", "suffix") and "" in texts:
            raise self._fail("Null prefix/suffix not allowed", read=True)
        if operator == "wildcard":
            for text in texts:
                self._check_wildcard(text)
        if self._next().kind != "}":
            raise self._fail("Only one key allowed in match expression")
        return AnythingButPattern(tuple(Pattern(operator, text) for text in texts))

    def _values(self, wrong: str, *, numbers: bool) -> tuple[Any, ...]:
        """The array of anything-but: all strings, or all numbers."""
        values: list[Any] = []
        kinds: set[str] = set()
        while (token := self._next()).kind != "]":
            if token.kind == "string" or (numbers and token.kind == "number"):
                values.append(token.value)
                kinds.add(token.kind)
            else:
                raise self._fail(wrong, listed=True)
        if len(kinds) != 1:
            mixed = "Inside anything but list, either all values are number or string, mixed type is not supported"
            raise self._fail(mixed)
        return tuple(values)

    def _cidr(self, text: str) -> Condition:
        """`192.0.2.0/24`; the checks and texts are those of Event Ruler, which knows no host-sized block."""
        parts = text.split("/")
        if len(parts) != 2:
            raise self.error("Malformed CIDR, one '/' required")
        address, bits = parts
        if not re.fullmatch(r"[+-]?\d+", bits):
            raise self.error("Malformed CIDR, mask bits must be an integer")
        if int(bits) < 0:
            raise self.error("Malformed CIDR, mask bits must not be negative")
        if not (_IPV4.fullmatch(address) or _IPV6.fullmatch(address)):
            raise self.error(f"Nonstandard IP address: {address}")
        try:
            version = ip_address(address).version
        except ValueError:
            raise self.error(f"Nonstandard IP address: {address}") from None
        width = 32 if version == 4 else 128
        if int(bits) >= width:
            raise self.error(f"IPv{version} mask bits must be < {width}")
        return Cidr(ip_network(f"{address}/{int(bits)}", strict=False))
