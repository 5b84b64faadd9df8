"""Which services a policy gives access to, and which policies give access to a service.

Only what permission policies allow counts, whatever denies, bounds or limits it.
Source: ListPoliciesGrantingServiceAccess (IAM API Reference).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.core.policy import documents
from cumulo.core.policy.documents import Kind
from cumulo.core.policy.wildcards import like
from cumulo.services.identity.iam.entities import entity_policies
from cumulo.services.identity.iam.errors import VALIDATION_ERROR

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.identity.iam.entities.entity_policies import EntityPolicy
    from cumulo.stubs import iam as t


def grants(text: str, service: str) -> bool:
    """Whether a document allows any action of a service (by its name in policies)."""
    for statement in documents.parse(text, Kind.INLINE).statements:
        if statement.effect != "Allow":
            continue
        named = any(
            action == "*" or (like(action.partition(":")[0].lower())(service) and _all_of(action, statement.not_action))
            for action in statement.actions
        )
        if named is not statement.not_action:
            return True
    return False


def _all_of(action: str, excepted: bool) -> bool:
    """An exception takes a service away only if it names all of its actions; any action gives access to it."""
    return not excepted or action.partition(":")[2] == "*"


def _shown(policy: EntityPolicy) -> Any:
    if policy.arn:
        return {"PolicyName": policy.name, "PolicyType": "MANAGED", "PolicyArn": policy.arn}
    return {
        "PolicyName": policy.name,
        "PolicyType": "INLINE",
        "EntityType": policy.kind.upper(),
        "EntityName": policy.entity,
    }


@operation
def list_policies_granting_service_access(
    ctx: Context, request: t.ListPoliciesGrantingServiceAccessRequest
) -> t.ListPoliciesGrantingServiceAccessResponse:
    """One entry a service, always on one page: there is never a `Marker` to come back with."""
    if "Marker" in request:
        raise VALIDATION_ERROR("Invalid Marker.")
    entity = entity_policies.find_entity(ctx, request["Arn"])
    attached = entity_policies.policies_of(ctx, entity)
    listed: list[Any] = [
        {
            "ServiceNamespace": service,
            "Policies": [_shown(policy) for policy in attached if grants(policy.document, service)],
        }
        for service in request["ServiceNamespaces"]
    ]
    return {"PoliciesGrantingServiceAccess": listed, "IsTruncated": False}
