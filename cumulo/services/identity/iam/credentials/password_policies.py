"""The account's password policy: what passwords must hold, how long they last, whether users may change them.

Source: "Setting an account password policy for IAM users" (IAM User Guide); UpdateAccountPasswordPolicy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.operation import operation
from cumulo.core.table import ACCOUNT, Record, Table
from cumulo.services.identity.iam.errors import NO_SUCH_ENTITY

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import iam as t

DEFAULT_MINIMUM_LENGTH = 6
DAY_S = 86_400


class PasswordPolicy(Record):
    """The policy of an account. `max_age_days` and `remembered` are 0 when passwords do not expire or may come back."""

    name: str = "policy"
    minimum_length: int = DEFAULT_MINIMUM_LENGTH
    symbols: bool = False
    numbers: bool = False
    uppercase: bool = False
    lowercase: bool = False
    users_may_change: bool = False
    max_age_days: int = 0
    remembered: int = 0
    hard_expiry: bool | None = None


PASSWORD_POLICIES = Table(PasswordPolicy, name="iam.password_policies", key="name", scope=ACCOUNT)


def policy_of(ctx: Context) -> PasswordPolicy | None:
    """The account's own policy; None where AWS's default holds."""
    return PASSWORD_POLICIES.peek(ctx, "policy")


def expires_at(policy: PasswordPolicy | None, changed_at: float) -> float | None:
    """When a password that was set then must be changed; None for never."""
    return changed_at + policy.max_age_days * DAY_S if policy is not None and policy.max_age_days else None


@operation
def update_account_password_policy(ctx: Context, request: t.UpdateAccountPasswordPolicyRequest) -> None:
    """Set the whole policy: what the request leaves out goes back to its default."""
    PASSWORD_POLICIES.put(
        ctx,
        PasswordPolicy(
            minimum_length=request.get("MinimumPasswordLength", DEFAULT_MINIMUM_LENGTH),
            symbols=request.get("RequireSymbols", False),
            numbers=request.get("RequireNumbers", False),
            uppercase=request.get("RequireUppercaseCharacters", False),
            lowercase=request.get("RequireLowercaseCharacters", False),
            users_may_change=request.get("AllowUsersToChangePassword", False),
            max_age_days=request.get("MaxPasswordAge", 0),
            remembered=request.get("PasswordReusePrevention", 0),
            hard_expiry=request.get("HardExpiry"),
        ),
    )


@operation
def get_account_password_policy(ctx: Context, request: dict[str, object]) -> t.GetAccountPasswordPolicyResponse:
    policy = policy_of(ctx)
    if policy is None:
        raise NO_SUCH_ENTITY(f"The Password Policy with domain name {ctx.account} cannot be found.")
    shown: t.PasswordPolicy = {
        "MinimumPasswordLength": policy.minimum_length,
        "RequireSymbols": policy.symbols,
        "RequireNumbers": policy.numbers,
        "RequireUppercaseCharacters": policy.uppercase,
        "RequireLowercaseCharacters": policy.lowercase,
        "AllowUsersToChangePassword": policy.users_may_change,
        "ExpirePasswords": policy.max_age_days > 0,
    }
    if policy.max_age_days:
        shown["MaxPasswordAge"] = policy.max_age_days
    if policy.remembered:
        shown["PasswordReusePrevention"] = policy.remembered
    if policy.hard_expiry is not None:
        shown["HardExpiry"] = policy.hard_expiry
    return {"PasswordPolicy": shown}


@operation
def delete_account_password_policy(ctx: Context, request: dict[str, object]) -> None:
    policy = policy_of(ctx)
    if policy is None:
        raise NO_SUCH_ENTITY("The account policy with name PasswordPolicy cannot be found.")
    PASSWORD_POLICIES.delete(ctx, policy)
