"""The bytes of copies: shared where they stay the same, read and written anew where their form or a digest needs it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from cumulo.blobs import BlobFailure
from cumulo.services.storage.s3.copies import copy_sources
from cumulo.services.storage.s3.encryption import object_encryption
from cumulo.services.storage.s3.errors import INVALID_REQUEST, SOURCE_IS_ARCHIVED
from cumulo.services.storage.s3.objects import preconditions
from cumulo.services.storage.s3.rights import access, lookups
from cumulo.services.storage.s3.stored import archives, checksums, contents, versions
from cumulo.services.storage.s3.stored.checksums import Announced, Digests
from cumulo.services.storage.s3.stored.object_versions import IN_PARTS, NULL
from cumulo.services.storage.s3.stored.receiving import Received

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.s3.buckets import Bucket
    from cumulo.services.storage.s3.stored.object_versions import ObjectVersion

MOST_B = 5 * 1024**3
# What a request says of the source alone.
_OF_SOURCE = (
    "CopySourceIfMatch",
    "CopySourceIfNoneMatch",
    "CopySourceIfModifiedSince",
    "CopySourceIfUnmodifiedSince",
    "CopySourceSSECustomerAlgorithm",
    "CopySourceSSECustomerKey",
    "CopySourceSSECustomerKeyMD5",
)
_NOTHING = Announced("", "", "", "")


class Source(NamedTuple):
    """What is copied: found, allowed, and with the key that opens its bytes (b"" where they are not sealed).

    `versioned`: whether the answer names its version. As seen of AWS, the null version is not named unasked.
    """

    bucket: Bucket
    version: ObjectVersion
    key: bytes
    versioned: bool

    @property
    def plain_etag(self) -> bool:
        """Whether the ETag is the MD5 of the bytes."""
        return not self.key and "-" not in self.version.etag


def source_of(ctx: Context, request: Mapping[str, Any], *, whole: bool) -> Source:
    """The source of a request's copy, as its preconditions want it. `whole`: not only a range of it.

    Raises what AWS refuses: no such key or version, a delete marker, an archived or too large object, no right to it.
    """
    given = copy_sources.read(request["CopySource"])
    asked: dict[str, Any] = {"Bucket": given.bucket, "Key": given.key}
    if given.version_id is not None:
        asked["VersionId"] = given.version_id
    if "ExpectedSourceBucketOwner" in request:
        asked["ExpectedBucketOwner"] = request["ExpectedSourceBucketOwner"]
    bucket = access.located(ctx, asked, anywhere=True)
    there = versions.find(ctx, bucket.name, given.key, given.version_id)
    if given.version_id is not None and there is not None and there.delete_marker:
        access.allow_object(ctx, bucket, asked, action="s3:GetObject")
        raise INVALID_REQUEST(
            "The source of a copy request may not specifically refer to a delete marker by version id."
        )
    version = lookups.found(ctx, bucket, asked, action="s3:GetObject")
    said = {name: request[name] for name in _OF_SOURCE if name in request}
    preconditions.check_read(said, version, ctx.now(), "CopySource")
    if archives.is_archived(version) and not archives.is_restored(version, ctx.now()):
        raise SOURCE_IS_ARCHIVED()
    if whole and version.size > MOST_B:
        raise INVALID_REQUEST(
            f"The specified copy source is larger than the maximum allowable size for a copy source: {MOST_B}"
        )
    key = object_encryption.content_key(ctx, bucket, version.key, version, said, prefix="CopySource")
    named = version.version_id != NULL or given.version_id is not None
    return Source(bucket, version, key, bool(bucket.versioning) and named)


def at_once(ctx: Context, source: Source, algorithm: str) -> Received:
    """The bytes of a source that is a row, in the transaction that found it."""
    data = contents.body(ctx, source.version, 0, source.version.size, source.key)
    assert isinstance(data, bytes)
    digests = Digests(_NOTHING, default=algorithm)
    digests.update((data,))
    md5, found = digests.verified({})
    return Received(len(data), md5, found, data, "", len(data))


class Bytes(NamedTuple):
    """Bytes on their way into a blob of their own: `shared` is the blob whose file they may share, or `pieces` are
    they, opened already."""

    pieces: Iterator[bytes] | None
    shared: str
    size: int
    md5: str
    checksums: dict[str, str]


def of_source(ctx: Context, source: Source, offset: int, count: int, *, algorithm: str, sealed: bool) -> Bytes:
    """A source's bytes for a blob that is `sealed` or not, and needs a checksum of the algorithm."""
    version = source.version
    whole = count == version.size
    known = version.checksum_type == checksums.FULL_OBJECT and algorithm in version.checksums
    if whole and known and not sealed and source.plain_etag and version.content not in ("", IN_PARTS):
        found = {algorithm: version.checksums[algorithm]}
        return Bytes(None, version.content, version.size, version.etag, found)
    return Bytes(contents.read(ctx, version, offset, count, source.key), "", count, "", {})


async def into_blob(ctx: Context, some: Bytes, algorithm: str, seal_key: bytes) -> Received | None:
    """Make the blob, which belongs to nobody yet (see receiving.receive); None when what was to be shared is gone."""
    blobs = ctx.blobs
    if some.pieces is None:
        try:
            shared = await ctx.in_thread(lambda: blobs.share(some.shared))
        except BlobFailure:
            if blobs.path(some.shared).exists():
                raise
            return None
        return Received(some.size, some.md5, some.checksums, None, shared.blob, shared.size)
    digests = Digests(_NOTHING, default=algorithm)
    seal = object_encryption.sealer(ctx, seal_key)
    pieces = some.pieces

    def stream() -> Iterator[bytes]:
        for piece in pieces:
            digests.update((piece,))
            if seal is None:
                yield piece
            else:
                yield from seal.update((piece,))
        if seal is not None:
            yield from seal.finish()

    stored = await ctx.in_thread(lambda: blobs.put_pieces(stream()))
    md5, found = digests.verified({})
    return Received(some.size, md5, found, None, stored.blob, stored.size)
