"""Grok: patterns with names, `%{IP:client} %{WORD:method}`.

The names and what they stand for are Logstash's classic ones, of which the guide lists these as supported.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from cumulo.engines.regexes import Regex, RegexError, Unsupported
from cumulo.services.operations.logs.transformation import common_formats

MOST = 20  # names in one pattern

_MONTH = r"\b(?:[Jj]an(?:uary)?|[Ff]eb(?:ruary)?|[Mm]ar(?:ch)?|[Aa]pr(?:il)?|[Mm]ay|[Jj]une?|[Jj]uly?|[Aa]ug(?:ust)?|[Ss]ep(?:tember)?|[Oo]ct(?:ober)?|[Nn]ov(?:ember)?|[Dd]ec(?:ember)?)\b"  # noqa: E501

PATTERNS = {
    "USERNAME": r"[a-zA-Z0-9._-]+",
    "USER": r"%{USERNAME}",
    "INT": r"[+-]?[0-9]+",
    "BASE10NUM": r"[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)",
    "NUMBER": r"%{BASE10NUM}",
    "BASE16NUM": r"[+-]?(?:0x)?[0-9A-Fa-f]+",
    "POSINT": r"\b[1-9][0-9]*\b",
    "NONNEGINT": r"\b[0-9]+\b",
    "BOOLEAN": r"(?i:true|false)",
    "WORD": r"\b\w+\b",
    "NOTSPACE": r"\S+",
    "SPACE": r"\s*",
    "DATA": r".*?",
    "GREEDYDATA": r".*",
    "GREEDYDATA_MULTILINE": r"(?s:.*)",
    "QUOTEDSTRING": r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'",
    "QS": r"%{QUOTEDSTRING}",
    "UUID": r"[A-Fa-f0-9]{8}-(?:[A-Fa-f0-9]{4}-){3}[A-Fa-f0-9]{12}",
    "URN": r"urn:[0-9A-Za-z][0-9A-Za-z-]{0,31}:(?:%[0-9a-fA-F]{2}|[0-9A-Za-z()+,.:=@;$_!*'/?#-])+",
    "ARN": r"arn:[\w+=,.@-]*:[\w+=,.@-]*:[\w+=,.@-]*:[\w+=,.@-]*:[\w+=/,.@:*-]+",
    "MAC": r"(?:[A-Fa-f0-9]{2}[:-]){5}[A-Fa-f0-9]{2}",
    "IPV4": r"\b(?:(?:25[0-5]|2[0-4][0-9]|[01]?[0-9]{1,2})\.){3}(?:25[0-5]|2[0-4][0-9]|[01]?[0-9]{1,2})\b",
    "IPV6": r"(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?:%\w+)?",
    "IP": r"(?:%{IPV6}|%{IPV4})",
    "HOSTNAME": r"\b(?:[0-9A-Za-z][0-9A-Za-z-]{0,62})(?:\.(?:[0-9A-Za-z][0-9A-Za-z-]{0,62}))*\.?\b",
    "HOST": r"%{HOSTNAME}",
    "IPORHOST": r"(?:%{IP}|%{HOSTNAME})",
    "HOSTPORT": r"%{IPORHOST}:%{POSINT}",
    "UNIXPATH": r"(?:/[\w_%!$@:.,+~-]*)+",
    "WINPATH": r"(?:[A-Za-z]+:|\\)(?:\\[^\\?*]*)+",
    "PATH": r"(?:%{UNIXPATH}|%{WINPATH})",
    "TTY": r"/dev/(?:pts|tty(?:[pq])?)\w*/?[0-9]*",
    "URIPROTO": r"[A-Za-z][A-Za-z0-9+.-]*",
    "URIHOST": r"%{IPORHOST}(?::%{POSINT})?",
    "URIPATH": r"(?:/[A-Za-z0-9$.+!*'(){},~:;=@#%&_-]*)+",
    "URIPARAM": r"\?[A-Za-z0-9$.+!*'|(){},~@#%&/=:;_?\[\]<>-]*",
    "URIPATHPARAM": r"%{URIPATH}(?:%{URIPARAM})?",
    "URI": r"%{URIPROTO}://(?:%{USER}(?::[^@]*)?@)?(?:%{URIHOST})?(?:%{URIPATHPARAM})?",
    "MONTH": _MONTH,
    "MONTHNUM": r"(?:0?[1-9]|1[0-2])",
    "MONTHNUM2": r"(?:0[1-9]|1[0-2])",
    "MONTHDAY": r"(?:0[1-9]|[12][0-9]|3[01]|[1-9])",
    "DAY": r"(?:Mon(?:day)?|Tue(?:sday)?|Wed(?:nesday)?|Thu(?:rsday)?|Fri(?:day)?|Sat(?:urday)?|Sun(?:day)?)",
    "YEAR": r"[0-9]{4}|[0-9]{2}",
    "HOUR": r"(?:2[0123]|[01]?[0-9])",
    "MINUTE": r"[0-5][0-9]",
    "SECOND": r"(?:[0-5]?[0-9]|60)(?:[:.,][0-9]+)?",
    "TIME": r"%{HOUR}:%{MINUTE}(?::%{SECOND})?",
    "DATE_US": r"%{MONTHNUM}[/-]%{MONTHDAY}[/-](?:%{YEAR})",
    "DATE_EU": r"%{MONTHDAY}[./-]%{MONTHNUM}[./-](?:%{YEAR})",
    "DATE": r"(?:%{DATE_US}|%{DATE_EU})",
    "ISO8601_TIMEZONE": r"(?:Z|[+-]%{HOUR}(?::?%{MINUTE}))",
    "ISO8601_SECOND": r"%{SECOND}",
    "TIMESTAMP_ISO8601": r"[0-9]{4}-%{MONTHNUM}-%{MONTHDAY}[T ]%{HOUR}:?%{MINUTE}(?::?%{SECOND})?(?:%{ISO8601_TIMEZONE})?",  # noqa: E501
    "DATESTAMP": r"%{DATE}[- ]%{TIME}",
    "TZ": r"[A-Z]{3}",
    "DATESTAMP_RFC822": r"%{DAY} %{MONTH} %{MONTHDAY} [0-9]{4} %{TIME} %{TZ}",
    "DATESTAMP_RFC2822": r"%{DAY}, %{MONTHDAY} %{MONTH} [0-9]{4} %{TIME} %{ISO8601_TIMEZONE}",
    "DATESTAMP_OTHER": r"%{DAY} %{MONTH} %{MONTHDAY} %{TIME} %{TZ} [0-9]{4}",
    "DATESTAMP_EVENTLOG": r"[0-9]{4}%{MONTHNUM2}%{MONTHDAY}%{HOUR}%{MINUTE}%{SECOND}",
    "HTTPDATE": r"%{MONTHDAY}/%{MONTH}/[0-9]{4}:%{TIME} [+-]?[0-9]+",
    "LOGLEVEL": r"(?i:alert|trace|debug|notice|info(?:rmation)?|warn(?:ing)?|err(?:or)?|crit(?:ical)?|fatal|severe|emerg(?:ency)?)",  # noqa: E501
    "SYSLOGTIMESTAMP": r"%{MONTH} +%{MONTHDAY} %{TIME}",
    "PROG": r"[\x21-\x5a\x5c\x5e-\x7e]+",
    "SYSLOGPROG": r"%{PROG:program}(?:\[%{POSINT:pid}\])?",
    "SYSLOGHOST": r"%{IPORHOST}",
    "SYSLOGFACILITY": r"<%{NONNEGINT:facility}\.%{NONNEGINT:priority}>",
    "COMMONAPACHELOG": r"%{IPORHOST:clientip} %{NOTSPACE:ident} %{NOTSPACE:auth} \[%{HTTPDATE:timestamp}\] \"(?:%{WORD:verb} %{NOTSPACE:request}(?: HTTP/%{NUMBER:httpversion})?|%{DATA:rawrequest})\" %{NUMBER:response} (?:%{NUMBER:bytes}|-)",  # noqa: E501
    "COMBINEDAPACHELOG": r"%{COMMONAPACHELOG} %{QS:referrer} %{QS:agent}",
}
PATTERNS["SD_ELEMENTS"] = r"(?:\\.|[^\]\\])*(?:\]\[(?:\\.|[^\]\\])*)*"  # structured data between its brackets
PATTERNS["UNQUOTED"] = r"(?:\\.|[^\"\\])*"
PATTERNS |= common_formats.PATTERNS

_NAMED = re.compile(r"%\{(\w+)(?::([\w.@-]+))?\}")


class GrokError(ValueError):
    """A pattern that cannot be read."""


@lru_cache(maxsize=256)
def read(pattern: str) -> tuple[Regex, tuple[str, ...]]:
    """The expression of a pattern, and the names of its groups g0, g1 … in order. Raises GrokError and Unsupported."""
    names: list[str] = []

    def expand(text: str, depth: int) -> str:
        if depth > 8:
            raise GrokError("a grok pattern refers to itself")

        def replace(found: re.Match[str]) -> str:
            if found[1] not in PATTERNS:
                raise GrokError(f"%{{{found[1]}}} is not a supported grok pattern")
            if found[2] is None:
                return f"(?:{expand(PATTERNS[found[1]], depth + 1)})"
            names.append(found[2])
            number = len(names) - 1
            return f"(?P<g{number}>{expand(PATTERNS[found[1]], depth + 1)})"

        expanded = _NAMED.sub(replace, text)
        if "%{" in expanded:
            raise GrokError("the grok pattern is not valid: a name is %{PATTERN} or %{PATTERN:field}")
        return expanded

    try:
        expression = Regex(expand(pattern, 0), java=True)
    except Unsupported:
        raise
    except RegexError as error:
        raise GrokError(f"the grok pattern is not valid: {error}") from None
    if len(names) > MOST:
        raise GrokError(f"a grok pattern has at most {MOST} names")
    return expression, tuple(names)


def match(pattern: str, text: str) -> dict[str, Any] | None:
    """What a pattern finds in a text by its names; None when it does not match."""
    expression, names = read(pattern)
    found = expression.search(text)
    if found is None:
        return None
    numbers = [(name, expression.names[f"g{index}"]) for index, name in enumerate(names)]
    fields = {name: value for name, number in numbers if (value := found[number]) is not None}
    return common_formats.typed(fields) if pattern.strip().startswith(common_formats.WHOLE) else fields
