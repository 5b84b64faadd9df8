"""What callers may do: IAM as the source of policies that every authorization asks.

A caller's policies are read, compiled and remembered together with the account's version token (see `versions`);
as long as that is the same, the next question is one look-up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.errors import Fault
from cumulo.core.policy.authorization import Attached
from cumulo.core.policy.documents import Kind
from cumulo.core.policy.principals import Principal, PrincipalKind
from cumulo.core.policy.statements import Policy, compile_policy
from cumulo.services.identity.iam import versions
from cumulo.services.identity.iam.entities.groups import GROUPS
from cumulo.services.identity.iam.entities.roles import ROLES
from cumulo.services.identity.iam.entities.users import USERS
from cumulo.services.identity.iam.policies import policies

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.policy.condition_keys import Organization

_NOTHING = Attached()
_REMEMBERED = 4096

Known = dict[tuple[str, str], tuple[bytes | None, Attached]]


class IamPolicySource:
    """The policies of users and roles. Control policies are Organizations' and come with it."""

    controlled = False

    def __init__(self) -> None:
        self._known: Known = {}

    def at(self, ctx: Context) -> PoliciesOfCall:
        """The source as a call's transaction sees it."""
        return PoliciesOfCall(ctx, self._known)

    def attached(self, principal: Principal) -> Attached:
        """Nothing: only a call's transaction can tell."""
        return _NOTHING

    def resource_controls(self, account: str) -> tuple[tuple[Policy, ...], ...]:
        """None: there are no organizations yet."""
        return ()

    def organization(self, account: str) -> Organization | None:
        """None: there are no organizations yet."""
        return None


class PoliciesOfCall:
    """The source for the time of one call."""

    __slots__ = ("_ctx", "_known")

    controlled = False

    def __init__(self, ctx: Context, known: Known) -> None:
        self._ctx = ctx
        self._known = known

    def at(self, ctx: Context) -> PoliciesOfCall:
        """The source for another call."""
        return PoliciesOfCall(ctx, self._known)

    def attached(self, principal: Principal) -> Attached:
        """The policies of a user, of a role's session, or of the user behind a federated one."""
        kind = principal.kind
        if kind is PrincipalKind.USER:
            arn = principal.arn
        elif kind is PrincipalKind.ROLE or kind is PrincipalKind.FEDERATED:
            arn = principal.entity_arn
        else:
            return _NOTHING
        token = versions.current(self._ctx, principal.account)
        key = (arn, principal.user_id)
        found = self._known.get(key)
        if found is not None and found[0] == token:
            return found[1]
        attached = attached_to(self._ctx, arn, principal.account, principal.user_id.partition(":")[0])
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[key] = (token, attached)
        return attached

    def resource_controls(self, account: str) -> tuple[tuple[Policy, ...], ...]:
        """None: there are no organizations yet."""
        return ()

    def organization(self, account: str) -> Organization | None:
        """None: there are no organizations yet."""
        return None


def attached_to(ctx: Context, arn: str, account: str, unique_id: str = "") -> Attached:
    """The compiled policies of the user or role with this ARN.

    With `unique_id` it must be the very entity that bears it: one that was deleted and made again under the same
    name has nothing to do with the old one's sessions.
    """
    entity: Any
    resource = arn.split(":", 5)[5]
    name = resource.rpartition("/")[2].lower()
    if resource.startswith("user/"):
        entity = USERS.peek(ctx, name, account=account)
        bearer = entity.user_id if entity is not None else ""
    elif resource.startswith("role/"):
        entity = ROLES.peek(ctx, name, account=account)
        bearer = entity.role_id if entity is not None else ""
    else:
        return _NOTHING  # the root user behind a federated session
    if entity is None or entity.arn != arn or (unique_id[:4] in ("AIDA", "AROA") and unique_id != bearer):
        return _NOTHING
    found = own_policies(ctx, entity, account)
    for key in getattr(entity, "groups", ()):
        group = GROUPS.peek(ctx, key, account=account)
        if group is not None:
            found += own_policies(ctx, group, account)
    boundary = managed(ctx, entity.boundary, account) if entity.boundary else None
    return Attached(tuple(found), boundary)


def own_policies(ctx: Context, entity: Any, account: str) -> list[Policy]:
    """The inline and attached policies of a user, group or role, compiled."""
    found = [compile_policy(text, Kind.INLINE, name=name) for name, text in sorted(entity.inline.items())]
    for arn in entity.attached:
        policy = managed(ctx, arn, account)
        if policy is not None:
            found.append(policy)
    return found


def managed(ctx: Context, arn: str, account: str) -> Policy | None:
    """A managed policy, compiled."""
    text = policies.document(ctx, arn, account)
    if text is None:
        return None
    try:
        return compile_policy(text, Kind.MANAGED, name=arn.rpartition("/")[2], arn=arn)
    except Fault:  # a document of AWS's in a grammar that is newer than ours
        ctx.logger.exception("the document of %s cannot be read: it allows and denies nothing", arn)
        return None
