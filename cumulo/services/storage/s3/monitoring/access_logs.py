"""Server access logs: every answer of a bucket that logs becomes a line, and lines become objects of the target bucket.

A line is kept on disk when its answer goes out, and delivered some minutes later, as logging.s3.amazonaws.com: the
target bucket's policy (or the grants of its ACL) must let that in. What it refuses is lost, as on AWS.

Source: Amazon S3 User Guide, "Logging requests with server access logging", "Enabling Amazon S3 server access logging"
(permissions), "How are logs delivered?"
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cumulo.core.errors import Fault
from cumulo.core.operation import Retry, task
from cumulo.core.s3.buckets import BUCKETS
from cumulo.core.table import GLOBAL, Record, Table
from cumulo.services.storage.s3.monitoring import log_lines
from cumulo.services.storage.s3.stored import configurations

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.s3.buckets import Bucket

KIND = "logging"
DELIVERY_S = 300.0  # AWS: "within a few hours"
LINES_AT_ONCE = 5000
RETRY_S = 60.0


class LogLine(Record):
    """A line that waits; `number` are nanoseconds of cloud time, unique in its bucket. `logged_at` in seconds."""

    bucket: str
    number: int
    logged_at: float
    text: str


LINES = Table(LogLine, name="s3.log_lines", key=("bucket", "number"), scope=GLOBAL)


def listener(ctx: Context, bucket: Bucket, request: Mapping[str, Any]) -> Callable[[Any], None]:
    """What writes down the answer to this request when it goes out."""

    def heard(sent: Any) -> None:
        text = log_lines.line(ctx, bucket, request, sent)
        ctx.runtime.store.transact(lambda txn: _keep(ctx, txn, bucket, text), _kept)

    return heard


def _keep(ctx: Context, txn: Any, bucket: Bucket, text: str) -> None:
    own = ctx.runtime.internal_context("s3", "AccessLogs", bucket.account, bucket.region)
    own.enter(txn)
    now = own.now()
    last = LINES.range(own, bucket.name, reverse=True, limit=1)
    number = int(now * 1e9)
    if last:
        number = max(number, last[0].number + 1)
    else:
        own.later(deliver, {"bucket": bucket.name}, at=now + DELIVERY_S, lane=f"s3.log {bucket.name}")
    LINES.put(own, LogLine(bucket.name, number, now, text))


def _kept(result: None, error: BaseException | None) -> None:
    """Logs are delivered with best effort: a full disk must not keep an answer back."""


@task
async def deliver(ctx: Context, payload: dict[str, Any]) -> None:
    """Put the lines of a bucket into its target."""
    name = payload["bucket"]
    found = await ctx.transact(lambda ctx: (_target(ctx, name), LINES.range(ctx, name, limit=LINES_AT_ONCE)))
    (source, document), lines = found
    if not lines:
        return
    if source is not None and document is not None:
        request = _request(ctx, source, document, lines)
        clients = ctx.as_service("logging.s3", source_arn=source.arn, account=source.account, region=source.region)
        try:
            await clients.s3.put_object(request)
        except Fault as fault:
            if not fault.sender or (fault.status or 400) >= 500:
                raise Retry(RETRY_S) from None
            ctx.logger.warning("the access log of %s was not taken by %s: %s", name, request["Bucket"], fault)
    await ctx.transact(lambda ctx: _drop(ctx, name, lines))


def _drop(ctx: Context, name: str, lines: list[LogLine]) -> None:
    for line in lines:
        LINES.delete(ctx, line)
    if LINES.range(ctx, name, limit=1):
        ctx.later(deliver, {"bucket": name}, at=ctx.now() + DELIVERY_S, lane=f"s3.log {name}")


def _target(ctx: Context, name: str) -> tuple[Bucket | None, dict[str, Any] | None]:
    bucket = BUCKETS.peek(ctx, name)
    return bucket, None if bucket is None else configurations.find(ctx, bucket, KIND)


def _request(ctx: Context, source: Bucket, document: dict[str, Any], lines: list[LogLine]) -> dict[str, Any]:
    """The object of these lines, under the key that the configuration's format gives it."""
    form = document.get("TargetObjectKeyFormat") or {}
    by_event = (form.get("PartitionedPrefix") or {}).get("PartitionDateSource") == "EventTime"
    when = datetime.fromtimestamp(lines[0].logged_at if by_event else ctx.now(), UTC)
    stamp = f"{when:%Y-%m-%d-%H-%M-%S}"
    if by_event:
        stamp = f"{when:%Y-%m-%d}-00-00-00"  # delivered for the day of the event
    within = ""
    if "PartitionedPrefix" in form:
        within = f"{source.account}/{source.region}/{source.name}/{when:%Y/%m/%d}/"
    key = f"{document.get('TargetPrefix', '')}{within}{stamp}-{ctx.random_bytes(8).hex().upper()}"
    body = "".join([f"{line.text}\n" for line in lines]).encode("utf-8", "replace")
    request = {"Bucket": document["TargetBucket"], "Key": key, "Body": body, "ContentType": "text/plain"}
    grants: dict[str, list[str]] = {}
    for grant in document.get("TargetGrants") or ():
        member = {"FULL_CONTROL": "GrantFullControl", "READ": "GrantRead", "WRITE": "GrantWriteACP"}[
            grant["Permission"]
        ]
        who = grant["Grantee"]
        text = f'uri="{who["URI"]}"' if "URI" in who else f'id="{who.get("ID", "")}"'
        grants.setdefault(member, []).append(text)
    return {**request, **{member: ", ".join(texts) for member, texts in grants.items()}}
