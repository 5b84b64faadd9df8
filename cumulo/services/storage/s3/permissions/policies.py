"""Bucket policies: Put, Get and DeleteBucketPolicy, and whether a policy is public.

Source: S3 API Reference, PutBucketPolicy ("If you have PutBucketPolicy permissions, but you're not using an identity
that belongs to the bucket owner's account, Amazon S3 returns a 405 Method Not Allowed error").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.operation import operation
from cumulo.core.s3 import policy_checks, public_policies
from cumulo.core.s3.buckets import keep
from cumulo.services.storage.s3.errors import METHOD_NOT_ALLOWED, NO_SUCH_BUCKET_POLICY
from cumulo.services.storage.s3.rights import access

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.s3.buckets import Bucket
    from cumulo.stubs import s3 as t


def _own_bucket(ctx: Context, bucket: Bucket, method: str) -> None:
    if ctx.principal.account != bucket.account and not ctx.internal:
        raise METHOD_NOT_ALLOWED(members={"Method": method, "ResourceType": "BUCKETPOLICY"})


@operation
def put_bucket_policy(ctx: Context, request: t.PutBucketPolicyRequest) -> None:
    """Replace the bucket's policy. Raises MalformedPolicy, AccessDenied for a public one that is blocked.

    Who locks themselves out may do so without confirming it, as on AWS; the root user can mend it.
    """
    bucket = access.bucket_for(ctx, request)
    _own_bucket(ctx, bucket, "PUT")
    policy = policy_checks.checked(request["Policy"], bucket.arn)
    if public_policies.is_public(policy) and access.block_of(ctx, bucket).block_policy:
        why = "public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access"
        raise access.blocked(ctx, bucket, bucket.arn, "s3:PutBucketPolicy", why)
    bucket.policy = policy
    keep(ctx, bucket)


@operation
def get_bucket_policy(ctx: Context, request: t.GetBucketPolicyRequest) -> t.GetBucketPolicyOutput:
    """The bucket's policy, as JSON text."""
    bucket = access.bucket_for(ctx, request)
    _own_bucket(ctx, bucket, "GET")
    if not bucket.policy:
        raise NO_SUCH_BUCKET_POLICY(members={"BucketName": bucket.name})
    return {"Policy": bucket.policy}


@operation
def delete_bucket_policy(ctx: Context, request: t.DeleteBucketPolicyRequest) -> None:
    """Remove the bucket's policy, if there is one."""
    bucket = access.bucket_for(ctx, request)
    _own_bucket(ctx, bucket, "DELETE")
    if bucket.policy:
        bucket.policy = ""
        keep(ctx, bucket)


@operation
def get_bucket_policy_status(ctx: Context, request: t.GetBucketPolicyStatusRequest) -> t.GetBucketPolicyStatusOutput:
    """Whether the policy lets in callers whom nobody chose."""
    bucket = access.bucket_for(ctx, request)
    if not bucket.policy:
        raise NO_SUCH_BUCKET_POLICY(members={"BucketName": bucket.name})
    return {"PolicyStatus": {"IsPublic": public_policies.is_public(bucket.policy)}}
