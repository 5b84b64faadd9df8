"""The columns of inventories: their names and types in each format, and what a version's row has in them.

Sources: S3 User Guide, "Amazon S3 Inventory list" (values), "Locating your inventory list" (order, names and types),
"Working with the Object ACL field".
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from cumulo.core.s3.buckets import Bucket
from cumulo.services.storage.s3.lifecycles import lifecycle_rules
from cumulo.services.storage.s3.lifecycles.lifecycle_rules import DAY_S, Rule
from cumulo.services.storage.s3.locks import event_holds, object_locks
from cumulo.services.storage.s3.rights import acls
from cumulo.services.storage.s3.stored import archives
from cumulo.services.storage.s3.stored.object_versions import ObjectVersion

Value = str | int | float | bool | None
"""What a row has in a column: an instant is in seconds since 1970, None is nothing."""

CSV, ORC, PARQUET = "CSV", "ORC", "Parquet"
TEXT, NUMBER, INSTANT, FLAG = "text", "number", "instant", "flag"
_ORC_TYPES = {TEXT: "string", NUMBER: "bigint", INSTANT: "timestamp", FLAG: "boolean"}
_PARQUET_TYPES = {
    TEXT: ("binary", " (UTF8)"),
    NUMBER: ("int64", ""),
    INSTANT: ("int64", " (TIMESTAMP_MILLIS)"),
    FLAG: ("boolean", ""),
}
_ENCRYPTIONS = {"AES256": "SSE-S3", "aws:kms": "SSE-KMS", "aws:kms:dsse": "DSSE-KMS"}
_TIERS = {archives.ARCHIVE: "ARCHIVE", archives.DEEP_ARCHIVE: "DEEP_ARCHIVE"}
_INFREQUENT_DAYS, _INSTANT_DAYS = 30, 90


class Column(NamedTuple):
    """A column: as CSV's manifest names it, as ORC and Parquet do, and what kind of values it has."""

    field: str
    name: str
    kind: str


ALWAYS = (Column("Bucket", "bucket", TEXT), Column("Key", "key", TEXT))
OF_VERSIONS = (
    Column("VersionId", "version_id", TEXT),
    Column("IsLatest", "is_latest", FLAG),
    Column("IsDeleteMarker", "is_delete_marker", FLAG),
)
# In the order of "Locating your inventory list"; what it does not show yet comes at the end.
OPTIONAL = (
    Column("Size", "size", NUMBER),
    Column("LastModifiedDate", "last_modified_date", INSTANT),
    Column("ETag", "e_tag", TEXT),
    Column("StorageClass", "storage_class", TEXT),
    Column("IsMultipartUploaded", "is_multipart_uploaded", FLAG),
    Column("ReplicationStatus", "replication_status", TEXT),
    Column("EncryptionStatus", "encryption_status", TEXT),
    Column("ObjectLockRetainUntilDate", "object_lock_retain_until_date", INSTANT),
    Column("ObjectLockMode", "object_lock_mode", TEXT),
    Column("ObjectLockLegalHoldStatus", "object_lock_legal_hold_status", TEXT),
    Column("IntelligentTieringAccessTier", "intelligent_tiering_access_tier", TEXT),
    Column("BucketKeyStatus", "bucket_key_status", TEXT),
    Column("ChecksumAlgorithm", "checksum_algorithm", TEXT),
    Column("ObjectAccessControlList", "object_access_control_list", TEXT),
    Column("ObjectOwner", "object_owner", TEXT),
    Column("LifecycleExpirationDate", "lifecycle_expiration_date", INSTANT),
    Column("ObjectLockEventHoldStatus", "object_lock_event_hold_status", TEXT),
    Column("IntelligentTieringReferenceDate", "intelligent_tiering_reference_date", INSTANT),
)
FIELDS = frozenset(column.field for column in OPTIONAL)
# Source: S3 API Reference, InventoryConfiguration, OptionalFields.
OF_DIRECTORY_BUCKETS = frozenset(
    (
        "Size", "LastModifiedDate", "StorageClass", "ETag", "IsMultipartUploaded", "EncryptionStatus",
        "BucketKeyStatus", "ChecksumAlgorithm", "LifecycleExpirationDate",
    )
)  # fmt: skip


def of(document: Mapping[str, Any]) -> list[Column]:
    """The columns of a configuration's reports."""
    wanted = document.get("OptionalFields") or ()
    versions = OF_VERSIONS if document["IncludedObjectVersions"] == "All" else ()
    return [*ALWAYS, *versions, *[column for column in OPTIONAL if column.field in wanted]]


