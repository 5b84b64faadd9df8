"""The HTTP endpoints for logs: who may send to a stream, and how what was sent is kept. HTTP is a face's business.

Source: CloudWatch Logs User Guide, "Log ingestion through HTTP endpoints": a caller needs logs:PutLogEvents, with a
bearer token logs:CallWithBearerToken too, and a group that takes tokens. The stream must be there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from hashlib import sha256
from itertools import count, islice
from typing import TYPE_CHECKING, NamedTuple

from cumulo.core.errors import Error, Fault
from cumulo.services.operations.logs.errors import GROUP_NOT_FOUND, INVALID_PARAMETER
from cumulo.services.operations.logs.groups import groups, sealing, streams
from cumulo.services.operations.logs.ingestion import documents, large_events, otlp, putting
from cumulo.services.operations.logs.ingestion.documents import Event, Malformed
from cumulo.services.operations.logs.ingestion.large_events import TooLarge
from cumulo.services.operations.logs.ingestion.putting import BATCH_BYTES, DAY_MS, EVENT_BYTES, OVERHEAD_BYTES
from cumulo.services.operations.logs.stored import large_objects
from cumulo.services.operations.logs.stored.large_objects import LargeObject

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.encryption import DataKey
    from cumulo.services.operations.logs.groups.groups import Group
    from cumulo.services.operations.logs.groups.streams import Stream

PUT, TOKEN = "logs:PutLogEvents", "logs:CallWithBearerToken"
JSON, NDJSON, PROTOBUF = "application/json", "application/x-ndjson", "application/x-protobuf"
BATCH_EVENTS = 10_000

TOKENS_NOT_TAKEN = Error(
    "UnrecognizedClientException", "Bearer token authentication is not enabled for the log group.", status=401
)


class Endpoint(NamedTuple):
    """One of the paths: the types of content that it takes, and how it reads all but OTLP."""

    operation: str
    types: tuple[str, ...]
    read: Callable[[bytes, int], list[Event]] | None = None


ENDPOINTS = {
    "/v1/logs": Endpoint("PutOpenTelemetryLogs", (JSON, PROTOBUF)),
    "/services/collector/event": Endpoint("PutLogEvents", (JSON,), documents.hlc),
    "/ingest/bulk": Endpoint("PutLogEvents", (JSON, NDJSON), documents.lines),
    "/ingest/json": Endpoint("PutLogEvents", (JSON,), documents.structured),
}


class Admitted(NamedTuple):
    """Where a caller may send to; `key` seals what comes."""

    group: Group
    stream: Stream
    key: DataKey | None


class Kept(NamedTuple):
    """An event that is to be kept, with what was cut off it: ids and files."""

    timestamp: int
    message: str
    size: int
    objects: Sequence[tuple[bytes, str]] = ()


def admit(ctx: Context, group_name: str, stream_name: str, *, by_token: bool) -> Admitted:
    """Ask the policies, and find the stream. Raises AccessDeniedException, ResourceNotFoundException."""
    if by_token:
        ctx.authorize("*", action=TOKEN)
    group = groups.find(ctx, group_name, stream=stream_name, action=PUT)
    if by_token and not group.bearer_tokens:
        raise TOKENS_NOT_TAKEN()
    stream = streams.find(ctx, group, stream_name)
    return Admitted(group, stream, sealing.sealing_key(ctx, group) if group.kms_key else None)


async def ingest(
    ctx: Context, endpoint: Endpoint, admitted: Admitted, body: bytes, content_type: str, truncatable: str
) -> dict[str, int]:
    """Keep the events of a body; how many were too old, too new and expired. Raises InvalidParameterException."""
    now_ms = int(ctx.now() * 1000)
    if endpoint.read is not None:
        read = partial(_read, endpoint.read, body, now_ms)
    else:
        fields = large_events.paths(truncatable)
        seed = ctx.random_bytes(large_objects.ID_BYTES)
        read = partial(_read_otlp, ctx, admitted, body, content_type == PROTOBUF, now_ms, fields, seed)
    try:
        found = await ctx.in_thread(read)
    except Malformed as error:
        raise INVALID_PARAMETER(str(error)) from None
    except TooLarge as error:
        raise INVALID_PARAMETER(f"Log event too large: {error} bytes exceeds limit of {EVENT_BYTES}") from None
    try:
        return await ctx.transact(partial(_keep, admitted=admitted, found=found, now_ms=now_ms))
    except Fault:
        _forget(ctx, found)
        raise


def _forget(ctx: Context, events: Iterable[Kept]) -> None:
    """Delete the files of events that are not kept."""
    blobs = [blob for event in events for _, blob in event.objects]
    if blobs:
        ctx.runtime.delete_blobs(blobs)


def _read(read: Callable[[bytes, int], list[Event]], body: bytes, now_ms: int) -> list[Kept]:
    found = [
        Kept(timestamp, message, large_events.size_of(message) + OVERHEAD_BYTES)
        for timestamp, message in read(body, now_ms)
        if message
    ]
    found.sort(key=lambda event: event.timestamp)
    return found


def _read_otlp(
    ctx: Context,
    admitted: Admitted,
    body: bytes,
    as_protobuf: bool,
    now_ms: int,
    fields: Sequence[large_events.Path],
    seed: bytes,
) -> list[Kept]:
    """The events of log records; what is cut off those that are too large is in files when this returns."""
    numbers = count()
    read: list[tuple[int, str, list[tuple[bytes, str]]]] = []
    for record in (otlp.from_protobuf if as_protobuf else otlp.from_json)(body, now_ms):
        ids: list[bytes] = []

        def new_pointer(ids: list[bytes] = ids) -> str:
            ids.append(sha256(seed + next(numbers).to_bytes(8)).digest()[: large_objects.ID_BYTES])
            return large_objects.pointer(admitted.group, ids[-1])

        message, excess = large_events.cut(record.document, EVENT_BYTES - OVERHEAD_BYTES, new_pointer, fields)
        texts = [each.text for each in excess]
        read.append((record.timestamp, message, list(zip(ids, texts, strict=False))))
    found = []
    for timestamp, message, cut in sorted(read, key=lambda event: event[0]):
        objects = [(one, large_objects.stored(ctx, admitted.group, text, admitted.key)) for one, text in cut]
        found.append(Kept(timestamp, message, large_events.size_of(message) + OVERHEAD_BYTES, objects))
    return found


def _keep(ctx: Context, admitted: Admitted, found: Sequence[Kept], now_ms: int) -> dict[str, int]:
    """Put events in batches as PutLogEvents takes them."""
    group = groups.by_id(ctx, admitted.group.id)
    if group is None:
        raise GROUP_NOT_FOUND()
    stream = streams.find(ctx, group, admitted.stream.name)
    counts: dict[str, int] = {}
    sealed = admitted.key.sealed if admitted.key is not None else b""
    for batch in _batches(found):
        rejected = putting.put(ctx, group, stream, [each._asdict() for each in batch])
        old, expired = rejected.get("tooOldLogEventEndIndex", 0), rejected.get("expiredLogEventEndIndex", 0)
        end = rejected.get("tooNewLogEventStartIndex", len(batch))
        for name, number in (
            ("tooOldLogEventCount", old),
            ("tooNewLogEventCount", len(batch) - end),
            ("expiredLogEventCount", max(expired - old, 0)),
        ):
            if number:
                counts[name] = counts.get(name, 0) + number
        first = max(old, expired)
        if first or end < len(batch):
            ctx.txn.on_commit(partial(_forget, ctx, [*batch[:first], *batch[end:]]))
        for event in islice(batch, first, end):
            for object_id, blob in event.objects:
                large_objects.keep(
                    ctx, LargeObject(group.id, object_id, stream.id, event.timestamp, now_ms, blob, sealed)
                )
    return counts


def _batches(found: Sequence[Kept]) -> list[list[Kept]]:
    """Events in the order of time, as many together as a batch may have and span."""
    batches: list[list[Kept]] = []
    size = 0
    for event in found:
        batch = batches[-1] if batches else None
        if (
            batch is None
            or size + event.size > BATCH_BYTES
            or len(batch) >= BATCH_EVENTS
            or event.timestamp - batch[0].timestamp > DAY_MS
        ):
            batches.append([event])
            size = event.size
        else:
            batch.append(event)
            size += event.size
    return batches
