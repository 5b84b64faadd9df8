"""The resource policy of an Access Grants instance, by which other accounts are let in.

Sources: S3 API Reference, PutAccessGrantsInstanceResourcePolicy and "List of Amazon S3 Access Grants error codes"; S3
User Guide, "S3 Access Grants cross-account access".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from cumulo.core.errors import Fault
from cumulo.core.operation import operation
from cumulo.core.policy.documents import Kind, parse
from cumulo.services.storage.s3control import access_grants_instances
from cumulo.services.storage.s3control.access_grants_records import INSTANCES, Instance
from cumulo.services.storage.s3control.errors import INVALID_RESOURCE_POLICY, NO_RESOURCE_POLICY

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import s3control as t


def _shown(instance: Instance) -> dict[str, Any]:
    shown: dict[str, Any] = {"Policy": instance.policy, "CreatedAt": instance.policy_at}
    if instance.organization:
        shown["Organization"] = instance.organization
    return shown


@operation
def put_access_grants_instance_resource_policy(
    ctx: Context, request: t.PutAccessGrantsInstanceResourcePolicyRequest
) -> t.PutAccessGrantsInstanceResourcePolicyResult:
    """Replace the policy. Raises InvalidResourcePolicy."""
    instance = access_grants_instances.found(ctx, request)
    try:
        statements = parse(request["Policy"], Kind.RESOURCE).statements
    except Fault:
        raise INVALID_RESOURCE_POLICY() from None
    if not statements:
        raise INVALID_RESOURCE_POLICY()
    instance.policy, instance.organization = request["Policy"], request.get("Organization", "")
    instance.policy_at = ctx.now()
    INSTANCES.put(ctx, instance)
    return cast("t.PutAccessGrantsInstanceResourcePolicyResult", _shown(instance))


@operation
def get_access_grants_instance_resource_policy(
    ctx: Context, request: t.GetAccessGrantsInstanceResourcePolicyRequest
) -> t.GetAccessGrantsInstanceResourcePolicyResult:
    """The policy."""
    instance = access_grants_instances.found(ctx, request)
    if not instance.policy:
        raise NO_RESOURCE_POLICY()
    return cast("t.GetAccessGrantsInstanceResourcePolicyResult", _shown(instance))


@operation
def delete_access_grants_instance_resource_policy(
    ctx: Context, request: t.DeleteAccessGrantsInstanceResourcePolicyRequest
) -> None:
    """Remove the policy, if there is one: no other account gets in any more."""
    instance = access_grants_instances.found(ctx, request)
    instance.policy = instance.organization = ""
    INSTANCES.put(ctx, instance)
