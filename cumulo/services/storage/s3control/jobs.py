"""Batch operations: jobs that do one thing to many objects.

Source: S3 User Guide, "Performing object operations in bulk with Batch Operations", "Job statuses", "Assigning job
priority"; S3 API Reference, CreateJob.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from cumulo.core import paging
from cumulo.core.errors import not_implemented
from cumulo.core.operation import operation
from cumulo.core.table import REGION, Record, Table
from cumulo.core.tags import to_list
from cumulo.services.storage.s3control import accounts, job_checksums, job_functions, job_tags
from cumulo.services.storage.s3control.errors import BAD_JOB, INVALID_NEXT_TOKEN, JOB_STATUS, NO_SUCH_JOB

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cumulo.core.context import Context
    from cumulo.stubs import s3control as t

NEW, PREPARING, SUSPENDED, READY, ACTIVE, PAUSED = "New", "Preparing", "Suspended", "Ready", "Active", "Paused"
COMPLETE, FAILED, CANCELLED = "Complete", "Failed", "Cancelled"
OVER = frozenset((COMPLETE, FAILED, CANCELLED))
OPERATIONS = (
    "S3PutObjectCopy", "S3PutObjectAcl", "S3PutObjectTagging", "S3DeleteObjectTagging", "S3InitiateRestoreObject",
    "S3PutObjectLegalHold", "S3PutObjectRetention", "S3ReplicateObject", "LambdaInvoke",
    "S3ComputeObjectChecksum", "S3UpdateObjectEncryption",
)  # fmt: skip
SERVICE = "batchoperations.s3"
GENERATED = "S3InventoryReport_CSV_20211130"
FORMATS = ("S3BatchOperations_CSV_20180820", "S3InventoryReport_CSV_20161130")


class Job(Record):
    """A job. `request` is CreateJob's, as msgpack; times are cloud time in seconds. `position` counts the objects of
    the manifest that are done with."""

    id: str
    token: str
    status: str
    priority: int
    created_at: float
    request: bytes
    position: int = 0
    total: int = 0
    succeeded: int = 0
    failed: int = 0
    ended_at: float = 0
    suspended_at: float = 0
    reason: str = ""
    failures: list[tuple[str, str]] = []
    started_at: float = 0
    manifest: tuple[str, str] | None = None  # ARN and ETag of the one that was generated and written out
    tags: dict[str, str] = {}

    @property
    def said(self) -> dict[str, Any]:
        """The request that made it."""
        return cast("dict[str, Any]", msgspec.msgpack.decode(self.request))


JOBS = Table(
    Job,
    name="s3control.jobs",
    key="id",
    scope=REGION,
    arn="arn:{partition}:s3:{region}:{account}:job/{id}",
    missing=NO_SUCH_JOB,
    tags=lambda job: job.tags,
    indexes={"by_token": ("token",)},
)


@operation
def create_job(ctx: Context, request: t.CreateJobRequest) -> t.CreateJobResult:
    accounts.check(ctx, request)
    for there in JOBS.range(ctx, request["ClientRequestToken"], index="by_token", limit=1):
        return {"JobId": there.id}
    _check(request)
    ctx.pass_role(request["RoleArn"], f"{SERVICE}.amazonaws.com")
    job = Job(
        ctx.uuid(),
        request["ClientRequestToken"],
        NEW,
        request["Priority"],
        ctx.now(),
        msgspec.msgpack.encode({name: value for name, value in request.items() if name != "AccountId"}),
        tags=job_tags.checked(request.get("Tags", [])),
    )
    JOBS.put(ctx, job)
    from cumulo.services.storage.s3control import job_runs

    ctx.later(job_runs.prepare, {"job": job.id})
    return {"JobId": job.id}


def _check(request: t.CreateJobRequest) -> None:
    wanted = list(request["Operation"])
    if len(wanted) != 1:
        raise BAD_JOB("Exactly one operation must be specified.")
    if wanted[0] not in OPERATIONS:
        raise not_implemented("s3control", "CreateJob", wanted[0])
    job_functions.check(request["Operation"])
    job_checksums.check(request["Operation"])
    _check_manifest(request)
    report = request["Report"]
    if report["Enabled"] and not all(report.get(member) for member in ("Bucket", "Format", "ReportScope")):
        raise BAD_JOB("Bucket, Format and ReportScope are required when a report is enabled.")


def _check_manifest(request: t.CreateJobRequest) -> None:
    manifest: Mapping[str, Any] | None = request.get("Manifest")
    generator: Mapping[str, Any] = (request.get("ManifestGenerator") or {}).get("S3JobManifestGenerator") or {}
    if (manifest is None) == (not generator):
        raise BAD_JOB("Either a manifest or a manifest generator must be specified.")
    if manifest is None:
        if generator["EnableManifestOutput"] and "ManifestOutputLocation" not in generator:
            raise BAD_JOB("ManifestOutputLocation is required when EnableManifestOutput is true.")
        return
    spec = manifest["Spec"]
    if spec["Format"] == FORMATS[0]:
        fields = spec.get("Fields") or []
        if "Bucket" not in fields or "Key" not in fields:
            raise BAD_JOB("Missing required fields Bucket and Key in the manifest's specification.")
    elif spec.get("Fields"):
        raise BAD_JOB("Fields must not be specified for an inventory report.")


@operation
def describe_job(ctx: Context, request: t.DescribeJobRequest) -> t.DescribeJobResult:
    accounts.check(ctx, request)
    job = JOBS.get(ctx, request["JobId"])
    said = job.said
    shown = _summary(job, said)
    shown["Operation"] = said["Operation"]
    shown["JobArn"] = JOBS.arn(ctx, job.id)
    shown["ConfirmationRequired"] = said.get("ConfirmationRequired", False)
    for member in ("Manifest", "ManifestGenerator", "Report", "RoleArn"):
        if member in said:
            shown[member] = said[member]
    if job.manifest:
        arn, etag = job.manifest
        shown["GeneratedManifestDescriptor"] = {"Format": GENERATED, "Location": {"ObjectArn": arn, "ETag": etag}}
    if job.reason:
        shown["StatusUpdateReason"] = job.reason
    if job.failures:
        shown["FailureReasons"] = [{"FailureCode": code, "FailureReason": text} for code, text in job.failures]
    if job.suspended_at:
        shown["SuspendedDate"] = job.suspended_at
        shown["SuspendedCause"] = "AwaitingConfirmation"
    return {"Job": shown}  # type: ignore[typeddict-item]


def _summary(job: Job, said: dict[str, Any]) -> dict[str, Any]:
    active = (job.ended_at or job.created_at) - job.started_at if job.started_at and job.ended_at else 0
    shown: dict[str, Any] = {
        "JobId": job.id,
        "Priority": job.priority,
        "Status": job.status,
        "CreationTime": job.created_at,
        "ProgressSummary": {
            "TotalNumberOfTasks": job.total,
            "NumberOfTasksSucceeded": job.succeeded,
            "NumberOfTasksFailed": job.failed,
            "Timers": {"ElapsedTimeInActiveSeconds": int(active)},
        },
    }
    if said.get("Description"):
        shown["Description"] = said["Description"]
    if job.ended_at:
        shown["TerminationDate"] = job.ended_at
    return shown


@operation
def put_job_tagging(ctx: Context, request: t.PutJobTaggingRequest) -> t.PutJobTaggingResult:
    """Replace the tags. Raises TooManyTagsException, InvalidTag."""
    accounts.check(ctx, request)
    job = JOBS.get(ctx, request["JobId"])
    job.tags = job_tags.checked(request["Tags"])
    JOBS.put(ctx, job)
    return {}


@operation
def get_job_tagging(ctx: Context, request: t.GetJobTaggingRequest) -> t.GetJobTaggingResult:
    """The tags, by key."""
    accounts.check(ctx, request)
    return cast("t.GetJobTaggingResult", {"Tags": to_list(JOBS.get(ctx, request["JobId"]).tags)})


@operation
def delete_job_tagging(ctx: Context, request: t.DeleteJobTaggingRequest) -> t.DeleteJobTaggingResult:
    """Remove all tags."""
    accounts.check(ctx, request)
    job = JOBS.get(ctx, request["JobId"])
    job.tags = {}
    JOBS.put(ctx, job)
    return {}


@operation
def list_jobs(ctx: Context, request: t.ListJobsRequest) -> t.ListJobsResult:
    accounts.check(ctx, request)
    wanted = request.get("JobStatuses")
    found = [job for job in JOBS.range(ctx) if not wanted or job.status in wanted]
    found.sort(key=lambda job: (-job.created_at, job.id))
    token = request.get("NextToken")
    start = 0
    if token is not None:
        (start,) = cast("tuple[int]", paging.decode(ctx, token, INVALID_NEXT_TOKEN()))
    limit = request.get("MaxResults") or 1000
    page = found[start : start + limit]
    shown = [{**_summary(job, job.said), "Operation": next(iter(job.said["Operation"]))} for job in page]
    answer: dict[str, Any] = {"Jobs": shown}
    if start + limit < len(found):
        answer["NextToken"] = paging.encode(ctx, (start + limit,))
    return cast("t.ListJobsResult", answer)


@operation
def update_job_priority(ctx: Context, request: t.UpdateJobPriorityRequest) -> t.UpdateJobPriorityResult:
    accounts.check(ctx, request)
    job = JOBS.get(ctx, request["JobId"])
    if job.status in OVER:
        raise BAD_JOB("The job is over: its priority cannot be changed.")
    job.priority = request["Priority"]
    JOBS.put(ctx, job)
    return {"JobId": job.id, "Priority": job.priority}


@operation
def update_job_status(ctx: Context, request: t.UpdateJobStatusRequest) -> t.UpdateJobStatusResult:
    accounts.check(ctx, request)
    job = JOBS.get(ctx, request["JobId"])
    wanted = request["RequestedJobStatus"]
    if job.status in OVER or (wanted == READY and job.status != SUSPENDED):
        raise JOB_STATUS(status=wanted)
    job.reason = request.get("StatusUpdateReason", "")
    job.status = wanted
    if wanted == CANCELLED:
        job.ended_at = ctx.now()
    else:
        from cumulo.services.storage.s3control import job_runs

        ctx.later(job_runs.run, {"job": job.id})
    JOBS.put(ctx, job)
    answer = {"JobId": job.id, "Status": job.status}
    if job.reason:
        answer["StatusUpdateReason"] = job.reason
    return cast("t.UpdateJobStatusResult", answer)
