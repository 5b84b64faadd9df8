"""Imports from S3: a new table of the objects under a prefix. Lines that are no items are counted; the others are kept.

Sources: Amazon DynamoDB Developer Guide, "DynamoDB data import from Amazon S3"; answers of AWS for states and texts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from cumulo.core import paging
from cumulo.core.arns import partition_of
from cumulo.core.bodies import Outgoing
from cumulo.core.errors import Error, Fault, not_implemented
from cumulo.core.operation import operation, task
from cumulo.core.table import REGION, Record, Table
from cumulo.engines import zstandard
from cumulo.services.data.dynamodb.definitions import table_creation
from cumulo.services.data.dynamodb.errors import IMPORT_CONFLICT, IMPORT_NOT_FOUND, VALIDATION
from cumulo.services.data.dynamodb.items.planned_writes import check_new
from cumulo.services.data.dynamodb.metering.capacity import Usage
from cumulo.services.data.dynamodb.stored import encryption_settings
from cumulo.services.data.dynamodb.stored.item_writes import find, write
from cumulo.services.data.dynamodb.tables import item_keys
from cumulo.services.data.dynamodb.tables.layouts import layout_of
from cumulo.services.data.dynamodb.tables.tables import ACTIVE, TABLES, TableRecord, keep
from cumulo.services.data.dynamodb.transfers import import_formats, job_callers
from cumulo.services.data.dynamodb.transfers.import_formats import BadLine, BadObject, Item

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import dynamodb as t

IN_PROGRESS, COMPLETED, FAILED = "IN_PROGRESS", "COMPLETED", "FAILED"
PAGE = 25
_AT_ONCE = 100
_ERRORS = (
    "Some of the items failed validation checks and were not imported. Please check CloudWatch error logs for more "
    "details."
)


class Import(Record):
    """An import. `asked` is the request; times are cloud time in seconds."""

    table: str
    id: str
    account: str
    region: str
    table_id: str
    started_at: float
    asked: dict[str, Any]
    token: str
    caller: bytes
    status: str = IN_PROGRESS
    ended_at: float = 0.0
    size: int = 0
    processed: int = 0
    imported: int = 0
    errors: int = 0
    failure_code: str = ""
    failure: str = ""

    @property
    def table_arn(self) -> str:
        """The table's ARN."""
        return f"arn:{partition_of(self.region)}:dynamodb:{self.region}:{self.account}:table/{self.table}"

    @property
    def arn(self) -> str:
        """The import's ARN."""
        return f"{self.table_arn}/import/{self.id}"


IMPORTS = Table(
    Import,
    name="dynamodb.imports",
    key=("table", "id"),
    scope=REGION,
    arn="arn:{partition}:dynamodb:{region}:{account}:table/{table}/import/{id}",
    indexes={"by_token": ("token",)},
)


@operation
def import_table(ctx: Context, request: t.ImportTableInput) -> t.ImportTableOutput:
    """Begin to make a table of what lies in a bucket."""
    wanted: Mapping[str, Any] = request["TableCreationParameters"]
    name = wanted["TableName"]
    ctx.authorize(TABLES.arn(ctx, name))
    given: dict[str, Any] = {key: value for key, value in request.items() if key != "ClientToken"}
    token = request.get("ClientToken")
    for known in IMPORTS.range(ctx, token, index="by_token") if token else ():
        if known.status == IN_PROGRESS:
            if known.table != name:
                raise IMPORT_CONFLICT()
            return {"ImportTableDescription": _described(known)}  # type: ignore[typeddict-item]
    _check(request)
    table = table_creation.from_request(ctx, ctx.account, name, wanted)
    table_creation.check_free(ctx, table)
    encryption_settings.apply_new(ctx, table, wanted.get("SSESpecification"))
    table.filling = "import"
    keep(ctx, table)
    import_id = f"{int(ctx.now() * 1000):014d}-{ctx.random_bytes(4).hex()}"
    job = Import(
        name, import_id, ctx.account, ctx.region, table.id, ctx.now(), given, token or ctx.uuid(), job_callers.keep(ctx)
    )
    IMPORTS.put(ctx, job)
    ctx.later(run_import, {"table": name, "id": import_id})
    return {"ImportTableDescription": _described(job)}  # type: ignore[typeddict-item]


