"""Rights: the bucket of a request, and whether the caller may do with it, or with an object in it, what it asks.

Everything else in this package asks here and nowhere else:

    bucket = access.bucket_for(ctx, request)   # found, and the operation's bucket action allowed on it
    bucket = access.object_for(ctx, request)   # found, and the action allowed on arn:aws:s3:::bucket/key, where no
                                               # object that is there has a say (PutObject, DeleteObject)
    bucket = access.located(ctx, request)      # for reading: found only; then, with the version that was found,
    access.allow_object(ctx, bucket, request, version)
    raise access.no_such_key(ctx, bucket, request)   # NoSuchKey to those who may list, AccessDenied to others

A request's "Bucket" is a name, or the ARN or alias of an access point.

Source: S3 User Guide, "How Amazon S3 authorizes a request", "Required permissions for Amazon S3 API operations".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cumulo.core.errors import Fault
from cumulo.core.policy.principals import PrincipalKind
from cumulo.core.s3 import public_policies
from cumulo.core.s3.access import ACCOUNT_ACCESS, PublicAccessBlock
from cumulo.core.s3.buckets import BUCKET_OWNER_ENFORCED, BUCKETS, Bucket, known
from cumulo.core.s3.object_lambda import SERVICE as OBJECT_LAMBDA
from cumulo.services.storage.s3 import directory_buckets
from cumulo.services.storage.s3.conditions import RequestConditions
from cumulo.services.storage.s3.errors import (
    ACCESS_DENIED,
    INVALID_EXPECTED_OWNER,
    INVALID_REQUEST,
    NO_SUCH_BUCKET,
    NO_SUCH_KEY,
    PERMANENT_REDIRECT,
    WRONG_REGION,
    WRONG_REGION_IN_QUERY,
)
from cumulo.services.storage.s3.monitoring import answer_watchers
from cumulo.services.storage.s3.rights import access_points, acls, denials, directory_rights, grants, integrity

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.storage.s3.stored.object_versions import ObjectVersion

_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
# What is done to an object itself, whose owner and whose ACL decide; all else is done to the bucket that holds it.
_OF_OBJECTS = frozenset(
    (
        "s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectAcl", "s3:GetObjectVersionAcl", "s3:PutObjectAcl",
        "s3:PutObjectVersionAcl", "s3:GetObjectAttributes", "s3:GetObjectVersionAttributes", "s3:GetObjectTorrent",
        "s3:GetObjectVersionTorrent",
    )
)  # fmt: skip
_OF_VERSIONS = {
    "s3:GetObject": "s3:GetObjectVersion",
    "s3:GetObjectAcl": "s3:GetObjectVersionAcl",
    "s3:GetObjectAttributes": "s3:GetObjectVersionAttributes",
    "s3:GetObjectTagging": "s3:GetObjectVersionTagging",
    "s3:GetObjectTorrent": "s3:GetObjectVersionTorrent",
    "s3:GetObjectAnnotation": "s3:GetObjectVersionAnnotation",
    "s3:ListObjectAnnotations": "s3:ListObjectVersionAnnotations",
    "s3:PutObjectAcl": "s3:PutObjectVersionAcl",
    "s3:PutObjectAnnotation": "s3:PutObjectVersionAnnotation",
    "s3:PutObjectTagging": "s3:PutObjectVersionTagging",
    "s3:DeleteObject": "s3:DeleteObjectVersion",
    "s3:DeleteObjectAnnotation": "s3:DeleteObjectVersionAnnotation",
    "s3:DeleteObjectTagging": "s3:DeleteObjectVersionTagging",
}
# The account's root user can always mend a policy that locks everybody out. Source: API Reference, PutBucketPolicy.
_OF_POLICIES = frozenset(("s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"))
_NO_BLOCK = PublicAccessBlock()
_SIGNING_NAME = "s3"


def located(ctx: Context, request: Mapping[str, Any], *, anywhere: bool = False, shared: bool = False) -> Bucket:
    """The bucket of a request, in the region and of the account that the request expects; nothing is allowed yet.

    `anywhere`: it may be in another region, as the source of a copy may. `shared`: whoever asks changes nothing of it.
    Raises NoSuchBucket, what AWS answers to a request in the wrong region, and AccessDenied where
    ExpectedBucketOwner is not the owner.
    """
    name = request["Bucket"]
    if ctx.document:
        integrity.check(ctx, request)
    bucket = known(ctx, name) if shared else BUCKETS.peek(ctx, name)
    if bucket is None:
        bucket = access_points.bucket_of(ctx, name, source=anywhere)
    expected = request.get("ExpectedBucketOwner")
    if expected is not None and not _ACCOUNT.fullmatch(expected):
        ctx.authorized = True
        raise INVALID_EXPECTED_OWNER(value=expected)
    if bucket is None:
        ctx.authorized = True
        raise NO_SUCH_BUCKET(members={"BucketName": name})
    if bucket.zone:
        directory_buckets.check_request(ctx, bucket, request)
    elif ctx.claim is not None and ctx.claim.service != _SIGNING_NAME and not ctx.internal:
        bucket = _signed_for_another(ctx, bucket, name, anywhere=anywhere)
    if bucket.configured and not ctx.internal:
        answer_watchers.watch(ctx, bucket, request)
    if bucket.region != ctx.region and not anywhere:
        _check_region(ctx, bucket)
    if ".s3-accelerate." in ctx.endpoint:
        _check_acceleration(ctx, bucket)
    if expected is not None and expected != bucket.account:
        raise ACCESS_DENIED()
    return bucket


def _signed_for_another(ctx: Context, bucket: Bucket, name: str, *, anywhere: bool) -> Bucket:
    """The bucket of a request that is signed for directory buckets, or for Object Lambda access points."""
    assert ctx.claim is not None
    if ctx.claim.service == directory_buckets.SIGNING_NAME:
        directory_rights.check_elsewhere(ctx, anywhere=anywhere)
    elif ctx.claim.service == OBJECT_LAMBDA and bucket.name == name:  # the host's label is no bucket then
        found = access_points.bucket_of(ctx, name, source=anywhere)
        if found is None:
            ctx.authorized = True
            raise NO_SUCH_BUCKET(members={"BucketName": name})
        return found
    return bucket


def bucket_for(
    ctx: Context, request: Mapping[str, Any], *, action: str = "", context: Mapping[str, Any] | None = None
) -> Bucket:
    """The bucket of a request, found and allowed; `action` ("s3:ListBucket") where it is not the operation's own."""
    bucket = located(ctx, request)
    allow_bucket(ctx, bucket, request, action=action, context=context)
    return bucket


