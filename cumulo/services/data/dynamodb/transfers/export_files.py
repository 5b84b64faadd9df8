"""The files of an export: items or changes as lines of JSON, gzipped, and manifests with their checksums.

A full export writes the items of a copy of the table; an incremental one what the undo log says of the items that were
changed in its window: each once, as it was before the window and as it was at its end.
Source: Amazon DynamoDB Developer Guide, "DynamoDB table export output format".
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.change_streams import number_at
from cumulo.core.errors import Fault
from cumulo.core.operation import task
from cumulo.core.table import pack
from cumulo.services.data.dynamodb.stored import settling, snapshots, undo_log
from cumulo.services.data.dynamodb.stored.snapshots import CONTINUATIONS, Snapshot
from cumulo.services.data.dynamodb.stored.stored_items import decode, opened, size_of
from cumulo.services.data.dynamodb.transfers import job_callers
from cumulo.services.data.dynamodb.transfers.export_filters import ExportFilter
from cumulo.services.data.dynamodb.transfers.export_jobs import COMPLETED, EXPORTS, FAILED, IN_PROGRESS, Export

if TYPE_CHECKING:
    from cumulo.core.context import Context

_LINES = 500
_FILE_BYTES = 8 << 20
_ENTRIES = 500
_json = msgspec.json.Encoder().encode


class _Change:
    """An item of an incremental export: before the window, at its end, and when it last changed in it."""

    __slots__ = ("new", "old", "seen_after", "when")

    def __init__(self, old: bytes | None, when: int) -> None:
        self.old = old
        self.new: bytes | None = None
        self.seen_after = False
        self.when = when


def iso(when: float, precision: str = "milliseconds") -> str:
    """A time as the manifests write it."""
    return datetime.fromtimestamp(when, UTC).isoformat(timespec=precision).replace("+00:00", "Z")


def _copied(ctx: Context, snapshot: Snapshot) -> None:
    ctx.later(write_items, {**snapshot.payload, "snapshot": snapshot.id})


CONTINUATIONS["export"] = _copied


@task
async def write_items(ctx: Context, payload: dict[str, Any]) -> None:
    """Write a full export; another try writes the same files again."""
    await _write(ctx, payload, _items)
    await ctx.transact(lambda ctx: snapshots.drop(ctx, payload["snapshot"]))


@task
async def write_changes(ctx: Context, payload: dict[str, Any]) -> None:
    """Write an incremental export."""
    await _write(ctx, payload, _changes)


async def _write(ctx: Context, payload: dict[str, Any], lines: Any) -> None:
    def find(ctx: Context) -> Export | None:
        return EXPORTS.peek(ctx, payload["table"], payload["id"], account=payload["account"])

    export = await ctx.transact(find)
    if export is None or export.status != IN_PROGRESS:
        return
    caller = job_callers.again(ctx, export.caller, "ExportTableToPointInTime", export.account, export.region)
    try:
        await _files(ctx, caller, export, lines(ctx, export))
    except Fault as fault:
        export.failure_code, export.failure = job_callers.failure_of(fault)
        export.status = FAILED
    export.ended_at = ctx.now()
    await ctx.transact(lambda ctx: EXPORTS.put(ctx, export, account=export.account))


async def _files(
    ctx: Context, caller: Context, export: Export, batches: AsyncIterator[list[tuple[bytes, int]]]
) -> None:
    """Write data files and then the manifests that name them."""
    await _put(caller, export, f"{export.folder}/_started", b"")
    files: list[dict[str, Any]] = []
    waiting: list[bytes] = []
    size = 0

    async def flush() -> None:
        nonlocal size
        text = b"".join(waiting)
        data = await ctx.in_thread(partial(gzip.compress, text, mtime=0))
        name = base64.b32encode(hashlib.sha256(f"{export.id} {len(files)}".encode()).digest()[:16]).decode().lower()
        key = f"{export.folder}/data/{name.rstrip('=')}.json.gz"
        etag = await _put(caller, export, key, data)
        entry = {"itemCount": len(waiting), "md5Checksum": _md5(data), "etag": etag, "dataFileS3Key": _key(export, key)}
        files.append(entry)
        waiting.clear()
        size = 0

    async for batch in batches:
        for line, item_size in batch:
            waiting.append(line)
            size += len(line)
            export.count += 1
            export.size += item_size
            if size >= _FILE_BYTES:
                await flush()
    if waiting or not files:
        await flush()
    listed = b"".join(_json(entry) + b"\n" for entry in files)
    await _with_checksum(caller, export, f"{export.folder}/manifest-files.json", listed)
    await _with_checksum(caller, export, f"{export.folder}/manifest-summary.json", _json(_summary(ctx, export)))
    export.manifest = _key(export, f"{export.folder}/manifest-summary.json")
    export.status = COMPLETED


def _summary(ctx: Context, export: Export) -> dict[str, Any]:
    """The summary manifest."""
    summary: dict[str, Any] = {
        "version": "2020-06-30" if not export.view else "2023-08-01",
        "exportArn": export.arn,
        "startTime": iso(export.started_at),
        "endTime": iso(ctx.now()),
        "tableArn": export.source.arn,
        "tableId": export.source.id,
    }
    if export.view:
        summary["exportFromTime"], summary["exportToTime"] = iso(export.begin), iso(export.end)
    else:
        summary["exportTime"] = iso(export.time)
    summary |= {
        "s3Bucket": export.bucket,
        "s3Prefix": export.prefix or None,
        "s3SseAlgorithm": export.sse,
        "s3SseKmsKeyId": export.kms_key or None,
        "manifestFilesS3Key": _key(export, f"{export.folder}/manifest-files.json"),
        "billedSizeBytes": export.size,
        "itemCount": export.count,
        "outputFormat": "DYNAMODB_JSON",
    }
    if export.view:
        view = "NEW_IMAGE" if export.view == "NEW_IMAGE" else "NEW_AND_OLD_IMAGES"
        summary |= {"outputView": view, "exportType": "INCREMENTAL_EXPORT"}
    return summary


def _key(export: Export, key: str) -> str:
    return f"{export.prefix.rstrip('/')}/{key}" if export.prefix else key


def _md5(data: bytes) -> str:
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()


async def _with_checksum(caller: Context, export: Export, key: str, data: bytes) -> None:
    await _put(caller, export, key, data)
    checksum = key.removesuffix(".json") + ".checksum"
    await _put(caller, export, checksum, hashlib.md5(data, usedforsecurity=False).hexdigest().encode())


async def _put(caller: Context, export: Export, key: str, data: bytes) -> str:
    """Put an object in the caller's name; its ETag without quotes."""
    request: dict[str, Any] = {"Bucket": export.bucket, "Key": _key(export, key), "Body": data}
    if export.owner:
        request["ExpectedBucketOwner"] = export.owner
    if export.sse == "KMS":
        request["ServerSideEncryption"] = "aws:kms"
        if export.kms_key:
            request["SSEKMSKeyId"] = export.kms_key
    else:
        request["ServerSideEncryption"] = "AES256"
    answer = await caller.aws.s3.put_object(request)
    return str(answer["ETag"]).strip('"')


