"""Processors that make a document of a text: configurable ones, and those of AWS's own logs."""

from __future__ import annotations

import csv
import re
from typing import Any

import msgspec

from cumulo.services.operations.logs.transformation import grok, paths
from cumulo.services.operations.logs.transformation.paths import MISSING, Document

MESSAGE = "@message"


class NotParsed(Exception):
    """A message that is not what the parser expects: it is not transformed."""


def source_of(document: Document, options: dict[str, Any]) -> str:
    """The text that a parser works on."""
    found = paths.get(document, options.get("source") or MESSAGE)
    if found is MISSING or not isinstance(found, str):
        raise NotParsed
    return found


def parse_json(document: Document, options: dict[str, Any]) -> None:
    """parseJSON."""
    try:
        found = msgspec.json.decode(source_of(document, options))
    except (msgspec.DecodeError, RecursionError):
        raise NotParsed from None
    if not isinstance(found, dict):
        raise NotParsed
    paths.merge(document, options.get("destination"), found)


def parse_grok(document: Document, options: dict[str, Any]) -> None:
    """grok."""
    found = grok.match(options["match"], source_of(document, options))
    if found is None:
        raise NotParsed
    for name, value in found.items():
        paths.put(document, name, value)


def parse_key_value(document: Document, options: dict[str, Any]) -> None:
    """parseKeyValue."""
    fields, between = options.get("fieldDelimiter") or "&", options.get("keyValueDelimiter") or "="
    prefix = options.get("keyPrefix") or ""
    found: Document = {}
    for pair in source_of(document, options).split(fields):
        key, divided, value = pair.partition(between)
        if not divided:
            if options.get("nonMatchValue") is None:
                continue
            value = options["nonMatchValue"]
        found[prefix + key] = value
    paths.merge(document, options.get("destination"), found, overwrite=bool(options.get("overwriteIfExists")))


def parse_csv(document: Document, options: dict[str, Any]) -> None:
    """csv."""
    delimiter = options.get("delimiter") or ","
    delimiter = {"\\t": "\t"}.get(delimiter, delimiter)
    quote = options.get("quoteCharacter") or '"'
    text = source_of(document, options)
    if len(delimiter) != 1:
        values = text.split(delimiter)
    else:
        try:
            values = next(csv.reader([text], delimiter=delimiter, quotechar=quote, skipinitialspace=True), [])
        except csv.Error:
            raise NotParsed from None
    columns = options.get("columns") or []
    found = {
        columns[index] if index < len(columns) else f"column_{index + 1}": value for index, value in enumerate(values)
    }
    paths.merge(document, options.get("destination"), found)


# ---- AWS's own logs: numbers are numbers, what is "-" is left out


def _number(text: str) -> str | int | float:
    if re.fullmatch(r"-?\d{1,18}", text):
        return int(text)
    return float(text) if re.fullmatch(r"-?\d+\.\d+", text) else text


_VPC = [
    "version",
    "accountId",
    "interfaceId",
    "srcAddr",
    "dstAddr",
    "srcPort",
    "dstPort",
    "protocol",
    "packets",
    "bytes",
    "start",
    "end",
    "action",
    "logStatus",
]


def parse_vpc(document: Document, options: dict[str, Any]) -> None:
    """parseVPC: VPC flow logs in the default format."""
    values = source_of(document, options).split()
    if len(values) != len(_VPC):
        raise NotParsed
    texts = ("accountId", "interfaceId", "srcAddr", "dstAddr", "action", "logStatus")
    document.update(
        {
            name: value if name in texts else _number(value)
            for name, value in zip(_VPC, values, strict=True)
            if value != "-"
        }
    )


_CLOUDFRONT = [
    "date",
    "time",
    "x-edge-location",
    "sc-bytes",
    "c-ip",
    "cs-method",
    "cs(Host)",
    "cs-uri-stem",
    "sc-status",
    "cs(Referer)",
    "cs(User-Agent)",
    "cs-uri-query",
    "cs(Cookie)",
    "x-edge-result-type",
    "x-edge-request-id",
    "x-host-header",
    "cs-protocol",
    "cs-bytes",
    "time-taken",
    "x-forwarded-for",
    "ssl-protocol",
    "ssl-cipher",
    "x-edge-response-result-type",
    "cs-protocol-version",
    "fle-status",
    "fle-encrypted-fields",
    "c-port",
    "time-to-first-byte",
    "x-edge-detailed-result-type",
    "sc-content-type",
    "sc-content-len",
    "sc-range-start",
    "sc-range-end",
]
_CLOUDFRONT_NUMBERS = frozenset(
    [
        "sc-bytes",
        "sc-status",
        "cs-bytes",
        "time-taken",
        "c-port",
        "time-to-first-byte",
        "sc-content-len",
        "sc-range-start",
        "sc-range-end",
    ]
)


def parse_cloudfront(document: Document, options: dict[str, Any]) -> None:
    """parseCloudfront: access logs, of fields between tabs."""
    from urllib.parse import unquote

    values = source_of(document, options).split("\t")
    if len(values) != len(_CLOUDFRONT):
        raise NotParsed
    for name, value in zip(_CLOUDFRONT, values, strict=True):
        if value != "-":
            document[name] = _number(value) if name in _CLOUDFRONT_NUMBERS else unquote(value)


_ROUTE53 = [
    "version",
    "queryTimestamp",
    "hostZoneId",
    "queryName",
    "queryType",
    "responseCode",
    "protocol",
    "edgeLocation",
    "resolverIp",
    "ednsClientSubnet",
]


def parse_route53(document: Document, options: dict[str, Any]) -> None:
    """parseRoute53: public DNS query logs."""
    values = source_of(document, options).split()
    if len(values) != len(_ROUTE53):
        raise NotParsed
    for name, value in zip(_ROUTE53, values, strict=True):
        if value != "-":
            document[name] = _number(value) if name == "version" else value


def parse_waf(document: Document, options: dict[str, Any]) -> None:
    """parseWAF: web ACL logs; headers become a map by name, labels a list of names."""
    parse_json(document, options)
    request = document.get("httpRequest")
    if isinstance(request, dict) and isinstance(request.get("headers"), list):
        request["headers"] = {
            each["name"]: each.get("value") for each in request["headers"] if isinstance(each, dict) and "name" in each
        }
    if isinstance(document.get("labels"), list):
        document["labels"] = [each.get("name") for each in document["labels"] if isinstance(each, dict)]


_POSTGRES = re.compile(
    r"(?P<logTime>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? [A-Z]+):(?P<srcIp>[^(:]*)(?:\((?P<srcPort>\d+)\))?:"
    r"(?P<userName>[^@:]*)@(?P<dbName>[^:]*):\[(?P<processId>\d+)\]:(?P<logLevel>[A-Z]+): +(?P<message>.*)",
    re.DOTALL,
)


def parse_postgres(document: Document, options: dict[str, Any]) -> None:
    """parsePostgres: RDS for PostgreSQL, whose lines begin "%t:%r:%u@%d:[%p]:"."""
    found = _POSTGRES.fullmatch(source_of(document, options))
    if found is None:
        raise NotParsed
    document.update({name: value for name, value in found.groupdict().items() if value})
