"""Grants: their record and table, and whether one lets a caller in; the operations are in `granting.py`.

Source: Developer Guide, "Grants in AWS KMS".
"""

from __future__ import annotations

from base64 import b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.policy.principals import Principal, PrincipalKind
from cumulo.core.table import REGION, Record, Table
from cumulo.services.identity.kms.errors import INVALID_GRANT_TOKEN

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.identity.kms.keys import Key

# Operations without an encryption context: those constraints do not hold there (Developer Guide, "Grant constraints").
_UNCONSTRAINED = ("DescribeKey", "RetireGrant", "CreateGrant")
_TOKEN_MARK = "CUG1"


class Grant(Record):
    """A grant. `grantee` and `retiring` are ARNs, or names of services as "sqs.amazonaws.com"."""

    key_id: str
    grant_id: str
    created_at: float
    grantee: str
    operations: list[str]
    issuer: str
    name: str = ""
    retiring: str = ""
    context_equals: dict[str, str] = {}
    context_subset: dict[str, str] = {}
    source_arn: str = ""
    constrained: list[str] = []  # the members of Constraints that were given


GRANTS = Table(
    Grant,
    name="kms.grants",
    key=("key_id", "grant_id"),
    scope=REGION,
    indexes={"by_grantee": ("key_id", "grantee"), "by_retiring": ("retiring",)},
)


def names_of(principal: Principal) -> list[str]:
    """The names by which a grant may mean this caller: itself, its role or user, its account's root."""
    names = [principal.arn]
    if principal.entity_arn and principal.entity_arn != principal.arn:
        names.append(principal.entity_arn)
    if principal.kind is PrincipalKind.ROOT:
        names.append(principal.account)
    return names


def allowing(
    ctx: Context, key: Key, operation: str, context: Mapping[str, str] | None, *, skip_root: bool = True
) -> Grant | None:
    """A grant on the key that lets the caller do this with this encryption context."""
    principal = ctx.principal
    if skip_root and principal.kind is PrincipalKind.ROOT and principal.account == key.account:
        return None  # root is let in by the key's policy, or not at all
    for name in names_of(principal):
        for grant in GRANTS.range(ctx, key.key_id, name, index="by_grantee", account=key.account, region=key.region):
            if operation in grant.operations and _met(ctx, grant, operation, context):
                return grant
    return None


def _met(ctx: Context, grant: Grant, operation: str, context: Mapping[str, str] | None) -> bool:
    """Whether the constraints of the grant are met."""
    if grant.source_arn and ctx.source_arn != grant.source_arn:
        return False
    if operation in _UNCONSTRAINED:
        return True
    given = dict(context or {})
    if grant.context_equals and given != grant.context_equals:
        return False
    return all(given.get(key) == value for key, value in grant.context_subset.items())


def within(child: Mapping[str, Any], parent: Grant) -> bool:
    """Whether a grant made by the right of another gives no more than that one.

    Source: Developer Guide, "Granting CreateGrant permission".
    """
    if not set(child["Operations"]) <= set(parent.operations):
        return False
    constraints = child.get("Constraints") or {}
    equals, subset = constraints.get("EncryptionContextEquals") or {}, constraints.get("EncryptionContextSubset") or {}
    if parent.context_equals and equals != parent.context_equals:
        return False
    wanted = parent.context_subset.items()
    if wanted and not (wanted <= subset.items() or wanted <= equals.items()):
        return False
    return not parent.source_arn or constraints.get("SourceArn") == parent.source_arn


def token_of(ctx: Context, key: Key, grant: Grant) -> str:
    """A new grant token: it names the grant and says nothing else."""
    parts = (_TOKEN_MARK, key.account, key.region, key.key_id, grant.grant_id, ctx.random_bytes(16))
    return urlsafe_b64encode(msgspec.msgpack.encode(parts)).decode()


def read_token(token: str) -> tuple[str, str, str, str]:
    """(account, region, key id, grant id) of a grant token, or InvalidGrantTokenException."""
    try:
        found = msgspec.msgpack.decode(
            b64decode(token, altchars=b"-_", validate=True), type=tuple[str, str, str, str, str, bytes]
        )
        if found[0] != _TOKEN_MARK:
            raise ValueError(token)
    except (ValueError, msgspec.DecodeError):
        raise INVALID_GRANT_TOKEN() from None
    return found[1:5]


def check_tokens(request: Mapping[str, Any]) -> None:
    """InvalidGrantTokenException for tokens that are none. Grants hold at once here: nothing else is asked of them."""
    for token in request.get("GrantTokens") or ():
        read_token(token)