def schema(columns: list[Column], format: str) -> str:
    """The `fileSchema` of a manifest; of ORC it is the file's as well."""
    if format == ORC:
        return f"struct<{','.join([f'{column.name}:{_ORC_TYPES[column.kind]}' for column in columns])}>"
    if format == CSV:
        return ", ".join([column.field for column in columns])
    fields = []
    for column in columns:
        primitive, said = _PARQUET_TYPES[column.kind]
        fields.append(f"{'required' if column in ALWAYS else 'optional'} {primitive} {column.name}{said};")
    return f"message s3.inventory {{ {' '.join(fields)} }}"


class Rows:
    """What the rows of one report are made with."""

    __slots__ = ("_bucket", "_columns", "_now", "_rules")

    def __init__(self, bucket: Bucket, columns: list[Column], rules: list[Rule], now: float) -> None:
        self._bucket = bucket
        self._columns = [column.field for column in columns]
        self._rules = rules
        self._now = now

    def row(self, version: ObjectVersion, newest: bool) -> tuple[Value, ...]:
        """A version's values; `newest` of its key it may be."""
        values: dict[str, Value] = {
            "Bucket": self._bucket.name,
            "Key": version.key,
            "VersionId": "" if version.version_id == "null" else version.version_id,
            "IsLatest": newest,
            "IsDeleteMarker": version.delete_marker,
            "LastModifiedDate": version.modified_at,
        }
        if not version.delete_marker:
            values |= self._of_object(version, newest)
        return tuple([values.get(field) for field in self._columns])

    def _of_object(self, version: ObjectVersion, newest: bool) -> dict[str, Value]:
        values: dict[str, Value] = {
            "Size": version.size,
            "StorageClass": version.storage_class,
            "ETag": version.etag,
            "IsMultipartUploaded": version.parts_count > 0,
            "ReplicationStatus": version.replication_status or None,
            "EncryptionStatus": _ENCRYPTIONS.get(version.encryption, version.encryption),
            "ObjectLockRetainUntilDate": object_locks.until(version, self._now) or None,
            "ObjectLockMode": version.lock_mode or None,
            "ObjectLockLegalHoldStatus": "ON" if version.legal_hold else "OFF",
            "ObjectLockEventHoldStatus": "ON" if event_holds.is_on(version) else "OFF",
            "BucketKeyStatus": ("ENABLED" if version.bucket_key else "DISABLED") if version.sealed_key else None,
            "ChecksumAlgorithm": next(iter(version.checksums), None),
            "ObjectOwner": acls.owner_id(version.owner),
        }
        if "ObjectAccessControlList" in self._columns:
            values["ObjectAccessControlList"] = _grants(version)
        if newest and self._rules:
            about = (version.key, version.size, version.tags, version.modified_at)
            expires = lifecycle_rules.expiration(self._rules, *about)
            values["LifecycleExpirationDate"] = expires[0] if expires is not None else None
        if version.storage_class == archives.TIERING:
            since = max(version.modified_at, version.class_since, version.accessed_at)
            values["IntelligentTieringReferenceDate"] = since
            values["IntelligentTieringAccessTier"] = tier(version, self._now - since)
        return values


def tier(version: ObjectVersion, idle_s: float) -> str:
    """Source: S3 User Guide, "How S3 Intelligent-Tiering works"; what is smaller than 128 KB is never moved."""
    if version.archive_tier:
        return _TIERS[version.archive_tier]
    if version.size < lifecycle_rules.SMALL_BYTES or idle_s < _INFREQUENT_DAYS * DAY_S:
        return "FREQUENT"
    return "INFREQUENT" if idle_s < _INSTANT_DAYS * DAY_S else "ARCHIVE_INSTANT_ACCESS"


def _grants(version: ObjectVersion) -> str:
    """The ACL as JSON in Base64."""
    owner = (acls.owner_id(version.owner), acls.FULL_CONTROL)
    shown = []
    for grantee, permission in [owner] if version.acl is None else version.acl:
        if grantee in acls.GROUPS:
            shown.append({"uri": grantee, "permission": permission, "type": "Group"})
        else:
            shown.append({"canonicalId": grantee, "permission": permission, "type": "CanonicalUser"})
    return b64encode(msgspec.json.encode({"version": "2022-11-10", "status": "AVAILABLE", "grants": shown})).decode()
