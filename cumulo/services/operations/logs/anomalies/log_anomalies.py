"""What anomaly detectors found: ListAnomalies and UpdateAnomaly.

Source: API reference of both, and of Anomaly. Findings of a detector with a KMS key are opened in the caller's name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core import encryption
from cumulo.core.operation import operation
from cumulo.services.operations.logs import pages
from cumulo.services.operations.logs.anomalies import anomaly_records
from cumulo.services.operations.logs.anomalies.anomaly_records import ANOMALY_DETECTORS, LOG_ANOMALIES
from cumulo.services.operations.logs.detection.findings import FEWER, Details
from cumulo.services.operations.logs.errors import ANOMALY_NOT_FOUND, INVALID_PARAMETER
from cumulo.services.operations.logs.groups import sealing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cumulo.core.context import Context
    from cumulo.services.operations.logs.anomalies.anomaly_records import AnomalyDetector, LogAnomaly
    from cumulo.stubs import logs as t

DAY_MS = 86_400_000
SUPPRESSED = "SUPPRESSED"
_SECONDS = {"SECONDS": 1, "MINUTES": 60, "HOURS": 3600}
_decode = msgspec.msgpack.Decoder(Details).decode


def suppression(detector: AnomalyDetector, anomaly: LogAnomaly, now_ms: int) -> tuple[int, int, bool] | None:
    """Since when, until when (0: for ever) and whether with its whole pattern an anomaly is suppressed; None: not."""
    of_pattern = detector.suppressed.get(anomaly.pattern)
    if of_pattern is not None and _holds(of_pattern[1], now_ms):
        return *of_pattern, True
    if anomaly.suppressed_ms and _holds(anomaly.suppressed_until, now_ms):
        return anomaly.suppressed_ms, anomaly.suppressed_until, False
    return None


def _holds(until_ms: int, now_ms: int) -> bool:
    return until_ms == 0 or now_ms < until_ms


def is_visible(detector: AnomalyDetector, anomaly: LogAnomaly, now_ms: int) -> bool:
    """Whether an anomaly is still shown: what goes on after its time is usual (User Guide)."""
    return now_ms < anomaly.first_ms + detector.visibility_days * DAY_MS


def accept(anomaly: LogAnomaly) -> None:
    """Take for normal what was found so far; what is worse will be found again."""
    anomaly.baseline, anomaly.active = True, False
    counts = anomaly.histogram.values()
    anomaly.accepted = min(counts, default=0) if is_of_fewer(anomaly.subject) else max(counts, default=0)


def is_of_fewer(subject: str) -> bool:
    """Whether fewer lines than usual were found."""
    return subject.split(" ")[1] == FEWER


@operation
def list_anomalies(ctx: Context, request: t.ListAnomaliesRequest) -> t.ListAnomaliesResponse:
    """What was found: by one detector, or by all that the account has."""
    if "anomalyDetectorArn" in request:
        detectors = [anomaly_records.find(ctx, request["anomalyDetectorArn"])]
    else:
        ctx.authorize(ANOMALY_DETECTORS.arn(ctx, "*"))
        detectors = ANOMALY_DETECTORS.range(ctx)
    by_id = {detector.id: detector for detector in detectors}
    wanted, now_ms = request.get("suppressionState"), int(ctx.now() * 1000)

    def fetch(after: tuple[Any, ...] | None, limit: int) -> list[LogAnomaly]:
        found: list[LogAnomaly] = []
        for detector in detectors:
            if after is None or detector.id >= after[0]:
                edge = after if after is not None and detector.id == after[0] else None
                some = LOG_ANOMALIES.range(ctx, detector.id, after=edge)
                found += [each for each in some if _is_wanted(wanted, detector, each, now_ms)]
        return found[:limit]

    page, more = pages.page(ctx, request, fetch, lambda anomaly: (anomaly.detector, anomaly.id))
    return {"anomalies": [_described(ctx, by_id[each.detector], each) for each in page], **more}


def _is_wanted(wanted: str | None, detector: AnomalyDetector, anomaly: LogAnomaly, now_ms: int) -> bool:
    if not is_visible(detector, anomaly, now_ms):
        return False
    return wanted is None or (wanted == SUPPRESSED) == (suppression(detector, anomaly, now_ms) is not None)


def _described(ctx: Context, detector: AnomalyDetector, anomaly: LogAnomaly) -> Any:
    details = _opened(ctx, detector, anomaly)
    suppressed = suppression(detector, anomaly, int(ctx.now() * 1000))
    answer: dict[str, Any] = {
        "anomalyId": anomaly.id,
        "patternId": anomaly.pattern,
        "anomalyDetectorArn": ANOMALY_DETECTORS.arn(ctx, detector.id),
        "patternString": details.pattern,
        "patternRegex": details.regex,
        "priority": anomaly.priority,
        "firstSeen": anomaly.first_ms,
        "lastSeen": anomaly.last_ms,
        "description": details.description,
        "active": anomaly.active,
        "state": "Suppressed" if suppressed else "Baseline" if anomaly.baseline else "Active",
        "histogram": anomaly.histogram,
        "logSamples": [{"timestamp": time, "message": message} for time, message in details.samples],
        "patternTokens": [
            {
                "dynamicTokenPosition": token.position,
                "isDynamic": True,
                "tokenString": token.text,
                "enumerations": token.values,
                "inferredTokenName": token.name,
            }
            if token.position
            else {"isDynamic": False, "tokenString": token.text}
            for token in details.tokens
        ],
        "logGroupArnList": [detector.group_arn],
        "suppressed": suppressed is not None,
    }
    if suppressed is not None:
        answer["suppressedDate"], answer["suppressedUntil"], answer["isPatternLevelSuppression"] = suppressed
    return answer


def _opened(ctx: Context, detector: AnomalyDetector, anomaly: LogAnomaly) -> Details:
    if not anomaly.sealed:
        return _decode(anomaly.details)
    owner = anomaly_records.owner_of(ctx, detector)
    key = sealing.readers_key(ctx, owner, encryption.sealed_key(anomaly.details))
    return _decode(encryption.open(ctx, anomaly.details, sealing.context_of(owner), under=key))


@operation
def update_anomaly(ctx: Context, request: t.UpdateAnomalyRequest) -> None:
    """Suppress an anomaly or a pattern, end that, or take what was found for normal."""
    detector = anomaly_records.find(ctx, request["anomalyDetectorArn"])
    anomaly_id, pattern = request.get("anomalyId"), request.get("patternId")
    if (anomaly_id is None) == (pattern is None):
        raise INVALID_PARAMETER("You must specify either anomalyId or patternId, but you can't specify both.")
    every = LOG_ANOMALIES.range(ctx, detector.id)
    found = [each for each in every if anomaly_id == each.id or (pattern is not None and pattern == each.pattern)]
    if not found:
        raise ANOMALY_NOT_FOUND()
    since, until = _asked_for(ctx, request)
    if request.get("baseline"):
        for each in found:
            accept(each)
    elif pattern is not None:
        if since:
            detector.suppressed[pattern] = (since, until)
        else:
            detector.suppressed.pop(pattern, None)
        ANOMALY_DETECTORS.put(ctx, detector)
    else:
        found[0].suppressed_ms, found[0].suppressed_until = since, until
    _keep(ctx, found)


def _keep(ctx: Context, found: Sequence[LogAnomaly]) -> None:
    for each in found:
        LOG_ANOMALIES.put(ctx, each)


def _asked_for(ctx: Context, request: t.UpdateAnomalyRequest) -> tuple[int, int]:
    """Since when and until when (0: for ever) something is suppressed; (0, 0) where it is no longer."""
    kind, now_ms = request.get("suppressionType"), int(ctx.now() * 1000)
    if kind is None:
        return 0, 0
    if kind == "INFINITE":
        return now_ms, 0
    period = request.get("suppressionPeriod") or {}
    value, unit = period.get("value"), period.get("suppressionUnit")
    if value is None or unit is None or value < 1:
        raise INVALID_PARAMETER("A suppressionPeriod is required when the suppressionType is LIMITED.")
    return now_ms, now_ms + value * _SECONDS[unit] * 1000
