"""From events to points of metrics: what metric filters and the embedded metric format say.

Pure: lines in, data of PutMetricData out. Sources: CloudWatch Logs User Guide, "Creating metrics from log events using
filters" (values, default values, dimensions); CloudWatch User Guide, "Specification: Embedded metric format".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cumulo.services.operations.logs.patterns.json_conditions import decoded, read_selector
from cumulo.services.operations.logs.patterns.scanning import number_of

if TYPE_CHECKING:
    from cumulo.services.operations.logs.lines import Line
    from cumulo.services.operations.logs.patterns import Pattern

MINUTE_MS = 60_000
VALUES = 150  # in one datum of PutMetricData
EMBEDDED = '"CloudWatchMetrics"'  # what a message in the embedded metric format holds
EMBEDDED_METRICS, EMBEDDED_DIMENSIONS, EMBEDDED_VALUES = 100, 30, 100

Datum = dict[str, Any]
Series = dict[tuple[Any, ...], list[float]]


def of_filter(
    pattern: Pattern, transformation: dict[str, Any], lines: Sequence[Line], system: Mapping[str, str]
) -> list[Datum]:
    """The points that a metric filter makes of lines that came together. `system` are dimensions of all of them.

    A minute of which no line matches has the default value once, where there is one.
    """
    series: Series = {}
    minutes: dict[int, bool] = {}
    for line in lines:
        minute = line.timestamp // MINUTE_MS
        matches = pattern.matches(line.message)
        minutes[minute] = minutes.get(minute, False) or matches
        if not matches:
            continue
        fields = _Fields(pattern, line.message)
        value = fields.number(transformation["metricValue"])
        dimensions = fields.dimensions(transformation.get("dimensions") or {})
        if value is not None and dimensions is not None:
            series.setdefault((minute, (*dimensions, *system.items())), []).append(value)
    default = transformation.get("defaultValue")
    if default is not None:
        for minute, matched in minutes.items():
            if not matched:
                series.setdefault((minute, ()), []).append(float(default))
    unit = transformation.get("unit") or "None"
    return [
        _datum(transformation["metricName"], minute * 60.0, dimensions, unit, values)
        for (minute, dimensions), all_values in series.items()
        for values in _some(all_values)
    ]


class _Fields:
    """The fields of one message, as the pattern that chose it names them."""

    def __init__(self, pattern: Pattern, message: str) -> None:
        self._document = None if pattern.names is not None else decoded(message)
        self._extracted = pattern.extracted(message) if pattern.names is not None else {}

    def text(self, source: str) -> str | float | None:
        """The value of a source, None where there is none."""
        if source in self._extracted:
            return self._extracted[source]
        selector = read_selector(source) if source[:1] == "$" else None
        found = selector.values(self._document) if selector is not None and self._document is not None else []
        value = found[0] if found else None
        if isinstance(value, bool):
            return "true" if value else "false"
        return value if isinstance(value, str | int | float) else None

    def number(self, source: str) -> float | None:
        """The number that is a source, or its value."""
        value = source if source[:1] != "$" else self.text(source)
        return number_of(value) if isinstance(value, str) else value

    def dimensions(self, sources: dict[str, str]) -> tuple[tuple[str, str], ...] | None:
        """Names and values; None when a value is missing: such an event makes no point."""
        found = []
        for name, source in sorted(sources.items()):
            value = self.text(source)
            if value is None or value == "":
                return None
            found.append((name, value if isinstance(value, str) else repr(value)))
        return tuple(found)


def _some(values: list[float]) -> Iterator[list[float]]:
    for at in range(0, len(values), VALUES):
        yield values[at : at + VALUES]


def _datum(name: str, timestamp: float, dimensions: Iterable[tuple[str, str]], unit: str, values: list[float]) -> Datum:
    counts: dict[float, float] = {}
    for value in values:
        counts[value] = counts.get(value, 0.0) + 1.0
    datum: Datum = {
        "MetricName": name,
        "Timestamp": timestamp,
        "Unit": unit,
        "Values": list(counts),
        "Counts": list(counts.values()),
    }
    if dimensions:
        datum["Dimensions"] = [{"Name": key, "Value": value} for key, value in dimensions]
    return datum


def embedded(lines: Iterable[Line]) -> dict[str, list[Datum]]:
    """The points in messages of the embedded metric format, by namespace. What breaks the specification is left out."""
    found: dict[str, list[Datum]] = {}
    for line in lines:
        if EMBEDDED not in line.message:
            continue
        document = decoded(line.message)
        metadata = document.get("_aws") if isinstance(document, dict) else None
        if not isinstance(metadata, dict) or not isinstance(metadata.get("Timestamp"), int):
            continue
        for directive in _listed(metadata.get("CloudWatchMetrics")):
            namespace = directive.get("Namespace") if isinstance(directive, dict) else None
            if isinstance(namespace, str) and namespace:
                found.setdefault(namespace, []).extend(_of_directive(directive, document, metadata["Timestamp"]))
    return {namespace: data for namespace, data in found.items() if data}


def _of_directive(directive: dict[str, Any], document: dict[str, Any], timestamp_ms: int) -> Iterator[Datum]:
    sets = [found for names in _listed(directive.get("Dimensions")) if (found := _set(names, document)) is not None]
    for metric in _listed(directive.get("Metrics"))[:EMBEDDED_METRICS]:
        name = metric.get("Name") if isinstance(metric, dict) else None
        values = _values(document.get(name)) if isinstance(name, str) else []
        if not values or not isinstance(name, str):
            continue
        for dimensions in sets:
            datum = _datum(name, timestamp_ms / 1000, dimensions, metric.get("Unit") or "None", values)
            if metric.get("StorageResolution") in (1, 60):
                datum["StorageResolution"] = metric["StorageResolution"]
            yield datum


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _set(names: Any, document: dict[str, Any]) -> list[tuple[str, str]] | None:
    """A set of dimensions with its values, which are texts of the document's root."""
    if not isinstance(names, list) or len(names) > EMBEDDED_DIMENSIONS:
        return None
    found = []
    for name in names:
        value = document.get(name) if isinstance(name, str) else None
        if not isinstance(value, str) or not value:
            return None
        found.append((name, value))
    return found


def _values(value: Any) -> list[float]:
    several = value if isinstance(value, list) else [value]
    if len(several) > EMBEDDED_VALUES or not all(type(each) in (int, float) for each in several):
        return []
    return [float(each) for each in several]
