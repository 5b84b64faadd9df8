"""Replays: a subscription is sent archived messages again.

A ReplayPolicy names a span of time. While its messages are sent, new ones reach the subscription
through the archive too, so that the order holds. Source: SNS guide, "Message replay".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.errors import Fault
from cumulo.core.operation import Retry, task
from cumulo.services.messaging.sns import archive, deliveries, fan_out, sealing, subscriptions, topic_attributes
from cumulo.services.messaging.sns.errors import INVALID_PARAMETER

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.messaging.sns.messages import Message
    from cumulo.services.messaging.sns.subscriptions import Subscription
    from cumulo.services.messaging.sns.topics import Topic

_BATCH = 50
_AGAIN_S = 60.0


def start(ctx: Context, topic: Topic, subscription: Subscription) -> None:
    """Begin what a new ReplayPolicy asks for; without a policy, end it. The caller keeps the subscription."""
    document = subscription.attributes.get("ReplayPolicy")
    if document is None:
        subscription.replay_status = subscription.replay_id = ""
        return
    if not topic.archived_since:
        raise INVALID_PARAMETER(what="ReplayPolicy: The topic has no archive policy")
    span = archive.replay_policy(document)
    assert span is not None
    start = max(span[0], topic_attributes.archive_begins(ctx, topic))
    subscription.replay_status, subscription.replay_id = archive.PENDING, ctx.new_id("", hex=16)
    subscription.replay_caught_up = False
    payload = {"subscription": subscription.arn, "replay": subscription.replay_id, "after": [int(start * 1000), 0]}
    ctx.later(replay, payload)


@task
def replay(ctx: Context, payload: dict[str, Any]) -> None:
    """Send the next batch of archived messages; the last batch ends the replay."""
    subscription = subscriptions.peek(ctx, payload["subscription"])
    if subscription is None or subscription.replay_id != payload["replay"]:
        return  # it ended, or another replay took its place
    span = archive.replay_policy(subscription.attributes["ReplayPolicy"])
    assert span is not None
    end = (int(span[1] * 1000),) if span[1] is not None else None
    at_ms, sequence = payload["after"]
    found = archive.ARCHIVE.range(
        ctx, subscription.topic_id, start=(at_ms, sequence), end=end, limit=_BATCH, account=subscription.account
    )
    for each in found:
        if deliveries.accepts(subscription, _readable(ctx, subscription, each.message)):
            fan_out.deliver(ctx, subscription, {**each.message, "replayed": True})
    if len(found) == _BATCH:
        subscription.replay_status = archive.RUNNING
        ctx.later(replay, {**payload, "after": [found[-1].at_ms, found[-1].sequence + 1]})
    elif span[1] is not None and span[1] > ctx.now():
        subscription.replay_status, subscription.replay_caught_up = archive.RUNNING, True
        ctx.later(finish_replay, payload, at=span[1])  # what is published until then belongs to it too
    else:
        subscription.replay_status = archive.COMPLETED
    subscriptions.put(ctx, subscription)


def _readable(ctx: Context, subscription: Subscription, message: Message) -> Message:
    """The message, opened where the filter looks into it: while its KMS key cannot be used, the replay waits."""
    if subscription.attributes.get("FilterPolicyScope") != "MessageBody":
        return message
    try:
        return sealing.opened(ctx, message)
    except Fault as fault:
        ctx.logger.warning("the replay for %s waits: %s", subscription.arn, fault)
        raise Retry(_AGAIN_S) from None


@task
def finish_replay(ctx: Context, payload: dict[str, Any]) -> None:
    """End a replay that had caught up before its ending point."""
    subscription = subscriptions.peek(ctx, payload["subscription"])
    if subscription is not None and subscription.replay_id == payload["replay"]:
        subscription.replay_status = archive.COMPLETED
        subscriptions.put(ctx, subscription)