def _check(request: Mapping[str, Any]) -> None:
    kind = request["InputFormat"]
    if kind == "ION":
        raise not_implemented("dynamodb", "ImportTable", "InputFormat ION")
    if "VectorIndexes" in request["TableCreationParameters"]:
        raise not_implemented("dynamodb", "ImportTable", "TableCreationParameters.VectorIndexes")
    if request.get("InputFormatOptions") and kind != "CSV":
        raise VALIDATION(f"Invalid Request: Unsupported InputFormatOptions for the given input format: {kind}.")
    if request.get("InputCompressionType") == "ZSTD" and not zstandard.is_here():
        raise not_implemented("dynamodb", "ImportTable", f"InputCompressionType ZSTD ({zstandard.INSTALL})")


def _described(job: Import) -> dict[str, Any]:
    asked = job.asked
    source = dict(asked["S3BucketSource"])
    source.setdefault("S3BucketOwner", job.account)
    shown: dict[str, Any] = {
        "ImportArn": job.arn,
        "ImportStatus": job.status,
        "TableArn": job.table_arn,
        "TableId": job.table_id,
        "ClientToken": job.token,
        "S3BucketSource": source,
        "InputFormat": asked["InputFormat"],
        "InputCompressionType": asked.get("InputCompressionType", "NONE"),
        "TableCreationParameters": asked["TableCreationParameters"],
        "StartTime": job.started_at,
        "ErrorCount": job.errors,
        "ProcessedSizeBytes": job.size,
        "ProcessedItemCount": job.processed,
        "ImportedItemCount": job.imported,
    }
    for member, value in (
        ("InputFormatOptions", asked.get("InputFormatOptions")),
        ("EndTime", job.ended_at),
        ("FailureCode", job.failure_code),
        ("FailureMessage", job.failure),
    ):
        if value:
            shown[member] = value
    return shown


@operation
def describe_import(ctx: Context, request: t.DescribeImportInput) -> t.DescribeImportOutput:
    """An import and how far it is."""
    arn = request["ImportArn"]
    parts = arn.split(":", 5)
    kinds = parts[5].split("/") if len(parts) == 6 else []
    if len(kinds) != 4 or (kinds[0], kinds[2]) != ("table", "import"):
        raise VALIDATION("Invalid Import ARN")
    ctx.authorize(arn)
    job = IMPORTS.peek(ctx, kinds[1], kinds[3], account=parts[4]) if parts[3] == ctx.region else None
    if job is None:
        raise IMPORT_NOT_FOUND(arn=arn)
    return {"ImportTableDescription": _described(job)}  # type: ignore[typeddict-item]


@operation
def list_imports(ctx: Context, request: t.ListImportsInput) -> t.ListImportsOutput:
    """The imports of the account, or into tables of one name."""
    arn = request.get("TableArn")
    ctx.authorize(arn or "*")
    prefix = (arn.rpartition("/")[2],) if arn else ()
    invalid = Error(
        "ValidationException", f"Invalid Request: Provided nextToken is invalid: {request.get('NextToken')}"
    )
    found, following = paging.page(
        ctx,
        lambda after, limit: IMPORTS.range(ctx, *prefix, after=after, limit=limit),
        lambda job: (job.table, job.id),
        token=request.get("NextToken"),
        limit=request.get("PageSize") or PAGE,
        error=invalid(),
    )
    answer: Any = {"ImportSummaryList": [_summary(job) for job in found]}
    if following:
        answer["NextToken"] = following
    return answer  # type: ignore[no-any-return]


_SUMMARY = ("ImportArn", "ImportStatus", "TableArn", "S3BucketSource", "InputFormat", "StartTime", "EndTime")


def _summary(job: Import) -> dict[str, Any]:
    shown = _described(job)
    return {name: shown[name] for name in _SUMMARY if name in shown}


