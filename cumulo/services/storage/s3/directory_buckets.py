"""Directory buckets (S3 Express One Zone): their names, and what of S3 they do not have.

Sources: S3 User Guide, "Directory bucket naming rules" and "Differences for directory buckets"; S3 API Reference, the
notes "not supported for directory buckets" of operations and members.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cumulo.services.storage.s3.errors import (
    INVALID_ARGUMENT,
    INVALID_REQUEST,
    INVALID_STORAGE_CLASS,
    METHOD_NOT_ALLOWED,
    NOT_IMPLEMENTED_HEADER,
)

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.s3.buckets import Bucket

SUFFIX = "--x-s3"
SIGNING_NAME = "s3express"
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?--([a-z0-9-]+-(?:az|lz)\d+|[a-z0-9]+-[a-z0-9-]+-\d?[a-z]+\d)--x-s3")
_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_LONGEST = 63

# What there is for these buckets. Source: S3 User Guide, "APIs for S3 Express One Zone".
_OPERATIONS = frozenset(
    (
        "AbortMultipartUpload", "CompleteMultipartUpload", "CopyObject", "CreateMultipartUpload", "CreateSession",
        "DeleteBucket", "DeleteBucketEncryption", "DeleteBucketInventoryConfiguration", "DeleteBucketLifecycle",
        "DeleteBucketMetricsConfiguration", "DeleteBucketPolicy", "DeleteObject", "DeleteObjects",
        "GetBucketEncryption", "GetBucketInventoryConfiguration", "GetBucketLifecycleConfiguration",
        "GetBucketMetricsConfiguration", "GetBucketPolicy", "GetObject", "GetObjectAttributes", "HeadBucket",
        "HeadObject", "ListBucketInventoryConfigurations", "ListBucketMetricsConfigurations", "ListMultipartUploads",
        "ListObjectsV2", "ListParts", "PutBucketEncryption", "PutBucketInventoryConfiguration",
        "PutBucketLifecycleConfiguration", "PutBucketMetricsConfiguration", "PutBucketPolicy", "PutObject",
        "RenameObject", "UploadPart", "UploadPartCopy",
    )
)  # fmt: skip
_HEADERS = {
    "ACL": "x-amz-acl",
    "GrantFullControl": "x-amz-grant-full-control",
    "GrantRead": "x-amz-grant-read",
    "GrantReadACP": "x-amz-grant-read-acp",
    "GrantWriteACP": "x-amz-grant-write-acp",
    "Tagging": "x-amz-tagging",
    "ObjectLockMode": "x-amz-object-lock-mode",
    "ObjectLockRetainUntilDate": "x-amz-object-lock-retain-until-date",
    "ObjectLockLegalHoldStatus": "x-amz-object-lock-legal-hold",
    "ObjectLockEventHold": "x-amz-object-lock-event-hold",
    "ObjectLockEventHoldDurationDays": "x-amz-object-lock-event-hold-duration-days",
    "ObjectLockEventHoldDurationYears": "x-amz-object-lock-event-hold-duration-years",
    "BypassGovernanceRetention": "x-amz-bypass-governance-retention",
    "MFA": "x-amz-mfa",
    "RequestPayer": "x-amz-request-payer",
    "ConfirmRemoveSelfBucketAccess": "x-amz-confirm-remove-self-bucket-access",
    "SSECustomerAlgorithm": "x-amz-server-side-encryption-customer-algorithm",
    "WebsiteRedirectLocation": "x-amz-website-redirect-location",
    "OptionalObjectAttributes": "x-amz-optional-object-attributes",
}
NO_PREFIX = (
    "This bucket does not support a prefix that does not end in a delimiter. "
    "Specify a prefix path ending with a delimiter and try again."
)


def zone_of(name: str) -> str:
    """The id of the zone in the name of a directory bucket ("use1-az4"); "" where no such bucket may have the name."""
    found = _NAME.fullmatch(name)
    if found is None or len(name) > _LONGEST or name.startswith(_PREFIXES):
        return ""
    return found[1]


def check_request(ctx: Context, bucket: Bucket, request: Mapping[str, Any]) -> None:
    """Refuse what directory buckets do not have.

    Raises MethodNotAllowed for an operation, NotImplemented for a header, InvalidArgument for a version id. Source of
    the second: seen of AWS.
    """
    if ctx.internal:
        return
    if ctx.operation not in _OPERATIONS:
        ctx.authorized = True
        raise METHOD_NOT_ALLOWED()
    for member, header in _HEADERS.items():
        if member in request:
            ctx.authorized = True
            raise NOT_IMPLEMENTED_HEADER(members={"Header": header})
    if request.get("VersionId", "null") != "null":
        ctx.authorized = True
        raise INVALID_ARGUMENT(
            "Invalid version id specified",
            members={"ArgumentName": "versionId", "ArgumentValue": request["VersionId"]},
        )


def check_listing(request: Mapping[str, Any]) -> None:
    """Refuse a listing that does not go by directories. Raises InvalidRequest (seen of AWS), InvalidArgument."""
    delimiter, prefix = request.get("Delimiter") or "/", request.get("Prefix") or ""
    if delimiter != "/":
        raise INVALID_REQUEST("This bucket does not support a delimiter other than /.")
    if prefix and not prefix.endswith("/"):
        raise INVALID_REQUEST(NO_PREFIX)
    if "StartAfter" in request:
        raise INVALID_REQUEST("This bucket does not support start-after.")


def storage_class(bucket: Bucket, request: Mapping[str, Any]) -> str:
    """The one storage class of the bucket. Raises InvalidStorageClass for another.

    Source: S3 API Reference, PutObject, x-amz-storage-class.
    """
    own = "ONEZONE_IA" if bucket.local_zone else "EXPRESS_ONEZONE"
    if request.get("StorageClass", own) != own:
        raise INVALID_STORAGE_CLASS(members={"StorageClassRequested": request["StorageClass"]})
    return own