def object_for(
    ctx: Context,
    request: Mapping[str, Any],
    *,
    action: str = "",
    version: ObjectVersion | None = None,
    context: Mapping[str, Any] | None = None,
) -> Bucket:
    """The bucket of a request, found, and the action allowed on the object of its "Key". Nothing of it is changed."""
    bucket = located(ctx, request, shared=True)
    allow_object(ctx, bucket, request, version, action=action, context=context)
    return bucket


def allow_bucket(
    ctx: Context,
    bucket: Bucket,
    request: Mapping[str, Any],
    *,
    action: str = "",
    context: Mapping[str, Any] | None = None,
) -> None:
    """AccessDenied unless the caller may do this with the bucket."""
    if bucket.zone:
        directory_rights.allow(ctx, bucket, action or _own_action(ctx), request)
        return
    if not bucket.policy and request.get("Bucket", bucket.name) == bucket.name and ctx.trusted(bucket.account):
        return
    action = action or _own_action(ctx)
    way = access_points.of_request(ctx, bucket, request)
    if way is not None:
        _check_payer(ctx, bucket, request)
        access_points.allow(ctx, bucket, way, action, "", RequestConditions(ctx, bucket, request, None, context))
        return
    if action in _OF_POLICIES and ctx.principal.kind is PrincipalKind.ROOT and ctx.trusted(bucket.account):
        return
    _check_payer(ctx, bucket, request)
    _authorize(ctx, bucket, bucket.arn, action, RequestConditions(ctx, bucket, request, None, context))


