"""The condition keys of S3: what a policy may ask of the request, its signature, the object and the bucket.

Source: Service Authorization Reference, "Condition keys for Amazon S3"; S3 User Guide, "Bucket policy examples using
condition keys" and "Amazon S3 Signature Version 4 authentication specific policy keys".
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from cumulo.core.policy.deferred_keys import DeferredKeys

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.s3.buckets import Bucket
    from cumulo.services.storage.s3.stored.object_versions import ObjectVersion

# Request member → the condition key of its value.
_MEMBERS = {
    "Prefix": "s3:prefix",
    "Delimiter": "s3:delimiter",
    "MaxKeys": "s3:max-keys",
    "VersionId": "s3:VersionId",
    "ACL": "s3:x-amz-acl",
    "GrantFullControl": "s3:x-amz-grant-full-control",
    "GrantRead": "s3:x-amz-grant-read",
    "GrantReadACP": "s3:x-amz-grant-read-acp",
    "GrantWrite": "s3:x-amz-grant-write",
    "GrantWriteACP": "s3:x-amz-grant-write-acp",
    "CopySource": "s3:x-amz-copy-source",
    "MetadataDirective": "s3:x-amz-metadata-directive",
    "AnnotationDirective": "s3:x-amz-object-annotation-directive",
    "ServerSideEncryption": "s3:x-amz-server-side-encryption",
    "SSEKMSKeyId": "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "SSECustomerAlgorithm": "s3:x-amz-server-side-encryption-customer-algorithm",
    "StorageClass": "s3:x-amz-storage-class",
    "WebsiteRedirectLocation": "s3:x-amz-website-redirect-location",
    "ObjectOwnership": "s3:x-amz-object-ownership",
    "BucketNamespace": "s3:x-amz-bucket-namespace",
    "IfMatch": "s3:if-match",
    "IfNoneMatch": "s3:if-none-match",
    "ObjectIfMatch": "s3:x-amz-object-if-match",
    "AnnotationPrefix": "s3:annotation-prefix",
    "MaxAnnotationResults": "s3:max-annotation-results",
}
_TLS = "1.2"  # the oldest version that our listener takes: which one it is, a request does not tell


class RequestConditions(DeferredKeys):
    """The condition keys of a request."""

    __slots__ = ("_bucket", "_ctx", "_more", "_request", "_version")

    def __init__(
        self,
        ctx: Context,
        bucket: Bucket,
        request: Mapping[str, Any],
        version: ObjectVersion | None,
        more: Mapping[str, Any] | None,
    ) -> None:
        super().__init__()
        self._ctx = ctx
        self._bucket = bucket
        self._request = request
        self._version = version
        self._more = more

    def work_out(self) -> dict[str, Any]:
        found = of_signature(self._ctx)
        found["s3:ResourceAccount"] = self._bucket.account
        found |= of_request(self._ctx, self._request)
        if self._version is not None:
            found |= {f"s3:ExistingObjectTag/{key}": value for key, value in self._version.tags.items()}
        if self._bucket.abac:
            found |= {f"s3:BucketTag/{key}": value for key, value in self._bucket.tags.items()}
        return found | dict(self._more or {})


def of_signature(ctx: Context) -> dict[str, Any]:
    """How the request was signed, and how long ago; whether by TLS."""
    found: dict[str, Any] = {}
    claim = ctx.claim
    if claim is not None:
        found["s3:authType"] = "REST-QUERY-STRING" if claim.presigned else "REST-HEADER"
        found["s3:signatureversion"] = claim.algorithm if claim.terminator else "AWS"
        if claim.terminator:  # a URL of version 2 says when it ends, not when it was signed
            found["s3:signatureAge"] = max(0, int((ctx.runtime.clock.wall() - claim.timestamp) * 1000))
    content = ctx.headers.get("x-amz-content-sha256") if ctx.headers is not None else ""
    if content:
        found["s3:x-amz-content-sha256"] = content
    if ctx.endpoint.startswith("https:"):
        found["s3:TlsVersion"] = _TLS
    return found


def of_request(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """What the request itself says."""
    found = {key: request[member] for member, key in _MEMBERS.items() if member in request}
    found |= _of_lock(ctx, request)
    tags = requested_tags(request)
    if tags:
        found |= {f"s3:RequestObjectTag/{key}": value for key, value in tags.items()}
        found["s3:RequestObjectTagKeys"] = list(tags)
    configuration = request.get("CreateBucketConfiguration")
    if configuration:
        found["s3:locationconstraint"] = configuration.get("LocationConstraint")
    bucket_tags = _bucket_tags(request)
    if bucket_tags:
        found |= {f"aws:RequestTag/{key}": value for key, value in bucket_tags.items()}
        found["aws:TagKeys"] = list(bucket_tags)
    inventory = request.get("InventoryConfiguration")
    if inventory and inventory.get("OptionalFields"):
        found["s3:InventoryAccessibleOptionalFields"] = inventory["OptionalFields"]
    if ctx.operation in ("PutObject", "CopyObject", "CompleteMultipartUpload"):
        found["s3:ObjectCreationOperation"] = True
    elif ctx.operation in ("CreateMultipartUpload", "UploadPart", "UploadPartCopy"):
        found["s3:ObjectCreationOperation"] = False
    return found


def _of_lock(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    retention = request.get("Retention") or {}
    mode = request.get("ObjectLockMode") or retention.get("Mode")
    until = request.get("ObjectLockRetainUntilDate") or retention.get("RetainUntilDate")
    hold = request.get("ObjectLockLegalHoldStatus") or (request.get("LegalHold") or {}).get("Status")
    found: dict[str, Any] = {"s3:object-lock-mode": mode, "s3:object-lock-legal-hold": hold}
    if until is not None:
        found["s3:object-lock-retain-until-date"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(until))
        found["s3:object-lock-remaining-retention-days"] = max(0, int((until - ctx.now()) // 86_400))
    return found | _of_event_hold(request)


def _of_event_hold(request: Mapping[str, Any]) -> dict[str, Any]:
    """A year counts as 365 days there."""
    retention = request.get("Retention") or {}
    duration = retention.get("EventHoldDuration") or {}
    found = {}
    status = request.get("ObjectLockEventHold") or retention.get("EventHold")
    if status is not None:
        found["s3:object-lock-event-hold"] = status
    days = request.get("ObjectLockEventHoldDurationDays") or duration.get("Days")
    years = request.get("ObjectLockEventHoldDurationYears") or duration.get("Years")
    if days or years:
        found["s3:object-lock-event-hold-duration-days"] = str(days or (years or 0) * 365)
    return found


def requested_tags(request: Mapping[str, Any]) -> dict[str, str]:
    """The object tags of a request: of the header (a query string), or of PutObjectTagging's body."""
    tagging = request.get("Tagging")
    if isinstance(tagging, str):
        return dict(parse_qsl(tagging, keep_blank_values=True))
    if isinstance(tagging, dict) and "Key" in request:
        return {tag["Key"]: tag["Value"] for tag in tagging.get("TagSet", ())}
    return {}


def _bucket_tags(request: Mapping[str, Any]) -> dict[str, str]:
    configuration = request.get("CreateBucketConfiguration") or {}
    tags = configuration.get("Tags") or ()
    tagging = request.get("Tagging")
    if isinstance(tagging, dict) and "Key" not in request:
        tags = tagging.get("TagSet", ())
    return {tag["Key"]: tag["Value"] for tag in tags}
