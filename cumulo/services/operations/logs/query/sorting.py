"""The natural order of values.

Missing values are the smallest, then text, then numbers. In text, runs of digits compare by their length and then by
their value, everything else by code point.
Source: CloudWatch Logs User Guide, "sort" ("All non-number values come before all number values …").
"""

from __future__ import annotations

from cumulo.services.operations.logs.query.values import NODE, Value


def terms(value: Value, down: bool) -> list[str]:
    """The terms of an ORDER BY for a column."""
    suffix = "DESC NULLS LAST" if down else "ASC NULLS FIRST"
    if value.numeric():
        return [f"{value.sql} {suffix}"]
    if value.kind == NODE:
        value = Value(value.text(), "text")
    number = value.number()
    whether = f"CASE WHEN {value.sql} IS NULL THEN NULL WHEN {number} IS NULL THEN 0 ELSE 1 END"
    return [
        f"{whether} {suffix}",
        f"{number} {suffix}",
        f"CASE WHEN {number} IS NULL THEN q_natural({value.sql}) END {suffix}",
        f"{value.sql} {suffix}",
    ]


def key(value: Value) -> str:
    """The same order as one value, for arg_min and arg_max; of missing values it is NULL."""
    number = value.number()
    if value.numeric():
        return number
    text = value.text()
    return (
        f"CASE WHEN {text} IS NOT NULL THEN {{'a': CASE WHEN {number} IS NULL THEN 0 ELSE 1 END,"
        f" 'b': coalesce({number}, 0), 'c': CASE WHEN {number} IS NULL THEN q_natural({text}) ELSE '' END,"
        f" 'd': {text}}} END"
    )
