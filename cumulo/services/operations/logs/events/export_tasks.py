"""Export tasks: events of a group as gzip files in a bucket.

Layout: <prefix>/<task id>/<stream, its slashes as dashes>/000000.gz, each line "<time in ISO 8601> <message>", beside
<prefix>/aws-logs-write-test. Source: CloudWatch Logs User Guide, "Exporting log data to Amazon S3"; answers of AWS.
"""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from cumulo.core.errors import Fault
from cumulo.core.operation import operation, task
from cumulo.core.table import REGION, Record, Table
from cumulo.services.operations.logs import pages
from cumulo.services.operations.logs.errors import (
    EXPORT_TASK_NOT_FOUND,
    INVALID_OPERATION,
    INVALID_PARAMETER,
    LIMIT_EXCEEDED,
)
from cumulo.services.operations.logs.groups import groups
from cumulo.services.operations.logs.groups.streams import STREAMS
from cumulo.services.operations.logs.protection import data_protection
from cumulo.services.operations.logs.stored import reading
from cumulo.services.operations.logs.stored.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cumulo.core.context import Context
    from cumulo.services.operations.logs.groups.groups import Group
    from cumulo.services.operations.logs.groups.streams import Stream
    from cumulo.services.operations.logs.lines import Line
    from cumulo.services.operations.logs.protection.data_protection import Masks
    from cumulo.stubs import logs as t

PREFIX = "exportedlogs"
WRITE_TEST, WRITE_TEST_BODY = "aws-logs-write-test", b"Permission Check Successful"
FILE_BYTES = 16 * 1024 * 1024
PENDING, RUNNING, COMPLETED, FAILED = "PENDING", "RUNNING", "COMPLETED", "FAILED"
PENDING_CANCEL, CANCELLED = "PENDING_CANCEL", "CANCELLED"
_ACTIVE = (PENDING, RUNNING, PENDING_CANCEL)


class ExportTask(Record):
    """An export. Times are milliseconds; `start` is included, `end` too."""

    id: str
    name: str
    group: bytes
    group_name: str
    stream_prefix: str
    start: int
    end: int
    bucket: str
    prefix: str
    created_ms: int
    completed_ms: int = 0
    status: str = PENDING
    message: str = ""


EXPORT_TASKS = Table(ExportTask, name="logs.export_tasks", key="id", scope=REGION)


@operation
async def create_export_task(ctx: Context, request: t.CreateExportTaskRequest) -> t.CreateExportTaskResponse:
    """Begin an export, if the bucket lets CloudWatch Logs and the caller write."""
    group = await ctx.transact(lambda ctx: groups.find(ctx, request["logGroupName"]))
    if request["from"] > request["to"]:
        raise INVALID_PARAMETER("The start time of the export must not be later than its end time.")
    if request["to"] < group.created_ms:
        raise INVALID_PARAMETER("The end time of the export must not be earlier than the creation of the log group.")
    bucket, prefix = request["destination"], request.get("destinationPrefix") or PREFIX
    await _check_bucket(ctx, group, bucket, prefix)
    export = ExportTask(
        ctx.uuid(),
        request.get("taskName") or "",
        group.id,
        group.name,
        request.get("logStreamNamePrefix") or "",
        request["from"],
        request["to"],
        bucket,
        prefix,
        int(ctx.now() * 1000),
    )
    await ctx.transact(partial(_begin, export=export))
    return {"taskId": export.id}


def _begin(ctx: Context, export: ExportTask) -> None:
    if any(each.status in _ACTIVE for each in EXPORT_TASKS.range(ctx)):
        raise LIMIT_EXCEEDED()
    EXPORT_TASKS.put(ctx, export)
    ctx.later(export_events, {"id": export.id})


async def _check_bucket(ctx: Context, group: Group, bucket: str, prefix: str) -> None:
    """Refuse a bucket that is not there or lets nobody write; leave the object that AWS leaves."""
    service = _service(ctx, group)
    try:
        await service.get_bucket_acl({"Bucket": bucket})
    except Fault as fault:
        if fault.code == "NoSuchBucket":
            raise INVALID_PARAMETER("The given bucket does not exist. Please make sure the bucket is valid.") from None
        raise INVALID_PARAMETER(_refused("GetBucketAcl")) from None
    test = {"Bucket": bucket, "Key": f"{prefix}/{WRITE_TEST}", "Body": WRITE_TEST_BODY}
    try:
        await ctx.aws.s3.put_object(test)
    except Fault:
        raise INVALID_PARAMETER(
            "Please ensure that the CreateExportTask caller has been granted s3:PutObject access to the bucket."
        ) from None
    try:
        await service.put_object({**test, "ACL": "bucket-owner-full-control"})
    except Fault:
        raise INVALID_PARAMETER(_refused("PutObject")) from None


def _refused(operation: str) -> str:
    return (
        f"{operation} call on the given bucket failed. Please check if CloudWatch Logs has been granted permission to "
        "perform this operation."
    )


def _service(ctx: Context, group: Group) -> Any:
    return ctx.as_service(f"logs.{group.region}", source_arn=group.arn, account=group.account, region=group.region).s3


