"""The commands that Logs Insights had from its first years: how each is read.

Source: CloudWatch Logs User Guide, the pages fields, display, filter, filterIndex, stats, sort, limit, parse, dedup,
unmask, unnest, pattern, diff, anomaly.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from cumulo.services.operations.logs.query import periods
from cumulo.services.operations.logs.query.expressions import (
    expression,
    field,
    item,
    name,
    period,
    regex,
    several,
    symbol,
    word,
)
from cumulo.services.operations.logs.query.failures import Malformed
from cumulo.services.operations.logs.query.tokens import NAME, NUMBER, STRING, Token, Tokens, parts_of
from cumulo.services.operations.logs.query.tree import (
    Anomaly,
    Command,
    Dedup,
    Diff,
    Expression,
    Field,
    Fields,
    Filter,
    JsonField,
    Limit,
    ParseCsv,
    ParseGlob,
    ParseLogfmt,
    ParseRegex,
    Pattern,
    Sort,
    Stats,
    Unnest,
)

_DIFF_SHIFTS = {"previousday": "d", "previousweek": "w", "previousmonth": "mo"}


def _fields(tokens: Tokens) -> Command:
    return Fields(tuple(several(tokens, item)))


def _display(tokens: Tokens) -> Command:
    return Fields(tuple(several(tokens, item)), display=True)


def _unmask(tokens: Tokens) -> Command:
    return Fields(tuple(several(tokens, item)), unmask=True)


def _filter(tokens: Tokens) -> Command:
    return Filter(expression(tokens))


def _filter_index(tokens: Tokens) -> Command:
    return Filter(expression(tokens), index=True)


def _stats(tokens: Tokens) -> Command:
    items = several(tokens, item)
    by: list[object] = []
    offset = None
    if tokens.peek.is_word("by"):
        tokens.take()
        by = several(tokens, item)
        if tokens.peek.is_word("offset"):
            tokens.take()
            offset = period(tokens)
    return Stats(tuple(items), tuple(by), offset)  # type: ignore[arg-type]


def _sort(tokens: Tokens) -> Command:
    if tokens.peek.is_word("by") and tokens.after().kind == NAME:
        tokens.take()  # order by
    return Sort(tuple(several(tokens, _sort_key)))


def _sort_key(tokens: Tokens) -> tuple[Expression, bool]:
    found = item(tokens).expression
    if tokens.peek.is_word("asc", "desc"):
        return found, tokens.take().text.lower() == "desc"
    return found, False


def _count(tokens: Tokens) -> int:
    if tokens.peek.kind != NUMBER or not tokens.peek.text.isdigit():
        raise tokens.refused()
    return int(tokens.take().text)


def _limit(tokens: Tokens) -> Command:
    anywhere = tokens.peek.is_word("any")
    if anywhere:
        tokens.take()
    return Limit(_count(tokens), anywhere=anywhere)


def _head(tokens: Tokens) -> Command:
    return Limit(_count(tokens))


def _tail(tokens: Tokens) -> Command:
    return Limit(_count(tokens), tail=True)


def _dedup(tokens: Tokens) -> Command:
    return Dedup(tuple(several(tokens, expression)))


def _unnest(tokens: Tokens) -> Command:
    operand = expression(tokens)
    word(tokens, "into")
    return Unnest(operand, name(tokens), strict=True)


def _expand(tokens: Tokens) -> Command:
    operand = field(tokens)
    return Unnest(operand, operand.name, strict=False)


def _pattern(tokens: Tokens) -> Command:
    return Pattern(expression(tokens))


def _diff(tokens: Tokens) -> Command:
    if not tokens.peek.is_word(*_DIFF_SHIFTS):
        return Diff(None)
    unit = _DIFF_SHIFTS[tokens.take().text.lower()]
    return Diff(periods.read(1, unit))


def _logcompare(tokens: Tokens) -> Command:
    word(tokens, "timeshift")
    return Diff(period(tokens), compare=True)


def _anomaly(tokens: Tokens) -> Command:
    return Anomaly()


# --- parse --------------------------------------------------------------------------------------


def _parse(tokens: Tokens) -> Command:
    operand: Expression = Field(("@message",))
    token = tokens.peek
    if token.kind == NAME and not (token.is_word("logfmt", "csv") and tokens.after().is_word("as")):
        operand = expression(tokens) if tokens.after().is_symbol("(") else field(tokens)
    token = tokens.peek
    if token.is_symbol("/"):
        return _parse_regex(tokens, operand, tokens.regex())
    if token.kind == STRING:
        return _parse_glob(tokens, operand)
    kind = word(tokens, "logfmt", "csv").text.lower()
    word(tokens, "as")
    if kind == "logfmt":
        return ParseLogfmt(operand, name(tokens))
    return ParseCsv(operand, tuple(several(tokens, name)))


def _parse_glob(tokens: Tokens, operand: Expression) -> Command:
    token = tokens.take()
    word(tokens, "as")
    names = tuple(several(tokens, name))
    literals = tuple(token.value.split("*"))
    if len(literals) - 1 != len(names):
        text = f"Expected {len(literals) - 1} alias(es) for the wildcards of the parse pattern, found {len(names)}"
        raise Malformed(text, token.start, tokens.last_end)
    return ParseGlob(operand, literals, names)


_GROUP = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\((?!\?)|\(\?P<([A-Za-z_][A-Za-z0-9_]*)>", re.DOTALL)


def _parse_regex(tokens: Tokens, operand: Expression, token: Token) -> Command:
    pattern = regex(token)
    groups: list[str] = []
    for found in _GROUP.finditer(pattern):
        if found[0].startswith("("):
            groups.append(found[1] or "")
    named = [(index + 1, group) for index, group in enumerate(groups) if group]
    if tokens.peek.is_word("as"):
        tokens.take()
        given = several(tokens, name)
        if len(given) > len(groups):
            raise Malformed("There are more aliases than capture groups", token.start, tokens.last_end)
        named = [(index + 1, each) for index, each in enumerate(given)]
    multi = tokens.peek.is_word("multi")
    if multi:
        tokens.take()
    if not named:
        raise Malformed("A parse pattern needs named capture groups or aliases", token.start, tokens.last_end)
    return ParseRegex(operand, pattern, len(groups), tuple(named), multi)


def _json(tokens: Tokens) -> Command:
    word(tokens, "field")
    symbol(tokens, "=")
    operand = field(tokens)
    if tokens.peek.kind != STRING:
        raise tokens.refused()
    parts = parts_of(tokens.take().value)
    word(tokens, "as")
    return JsonField(operand, parts, name(tokens))


COMMANDS: dict[str, Callable[[Tokens], Command]] = {
    "fields": _fields,
    "field": _fields,
    "display": _display,
    "unmask": _unmask,
    "filter": _filter,
    "where": _filter,
    "filterindex": _filter_index,
    "stats": _stats,
    "sort": _sort,
    "order": _sort,
    "limit": _limit,
    "head": _head,
    "tail": _tail,
    "dedup": _dedup,
    "unnest": _unnest,
    "expand": _expand,
    "pattern": _pattern,
    "diff": _diff,
    "logcompare": _logcompare,
    "anomaly": _anomaly,
    "parse": _parse,
    "json": _json,
}
