"""What policies audit: how many events held sensitive data, minute by minute, and a report of each such event.

Source: CloudWatch Logs User Guide, "Audit findings reports". Its places are characters, the first of which is 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from cumulo.services.operations.logs.protection.masking import Finding

if TYPE_CHECKING:
    from cumulo.services.operations.logs.groups.groups import Group
    from cumulo.services.operations.logs.lines import Line
    from cumulo.services.operations.logs.protection.data_protection import Masks

FIELDS = ("auditTimestamp", "resourceArn", "dataIdentifiers")
_REPORT = f'{{"{FIELDS[0]}":'  # a report of a report would be reported, too, and so on
MINUTE_MS = 60_000


class Audit(NamedTuple):
    """Numbers of events by minute (since the epoch), and reports by the name of the log group that they go to."""

    minutes: dict[int, int]
    reports: dict[str, list[dict[str, Any]]]


def of_lines(group: Group, lines: Iterable[Line], masks: Masks, now_ms: int) -> Audit:
    """What was found in lines of a group, which came just now."""
    audit = Audit({}, {})
    at = datetime.fromtimestamp(now_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    for line in lines:
        has_any = False
        for since, until, protection in masks.periods:
            found = protection.find(line.message) if since <= line.ingested < until else []
            if not found:
                continue
            has_any = True
            if protection.reports_to and not line.message.startswith(_REPORT):
                report = {"auditTimestamp": at, "resourceArn": f"{group.arn}:*", "dataIdentifiers": _listed(found)}
                audit.reports.setdefault(protection.reports_to, []).append(report)
        if has_any:
            minute = line.timestamp // MINUTE_MS
            audit.minutes[minute] = audit.minutes.get(minute, 0) + 1
    return audit


def _listed(found: Sequence[Finding]) -> list[dict[str, Any]]:
    places: dict[str, list[dict[str, int]]] = {}
    for finding in found:
        places.setdefault(finding.identifier, []).append({"start": finding.start + 1, "end": finding.end})
    return [{"name": name, "count": len(each), "detections": each} for name, each in places.items()]
