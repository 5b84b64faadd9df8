"""Service-linked roles: roles that belong to a service, with a policy that AWS wrote.

Which services have one, its name, its policy and whether a suffix is allowed is data (`linked_services.json`), taken
from the "Using service-linked roles" page of each service and from observed answers.
Source: IAM API Reference, CreateServiceLinkedRole, DeleteServiceLinkedRole, GetServiceLinkedRoleDeletionStatus.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from cumulo.core.operation import operation
from cumulo.core.table import ACCOUNT, Record, Table
from cumulo.services.identity.iam import permissions
from cumulo.services.identity.iam.entities import roles
from cumulo.services.identity.iam.errors import INVALID_INPUT, NO_ROLE, NO_SUCH_ENTITY
from cumulo.services.identity.iam.names import check_name
from cumulo.services.identity.iam.policies import policy_uses

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import iam as t


class LinkedService(msgspec.Struct, frozen=True):
    """A service that has a role of its own: the role's name, the name of AWS's policy for it."""

    role: str
    policy: str
    suffix: bool = False


class Deletion(Record):
    """A deletion that was asked for; ours are done at once."""

    task_id: str
    role: str
    deleted_at: float


DELETIONS = Table(Deletion, name="iam.service_linked_role_deletions", key="task_id", scope=ACCOUNT)


@lru_cache(maxsize=1)
def _services() -> dict[str, LinkedService]:
    data = Path(__file__).with_name("linked_services.json").read_bytes()
    return msgspec.json.decode(data, type=dict[str, LinkedService])


def trust_policy(service: str) -> str:
    """The trust policy of a service's role, in AWS's form."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return msgspec.json.encode({"Version": "2012-10-17", "Statement": [statement]}).decode()


@operation
def create_service_linked_role(
    ctx: Context, request: t.CreateServiceLinkedRoleRequest
) -> t.CreateServiceLinkedRoleResponse:
    """Make the role of a service, with its policy attached."""
    service = request["AWSServiceName"]
    suffix = request.get("CustomSuffix", "")
    linked = _services().get(service)
    name = linked.role if linked is not None else "*"
    if suffix:
        name = f"{name}_{check_name(suffix, 'customSuffix')}"
    path = f"{roles.RESERVED_PATH}{service}/"
    arn = permissions.arn_of(ctx, "role", path, name)
    permissions.ask(ctx, arn, context={"iam:AWSServiceName": service})
    if linked is None:
        raise INVALID_INPUT(f"Service role creation is not supported for {service}")
    if suffix and not linked.suffix:
        raise INVALID_INPUT(f"Custom suffix is not allowed for {service}")
    if roles.ROLES.peek(ctx, name.lower()) is not None:
        raise INVALID_INPUT(f"Service role name {name} has been taken in this account, please try a different suffix.")
    policy = f"arn:{ctx.partition}:iam::aws:policy{roles.RESERVED_PATH}{linked.policy}"
    role = roles.new(
        ctx, name, path, trust_policy(service), description=request.get("Description", ""), linked_service=service
    )
    role.attached.append(policy)
    policy_uses.add(ctx, policy, policy_uses.ATTACHED, role)
    roles.keep(ctx, role)
    return {"Role": roles.shown(role, created=True)}


@operation
def delete_service_linked_role(
    ctx: Context, request: t.DeleteServiceLinkedRoleRequest
) -> t.DeleteServiceLinkedRoleResponse:
    """Delete the role of a service. AWS does it in the background, and answers with a task; ours is done at once."""
    role = roles.find(ctx, request["RoleName"])
    if not role.linked_service:
        raise NO_ROLE(name=role.name)
    for arn in role.attached:
        policy_uses.remove(ctx, arn, policy_uses.ATTACHED, role)
    roles.drop(ctx, role)
    task_id = f"task{role.path}{role.name}/{ctx.uuid()}"
    DELETIONS.put(ctx, Deletion(task_id, role.arn, ctx.now()))
    return {"DeletionTaskId": task_id}


@operation
def get_service_linked_role_deletion_status(
    ctx: Context, request: t.GetServiceLinkedRoleDeletionStatusRequest
) -> t.GetServiceLinkedRoleDeletionStatusResponse:
    """How far a deletion has come."""
    task_id = request["DeletionTaskId"]
    deletion = DELETIONS.peek(ctx, task_id)
    parts = task_id.split("/")
    arn = permissions.arn_of(ctx, "role", "/", "/".join(parts[1:-1]))
    permissions.ask(ctx, deletion.role if deletion is not None else arn)
    if deletion is None:
        raise NO_SUCH_ENTITY(f"The deletion task with id {task_id} cannot be found.")
    return {"Status": "SUCCEEDED"}
