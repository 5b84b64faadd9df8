"""How an endpoint is asked to confirm, by each protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.services.messaging.sns import deliveries, envelopes, http_deliveries, mail

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.messaging.sns.subscriptions import Subscription
    from cumulo.services.messaging.sns.topics import Topic

_TASKS = {
    "http": http_deliveries.confirm_by_url,
    "https": http_deliveries.confirm_by_url,
    "email": mail.confirm_by_mail,
    "email-json": mail.confirm_by_mail,
    "sqs": deliveries.confirm_by_queue,
}


def send(ctx: Context, topic: Topic, subscription: Subscription, kind: str, token: str) -> None:
    """Write the task that sends a SubscriptionConfirmation or UnsubscribeConfirmation."""
    members = envelopes.confirmation(
        kind, ctx.uuid(), topic.arn, subscription.arn, token, ctx.endpoint, envelopes.iso8601(ctx.now())
    )
    payload = {
        "members": members,
        "version": topic.attributes.get("SignatureVersion", "1"),
        "subscription": subscription.arn,
        "protocol": subscription.protocol,
        "endpoint": subscription.endpoint,
        "password": subscription.password,
    }
    ctx.later(_TASKS[subscription.protocol], payload)
