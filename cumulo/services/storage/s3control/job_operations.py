"""What a job does to one object: a call of S3's API, or of a function, with the job's role.

Source: S3 User Guide, "Operations supported by S3 Batch Operations"; S3 API Reference, JobOperation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from cumulo.core.errors import Fault
from cumulo.core.s3 import jobs as s3_jobs
from cumulo.services.storage.s3control import job_checksums, job_functions

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.storage.s3control.job_manifests import Target

Row = tuple[str, str, str, str, int, str]

_SYSTEM = ("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType")
_COPIED = (
    ("CannedAccessControlList", "ACL"), ("MetadataDirective", "MetadataDirective"), ("StorageClass", "StorageClass"),
    ("ModifiedSinceConstraint", "CopySourceIfModifiedSince"), ("RedirectLocation", "WebsiteRedirectLocation"),
    ("UnModifiedSinceConstraint", "CopySourceIfUnmodifiedSince"), ("BucketKeyEnabled", "BucketKeyEnabled"),
    ("ObjectLockLegalHoldStatus", "ObjectLockLegalHoldStatus"), ("ObjectLockMode", "ObjectLockMode"),
    ("ObjectLockRetainUntilDate", "ObjectLockRetainUntilDate"), ("ChecksumAlgorithm", "ChecksumAlgorithm"),
)  # fmt: skip


async def do(acting: Context, job_id: str, wanted: dict[str, Any], target: Target) -> Row:
    """Do it to one object, with the rights of the job's role; the row of the report."""
    ((name, options),) = wanted.items()
    try:
        if name == "S3ReplicateObject":
            reason = await s3_jobs.hand(acting.runtime).replicate(acting, *target)
            return (*target, reason, 400, reason) if reason else (*target, "", 200, "Successful")
        if name == "LambdaInvoke":
            return await job_functions.call(acting, job_id, options, target)
        if name == job_checksums.NAME:
            return await job_checksums.compute(acting, options or {}, target)
        operation, request = _request(name, options or {}, target)
        await getattr(acting.aws.s3, operation)(request)
    except Fault as fault:
        return (*target, fault.code, fault.status or 400, fault.message)
    return (*target, "", 200, "Successful")


def _request(name: str, options: dict[str, Any], target: Target) -> tuple[str, dict[str, Any]]:
    request: dict[str, Any] = {"Bucket": target.bucket, "Key": target.key}
    if target.version_id:
        request["VersionId"] = target.version_id
    if name == "S3PutObjectCopy":
        return "copy_object", _copy(options, target)
    if name == "S3PutObjectTagging":
        return "put_object_tagging", {**request, "Tagging": {"TagSet": options.get("TagSet") or []}}
    if name == "S3DeleteObjectTagging":
        return "delete_object_tagging", request
    if name == "S3PutObjectAcl":
        return "put_object_acl", {**request, **_acl(options.get("AccessControlPolicy") or {})}
    if name == "S3PutObjectLegalHold":
        return "put_object_legal_hold", {**request, "LegalHold": options["LegalHold"]}
    if name == "S3PutObjectRetention":
        given = {"Retention": options["Retention"]}
        if "BypassGovernanceRetention" in options:
            given["BypassGovernanceRetention"] = options["BypassGovernanceRetention"]
        return "put_object_retention", {**request, **given}
    if name == "S3UpdateObjectEncryption":
        return "update_object_encryption", {**request, "ObjectEncryption": options.get("ObjectEncryption") or {}}
    tier = options.get("GlacierJobTier", "STANDARD").capitalize()
    wanted: dict[str, Any] = {"GlacierJobParameters": {"Tier": tier}}
    if "ExpirationInDays" in options:
        wanted["Days"] = options["ExpirationInDays"]
    return "restore_object", {**request, "RestoreRequest": wanted}


def _copy(options: dict[str, Any], target: Target) -> dict[str, Any]:
    source = f"{target.bucket}/{quote(target.key, safe='/~')}"
    if target.version_id:
        source += f"?versionId={target.version_id}"
    prefix = options.get("TargetKeyPrefix")
    request: dict[str, Any] = {
        "Bucket": options["TargetResource"].rpartition(":::")[2],
        "Key": f"{prefix}/{target.key}" if prefix else target.key,
        "CopySource": source,
    }
    for member, name in _COPIED:
        if member in options:
            request[name] = options[member]
    if options.get("SSEAwsKmsKeyId"):
        request |= {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": options["SSEAwsKmsKeyId"]}
    metadata = options.get("NewObjectMetadata")
    if metadata:
        request["MetadataDirective"] = "REPLACE"
        request["Metadata"] = metadata.get("UserMetadata") or {}
        request |= {name: metadata[name] for name in _SYSTEM if name in metadata}
        if "SSEAlgorithm" in metadata:
            request["ServerSideEncryption"] = {"AES256": "AES256", "KMS": "aws:kms"}[metadata["SSEAlgorithm"]]
    if options.get("NewObjectTagging"):
        request["TaggingDirective"] = "REPLACE"
        request["Tagging"] = urlencode([(tag["Key"], tag["Value"]) for tag in options["NewObjectTagging"]])
    return request


def _acl(policy: dict[str, Any]) -> dict[str, Any]:
    if "CannedAccessControlList" in policy:
        return {"ACL": policy["CannedAccessControlList"]}
    given = policy.get("AccessControlList") or {}
    kinds = {"id": ("CanonicalUser", "ID"), "emailAddress": ("AmazonCustomerByEmail", "EmailAddress"),
             "uri": ("Group", "URI")}  # fmt: skip
    grants = []
    for grant in given.get("Grants") or ():
        kind, member = kinds[grant["Grantee"]["TypeIdentifier"]]
        grantee = {"Type": kind, member: grant["Grantee"]["Identifier"]}
        grants.append({"Grantee": grantee, "Permission": grant["Permission"]})
    owner = given.get("Owner") or {}
    return {"AccessControlPolicy": {"Grants": grants, "Owner": owner}}
