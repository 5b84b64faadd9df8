"""OTLP's logs (`/v1/logs`): a request in JSON or Protocol Buffers to one JSON document a log record.

The document of an event has the record's resource and scope with it, attributes as a map, ids in hexadecimal digits,
and what the record says of itself under OTLP's names. Sources: OpenTelemetry's "OTLP Specification" and its
`logs.proto`; what AWS makes of a record was seen in log groups of AWS's own OpenTelemetry sources.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from binascii import Error as NoBase64
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from cumulo.services.operations.logs.ingestion import protobuf
from cumulo.services.operations.logs.ingestion.documents import Malformed

_DEPTH = 100

_ANY: protobuf.Message = {}
_KEY_VALUE: protobuf.Message = {1: protobuf.text("key"), 2: protobuf.message("value", _ANY)}
_ANY |= {
    1: protobuf.text("stringValue"),
    2: protobuf.truth("boolValue"),
    3: protobuf.varint("intValue", signed=True),
    4: protobuf.double("doubleValue"),
    5: protobuf.message("arrayValue", {1: protobuf.message("values", _ANY, repeated=True)}),
    6: protobuf.message("kvlistValue", {1: protobuf.message("values", _KEY_VALUE, repeated=True)}),
    7: protobuf.raw("bytesValue"),
}
_RECORD = {
    1: protobuf.fixed64("timeUnixNano"),
    2: protobuf.varint("severityNumber"),
    3: protobuf.text("severityText"),
    5: protobuf.message("body", _ANY),
    6: protobuf.message("attributes", _KEY_VALUE, repeated=True),
    7: protobuf.varint("droppedAttributesCount"),
    8: protobuf.fixed32("flags"),
    9: protobuf.raw("traceId"),
    10: protobuf.raw("spanId"),
    11: protobuf.fixed64("observedTimeUnixNano"),
    12: protobuf.text("eventName"),
}
_RESOURCE = {
    1: protobuf.message("attributes", _KEY_VALUE, repeated=True),
    2: protobuf.varint("droppedAttributesCount"),
}
_SCOPE = {
    1: protobuf.text("name"),
    2: protobuf.text("version"),
    3: protobuf.message("attributes", _KEY_VALUE, repeated=True),
    4: protobuf.varint("droppedAttributesCount"),
}
_SCOPE_LOGS = {
    1: protobuf.message("scope", _SCOPE),
    2: protobuf.message("logRecords", _RECORD, repeated=True),
    3: protobuf.text("schemaUrl"),
}
_RESOURCE_LOGS = {
    1: protobuf.message("resource", _RESOURCE),
    2: protobuf.message("scopeLogs", _SCOPE_LOGS, repeated=True),
    3: protobuf.text("schemaUrl"),
}
_REQUEST = {1: protobuf.message("resourceLogs", _RESOURCE_LOGS, repeated=True)}


class Record(NamedTuple):
    """A log record: its time (milliseconds), and its document."""

    timestamp: int
    document: dict[str, Any]


def from_json(body: bytes, now_ms: int) -> list[Record]:
    """The records of a request in JSON. Raises Malformed."""
    try:
        request = json.loads(body)
    except (ValueError, RecursionError):
        raise Malformed("The request body is not a valid OTLP request in JSON.") from None
    return list(_records(request, now_ms))


def from_protobuf(body: bytes, now_ms: int) -> list[Record]:
    """The records of a request in Protocol Buffers. Raises Malformed."""
    try:
        request = protobuf.read(body, _REQUEST)
    except protobuf.Malformed as error:
        raise Malformed(f"The request body is not a valid OTLP request: {error}") from None
    return list(_records(request, now_ms))


def _records(request: Any, now_ms: int) -> Iterator[Record]:
    try:
        for resource_logs in request.get("resourceLogs") or ():
            resource = _described(resource_logs.get("resource") or {}, resource_logs)
            for scope_logs in resource_logs.get("scopeLogs") or ():
                scope = _described(scope_logs.get("scope") or {}, scope_logs)
                for record in scope_logs.get("logRecords") or ():
                    yield _record(record, resource, scope, now_ms)
    except (AttributeError, TypeError, ValueError, KeyError, NoBase64) as error:
        raise Malformed("The request body is not a valid OTLP request.") from error


def _described(found: dict[str, Any], around: dict[str, Any]) -> dict[str, Any]:
    """A resource or scope, with the URL of its schema."""
    out: dict[str, Any] = {}
    _copy(out, found, str, "name", "version")
    _copy(out, found, _attributes, "attributes")
    _copy(out, found, int, "droppedAttributesCount")
    _copy(out, around, str, "schemaUrl")
    return out


def _copy(out: dict[str, Any], found: dict[str, Any], read: Callable[[Any], Any], *names: str) -> None:
    """The members of these names that say something."""
    for name in names:
        if found.get(name):
            out[name] = read(found[name])


def _record(record: dict[str, Any], resource: dict[str, Any], scope: dict[str, Any], now_ms: int) -> Record:
    time, observed = int(record.get("timeUnixNano") or 0), int(record.get("observedTimeUnixNano") or 0)
    if not (0 <= time < 1 << 64 and 0 <= observed < 1 << 64):
        raise ValueError(time, observed)
    out: dict[str, Any] = {"resource": resource, "scope": scope}
    if time:
        out["timeUnixNano"] = time
    if observed:
        out["observedTimeUnixNano"] = observed
    _copy(out, record, int, "severityNumber")
    _copy(out, record, str, "severityText")
    _copy(out, record, _value, "body")
    _copy(out, record, _attributes, "attributes")
    _copy(out, record, int, "droppedAttributesCount", "flags")
    _copy(out, record, _identifier, "traceId", "spanId")
    _copy(out, record, str, "eventName")
    return Record((time or observed) // 1_000_000 or now_ms, out)


def _identifier(found: Any) -> str:
    return found.hex() if isinstance(found, bytes) else str(found).lower()


def _attributes(found: list[dict[str, Any]], depth: int = 0) -> dict[str, Any]:
    return {str(each["key"]): _value(each.get("value") or {}, depth) for each in found}


def _value(found: dict[str, Any], depth: int = 0) -> Any:
    """An AnyValue as JSON has it; bytes in base64."""
    if depth > _DEPTH:
        raise ValueError("nested too deeply")
    if "stringValue" in found:
        return str(found["stringValue"])
    if "boolValue" in found:
        return bool(found["boolValue"])
    if "intValue" in found:
        return int(found["intValue"])
    if "doubleValue" in found:
        value = float(found["doubleValue"])
        return value if abs(value) < float("inf") else str(value)  # JSON has no such numbers
    if "arrayValue" in found:
        return [_value(each, depth + 1) for each in found["arrayValue"].get("values") or ()]
    if "kvlistValue" in found:
        return _attributes(found["kvlistValue"].get("values") or [], depth + 1)
    if "bytesValue" in found:
        data = found["bytesValue"]
        return b64encode(data if isinstance(data, bytes) else b64decode(data, validate=True)).decode()
    return None


def answer(counts: dict[str, int], *, as_protobuf: bool) -> bytes:
    """ExportLogsServiceResponse: how many records were not kept, and why, in AWS's words."""
    rejected = sum(counts.values())
    told = json.dumps(counts) if counts else ""
    if as_protobuf:
        return protobuf.written([(1, protobuf.written([(1, rejected), (2, told)]))]) if rejected else b""
    if not rejected:
        return b"{}"
    return json.dumps({"partialSuccess": {"rejectedLogRecords": rejected, "errorMessage": told}}).encode()


def refusal(message: str, *, as_protobuf: bool) -> bytes:
    """The body of a refusal: a Status, as OTLP over HTTP has it."""
    return protobuf.written([(2, message)]) if as_protobuf else json.dumps({"message": message}).encode()
