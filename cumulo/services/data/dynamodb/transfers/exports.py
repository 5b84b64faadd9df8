"""Exports to S3: the jobs and what may be asked of them; export_files.py writes them.

Sources: Amazon DynamoDB Developer Guide, "DynamoDB data export to Amazon S3"; answers of AWS for order and texts.
Without an ExportTime the table is exported as it is now.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cumulo.core import paging
from cumulo.core.change_streams import number_at
from cumulo.core.errors import Error, not_implemented
from cumulo.core.operation import operation
from cumulo.services.data.dynamodb.backups import continuous_backups
from cumulo.services.data.dynamodb.backups.backups import seconds
from cumulo.services.data.dynamodb.errors import (
    BACKUP_TABLE_NOT_FOUND,
    EXPORT_CONFLICT,
    EXPORT_NOT_FOUND,
    INVALID_EXPORT_TIME,
    RECOVERY_UNAVAILABLE,
    VALIDATION,
)
from cumulo.services.data.dynamodb.stored import snapshots
from cumulo.services.data.dynamodb.tables.key_schemas import INVALID
from cumulo.services.data.dynamodb.tables.tables import CREATING, TABLES, TableRecord
from cumulo.services.data.dynamodb.transfers import export_files, job_callers
from cumulo.services.data.dynamodb.transfers.export_filters import ExportFilter
from cumulo.services.data.dynamodb.transfers.export_jobs import EXPORTS, Export

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import dynamodb as t

FULL, INCREMENTAL = "FULL_EXPORT", "INCREMENTAL_EXPORT"
SHORTEST_S, LONGEST_S = 900, 86_400
PAGE = 25
_TOKEN_DAYS_S = 8 * 3600


@operation
def export_table_to_point_in_time(
    ctx: Context, request: t.ExportTableToPointInTimeInput
) -> t.ExportTableToPointInTimeOutput:
    """Begin to write a table, or what changed in it, into a bucket."""
    given: Mapping[str, Any] = request
    _check_form(given)
    table = _table(ctx, request["TableArn"])
    again = _same(ctx, table, given)
    if again is not None:
        return {"ExportDescription": described(again)}  # type: ignore[typeddict-item]
    if not table.recovers_since:
        raise RECOVERY_UNAVAILABLE(name=table.name)
    if request.get("ExportFormat") == "ION":
        raise not_implemented("dynamodb", "ExportTableToPointInTime", "ExportFormat ION")
    export = _new(ctx, table, given)
    if "FilterSpecification" in request:
        if export.kind == INCREMENTAL:  # AWS does not say of which of an item's images it speaks
            raise not_implemented("dynamodb", "ExportTableToPointInTime", "FilterSpecification of INCREMENTAL_EXPORT")
        export.filter = dict(request["FilterSpecification"])
        ExportFilter(export.filter, table)
    if export.kind == INCREMENTAL:
        ctx.later(export_files.write_changes, {"table": export.table, "id": export.id, "account": export.account})
    else:
        payload = {"table": export.table, "id": export.id, "account": export.account}
        number = number_at(export.time) if "ExportTime" in request else None
        export.snapshot = snapshots.begin(ctx, table, "export", payload, number).id
    EXPORTS.put(ctx, export, account=export.account)
    return {"ExportDescription": described(export)}  # type: ignore[typeddict-item]


def _check_form(request: Mapping[str, Any]) -> None:
    kind, specification = request.get("ExportType"), request.get("IncrementalExportSpecification")
    if specification is not None and kind is None:
        raise VALIDATION(
            "Invalid Request: Export Type expected to be Incremental Export when incremental export specification is "
            "provided"
        )
    if specification is not None and kind == FULL:
        raise VALIDATION(
            "Invalid Request: When Export Type is Full Export , Incremental Export Specification should not be provided"
        )
    if kind == INCREMENTAL and specification is None:
        raise VALIDATION(
            "Invalid Request: Incremental Export Specification expected when export type is set as Incremental Export"
        )
    if specification is not None and "ExportFromTime" not in specification:
        raise VALIDATION("Invalid Request: ExportFromTime must be provided in IncrementalExportSpecification")
    if "S3SseKmsKeyId" in request and request.get("S3SseAlgorithm") != "KMS":
        raise VALIDATION("Invalid Request: KMS Key Id is not supported for this encryption type")


def _table(ctx: Context, arn: str) -> TableRecord:
    if not arn.startswith("arn:"):
        raise VALIDATION(f"{INVALID}tableArn is not a valid ARN")
    parts = arn.split(":", 5)
    kind, _, name = parts[-1].partition("/")
    if len(parts) != 6 or kind != "table" or "/" in name:
        raise VALIDATION("Invalid Request: Table ARN is invalid.")
    table = TABLES.peek(ctx, name, account=parts[4]) if parts[3] == ctx.region else None
    if table is None or table.filling or table.status == CREATING:
        ctx.authorize(arn)
        raise BACKUP_TABLE_NOT_FOUND(name=arn)
    ctx.authorize(arn, policy=table.policy or None, tags=table.tags)
    return table


_ASKED = ("TableArn", "S3Bucket", "S3BucketOwner", "S3Prefix", "S3SseAlgorithm", "S3SseKmsKeyId", "ExportFormat",
          "ExportType", "FilterSpecification")  # fmt: skip


def _asked(request: Mapping[str, Any]) -> dict[str, Any]:
    """What has to be the same under one client token."""
    asked = {name: request[name] for name in _ASKED if name in request}
    if "ExportTime" in request:
        asked["ExportTime"] = seconds(request["ExportTime"])
    for name, value in (request.get("IncrementalExportSpecification") or {}).items():
        asked[name] = value if isinstance(value, str) else seconds(value)
    return asked


def _same(ctx: Context, table: TableRecord, request: Mapping[str, Any]) -> Export | None:
    """The export that this client token began."""
    token = request.get("ClientToken")
    if token is None:
        return None
    for export in EXPORTS.range(ctx, token, index="by_token", account=table.account):
        if ctx.now() < export.started_at + _TOKEN_DAYS_S:
            if export.asked != _asked(request):
                raise EXPORT_CONFLICT()
            return export
    return None


def _new(ctx: Context, table: TableRecord, request: Mapping[str, Any]) -> Export:
    now = ctx.now()
    kind = request.get("ExportType") or FULL
    export = Export(
        table.name,
        f"{int(now * 1000):014d}-{ctx.random_bytes(4).hex()}",
        table.account,
        table.region,
        table,
        now,
        kind,
        _asked(request),
        request.get("ClientToken") or ctx.uuid(),
        job_callers.keep(ctx),
        request["S3Bucket"],
        request.get("S3BucketOwner", ""),
        request.get("S3Prefix", ""),
        request.get("S3SseAlgorithm", "AES256"),
        request.get("S3SseKmsKeyId", ""),
    )
    if kind == INCREMENTAL:
        _window(ctx, table, export, request["IncrementalExportSpecification"])
        return export
    export.time = seconds(request["ExportTime"]) if "ExportTime" in request else now
    earliest, _ = continuous_backups.window(ctx, table)
    if not int(earliest) <= export.time <= now:
        raise INVALID_EXPORT_TIME("Export Time is invalid")
    return export


def _window(ctx: Context, table: TableRecord, export: Export, specification: Mapping[str, Any]) -> None:
    begin, now = seconds(specification["ExportFromTime"]), ctx.now()
    end = seconds(specification["ExportToTime"]) if "ExportToTime" in specification else now
    earliest, _ = continuous_backups.window(ctx, table)
    if begin < int(earliest) or begin > end:
        raise INVALID_EXPORT_TIME(
            "Incremental export period from time cannot be less than the table creation time : "
            f"{export_files.iso(begin, 'seconds')}"
        )
    if end > now:
        raise INVALID_EXPORT_TIME(
            "Incremental export period to time cannot be greater than the current time : "
            f"{export_files.iso(end, 'seconds')}"
        )
    if end - begin < SHORTEST_S:
        raise INVALID_EXPORT_TIME(
            "Difference between export period from time and export period to time is less than 15 minutes"
        )
    if end - begin > LONGEST_S:
        raise INVALID_EXPORT_TIME(
            "Difference between export period from time and export period to time is greater than 24 hours"
        )
    export.begin, export.end = begin, end
    export.view = specification.get("ExportViewType", "NEW_AND_OLD_IMAGES")


def described(export: Export) -> dict[str, Any]:
    """ExportDescription: sizes, manifest and end only of what has ended."""
    shown: dict[str, Any] = {
        "ExportArn": export.arn,
        "ExportStatus": export.status,
        "StartTime": export.started_at,
        "TableArn": export.source.arn,
        "TableId": export.source.id,
        "ClientToken": export.token,
        "S3Bucket": export.bucket,
        "S3SseAlgorithm": export.sse,
        "ExportFormat": "DYNAMODB_JSON",
    }
    if export.kind == INCREMENTAL:
        shown["ExportType"] = INCREMENTAL
        shown["IncrementalExportSpecification"] = {
            "ExportFromTime": export.begin,
            "ExportToTime": export.end,
            "ExportViewType": export.view,
        }
    else:
        shown["ExportTime"] = export.time
    for member, value in (
        ("S3BucketOwner", export.owner),
        ("S3Prefix", export.prefix),
        ("S3SseKmsKeyId", export.kms_key),
        ("ExportManifest", export.manifest),
        ("EndTime", export.ended_at),
        ("FailureCode", export.failure_code),
        ("FailureMessage", export.failure),
    ):
        if value:
            shown[member] = value
    if export.filter:
        shown["FilterSpecification"] = export.filter
    if export.manifest:
        shown["ItemCount"], shown["BilledSizeBytes"] = export.count, export.size
    return shown


@operation
def describe_export(ctx: Context, request: t.DescribeExportInput) -> t.DescribeExportOutput:
    """A job and how far it is."""
    arn = request["ExportArn"]
    parts = arn.split(":", 5)
    kinds = parts[5].split("/") if len(parts) == 6 else []
    if len(kinds) != 4 or (kinds[0], kinds[2]) != ("table", "export"):
        raise VALIDATION("Invalid Export ARN")
    ctx.authorize(arn)
    if parts[3] != ctx.region:
        raise EXPORT_NOT_FOUND("Export not found: Invalid export arn")
    export = EXPORTS.peek(ctx, kinds[1], kinds[3], account=parts[4])
    if export is None:
        raise EXPORT_NOT_FOUND(arn=arn)
    return {"ExportDescription": described(export)}  # type: ignore[typeddict-item]


@operation
def list_exports(ctx: Context, request: t.ListExportsInput) -> t.ListExportsOutput:
    """The jobs of the account, or of one table that is still there."""
    arn = request.get("TableArn")
    prefix: tuple[str, ...] = ()
    table = None
    if arn is not None:
        name = arn.rpartition("/")[2]
        ctx.authorize(arn)
        table = TABLES.peek(ctx, name)
        prefix = (name,)
    else:
        ctx.authorize("*")
    invalid = Error(
        "ValidationException", f"Invalid Request: Provided nextToken is invalid: {request.get('NextToken')}"
    )
    found, following = paging.page(
        ctx,
        lambda after, limit: EXPORTS.range(ctx, *prefix, after=after, limit=limit),
        lambda export: (export.table, export.id),
        token=request.get("NextToken"),
        limit=request.get("MaxResults") or PAGE,
        error=invalid(),
    )
    if arn is not None:
        found = [export for export in found if table is not None and export.source.id == table.id]
    answer: Any = {
        "ExportSummaries": [
            {"ExportArn": export.arn, "ExportStatus": export.status, "ExportType": export.kind} for export in found
        ]
    }
    if following:
        answer["NextToken"] = following
    return answer  # type: ignore[no-any-return]
