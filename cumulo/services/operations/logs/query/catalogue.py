"""The functions of the language: how many arguments they take and what kind of value they give.

Sources: CloudWatch Logs User Guide, "Boolean, comparison, numeric, datetime, and other functions", "Functions to use
with stats", "Time-series functions", "Hashing functions". Names count without case and underscores: AWS's own queries
have regexReplace and regex_replace, countOverTime and count_over_time.
"""

from __future__ import annotations

from typing import NamedTuple

TEXT, NUMBER, TRUTH, TIME, NODE, ANY = "text", "number", "truth", "time", "node", "any"
MANY = 1000


class Function(NamedTuple):
    """A function: its name here, its least and most arguments, and what it gives."""

    name: str
    least: int
    most: int
    gives: str
    aggregate: bool = False


_SCALAR = {
    NUMBER: (
        "abs 1 1, ceil 1 1, floor 1 1, greatest 1 *, least 1 *, log 1 1, round 1 2, sqrt 1 1, haversine 4 4,"
        "toNumber 1 1, toInt 1 1, toLong 1 1, toDouble 1 1, pow 2 2, mod 2 2, strlen 1 1, messageSize 1 1,"
        "ipv4ToNumber 1 1, jsonArraySize 1 1, hexToDec 1 1, now 0 0, queryStartTime 0 0, queryEndTime 0 0,"
        "queryTimeRange 0 0, toMillis 1 1, parseDate 2 3, histogram 2 2"
    ),
    TIME: "bin 1 1, datefloor 2 2, dateceil 2 2, fromMillis 1 1",
    TRUTH: (
        "ispresent 1 1, isNumeric 1 1, isempty 1 1, isblank 1 1, strcontains 2 3, startsWith 2 2, endsWith 2 2,"
        "isValidIp 1 1, isValidIpV4 1 1, isValidIpV6 1 1, isIpInSubnet 2 2, isIpv4InSubnet 2 2, isIpv6InSubnet 2 2,"
        "isPrivateIP 1 1, isPublicIP 1 1, isReservedIP 1 1, jsonArrayContains 2 2"
    ),
    TEXT: (
        "concat 1 *, ltrim 1 2, rtrim 1 2, trim 1 2, toupper 1 1, tolower 1 1, substr 2 3, replace 3 3,"
        "regexReplace 3 3, urlencode 1 1, urldecode 1 1, base64encode 1 1, base64decode 1 1, hexToAscii 1 1,"
        "decToHex 1 1, md5 1 1, sha256 1 1, formatDate 2 3, jsonStringify 1 1"
    ),
    NODE: "jsonParse 1 1, split 2 2",
    ANY: "coalesce 1 *, case 2 21, if 3 3",
}
_AGGREGATE = {
    NUMBER: (
        "avg 1 1, count 0 1, countDistinct 1 1, pct 2 2, median 1 1, stddev 1 1, variance 1 1, sum 1 1, rate 2 2,"
        "countOverTime 0 1, sumOverTime 1 1"
    ),
    ANY: "max 1 1, min 1 1, earliest 1 1, latest 1 1, sortsFirst 1 1, sortsLast 1 1",
    NODE: "values 1 1",
}
_ALIASES = {"strftime": "formatDate", "percentile": "pct", "stdev": "stddev"}


def _read(table: dict[str, str], aggregate: bool) -> dict[str, Function]:
    found = {}
    for gives, text in table.items():
        for entry in text.split(","):
            name, least, most = entry.split()
            found[name.lower()] = Function(name, int(least), MANY if most == "*" else int(most), gives, aggregate)
    return found


FUNCTIONS = _read(_SCALAR, False) | _read(_AGGREGATE, True)


def find(name: str) -> Function | None:
    """The function of this name."""
    bare = name.lower().replace("_", "")
    return FUNCTIONS.get(_ALIASES.get(bare, bare).lower())
