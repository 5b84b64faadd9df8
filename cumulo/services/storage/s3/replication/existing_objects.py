"""Objects that are there already, for the jobs of S3 Batch Operations: found by a filter, replicated.

Source: S3 User Guide, "Replicating existing objects with Batch Replication", "Configuring an IAM role for S3 Batch
Replication", "Amazon S3 replication failure reasons"; S3 API Reference, JobManifestGeneratorFilter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from cumulo.core.errors import Fault
from cumulo.core.s3.buckets import BUCKETS
from cumulo.services.storage.s3.encryption.object_encryption import CUSTOMER
from cumulo.services.storage.s3.replication import replications
from cumulo.services.storage.s3.replication.replication_configurations import KIND
from cumulo.services.storage.s3.rights import access
from cumulo.services.storage.s3.stored import configurations, versions
from cumulo.services.storage.s3.stored.object_versions import CURRENT, NONCURRENT, NULL, ObjectVersion

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.s3.buckets import Bucket
    from cumulo.core.s3.jobs import Found

PAGE = 1000

_ENCRYPTIONS = {"AES256": "SSES3", "aws:kms": "SSEKMS", "aws:kms:dsse": "DSSEKMS", CUSTOMER: "SSEC", "": "NOTSSE"}

Passes = Callable[[ObjectVersion], bool]


async def replicate(acting: Context, bucket: str, key: str, version_id: str) -> str:
    """Copy a version to where its bucket's rules want it, whether or not it was copied before; "" or why not."""
    payload = await acting.transact(lambda ctx: _begin(ctx, bucket, key, version_id))
    if isinstance(payload, str):
        return payload
    own = acting.runtime.internal_context("s3", "ReplicateObject", acting.account, acting.region)
    return await replications.copy_now(own, payload)


def _begin(ctx: Context, name: str, key: str, version_id: str) -> dict[str, Any] | str:
    bucket = BUCKETS.peek(ctx, name)
    if bucket is None:
        return "SrcBucketNotFound"
    version = versions.find(ctx, name, key, version_id or None)
    if version is None:
        return "SrcVersionNotFound" if version_id else "SrcKeyNotFound"
    request = {"Bucket": name, "Key": key}
    try:
        access.allow_object(ctx, bucket, request, version, action="s3:InitiateReplication")
    except Fault:
        return "InitiateReplicationNotPermitted"
    document = configurations.find(ctx, bucket, KIND)
    if document is None:
        return "SrcBucketReplicationConfigMissing"
    if not replications.takes(document, version):
        return "SrcObjectNotEligible"
    if not version.delete_marker and version.replication_status != replications.REPLICA:
        versions.update(ctx, replace(version, replication_status=replications.PENDING))
    return {"bucket": name, "key": key, "version": version.version_id, "existing": True}


async def find(acting: Context, generator: dict[str, Any]) -> list[Found]:
    """The versions of a bucket that a manifest generator's filter lets through, in the order of their keys."""
    bucket, passes = await acting.transact(lambda ctx: _source(ctx, generator))
    found: list[Found] = []
    for table in (CURRENT, NONCURRENT):
        after: tuple[Any, ...] | None = None
        while True:
            page = await acting.transact(
                lambda ctx, table=table, after=after: table.range(ctx, bucket.name, after=after, limit=PAGE)  # type: ignore[misc]
            )
            found += [
                (each.key, each.version_id if bucket.versioning or each.version_id != NULL else "")
                for each in page
                if passes(each)
            ]
            if len(page) < PAGE:
                break
            after = table.key_of(page[-1])
    found.sort(key=lambda each: each[0].encode())  # stable: the newest version of a key stays first
    return found


def _source(ctx: Context, generator: dict[str, Any]) -> tuple[Bucket, Passes]:
    request = {"Bucket": generator["SourceBucket"].rpartition(":::")[2]}
    if "ExpectedBucketOwner" in generator:
        request["ExpectedBucketOwner"] = generator["ExpectedBucketOwner"]
    bucket = access.located(ctx, request)
    access.allow_bucket(ctx, bucket, request, action="s3:PutInventoryConfiguration")
    wanted = generator.get("Filter") or {}
    document = None
    if wanted.get("EligibleForReplication"):
        access.allow_bucket(ctx, bucket, request, action="s3:GetReplicationConfiguration")
        document = configurations.find(ctx, bucket, KIND) or {"Rules": []}
    tests = list(_tests(wanted, document))
    return bucket, lambda version: not version.delete_marker and all(test(version) for test in tests)


def _tests(wanted: dict[str, Any], document: dict[str, Any] | None) -> Iterator[Passes]:
    if document is not None:
        yield lambda version: replications.takes(document, version)
    if "CreatedAfter" in wanted:
        yield lambda version: version.modified_at > wanted["CreatedAfter"]
    if "CreatedBefore" in wanted:
        yield lambda version: version.modified_at < wanted["CreatedBefore"]
    if "ObjectSizeGreaterThanBytes" in wanted:
        yield lambda version: version.size > wanted["ObjectSizeGreaterThanBytes"]
    if "ObjectSizeLessThanBytes" in wanted:
        yield lambda version: version.size < wanted["ObjectSizeLessThanBytes"]
    if wanted.get("MatchAnyStorageClass"):
        yield lambda version: version.storage_class in wanted["MatchAnyStorageClass"]
    if wanted.get("ObjectReplicationStatuses"):
        yield lambda version: (version.replication_status or "NONE") in wanted["ObjectReplicationStatuses"]
    if wanted.get("MatchAnyObjectEncryption"):
        yield lambda version: any(_encrypted(version, each) for each in wanted["MatchAnyObjectEncryption"])
    names = wanted.get("KeyNameConstraint") or {}
    if names.get("MatchAnyPrefix"):
        yield lambda version: version.key.startswith(tuple(names["MatchAnyPrefix"]))
    if names.get("MatchAnySuffix"):
        yield lambda version: version.key.endswith(tuple(names["MatchAnySuffix"]))
    if names.get("MatchAnySubstring"):
        yield lambda version: any(text in version.key for text in names["MatchAnySubstring"])


def _encrypted(version: ObjectVersion, wanted: dict[str, Any]) -> bool:
    kind = _ENCRYPTIONS[version.encryption]
    if kind not in wanted:
        return False
    options = wanted[kind] or {}
    if "KmsKeyArn" in options and options["KmsKeyArn"] != version.kms_key:
        return False
    return "BucketKeyEnabled" not in options or options["BucketKeyEnabled"] == version.bucket_key
