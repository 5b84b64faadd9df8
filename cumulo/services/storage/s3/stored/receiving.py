"""Bodies of objects and parts as they come in: digested, checked, written.

Small ones are dealt with at once, in the transaction. All others go through a thread, piece by piece: a piece is freed
from its encoding, digested and written (sealed, where a seal is given) while the next one is received.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from cumulo.services.storage.s3.errors import ENTITY_TOO_LARGE
from cumulo.services.storage.s3.stored import checksums
from cumulo.services.storage.s3.stored.checksums import Announced, Digests
from cumulo.services.storage.s3.stored.contents import SMALL_B

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cumulo.blobs import Writer
    from cumulo.core.bodies import Body
    from cumulo.core.context import Context

MOST_B = 5 * 1024**3  # of one PutObject or UploadPart


class Seal(Protocol):
    """Encrypts a body as it comes."""

    def update(self, pieces: Sequence[bytes]) -> list[bytes]:
        """The sealed form of the next bytes, as far as it is complete."""

    def finish(self) -> list[bytes]:
        """The rest of it."""


class Received:
    """A body that has come, whole and as announced: its bytes are in `data`, or in the blob.

    `md5` is hexadecimal, `checksums` are Base64 by algorithm. `stored` is how many bytes lie there.
    """

    __slots__ = ("blob", "checksums", "data", "md5", "size", "stored")

    def __init__(
        self, size: int, md5: str, checksums: dict[str, str], data: bytes | None, blob: str, stored: int
    ) -> None:
        self.size = size
        self.md5 = md5
        self.checksums = checksums
        self.data = data
        self.blob = blob
        self.stored = stored


def at_once(said: Announced, data: bytes, *, default: str = checksums.DEFAULT) -> Received:
    """A small body that is here already. Raises BadDigest."""
    md5, found = checksums.of_bytes(said, data, default=default)
    return Received(len(data), md5, found, data, "", len(data))


def is_small(body: Any) -> bool:
    """Whether the body is here and small, so that nothing has to be waited for."""
    return isinstance(body, bytes) and len(body) <= SMALL_B


async def receive(
    ctx: Context,
    body: Body | bytes,
    said: Announced,
    *,
    seal: Seal | None = None,
    in_blob: bool = False,
    default: str = checksums.DEFAULT,
    also: str = "",
) -> Received:
    """Take the body: a small one into memory (unless `in_blob`), all others into a blob, on disk when this returns.

    The blob belongs to nobody yet: `contents.keep` it, or `discard` it. Raises EntityTooLarge, BadDigest, what
    `core.bodies.Body` raises, and BlobFailure; nothing is left behind then.
    """
    length = len(body) if isinstance(body, bytes) else body.length
    if length is not None and length > MOST_B:
        raise ENTITY_TOO_LARGE(members={"ProposedSize": str(length), "MaxSizeAllowed": str(MOST_B)})
    digests = Digests(said, default=default, also=also)
    if length is not None and length <= SMALL_B and not in_blob:
        data = b"".join(await _small(body, digests))
        md5, found = digests.verified({} if isinstance(body, bytes) else body.trailers)
        return Received(len(data), md5, found, data, "", len(data))

    def watch(pieces: list[bytes]) -> list[bytes]:
        if not pieces:
            return seal.finish() if seal is not None else []
        if not isinstance(body, bytes):
            pieces = body.take_apart(pieces)
        digests.update(pieces)
        return seal.update(pieces) if seal is not None else pieces

    writer = ctx.blobs.writer(watch)
    failure: BaseException | None = None  # raised below: mypyc frees too much where `raise` follows `await` in `except`
    try:
        await _pump(body, writer)
        stored = await writer.commit()
        if not isinstance(body, bytes):
            body.finish()
        md5, found = digests.verified({} if isinstance(body, bytes) else body.trailers)
    except BaseException as error:
        failure = error
    if failure is not None:
        await writer.abort()
        raise failure
    return Received(digests.size, md5, found, None, stored.blob, stored.size)


async def _small(body: Body | bytes, digests: Digests) -> list[bytes]:
    if isinstance(body, bytes):
        digests.update([body])
        return [body]
    payload: list[bytes] = []
    while pieces := await body.read():
        payload += body.take_apart(pieces)
    body.finish()
    digests.update(payload)
    return payload


async def _pump(body: Body | bytes, writer: Writer) -> None:
    if isinstance(body, bytes):
        await writer.write([body])
        return
    while pieces := await body.read():
        await writer.write(pieces)


async def discard(ctx: Context, received: Received) -> None:
    """Drop the bytes of a body that came to nothing."""
    if received.blob:
        blobs = ctx.blobs
        await ctx.in_thread(lambda: blobs.delete((received.blob,)))
