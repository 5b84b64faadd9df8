"""Permission to act on an entity: asked of its ARN, told by its name, as IAM's denials do.

Observed in AWS's answers: "… is not authorized to perform: iam:GetUser on resource: user alice because …".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.errors import Error

DENIED = Error("AccessDenied", status=403)

if TYPE_CHECKING:
    from cumulo.core.context import Context


def arn_of(ctx: Context, kind: str, path: str, name: str) -> str:
    """The ARN of an entity of this account: kind is user, group, role, policy, instance-profile…"""
    return f"arn:{ctx.partition}:iam::{ctx.account}:{kind}{path}{name}"


def ask(
    ctx: Context,
    arn: str,
    *,
    tags: dict[str, str] | None = None,
    boundary: str = "",
    context: dict[str, Any] | None = None,
    shown: str = "",
    action: str | None = None,
) -> None:
    """AccessDenied unless the caller may do this to the entity with this ARN.

    `boundary` is the ARN of its permissions boundary (iam:PermissionsBoundary), `context` further condition keys,
    `shown` what the message calls it ("user alice"; the ARN when empty).
    """
    if ctx.trusted(ctx.account):
        return
    given = dict(context or {})
    if boundary:
        given.setdefault("iam:PermissionsBoundary", boundary)
    ctx.authorize(arn, tags=tags, context=given or None, shown=shown, action=action)
