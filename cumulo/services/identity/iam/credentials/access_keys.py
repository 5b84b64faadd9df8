"""Access keys: what users sign their requests with. The keys themselves are core's (`core/callers/credentials.py`).

Source: IAM API Reference, CreateAccessKey and its like; IAM User Guide, "Manage access keys for IAM users".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.callers import credentials
from cumulo.core.operation import operation, reconciler
from cumulo.core.policy.principals import PrincipalKind, root
from cumulo.core.usage import key_uses
from cumulo.services.identity.iam import pages, permissions
from cumulo.services.identity.iam.entities import users
from cumulo.services.identity.iam.errors import LIMIT_EXCEEDED, NO_ACCESS_KEY

if TYPE_CHECKING:
    from cumulo.core.callers.credentials import AccessKey
    from cumulo.core.context import Context
    from cumulo.services.identity.iam.entities.users import User
    from cumulo.stubs import iam as t

MOST_KEYS = 2
SAVE_EVERY_S = 60


def _holder(ctx: Context, request: Any) -> User | None:
    """Whose keys the request is about: the named user's, the caller's own, None for root's."""
    name = request.get("UserName")
    if name is None and ctx.principal.kind is PrincipalKind.ROOT:
        permissions.ask(ctx, ctx.principal.arn)
        return None
    return users.find(ctx, name or users.own_name(ctx))


def _arn(ctx: Context, user: User | None) -> str:
    return user.arn if user is not None else root(ctx.account, ctx.partition).arn


def _key(ctx: Context, user: User | None, key_id: str) -> AccessKey:
    key = credentials.find(ctx, key_id)
    if key is None or key.token_digest or key.arn != _arn(ctx, user):
        raise NO_ACCESS_KEY(id=key_id)
    return key


def _shown(key: AccessKey) -> Any:
    answer: dict[str, Any] = {
        "AccessKeyId": key.access_key_id,
        "Status": "Active" if key.active else "Inactive",
        "CreateDate": float(key.created_at),
    }
    return {"UserName": key.name, **answer} if key.name else answer


@operation
def create_access_key(ctx: Context, request: t.CreateAccessKeyRequest) -> t.CreateAccessKeyResponse:
    """Make a key; its secret is told only now."""
    user = _holder(ctx, request)
    if len(credentials.keys_of(ctx, _arn(ctx, user))) >= MOST_KEYS:
        raise LIMIT_EXCEEDED(quota="AccessKeysPerUser", limit=MOST_KEYS)
    if user is None:
        issued = credentials.create_root_key(ctx, ctx.account)
    else:
        issued = credentials.issue(
            ctx, account=ctx.account, kind=PrincipalKind.USER, arn=user.arn, user_id=user.user_id, name=user.name,
            tags=user.tags,
        )  # fmt: skip
    return {"AccessKey": _shown(issued.key) | {"SecretAccessKey": issued.secret}}


@operation
def list_access_keys(ctx: Context, request: t.ListAccessKeysRequest) -> t.ListAccessKeysResponse:
    """The keys of a user, without their secrets."""
    found = credentials.keys_of(ctx, _arn(ctx, _holder(ctx, request)))
    answer: t.ListAccessKeysResponse = pages.of_list(
        ctx, found, request, "AccessKeyMetadata", _shown, lambda key: f"{key.created_at:012d}{key.access_key_id}"
    )
    return answer


@operation
def update_access_key(ctx: Context, request: t.UpdateAccessKeyRequest) -> None:
    """Switch a key on or off."""
    user = _holder(ctx, request)
    credentials.set_active(ctx, _key(ctx, user, request["AccessKeyId"]), request["Status"] == "Active")


@operation
def delete_access_key(ctx: Context, request: t.DeleteAccessKeyRequest) -> None:
    """Delete a key: requests signed with it are refused from now on."""
    user = _holder(ctx, request)
    credentials.revoke(ctx, _key(ctx, user, request["AccessKeyId"]))


@operation
def get_access_key_last_used(ctx: Context, request: t.GetAccessKeyLastUsedRequest) -> t.GetAccessKeyLastUsedResponse:
    """When, where and for which service a key last signed a request; N/A when it never did."""
    key_id = request["AccessKeyId"]
    key = credentials.find(ctx, key_id)
    if key is None or key.token_digest or key.account != ctx.account:
        # Observed in AWS's answers: a key of nobody, and that of another account, is not the caller's to ask about.
        arn = ctx.principal.arn
        raise permissions.DENIED(
            f"User: {arn} is not authorized to perform: iam:GetAccessKeyLastUsed on resource: access key {key_id}"
        )
    permissions.ask(ctx, key.arn, shown=f"access key {key_id}")
    use = key_uses.last_use(ctx, key_id)
    last: Any = {"ServiceName": "N/A", "Region": "N/A"}
    if use is not None:
        last = {"LastUsedDate": use.used_at, "ServiceName": use.service, "Region": use.region}
    answer: t.GetAccessKeyLastUsedResponse = {"AccessKeyLastUsed": last}
    if key.name:
        answer["UserName"] = key.name
    return answer


@reconciler(every_s=SAVE_EVERY_S)
async def save_key_uses(ctx: Context) -> None:
    """Keep the last uses that were noted in memory."""
    if ctx.runtime.journal.key_uses.fresh:
        await ctx.transact(ctx.runtime.journal.key_uses.save)
