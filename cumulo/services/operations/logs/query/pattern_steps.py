"""pattern, diff, logcompare and anomaly: what comes out of events' shapes, as rows again.

Sources: CloudWatch Logs User Guide, "pattern" (@pattern, @ratio, @sampleCount, @severityLabel), "Pattern analysis",
"Compare (diff) with previous time ranges" (difference in events and its description), "anomaly". The names of the
fields of diff and anomaly are not documented.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from cumulo.services.operations.logs.query import clustering, periods
from cumulo.services.operations.logs.query.clustering import MARK, SHAPES_MOST, VARYING, Found, Shape
from cumulo.services.operations.logs.query.compiling import Times
from cumulo.services.operations.logs.query.failures import Unsupported
from cumulo.services.operations.logs.query.relations import Relation
from cumulo.services.operations.logs.query.tree import Anomaly, Command, Diff, Expression, Field, Pattern
from cumulo.services.operations.logs.query.values import quoted

Rows = list[dict[str, str | float]]
PATTERN_FIELDS = ("@pattern", "@sampleCount", "@ratio", "@severityLabel")
_NEW_PART = 0.9  # a pattern that appears in the last tenth of the time is new


def shapes_sql(relation: Relation, operand: Expression) -> str:
    """A SELECT of the shapes of a text, with how many there are and one of each."""
    text = relation.value(operand).text()
    shape = f"regexp_replace({text}, {quoted(VARYING)}, {quoted(MARK)}, 'g')"
    inner = f"SELECT {shape} AS s_, {text} AS t_, ts FROM ({relation.sql}) WHERE {text} IS NOT NULL"
    return (
        f"SELECT s_, count(*), any_value(t_), min(ts), max(ts) FROM ({inner}) GROUP BY s_"
        f" ORDER BY count(*) DESC, s_ LIMIT {SHAPES_MOST}"
    )


def leading(commands: Sequence[Command]) -> tuple[Expression, Diff | None, bool, int]:
    """What the pattern commands at the beginning want: of what, compared with when, with anomalies; their number."""
    operand: Expression = Field(("@message",))
    diff, anomaly, count = None, False, 0
    for command in commands:
        if isinstance(command, Pattern):
            if count:
                raise Unsupported("a second pattern command")
            operand = command.operand
        elif isinstance(command, Diff):
            diff = command
        elif isinstance(command, Anomaly):
            anomaly = True
        else:
            break
        count += 1
    return operand, diff, anomaly, count


def shift_ms(diff: Diff, times: Times) -> int:
    """How far back the time lies with which a query's is compared."""
    return times.end - times.start + 1 if diff.shift is None else periods.milliseconds(diff.shift)


def rows(now: list[Found]) -> Rows:
    """Patterns as rows."""
    total = sum(found.lines for found in now) or 1
    return [_row(found, total) for found in now]


def _row(found: Found, total: int) -> dict[str, str | float]:
    return {
        "@pattern": found.text,
        "@sampleCount": float(found.lines),
        "@ratio": found.lines / total,
        "@severityLabel": found.severity,
        "@PatternId": found.id,
        "@regexString": found.regex,
    }


def compared(now: Sequence[Shape], then: Sequence[Shape]) -> Rows:
    """The patterns of both times together, those whose number changed most first."""
    found = clustering.patterns((*now, *then))
    counts_now, counts_then = _counts(found, now), _counts(found, then)
    total = sum(counts_now.values()) or 1
    out: Rows = []
    for pattern in found:
        current, previous = counts_now.get(pattern.text, 0), counts_then.get(pattern.text, 0)
        row = _row(pattern._replace(lines=current), total)
        row["@previousSampleCount"] = float(previous)
        row["@diffEventCount"] = float(current - previous)
        row["@diffDescription"] = _description(current, previous)
        out.append(row)
    return sorted(out, key=lambda row: (-abs(float(row["@diffEventCount"])), str(row["@pattern"])))


def _counts(found: Sequence[Found], shapes: Sequence[Shape]) -> dict[str, int]:
    """How many lines of these shapes each pattern has."""
    counts: dict[str, int] = {}
    members = {shape: pattern.text for pattern in found for shape in pattern.shapes}
    for shape in shapes:
        text = members[shape.shape]
        counts[text] = counts.get(text, 0) + shape.lines
    return counts


def _description(current: int, previous: int) -> str:
    if not previous:
        return "New pattern"
    if not current:
        return "Pattern no longer appears"
    if current == previous:
        return "No change"
    change = abs(current - previous) * 100 / previous
    return f"{change:.0f}% {'more' if current > previous else 'less'}"


def with_anomalies(now: list[Found], times: Times, out: Rows) -> Rows:
    """Patterns that are new in the last tenth of the time, and errors among what is else no error."""
    edge = times.start + (times.end - times.start) * _NEW_PART
    by_text = {found.text: found for found in now}
    old = any(found.first < edge for found in now)
    for row in out:
        found = by_text.get(str(row["@pattern"]))
        new = found is not None and old and found.first >= edge
        row["@isAnomaly"] = 1.0 if new else 0.0
        if new:
            row["@anomalyDescription"] = "New pattern"
    return out


Query = Callable[[str], list[tuple[Any, ...]]]


def shapes(query: Query, sql: str) -> list[Shape]:
    """The shapes that a SELECT finds."""
    return [Shape(*row) for row in query(sql)]
