"""Expressions: from words to a tree, by precedence.

From the loosest: or, and, not, comparisons with like and in, + -, * / %, ^ (which goes right to left), minus.
Source: CloudWatch Logs User Guide, "Boolean, comparison, numeric, datetime, and other functions", "filter".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from cumulo.engines.regexes import Regex, RegexError, Unsupported
from cumulo.services.operations.logs.query import catalogue, periods
from cumulo.services.operations.logs.query.failures import Malformed
from cumulo.services.operations.logs.query.tokens import (
    DURATION,
    NAME,
    NUMBER,
    REGEX,
    STRING,
    Token,
    Tokens,
    parts_of,
)
from cumulo.services.operations.logs.query.tree import (
    Access,
    Binary,
    Call,
    Expression,
    Field,
    In,
    InQuery,
    Item,
    Like,
    Literal,
    Negative,
    Not,
    Period,
    Star,
)

_COMPARISONS = ("=", "==", "!=", "<", "<=", ">", ">=")
# Words that end an expression, so they are no fields where a value may stand.
_RESERVED = frozenset(("and", "or", "not", "like", "in", "by", "as", "asc", "desc"))


def expression(tokens: Tokens) -> Expression:
    """Whatever may stand for a value."""
    terms = [_all_of(tokens)]
    while tokens.peek.is_word("or"):
        tokens.take()
        terms.append(_all_of(tokens))
    return _chain("or", terms)


def _all_of(tokens: Tokens) -> Expression:
    terms = [_opposite(tokens)]
    while tokens.peek.is_word("and"):
        tokens.take()
        terms.append(_opposite(tokens))
    return _chain("and", terms)


def _chain(operator: str, terms: list[Expression]) -> Expression:
    """Terms as a tree that is no deeper than it must be: some queries have hundreds."""
    if len(terms) == 1:
        return terms[0]
    half = len(terms) // 2
    return Binary(operator, _chain(operator, terms[:half]), _chain(operator, terms[half:]))


def _opposite(tokens: Tokens) -> Expression:
    if tokens.peek.is_word("not"):
        tokens.take()
        return Not(_opposite(tokens))
    return _comparison(tokens)


def _comparison(tokens: Tokens) -> Expression:
    left = _sum(tokens)
    token = tokens.peek
    if token.is_symbol(*_COMPARISONS):
        tokens.take()
        return Binary("=" if token.text == "==" else token.text, left, _sum(tokens))
    negated = False
    if token.is_word("not") and tokens.after().is_word("like", "in"):
        tokens.take()
        token, negated = tokens.peek, True
    found: Expression
    if token.is_word("like") or token.is_symbol("=~"):
        tokens.take()
        found = _like(tokens, left)
    elif token.is_word("in"):
        tokens.take()
        found = _in(tokens, left)
    else:
        return left
    return Not(found) if negated else found


def _like(tokens: Tokens, operand: Expression) -> Expression:
    token = tokens.peek
    if token.is_symbol("/"):
        return Like(operand, regex(tokens.regex()), regex=True)
    if token.kind == STRING:
        return Like(operand, tokens.take().value, regex=False)
    if token.is_symbol("["):
        found: Expression | None = None
        for item in _list(tokens, lambda tokens: _like(tokens, operand)):
            found = item if found is None else Binary("or", found, item)
        if found is not None:
            return found
    raise tokens.refused()


def _in(tokens: Tokens, operand: Expression) -> Expression:
    if tokens.peek.is_symbol("("):
        tokens.take()
        query = tokens.read_query(tokens)
        symbol(tokens, ")")
        return InQuery(operand, query)
    return In(operand, tuple(_list(tokens, expression)))


def _list(tokens: Tokens, read: Callable[[Tokens], Expression]) -> list[Expression]:
    symbol(tokens, "[")
    found = [read(tokens)]
    while tokens.peek.is_symbol(","):
        tokens.take()
        found.append(read(tokens))
    symbol(tokens, "]")
    return found


def _sum(tokens: Tokens) -> Expression:
    left = _product(tokens)
    while tokens.peek.is_symbol("+", "-"):
        operator = tokens.take().text
        left = Binary(operator, left, _product(tokens))
    return left


def _product(tokens: Tokens) -> Expression:
    left = _power(tokens)
    while tokens.peek.is_symbol("*", "/", "%"):
        operator = tokens.take().text
        left = Binary(operator, left, _power(tokens))
    return left


def _power(tokens: Tokens) -> Expression:
    left = _unary(tokens)
    if tokens.peek.is_symbol("^"):
        tokens.take()
        return Binary("^", left, _power(tokens))
    return left


def _unary(tokens: Tokens) -> Expression:
    if tokens.peek.is_symbol("-"):
        tokens.take()
        return Negative(_unary(tokens))
    return _primary(tokens)


def _primary(tokens: Tokens) -> Expression:
    token = tokens.peek
    if token.is_symbol("("):
        tokens.take()
        found = expression(tokens)
        symbol(tokens, ")")
        return found
    if token.kind == STRING:
        return Literal(tokens.take().value)
    if token.kind == NUMBER:
        return Literal(float(tokens.take().text))
    if token.kind == DURATION:
        return period(tokens)
    if token.kind == NAME:
        if token.text.lower() in ("true", "false") and not tokens.after().is_symbol("("):
            return Literal(tokens.take().text.lower() == "true")
        if tokens.after().is_symbol("(") and token.text.isidentifier():
            return _call(tokens)
        if token.text.lower() not in _RESERVED:
            return field(tokens)
    raise tokens.refused()


def _call(tokens: Tokens) -> Expression:
    token = tokens.take()
    function = catalogue.find(token.text)
    if function is None:
        raise Malformed(f"Invalid arguments or unknown function {token.text}", token.start, token.end)
    symbol(tokens, "(")
    arguments: list[Expression] = []
    while not tokens.peek.is_symbol(")"):
        if arguments:
            symbol(tokens, ",")
        if tokens.peek.is_symbol("*") and function.name in ("count", "countOverTime"):
            tokens.take()
            arguments.append(Star())
        elif function.name == "regexReplace" and len(arguments) == 1:
            arguments.append(_pattern(tokens))
        elif tokens.peek.is_symbol("/"):
            arguments.append(Literal(regex(tokens.regex())))
        else:
            arguments.append(expression(tokens))
    end = tokens.take().end
    if not function.least <= len(arguments) <= function.most:
        raise Malformed(f"Invalid arguments or unknown function {token.text}", token.start, end)
    found: Expression = Call(function.name, tuple(arguments), token.start, end)
    parts = _steps(tokens, end)
    return Access(found, parts) if parts else found


def _pattern(tokens: Tokens) -> Expression:
    """What regexReplace looks for, between slashes or in quotes."""
    token = tokens.regex() if tokens.peek.is_symbol("/") else tokens.take()
    if token.kind not in (REGEX, STRING):
        raise Malformed("the pattern must be a string", token.start, token.end)
    return Literal(regex(token))


_STEP = re.compile(r"(?:\.(?:[A-Za-z0-9_@$]+|`[^`]*`)|\[\d+\])+")


def _steps(tokens: Tokens, at: int) -> tuple[str | int, ...]:
    """The steps into a map or list that follow a function right away."""
    found = _STEP.match(tokens.query, at)
    if found is None:
        return ()
    tokens.seek(found.end())
    return parts_of(found[0].removeprefix("."))


def field(tokens: Tokens) -> Field:
    """A field's name."""
    token = tokens.peek
    if token.kind != NAME:
        raise tokens.refused()
    tokens.take()
    return Field(parts_of(token.text), token.start, token.end)


