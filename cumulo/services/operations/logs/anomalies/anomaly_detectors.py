"""Log anomaly detectors: what watches a log group for what is unusual.

Source: API reference, CreateLogAnomalyDetector and its kin; CloudWatch Logs User Guide, "Log anomaly detection" (21
days of visibility where nothing else is said), "Encrypt an anomaly detector and its results with AWS KMS".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.operations.logs import pages
from cumulo.services.operations.logs.anomalies import anomaly_runs
from cumulo.services.operations.logs.anomalies.anomaly_records import (
    ANOMALY_DETECTORS,
    DEFAULT_VISIBILITY_DAYS,
    FAILED,
    INITIALIZING,
    PAUSED,
    AnomalyDetector,
    find,
    owner_of,
)
from cumulo.services.operations.logs.errors import INVALID_PARAMETER
from cumulo.services.operations.logs.events import filtering
from cumulo.services.operations.logs.groups import groups, kms_keys, sealing, tags
from cumulo.services.operations.logs.groups.groups import STANDARD

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import logs as t

DEFAULT_FREQUENCY = "FIVE_MIN"


@operation
def create_log_anomaly_detector(
    ctx: Context, request: t.CreateLogAnomalyDetectorRequest
) -> t.CreateLogAnomalyDetectorResponse:
    """Make a detector of a group; it trains at once, on the events of two weeks."""
    arns = request["logGroupArnList"]
    if len(arns) != 1 or not arns[0].startswith("arn:"):
        raise INVALID_PARAMETER("You can specify only one log group ARN.")
    group = groups.find_any(ctx, arns[0])
    if group.log_class != STANDARD:
        raise INVALID_PARAMETER("Anomaly detectors are only supported for log groups of the Standard class.")
    pattern = request.get("filterPattern") or ""
    filtering.read_pattern(pattern)
    now_ms = int(ctx.now() * 1000)
    detector = AnomalyDetector(
        ctx.uuid(),
        ctx.account,
        ctx.region,
        group.id,
        group.arn,
        request.get("detectorName") or group.name,
        request.get("evaluationFrequency") or DEFAULT_FREQUENCY,
        now_ms,
        now_ms,
        pattern,
        request.get("kmsKeyId") or "",
        request.get("anomalyVisibilityTime") or DEFAULT_VISIBILITY_DAYS,
        tags=tags.checked(request.get("tags")),
    )
    if detector.kms_key:
        kms_keys.check_arn(detector.kms_key)
        sealing.check(ctx, owner_of(ctx, detector), detector.kms_key)
    anomaly_runs.plan(ctx, detector, ctx.now())
    return {"anomalyDetectorArn": ANOMALY_DETECTORS.arn(ctx, detector.id)}


@operation
def update_log_anomaly_detector(ctx: Context, request: t.UpdateLogAnomalyDetectorRequest) -> None:
    """Change a detector, pause it, or let it go on. What it learned under another pattern or frequency is dropped."""
    detector = find(ctx, request["anomalyDetectorArn"])
    pattern = request.get("filterPattern", detector.pattern)
    filtering.read_pattern(pattern)
    frequency = request.get("evaluationFrequency") or detector.frequency
    if (pattern, frequency) != (detector.pattern, detector.frequency):
        detector.pattern, detector.frequency = pattern, frequency
        detector.round += 1
        detector.trained = False
    detector.visibility_days = request.get("anomalyVisibilityTime") or detector.visibility_days
    detector.modified_ms = int(ctx.now() * 1000)
    if request["enabled"]:
        detector.status = INITIALIZING if detector.status in (PAUSED, FAILED) else detector.status
        anomaly_runs.plan(ctx, detector, ctx.now())
    else:
        detector.paused_ms = detector.paused_ms or detector.modified_ms
        detector.status = PAUSED
        anomaly_runs.rest(ctx, detector)


@operation
def delete_log_anomaly_detector(ctx: Context, request: t.DeleteLogAnomalyDetectorRequest) -> None:
    """Delete a detector with what it learned and found."""
    detector = find(ctx, request["anomalyDetectorArn"])
    anomaly_runs.rest(ctx, detector)
    ANOMALY_DETECTORS.delete(ctx, detector)
    anomaly_runs.forget(ctx, detector)


@operation
def get_log_anomaly_detector(ctx: Context, request: t.GetLogAnomalyDetectorRequest) -> t.GetLogAnomalyDetectorResponse:
    """A detector."""
    answer = _described(ctx, find(ctx, request["anomalyDetectorArn"]))
    del answer["anomalyDetectorArn"]
    return answer  # type: ignore[return-value]


@operation
def list_log_anomaly_detectors(
    ctx: Context, request: t.ListLogAnomalyDetectorsRequest
) -> t.ListLogAnomalyDetectorsResponse:
    """The detectors of the account, or those of a group."""
    ctx.authorize(ANOMALY_DETECTORS.arn(ctx, "*"))
    group = request.get("filterLogGroupArn", "").removesuffix(":*")
    chosen = [each for each in ANOMALY_DETECTORS.range(ctx) if not group or each.group_arn == group]
    found, more = pages.of_list(ctx, request, chosen, lambda detector: (detector.id,))
    described: list[Any] = [_described(ctx, each) for each in found]
    return {"anomalyDetectors": described, **more}


def _described(ctx: Context, detector: AnomalyDetector) -> dict[str, Any]:
    answer = {
        "anomalyDetectorArn": ANOMALY_DETECTORS.arn(ctx, detector.id),
        "detectorName": detector.name,
        "logGroupArnList": [detector.group_arn],
        "evaluationFrequency": detector.frequency,
        "filterPattern": detector.pattern,
        "anomalyDetectorStatus": detector.status,
        "creationTimeStamp": detector.created_ms,
        "lastModifiedTimeStamp": detector.modified_ms,
        "anomalyVisibilityTime": detector.visibility_days,
    }
    if detector.kms_key:
        answer["kmsKeyId"] = detector.kms_key
    return answer


tags.add_kind("anomaly-detector", ANOMALY_DETECTORS)
