"""The commands that join, look up, fill and compare: how each is read.

Source: CloudWatch Logs User Guide, the pages lookup, cidrlookup, join, subqueries, appendcols, addtotals, accum,
autoregress, filldown, fillmissing, outlier, sessionize, countFrequent, relevantfields.
"""

from __future__ import annotations

from collections.abc import Callable

from cumulo.services.operations.logs.query.expressions import expression, field, name, period, several, symbol, word
from cumulo.services.operations.logs.query.failures import Malformed
from cumulo.services.operations.logs.query.tokens import NAME, NUMBER, STRING, Token, Tokens
from cumulo.services.operations.logs.query.tree import (
    Accumulate,
    AddTotals,
    AppendColumns,
    AutoRegress,
    Binary,
    Command,
    CountFrequent,
    Expression,
    Field,
    FillDown,
    FillMissing,
    Join,
    Lookup,
    Outlier,
    Period,
    Query,
    RelevantFields,
    Sessionize,
)

APPENDED_MOST = 10_000
_SESSION_GAP = Period(30, "m")


def _options(tokens: Tokens, *known: str) -> dict[str, Token]:
    """name=value pairs, as many as there are."""
    found: dict[str, Token] = {}
    while tokens.peek.is_word(*known) and tokens.after().is_symbol("="):
        key = tokens.take().text.lower()
        tokens.take()
        if tokens.peek.kind not in (NAME, NUMBER, STRING):
            raise tokens.refused()
        found[key] = tokens.take()
    return found


def _truth(tokens: Tokens, token: Token | None, otherwise: bool) -> bool:
    if token is None:
        return otherwise
    if not token.is_word("true", "false"):
        raise tokens.refused(token)
    return token.text.lower() == "true"


def _subquery(tokens: Tokens) -> Query:
    symbol(tokens, "(")
    query = tokens.read_query(tokens)
    symbol(tokens, ")")
    return query


# --- other tables -------------------------------------------------------------------------------


def _outputs(tokens: Tokens) -> tuple[bool, tuple[tuple[str, str], ...]]:
    keep = word(tokens, "output", "outputnew").text.lower() == "outputnew"
    return keep, tuple(several(tokens, _renamed))


def _renamed(tokens: Tokens) -> tuple[str, str]:
    theirs = name(tokens)
    if tokens.peek.is_word("as"):
        tokens.take()
        return theirs, name(tokens)
    return theirs, theirs


def _lookup_key(tokens: Tokens) -> tuple[str, Field]:
    theirs = field(tokens)
    if tokens.peek.is_word("as"):
        tokens.take()
        return theirs.name, field(tokens)
    return theirs.name, theirs


def _lookup(tokens: Tokens) -> Command:
    table = tokens.peek
    keys: tuple[str, tuple[tuple[str, Field], ...]] = (name(tokens), tuple(several(tokens, _lookup_key)))
    keep, outputs = _outputs(tokens)
    return Lookup(keys[0], keys[1], outputs, keep, start=table.start, end=table.end)


def _cidrlookup(tokens: Tokens) -> Command:
    token = tokens.peek
    table, ours = name(tokens), field(tokens)
    column = ""
    if tokens.peek.is_word("as"):
        tokens.take()
        column = name(tokens)
    keep, outputs = _outputs(tokens)
    return Lookup(table, ((column, ours),), outputs, keep, cidr=True, start=token.start, end=token.end)


def _join(tokens: Tokens) -> Command:
    start = tokens.peek.start
    options = _options(tokens, "type", "left", "right")
    kind = options["type"].text.lower() if "type" in options else "inner"
    if kind not in ("inner", "left"):
        raise tokens.refused(options["type"])
    if "left" not in options or "right" not in options:
        raise tokens.refused()
    left, right = options["left"].text, options["right"].text
    word(tokens, "where")
    keys = tuple(_join_keys(expression(tokens), left, right, start, tokens.last_end))
    return Join(kind == "left", left, right, keys, _subquery(tokens))


def _join_keys(condition: Expression, left: str, right: str, start: int, end: int) -> list[tuple[Field, Field]]:
    if isinstance(condition, Binary) and condition.operator == "and":
        first = _join_keys(condition.left, left, right, start, end)
        return first + _join_keys(condition.right, left, right, start, end)
    if isinstance(condition, Binary) and condition.operator == "=":
        sides = {}
        for each in (condition.left, condition.right):
            if isinstance(each, Field) and len(each.parts) > 1:
                sides[each.parts[0]] = Field(each.parts[1:], each.start, each.end)
        if left in sides and right in sides:
            return [(sides[left], sides[right])]
    raise Malformed("A join condition compares a field of each side: left.field = right.field", start, end)


