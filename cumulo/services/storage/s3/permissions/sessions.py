"""CreateSession: temporary keys for the objects of one directory bucket.

Source: S3 API Reference, CreateSession.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.callers import credentials
from cumulo.core.operation import operation
from cumulo.core.policy.principals import PrincipalKind
from cumulo.core.s3.buckets import BUCKETS, Bucket
from cumulo.services.storage.s3 import directory_buckets
from cumulo.services.storage.s3.encryption import directory_encryption, object_encryption
from cumulo.services.storage.s3.errors import ACCESS_DENIED, INVALID_ARGUMENT, METHOD_NOT_ALLOWED
from cumulo.services.storage.s3.rights import access, directory_rights
from cumulo.services.storage.s3.rights.directory_rights import READ_ONLY, READ_WRITE

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import s3 as t

LASTS_S = 300


@operation
def create_session(ctx: Context, request: t.CreateSessionRequest) -> t.CreateSessionOutput:
    """Keys for five minutes; without a mode, the widest that the caller may have.

    Through an endpoint that is no zone's, boto3 asks for a session before everything, CreateBucket too: there a bucket
    that is yet to come gives one as well, with which nothing but its creation is possible; and unless the request says
    how such a session encrypts, it follows what is made the bucket's default while it lasts.
    """
    mode = request.get("SessionMode")
    if mode not in (None, READ_ONLY, READ_WRITE):
        members = {"ArgumentName": "x-amz-create-session-mode", "ArgumentValue": str(mode)}
        raise INVALID_ARGUMENT("Invalid session mode", members=members)
    bucket = _bucket(ctx, request)
    if ctx.principal.kind in (PrincipalKind.ANONYMOUS, PrincipalKind.SERVICE) or directory_rights.session_of(ctx):
        ctx.authorized = True
        raise ACCESS_DENIED()
    point = directory_rights.point_of(ctx, bucket, request)
    if mode is None:
        mode = READ_WRITE if directory_rights.may_begin(ctx, bucket, READ_WRITE, point) else READ_ONLY
    directory_rights.allow_session(ctx, bucket, mode, point)
    algorithm = directory_encryption.algorithm_of_session(bucket, request)
    if algorithm == directory_encryption.KMS and mode == READ_WRITE:
        object_encryption.begin_session(ctx, bucket)
    said = "ServerSideEncryption" in request or _is_zonal(ctx, bucket.zone)
    issued = credentials.issue_alike(
        ctx,
        LASTS_S,
        bucket=point.name if point is not None else bucket.name,
        read_only=mode == READ_ONLY,
        encryption=algorithm if said else "",
    )
    answer: t.CreateSessionOutput = {
        "ServerSideEncryption": algorithm,
        "Credentials": {
            "AccessKeyId": issued.key.access_key_id,
            "SecretAccessKey": issued.secret,
            "SessionToken": issued.session_token,
            "Expiration": float(issued.key.expires_at),
        },
    }
    if algorithm == directory_encryption.KMS:
        answer["SSEKMSKeyId"] = bucket.only_key
        answer["BucketKeyEnabled"] = True
        if "SSEKMSEncryptionContext" in request:
            answer["SSEKMSEncryptionContext"] = request["SSEKMSEncryptionContext"]
    return answer


def _bucket(ctx: Context, request: t.CreateSessionRequest) -> Bucket:
    name = request["Bucket"]
    zone = directory_buckets.zone_of(name)
    if zone and not _is_zonal(ctx, zone) and BUCKETS.peek(ctx, name) is None:
        return Bucket(name, ctx.account, ctx.region, ctx.now(), zone=zone)
    bucket = access.located(ctx, request)
    if not bucket.zone:
        ctx.authorized = True
        raise METHOD_NOT_ALLOWED()
    return bucket


def _is_zonal(ctx: Context, zone: str) -> bool:
    return f".s3express-{zone}." in ctx.endpoint
