"""The policies of access points.

Source: S3 API Reference, PutAccessPointPolicy; S3 User Guide, "Configuring IAM policies for using access points".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.operation import operation
from cumulo.core.s3 import policy_checks, public_policies
from cumulo.core.s3.access import ACCESS_POINTS, ACCOUNT_ACCESS
from cumulo.services.storage.s3control import access_points, accounts, directory_access_points
from cumulo.services.storage.s3control.errors import ACCESS_DENIED, METHOD_NOT_ALLOWED, NO_SUCH_ACCESS_POINT_POLICY

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import s3control as t


@operation
def put_access_point_policy(ctx: Context, request: t.PutAccessPointPolicyRequest) -> None:
    """Replace the access point's policy. Raises MalformedPolicy, AccessDenied for a public one that is blocked."""
    accounts.check(ctx, request)
    point = access_points.found(ctx, request["Name"])
    policy = policy_checks.checked(request["Policy"], point.arn)
    account = ACCOUNT_ACCESS.peek(ctx, ctx.account)
    blocked = point.block.block_policy or (account is not None and account.block.block_policy)
    if blocked and public_policies.is_public(policy):
        raise ACCESS_DENIED()
    point.policy = policy
    ACCESS_POINTS.put(ctx, point)


@operation
def get_access_point_policy(ctx: Context, request: t.GetAccessPointPolicyRequest) -> t.GetAccessPointPolicyResult:
    """The access point's policy, as JSON text."""
    accounts.check(ctx, request)
    point = access_points.found(ctx, request["Name"])
    if not point.policy:
        raise NO_SUCH_ACCESS_POINT_POLICY(members={"AccessPointName": point.name})
    return {"Policy": point.policy}


@operation
def delete_access_point_policy(ctx: Context, request: t.DeleteAccessPointPolicyRequest) -> None:
    """Remove the access point's policy, if there is one."""
    accounts.check(ctx, request)
    point = access_points.found(ctx, request["Name"])
    point.policy = ""
    ACCESS_POINTS.put(ctx, point)


@operation
def get_access_point_policy_status(
    ctx: Context, request: t.GetAccessPointPolicyStatusRequest
) -> t.GetAccessPointPolicyStatusResult:
    """Whether the policy lets in callers whom nobody chose. Raises MethodNotAllowed for those of directory buckets."""
    accounts.check(ctx, request)
    if directory_access_points.is_of_directory(request["Name"]):
        ctx.authorized = True
        raise METHOD_NOT_ALLOWED()
    point = access_points.found(ctx, request["Name"])
    if not point.policy:
        raise NO_SUCH_ACCESS_POINT_POLICY(members={"AccessPointName": point.name})
    return {"PolicyStatus": {"IsPublic": public_policies.is_public(point.policy)}}
