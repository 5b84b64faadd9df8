"""What a subscriber is sent: a notification or a request to confirm, signed and written out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.services.messaging.sns import envelopes, messages, signatures

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.messaging.sns.messages import Message
    from cumulo.services.messaging.sns.subscriptions import Subscription


def notification(ctx: Context, subscription: Subscription, message: Message) -> str:
    """The JSON of a message. A FIFO topic's is not signed: its subscribers are queues."""
    text = messages.text_for(message, subscription.protocol)
    url = envelopes.unsubscribe_url(message["endpoint"], subscription.arn)
    members = envelopes.notification(message, text, url)
    if not message.get("sequence"):
        members = _signed(ctx, members, message.get("version", "1"))
    return envelopes.document(members, message.get("attributes"))


def event(ctx: Context, subscription: Subscription, message: Message) -> str:
    """The event that a function gets; the form was observed in AWS's events."""
    text = messages.text_for(message, subscription.protocol)
    url = envelopes.unsubscribe_url(message["endpoint"], subscription.arn)
    members = _signed(ctx, envelopes.notification(message, text, url), message.get("version", "1"))
    return envelopes.event(members, message.get("attributes"), subscription.arn)


def body(ctx: Context, subscription: Subscription, message: Message) -> str:
    """A message as the subscription wants it: raw or as JSON."""
    if subscription.raw:
        return messages.text_for(message, subscription.protocol)
    return notification(ctx, subscription, message)


def confirmation(ctx: Context, members: dict[str, str], version: str) -> str:
    """The JSON of a request to confirm."""
    return envelopes.document(_signed(ctx, members, version))


def _signed(ctx: Context, members: dict[str, str], version: str) -> dict[str, str]:
    signature, url = signatures.sign(ctx, envelopes.string_to_sign(members), version)
    return envelopes.signed(members, version, signature, url)
