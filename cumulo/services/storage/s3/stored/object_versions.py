"""Objects as they are kept: one record for each version of a key, the current one apart from all others.

Listings read CURRENT alone, in the order of the keys' UTF-8 bytes. A key whose newest version is a delete marker has
no row there. NONCURRENT holds everything else, newest first within a key.
"""

from __future__ import annotations

import msgspec

from cumulo.core.table import GLOBAL, Record, Space, Table

NULL = "null"  # the version id of what was stored without versioning, or while it was suspended
NEWEST = (1 << 63) - 1
INLINE_B = 2048  # fewer bytes than these lie in the version itself, which saves the store a row; what lists skips them
IN_PARTS = "*"  # `content` of a version whose bytes lie in several blobs, those of its PARTS


class Part(msgspec.Struct, array_like=True):
    """One part of a version that was uploaded in parts.

    `size` is in bytes, `etag` the hexadecimal MD5, `checksum` in Base64 ("" for none). `blob` holds the bytes where
    the version is IN_PARTS, "" otherwise; `stored` is the length of that blob, which is longer than `size` when sealed.
    """

    number: int
    size: int
    etag: str
    checksum: str = ""
    blob: str = ""
    stored: int = 0


class ObjectVersion(Record):
    """One version of an object, or a delete marker.

    `sequence` are nanoseconds since 1970 of cloud time, strictly increasing per key; `modified_at` are seconds.
    `etag` has no quotes. `owner` is an account. `content` is the blob that holds the bytes, IN_PARTS, or "": then they
    are in `data`, or from INLINE_B on a row of `s3.contents`. `stored` is how many bytes lie there, more than `size`
    when they are sealed.
    `headers` are the system headers by their member names ("ContentType"), `metadata` the user's by names in lower
    case. `checksums` are Base64 by algorithm ("CRC64NVME"), a composite one with its "-parts" tail; `checksum_type` is
    FULL_OBJECT or COMPOSITE. `parts_count` 0 means that it was put whole; else PARTS has the parts.
    `acl` are grants as a bucket's: (grantee, permission); None means that the owner alone has all rights.

    Encryption: `encryption` is AES256, aws:kms, aws:kms:dsse, or "SSE-C". `kms_key` is the key's ARN, `kms_context` the
    caller's own encryption context (JSON text, as it came). `sealed_key` is the content's key, wrapped; of the
    customer's key of SSE-C only its MD5 is kept (`customer_key_md5`, Base64).

    Lock: `lock_mode` GOVERNANCE or COMPLIANCE until `retain_until` (seconds), `legal_hold`. Restore of an archived
    version, in seconds, 0 for none: `restore_requested_at`, `restored_at` when its copy is there, `restore_expires_at`.
    """

    bucket: str
    key: str
    sequence: int
    version_id: str
    modified_at: float
    size: int = 0
    etag: str = ""
    owner: str = ""
    storage_class: str = "STANDARD"
    content: str = ""
    stored: int = 0
    delete_marker: bool = False
    headers: dict[str, str] = {}
    metadata: dict[str, str] = {}
    checksums: dict[str, str] = {}
    checksum_type: str = ""
    parts_count: int = 0
    encryption: str = "AES256"
    kms_key: str = ""
    kms_context: str = ""
    bucket_key: bool = False
    sealed_key: bytes = b""
    customer_key_md5: str = ""
    tags: dict[str, str] = {}
    acl: list[tuple[str, str]] | None = None
    lock_mode: str = ""
    retain_until: float = 0
    legal_hold: bool = False
    restore_requested_at: float = 0
    restored_at: float = 0
    restore_expires_at: float = 0
    restore_tier: str = ""
    replication_status: str = ""
    website_redirect: str = ""
    legal_hold_lifted: bool = False  # S3 then says OFF, and not that there never was one
    restore_days: int = 0
    class_since: float = 0  # when lifecycle put it into its class; 0 for ever since it was stored
    archive_tier: str = ""  # of INTELLIGENT_TIERING: ARCHIVE_ACCESS or DEEP_ARCHIVE_ACCESS
    accessed_at: float = 0  # of INTELLIGENT_TIERING, to the day
    data: bytes = b""
    annotations: int = 0  # how many there are of it
    event_hold: tuple[int, int] | None = None  # (days, years) of retention after it; (0, 0) once it is released

    @property
    def order(self) -> int:
        """What sorts the versions of a key, the newest first."""
        return NEWEST - self.sequence


class PartList(Record):
    """The parts of a version, beside it because listings have no use for ten thousand of them."""

    bucket: str
    key: str
    sequence: int
    parts: list[Part]


CURRENT = Table(ObjectVersion, name="s3.objects", key=("bucket", "key"), scope=GLOBAL)
NONCURRENT = Table(ObjectVersion, name="s3.versions", key=("bucket", "key", "order"), scope=GLOBAL)
PARTS = Table(PartList, name="s3.parts", key=("bucket", "key", "sequence"), scope=GLOBAL)
NULLS = Space("s3.nulls", scope=GLOBAL)  # where the null version of a key is, once it is no longer the current one