def name(tokens: Tokens) -> str:
    """A new name: what `as` gives."""
    return field(tokens).name


def period(tokens: Tokens) -> Period:
    """A length of time."""
    token = tokens.peek
    if token.kind != DURATION:
        raise tokens.refused()
    tokens.take()
    digits = token.text.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    found = periods.read(int(digits), token.text[len(digits) :])
    if found is None:
        raise tokens.refused(token)
    return found


def item(tokens: Tokens) -> Item:
    """An expression and what it is called."""
    start = tokens.peek.start
    found = expression(tokens)
    text = tokens.query[start : tokens.last_end]
    if tokens.peek.is_word("as"):
        tokens.take()
        return Item(found, name(tokens), aliased=True)
    return Item(found, found.name if isinstance(found, Field) else text, aliased=False)


def several(tokens: Tokens, read: Callable[[Tokens], Any]) -> list[Any]:
    """One or more, between commas."""
    found = [read(tokens)]
    while tokens.peek.is_symbol(","):
        tokens.take()
        found.append(read(tokens))
    return found


def symbol(tokens: Tokens, text: str) -> Token:
    """This sign and no other."""
    if not tokens.peek.is_symbol(text):
        raise tokens.refused()
    return tokens.take()


def word(tokens: Tokens, *words: str) -> Token:
    """One of these words and no other."""
    if not tokens.peek.is_word(*words):
        raise tokens.refused()
    return tokens.take()


_NAMED_GROUP = re.compile(r"\(\?<(?=[A-Za-z_])")


def regex(token: Token) -> str:
    """A regular expression as RE2 writes it; DuckDB's is older and knows named groups as (?P<name>."""
    try:
        return Regex(_NAMED_GROUP.sub("(?P<", token.value), java=True).written
    except Unsupported as error:
        raise Malformed(f"Regular expressions have no {error.lacking}", token.start, token.end) from None
    except RegexError as error:
        raise Malformed(f"Invalid regular expression: {error}", token.start, token.end) from None
