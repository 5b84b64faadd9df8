"""Directory buckets come, and are listed: CreateBucket with a zone, ListDirectoryBuckets.

Sources: S3 API Reference, CreateBucket and ListDirectoryBuckets; S3 User Guide, "Directory bucket quotas".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cumulo.core import paging
from cumulo.core.operation import operation
from cumulo.core.s3.access import PublicAccessBlock
from cumulo.core.s3.buckets import BUCKETS, Bucket, keep
from cumulo.services.storage.s3 import directory_buckets
from cumulo.services.storage.s3.errors import (
    ACCESS_DENIED,
    BUCKET_ALREADY_EXISTS,
    BUCKET_ALREADY_OWNED_BY_YOU,
    INVALID_ARGUMENT,
    INVALID_BUCKET_NAME,
    INVALID_LOCATION_CONSTRAINT,
    INVALID_REQUEST,
    MALFORMED_XML,
    NOT_IMPLEMENTED_HEADER,
    TOO_MANY_BUCKETS,
)
from cumulo.services.storage.s3.rights import directory_rights

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import s3 as t

MOST = 1000  # of one page
MOST_BUCKETS = 100  # of an account in a region
_REDUNDANCY = {"AvailabilityZone": "SingleAvailabilityZone", "LocalZone": "SingleLocalZone"}
_HEADERS = {
    "ACL": "x-amz-acl",
    "GrantFullControl": "x-amz-grant-full-control",
    "GrantRead": "x-amz-grant-read",
    "GrantReadACP": "x-amz-grant-read-acp",
    "GrantWrite": "x-amz-grant-write",
    "GrantWriteACP": "x-amz-grant-write-acp",
    "ObjectLockEnabledForBucket": "x-amz-bucket-object-lock-enabled",
}


def is_wanted(request: Mapping[str, Any]) -> bool:
    """Whether CreateBucket is asked for a directory bucket."""
    configuration = request.get("CreateBucketConfiguration") or {}
    return "Location" in configuration or "Bucket" in configuration


def create(ctx: Context, request: Mapping[str, Any]) -> dict[str, str]:
    """What CreateBucket does then, and answers."""
    name = request["Bucket"]
    configuration = request["CreateBucketConfiguration"]
    location = configuration.get("Location") or {}
    zone = directory_buckets.zone_of(name)
    new = Bucket(name, ctx.account, ctx.region, ctx.now(), zone=zone or "none")
    new.local_zone = location.get("Type") == "LocalZone"
    directory_rights.allow(ctx, new, "s3:CreateBucket", request)
    if not zone:
        raise INVALID_BUCKET_NAME(members={"BucketName": name})
    _check(request, configuration, location, zone)
    there = BUCKETS.peek(ctx, name)
    if there is not None:
        wrong = BUCKET_ALREADY_OWNED_BY_YOU if there.account == ctx.account else BUCKET_ALREADY_EXISTS
        raise wrong(members={"BucketName": name})
    mine = BUCKETS.range(ctx, ctx.account, index="by_account")
    if sum([1 for each in mine if each.zone and each.region == ctx.region]) >= MOST_BUCKETS:
        raise TOO_MANY_BUCKETS()
    new.public_access_block = PublicAccessBlock(True, True, True, True)  # which cannot be changed
    keep(ctx, new)
    host = f"{name}.s3express-{zone}.{ctx.region}.amazonaws.com"
    return {"Location": f"https://{host}/", "BucketArn": new.arn}


def _check(
    request: Mapping[str, Any], configuration: Mapping[str, Any], location: Mapping[str, Any], zone: str
) -> None:
    for member, header in _HEADERS.items():
        if member in request:
            raise NOT_IMPLEMENTED_HEADER(members={"Header": header})
    if request.get("ObjectOwnership", "BucketOwnerEnforced") != "BucketOwnerEnforced":
        raise NOT_IMPLEMENTED_HEADER(members={"Header": "x-amz-object-ownership"})
    if "Tags" in configuration:
        raise INVALID_REQUEST("Tags of directory buckets are not offered yet.")
    kind = configuration.get("Bucket") or {}
    redundancy = _REDUNDANCY.get(location.get("Type", ""))
    if kind.get("Type") != "Directory" or redundancy is None or "Name" not in location:
        raise MALFORMED_XML()
    if kind.get("DataRedundancy", redundancy) != redundancy:
        raise MALFORMED_XML()
    if "LocationConstraint" in configuration:
        raise INVALID_LOCATION_CONSTRAINT(members={"LocationConstraint": configuration["LocationConstraint"]})
    if location["Name"] != zone:
        raise INVALID_BUCKET_NAME(members={"BucketName": request["Bucket"]})


@operation
def list_directory_buckets(ctx: Context, request: t.ListDirectoryBucketsRequest) -> t.ListDirectoryBucketsOutput:
    """The caller's directory buckets of the region, by name."""
    if directory_rights.session_of(ctx) is not None:
        ctx.authorized = True
        raise ACCESS_DENIED()
    if not ctx.trusted(ctx.account):
        ctx.authorize("*", action="s3express:ListAllMyDirectoryBuckets")
    limit = request.get("MaxDirectoryBuckets", MOST)
    if not 0 <= limit <= MOST:
        members = {"ArgumentName": "max-directory-buckets", "ArgumentValue": str(limit)}
        raise INVALID_ARGUMENT("Argument max-directory-buckets must be an integer between 0 and 1000", members=members)
    token, last = request.get("ContinuationToken"), ""
    if token:
        last = str(paging.decode(ctx, token, INVALID_ARGUMENT("The continuation token provided is incorrect"))[0])
    mine = BUCKETS.range(ctx, ctx.account, index="by_account", after=(ctx.account, last) if last else None)
    found = [each for each in mine if each.zone and each.region == ctx.region]
    page = found[:limit]
    answer: t.ListDirectoryBucketsOutput = {
        "Buckets": [{"Name": each.name, "CreationDate": each.created_at, "BucketArn": each.arn} for each in page]
    }
    if page and len(found) > limit:
        answer["ContinuationToken"] = paging.encode(ctx, (page[-1].name,))
    return answer
