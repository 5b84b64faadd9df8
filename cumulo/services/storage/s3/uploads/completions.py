"""The end of an upload in parts: CompleteMultipartUpload.

Nothing is copied: the version's bytes are the blobs of its parts, so all of it is one transaction, whole or absent.
A completion that was answered is remembered for a day and answered again, since clients repeat what they heard no
answer of. Sources: S3 API Reference, CompleteMultipartUpload; texts and the order of checks as seen of AWS.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

import msgspec

from cumulo.core.errors import Fault
from cumulo.core.operation import operation, reconciler
from cumulo.core.table import GLOBAL, Record, Table
from cumulo.services.storage.s3 import directory_buckets
from cumulo.services.storage.s3.encryption import object_encryption
from cumulo.services.storage.s3.errors import (
    BAD_DIGEST,
    CONDITIONAL_REQUEST_CONFLICT,
    INVALID_PART,
    INVALID_PART_ORDER,
    INVALID_REQUEST,
    PART_TOO_SMALL,
)
from cumulo.services.storage.s3.lifecycles import lifecycle_configurations, lifecycle_headers
from cumulo.services.storage.s3.notifications import notifications
from cumulo.services.storage.s3.objects import preconditions
from cumulo.services.storage.s3.rights import access
from cumulo.services.storage.s3.stored import checksums, open_uploads, versions
from cumulo.services.storage.s3.stored.object_versions import (
    CURRENT,
    IN_PARTS,
    PARTS,
    ObjectVersion,
    Part,
    PartList,
)
from cumulo.services.storage.s3.uploads import multipart_uploads

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.storage.s3.stored.open_uploads import Upload, UploadedPart
    from cumulo.stubs import s3 as t

SMALLEST_B = 5 * 1024**2  # of every part but the last
REMEMBERED_S = 86_400
SWEEP_S = 3600


class Completion(Record):
    """An upload that was completed: what it was asked with (a digest of the parts) and what was answered (JSON)."""

    upload_id: str
    parts: bytes
    answer: bytes
    completed_at: float


COMPLETIONS = Table(Completion, name="s3.completions", key="upload_id", scope=GLOBAL)


@operation
def complete_multipart_upload(
    ctx: Context, request: t.CompleteMultipartUploadRequest
) -> t.CompleteMultipartUploadOutput:
    """Make an object of the parts that the request lists."""
    bucket = access.object_for(ctx, request)
    preconditions.check_write_form(request)
    wanted: Sequence[Mapping[str, Any]] = (request.get("MultipartUpload") or {}).get("Parts") or ()
    upload_id = request["UploadId"]
    try:
        upload = multipart_uploads.found(ctx, bucket, request["Key"], upload_id)
    except Fault:
        again = COMPLETIONS.peek(ctx, upload_id)
        if again is None or again.parts != _digest(wanted):
            raise
        return msgspec.json.decode(again.answer)  # type: ignore[no-any-return]
    if not wanted:
        raise INVALID_REQUEST("You must specify at least one part")
    _check_kind(request, upload)
    uploaded = open_uploads.parts_of(ctx, upload)
    chosen = _chosen(wanted, uploaded, upload)
    _check_size(request, chosen)
    _check_conditions(ctx, request, upload)
    checksum = _checksum(request, upload, chosen)
    version = multipart_uploads.as_version(ctx, bucket, upload)
    _fill(ctx, version, upload, chosen, checksum)
    versions.store(ctx, bucket, version)
    notifications.notify(ctx, bucket, "ObjectCreated:CompleteMultipartUpload", version)
    open_uploads.forget(ctx, upload, uploaded, frozenset([part.blob for part in chosen]))
    answer: dict[str, Any] = {
        "Location": _location(ctx, request["Bucket"], upload.key),
        "Bucket": request["Bucket"],
        "Key": upload.key,
        "ETag": f'"{version.etag}"',
    }
    # Seen of AWS: of objects with a KMS key or a customer's it is not told here.
    if version.encryption == object_encryption.AES256:
        answer |= {f"Checksum{algorithm}": value for algorithm, value in version.checksums.items()}
        answer["ChecksumType"] = version.checksum_type
    if version.encryption != object_encryption.CUSTOMER:
        object_encryption.shown(version, answer)
    if bucket.versioning:
        answer["VersionId"] = version.version_id
    if bucket.zone or lifecycle_configurations.KIND in bucket.configured:
        lifecycle_headers.show_expiration(ctx, bucket, version, answer)
    access.show_charge(ctx, bucket, request, answer)
    COMPLETIONS.put(ctx, Completion(upload_id, _digest(wanted), msgspec.json.encode(answer), ctx.now()))
    return cast("t.CompleteMultipartUploadOutput", answer)


def _digest(wanted: Sequence[Mapping[str, Any]]) -> bytes:
    return hashlib.blake2b(msgspec.json.encode(wanted), digest_size=16).digest()


def _check_kind(request: Mapping[str, Any], upload: Upload) -> None:
    kind = request.get("ChecksumType")
    if kind is not None and kind != upload.checksum_type:
        raise INVALID_REQUEST(
            f"The upload was created using the {upload.checksum_type or 'null'} checksum mode. "
            "The complete request must use the same checksum mode."
        )


def _chosen(wanted: Sequence[Mapping[str, Any]], uploaded: list[UploadedPart], upload: Upload) -> list[UploadedPart]:
    """The parts that the request lists. Raises InvalidPart, InvalidPartOrder, EntityTooSmall.

    In a directory bucket their numbers are 1, 2, 3 … Source: S3 API Reference, CompletedPart.
    """
    in_a_row = upload.bucket.endswith(directory_buckets.SUFFIX)
    by_number = {part.number: part for part in uploaded}
    chosen: list[UploadedPart] = []
    last = 0
    for each in wanted:
        number = each.get("PartNumber", 0)
        if number <= last or (in_a_row and number != last + 1):
            raise INVALID_PART_ORDER(members={"UploadId": upload.upload_id})
        last = number
    for each in wanted:
        number = each.get("PartNumber", 0)
        etag = (each.get("ETag") or "").strip('"')
        part = by_number.get(number)
        if part is None or part.etag != etag or not _same_checksum(each, part, upload):
            raise INVALID_PART(members={"UploadId": upload.upload_id, "PartNumber": str(number), "ETag": etag})
        chosen.append(part)
    for part in chosen[:-1]:
        if part.size < SMALLEST_B:
            raise PART_TOO_SMALL(
                members={
                    "ProposedSize": str(part.size),
                    "MinSizeAllowed": str(SMALLEST_B),
                    "PartNumber": str(part.number),
                    "ETag": part.etag,
                }
            )
    return chosen


def _same_checksum(each: Mapping[str, Any], part: UploadedPart, upload: Upload) -> bool:
    given = [name for name in checksums.MEMBERS if name in each]
    own = f"Checksum{upload.algorithm}"
    if upload.checksum_type == checksums.COMPOSITE and own not in given:
        if given:  # as seen of AWS: another algorithm's
            other = given[0].removeprefix("Checksum").lower()
            raise BAD_DIGEST(f"The {other} you specified for part {part.number} did not match what we received.")
        raise INVALID_REQUEST(
            f"The upload was created using a {upload.algorithm.lower()} checksum. The complete request must include "
            f"the checksum for each part. It was missing for part {part.number} in the request."
        )
    return all(name == own and each[name] == part.checksum for name in given)


def _check_size(request: Mapping[str, Any], chosen: list[UploadedPart]) -> None:
    said = request.get("MpuObjectSize")
    size = sum([part.size for part in chosen])
    if said is not None and int(said) != size:
        raise INVALID_REQUEST(
            f"The provided 'x-amz-mp-object-size' header value {said} does not match what was computed: {size}"
        )


def _check_conditions(ctx: Context, request: Mapping[str, Any], upload: Upload) -> None:
    """If-Match and If-None-Match; a current version that came since the upload was begun is a conflict for If-Match."""
    current = CURRENT.peek(ctx, upload.bucket, upload.key)
    preconditions.check_write(request, current, upload.key)
    if "IfMatch" in request and current is not None and current.sequence != upload.seen:
        raise CONDITIONAL_REQUEST_CONFLICT(members={"Condition": "If-Match", "Key": upload.key})


def _checksum(request: Mapping[str, Any], upload: Upload, chosen: list[UploadedPart]) -> str:
    """The object's checksum. Raises BadDigest where the request says another one."""
    algorithm = upload.computed
    composite = upload.checksum_type == checksums.COMPOSITE
    found = _composite(algorithm, chosen) if composite else _whole(algorithm, chosen)
    given = {name: request[name] for name in checksums.MEMBERS if name in request}
    own = f"Checksum{algorithm}"
    if given and given.get(own) != found and not (composite and given.get(own) == found.rpartition("-")[0]):
        raise BAD_DIGEST(f"The {algorithm.lower()} you specified did not match the calculated checksum.")
    return found


