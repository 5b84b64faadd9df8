"""Login profiles: the passwords of users, for the console, and how users change their own.

Source: "Manage passwords for IAM users" (IAM User Guide); CreateLoginProfile, ChangePassword (API Reference).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cumulo.core.errors import Error
from cumulo.core.operation import operation
from cumulo.core.policy.principals import PrincipalKind
from cumulo.core.table import ACCOUNT, Record, Table
from cumulo.services.identity.iam.credentials import password_policies, passwords
from cumulo.services.identity.iam.credentials.requested_users import user_of
from cumulo.services.identity.iam.entities import users
from cumulo.services.identity.iam.errors import NO_SUCH_ENTITY, VALIDATION_ERROR

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.identity.iam.entities.users import User
    from cumulo.stubs import iam as t

MOST_REMEMBERED = 24

POLICY_VIOLATION = Error("PasswordPolicyViolation")
INVALID_USER_TYPE = Error("InvalidUserType", "Only IAM Users can change their own password")
WRONG_PASSWORD = Error("AccessDenied", "The old password was incorrect.", status=403)
ALREADY_THERE = Error("EntityAlreadyExistsException", "Login Profile for user {name} already exists.")


class LoginProfile(Record):
    """A user's password. `former` are the digests of those before it, the newest first."""

    user_id: str
    digest: bytes
    created_at: float
    changed_at: float
    reset_required: bool = False
    used_at: float = 0
    former: list[bytes] = []


LOGIN_PROFILES = Table(LoginProfile, name="iam.login_profiles", key="user_id", scope=ACCOUNT)


users.BEFORE_DELETION.append(
    (
        Error("DeleteConflictException", "Cannot delete entity, must delete login profile first."),
        lambda ctx, user: LOGIN_PROFILES.peek(ctx, user.user_id) is not None,
    )
)


def _find(ctx: Context, user: User) -> LoginProfile:
    found = LOGIN_PROFILES.peek(ctx, user.user_id)
    if found is None:
        raise NO_SUCH_ENTITY(f"Login Profile for User {user.name} cannot be found.")
    return found


def _accepted(ctx: Context, user: User, password: str, kept: list[bytes]) -> bytes:
    """The digest of a new password. Raises PasswordPolicyViolation."""
    policy = password_policies.policy_of(ctx)
    wrong = passwords.violation(password, policy, user.name, ctx.account)
    if wrong:
        raise POLICY_VIOLATION(wrong)
    if policy is not None and any(passwords.matches(password, each) for each in kept[: policy.remembered]):
        raise POLICY_VIOLATION("Password was already used recently and cannot be reused.")
    return passwords.digest(password, ctx.random_bytes(passwords.SALT_B))


def _set(ctx: Context, profile: LoginProfile, digest: bytes) -> None:
    profile.former = [profile.digest, *profile.former][:MOST_REMEMBERED]
    profile.digest = digest
    profile.changed_at = ctx.now()


def _shown(user: User, profile: LoginProfile) -> t.LoginProfile:
    return {
        "UserName": user.name,
        "CreateDate": profile.created_at,
        "PasswordResetRequired": profile.reset_required,
    }


@operation
def create_login_profile(ctx: Context, request: t.CreateLoginProfileRequest) -> t.CreateLoginProfileResponse:
    user = user_of(ctx, request)
    if LOGIN_PROFILES.peek(ctx, user.user_id) is not None:
        raise ALREADY_THERE(name=user.name)
    password = request.get("Password")
    if password is None:  # only sessions of AssumeRoot may leave it out
        raise VALIDATION_ERROR("Password must be specified.")
    now = ctx.now()
    digest = _accepted(ctx, user, password, [])
    profile = LoginProfile(user.user_id, digest, now, now, request.get("PasswordResetRequired", False))
    LOGIN_PROFILES.put(ctx, profile)
    return {"LoginProfile": _shown(user, profile)}


@operation
def get_login_profile(ctx: Context, request: t.GetLoginProfileRequest) -> t.GetLoginProfileResponse:
    user = user_of(ctx, request)
    return {"LoginProfile": _shown(user, _find(ctx, user))}


@operation
def update_login_profile(ctx: Context, request: t.UpdateLoginProfileRequest) -> None:
    user = user_of(ctx, request)
    profile = _find(ctx, user)
    if "Password" in request:
        kept = [profile.digest, *profile.former]
        _set(ctx, profile, _accepted(ctx, user, request["Password"], kept))
    profile.reset_required = request.get("PasswordResetRequired", profile.reset_required)
    LOGIN_PROFILES.put(ctx, profile)


@operation
def delete_login_profile(ctx: Context, request: t.DeleteLoginProfileRequest) -> None:
    user = user_of(ctx, request)
    LOGIN_PROFILES.delete(ctx, _find(ctx, user))


@operation
def change_password(ctx: Context, request: t.ChangePasswordRequest) -> None:
    """A user's own change. The password policy may allow it to all users; a deny still holds."""
    if ctx.principal.kind is not PrincipalKind.USER:
        ctx.authorize(f"arn:{ctx.partition}:iam::{ctx.account}:user/{ctx.principal.name or '*'}")
        raise INVALID_USER_TYPE()
    policy = password_policies.policy_of(ctx)
    allowed = policy is not None and policy.users_may_change
    user = _own_user(ctx) if allowed else user_of(ctx, {})
    profile = _find(ctx, user)
    if not passwords.matches(request["OldPassword"], profile.digest):
        raise WRONG_PASSWORD()
    expires_at = password_policies.expires_at(policy, profile.changed_at)
    if policy is not None and policy.hard_expiry and expires_at is not None and expires_at <= ctx.now():
        raise Error("EntityTemporarilyUnmodifiable")("The password has expired: an administrator must set a new one.")
    kept = [profile.digest, *profile.former]
    _set(ctx, profile, _accepted(ctx, user, request["NewPassword"], kept))
    profile.reset_required = False
    LOGIN_PROFILES.put(ctx, profile)


def _own_user(ctx: Context) -> User:
    """The caller, whom AllowUsersToChangePassword lets in as a policy of the user itself would."""
    user = users.USERS.peek(ctx, ctx.principal.name.lower())
    if user is None:
        return user_of(ctx, {})
    statement = {"Effect": "Allow", "Principal": {"AWS": user.arn}, "Action": "iam:ChangePassword", "Resource": "*"}
    ctx.authorize(user.arn, policy=json.dumps({"Version": "2012-10-17", "Statement": statement}), tags=user.tags)
    return user
