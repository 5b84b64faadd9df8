"""Jobs at work: prepared, run with their role in pieces of some objects, reported.

A piece is noted when it is done: a job goes on there after a crash, and may do one piece twice. Between pieces a job
lets those of higher priority go first.
Source: S3 User Guide, "Job statuses", "Completion reports".
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.callers import role_sessions
from cumulo.core.errors import Fault
from cumulo.core.operation import task
from cumulo.core.table import REGION, Record, Table
from cumulo.services.storage.s3control import generated_manifests, job_manifests, job_operations, jobs
from cumulo.services.storage.s3control.jobs import JOBS, SERVICE, Job

if TYPE_CHECKING:
    from cumulo.core.context import Context

PIECE = generated_manifests.PIECE
PAUSE_S = 1.0
MOST_FAILED = 0.5  # a job fails when more than half of its first thousand tasks have
COUNTED = 1000


class Outcome(Record):
    """What became of the objects of one piece: (bucket, key, version, error code or "", HTTP status, message)."""

    job: str
    position: int
    rows: list[tuple[str, str, str, str, int, str]]


OUTCOMES = Table(Outcome, name="s3control.job_outcomes", key=("job", "position"), scope=REGION)


@task
async def prepare(ctx: Context, payload: dict[str, Any]) -> None:
    """Read the manifest, count its objects, and go on, or wait for a confirmation."""
    job = await ctx.transact(lambda ctx: _move(ctx, payload["job"], jobs.PREPARING, (jobs.NEW, jobs.PREPARING)))
    if job is None:
        return
    try:
        acting = await ctx.transact(lambda ctx: _acting(ctx, job))
        written = None
        if "Manifest" in job.said:
            total = len(await job_manifests.read(acting.aws, job.said["Manifest"]))
        else:
            total, written = await generated_manifests.make(ctx, acting, job)
    except Fault as fault:
        failure = fault
        await ctx.transact(lambda ctx: _fail(ctx, payload["job"], failure))
        return
    await ctx.transact(lambda ctx: _prepared(ctx, payload["job"], total, written))


def _acting(ctx: Context, job: Job) -> Context:
    """A context of the job's role."""
    principal = role_sessions.assume(ctx, job.said["RoleArn"], SERVICE, f"s3-batch-{job.id[:8]}")
    acting = role_sessions.context(ctx, principal, "s3control", "CreateJob")
    acting.enter(None)
    return acting


def _move(ctx: Context, id: str, status: str, from_: tuple[str, ...]) -> Job | None:
    job = JOBS.peek(ctx, id)
    if job is None or job.status not in from_:
        return None
    job.status = status
    JOBS.put(ctx, job)
    return job


def _prepared(ctx: Context, id: str, total: int, written: tuple[str, str] | None) -> None:
    job = JOBS.peek(ctx, id)
    if job is None or job.status != jobs.PREPARING:
        return
    job.total = total
    job.manifest = written
    if job.said.get("ConfirmationRequired"):
        job.status = jobs.SUSPENDED
        job.suspended_at = ctx.now()
    else:
        job.status = jobs.READY
        ctx.later(run, {"job": id})
    JOBS.put(ctx, job)


def _fail(ctx: Context, id: str, fault: Fault) -> None:
    job = JOBS.peek(ctx, id)
    if job is not None and job.status not in jobs.OVER:
        job.status = jobs.FAILED
        job.ended_at = ctx.now()
        job.failures = [(fault.code, fault.message)]
        JOBS.put(ctx, job)


@task
async def run(ctx: Context, payload: dict[str, Any]) -> None:
    """Do a job, piece by piece."""
    id = payload["job"]
    try:
        found = None
        while True:
            job = await ctx.transact(lambda ctx: _turn(ctx, id))
            if job is None:
                return
            acting = await ctx.transact(lambda ctx, job=job: _acting(ctx, job))  # type: ignore[misc]
            if "Manifest" in job.said:
                found = found or await job_manifests.read(acting.aws, job.said["Manifest"])
                piece = found[job.position : job.position + PIECE]
            else:
                piece = await ctx.transact(lambda ctx, job=job: generated_manifests.piece(ctx, job))  # type: ignore[misc]
            if not piece:
                await _report(acting, ctx, job)
                await ctx.transact(lambda ctx: _end(ctx, id))
                return
            rows = [await job_operations.do(acting, job.id, job.said["Operation"], target) for target in piece]
            await ctx.transact(lambda ctx, job=job, rows=rows: _note(ctx, id, job.position, rows))  # type: ignore[misc]
    except Fault as fault:
        await ctx.transact(lambda ctx, fault=fault: _fail(ctx, id, fault))  # type: ignore[misc]


