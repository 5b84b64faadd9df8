"""Federated users: temporary credentials for somebody whom the caller knows and IAM does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.callers import credentials
from cumulo.core.operation import operation
from cumulo.core.policy.principals import PrincipalKind
from cumulo.services.identity.sts import sessions
from cumulo.services.identity.sts.session_policies import session_policies
from cumulo.services.identity.sts.session_tags import merged, session_tags

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import sts as t


@operation
def get_federation_token(ctx: Context, request: t.GetFederationTokenRequest) -> t.GetFederationTokenResponse:
    """Credentials of a federated user: at most what the caller may do, and of that only what its policies allow."""
    key = sessions.no_session(ctx, "GetFederationToken")
    caller = ctx.principal
    name = request["Name"]
    arn = f"arn:{ctx.partition}:sts::{caller.account}:federated-user/{name}"
    ctx.authorize(arn)
    given = request.get("Tags", [])
    tags = session_tags(given, (), {})
    if tags:
        ctx.authorize(arn, action="sts:TagSession")
    policies = session_policies(ctx, request, caller.account, tags)
    user_id = f"{caller.account}:{name}"
    issued = credentials.issue(
        ctx,
        account=caller.account,
        kind=PrincipalKind.FEDERATED,
        arn=arn,
        user_id=user_id,
        lasts_s=sessions.lifetime_s(ctx, request.get("DurationSeconds")),
        token_size=request.get("MinimumSessionTokenSize", 0),
        name=name,
        entity_arn=caller.arn,
        tags=merged(caller.tags, tags),
        session_policies=policies.documents,
        session_policy_arns=policies.arns,
        issuer_keys=[key.access_key_id] if key is not None else [],
    )
    answer: t.GetFederationTokenResponse = sessions.answer(issued)
    if policies.percent is not None:
        answer["PackedPolicySize"] = policies.percent
    answer["FederatedUser"] = {"FederatedUserId": user_id, "Arn": arn}
    return answer
