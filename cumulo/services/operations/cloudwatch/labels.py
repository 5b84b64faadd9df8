"""Labels of results: those that are made up, and `${…}` in those that are given.

Numbers are shown as they are, without exponents and trailing zeros; times in the time zone of LabelOptions.
Source: CloudWatch User Guide, "Using dynamic labels".
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

from cumulo.services.operations.cloudwatch.metric_math.values import Series

_PLACE = re.compile(r"\$\{\s*(?:PROP\(\s*'([^']+)'\s*\)|([A-Z_]+))\s*\}")
_ZONE = re.compile(r"([+-])(\d\d)([0-5]\d)")


def zone_of(text: str) -> timezone | None:
    """The time zone of "+0130", None for what is none."""
    found = _ZONE.fullmatch(text)
    if not found or int(found[2]) > 14:
        return None
    shift = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(shift if found[1] == "+" else -shift)


def filled(label: str, series: Series, default: str, now: float, zone: timezone = UTC) -> str:
    """The label with its live values. What is no value of CloudWatch's stays as it is."""

    def value(match: re.Match[str]) -> str:
        if match[1]:
            return series.properties.get(match[1], "")
        if match[2] == "LABEL":
            return default
        shown = _live(match[2], series, now, zone)
        return match[0] if shown is None else shown

    return _PLACE.sub(value, label)


def _live(name: str, series: Series, now: float, zone: timezone) -> str | None:
    """A live value; "--" for series without data."""
    known = ("AVG", "DATAPOINT_COUNT", "FIRST", "LAST", "MAX", "MIN", "SUM", "FIRST_LAST_RANGE", "MIN_MAX_RANGE")
    times = sorted(series.points)
    if not times:
        if name == "DATAPOINT_COUNT":
            return "0"
        return "--" if name in known or name.endswith(("_TIME", "_TIME_RELATIVE", "_TIME_RANGE")) else None
    values = [series.points[at] for at in times]
    moments = {
        "FIRST": times[0],
        "LAST": times[-1],
        "MIN": min(times, key=lambda at: (series.points[at], at)),
        "MAX": max(times, key=lambda at: (series.points[at], -at)),
    }
    numbers = {
        "AVG": sum(values) / len(values),
        "DATAPOINT_COUNT": float(len(values)),
        "SUM": sum(values),
        "FIRST_LAST_RANGE": values[-1] - values[0],
        "MIN_MAX_RANGE": max(values) - min(values),
        **{place: series.points[at] for place, at in moments.items()},
    }
    if name in numbers:
        return shown_number(numbers[name])
    if name in ("FIRST_LAST_TIME_RANGE", "MIN_MAX_TIME_RANGE"):
        first, last = ("FIRST", "LAST") if name.startswith("FIRST") else ("MIN", "MAX")
        return _shown_span(abs(moments[last] - moments[first]))
    place, _, form = name.partition("_")
    if place not in moments or form not in ("TIME", "TIME_RELATIVE"):
        return None
    if form == "TIME":
        return datetime.fromtimestamp(moments[place], zone).strftime("%Y-%m-%d %H:%M:%S")
    return _shown_span(int(abs(now - moments[place])))


def shown_number(number: float) -> str:
    """A number as labels show it."""
    text = f"{number:.10f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _shown_span(seconds: int) -> str:
    parts = []
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts) or "0s"