@task
async def run_import(ctx: Context, payload: dict[str, Any]) -> None:
    """Read the objects and write their items; another try begins anew, over what is there."""
    job = await ctx.transact(lambda ctx: IMPORTS.peek(ctx, payload["table"], payload["id"]))
    if job is None or job.status != IN_PROGRESS:
        return
    caller = job_callers.again(ctx, job.caller, "ImportTable", job.account, job.region)
    made = True
    try:
        async for key in _keys(caller, job):
            await _object(ctx, caller, job, key)
        job.status = FAILED if job.errors else COMPLETED
        if job.errors:
            job.failure_code, job.failure = "ItemValidationError", _ERRORS
    except Fault as fault:
        job.failure_code, job.failure = job_callers.failure_of(fault)
        job.status, made = FAILED, False
    job.ended_at = ctx.now()
    await ctx.transact(partial(_end, job=job, made=made))


def _end(ctx: Context, job: Import, made: bool) -> None:
    table = _table(ctx, job)
    if table is not None:
        table.filling = ""
        table.status = ACTIVE
        if made:
            keep(ctx, table)
        else:
            TABLES.delete(ctx, table)
    IMPORTS.put(ctx, job)


def _table(ctx: Context, job: Import) -> TableRecord | None:
    table = TABLES.peek(ctx, job.table)
    return table if table is not None and table.id == job.table_id else None


async def _keys(caller: Context, job: Import) -> Any:
    source = job.asked["S3BucketSource"]
    request: dict[str, Any] = {"Bucket": source["S3Bucket"], "Prefix": source.get("S3KeyPrefix", "")}
    if "S3BucketOwner" in source:
        request["ExpectedBucketOwner"] = source["S3BucketOwner"]
    while True:
        page = await caller.aws.s3.list_objects_v2(request)
        for entry in page.get("Contents", ()):
            yield entry["Key"]
        if not page.get("IsTruncated"):
            return
        request["ContinuationToken"] = page["NextContinuationToken"]


async def _object(ctx: Context, caller: Context, job: Import, key: str) -> None:
    source = job.asked["S3BucketSource"]
    answer = await caller.aws.s3.get_object({"Bucket": source["S3Bucket"], "Key": key})
    data = await _whole(ctx, answer["Body"])
    job.size += len(data)
    try:
        text = await ctx.in_thread(partial(import_formats.plain, data, job.asked.get("InputCompressionType", "NONE")))
        items = _items(job, text)
        while batch := await ctx.in_thread(partial(_some, items)):
            written, failed = await ctx.transact(partial(_write, job=job, batch=batch))
            job.processed += len(batch)
            job.imported += written
            job.errors += failed
    except BadObject:
        job.processed += 1
        job.errors += 1


def _items(job: Import, data: bytes) -> Iterator[Item | BadLine]:
    asked = job.asked
    if asked["InputFormat"] != "CSV":
        return import_formats.json_items(data)
    options = (asked.get("InputFormatOptions") or {}).get("Csv") or {}
    definitions = asked["TableCreationParameters"]["AttributeDefinitions"]
    types = {each["AttributeName"]: each["AttributeType"] for each in definitions}
    return import_formats.csv_items(data, types, options.get("Delimiter", ","), options.get("HeaderList"))


def _some(items: Iterator[Item | BadLine]) -> list[Item | BadLine]:
    batch: list[Item | BadLine] = []
    for item in items:
        batch.append(item)
        if len(batch) == _AT_ONCE:
            break
    return batch


def _write(ctx: Context, job: Import, batch: list[Item | BadLine]) -> tuple[int, int]:
    """Write some items; how many there were, and how many lines were none."""
    table = _table(ctx, job)
    if table is None:
        return 0, len(batch)
    layout = layout_of(table)
    written = 0
    for item in batch:
        if isinstance(item, BadLine):
            continue
        try:
            size = check_new(item)
            key = item_keys.of_item(layout, item)
        except Fault:
            continue
        write(ctx, layout, key, find(ctx, layout, key), item, size, Usage())
        written += 1
    return written, len(batch) - written


async def _whole(ctx: Context, body: Any) -> bytes:
    """All of an object's content."""
    if isinstance(body, bytes):
        return body
    if isinstance(body, Outgoing):
        try:
            return await ctx.in_thread(lambda: b"".join(file.read(file.offset, file.count) for file in body.files))
        finally:
            body.close()
    return b"".join([piece async for piece in body])