async def _items(ctx: Context, export: Export) -> AsyncIterator[list[tuple[bytes, int]]]:
    """Lines of a full export, with the sizes of their items."""
    chosen = ExportFilter(export.filter, export.source) if export.filter else None
    cursor = b""
    while True:

        def read(ctx: Context, cursor: bytes = cursor) -> list[tuple[bytes, bytes]]:
            found = snapshots.read(ctx, export.snapshot, cursor, _LINES)
            return [(key, opened(ctx, export.source, stored)) for key, stored in found]

        found = await ctx.transact(read)
        yield [each for each in (_item(chosen, key, stored) for key, stored in found) if each is not None]
        if len(found) < _LINES:
            return
        cursor = found[-1][0] + b"\x00"


def _item(chosen: ExportFilter | None, key: bytes, stored: bytes) -> tuple[bytes, int] | None:
    item = decode(stored)
    if chosen is not None:
        taken = chosen.take(key, item)
        if taken is None:
            return None
        item = taken
    return _json({"Item": item}) + b"\n", size_of(stored)


async def _changes(ctx: Context, export: Export) -> AsyncIterator[list[tuple[bytes, int]]]:
    """Lines of an incremental export."""
    changes: dict[bytes, _Change] = {}
    position = number_at(export.begin)
    last: int | None = position
    while last is not None:
        last = await ctx.transact(partial(_follow, export=export, changes=changes, position=last))
    keys = list(changes)
    for start in range(0, len(keys), _LINES):
        lines = []
        for key in keys[start : start + _LINES]:
            change = changes[key]
            if change.old is not None or change.new is not None:
                lines.append(await ctx.transact(partial(_line, export=export, change=change)))
        yield lines


def _follow(ctx: Context, export: Export, changes: dict[bytes, _Change], position: int) -> int | None:
    """Read some of the log; the position to go on from, or None after the end, when all items are known."""
    entries = undo_log.numbered(ctx, export.source.id, position, _ENTRIES)
    end = number_at(export.end)
    for number, entry in entries:
        change = changes.get(entry.key)
        if number < end:
            if change is None:
                changes[entry.key] = _Change(entry.before, number)
            else:
                change.when = number
        elif change is not None and not change.seen_after:
            change.new, change.seen_after = entry.before, True
    if len(entries) == _ENTRIES:
        return entries[-1][0] + 1
    place = settling.ITEMS + pack(export.source.id)
    for key, change in changes.items():
        if not change.seen_after:
            change.new = ctx.txn.get(place + key)
    return None


def _line(ctx: Context, export: Export, change: _Change) -> tuple[bytes, int]:
    source = export.source
    old = decode(opened(ctx, source, change.old)) if change.old is not None else None
    new = decode(opened(ctx, source, change.new)) if change.new is not None else None
    found = new if new is not None else old
    assert found is not None
    line: dict[str, Any] = {
        "Metadata": {"WriteTimestampMicros": {"N": str(change.when // 1000)}},
        "Keys": {name: found[name] for name in source.key_attributes},
    }
    if old is not None and export.view != "NEW_IMAGE":
        line["OldImage"] = old
    if new is not None:
        line["NewImage"] = new
    return _json(line) + b"\n", size_of(change.new or change.old or b"\x00" * 4)
