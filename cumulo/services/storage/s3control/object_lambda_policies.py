"""The policies of Object Lambda access points.

Sources: S3 API Reference, PutAccessPointPolicyForObjectLambda; S3 User Guide, "Security considerations for S3 Object
Lambda Access Points": the public never gets in, so a policy that lets it in is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.operation import operation
from cumulo.core.s3 import policy_checks, public_policies
from cumulo.core.s3.object_lambda import OBJECT_LAMBDA_ACCESS_POINTS, ObjectLambdaAccessPoint
from cumulo.services.storage.s3control.errors import ACCESS_DENIED, NO_SUCH_ACCESS_POINT_POLICY
from cumulo.services.storage.s3control.object_lambda_access_points import found

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from cumulo.core.context import Context
    from cumulo.stubs import s3control as t


@operation
def put_access_point_policy_for_object_lambda(
    ctx: Context, request: t.PutAccessPointPolicyForObjectLambdaRequest
) -> None:
    """Replace the policy. Raises MalformedPolicy, AccessDenied for a public one."""
    point = found(ctx, request)
    policy = policy_checks.checked(request["Policy"], point.arn)
    if public_policies.is_public(policy):
        raise ACCESS_DENIED()
    point.policy = policy
    OBJECT_LAMBDA_ACCESS_POINTS.put(ctx, point)


@operation
def get_access_point_policy_for_object_lambda(
    ctx: Context, request: t.GetAccessPointPolicyForObjectLambdaRequest
) -> t.GetAccessPointPolicyForObjectLambdaResult:
    """The policy, as JSON text."""
    return {"Policy": _with_policy(ctx, request).policy}


@operation
def get_access_point_policy_status_for_object_lambda(
    ctx: Context, request: t.GetAccessPointPolicyStatusForObjectLambdaRequest
) -> t.GetAccessPointPolicyStatusForObjectLambdaResult:
    """Whether the policy lets in callers whom nobody chose."""
    return {"PolicyStatus": {"IsPublic": public_policies.is_public(_with_policy(ctx, request).policy)}}


@operation
def delete_access_point_policy_for_object_lambda(
    ctx: Context, request: t.DeleteAccessPointPolicyForObjectLambdaRequest
) -> None:
    """Remove the policy, if there is one."""
    point = found(ctx, request)
    point.policy = ""
    OBJECT_LAMBDA_ACCESS_POINTS.put(ctx, point)


def _with_policy(ctx: Context, request: Mapping[str, Any]) -> ObjectLambdaAccessPoint:
    point = found(ctx, request)
    if not point.policy:
        raise NO_SUCH_ACCESS_POINT_POLICY(members={"AccessPointName": point.name})
    return point
