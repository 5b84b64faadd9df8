"""Whom trust policies mean: AWS keeps the unique ids of the users and roles that they name, not the names.

So a user who is deleted and made again is not trusted any more, one who is renamed still is, and in what is left of a
deleted one's trust its id stands where its ARN stood. Source: IAM User Guide, "AWS JSON policy elements: Principal",
notes on deleting and recreating principals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.policy import documents
from cumulo.services.identity.iam import versions
from cumulo.services.identity.iam.entities import users
from cumulo.services.identity.iam.policies.documents import check_trust

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.table import Table
    from cumulo.services.identity.iam.entities.roles import Role


def check(ctx: Context, text: str, roles: Table[Role]) -> dict[str, str]:
    """The unique ids of those whom a new trust policy names, by ARN. Raises MalformedPolicyDocument, LimitExceeded.

    Of an account that this cloud has never seen anything may be true: its ARNs are believed, and have no ids.
    """
    found: dict[str, str] = {}
    for arn in check_trust(text):
        account = arn.split(":", 5)[4]
        if account != ctx.account and versions.current(ctx, account) is None:
            continue
        unique_id = _unique_id(ctx, arn, roles)
        if unique_id is None:
            documents.malformed(f'Invalid principal in policy: "AWS":"{arn}"')
        found[arn] = unique_id
    return found


def effective(ctx: Context, role: Role, roles: Table[Role]) -> str:
    """A role's trust policy as it counts now: ids in place of the ARNs of those who are gone."""
    text = role.trust_policy
    for arn, unique_id in role.trusted.items():
        if _unique_id(ctx, arn, roles) != unique_id:
            text = text.replace(_quoted(arn), _quoted(unique_id))
    return text


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()


def _unique_id(ctx: Context, arn: str, roles: Table[Role]) -> str | None:
    account, resource = arn.split(":", 5)[4:]
    name = resource.rpartition("/")[2].lower()
    entity: Any = (users.USERS if resource.startswith("user/") else roles).peek(ctx, name, account=account)
    if entity is None or entity.arn != arn:
        return None
    unique_id: str = entity.user_id if resource.startswith("user/") else entity.role_id
    return unique_id
