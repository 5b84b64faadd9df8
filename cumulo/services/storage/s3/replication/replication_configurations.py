"""The replication configuration of a bucket.

Source: S3 API Reference, PutBucketReplication, GetBucketReplication, DeleteBucketReplication; texts as AWS answers
them where they were seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.arns import Arn
from cumulo.core.operation import operation
from cumulo.core.s3.buckets import BUCKETS
from cumulo.services.storage.s3.errors import INVALID_ARGUMENT, INVALID_REQUEST, NO_SUCH_REPLICATION
from cumulo.services.storage.s3.replication import replication_rules
from cumulo.services.storage.s3.rights import access
from cumulo.services.storage.s3.stored import configurations

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.s3.buckets import Bucket
    from cumulo.stubs import s3 as t

KIND = "replication"


@operation(unsupported=("Token",))
def put_bucket_replication(ctx: Context, request: t.PutBucketReplicationRequest) -> None:
    bucket = access.bucket_for(ctx, request)
    document = dict(request["ReplicationConfiguration"])
    replication_rules.check(document)
    if bucket.versioning != "Enabled":
        raise INVALID_REQUEST("Versioning must be 'Enabled' on the bucket to apply a replication configuration")
    _check_role(document["Role"])
    rules = []
    for rule in request["ReplicationConfiguration"]["Rules"]:
        _check_destination(ctx, bucket, rule["Destination"]["Bucket"])
        rules.append({**rule, "ID": rule.get("ID") or ctx.uuid()})
    ctx.pass_role(str(document["Role"]), "s3.amazonaws.com", resource_arn=bucket.arn)
    configurations.put(ctx, bucket, KIND, {**document, "Rules": rules})


def _check_role(role: object) -> None:
    try:
        arn = Arn.parse(str(role))
    except ValueError:
        arn = None
    if arn is None or arn.service != "iam" or not arn.resource.startswith("role/"):
        members = {"ArgumentName": "Role", "ArgumentValue": str(role)}
        raise INVALID_ARGUMENT("Invalid Role specified in replication configuration", members=members)


def destination_of(ctx: Context, arn: str) -> Bucket | None:
    """The bucket that an ARN names; None where there is none."""
    name = arn.rpartition(":")[2]
    return BUCKETS.peek(ctx, name) if arn.startswith("arn:") else None


def _check_destination(ctx: Context, bucket: Bucket, arn: str) -> None:
    destination = destination_of(ctx, arn)
    if destination is None:
        raise INVALID_REQUEST("Destination bucket must exist.")
    if destination.name == bucket.name:
        raise INVALID_REQUEST("Destination bucket cannot be the same as the source bucket.")
    if destination.versioning != "Enabled":
        raise INVALID_REQUEST("Destination bucket must have versioning enabled.")


@operation
def get_bucket_replication(ctx: Context, request: t.GetBucketReplicationRequest) -> t.GetBucketReplicationOutput:
    bucket = access.bucket_for(ctx, request)
    found = configurations.get(ctx, bucket, KIND, NO_SUCH_REPLICATION)
    return {"ReplicationConfiguration": found}  # type: ignore[typeddict-item]


@operation
def delete_bucket_replication(ctx: Context, request: t.DeleteBucketReplicationRequest) -> None:
    bucket = access.bucket_for(ctx, request)
    configurations.remove(ctx, bucket, KIND)
