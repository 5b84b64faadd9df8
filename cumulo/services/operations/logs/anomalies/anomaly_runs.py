"""The runs of anomaly detectors: a chain of durable tasks, each a look at the windows of time that are over.

A window is looked at half a minute after its end, for what comes late. A detector trains on the events of two weeks
before it; where there are none it learns for a quarter of an hour, and until something has come. Source: CloudWatch
Logs User Guide, "Log anomaly detection".
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from cumulo.core.errors import Fault
from cumulo.core.operation import task
from cumulo.services.operations.logs.anomalies import anomaly_records, log_anomalies
from cumulo.services.operations.logs.anomalies.anomaly_records import (
    ANALYZING,
    ANOMALY_DETECTORS,
    ANOMALY_MODELS,
    FAILED,
    FREQUENCIES,
    LOG_ANOMALIES,
    PAUSED,
    TRAINING,
    AnomalyModel,
    LogAnomaly,
)
from cumulo.services.operations.logs.detection import baselines, findings
from cumulo.services.operations.logs.detection.baselines import MEMORY_MS, VALUES_MOST, Model
from cumulo.services.operations.logs.detection.findings import BEYOND, NEW, PRIORITIES, Details, Finding
from cumulo.services.operations.logs.events import filtering
from cumulo.services.operations.logs.filters import followers, service_meters
from cumulo.services.operations.logs.groups import groups, sealing
from cumulo.services.operations.logs.protection import data_protection
from cumulo.services.operations.logs.stored import reading
from cumulo.services.operations.logs.stored.reading import Reading

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.operations.logs.anomalies.anomaly_records import AnomalyDetector
    from cumulo.services.operations.logs.groups.groups import Group
    from cumulo.services.operations.logs.lines import Line
    from cumulo.services.operations.logs.protection.data_protection import Masks

LATE_MS = 30_000
ABSENT_MS = 10 * 60_000  # a run that is later finds that the cloud was not there
HISTOGRAM_MOST = 1000  # the last windows of an anomaly
TRAINING_MS = 15 * 60_000
KEPT_MS = 90 * 86_400_000  # the longest visibility: afterwards nobody needs to see what became normal
READ_LINES, READ_BYTES = 10_000, 8 * 1024 * 1024  # at a time
MOST_LINES = 200_000  # that one run looks at: of more, it trains on the last and judges the first
_encode = msgspec.msgpack.Encoder().encode
_decode_model = msgspec.msgpack.Decoder(Model).decode
_decode_details = msgspec.msgpack.Decoder(Details).decode


def plan(ctx: Context, detector: AnomalyDetector, at: float) -> None:
    """Keep a detector with the task of its next run."""
    rest(ctx, detector)
    detector.task = ctx.later(run_detector, {"id": detector.id}, at=at)
    ANOMALY_DETECTORS.put(ctx, detector)


def rest(ctx: Context, detector: AnomalyDetector) -> None:
    """Keep a detector without a next run."""
    if detector.task:
        ctx.cancel(detector.task)
        detector.task = ""
    ANOMALY_DETECTORS.put(ctx, detector)


def forget(ctx: Context, detector: AnomalyDetector) -> None:
    """Drop what a detector learned and found."""
    model = ANOMALY_MODELS.peek(ctx, detector.id)
    if model is not None:
        ANOMALY_MODELS.delete(ctx, model)
    for anomaly in LOG_ANOMALIES.range(ctx, detector.id):
        LOG_ANOMALIES.delete(ctx, anomaly)


class _Begun(NamedTuple):
    """What a run works with: `packed` is the model, empty before the first."""

    detector: AnomalyDetector
    group: Group
    masks: Masks | None
    packed: bytes
    anomalies: list[LogAnomaly]


class _Done(NamedTuple):
    """What came of a run."""

    packed: bytes
    findings: list[Finding]
    is_trained: bool
    until_ms: int


@task
async def run_detector(ctx: Context, payload: dict[str, Any]) -> None:
    """Look at what came to a detector's group, and plan the next look. One that KMS lets no more is FAILED."""
    try:
        begun = await ctx.transact(partial(_begin, detector_id=payload["id"]))
        if begun is not None:
            done = await _run(ctx, begun)
            await ctx.transact(partial(_end, begun=begun, done=done))
    except Fault as fault:
        ctx.logger.warning("the anomaly detector %s failed: %s", payload["id"], fault.message)
        await ctx.transact(partial(_fail, detector_id=payload["id"]))


def _fail(ctx: Context, detector_id: str) -> None:
    detector = ANOMALY_DETECTORS.peek(ctx, detector_id)
    if detector is not None:
        detector.status = FAILED
        rest(ctx, detector)