def allow_new_bucket(ctx: Context, bucket: Bucket, request: Mapping[str, Any]) -> None:
    """AccessDenied unless the caller may create this bucket, with all that the request gives it.

    Source: S3 API Reference, CreateBucket, "Permissions".
    """
    if ctx.trusted(bucket.account):
        return
    wanted = ["s3:CreateBucket"]
    if acls.given(request):
        wanted.append("s3:PutBucketAcl")
    if request.get("ObjectLockEnabledForBucket"):
        wanted += ["s3:PutBucketObjectLockConfiguration", "s3:PutBucketVersioning"]
    if "ObjectOwnership" in request:
        wanted.append("s3:PutBucketOwnershipControls")
    if (request.get("CreateBucketConfiguration") or {}).get("Tags"):
        wanted.append("s3:TagResource")
    conditions = RequestConditions(ctx, bucket, request, None, None)
    for action in wanted:
        _authorize(ctx, bucket, bucket.arn, action, conditions)


def allow_object(
    ctx: Context,
    bucket: Bucket,
    request: Mapping[str, Any],
    version: ObjectVersion | None = None,
    *,
    action: str = "",
    key: str = "",
    context: Mapping[str, Any] | None = None,
) -> None:
    """AccessDenied unless the caller may do this with the object of the request's "Key" (or of `key`).

    `version` is the object that is there already, where its ACL and its tags have a say; None where there is none.
    An `action` that has a form of its own for versions ("s3:GetObjectVersion") takes it when the request names one.
    What the request does besides (tags, an ACL, a lock) needs its own permission.
    """
    if bucket.zone:
        directory_rights.allow(ctx, bucket, action or _own_action(ctx), request, key or request["Key"])
        return
    if (
        not bucket.policy
        and ctx.trusted(bucket.account)
        and (version is None or version.owner == bucket.account)
        and request.get("Bucket", bucket.name) == bucket.name
    ):
        return
    own = not action
    action = action or _own_action(ctx)
    if "VersionId" in request:
        action = _OF_VERSIONS.get(action, action)
    _check_payer(ctx, bucket, request)
    key = key or request["Key"]
    conditions = RequestConditions(ctx, bucket, request, version, context)
    way = access_points.of_request(ctx, bucket, request)
    for each in (action, *(_further_actions(ctx, request) if own else ())):
        if way is not None:
            access_points.allow(ctx, bucket, way, each, key, conditions)
        else:
            _authorize(ctx, bucket, f"{bucket.arn}/{key}", each, conditions, version)


def may(
    ctx: Context,
    bucket: Bucket,
    request: Mapping[str, Any],
    action: str,
    *,
    key: str = "",
    version: ObjectVersion | None = None,
) -> bool:
    """Whether the caller has a further permission ("s3:BypassGovernanceRetention"), on the object if there is a key."""
    of_object = bool(key) or "Key" in request

    def ask() -> None:
        if of_object:
            allow_object(ctx, bucket, request, version, action=action, key=key)
        else:
            allow_bucket(ctx, bucket, request, action=action)

    return denials.allowed(ctx, ask)


def owner_of_new(ctx: Context, bucket: Bucket, request: Mapping[str, Any]) -> str:
    """The account that will own what the caller writes; "" is nobody (an anonymous caller).

    Source: S3 User Guide, "Controlling ownership of objects": BucketOwnerPreferred takes what comes with the canned
    ACL bucket-owner-full-control.
    """
    if bucket.ownership == BUCKET_OWNER_ENFORCED or ctx.internal or ctx.principal.kind is PrincipalKind.SERVICE:
        return bucket.account
    if bucket.ownership == "BucketOwnerPreferred" and request.get("ACL") == "bucket-owner-full-control":
        return bucket.account
    return ctx.principal.account


