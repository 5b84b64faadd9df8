"""relevantfields: which fields have to do with a condition, as rows again.

Source: CloudWatch Logs User Guide, "relevantfields" (the fields of its results, and a score from 0 to 1). How AWS comes
to a score is not known: here it is Cramér's V between a field's values (numbers in tenths of their range) and the
condition, with Bergsma's correction, by which a field that differs from event to event tells nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from math import sqrt
from statistics import median
from typing import Any, NamedTuple

from cumulo.services.operations.logs.query import discovery, flattening
from cumulo.services.operations.logs.query.numbers import as_number
from cumulo.services.operations.logs.query.relations import Relation
from cumulo.services.operations.logs.query.tree import RelevantFields

FIELDS = ("@fieldName", "@relevanceScore", "@topRelevanceContributors", "@conditionalMedian", "@baselineMedian")
SAMPLE = 10_000  # events that meet the condition, and as many that do not
_FIELDS_MOST = 1_000
_CONTRIBUTORS = 3
_TENTHS = 10

Rows = list[dict[str, str | float]]
Values = dict[str, str]
Query = Callable[[str], list[tuple[Any, ...]]]


class Compared(NamedTuple):
    """Events that meet a condition and those that do not: how many there are, and the fields of a sample of each."""

    matching: int
    other: int
    inside: Sequence[Values]
    outside: Sequence[Values]


def compared(query: Query, relation: Relation, command: RelevantFields) -> Compared:
    """Look at events. Blocks."""
    names = [field.name for field in command.fields]
    texts = [relation.value(field).text() for field in command.fields]
    whole = relation.events and not names
    if not names:
        made = [each for each in relation.columns.items() if each[0] not in discovery.SYSTEM]
        names, texts = [name for name, _ in made], [value.text() for _, value in made]
    columns = [f"{text} AS f{index}_" for index, text in enumerate(texts)]
    shown = [f"f{index}_" for index in range(len(texts))]
    if whole:
        columns += ["message AS message_", "log AS log_"]
        shown += ["message_", "log_"]
    condition = relation.compiler().truth(command.condition)
    listed = ", ".join([f"coalesce({condition}, false) AS meets_", *columns])
    events = f"SELECT {listed} FROM ({relation.sql})"
    counts: dict[Any, Any] = dict(query(f"SELECT meets_, count(*) FROM ({events}) GROUP BY meets_"))

    def sample(meets: str) -> list[Values]:
        some = f"SELECT {', '.join(shown) or 'NULL'} FROM ({events}) WHERE {meets}"
        rows = query(f"SELECT * FROM ({some}) USING SAMPLE reservoir({SAMPLE} ROWS) REPEATABLE (1)")
        return [_values(names, row, whole) for row in rows]

    return Compared(int(counts.get(True, 0)), int(counts.get(False, 0)), sample("meets_"), sample("NOT meets_"))


def _values(names: Sequence[str], row: Sequence[Any], whole: bool) -> Values:
    found: Values = {}
    if whole:
        message, log = row[-2], row[-1]
        found = flattening.discovered(message, log.partition(":")[2])
    found |= {name: value for name, value in zip(names, row, strict=False) if value is not None}
    return found


def rows(found: Compared) -> Rows:
    """The fields, the most relevant first. None where there is nothing to compare."""
    if not found.inside or not found.outside:
        return []
    names = dict.fromkeys(name for each in (*found.inside, *found.outside) for name in each)
    out = [
        _row(name, [each.get(name) for each in found.inside], [each.get(name) for each in found.outside])
        for name in list(names)[:_FIELDS_MOST]
    ]
    return sorted(out, key=lambda row: (-float(row["@relevanceScore"]), str(row["@fieldName"])))


def _row(name: str, inside: Sequence[str | None], outside: Sequence[str | None]) -> dict[str, str | float]:
    ours, theirs = _numbers(inside), _numbers(outside)
    if ours is None or theirs is None:
        few, many = Counter(inside), Counter(outside)
        return {
            "@fieldName": name,
            "@relevanceScore": association(few, many),
            "@topRelevanceContributors": _contributors(few, many),
        }
    edges = _edges([*ours, *theirs])
    row: dict[str, str | float] = {
        "@fieldName": name,
        "@relevanceScore": association(_tenths(ours, edges, len(inside)), _tenths(theirs, edges, len(outside))),
    }
    if ours:
        row["@conditionalMedian"] = median(ours)
    if theirs:
        row["@baselineMedian"] = median(theirs)
    return row


def _numbers(texts: Sequence[str | None]) -> list[float] | None:
    """The values as numbers; None where one is none."""
    found = []
    for text in texts:
        if text is not None:
            value = as_number(text)
            if value is None:
                return None
            found.append(value)
    return found


def _edges(values: list[float]) -> list[float]:
    values.sort()
    return sorted({values[len(values) * tenth // _TENTHS] for tenth in range(1, _TENTHS)}) if values else []


def _tenths(values: Sequence[float], edges: Sequence[float], count: int) -> Counter[Any]:
    """How many values lie in each part of the range; those that are missing are a part, too."""
    found: Counter[Any] = Counter(bisect_right(edges, value) for value in values)
    if count > len(values):
        found[None] = count - len(values)
    return found


def association(inside: Counter[Any], outside: Counter[Any]) -> float:
    """How much a value tells of the side that it is on: from 0, nothing, to 1, all."""
    few, many = inside.total(), outside.total()
    total = few + many
    values = inside.keys() | outside.keys()
    if total < 2 or len(values) < 2 or not few or not many:
        return 0.0
    squares = 0.0
    for value in values:
        both = inside[value] + outside[value]
        for seen, side in ((inside[value], few), (outside[value], many)):
            expected = both * side / total
            squares += (seen - expected) ** 2 / expected
    kinds, left = len(values) - 1, total - 1
    strength = max(0.0, squares / total - kinds / left)
    most = min(kinds - kinds * kinds / left, 1 - 1 / left)
    return min(1.0, sqrt(strength / most)) if most > 0 else 0.0


def _contributors(inside: Counter[Any], outside: Counter[Any]) -> str:
    """The values whose shares differ most, with their share among what meets the condition and among the rest."""
    few, many = inside.total(), outside.total()
    shares = {each: (inside[each] / few, outside[each] / many) for each in inside.keys() | outside.keys()}
    order = sorted(
        (each for each in shares if each is not None),
        key=lambda each: (-abs(shares[each][0] - shares[each][1]), each),
    )
    return ", ".join(f"{each} ({shares[each][0]:.1%} vs {shares[each][1]:.1%})" for each in order[:_CONTRIBUTORS])
