"""Values of the language as SQL: what kind each is, and how one kind is taken for another.

A log's fields are text that may look like a number; where a number is wanted and the text is none, there is no value
(NULL), and the same where a field is missing. Truth has two values: whatever is asked of a missing field is false.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from cumulo.services.operations.logs.query.catalogue import ANY, NODE, NUMBER, TEXT, TIME, TRUTH

__all__ = ["ANY", "MACROS", "NODE", "NUMBER", "TEXT", "TIME", "TRUTH", "Value", "quoted"]

# q_num: the number that a text is. Python's and DuckDB's digits with underscores are none.
# q_text: a number as text: whole ones without a point, others with four decimals at most (AWS's own answers have so
#   many: "avg(@duration)" 187.8654).
# q_finite: no infinities, no NaN: what has no result has no value.
# q_shown: JSON in results.
# q_scalar: what a leaf of JSON says; maps and lists are no value for functions of text, numbers and time.
# q_natural: a key that sorts text with numbers in it (see `sorting`).
# q_java: Java's way to write doubles, with which Lambda's fields come: 128 MB are 1.28E8.
MACROS = (
    "CREATE MACRO q_finite(x) AS CASE WHEN isfinite(x) THEN x END",
    "CREATE MACRO q_num(x) AS CASE WHEN contains(x, '_') THEN NULL ELSE q_finite(TRY_CAST(x AS DOUBLE)) END",
    "CREATE MACRO q_text(x) AS CASE WHEN x = trunc(x) AND abs(x) < 1e15 THEN CAST(CAST(x AS BIGINT) AS VARCHAR)"
    " WHEN abs(x) >= 1e15 THEN CAST(json(x) AS VARCHAR)"
    " ELSE rtrim(rtrim(printf('%.4f', x), '0'), '.') END",
    "CREATE MACRO q_time(x) AS strftime(make_timestamp(CAST(x AS BIGINT) * 1000), '%Y-%m-%d %H:%M:%S.%g')",
    "CREATE MACRO q_scalar(x) AS CASE WHEN json_type(x) IN ('OBJECT', 'ARRAY') THEN NULL"
    " ELSE json_extract_string(x, '$') END",
    "CREATE MACRO q_shown(x) AS CASE WHEN json_type(x) IN ('OBJECT', 'ARRAY') THEN CAST(json(x) AS VARCHAR)"
    " ELSE json_extract_string(x, '$') END",
    "CREATE MACRO q_json(x) AS CASE WHEN json_valid(x) AND json_type(x) IN ('OBJECT', 'ARRAY') THEN x END",
    "CREATE MACRO q_natural(x) AS CASE WHEN regexp_matches(x, '[0-9]') THEN"
    " list_aggregate(list_transform(regexp_extract_all(x, '[0-9]+|[^0-9]+'), lambda part:"
    " CASE WHEN regexp_matches(part, '^[0-9]') THEN printf('0%08d', length(part)) || part ELSE part END),"
    " 'string_agg', '') ELSE x END",
    "CREATE MACRO q_java(x) AS CASE WHEN x >= 1e7 THEN"
    " CAST(x / pow(10, floor(log10(x))) AS VARCHAR) || 'E' || CAST(CAST(floor(log10(x)) AS INTEGER) AS VARCHAR)"
    " ELSE CAST(x AS VARCHAR) END",
    "CREATE MACRO q_ip4(x) AS CASE WHEN regexp_full_match(x,"
    r" '(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(\.(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}')"
    " THEN TRY_CAST(split_part(x, '.', 1) AS BIGINT) * 16777216 + TRY_CAST(split_part(x, '.', 2) AS BIGINT) * 65536"
    " + TRY_CAST(split_part(x, '.', 3) AS BIGINT) * 256 + TRY_CAST(split_part(x, '.', 4) AS BIGINT) END",
    "CREATE MACRO q_words(x) AS CASE WHEN x = '' THEN [] ELSE string_split(x, ':') END",
    # An IPv6 address as 32 hexadecimal digits; :: stands for as many groups of zeros as are missing.
    "CREATE MACRO q_hex(x, a, b) AS CASE WHEN contains(x, '::') THEN"
    " CASE WHEN len(a) + len(b) <= 7 THEN list_concat(list_concat(a, list_transform(range(8 - len(a) - len(b)),"
    " lambda i: '0')), b) END ELSE CASE WHEN len(a) = 8 THEN a END END",
    "CREATE MACRO q_ip6(x) AS CASE WHEN regexp_full_match(x,"
    " '([0-9A-Fa-f]{1,4}(:[0-9A-Fa-f]{1,4})*)?(::([0-9A-Fa-f]{1,4}(:[0-9A-Fa-f]{1,4})*)?)?') AND contains(x, ':')"
    " THEN list_aggregate(list_transform(q_hex(x, q_words(split_part(x, '::', 1)), q_words(split_part(x, '::', 2))),"
    " lambda w: lower(lpad(w, 4, '0'))), 'string_agg', '') END",
)


class Value(NamedTuple):
    """An SQL expression and the kind of value that it gives."""

    sql: str
    kind: str

    def text(self) -> str:
        """Taken for text."""
        if self.kind == NUMBER:
            return f"q_text({self.sql})"
        if self.kind == TRUTH:
            return f"CASE WHEN {self.sql} THEN '1' ELSE '0' END"
        if self.kind == TIME:
            return f"q_time({self.sql})"
        if self.kind == NODE:
            return f"q_scalar({self.sql})"
        return self.sql

    def number(self) -> str:
        """Taken for a number."""
        if self.kind == NUMBER:
            return self.sql
        if self.kind == TIME:
            return f"CAST({self.sql} AS DOUBLE)"
        if self.kind == TRUTH:
            return f"CAST({self.sql} AS DOUBLE)"
        return f"q_num({self.text()})"

    def truth(self) -> str:
        """Taken for true or false, never NULL."""
        if self.kind == TRUTH:
            return self.sql
        if self.kind == NUMBER:
            return f"coalesce({self.sql} <> 0, false)"
        if self.kind == TIME:
            return f"({self.sql} IS NOT NULL)"
        return f"coalesce({self.text()} NOT IN ('', '0', 'false'), false)"

    def time(self) -> str:
        """Taken for milliseconds since 1970."""
        if self.kind == TIME:
            return self.sql
        return f"CAST(floor({self.number()}) AS BIGINT)"

    def numeric(self) -> bool:
        """Whether it is compared as a number, whatever stands on the other side."""
        return self.kind in (NUMBER, TIME, TRUTH)


def quoted(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''").replace("\0", "") + "'"


def number(value: float) -> str:
    """A number as an SQL literal of type DOUBLE."""
    if not math.isfinite(value):
        return "NULL::DOUBLE"
    return f"({value!r}::DOUBLE)"
