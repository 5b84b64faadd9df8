"""A key for an operation: found, authorized by its policy, its grants and the caller's policies, and fit for use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cumulo.services.identity.kms import grants, key_ids, last_uses
from cumulo.services.identity.kms.conditions import KeyConditions, of_encryption_context
from cumulo.services.identity.kms.errors import DRY_RUN, NOT_REACHABLE, WRONG_ALGORITHM, WRONG_USAGE
from cumulo.services.identity.kms.keys import Key, check_enabled

if TYPE_CHECKING:
    from cumulo.core.context import Context


def allow(
    ctx: Context,
    key: Key,
    *,
    alias: str = "",
    action: str = "",
    context: Mapping[str, str] | None = None,
    more: Mapping[str, Any] | None = None,
    granted: bool | None = None,
) -> None:
    """AccessDeniedException unless the caller may do this with the key.

    `action` is given where it is not the operation's own name; `context` is the encryption context, `more` are
    further condition keys. `granted` says whether a grant lets the caller in, where it has been looked up.
    """
    if granted is None:
        operation = action or ctx.operation
        granted = not ctx.internal and grants.allowing(ctx, key, operation, context) is not None
    ctx.authorize(
        key.arn,
        policy=key.policy,
        tags=key.tags,
        action=f"kms:{action}" if action else None,
        context=KeyConditions(ctx, key, alias, {**of_encryption_context(context), **(more or {})}),
        policy_required=True,
        granted=granted,
    )


def get(
    ctx: Context,
    key_id: str,
    *,
    alias: bool = False,
    foreign: bool = False,
    more: Mapping[str, Any] | None = None,
) -> Key:
    """The key of a request, found and authorized, in whatever state.

    Without `foreign` the operation works in the key's own account only (API reference, "Cross-account use: No").
    """
    found = key_ids.find(ctx, key_id, alias=alias)
    if not foreign and found.key.account != ctx.account and not ctx.internal:
        ctx.authorized = True
        action = f"kms:{ctx.operation}"
        raise NOT_REACHABLE(principal=ctx.principal.arn, action=action, what="this resource")
    allow(ctx, found.key, alias=found.alias, more=more)
    return found.key


def use(
    ctx: Context,
    request: Mapping[str, Any],
    usage: str,
    algorithm: str,
    *,
    context: Mapping[str, str] | None = None,
    more: Mapping[str, Any] | None = None,
) -> Key:
    """The key of a cryptographic operation, allowed and fit for it: see `check_fit`."""
    found = key_ids.find(ctx, request["KeyId"])
    allow(ctx, found.key, alias=found.alias, context=context, more=more)
    grants.check_tokens(request)
    check_fit(ctx, found.key, usage, algorithm)
    return found.key


def check_fit(ctx: Context, key: Key, usage: str, algorithm: str, *, operation: str = "") -> None:
    """The errors of a key that is not enabled, is for another usage, or has not this algorithm; "" asks for none."""
    check_enabled(ctx, key)
    if key.usage != usage:
        raise WRONG_USAGE(arn=key.arn, usage=key.usage, operation=operation or ctx.operation)
    if algorithm and algorithm not in key.algorithms:
        raise WRONG_ALGORITHM(algorithm=algorithm, spec=key.spec)


def finish(ctx: Context, request: Mapping[str, Any], *used: Key) -> None:
    """The end of all checks: DryRunOperationException for a dry run, else the keys count as used."""
    if request.get("DryRun"):
        raise DRY_RUN()
    for key in used:
        last_uses.note(ctx, key)