def _turn(ctx: Context, id: str) -> Job | None:
    """The job when it is its turn; None when it is over, or others come first."""
    job = JOBS.peek(ctx, id)
    if job is None or job.status not in (jobs.READY, jobs.ACTIVE, jobs.PAUSED):
        return None
    waiting = (jobs.READY, jobs.ACTIVE, jobs.PAUSED)
    if any(other.priority > job.priority and other.status in waiting for other in JOBS.range(ctx)):
        job.status = jobs.PAUSED
        ctx.later(run, {"job": id}, at=ctx.now() + PAUSE_S)
        JOBS.put(ctx, job)
        return None
    job.status = jobs.ACTIVE
    job.started_at = job.started_at or ctx.now()
    JOBS.put(ctx, job)
    return job


def _note(ctx: Context, id: str, position: int, rows: list[tuple[str, str, str, str, int, str]]) -> None:
    job = JOBS.peek(ctx, id)
    if job is None:
        return
    OUTCOMES.put(ctx, Outcome(id, position, rows))
    failed = len([row for row in rows if row[3]])
    job.position = position + len(rows)
    job.failed += failed
    job.succeeded += len(rows) - failed
    if job.position >= COUNTED and job.failed > job.position * MOST_FAILED and job.status not in jobs.OVER:
        job.status = jobs.FAILED
        job.ended_at = ctx.now()
        job.failures = [("TooManyFailedTasks", "More than half of the tasks have failed.")]
    JOBS.put(ctx, job)


def _end(ctx: Context, id: str) -> None:
    job = JOBS.peek(ctx, id)
    if job is not None and job.status not in jobs.OVER:
        job.status = jobs.COMPLETE
        job.ended_at = ctx.now()
        JOBS.put(ctx, job)
    for outcome in OUTCOMES.range(ctx, id):
        OUTCOMES.delete(ctx, outcome)
    generated_manifests.forget(ctx, id)


async def _report(acting: Context, ctx: Context, job: Job) -> None:
    """The files of results, and the manifest that names them."""
    report = job.said["Report"]
    if not report["Enabled"]:
        return
    outcomes = await ctx.transact(lambda ctx: OUTCOMES.range(ctx, job.id))
    rows = [row for outcome in outcomes for row in outcome.rows]
    bucket = report["Bucket"].rpartition(":::")[2]
    prefix = f"{report['Prefix']}/" if report.get("Prefix") else ""
    root = f"{prefix}job-{job.id}"
    results = []
    for status, wanted in (("succeeded", False), ("failed", True)):
        some = [row for row in rows if bool(row[3]) is wanted]
        if not some or (status == "succeeded" and report["ReportScope"] == "FailedTasksOnly"):
            continue
        key = f"{root}/results/{ctx.uuid().replace('-', '')}.csv"
        await acting.aws.s3.put_object({"Bucket": bucket, "Key": key, "Body": _csv(some, status)})
        results.append({"TaskExecutionStatus": status, "Bucket": bucket, "Key": key})
    manifest = {
        "Format": "Report_CSV_20180820",
        "ReportCreationDate": ctx.now(),
        "Results": results,
        "ReportSchema": "Bucket, Key, VersionId, TaskStatus, ErrorCode, HTTPStatusCode, ResultMessage",
    }
    body = msgspec.json.encode(manifest)
    await acting.aws.s3.put_object({"Bucket": bucket, "Key": f"{root}/manifest.json", "Body": body})


def _csv(rows: list[tuple[str, str, str, str, int, str]], status: str) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(
        [(bucket, key, version, status, code, http, said) for bucket, key, version, code, http, said in rows]
    )
    return text.getvalue().encode("utf-8", "replace")
