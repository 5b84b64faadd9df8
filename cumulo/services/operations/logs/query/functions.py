"""The scalar functions as SQL.

Source: CloudWatch Logs User Guide, "Boolean, comparison, numeric, datetime, and other functions", "Hashing functions".
What is not text in UTF-8 (a wrong base64 or hexadecimal) has no value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from cumulo.services.operations.logs.query import addresses, bins, dates
from cumulo.services.operations.logs.query.failures import Malformed
from cumulo.services.operations.logs.query.tree import Call, Expression, Field, Literal, Period
from cumulo.services.operations.logs.query.values import ANY, NODE, NUMBER, TEXT, TIME, TRUTH, Value, number, quoted

if TYPE_CHECKING:
    from cumulo.services.operations.logs.query.compiling import Compiler

Build = Callable[["Compiler", tuple[Expression, ...]], Value]
_SPACE = "' ' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13)"
EARTH_KM = 6371.0


def call(compiler: Compiler, found: Call) -> Value:
    """The function's result. Raises Malformed."""
    build = _FUNCTIONS.get(found.name)
    if build is None:
        raise Malformed(f"Invalid arguments or unknown function {found.name}", found.start, found.end)
    try:
        return build(compiler, found.arguments)
    except Malformed as wrong:
        if not wrong.end:
            raise Malformed(wrong.text, found.start, found.end) from None
        raise


def _numbers(form: str) -> Build:
    def build(compiler: Compiler, arguments: tuple[Expression, ...]) -> Value:
        given = [compiler.value(each).number() for each in arguments]
        return Value(form.format(*given), NUMBER)

    return build


def _texts(form: str, gives: str) -> Build:
    def build(compiler: Compiler, arguments: tuple[Expression, ...]) -> Value:
        return Value(form.format(*[compiler.value(each).text() for each in arguments]), gives)

    return build


def _among(name: str) -> Build:
    def build(compiler: Compiler, arguments: tuple[Expression, ...]) -> Value:
        return Value(f"{name}({', '.join(compiler.value(each).number() for each in arguments)})", NUMBER)

    return build


# --- numbers ------------------------------------------------------------------------------------


def _round(compiler: Compiler, arguments: tuple[Expression, ...]) -> Value:
    value = compiler.value(arguments[0]).number()
    if len(arguments) == 1:
        return Value(f"round({value})", NUMBER)
    digits = compiler.value(arguments[1]).number()
    return Value(f"q_finite(round({value}, CAST({digits} AS INTEGER)))", NUMBER)


def _whole(bits: int) -> Build:
    def build(compiler: Compiler, arguments: tuple[Expression, ...]) -> Value:
        value = f"trunc({compiler.value(arguments[0]).number()})"
        most = number(float(2 ** (bits - 1)))
        return Value(f"CASE WHEN abs({value}) < {most} THEN {value} END", NUMBER)

    return build


def _haversine(compiler: Compiler, arguments: tuple[Expression, ...]) -> Value:
    lat1, lon1, lat2, lon2 = (f"radians({compiler.value(each).number()})" for each in arguments)
    half = f"pow(sin(({lat2} - {lat1}) / 2), 2) + cos({lat1}) * cos({lat2}) * pow(sin(({lon2} - {lon1}) / 2), 2)"
    return Value(f"q_finite({2 * EARTH_KM}::DOUBLE * asin(least(1.0::DOUBLE, sqrt({half}))))", NUMBER)


# --- time ---------------------------------------------------------------------------------------


def _period(found: Expression) -> Period:
    if isinstance(found, Period):
        return found
    raise Malformed("a period such as 5m is expected", 0, 0)


def _bin(compiler: Compiler, arguments: tuple[Expression, ...]) -> Value:
    time = compiler.column(Field(("@timestamp",))).time()
    return Value(bins.floor(time, _period(arguments[0])), TIME)


def _datefloor(compiler: Compiler, arguments: tuple[Expression, ...]) -> Value:
    return Value(bins.floor(compiler.value(arguments[0]).time(), _period(arguments[1])), TIME)


