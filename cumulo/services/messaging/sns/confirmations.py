"""Confirmations: an endpoint's owner says yes to a subscription, or takes its end back.

A token goes to the endpoint; whoever brings it back may confirm, signed or not. It is a secret
and its own authority.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation, task
from cumulo.core.policy.principals import PrincipalKind
from cumulo.core.table import REGION, Record, Table
from cumulo.services.messaging.sns import arns, confirmation_messages, subscriptions, topics
from cumulo.services.messaging.sns.errors import AUTHORIZATION_ERROR, INVALID_PARAMETER, INVALID_TOKEN
from cumulo.services.messaging.sns.subscriptions import Subscription
from cumulo.services.messaging.sns.topic_attributes import boolean

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.messaging.sns.topics import Topic

# "Confirmation tokens are valid for two days" (API reference, Subscribe); an unconfirmed subscription goes with it.
TOKEN_LASTS_S = 2 * 86_400.0
_TOKEN = re.compile(r"[0-9a-f]{64,}")


class Confirmation(Record):
    """A token and the subscription that it stands for, as it shall be."""

    token: str
    topic_arn: str
    expires_at: float
    subscription: Subscription


CONFIRMATIONS = Table(Confirmation, name="sns.confirmations", key="token", scope=REGION)


def ask(ctx: Context, topic: Topic, subscription: Subscription, *, kind: str = "SubscriptionConfirmation") -> None:
    """Send the endpoint a new token, to confirm a subscription or to undo its end."""
    token = ctx.random_bytes(112).hex()  # as long as AWS's
    record = Confirmation(token, subscription.topic_arn, ctx.now() + TOKEN_LASTS_S, subscription)
    CONFIRMATIONS.put(ctx, record, account=subscription.account)
    ctx.later(expire, {"account": subscription.account, "token": token}, at=record.expires_at)
    confirmation_messages.send(ctx, topic, subscription, kind, token)


@task
def expire(ctx: Context, payload: dict[str, Any]) -> None:
    """Drop a token, and the subscription that waited for it in vain."""
    account = payload["account"]
    confirmation = CONFIRMATIONS.peek(ctx, payload["token"], account=account)
    if confirmation is None:
        return
    CONFIRMATIONS.delete(ctx, confirmation, account=account)
    wanted = confirmation.subscription
    current = subscriptions.SUBSCRIPTIONS.peek(ctx, wanted.topic, wanted.id, account=account)
    if current is not None and current.pending:
        subscriptions.remove(ctx, current)


@operation(public=True)
def confirm_subscription(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Confirm a subscription with the token that its endpoint received. A token may be used again while it lasts."""
    account, name = arns.topic(ctx, request["TopicArn"])
    token = request["Token"]
    if not _TOKEN.fullmatch(token):
        raise INVALID_TOKEN()
    confirmation = CONFIRMATIONS.peek(ctx, token, account=account)
    topic = topics.TOPICS.peek(ctx, name, account=account)
    if confirmation is None or confirmation.topic_arn != request["TopicArn"] or confirmation.expires_at <= ctx.now():
        raise INVALID_PARAMETER(what="Token")
    wanted = confirmation.subscription
    if topic is None or topic.id != wanted.topic_id:
        raise INVALID_PARAMETER(what="Token")
    signed = ctx.principal.kind is not PrincipalKind.ANONYMOUS
    guarded = boolean(request.get("AuthenticateOnUnsubscribe") or "false", "AuthenticateOnUnsubscribe")
    if guarded and not signed:
        raise AUTHORIZATION_ERROR("AuthenticateOnUnsubscribe requires a signed request")
    current = subscriptions.SUBSCRIPTIONS.peek(ctx, wanted.topic, wanted.id, account=account)
    if current is None:
        wanted.pending = False
        wanted.authenticated, wanted.guarded = signed, guarded
        subscriptions.add(ctx, topic, wanted)
    elif current.pending:
        current.authenticated, current.guarded = signed, guarded
        subscriptions.confirm(ctx, topic, current)
    return {"SubscriptionArn": wanted.arn}
