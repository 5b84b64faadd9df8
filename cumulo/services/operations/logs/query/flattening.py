"""The fields of one event, outside SQL: as `discovery` finds them, all at once.

Source: CloudWatch Logs User Guide, "Supported logs and discovered fields".
"""

from __future__ import annotations

import json
import re
from typing import Any

from cumulo.services.operations.logs.query.discovery import (
    FLOW,
    FLOW_SHAPE,
    LAMBDA_GROUP,
    REFERENCE,
    ROUTE53,
    ROUTE53_SHAPE,
)

FIELDS_MOST = 200
_FLOW, _ROUTE53 = re.compile(FLOW_SHAPE), re.compile(ROUTE53_SHAPE)
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_REQUEST = re.compile(rf"(?:RequestId: |^\S+\t)({_UUID})")
_REPORT = "REPORT RequestId: "
_LAMBDA_TYPES = (
    ("START RequestId: ", "START"),
    ("END RequestId: ", "END"),
    (_REPORT, "REPORT"),
    ("INIT_START ", "INIT_START"),
)
_MILLISECONDS = (
    ("@duration", re.compile(r"(?:^|\t)Duration: ([0-9.]+) ms")),
    ("@billedDuration", re.compile(r"\tBilled Duration: ([0-9.]+) ms")),
    ("@initDuration", re.compile(r"\tInit Duration: ([0-9.]+) ms")),
    ("@restoreDuration", re.compile(r"\tRestore Duration: ([0-9.]+) ms")),
    ("@billedRestoreDuration", re.compile(r"\tBilled Restore Duration: ([0-9.]+) ms")),
)
_MEGABYTES = (
    ("@memorySize", re.compile(r"\tMemory Size: ([0-9]+) MB")),
    ("@maxMemoryUsed", re.compile(r"\tMax Memory Used: ([0-9]+) MB")),
)
_TRACES = (("@xrayTraceId", re.compile(r"XRAY TraceId: (\S+)")), ("@xraySegmentId", re.compile(r"SegmentId: (\S+)")))
_NESTED = re.compile(r"\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}")


def discovered(message: str, group: str) -> dict[str, str]:
    """The discovered fields of a message of a log group: 200 at most."""
    is_lambda = group.startswith(LAMBDA_GROUP)
    found = dict(_json_fields(message, is_lambda))
    if not found or is_lambda:
        found = {**_lambda_fields(message), **found}
    for names, shape in ((FLOW, _FLOW), (ROUTE53, _ROUTE53)):
        if shape.match(message):
            found |= dict(zip(names, message.rstrip().split(" "), strict=True))
    return dict(list(found.items())[:FIELDS_MOST])


def _json_fields(message: str, is_lambda: bool) -> dict[str, str]:
    document = embedded(message, is_lambda)
    found: dict[str, str] = {}
    if isinstance(document, dict):
        for key, value in document.items():
            hidden = key.startswith("@") and not key.startswith(REFERENCE)
            _flatten("@" + key if hidden else key, value, found)
    return found


def embedded(message: str, is_lambda: bool) -> Any:
    """The JSON object of a message, or None. In Lambda's lines it may stand behind text."""
    texts = [message] if message.lstrip("\t\n\r ").startswith("{") else []
    if is_lambda and "{" in message:
        texts.append(message[message.index("{") :].rstrip(" "))
        nested = _NESTED.search(message)
        if nested is not None:
            texts.append(nested[0])
    for text in texts:
        try:
            return json.loads(text)
        except ValueError:
            continue
    return None


def _flatten(name: str, value: Any, found: dict[str, str]) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            _flatten(f"{name}.{key}", inner, found)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _flatten(f"{name}.{index}", inner, found)
    elif value is not None:
        found.setdefault(name, leaf_text(value))


def leaf_text(value: Any) -> str:
    """A JSON string, number or truth value as a field's text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else repr(value)


def _lambda_fields(message: str) -> dict[str, str]:
    found: dict[str, str] = {}
    request = _REQUEST.search(message)
    if request is not None:
        found["@requestId"] = request[1]
    for beginning, kind in _LAMBDA_TYPES:
        if message.startswith(beginning):
            found["@type"] = kind
    if message.startswith(_REPORT):
        for name, pattern in _MILLISECONDS:
            match = pattern.search(message)
            if match is not None:
                found[name] = java_text(float(match[1]))
        for name, pattern in _MEGABYTES:
            match = pattern.search(message)
            if match is not None:
                found[name] = java_text(float(match[1]) * 1e6)
    for name, pattern in _TRACES:
        match = pattern.search(message)
        if match is not None:
            found[name] = match[1]
    return found


def java_text(value: float) -> str:
    """A double as Java writes it: 1.28E8 from ten millions on."""
    if value < 1e7:
        return repr(value)
    exponent = len(str(int(value))) - 1
    return f"{value / 10.0**exponent!r}E{exponent}"