def acl_of_new(ctx: Context, bucket: Bucket, request: Mapping[str, Any], owner: str) -> list[tuple[str, str]] | None:
    """The ACL that the head of a request gives to the object it writes.

    Raises the errors of a broken one, AccessControlListNotSupported, and AccessDenied for a public one that is blocked.
    """
    if not acls.given(request):
        return None
    found = acls.of_head(request, owner=owner, bucket_owner=bucket.account, of_object=True)
    acls.check_enabled(bucket, request, found)
    if bucket.ownership == BUCKET_OWNER_ENFORCED:
        return None
    check_public_acl(ctx, bucket, found, f"{bucket.arn}/{request['Key']}", "s3:PutObjectAcl")
    return found


def check_public_acl(ctx: Context, bucket: Bucket, found: list[tuple[str, str]] | None, arn: str, action: str) -> None:
    """AccessDenied for a public ACL where BlockPublicAcls is set."""
    if acls.is_public(found) and block_of(ctx, bucket).block_acls:
        why = (
            "public access control lists (ACLs) are prevented by the BlockPublicAcls setting in S3 Block Public Access"
        )
        raise blocked(ctx, bucket, arn, action, why)


def blocked(ctx: Context, bucket: Bucket, arn: str, action: str, why: str) -> Fault:
    """The refusal by a public access block.

    Source: S3 User Guide, "Troubleshoot access denied (403 Forbidden) errors", "Access denied message examples".
    """
    text = f'User: {ctx.principal.arn} is not authorized to perform: {action} on resource: "{arn}" because {why}'
    return ACCESS_DENIED(text if ctx.principal.account == bucket.account else None)


def block_of(ctx: Context, bucket: Bucket) -> PublicAccessBlock:
    """What the bucket's and its account's public access blocks forbid together."""
    found = ACCOUNT_ACCESS.peek(ctx, bucket.account)
    mine, theirs = bucket.public_access_block or _NO_BLOCK, found.block if found is not None else _NO_BLOCK
    return PublicAccessBlock(
        mine.block_acls or theirs.block_acls,
        mine.ignore_acls or theirs.ignore_acls,
        mine.block_policy or theirs.block_policy,
        mine.restrict_buckets or theirs.restrict_buckets,
    )


def no_such_key(ctx: Context, bucket: Bucket, request: Mapping[str, Any]) -> Fault:
    """The fault of a key that is not there: AccessDenied to those who may not list the bucket.

    Source: S3 API Reference, GetObject, "Permissions".
    """
    allow_bucket(ctx, bucket, request, action="s3:ListBucket")
    return NO_SUCH_KEY(members={"Key": request["Key"]})


def charged(ctx: Context, bucket: Bucket, request: Mapping[str, Any]) -> bool:
    """Whether the caller pays for the request."""
    return bucket.requester_pays and request.get("RequestPayer") == "requester" and ctx.account != bucket.account


def show_charge(ctx: Context, bucket: Bucket, request: Mapping[str, Any], answer: dict[str, Any]) -> None:
    """Put RequestCharged into an answer where the caller pays for the request."""
    if charged(ctx, bucket, request):
        answer["RequestCharged"] = "requester"


def _check_payer(ctx: Context, bucket: Bucket, request: Mapping[str, Any]) -> None:
    """Others than the owner must say that they pay, and be known.

    Source: S3 User Guide, "Using Requester Pays general purpose buckets": 403 otherwise.
    """
    if not bucket.requester_pays or ctx.internal or ctx.principal.account == bucket.account:
        return
    if ctx.principal.kind is PrincipalKind.SERVICE:
        return
    if ctx.principal.kind is PrincipalKind.ANONYMOUS or request.get("RequestPayer") != "requester":
        ctx.authorized = True
        raise ACCESS_DENIED()


def _check_region(ctx: Context, bucket: Bucket) -> None:
    """The redirects of a request that was signed for another region than the bucket's."""
    claim = ctx.claim
    if claim is None or not (claim.region or claim.region_set) or ctx.internal:
        return  # what is not signed, or as of old, names no region
    if not claim.region and claim.holds_in(bucket.region):
        return
    ctx.authorized = True
    if claim.presigned:
        raise WRONG_REGION_IN_QUERY(
            region=ctx.region, expected=bucket.region, members={"Region": bucket.region, "BucketRegion": bucket.region}
        )
    if bucket.name in ctx.endpoint:
        raise WRONG_REGION(
            region=ctx.region, expected=bucket.region, members={"Region": bucket.region, "BucketRegion": bucket.region}
        )
    members = {"Endpoint": f"{bucket.name}.s3.{bucket.region}.amazonaws.com", "Bucket": bucket.name}
    raise PERMANENT_REDIRECT(members={**members, "BucketRegion": bucket.region})