def _dateceil(compiler: Compiler, arguments: tuple[Expression, ...]) -> Value:
    return Value(bins.ceiling(compiler.value(arguments[0]).time(), _period(arguments[1])), TIME)


def _from_millis(compiler: Compiler, arguments: tuple[Expression, ...]) -> Value:
    return Value(compiler.value(arguments[0]).time(), TIME)


def _now(compiler: Compiler, arguments: tuple[Expression, ...]) -> Value:
    return Value(number(float(compiler.times.now // 1000)), NUMBER)


def _query_start(compiler: Compiler, arguments: tuple[Expression, ...]) -> Value:
    return Value(number(float(compiler.times.start)), NUMBER)


def _query_end(compiler: Compiler, arguments: tuple[Expression, ...]) -> Value:
    return Value(number(float(compiler.times.end)), NUMBER)


def _query_range(compiler: Compiler, arguments: tuple[Expression, ...]) -> Value:
    return Value(number(float(compiler.times.end - compiler.times.start)), NUMBER)


def _constants(arguments: tuple[Expression, ...]) -> list[str]:
    if not all(isinstance(each, Literal) for each in arguments):
        raise Malformed("the format and the time zone must be strings", 0, 0)
    return [str(each.value) for each in arguments if isinstance(each, Literal)]


def _format_date(compiler: Compiler, arguments: tuple[Expression, ...]) -> Value:
    form, *zone = _constants(arguments[1:])
    return Value(dates.formatted(compiler.value(arguments[0]).time(), form, *zone), TEXT)


def _parse_date(compiler: Compiler, arguments: tuple[Expression, ...]) -> Value:
    form, *zone = _constants(arguments[1:])
    return Value(dates.parsed(compiler.value(arguments[0]).text(), form, *zone), NUMBER)


# --- general ------------------------------------------------------------------------------------


def _ispresent(compiler: Compiler, arguments: tuple[Expression, ...]) -> Value:
    return Value(f"({compiler.value(arguments[0]).sql} IS NOT NULL)", TRUTH)


def _is_numeric(compiler: Compiler, arguments: tuple[Expression, ...]) -> Value:
    return Value(f"({compiler.value(arguments[0]).number()} IS NOT NULL)", TRUTH)


def alike(values: list[Value]) -> tuple[list[str], str]:
    """Several values as one kind: theirs, where it is the same, else text."""
    kinds = {value.kind for value in values}
    if len(kinds) == 1 and kinds != {ANY}:
        return [value.sql for value in values], kinds.pop()
    return [value.text() for value in values], TEXT


def _coalesce(compiler: Compiler, arguments: tuple[Expression, ...]) -> Value:
    given, kind = alike([compiler.value(each) for each in arguments])
    return Value(f"coalesce({', '.join(given)})", kind)


def _case(compiler: Compiler, arguments: tuple[Expression, ...]) -> Value:
    pairs, rest = arguments[: len(arguments) // 2 * 2], arguments[len(arguments) // 2 * 2 :]
    values = [compiler.value(each) for each in (*pairs[1::2], *rest)]
    given, kind = alike(values)
    branches = [
        f"WHEN {compiler.truth(condition)} THEN {value}" for condition, value in zip(pairs[::2], given, strict=False)
    ]
    otherwise = f" ELSE {given[-1]}" if rest else ""
    return Value(f"CASE {' '.join(branches)}{otherwise} END", kind)


# --- JSON ---------------------------------------------------------------------------------------


def raw(compiler: Compiler, found: Expression) -> str:
    """The text of a value, of a map or list too: discovered fields have those in pieces only."""
    if isinstance(found, Field):
        given = compiler.raw.get(found.name)
        if given is not None:
            return given.sql
    value = compiler.value(found)
    return f"CAST({value.sql} AS VARCHAR)" if value.kind == NODE else value.text()


def _json_parse(compiler: Compiler, arguments: tuple[Expression, ...]) -> Value:
    return Value(f"CAST(q_json({compiler.value(arguments[0]).text()}) AS JSON)", NODE)


def _json_stringify(compiler: Compiler, arguments: tuple[Expression, ...]) -> Value:
    value = compiler.value(arguments[0])
    if value.kind != NODE:
        return Value("NULL::VARCHAR", TEXT)
    return Value(f"CAST(q_json({value.sql}) AS VARCHAR)", TEXT)


def _json_array_size(compiler: Compiler, arguments: tuple[Expression, ...]) -> Value:
    text = raw(compiler, arguments[0])
    size = f"CAST(json_array_length({text}) AS DOUBLE)"
    return Value(f"CASE WHEN starts_with({text}, '[') AND json_valid({text}) THEN {size} END", NUMBER)


def _json_array_contains(compiler: Compiler, arguments: tuple[Expression, ...]) -> Value:
    text, wanted = raw(compiler, arguments[0]), compiler.value(arguments[1]).text()
    items = f"""list_transform(from_json({text}, '["JSON"]'), lambda item: json_extract_string(item, '$'))"""
    test = f"CASE WHEN starts_with({text}, '[') AND json_valid({text}) THEN list_contains({items}, {wanted}) END"
    return Value(f"coalesce({test}, false)", TRUTH)


def _split(compiler: Compiler, arguments: tuple[Expression, ...]) -> Value:
    text, by = (compiler.value(each).text() for each in arguments)
    return Value(f"CASE WHEN {text} IS NOT NULL THEN to_json(string_split({text}, {by})) END", NODE)


# --- text ---------------------------------------------------------------------------------------


def _trim(name: str) -> Build:
    def build(compiler: Compiler, arguments: tuple[Expression, ...]) -> Value:
        text = compiler.value(arguments[0]).text()
        what = compiler.value(arguments[1]).text() if len(arguments) > 1 else _SPACE
        return Value(f"{name}({text}, {what})", TEXT)

    return build


def _substr(compiler: Compiler, arguments: tuple[Expression, ...]) -> Value:
    text = compiler.value(arguments[0]).text()
    begin = f"CAST(trunc({compiler.value(arguments[1]).number()}) AS BIGINT)"
    if len(arguments) == 2:
        return Value(f"substring({text}, greatest({begin}, 0) + 1)", TEXT)
    count = f"CAST(trunc({compiler.value(arguments[2]).number()}) AS BIGINT)"
    return Value(f"substring({text}, greatest({begin}, 0) + 1, greatest({count}, 0))", TEXT)


def _replace(compiler: Compiler, arguments: tuple[Expression, ...]) -> Value:
    text, old, new = (compiler.value(each).text() for each in arguments)
    return Value(f"CASE WHEN {old} = '' THEN {text} ELSE replace({text}, {old}, {new}) END", TEXT)


def _regex_replace(compiler: Compiler, arguments: tuple[Expression, ...]) -> Value:
    pattern = arguments[1]  # a literal, which was read with the call
    assert isinstance(pattern, Literal)
    text, new = compiler.value(arguments[0]).text(), compiler.value(arguments[2]).text()
    return Value(f"regexp_replace({text}, {quoted(str(pattern.value))}, {new}, 'g')", TEXT)


def _strcontains(compiler: Compiler, arguments: tuple[Expression, ...]) -> Value:
    # A third argument is documented to ignore case; AWS was seen not to (2026, us-east-1). The document is followed.
    text, part = (compiler.value(each).text() for each in arguments[:2])
    if len(arguments) > 2:
        ignore = compiler.truth(arguments[2])
        both = f"CASE WHEN {ignore} THEN contains(lower({text}), lower({part})) ELSE contains({text}, {part}) END"
        return Value(f"coalesce({both}, false)", TRUTH)
    return Value(f"coalesce(contains({text}, {part}), false)", TRUTH)


def _concat(compiler: Compiler, arguments: tuple[Expression, ...]) -> Value:
    return Value(f"concat({', '.join(compiler.value(each).text() for each in arguments)})", TEXT)


_FUNCTIONS: dict[str, Build] = {
    "abs": _numbers("abs({0})"),
    "ceil": _numbers("ceil({0})"),
    "floor": _numbers("floor({0})"),
    "greatest": _among("greatest"),
    "least": _among("least"),
    "log": _numbers("CASE WHEN {0} > 0 THEN ln({0}) END"),
    "sqrt": _numbers("CASE WHEN {0} >= 0 THEN sqrt({0}) END"),
    "pow": _numbers("q_finite(pow({0}, {1}))"),
    "mod": _numbers("q_finite({0} % nullif({1}, 0))"),
    "round": _round,
    "haversine": _haversine,
    "toNumber": _numbers("{0}"),
    "toDouble": _numbers("{0}"),
    "toInt": _whole(32),
    "toLong": _whole(64),
    "bin": _bin,
    "datefloor": _datefloor,
    "dateceil": _dateceil,
    "fromMillis": _from_millis,
    "toMillis": _numbers("{0}"),
    "now": _now,
    "queryStartTime": _query_start,
    "queryEndTime": _query_end,
    "queryTimeRange": _query_range,
    "formatDate": _format_date,
    "parseDate": _parse_date,
    # The second argument is a width, whatever the document says: AWS was seen so (2026, us-east-1).
    "histogram": _numbers("floor({0} / nullif({1}, 0)) * {1}"),
    "ispresent": _ispresent,
    "isNumeric": _is_numeric,
    "coalesce": _coalesce,
    "case": _case,
    "if": _case,
    "jsonParse": _json_parse,
    "jsonStringify": _json_stringify,
    "jsonArraySize": _json_array_size,
    "jsonArrayContains": _json_array_contains,
    "split": _split,
    "isempty": _texts("(coalesce({0}, '') = '')", TRUTH),
    "isblank": _texts(f"(trim(coalesce({{0}}, ''), {_SPACE}) = '')", TRUTH),
    "strlen": _texts("CAST(length({0}) AS DOUBLE)", NUMBER),
    "messageSize": _texts("CAST(strlen({0}) AS DOUBLE)", NUMBER),
    "concat": _concat,
    "ltrim": _trim("ltrim"),
    "rtrim": _trim("rtrim"),
    "trim": _trim("trim"),
    "toupper": _texts("upper({0})", TEXT),
    "tolower": _texts("lower({0})", TEXT),
    "substr": _substr,
    "replace": _replace,
    "regexReplace": _regex_replace,
    "strcontains": _strcontains,
    "startsWith": _texts("coalesce(starts_with({0}, {1}), false)", TRUTH),
    "endsWith": _texts("coalesce(ends_with({0}, {1}), false)", TRUTH),
    "urlencode": _texts("url_encode({0})", TEXT),
    "urldecode": _texts("url_decode({0})", TEXT),
    "base64encode": _texts("to_base64(encode({0}))", TEXT),
    "base64decode": _texts("TRY(decode(from_base64({0})))", TEXT),
    "hexToAscii": _texts("TRY(decode(unhex({0})))", TEXT),
    "hexToDec": _texts(
        "CAST(TRY_CAST(CASE WHEN starts_with(lower({0}), '0x') THEN {0} ELSE '0x' || {0} END AS BIGINT) AS DOUBLE)",
        NUMBER,
    ),
    "decToHex": lambda compiler, arguments: Value(
        "CASE WHEN {0} < 0 THEN printf('-0x%x', CAST(-trunc({0}) AS BIGINT))"
        " ELSE printf('0x%x', CAST(trunc({0}) AS BIGINT)) END".format(compiler.value(arguments[0]).number()),
        TEXT,
    ),
    "md5": _texts("md5({0})", TEXT),
    "sha256": _texts("sha256({0})", TEXT),
    **addresses.FUNCTIONS,
}
