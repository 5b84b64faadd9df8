"""Metrics embedded in log events: what messages of the embedded metric format say.

Pure: lines in, data of PutMetricData out. Source: CloudWatch User Guide, "Specification: Embedded metric format".
Values that are statistics or a histogram are what AWS's own exporter for OpenTelemetry (awsemf) sends.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from cumulo.services.operations.logs.patterns.json_conditions import decoded

if TYPE_CHECKING:
    from cumulo.services.operations.logs.lines import Line

MARK = '"CloudWatchMetrics"'  # what every message of the format holds
METRICS, DIMENSIONS, VALUES = 100, 30, 100
NAMESPACE_LENGTH, TARGET_LENGTH = 255, 1024
RESERVED = "AWS/"
DAY_MS = 86_400_000
OLDEST_MS, NEWEST_MS = 14 * DAY_MS, 2 * 3_600_000  # what PutMetricData takes

# What Lambda's runtime for Node.js writes before a message of console.log, with which AWS's own library sends metrics;
# they are taken (issue 1766 of powertools-lambda-typescript shows such an event).
CONSOLE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\t[^\t\n]*\t[A-Z]+\t")

Datum = dict[str, Any]
DimensionSet = list[dict[str, str]]


class NotOfTheFormat(ValueError):
    """A message that says it is of the format, and is not."""


class Embedded:
    """What was found: data by namespace, messages not of the format, and definitions that break its rules."""

    def __init__(self) -> None:
        self.data: dict[str, list[Datum]] = {}
        self.parsing_errors = 0
        self.validation_errors = 0


def extracted(lines: Iterable[Line], now_ms: int) -> Embedded:
    """The metrics in messages. What breaks the specification is counted and left out."""
    found = Embedded()
    for line in lines:
        if MARK not in line.message:
            continue
        console = CONSOLE.match(line.message)
        document = decoded(line.message if console is None else line.message[console.end() :])
        metadata = document.get("_aws") if isinstance(document, dict) else None
        if not isinstance(metadata, dict) or "CloudWatchMetrics" not in metadata:
            continue  # it only mentions the format
        try:
            timestamp, directives = _read(metadata)
        except NotOfTheFormat:
            found.parsing_errors += 1
            continue
        for directive in directives:
            if now_ms - OLDEST_MS <= timestamp <= now_ms + NEWEST_MS:
                _take(found, directive, document, timestamp)
            else:
                found.validation_errors += 1
    return found


def _read(metadata: dict[str, Any]) -> tuple[float, list[dict[str, Any]]]:
    """The timestamp in milliseconds and the directives, of the right types all through."""
    timestamp, directives = metadata.get("Timestamp"), metadata["CloudWatchMetrics"]
    if not _is_number(timestamp) or not isinstance(directives, list):
        raise NotOfTheFormat
    for directive in directives:
        if not isinstance(directive, dict) or not isinstance(directive.get("Namespace"), str):
            raise NotOfTheFormat
        sets, metrics = directive.get("Dimensions"), directive.get("Metrics")
        if not isinstance(sets, list) or not sets or not isinstance(metrics, list):
            raise NotOfTheFormat
        if not all(isinstance(names, list) and all(isinstance(name, str) for name in names) for names in sets):
            raise NotOfTheFormat
        if not all(_is_definition(metric) for metric in metrics):
            raise NotOfTheFormat
    return timestamp, directives  # type: ignore[return-value]


def _is_definition(metric: Any) -> bool:
    return (
        isinstance(metric, dict)
        and isinstance(metric.get("Name"), str)
        and isinstance(metric.get("Unit", ""), str)
        and type(metric.get("StorageResolution", 60)) is int
    )


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _take(found: Embedded, directive: dict[str, Any], document: dict[str, Any], timestamp_ms: float) -> None:
    namespace, metrics = directive["Namespace"], directive["Metrics"]
    if not 0 < len(namespace) <= NAMESPACE_LENGTH or namespace.startswith(RESERVED) or len(metrics) > METRICS:
        found.validation_errors += 1
        return
    sets = [_set(names, document) for names in directive["Dimensions"]]
    found.validation_errors += sets.count(None)
    for metric in metrics:
        values = _values(document.get(metric["Name"]))
        if values is None:
            found.validation_errors += 1
            continue
        for dimensions in sets:
            if dimensions is not None:
                datum = {"MetricName": metric["Name"], "Timestamp": timestamp_ms / 1000, **values}
                datum["Unit"] = metric.get("Unit", "None")
                if "StorageResolution" in metric:
                    datum["StorageResolution"] = metric["StorageResolution"]
                if dimensions:
                    datum["Dimensions"] = dimensions
                found.data.setdefault(namespace, []).append(datum)


def _set(names: list[str], document: dict[str, Any]) -> DimensionSet | None:
    """A set of dimensions with its values, which are texts of the document's root."""
    if len(names) > DIMENSIONS:
        return None
    values = [document.get(name) for name in names]
    if not all(isinstance(value, str) and 0 < len(value) <= TARGET_LENGTH for value in values):
        return None
    return [{"Name": name, "Value": str(value)} for name, value in zip(names, values, strict=True)]


def _values(value: Any) -> Datum | None:
    """What a datum says of a metric's value: a number, up to 100 of them, their statistics, or a histogram."""
    if isinstance(value, dict):
        return _summary(value)
    several = value if isinstance(value, list) else [value]
    if not 0 < len(several) <= VALUES or not all(_is_number(each) for each in several):
        return None
    counts: dict[float, float] = {}
    for each in several:
        counts[float(each)] = counts.get(float(each), 0.0) + 1.0
    return {"Values": list(counts), "Counts": list(counts.values())}


def _summary(value: dict[str, Any]) -> Datum | None:
    values, counts = value.get("Values"), value.get("Counts")
    if isinstance(values, list) and isinstance(counts, list):
        if not values or len(values) != len(counts) or not all(map(_is_number, _both(values, counts))):
            return None
        return {"Values": values, "Counts": counts}
    wanted = {"SampleCount": "Count", "Sum": "Sum", "Minimum": "Min", "Maximum": "Max"}
    statistics = {member: value.get(name) for member, name in wanted.items()}
    return {"StatisticValues": statistics} if all(map(_is_number, statistics.values())) else None


def _both(values: list[Any], counts: list[Any]) -> Iterator[Any]:
    yield from values
    yield from counts
