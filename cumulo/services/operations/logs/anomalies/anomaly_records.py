"""Anomaly detectors as they are kept, with what they learned and what they found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.table import REGION, Record, Table
from cumulo.services.operations.logs.errors import ANOMALY_DETECTOR_NOT_FOUND, INVALID_PARAMETER
from cumulo.services.operations.logs.groups import sealing

if TYPE_CHECKING:
    from cumulo.core.context import Context

# The documented key policy has a statement for each (User Guide, "Encrypt an anomaly detector and its results").
_NAMES = (sealing.ARN, "aws-crypto-ec:aws:logs:arn")
MINUTE_MS = 60_000
FREQUENCIES = {
    "ONE_MIN": MINUTE_MS,
    "FIVE_MIN": 5 * MINUTE_MS,
    "TEN_MIN": 10 * MINUTE_MS,
    "FIFTEEN_MIN": 15 * MINUTE_MS,
    "THIRTY_MIN": 30 * MINUTE_MS,
    "ONE_HOUR": 60 * MINUTE_MS,
}
DEFAULT_VISIBILITY_DAYS = 21
INITIALIZING, TRAINING, ANALYZING, FAILED, PAUSED = "INITIALIZING", "TRAINING", "ANALYZING", "FAILED", "PAUSED"


class AnomalyDetector(Record):
    """A detector of the group with this id. Times are milliseconds; `task` is that of its next run.

    `suppressed` has patterns of which nothing is reported: by their ids, since when and until when (0: for ever).
    `round` changes with what makes a model useless: then another is trained. `paused_ms` is since when it rests.
    """

    id: str
    account: str
    region: str
    group: bytes
    group_arn: str
    name: str
    frequency: str
    created_ms: int
    modified_ms: int
    pattern: str = ""
    kms_key: str = ""
    visibility_days: int = DEFAULT_VISIBILITY_DAYS
    status: str = INITIALIZING
    tags: dict[str, str] = {}
    task: str = ""
    suppressed: dict[str, tuple[int, int]] = {}
    round: int = 0
    trained: bool = False
    paused_ms: int = 0


ANOMALY_DETECTORS = Table(
    AnomalyDetector,
    name="logs.anomaly_detectors",
    key="id",
    scope=REGION,
    arn="arn:{partition}:logs:{region}:{account}:anomaly-detector:{id}",
    missing=ANOMALY_DETECTOR_NOT_FOUND,
    tags=lambda detector: detector.tags,
)


class AnomalyModel(Record):
    """What a detector learned (`detection.baselines.Model`), packed, and sealed where it has a KMS key."""

    detector: str
    round: int
    packed: bytes
    sealed: bool = False


class LogAnomaly(Record):
    """An anomaly. Times are milliseconds; `details` are those of `detection.findings`, sealed like a model.

    `accepted` is how many lines are normal since it is baseline. `suppressed_until` 0 with `suppressed_ms` is for ever.
    """

    detector: str
    id: str
    subject: str
    pattern: str
    priority: str
    first_ms: int
    last_ms: int
    details: bytes
    sealed: bool = False
    active: bool = True
    baseline: bool = False
    accepted: int = 0
    histogram: dict[str, int] = {}
    suppressed_ms: int = 0
    suppressed_until: int = 0


ANOMALY_MODELS = Table(AnomalyModel, name="logs.anomaly_models", key="detector", scope=REGION)
LOG_ANOMALIES = Table(LogAnomaly, name="logs.anomalies", key=("detector", "id"), scope=REGION)


def find(ctx: Context, arn: str) -> AnomalyDetector:
    """The detector of an ARN, found and authorized."""
    parts = arn.split(":")
    if len(parts) != 7 or parts[2] != "logs" or parts[5] != "anomaly-detector":
        raise INVALID_PARAMETER(f"Invalid anomaly detector ARN: {arn}")
    if parts[3] != ctx.region or parts[4] != ctx.account:
        ctx.authorize(arn)
        raise ANOMALY_DETECTOR_NOT_FOUND()
    return ANOMALY_DETECTORS.get(ctx, parts[6])


def owner_of(ctx: Context, detector: AnomalyDetector) -> sealing.Resource:
    """What the detector's findings are sealed as."""
    arn = ANOMALY_DETECTORS.arn(ctx, detector.id, account=detector.account, region=detector.region)
    return sealing.Resource(arn, detector.account, detector.region, detector.kms_key, _NAMES)
