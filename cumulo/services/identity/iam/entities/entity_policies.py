"""All permission policies of a user, group or role: its own, those attached to it, and those of a user's groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.services.identity.iam.entities import groups, roles, users
from cumulo.services.identity.iam.errors import INVALID_INPUT
from cumulo.services.identity.iam.policies import aws_policies, policies

if TYPE_CHECKING:
    from cumulo.core.context import Context

Entity = users.User | groups.Group | roles.Role


class EntityPolicy(msgspec.Struct, frozen=True):
    """One policy: its document, the entity that it hangs on, and its ARN or "" for an inline one."""

    name: str
    document: str
    kind: str
    entity: str
    arn: str = ""

    @property
    def policy_type(self) -> str:
        """In the words of the simulator: inline, aws-managed or user-managed."""
        if not self.arn:
            return "inline"
        return "aws-managed" if aws_policies.is_aws(self.arn) else "user-managed"


def find_entity(ctx: Context, arn: str) -> Entity:
    """The user, group or role with this ARN, found and authorized. Raises InvalidInput, NoSuchEntity, AccessDenied."""
    kind, name = parse_arn(ctx, arn)
    if kind == "user":
        return users.find(ctx, name)
    return groups.find(ctx, name) if kind == "group" else roles.find(ctx, name)


def parse_arn(ctx: Context, arn: str) -> tuple[str, str]:
    """(kind, name) of an entity of this account. Raises InvalidInput."""
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or parts[2] != "iam" or parts[4] != ctx.account:
        raise INVALID_INPUT("Invalid Entity Arn")
    kind, slash, rest = parts[5].partition("/")
    if kind not in ("user", "group", "role") or not slash or not rest:
        raise INVALID_INPUT("Invalid Entity Arn")
    return kind, rest.rpartition("/")[2]


def own_policies(ctx: Context, entity: Entity) -> list[EntityPolicy]:
    """The inline and the attached policies of an entity, without those of groups."""
    found = [EntityPolicy(name, text, entity.kind, entity.name) for name, text in sorted(entity.inline.items())]
    for arn in entity.attached:
        text = policies.document(ctx, arn)
        if text is not None:
            found.append(EntityPolicy(arn.rpartition("/")[2], text, entity.kind, entity.name, arn))
    return found


def policies_of(ctx: Context, entity: Entity) -> list[EntityPolicy]:
    """All policies that give an entity rights."""
    found = own_policies(ctx, entity)
    if isinstance(entity, users.User):
        for key in entity.groups:
            group = groups.GROUPS.peek(ctx, key)
            if group is not None:
                found += own_policies(ctx, group)
    return found


def boundary_of(ctx: Context, entity: Any) -> str | None:
    """The document of the boundary of a user or role, None without."""
    arn = getattr(entity, "boundary", "")
    return policies.document(ctx, arn) if arn else None