@task
async def export_events(ctx: Context, payload: dict[str, Any]) -> None:
    """Write the files. What was begun before a crash is begun again, under the same names."""
    export = await ctx.transact(partial(_moved, id=payload["id"], before=(PENDING, RUNNING), status=RUNNING))
    if export is None:
        await ctx.transact(partial(_moved, id=payload["id"], before=(PENDING_CANCEL,), status=CANCELLED))
        return
    status, message = COMPLETED, "Completed successfully"
    try:
        if not await _write(ctx, export):
            status, message = CANCELLED, "Cancelled"
    except Fault as fault:
        status, message = FAILED, fault.message
    await ctx.transact(partial(_moved, id=export.id, before=_ACTIVE, status=status, message=message))


def _moved(ctx: Context, id: str, before: Sequence[str], status: str, message: str = "") -> ExportTask | None:
    """The task in its next state, None if it is in none of those before."""
    export = EXPORT_TASKS.peek(ctx, id)
    if export is None or export.status not in before:
        return None
    export.status = status
    export.message = message or ("Started successfully" if status == RUNNING else status)
    if status not in _ACTIVE:
        export.completed_ms = int(ctx.now() * 1000)
    EXPORT_TASKS.put(ctx, export)
    return export


async def _write(ctx: Context, export: ExportTask) -> bool:
    """Write all files; False when the task was cancelled meanwhile."""
    group = await ctx.transact(lambda ctx: groups.by_id(ctx, export.group))
    if group is None:
        return True  # it was deleted, and its events with it
    prefix = export.stream_prefix
    bounds = {"start": (prefix,), "end": (prefix + "\U0010ffff",)} if prefix else {}
    for stream in await ctx.transact(lambda ctx: STREAMS.range(ctx, group.id, **bounds)):  # type: ignore[arg-type]
        if stream.serial and not await _write_stream(ctx, export, group, stream):
            return False
    return True


async def _write_stream(ctx: Context, export: ExportTask, group: Group, stream: Stream) -> bool:
    after = None
    number = 0
    folder = f"{export.prefix}/{export.id}/{stream.name.replace('/', '-')}"
    while True:
        current = await ctx.transact(lambda ctx: EXPORT_TASKS.peek(ctx, export.id))
        if current is None or current.status != RUNNING:
            return False
        masks = await ctx.transact(lambda ctx: data_protection.masks_of(ctx, group))
        wanted = Reading(group, (stream,), export.start, export.end + 1, after, limit=1 << 20, most_bytes=FILE_BYTES)
        lines = await reading.read(ctx, wanted)
        if not lines:
            return True
        body = await ctx.in_thread(partial(_file, lines, masks))
        await _service(ctx, group).put_object(
            {
                "Bucket": export.bucket,
                "Key": f"{folder}/{number:06d}.gz",
                "Body": body,
                "ACL": "bucket-owner-full-control",
            }
        )
        after = lines[-1].position
        number += 1


def _file(lines: list[Line], masks: Masks | None) -> bytes:
    lines = data_protection.masking_of(masks)(lines)
    text = "".join([f"{_iso(line.timestamp)} {line.message}\n" for line in lines])
    return gzip.compress(text.encode(errors="surrogatepass"), 6, mtime=0)


def _iso(timestamp: int) -> str:
    return datetime.fromtimestamp(timestamp / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{timestamp % 1000:03d}Z"


@operation
def cancel_export_task(ctx: Context, request: t.CancelExportTaskRequest) -> None:
    """Stop an export; the files that it wrote stay."""
    export = EXPORT_TASKS.peek(ctx, request["taskId"])
    if export is None:
        raise EXPORT_TASK_NOT_FOUND()
    if export.status not in (PENDING, RUNNING):
        raise INVALID_OPERATION("The specified export task has already finished")
    _moved(ctx, export.id, (PENDING, RUNNING), PENDING_CANCEL)


@operation
def describe_export_tasks(ctx: Context, request: t.DescribeExportTasksRequest) -> t.DescribeExportTasksResponse:
    """Exports, the newest first."""
    wanted, status = request.get("taskId"), request.get("statusCode")
    found = [
        each
        for each in EXPORT_TASKS.range(ctx)
        if (wanted is None or each.id == wanted) and (status is None or each.status == status)
    ]
    found.sort(key=_key, reverse=True)
    page, more = pages.of_list(ctx, request, found, _key, descending=True)
    return {"exportTasks": [_described(each) for each in page], **more}


def _key(export: ExportTask) -> tuple[str | int, ...]:
    return export.created_ms, export.id


def _described(export: ExportTask) -> Any:
    execution = {"creationTime": export.created_ms}
    if export.completed_ms:
        execution["completionTime"] = export.completed_ms
    answer = {
        "taskId": export.id,
        "logGroupName": export.group_name,
        "from": export.start,
        "to": export.end,
        "destination": export.bucket,
        "destinationPrefix": export.prefix,
        "status": {"code": export.status, "message": export.message or export.status},
        "executionInfo": execution,
    }
    if export.name:
        answer["taskName"] = export.name
    return answer
