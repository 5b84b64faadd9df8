"""Grok's three patterns for whole formats of logs, with field names and types of their own: web servers, syslog.

Source: CloudWatch Logs User Guide, "Configurable parser-type processors", "Common log format examples": Apache, NGINX
and Syslog Protocol (RFC 5424). What is not there ("-") has no field.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

_ACCESS = (
    r"^%{IPORHOST:remote_host} %{NOTSPACE} %{NOTSPACE:auth_user} \[%{HTTPDATE:timestamp}\]"
    r" \"%{WORD:http_method} %{NOTSPACE:request} HTTP/%{NUMBER:http_version}\""
    r" %{NONNEGINT:status_code} (?:%{NONNEGINT:response_size}|-)"
    r"(?: \"%{UNQUOTED:referrer}\" \"%{UNQUOTED:agent}\")?"
)
PATTERNS = {
    "APACHE_ACCESS_LOG": _ACCESS,
    "NGINX_ACCESS_LOG": _ACCESS,
    "SYSLOG5424": (
        r"^<%{NONNEGINT:pri}>%{NONNEGINT:version} (?:-|%{TIMESTAMP_ISO8601:timestamp}) (?:-|%{NOTSPACE:hostname})"
        r" (?:-|%{NOTSPACE:app}) (?:-|%{NOTSPACE:proc_id}) (?:-|%{NOTSPACE:msg_id})"
        r" (?:-|\[%{SD_ELEMENTS:structured_data}\])(?: %{GREEDYDATA_MULTILINE:message})?"
    ),
}
WHOLE = tuple(f"%{{{name}}}" for name in PATTERNS)
_NUMBERS = ("status_code", "response_size", "pri")


def typed(found: dict[str, str]) -> dict[str, Any]:
    """The fields of such a line as AWS types them: numbers, and web servers' times in UTC."""
    out: dict[str, Any] = {name: value for name, value in found.items() if value != "-"}
    for name in (*_NUMBERS, *(("version",) if "pri" in found else ())):
        if name in out:
            out[name] = int(out[name])
    if "remote_host" in out:
        with suppress(ValueError, OverflowError):  # no day of any year: the text stays
            moment = datetime.strptime(found["timestamp"], "%d/%b/%Y:%H:%M:%S %z")
            out["timestamp"] = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return out
