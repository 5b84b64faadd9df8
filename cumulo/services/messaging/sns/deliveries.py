"""Deliveries to queues and functions, and what becomes of deliveries that fail.

A delivery happens in the transaction that ends its task: exactly once. Faults of the
receiver's side of things (no such queue, no permission) go to the dead-letter queue at once;
others are tried again for as long as AWS does. Source: SNS guide, "Message delivery retries".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core import delivery
from cumulo.core.errors import Fault
from cumulo.core.operation import Retry, task
from cumulo.services.messaging.sns import filter_policies, messages, notifications, sealing, subscriptions
from cumulo.services.messaging.sns.delivery_policies import managed_delay
from cumulo.services.messaging.sns.subscription_attributes import dead_letter_queue
from cumulo.services.messaging.sns.topics import TOPICS

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.messaging.sns.messages import Message
    from cumulo.services.messaging.sns.subscriptions import Subscription


def accepts(subscription: Subscription, message: Message) -> bool:
    """Whether a subscription's filter policy lets a message pass."""
    attributes = subscription.attributes
    document = attributes.get("FilterPolicy")
    if document is None:
        return True
    nested = attributes.get("FilterPolicyScope") == "MessageBody"
    policy = filter_policies.compile_policy(document, nested)
    text = messages.text_for(message, subscription.protocol) if nested else ""
    return policy.accepts(message.get("attributes") or {}, text)


def to_send(ctx: Context, payload: dict[str, Any]) -> Subscription | None:
    """The subscription of a delivery; None when it ended meanwhile, or its topic did."""
    found = subscriptions.peek(ctx, payload["subscription"])
    if found is None or found.pending:
        return None
    topic = TOPICS.peek(ctx, found.topic, account=found.account)
    return found if topic is not None and topic.id == found.topic_id else None


@task
def deliver_to_queue(ctx: Context, payload: dict[str, Any]) -> None:
    """Send a message to an SQS queue, as the service and for the topic."""
    subscription = to_send(ctx, payload)
    if subscription is None:
        return
    try:
        message = sealing.opened(ctx, payload["message"])
        send_to_queue(ctx, subscription, subscription.endpoint, message)
    except Fault as fault:
        _failed(ctx, subscription, payload, fault)


def send_to_queue(ctx: Context, subscription: Subscription, queue: str, message: Message) -> None:
    """One SendMessage: raw, with the message's attributes as the queue's own; or as JSON, without. Raises its Fault."""
    parcel: dict[str, Any] = {"body": notifications.body(ctx, subscription, message)}
    if subscription.raw and message.get("attributes"):
        parcel["attributes"] = _queue_attributes(message["attributes"])
    if "group" in message:
        parcel["group_id"] = message["group"]
    if queue.endswith(".fifo") and "deduplication" in message:
        parcel["deduplication_id"] = message["deduplication"]
    if message.get("trace", "").startswith("Root="):
        parcel["trace_header"] = message["trace"]
    delivery.deliver(ctx, queue, parcel, service="sns", source_arn=subscription.topic_arn)


@task
def deliver_to_function(ctx: Context, payload: dict[str, Any]) -> None:
    """Invoke a Lambda function with a message, as an event that it gets on its own time."""
    subscription = to_send(ctx, payload)
    if subscription is None:
        return
    try:
        message = sealing.opened(ctx, payload["message"])
        parcel = {"body": notifications.event(ctx, subscription, message), "trace_header": message.get("trace", "")}
        delivery.deliver(ctx, subscription.endpoint, parcel, service="sns", source_arn=subscription.topic_arn)
    except Fault as fault:
        _failed(ctx, subscription, payload, fault)


def _queue_attributes(attributes: dict[str, list[str]]) -> dict[str, dict[str, Any]]:
    from base64 import b64decode

    out: dict[str, dict[str, Any]] = {}
    for name, (kind, value) in attributes.items():
        if kind.partition(".")[0] == "Binary":
            out[name] = {"DataType": kind, "BinaryValue": b64decode(value)}
        else:
            out[name] = {"DataType": kind, "StringValue": value}
    return out


def _failed(ctx: Context, subscription: Subscription, payload: dict[str, Any], fault: Fault) -> None:
    """The receiver's faults are final; ours are tried again."""
    attempt = payload.get("attempt", 0)
    delay = managed_delay(attempt) if server_side(fault) else None
    if delay is None:
        dead_letter(ctx, subscription, payload["message"], str(fault))
        return
    if payload["message"].get("sequence"):
        raise Retry(max(delay, 1.0))  # keeps its place in the lane
    again = deliver_to_function if subscription.protocol == "lambda" else deliver_to_queue
    ctx.later(again, {**payload, "attempt": attempt + 1}, at=ctx.now() + delay)


def server_side(fault: Fault) -> bool:
    """Whether a fault is the called service's own, or a KMS key of the topic that may come back."""
    return not fault.sender or (fault.status or 400) >= 500 or fault.code.startswith("KMS")


def dead_letter(ctx: Context, subscription: Subscription, message: Message, reason: str) -> None:
    """Put what could not be delivered into the subscription's dead-letter queue; without one it is lost, as on AWS."""
    queue = dead_letter_queue(subscription)
    ctx.logger.warning("message %s was not delivered to %s: %s", message["id"], subscription.endpoint, reason)
    if not queue:
        return
    try:
        send_to_queue(ctx, subscription, queue, sealing.opened(ctx, message))
    except Fault as fault:
        ctx.logger.warning("message %s was not taken by the dead-letter queue %s: %s", message["id"], queue, fault)


@task
def confirm_by_queue(ctx: Context, payload: dict[str, Any]) -> None:
    """Send a request to confirm to a queue of another account."""
    parcel = {"body": notifications.confirmation(ctx, payload["members"], payload["version"])}
    try:
        delivery.deliver(ctx, payload["endpoint"], parcel, service="sns", source_arn=payload["members"]["TopicArn"])
    except Fault as fault:
        ctx.logger.warning("no request to confirm reached %s: %s", payload["endpoint"], fault)
