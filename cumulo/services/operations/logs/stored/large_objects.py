"""Large log objects: what was cut off events beyond 1 MB, for as long as their events are kept (GetLogObject).

Source: API reference, GetLogObject. The answer is the cut off text, in pieces.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from cumulo.core import encryption, kept_blobs
from cumulo.core.operation import operation
from cumulo.core.table import GLOBAL, Record, Table
from cumulo.services.operations.logs.errors import INVALID_POINTER, OBJECT_NOT_FOUND
from cumulo.services.operations.logs.groups import groups, sealing
from cumulo.services.operations.logs.lines import Line
from cumulo.services.operations.logs.protection import data_protection
from cumulo.services.operations.logs.stored.reading import retained_from

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.encryption import DataKey
    from cumulo.services.operations.logs.groups.groups import Group
    from cumulo.services.operations.logs.protection.data_protection import Masks
    from cumulo.stubs import logs as t

ID_BYTES = 16
PIECE_BYTES = 64 * 1024
_AT_ONCE = 200


class LargeObject(Record):
    """One object: its event's time and stream, when it came (milliseconds), and its file; `sealed` by KMS."""

    group: bytes
    id: bytes
    stream: bytes
    timestamp: int
    ingested: int
    blob: str
    sealed: bytes = b""


LARGE_OBJECTS = Table(LargeObject, name="logs.large_objects", key=("group", "id"), scope=GLOBAL)


def pointer(group: Group, object_id: bytes) -> str:
    """What an event refers to an object with."""
    return f"{group.id.hex()}-{object_id.hex()}"


def stored(ctx: Context, group: Group, text: str, key: DataKey | None) -> str:
    """A file with the text, sealed under the key. Blocks; until `keep`, nothing names the file."""
    data = text.encode(errors="surrogatepass")
    if key is not None:
        data = encryption.seal(ctx, "", data, sealing.context_of(group), under=key)
    return ctx.blobs.put(data).blob


def keep(ctx: Context, found: LargeObject) -> None:
    """An event refers to the object from now on."""
    LARGE_OBJECTS.put(ctx, found)
    kept_blobs.keep(ctx, found.blob, "logs")


@operation
async def get_log_object(ctx: Context, request: t.GetLogObjectRequest) -> Any:
    """What an @ptr.$[…] of an event points to, in pieces."""
    text = await _text(ctx, request)
    return {"fieldStream": _pieces(text)}


async def _text(ctx: Context, request: t.GetLogObjectRequest) -> bytes:
    group, found, masks, key = await ctx.transact(partial(_found, request=request))
    try:
        return await ctx.in_thread(partial(_read, ctx, group, found, masks, key))
    except FileNotFoundError:  # it expired meanwhile
        raise OBJECT_NOT_FOUND() from None


def _found(ctx: Context, request: t.GetLogObjectRequest) -> tuple[Group, LargeObject, Masks | None, DataKey | None]:
    group_id, object_id = _ids(request["logObjectPointer"])
    group = groups.by_id(ctx, group_id)
    if group is None or group.account != ctx.account or group.region != ctx.region:
        ctx.authorize(f"arn:{ctx.partition}:logs:{ctx.region}:{ctx.account}:log-group:*")
        raise OBJECT_NOT_FOUND()
    groups.authorize(ctx, group.name, group)
    masks = data_protection.for_reader(ctx, group, request)
    found = LARGE_OBJECTS.peek(ctx, group.id, object_id)
    if found is None or found.timestamp < retained_from(ctx, group):
        raise OBJECT_NOT_FOUND()
    key = sealing.opened_key(ctx, group, found.sealed) if found.sealed else None
    return group, found, masks, key


def _ids(pointer: str) -> tuple[bytes, bytes]:
    group, _, found = pointer.partition("-")
    try:
        return bytes.fromhex(group), bytes.fromhex(found)
    except ValueError:
        raise INVALID_POINTER() from None


def _read(ctx: Context, group: Group, found: LargeObject, masks: Masks | None, key: DataKey | None) -> bytes:
    data = ctx.blobs.path(found.blob).read_bytes()
    if key is not None:
        data = encryption.open(ctx, data, sealing.context_of(group), under=key)
    if masks is None:
        return data
    line = Line(found.timestamp, 0, 0, "", data.decode(errors="surrogatepass"), found.ingested)
    return masks.line(line).message.encode(errors="surrogatepass")


async def _pieces(text: bytes) -> AsyncIterator[dict[str, Any]]:
    for at in range(0, len(text), PIECE_BYTES):
        yield {"fields": {"data": text[at : at + PIECE_BYTES]}}


def drop_expired(ctx: Context, group: Group, after: bytes) -> bytes | None:
    """Let go of those among the next objects whose events have expired; where to go on, None at the end."""
    before = retained_from(ctx, group)
    return _drop_next(ctx, group.id, after, lambda each: each.timestamp < before)


def drop_of_stream(ctx: Context, group_id: bytes, stream: bytes, after: bytes) -> bytes | None:
    """Let go of those of a stream among the next objects; where to go on, None at the end."""
    return _drop_next(ctx, group_id, after, lambda each: each.stream == stream)


def drop_some(ctx: Context, group_id: bytes) -> bool:
    """Let go of some objects of a group; whether there were any."""
    found = LARGE_OBJECTS.range(ctx, group_id, limit=_AT_ONCE)
    _drop(ctx, found)
    return bool(found)


def _drop_next(ctx: Context, group_id: bytes, after: bytes, goes: Callable[[LargeObject], bool]) -> bytes | None:
    found = LARGE_OBJECTS.range(ctx, group_id, after=(group_id, after) if after else None, limit=_AT_ONCE)
    _drop(ctx, [each for each in found if goes(each)])
    return found[-1].id if len(found) == _AT_ONCE else None


def _drop(ctx: Context, found: list[LargeObject]) -> None:
    for each in found:
        LARGE_OBJECTS.delete(ctx, each)
    if found:
        kept_blobs.drop(ctx, [each.blob for each in found])
