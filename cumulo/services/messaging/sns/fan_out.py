"""From a message to its deliveries: one durable task for every subscription that it passes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.services.messaging.sns import archive, deliveries, http_deliveries, mail, pushes, sms
from cumulo.services.messaging.sns.subscriptions import SUBSCRIPTIONS

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.messaging.sns.messages import Message
    from cumulo.services.messaging.sns.subscriptions import Subscription
    from cumulo.services.messaging.sns.topics import Topic

_TASKS = {
    "sqs": deliveries.deliver_to_queue,
    "lambda": deliveries.deliver_to_function,
    "http": http_deliveries.deliver_to_url,
    "https": http_deliveries.deliver_to_url,
    "email": mail.deliver_to_mailbox,
    "email-json": mail.deliver_to_mailbox,
    "sms": sms.deliver_to_phone,
    "application": pushes.deliver_to_device,
}


def fan_out(ctx: Context, topic: Topic, message: Message, kept: Message) -> None:
    """Write a delivery of `kept`, the message or its sealed form, for every subscription that it passes to."""
    if not topic.confirmed:
        return
    for subscription in SUBSCRIPTIONS.range(ctx, topic.name, account=topic.account):
        if subscription.pending or subscription.topic_id != topic.id:
            continue
        if subscription.replay_status and not archive.receives_new(subscription, ctx.now()):
            continue
        if deliveries.accepts(subscription, message):
            deliver(ctx, subscription, kept)


def deliver(ctx: Context, subscription: Subscription, message: Message) -> None:
    """Write one delivery; those of a FIFO topic's message group come one after the other."""
    lane = f"{subscription.arn}/{message['group']}" if message.get("sequence") else None
    ctx.later(_TASKS[subscription.protocol], {"subscription": subscription.arn, "message": message}, lane=lane)