def _composite(algorithm: str, chosen: list[UploadedPart]) -> str:
    """The checksum of the parts' checksums, with their number behind it."""
    digest = checksums.checksum(algorithm, b"".join([b64decode(part.checksum) for part in chosen]))
    return f"{digest}-{len(chosen)}"


def _whole(algorithm: str, chosen: list[UploadedPart]) -> str:
    """The checksum of all bytes together, which CRCs give without reading them again."""
    combine = checksums.combiner(algorithm)
    value = 0
    for part in chosen:
        value = combine(value, int.from_bytes(b64decode(part.checksum), "big"), part.size)
    return checksums.encoded(value, algorithm)


def _fill(ctx: Context, version: ObjectVersion, upload: Upload, chosen: list[UploadedPart], checksum: str) -> None:
    md5s = b"".join([bytes.fromhex(part.etag) for part in chosen])
    version.size = sum([part.size for part in chosen])
    version.stored = sum([part.stored for part in chosen])
    version.etag = f"{hashlib.md5(md5s, usedforsecurity=False).hexdigest()}-{len(chosen)}"
    if version.bucket.endswith(directory_buckets.SUFFIX):
        version.etag = ctx.random_bytes(16).hex()
    version.parts_count = len(chosen)
    version.content = IN_PARTS
    if upload.algorithm or version.encryption != object_encryption.CUSTOMER:
        version.checksums = {upload.computed: checksum}
        version.checksum_type = upload.checksum_type or checksums.FULL_OBJECT
    kept = upload.checksum_type == checksums.COMPOSITE  # of those alone S3 tells the parts' own
    parts = [
        Part(number, part.size, part.etag, part.checksum if kept else "", part.blob, part.stored)
        for number, part in enumerate(chosen, 1)
    ]
    PARTS.put(ctx, PartList(version.bucket, version.key, version.sequence, parts))


def _location(ctx: Context, bucket: str, key: str) -> str:
    """Where the object is, in the style in which the request came."""
    scheme, _, host = ctx.endpoint.partition("://")
    path = quote(key, safe="")
    return f"{scheme}://{host}/{path}" if host.startswith(f"{bucket}.") else f"{scheme}://{host}/{bucket}/{path}"


@reconciler(every_s=SWEEP_S)
async def forget_completions(ctx: Context) -> None:
    """Drop what is remembered of completions for longer than a day."""

    def sweep(ctx: Context) -> None:
        for completion in COMPLETIONS.range(ctx):
            if completion.completed_at + REMEMBERED_S <= ctx.now():
                COMPLETIONS.delete(ctx, completion)

    await ctx.transact(sweep)
