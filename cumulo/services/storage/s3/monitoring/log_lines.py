"""One line of a server access log.

Source: Amazon S3 User Guide, "Amazon S3 server access log format".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from cumulo.core.policy.principals import PrincipalKind
from cumulo.core.s3.access import canonical_user_id
from cumulo.core.s3.host_ids import host_id

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.s3.buckets import Bucket

# Operations that the log names otherwise than REST.METHOD.OBJECT or REST.METHOD.BUCKET.
_NAMES = {
    "AbortMultipartUpload": "DELETE.UPLOAD", "CompleteMultipartUpload": "POST.UPLOAD", "CopyObject": "COPY.OBJECT",
    "CreateMultipartUpload": "POST.UPLOADS", "DeleteObjects": "POST.MULTI_OBJECT_DELETE", "GetBucketAcl": "GET.ACL",
    "GetBucketCors": "GET.CORS", "GetBucketEncryption": "GET.ENCRYPTION",
    "GetBucketLifecycleConfiguration": "GET.LIFECYCLE", "GetBucketLocation": "GET.LOCATION",
    "GetBucketLogging": "GET.LOGGING_STATUS", "GetBucketNotificationConfiguration": "GET.NOTIFICATION",
    "GetBucketPolicy": "GET.BUCKETPOLICY", "GetBucketReplication": "GET.REPLICATION", "GetBucketTagging": "GET.TAGGING",
    "GetBucketVersioning": "GET.VERSIONING", "GetBucketWebsite": "GET.WEBSITE", "GetObjectAcl": "GET.ACL",
    "GetObjectTagging": "GET.OBJECT_TAGGING", "GetPublicAccessBlock": "GET.PUBLIC_ACCESS_BLOCK",
    "ListMultipartUploads": "GET.UPLOADS", "ListObjectVersions": "GET.BUCKETVERSIONS", "ListParts": "GET.UPLOAD",
    "PutBucketLogging": "PUT.LOGGING_STATUS", "PutBucketPolicy": "PUT.BUCKETPOLICY", "PutObjectAcl": "PUT.ACL",
    "PutObjectTagging": "PUT.OBJECT_TAGGING", "UploadPart": "PUT.PART", "UploadPartCopy": "COPY.PART",
}  # fmt: skip


def line(ctx: Context, bucket: Bucket, request: Mapping[str, Any], sent: Any) -> str:
    """The line of an answer (`wire_calls.Sent`), without its line end."""
    fields = list(_fields(ctx, bucket, request, sent))
    when = datetime.fromtimestamp(ctx.now(), UTC)
    fields[2] = f"[{when:%d/%b/%Y:%H:%M:%S} +0000]"
    fields[7] = quote(fields[7], safe="/~")
    for place in (8, 15, 16):
        fields[place] = f'"{fields[place]}"'
    return " ".join(fields)


def record(ctx: Context, bucket: Bucket, request: Mapping[str, Any], sent: Any) -> dict[str, Any]:
    """The same as deliveries to log groups have it: every field by its name, null for what is not there.

    Source: Amazon S3 User Guide, "Log format in CloudWatch Logs".
    """
    fields = _fields(ctx, bucket, request, sent)
    when = datetime.fromtimestamp(ctx.now(), UTC)
    values: dict[str, Any] = dict(zip(_RECORD, (None if each == "-" else each for each in fields), strict=True))
    for name in _NUMBERS:
        values[name] = int(values[name]) if str(values[name]).isdecimal() else None
    return {
        "schema_version_id": "V_1_0",
        "bucket_arn": bucket.arn,
        **values,
        "request_time": f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03d}Z",
        "source_region": bucket.region,
    }


# The fields of a line, by their names in records.
_RECORD = (
    "bucket_owner_id", "bucket_name", "request_time", "remote_ip", "requester", "request_id", "operation", "key_name",
    "request_uri", "http_status", "error_code", "bytes_sent_size", "object_size", "total_duration",
    "turn_around_duration", "referer", "user_agent", "version_id", "host_id", "signature_version", "cipher_suite",
    "authentication_type", "host_header", "tls_version", "access_point_arn", "acl_required",
)  # fmt: skip
_NUMBERS = ("http_status", "bytes_sent_size", "object_size")


def _fields(ctx: Context, bucket: Bucket, request: Mapping[str, Any], sent: Any) -> tuple[str, ...]:
    """The fields of an answer as they are, "-" for those that are not there; the time is left to who writes it."""
    http, fault = sent.request, sent.fault
    headers = {name.lower(): value for name, value in sent.headers}
    key = request.get("Key") or ""
    method = http.method
    operation = _NAMES.get(ctx.operation) or f"{method}.{'OBJECT' if key else 'BUCKET'}"
    count = headers.get("content-length") or str(len(sent.body) or "-")
    if method == "HEAD" or sent.status in (204, 304):
        count = "-"
    version = headers.get("x-amz-version-id") or request.get("VersionId") or "-"
    claim = ctx.claim
    return (
        canonical_user_id(bucket.account),
        bucket.name,
        "-",
        ctx.source_ip or "-",
        _requester(ctx),
        ctx.request_id,
        f"{'WEBSITE' if 's3-website' in http.host else 'REST'}.{operation}",
        key or "-",
        f"{method} {http.target} HTTP/{http.http_version}",
        str(sent.status),
        fault.code if fault is not None else "-",
        count,
        _size(http, headers, key),
        "-",  # total time, which is not measured
        "-",  # turn-around time, neither
        http.headers.get("referer") or "-",
        http.headers.get("user-agent") or "-",
        version,
        host_id(ctx.request_id),
        "-" if claim is None else "SigV2" if claim.algorithm == "AWS-HMAC-SHA1" else "SigV4",
        "-",  # cipher suite
        "-" if claim is None else "QueryString" if claim.presigned else "AuthHeader",
        http.headers.get("host") or "-",
        "-",  # TLS version
        request["Bucket"] if request["Bucket"].startswith("arn:") else "-",
        "-",  # whether an ACL was needed
    )


def _requester(ctx: Context) -> str:
    principal = ctx.principal
    if principal.kind is PrincipalKind.ANONYMOUS:
        return "-"
    return canonical_user_id(principal.account) if principal.kind is PrincipalKind.ROOT else principal.arn


def _size(http: Any, headers: Mapping[str, str], key: str) -> str:
    if not key:
        return "-"
    if http.method == "PUT":
        return str(http.headers.get("x-amz-decoded-content-length") or http.headers.get("content-length") or "-")
    whole = headers.get("content-range", "").rpartition("/")[2]
    return whole or headers.get("content-length") or "-"
