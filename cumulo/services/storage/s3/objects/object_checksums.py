"""Checksums of objects that are there already, for the jobs of S3 Batch Operations.

Source: S3 User Guide, "Compute checksums" (archived objects are not restored for it, SSE-C is not read) and "Examples:
S3 Batch Operations completion reports" (the texts).
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from cumulo.core.errors import Error
from cumulo.services.storage.s3.encryption import object_encryption
from cumulo.services.storage.s3.encryption.object_encryption import CUSTOMER
from cumulo.services.storage.s3.rights import access, lookups
from cumulo.services.storage.s3.stored import checksums, contents
from cumulo.services.storage.s3.stored.checksums import COMPOSITE, Digest
from cumulo.services.storage.s3.stored.object_versions import PARTS

if TYPE_CHECKING:
    from cumulo.core.context import Context

NOT_SSE_C = Error("InvalidRequest", "SSE-C encryption type is not supported for this operation")


async def compute(acting: Context, bucket: str, key: str, version_id: str, algorithm: str, kind: str) -> dict[str, str]:
    """The checksum of a version's bytes as they lie there, as reports tell it. Raises S3's faults."""
    etag, sizes, pieces = await acting.transact(partial(_open, bucket=bucket, key=key, version_id=version_id))
    if kind != COMPOSITE:
        sizes = [sum(sizes)]
    digests = await acting.in_thread(partial(_digested, pieces, algorithm, sizes))
    value = digests[0]
    if kind == COMPOSITE:
        value = checksums.checksum(algorithm, b"".join([b64decode(digest) for digest in digests]))
    return {
        "checksum_base64": f"{value}-{len(digests)}" if kind == COMPOSITE else value,
        "etag": etag,
        "checksumAlgorithm": algorithm,
        "checksumType": kind,
        "checksum_hex": b64decode(value).hex().upper(),
    }


def _open(ctx: Context, bucket: str, key: str, version_id: str) -> tuple[str, list[int], Iterator[bytes]]:
    """The ETag, the sizes of the parts that it was uploaded in, and the bytes, the files open."""
    request = {"Bucket": bucket, "Key": key, **({"VersionId": version_id} if version_id else {})}
    found = access.located(ctx, request)
    version = lookups.found(ctx, found, request, action="s3:GetObject")
    if version.encryption == CUSTOMER:
        raise NOT_SSE_C()
    secret = object_encryption.content_key(ctx, found, version.key, version, {})
    parts = PARTS.peek(ctx, bucket, version.key, version.sequence) if version.parts_count else None
    sizes = [part.size for part in parts.parts] if parts is not None else [version.size]
    return version.etag, sizes, contents.read(ctx, version, 0, version.size, secret)


def _digested(pieces: Iterator[bytes], algorithm: str, sizes: list[int]) -> list[str]:
    """The checksum of each stretch of so many bytes."""
    found, left = [], b""
    for size in sizes:
        digest, missing = Digest(algorithm), size
        while missing:
            piece = left or next(pieces)
            digest.update(piece[:missing])
            left = piece[missing:]
            missing -= len(piece) - len(left)
        found.append(digest.digest())
    return found
