"""From the text of an expression to a function of its scope.

or      = and (("OR" | "||") and)*
and     = compare (("AND" | "&&") compare)*
compare = sum (("==" | "!=" | "<=" | ">=" | "<" | ">") sum)?
sum     = product (("+" | "-") product)*
product = unary (("*" | "/") unary)*
unary   = "-" unary | power
power   = atom ("^" unary)?
atom    = number | text | Id | "[" or ("," or)* "]" | "(" or ")" | FUNCTION "(" (or ("," or)*)? ")" | WORD
"""

from __future__ import annotations

import re

from cumulo.services.operations.cloudwatch.metric_math import operators
from cumulo.services.operations.cloudwatch.metric_math.conditions import if_function
from cumulo.services.operations.cloudwatch.metric_math.functions import FUNCTIONS, UNSUPPORTED
from cumulo.services.operations.cloudwatch.metric_math.values import (
    ExpressionError,
    Node,
    Scope,
    Series,
    Text,
    UnsupportedFunction,
    Value,
    Word,
)

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)
    |(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<sign>&&|\|\||==|!=|<=|>=|[-+*/^<>()\[\],]))""",
    re.VERBOSE,
)
_SAME = {"&&": "AND", "||": "OR"}
_COMPARISONS = frozenset(("==", "!=", "<=", ">=", "<", ">"))
_DEEPEST = 50

Token = tuple[str, str]


def parse(text: str) -> tuple[Node, frozenset[str]]:
    """What computes the expression, and the Ids that it names. Raises ExpressionError, UnsupportedFunction."""
    parser = _Parser(_tokens(text))
    node = parser.either()
    if parser.token[0] != "end":
        raise ExpressionError(f"'{parser.token[1]}' is not expected")
    return node, frozenset(parser.names)


def _tokens(text: str) -> list[Token]:
    found: list[Token] = []
    position, text = 0, text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ExpressionError(f"'{text[position:].strip()[:10]}' is not expected")
        kind = match.lastgroup or ""
        found.append((kind, match[kind]))
        position = match.end()
    return [*found, ("end", "the end of the expression")]


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._place = 0
        self._depth = 0
        self.names: set[str] = set()

    @property
    def token(self) -> Token:
        return self._tokens[self._place]

    def _is(self, *texts: str) -> str:
        """The operator or sign that comes next, if it is one of these, and past it; "" otherwise."""
        kind, text = self.token
        text = _SAME.get(text, text)
        if kind in ("sign", "name") and text in texts:
            self._place += 1
            return text
        return ""

    def _expect(self, text: str) -> None:
        if not self._is(text):
            raise ExpressionError(f"'{text}' is expected in place of '{self.token[1]}'")

    def either(self) -> Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ExpressionError("the expression is nested too deeply")
        node = self._both()
        while self._is("OR"):
            node = _operation("OR", node, self._both())
        self._depth -= 1
        return node

    def _both(self) -> Node:
        node = self._comparison()
        while self._is("AND"):
            node = _operation("AND", node, self._comparison())
        return node

    def _comparison(self) -> Node:
        node = self._sum()
        sign = self._is(*_COMPARISONS)
        return _operation(sign, node, self._sum()) if sign else node

    def _sum(self) -> Node:
        node = self._product()
        while sign := self._is("+", "-"):
            node = _operation(sign, node, self._product())
        return node

    def _product(self) -> Node:
        node = self._unary()
        while sign := self._is("*", "/"):
            node = _operation(sign, node, self._unary())
        return node

    def _unary(self) -> Node:
        minus = 0
        while self._is("-"):
            minus += 1
        node = self._power()
        return (lambda scope: operators.negated(node(scope))) if minus % 2 else node

    def _power(self) -> Node:
        node = self._atom()
        return _operation("^", node, self._unary()) if self._is("^") else node

    def _atom(self) -> Node:
        kind, text = self.token
        self._place += 1
        if kind == "number":
            value = float(text)
            return lambda scope: value
        if kind == "text":
            quoted = Text(re.sub(r"\\(.)", r"\1", text[1:-1]) if text[0] == '"' else text[1:-1])
            return lambda scope: quoted
        if kind == "name":
            return self._named(text)
        if text == "(":
            node = self.either()
            self._expect(")")
            return node
        if text == "[":
            return _gathered(self._list("]"))
        raise ExpressionError(f"'{text}' is not expected")

    def _list(self, end: str) -> list[Node]:
        found: list[Node] = []
        if self._is(end):
            return found
        found.append(self.either())
        while self._is(","):
            found.append(self.either())
        self._expect(end)
        return found

    def _named(self, name: str) -> Node:
        if not self._is("("):
            if name.isupper():
                word = Word(name)
                return lambda scope: word
            self.names.add(name)
            return lambda scope: scope.variable(name)
        if name in UNSUPPORTED:
            raise UnsupportedFunction(name)
        arguments = self._list(")")
        if name == "IF":
            if not 2 <= len(arguments) <= 3:
                raise ExpressionError("IF takes two or three arguments")
            return lambda scope: if_function([argument(scope) for argument in arguments])
        if name not in FUNCTIONS:
            raise ExpressionError(f"there is no function {name}")
        function, least, most = FUNCTIONS[name]
        if not least <= len(arguments) <= most:
            raise ExpressionError(f"{name} does not take {len(arguments)} arguments")
        return lambda scope: function(scope, [argument(scope) for argument in arguments])


def _operation(sign: str, left: Node, right: Node) -> Node:
    return lambda scope: operators.apply(sign, left(scope), right(scope))


def _gathered(nodes: list[Node]) -> Node:
    """An array of series and of arrays of them."""

    def gather(scope: Scope) -> Value:
        found: list[Series] = []
        for node in nodes:
            value = node(scope)
            if isinstance(value, list):
                found.extend(value)
            elif isinstance(value, Series):
                found.append(value)
            else:
                raise ExpressionError("an array holds time series only")
        return found

    return gather