def _append_columns(tokens: Tokens) -> Command:
    options = _options(tokens, "override", "max")
    most = APPENDED_MOST
    if "max" in options:
        token = options["max"]
        if not token.text.isdigit() or not 1 <= int(token.text) <= 100_000:
            raise tokens.refused(token)
        most = int(token.text)
    return AppendColumns(_subquery(tokens), _truth(tokens, options.get("override"), False), most)


# --- rows and columns ---------------------------------------------------------------------------


def _add_totals(tokens: Tokens) -> Command:
    options = _options(tokens, "fieldname", "row", "col")
    fields = several(tokens, name) if tokens.peek.kind == NAME else []
    title = options["fieldname"].value if "fieldname" in options else "Total"
    row, column = _truth(tokens, options.get("row"), True), _truth(tokens, options.get("col"), False)
    return AddTotals(title, row, column, tuple(fields))


def _accumulate(tokens: Tokens) -> Command:
    operand = field(tokens)
    if tokens.peek.is_word("as"):
        tokens.take()
        return Accumulate(operand, name(tokens))
    return Accumulate(operand, operand.name)


def _auto_regress(tokens: Tokens) -> Command:
    operand = field(tokens)
    title, first, last = operand.name, 1, 1
    aliased = tokens.peek.is_word("as")
    if aliased:
        tokens.take()
        title = name(tokens)
    if tokens.peek.is_word("p"):
        tokens.take()
        symbol(tokens, "=")
        first = last = _whole(tokens)
        if tokens.peek.is_symbol("-"):
            tokens.take()
            last = _whole(tokens)
    return AutoRegress(operand, title, first, last, aliased)


def _whole(tokens: Tokens) -> int:
    if tokens.peek.kind != NUMBER or not tokens.peek.text.isdigit():
        raise tokens.refused()
    return int(tokens.take().text)


def _fill_down(tokens: Tokens) -> Command:
    names = []
    while tokens.peek.kind == NAME:
        title = name(tokens)
        if tokens.peek.is_symbol("*"):
            tokens.take()
            title += "*"
        names.append(title)
        if tokens.peek.is_symbol(","):
            tokens.take()
    return FillDown(tuple(names))


def _fill_missing(tokens: Tokens) -> Command:
    if not tokens.peek.is_word("with"):
        return FillMissing(())
    tokens.take()
    return FillMissing(tuple(several(tokens, _constant)))


def _constant(tokens: Tokens) -> tuple[str, str | float]:
    value: str | float
    if tokens.peek.kind == STRING:
        value = tokens.take().value
    else:
        minus = tokens.peek.is_symbol("-")
        if minus:
            tokens.take()
        if tokens.peek.kind != NUMBER:
            raise tokens.refused()
        value = float(tokens.take().text) * (-1 if minus else 1)
    word(tokens, "for")
    start = tokens.peek.start
    # avg(x) is the name of a column, too
    expression(tokens)
    return tokens.query[start : tokens.last_end], value


def _outlier(tokens: Tokens) -> Command:
    options = _options(tokens, "action", "param", "uselower", "mark")
    action = options["action"].text.lower() if "action" in options else "transform"
    if action not in ("remove", "transform"):
        raise tokens.refused(options["action"])
    if "param" in options and options["param"].kind != NUMBER:
        raise tokens.refused(options["param"])
    fields = [name(tokens)]
    while tokens.peek.kind == NAME or tokens.peek.is_symbol(","):
        if tokens.peek.is_symbol(","):
            tokens.take()
        fields.append(name(tokens))
    return Outlier(
        tuple(fields),
        action == "remove",
        float(options["param"].text) if "param" in options else 2.5,
        _truth(tokens, options.get("uselower"), False),
        _truth(tokens, options.get("mark"), False),
    )


def _sessionize(tokens: Tokens) -> Command:
    fields = tuple(several(tokens, field))
    gap, title = _SESSION_GAP, "session_id"
    if tokens.peek.is_word("maxspan"):
        tokens.take()
        gap = period(tokens)
    if tokens.peek.is_word("as"):
        tokens.take()
        title = name(tokens)
    return Sessionize(fields, gap, title)


def _count_frequent(tokens: Tokens) -> Command:
    return CountFrequent(tuple(several(tokens, field)))


def _relevant_fields(tokens: Tokens) -> Command:
    fields = () if tokens.peek.is_word("where") else tuple(several(tokens, field))
    word(tokens, "where")
    return RelevantFields(fields, expression(tokens))


COMMANDS: dict[str, Callable[[Tokens], Command]] = {
    "lookup": _lookup,
    "cidrlookup": _cidrlookup,
    "join": _join,
    "appendcols": _append_columns,
    "addtotals": _add_totals,
    "accum": _accumulate,
    "autoregress": _auto_regress,
    "filldown": _fill_down,
    "fillmissing": _fill_missing,
    "outlier": _outlier,
    "sessionize": _sessionize,
    "countfrequent": _count_frequent,
    "count_frequent": _count_frequent,
    "relevantfields": _relevant_fields,
}