async def _run(ctx: Context, begun: _Begun) -> _Done:
    now_ms = int(ctx.now() * 1000)
    window_ms = FREQUENCIES[begun.detector.frequency]
    until = (now_ms - LATE_MS) // window_ms
    model = await ctx.in_thread(partial(_unpacked, begun.packed, window_ms))
    if begun.detector.paused_ms and begun.packed:
        baselines.skip(model, begun.detector.paused_ms // window_ms, until)
    start = max(model.until * window_ms, now_ms - MEMORY_MS)
    lines = await _lines(ctx, begun, start, until * window_ms, latest=not begun.packed)
    if begun.packed and len(lines) >= MOST_LINES:
        lines, until = _cut(lines, start // window_ms, window_ms)
    return await ctx.in_thread(partial(_worked_out, begun, model, lines, until, now_ms))


def _cut(lines: list[tuple[int, str]], first: int, window_ms: int) -> tuple[list[tuple[int, str]], int]:
    """Of too many lines those of whole windows, and the window after them; of one window as many as there are."""
    last = lines[-1][0] // window_ms
    if last == first:
        return lines, last + 1
    return [line for line in lines if line[0] // window_ms < last], last


def _begin(ctx: Context, detector_id: str) -> _Begun | None:
    detector = ANOMALY_DETECTORS.peek(ctx, detector_id)
    if detector is None or detector.status in (PAUSED, FAILED):
        return None
    group = groups.by_id(ctx, detector.group)
    if group is None:
        _fail(ctx, detector_id)
        return None
    kept = ANOMALY_MODELS.peek(ctx, detector.id)
    packed = b""
    if kept is not None and kept.round == detector.round:
        packed = _opened(ctx, detector, kept.packed, sealed=kept.sealed)
    else:
        detector.status = TRAINING
        ANOMALY_DETECTORS.put(ctx, detector)
    anomalies = LOG_ANOMALIES.range(ctx, detector.id)
    return _Begun(detector, group, data_protection.masks_of(ctx, group), packed, anomalies)


def _opened(ctx: Context, detector: AnomalyDetector, data: bytes, *, sealed: bool) -> bytes:
    return sealing.open(ctx, anomaly_records.owner_of(ctx, detector), data) if sealed else data


def _sealed(ctx: Context, detector: AnomalyDetector, data: bytes) -> bytes:
    return sealing.seal(ctx, anomaly_records.owner_of(ctx, detector), data) if detector.kms_key else data


def _unpacked(packed: bytes, window_ms: int) -> Model:
    return _decode_model(zlib.decompress(packed)) if packed else Model(window_ms)


async def _lines(ctx: Context, begun: _Begun, start: int, end: int, *, latest: bool) -> list[tuple[int, str]]:
    """Times and messages of a time: what the detector's pattern chooses, masked, in the order of time."""
    wanted = Reading(begun.group, None, start, end, None, READ_LINES, latest, READ_BYTES)
    found: list[tuple[int, str]] = []
    while start < end and len(found) < MOST_LINES:
        lines = await reading.read(ctx, wanted)
        found += await ctx.in_thread(partial(_chosen, begun, lines))
        if not lines or (len(lines) < READ_LINES and sum([len(line.message) for line in lines]) < READ_BYTES // 2):
            break
        wanted = wanted._replace(after=lines[-1].position)
    return found[::-1] if latest else found


def _chosen(begun: _Begun, lines: Sequence[Line]) -> list[tuple[int, str]]:
    matches = filtering.read_pattern(begun.detector.pattern).matches
    if begun.masks is not None:
        lines = begun.masks.lines(lines)
    return [(line.timestamp, line.message) for line in lines if matches(line.message)]


def _worked_out(begun: _Begun, model: Model, lines: Sequence[tuple[int, str]], until: int, now_ms: int) -> _Done:
    detector = begun.detector
    by_subject = {each.subject: each for each in begun.anomalies}
    for each in by_subject.values():
        if not each.baseline and not log_anomalies.is_visible(detector, each, now_ms):
            log_anomalies.accept(each)
    found: list[Finding] = []
    is_trained = detector.trained and bool(begun.packed)
    if is_trained:
        late = now_ms - model.until * model.window_ms > 3 * model.window_ms + ABSENT_MS
        found = findings.evaluate(model, lines, until, partial(_is_normal, by_subject), late=late)
    else:
        findings.train(model, lines)
        model.until = max(model.until, until)
        waited = detector.modified_ms + TRAINING_MS <= now_ms
        is_trained = bool(model.patterns) and (waited or not begun.packed)
    return _Done(zlib.compress(_encode(model), 1), found, is_trained, until * model.window_ms)


def _is_normal(by_subject: dict[str, LogAnomaly], subject: str, lines: int) -> bool:
    anomaly = by_subject.get(subject)
    if anomaly is None or not anomaly.baseline:
        return False
    if subject.split(" ")[1] == NEW:
        return True
    if log_anomalies.is_of_fewer(subject):
        return lines >= anomaly.accepted
    return lines <= anomaly.accepted * BEYOND


def _end(ctx: Context, begun: _Begun, done: _Done) -> None:
    """The model, the anomalies and the next run; nothing if the detector was changed meanwhile."""
    detector = ANOMALY_DETECTORS.peek(ctx, begun.detector.id)
    if detector is None or detector.status == PAUSED or detector.round != begun.detector.round:
        return
    detector.trained, detector.paused_ms = done.is_trained, 0
    detector.status = ANALYZING if done.is_trained else TRAINING
    packed = _sealed(ctx, detector, done.packed)
    ANOMALY_MODELS.put(ctx, AnomalyModel(detector.id, detector.round, packed, bool(detector.kms_key)))
    _take(ctx, detector, begun, done)
    window_ms = FREQUENCIES[detector.frequency]
    plan(ctx, detector, (done.until_ms + window_ms + LATE_MS) / 1000)


def _take(ctx: Context, detector: AnomalyDetector, begun: _Begun, done: _Done) -> None:
    """Write down what was found, and what became normal or was not found again."""
    now_ms = int(ctx.now() * 1000)
    became = {each.id for each in begun.anomalies if each.baseline}
    known: dict[str, LogAnomaly] = {}
    for each in LOG_ANOMALIES.range(ctx, detector.id):
        if each.last_ms < now_ms - KEPT_MS:
            LOG_ANOMALIES.delete(ctx, each)
            continue
        if each.id in became and not each.baseline:
            log_anomalies.accept(each)
        known[each.subject] = each
    counts: dict[str, int] = {}
    found: dict[str, LogAnomaly] = {}
    for finding in done.findings:
        anomaly = known.get(finding.subject) or _new(ctx, detector, finding)
        known[finding.subject] = anomaly
        if log_anomalies.suppression(detector, anomaly, now_ms) is None:
            if finding.subject not in found:
                # "To have the alarm count only high- and medium-priority anomalies, enter MEDIUM" (User Guide).
                for priority in PRIORITIES[PRIORITIES.index(finding.priority) :]:
                    counts[priority] = counts.get(priority, 0) + 1
            found[finding.subject] = anomaly
            _add(ctx, detector, anomaly, finding)
    for subject, each in known.items():
        each.active = subject in found
        if each.histogram:  # one that is suppressed with its pattern before it was ever seen is none
            LOG_ANOMALIES.put(ctx, each)
    for priority, count in counts.items():
        dimensions = [
            {"Name": "LogAnomalyDetector", "Value": detector.name},
            {"Name": "LogAnomalyPriority", "Value": priority},
        ]
        datum = {"MetricName": "AnomalyCount", "Dimensions": dimensions, "Timestamp": ctx.now(), "Value": count}
        followers.put_metrics(ctx, begun.group, service_meters.NAMESPACE, [datum])


def _new(ctx: Context, detector: AnomalyDetector, finding: Finding) -> LogAnomaly:
    return LogAnomaly(
        detector.id,
        ctx.uuid(),
        finding.subject,
        finding.pattern,
        finding.priority,
        finding.details.samples[0][0] if finding.details.samples else finding.window_ms,
        finding.last_ms,
        b"",
    )


def _add(ctx: Context, detector: AnomalyDetector, anomaly: LogAnomaly, finding: Finding) -> None:
    """One more window of an anomaly; one that was normal and is worse now begins anew."""
    details = finding.details
    if anomaly.baseline:
        anomaly.baseline, anomaly.histogram, anomaly.first_ms = False, {}, finding.window_ms
    elif anomaly.details:
        before = _decode_details(_opened(ctx, detector, anomaly.details, sealed=anomaly.sealed))
        details = _together(before, details)
    anomaly.details = _sealed(ctx, detector, _encode(details))
    anomaly.sealed = bool(detector.kms_key)
    anomaly.priority = finding.priority
    anomaly.last_ms = finding.last_ms
    window = str(finding.window_ms)
    anomaly.histogram[window] = anomaly.histogram.get(window, 0) + finding.lines
    if len(anomaly.histogram) > HISTOGRAM_MOST:
        del anomaly.histogram[min(anomaly.histogram)]


def _together(before: Details, now: Details) -> Details:
    """The details of an anomaly as they are now, with the samples and the values of before."""
    samples = (before.samples + now.samples)[: findings.SAMPLES]
    if len(before.tokens) == len(now.tokens):
        for old, new in zip(before.tokens, now.tokens, strict=True):
            values = dict(old.values)
            for text, count in new.values.items():
                values[text] = values.get(text, 0) + count
            new.values = dict(sorted(values.items(), key=lambda entry: -entry[1])[:VALUES_MOST])
    now.samples = samples
    return now