def _check_acceleration(ctx: Context, bucket: Bucket) -> None:
    """The accelerated host name is for buckets that have it enabled. Observed in AWS's answers."""
    if bucket.acceleration != "Enabled":
        ctx.authorized = True
        state = "disabled" if bucket.acceleration else "not configured"
        raise INVALID_REQUEST(f"S3 Transfer Acceleration is {state} on this bucket")


def _own_action(ctx: Context) -> str:
    return (ctx.handler.rule.action if ctx.handler is not None else None) or f"s3:{ctx.operation}"


def _further_actions(ctx: Context, request: Mapping[str, Any]) -> list[str]:
    """What a write needs beside its own permission.

    Source: S3 User Guide, "Required permissions for Amazon S3 API operations".
    """
    found: list[str] = []
    if ctx.operation in ("PutObject", "CopyObject", "CreateMultipartUpload"):
        # The policies that AWS documents for its services (CloudTrail, CloudWatch Logs) allow s3:PutObject alone, on
        # the condition of an ACL: so none of them needs the permission for that.
        if acls.given(request) and ctx.principal.kind is not PrincipalKind.SERVICE:
            found.append("s3:PutObjectAcl")
        if request.get("Tagging"):
            found.append("s3:PutObjectTagging")
        if "ObjectLockMode" in request or "ObjectLockRetainUntilDate" in request or "ObjectLockEventHold" in request:
            found.append("s3:PutObjectRetention")
        if "ObjectLockLegalHoldStatus" in request:
            found.append("s3:PutObjectLegalHold")
    elif ctx.operation == "GetObjectAttributes":
        found.append("s3:GetObjectVersion" if "VersionId" in request else "s3:GetObject")
    return found


def _authorize(
    ctx: Context,
    bucket: Bucket,
    arn: str,
    action: str,
    conditions: Mapping[str, Any],
    version: ObjectVersion | None = None,
) -> None:
    """Put the question to the policy engine: bucket policy and ACL in one, as the resource's own policy."""
    of_object = version is not None and action in _OF_OBJECTS
    owner = version.owner if version is not None and of_object else bucket.account
    enabled = bucket.ownership != BUCKET_OWNER_ENFORCED
    acl = (version.acl if version is not None and of_object else bucket.acl) if enabled else None
    if not enabled:
        owner = bucket.account
    known = ctx.principal.kind is not PrincipalKind.ANONYMOUS
    outsider = ctx.principal.account != bucket.account and ctx.principal.kind is not PrincipalKind.SERVICE
    block = block_of(ctx, bucket) if acl or (outsider and bucket.policy) else _NO_BLOCK
    restricted = outsider and block.restrict_buckets and public_policies.is_public(bucket.policy)
    policy = grants.combined(
        bucket.policy,
        acl,
        of_object=of_object,
        known_caller=known,
        ignore_public=block.ignore_acls,
        allows=owner == bucket.account and not restricted,
    )
    tags = bucket.tags if bucket.abac else None
    try:
        ctx.authorize(arn, policy=policy or None, tags=tags, action=action, context=conditions, account=owner or "none")
    except Fault as fault:
        raise _worded(ctx, bucket, arn, fault) from None


def _worded(ctx: Context, bucket: Bucket, arn: str, fault: Fault) -> Fault:
    """S3 says why only to callers of the bucket's own account, and sets the ARN in quotes.

    Source: S3 User Guide, "Troubleshoot access denied (403 Forbidden) errors", "Access denied message examples".
    """
    if fault.code != "AccessDenied":
        return fault
    if ctx.principal.account != bucket.account:
        return ACCESS_DENIED()
    return ACCESS_DENIED(fault.message.replace(f"on resource: {arn}", f'on resource: "{arn}"'))
