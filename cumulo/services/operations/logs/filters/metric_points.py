"""From events to points of metrics: what metric filters say.

Pure: lines in, data of PutMetricData out. Source: CloudWatch Logs User Guide, "Creating metrics from log events using
filters" (values, default values, dimensions).
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
