"""SOURCE: the log groups of a query by name, by what they have in common, or by data sources, and its time range.

Source: CloudWatch Logs User Guide, "SOURCE". The texts of times (-1d, 0s, now, milliseconds, ISO 8601) are what the
console writes and what DescribeQueries answers: SOURCE "name" START=… END=… | ….
"""

from __future__ import annotations

import re
from dataclasses import replace

from cumulo.services.operations.logs.query.expressions import name, several, symbol, word
from cumulo.services.operations.logs.query.failures import Malformed
from cumulo.services.operations.logs.query.tokens import NAME, STRING, Tokens, parts_of
from cumulo.services.operations.logs.query.tree import Source

PREFIXES_MOST = 5
ACCOUNTS_MOST = 20
DATA_SOURCES_MOST = 10
_TIME = re.compile(r"\s*=\s*([^\s|)]+)")
_KEYS = {
    "nameprefix": "prefixes",
    "accountidentifier": "accounts",
    "accountidentifiers": "accounts",
    "class": "classes",
    "loggroupclass": "classes",
    "names": "names",
    "tags": "tags",
}


def read(tokens: Tokens) -> Source:
    """What follows the word SOURCE, with it."""
    word(tokens, "source")
    found: Source | None = None
    while tokens.peek.is_word("loggroups", "datasource") and tokens.after().is_symbol("("):
        selected = _data_sources(tokens) if tokens.peek.is_word("datasource") else _selection(tokens)
        found = merged(found, selected)
        if tokens.peek.is_symbol(","):
            tokens.take()
    if found is None:
        found = Source(names=tuple(several(tokens, _group)))
    start = end = ""
    while tokens.peek.is_word("start", "end"):
        which = tokens.take()
        time = _TIME.match(tokens.query, which.end)
        if time is None:
            raise tokens.refused()
        tokens.seek(time.end())
        if which.text.lower() == "start":
            start = time[1]
        else:
            end = time[1]
    return replace(found, start=start, end=end)


def merged(first: Source | None, second: Source) -> Source:
    """Two SOURCE commands as one."""
    if first is None:
        return second
    return Source(
        first.names + second.names,
        first.selects or second.selects,
        first.prefixes + second.prefixes,
        first.accounts + second.accounts,
        first.classes + second.classes,
        first.tags + second.tags,
        second.start or first.start,
        second.end or first.end,
        first.data_sources + second.data_sources,
    )


def _data_sources(tokens: Tokens) -> Source:
    """dataSource(['name.type']): the groups of these data sources."""
    start = tokens.take().start
    symbol(tokens, "(")
    found = tuple(_values(tokens))
    symbol(tokens, ")")
    if not 0 < len(found) <= DATA_SOURCES_MOST:
        raise Malformed(f"A query can have at most {DATA_SOURCES_MOST} data sources", start, tokens.last_end)
    return Source(selects=True, data_sources=found)


def _group(tokens: Tokens) -> str:
    if tokens.peek.kind == STRING:
        return tokens.take().value
    if tokens.peek.kind != NAME:
        raise tokens.refused()
    return ".".join(str(part) for part in parts_of(tokens.take().text))


def _selection(tokens: Tokens) -> Source:
    start = tokens.take().start
    symbol(tokens, "(")
    found: dict[str, list[str]] = {"prefixes": [], "accounts": [], "classes": [], "names": [], "tags": []}
    while not tokens.peek.is_symbol(")"):
        key = _KEYS.get(tokens.peek.text.lower())
        if key is None:
            raise tokens.refused()
        tokens.take()
        symbol(tokens, ":")
        found[key] += _values(tokens)
        if tokens.peek.is_symbol(","):
            tokens.take()
    tokens.take()
    if len(found["prefixes"]) > PREFIXES_MOST:
        raise Malformed(f"A query can have at most {PREFIXES_MOST} name prefixes", start, tokens.last_end)
    if len(found["accounts"]) > ACCOUNTS_MOST:
        raise Malformed(f"A query can have at most {ACCOUNTS_MOST} account identifiers", start, tokens.last_end)
    tags = []
    for each in found["tags"]:
        key, equals, value = each.partition("=")
        tags.append((key, value if equals else "*"))
    return Source(
        names=tuple(found["names"]),
        selects=not found["names"],
        prefixes=tuple(found["prefixes"]),
        accounts=tuple(found["accounts"]),
        classes=tuple(each.upper() for each in found["classes"]),
        tags=tuple(tags),
    )


def _values(tokens: Tokens) -> list[str]:
    if tokens.peek.kind == STRING:
        return [tokens.take().value]
    if tokens.peek.kind == NAME:
        return [name(tokens)]
    symbol(tokens, "[")
    found: list[str] = []
    while not tokens.peek.is_symbol("]"):
        if tokens.peek.kind != STRING:
            raise tokens.refused()
        found.append(tokens.take().value)
        if tokens.peek.is_symbol(","):
            tokens.take()
    tokens.take()
    return found
