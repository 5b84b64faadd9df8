"""What becomes of a request that writes an object: its version but for the bytes, and the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cumulo.services.storage.s3 import directory_buckets
from cumulo.services.storage.s3.encryption import object_encryption
from cumulo.services.storage.s3.encryption.object_encryption import Plan
from cumulo.services.storage.s3.lifecycles import lifecycle_configurations, lifecycle_headers
from cumulo.services.storage.s3.locks import object_locks
from cumulo.services.storage.s3.objects import object_headers, object_tags
from cumulo.services.storage.s3.rights import access, acls, lookups
from cumulo.services.storage.s3.stored import checksums, contents, versions
from cumulo.services.storage.s3.stored.object_versions import NULL, ObjectVersion

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.s3.buckets import Bucket
    from cumulo.services.storage.s3.stored.receiving import Received


def described(ctx: Context, bucket: Bucket, request: Mapping[str, Any]) -> ObjectVersion:
    """A new version with all that the head of a request says of it. Raises what AWS refuses of that."""
    key = request["Key"]
    lookups.check_key(key)
    version = versions.begin(ctx, bucket, key)
    version.owner = access.owner_of_new(ctx, bucket, request)
    if acls.given(request):
        version.acl = access.acl_of_new(ctx, bucket, request, version.owner)
    version.headers = object_headers.system_headers(request)
    if "Metadata" in request:
        version.metadata = object_headers.metadata(request)
    if bucket.zone:
        version.storage_class = directory_buckets.storage_class(bucket, request)
    elif "StorageClass" in request:
        version.storage_class = object_headers.storage_class(request)
    if "WebsiteRedirectLocation" in request:
        version.website_redirect = object_headers.redirect(request["WebsiteRedirectLocation"])
    if "Tagging" in request:
        version.tags = object_tags.of_header(request["Tagging"])
    lock = object_locks.of_new(ctx, bucket, request)
    if lock is not object_locks.NO_LOCK:
        version.lock_mode, version.retain_until, version.legal_hold, version.event_hold = lock
    return version


def fill(ctx: Context, version: ObjectVersion, received: Received, plan: Plan) -> None:
    """Give a version its bytes, kept from now on.

    The ETag of what is sealed under KMS or a customer's key is no MD5, nor is any in a directory bucket. Source: S3 API
    Reference, Object and PutObject.
    """
    version.size = received.size
    own = plan.key or version.bucket.endswith(directory_buckets.SUFFIX)
    version.etag = ctx.random_bytes(16).hex() if own else received.md5
    if plan is not object_encryption.PLAIN:  # as versions are from the start
        plan.describe(version)
    version.checksums = received.checksums
    version.checksum_type = checksums.FULL_OBJECT
    if received.data is not None:
        contents.put_row(ctx, version, received.data, plan.key)
    else:
        version.content = received.blob
        version.stored = received.stored
        contents.keep(ctx, received.blob)


def answer(ctx: Context, bucket: Bucket, request: Mapping[str, Any], version: ObjectVersion) -> dict[str, Any]:
    """What is answered to the request that wrote this version."""
    shown: dict[str, Any] = {"ETag": f'"{version.etag}"', "ChecksumType": version.checksum_type}
    for algorithm, value in version.checksums.items():
        shown["Checksum" + algorithm] = value
    if version.version_id != NULL:  # seen of AWS: of a suspended bucket's null version it is not told
        shown["VersionId"] = version.version_id
    show(ctx, bucket, request, version, shown)
    return shown


def show(
    ctx: Context, bucket: Bucket, request: Mapping[str, Any], version: ObjectVersion, answer: dict[str, Any]
) -> None:
    """Put into the answer to the request that wrote this version how it is sealed, when it expires, and who pays."""
    object_encryption.shown(version, answer)
    if version.kms_context:
        answer["SSEKMSEncryptionContext"] = version.kms_context
    if bucket.zone or lifecycle_configurations.KIND in bucket.configured:
        lifecycle_headers.show_expiration(ctx, bucket, version, answer)
    access.show_charge(ctx, bucket, request, answer)
