"""Uploads in parts that go on, and the parts that have come: their records, and how they go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core import kept_blobs
from cumulo.core.table import GLOBAL, Record, Table
from cumulo.services.storage.s3.stored import checksums, contents, version_ids
from cumulo.services.storage.s3.stored.object_versions import ObjectVersion

if TYPE_CHECKING:
    from cumulo.core.context import Context


class Upload(Record):
    """An upload that is going on. `draft` is the version that it becomes, but for its bytes.

    `started` orders the uploads of a key: nanoseconds of cloud time. `seen` is the sequence of the key's current
    version then, 0 for none. `initiator` is the ARN of who began it. `algorithm` is that of its checksums, "" when the
    client named none: parts may then have any, and the object gets a CRC64NVME.
    """

    bucket: str
    key: str
    started: int
    upload_id: str
    initiator: str
    initiator_account: str
    draft: ObjectVersion
    seen: int = 0
    algorithm: str = ""
    checksum_type: str = ""

    @property
    def short_id(self) -> str:
        """The head of the id, under which its parts are kept: unique, and shorter."""
        return self.upload_id[: version_ids.LENGTH]

    @property
    def computed(self) -> str:
        """The algorithm of the checksum that every part needs, so that the object has one."""
        return self.algorithm or checksums.DEFAULT


class UploadedPart(Record):
    """A part that has come. `upload` is the head of the upload's id; `checksum` that of the upload's algorithm.

    `stored` is the length of the blob, more than `size` when it is sealed. `modified_at` are seconds.
    """

    upload: str
    number: int
    size: int
    etag: str
    checksum: str
    blob: str
    stored: int
    modified_at: float


UPLOADS = Table(Upload, name="s3.uploads", key=("bucket", "key", "started"), scope=GLOBAL)
PARTS_OF_UPLOADS = Table(UploadedPart, name="s3.uploaded_parts", key=("upload", "number"), scope=GLOBAL)


def keep_part(ctx: Context, part: UploadedPart) -> None:
    """Keep a part, in place of the one with its number."""
    before = PARTS_OF_UPLOADS.peek(ctx, part.upload, part.number)
    if before is not None:
        kept_blobs.drop(ctx, (before.blob,))
    contents.keep(ctx, part.blob)
    PARTS_OF_UPLOADS.put(ctx, part)


def parts_of(ctx: Context, upload: Upload) -> list[UploadedPart]:
    """The parts that have come, in the order of their numbers."""
    return PARTS_OF_UPLOADS.range(ctx, upload.short_id)


def forget(ctx: Context, upload: Upload, parts: list[UploadedPart], used: frozenset[str] = frozenset()) -> None:
    """Drop an upload and its parts, with the bytes of those whose blobs are not in use elsewhere now."""
    gone = [part.blob for part in parts if part.blob not in used]
    for part in parts:
        PARTS_OF_UPLOADS.delete(ctx, part)
    if gone:
        kept_blobs.drop(ctx, gone)
    UPLOADS.delete(ctx, upload)


def drop(ctx: Context, upload: Upload) -> None:
    """Abort an upload."""
    forget(ctx, upload, parts_of(ctx, upload))


def drop_all(ctx: Context, bucket: str) -> None:
    """Abort all uploads of a bucket that goes."""
    for upload in UPLOADS.range(ctx, bucket):
        drop(ctx, upload)
