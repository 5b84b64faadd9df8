"""Deliveries to HTTP(S) endpoints: messages and requests to confirm, retried as the delivery policy says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.errors import Fault
from cumulo.core.operation import task
from cumulo.services.messaging.sns import deliveries, delivery_policies, http_endpoints, notifications, sealing
from cumulo.services.messaging.sns.subscription_attributes import effective_delivery_policy
from cumulo.services.messaging.sns.topics import TOPICS

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.messaging.sns.subscriptions import Subscription

USER_AGENT = "Amazon Simple Notification Service Agent"
_TOO_EARLY_S = 0.01

# When each endpoint with a throttle policy may receive again, in cloud time.
_next_slot: dict[str, float] = {}


def headers(kind: str, message_id: str, topic: str, subscription: str, content_type: str) -> dict[str, str]:
    """The header fields of a POST, in AWS's order; a request to confirm names no subscription yet."""
    out = {"x-amz-sns-message-type": kind, "x-amz-sns-message-id": message_id, "x-amz-sns-topic-arn": topic}
    if subscription:
        out["x-amz-sns-subscription-arn"] = subscription
    out["Content-Type"] = content_type
    out["User-Agent"] = USER_AGENT
    out["Accept-Encoding"] = "gzip,deflate"
    return out


def retried(status: int) -> bool:
    """Whether an answer means: try again later.

    Source: SNS guide, "Message delivery retries": 100 to 101, 429 and 500 to 599; all others but 2xx are final.
    """
    return status == 429 or 500 <= status <= 599 or status < 200


@task
async def deliver_to_url(ctx: Context, payload: dict[str, Any]) -> None:
    """POST a message to its subscription's URL."""

    def prepare(ctx: Context) -> tuple[Subscription, dict[str, Any], str, str] | None:
        subscription = deliveries.to_send(ctx, payload)
        if subscription is None:
            return None
        topic = TOPICS.peek(ctx, subscription.topic, account=subscription.account)
        policy = effective_delivery_policy(subscription, topic)
        if _throttled(ctx, subscription, policy, payload):
            return None
        try:
            message = sealing.opened(ctx, payload["message"])
        except Fault as fault:
            return subscription, policy, "", str(fault)
        return subscription, policy, notifications.body(ctx, subscription, message), ""

    ready = await ctx.transact(prepare)
    if ready is None:
        return
    subscription, policy, body, failure = ready
    message = payload["message"]
    content_type = delivery_policies.content_type(policy, raw=subscription.raw)
    fields = headers("Notification", message["id"], subscription.topic_arn, subscription.arn, content_type)
    if subscription.raw:
        fields["x-amz-sns-rawdelivery"] = "true"
    final = False
    if not failure:
        failure, final = await _post(_url(subscription.endpoint, subscription.password), fields, body)
    if not failure:
        return
    delays = delivery_policies.delays(policy["healthyRetryPolicy"])
    attempt = payload.get("attempt", 0)

    def fail(ctx: Context) -> None:
        if final or attempt >= len(delays):
            deliveries.dead_letter(ctx, subscription, message, failure)
        else:
            again = {**payload, "attempt": attempt + 1}
            again.pop("slot", None)
            ctx.later(deliver_to_url, again, at=ctx.now() + delays[attempt])

    await ctx.transact(fail)


def _throttled(ctx: Context, subscription: Subscription, policy: dict[str, Any], payload: dict[str, Any]) -> bool:
    """Put a delivery off when its endpoint gets more in a second than it wants; whether that happened."""
    rate = (policy["throttlePolicy"] or {}).get("maxReceivesPerSecond")
    if not rate or "slot" in payload:
        return False
    now = ctx.now()
    slot = max(now, _next_slot.get(subscription.arn, 0.0))
    if len(_next_slot) > 10_000:
        _next_slot.clear()
    _next_slot[subscription.arn] = slot + 1.0 / rate
    if slot - now < _TOO_EARLY_S:
        return False
    ctx.later(deliver_to_url, {**payload, "slot": slot}, at=slot)
    return True


@task
async def confirm_by_url(ctx: Context, payload: dict[str, Any]) -> None:
    """POST a request to confirm (or the farewell of a subscription that ended) to a URL."""
    members: dict[str, str] = payload["members"]
    body = await ctx.transact(lambda ctx: notifications.confirmation(ctx, members, payload["version"]))
    subscription = payload["subscription"] if members["Type"] == "UnsubscribeConfirmation" else ""
    content_type = delivery_policies.DEFAULT_CONTENT_TYPE
    fields = headers(members["Type"], members["MessageId"], members["TopicArn"], subscription, content_type)
    failure, final = await _post(_url(payload["endpoint"], payload["password"]), fields, body)
    if not failure:
        return
    ctx.logger.warning("%s was not delivered to %s: %s", members["Type"], payload["endpoint"], failure)
    delays = delivery_policies.delays(delivery_policies.DEFAULT_RETRIES)
    attempt = payload.get("attempt", 0)
    if final or attempt >= len(delays):
        return
    again = {**payload, "attempt": attempt + 1}
    await ctx.transact(lambda ctx: ctx.later(confirm_by_url, again, at=ctx.now() + delays[attempt]))


async def _post(url: str, fields: dict[str, str], body: str) -> tuple[str, bool]:
    """(what went wrong or "", whether that is final)."""
    try:
        status = await http_endpoints.post(url, fields, body.encode())
    except http_endpoints.Unreachable as error:
        return str(error), False
    if 200 <= status < 300:
        return "", False
    return f"the endpoint answered {status}", not retried(status)


def _url(shown: str, password: str) -> str:
    """The URL with the password that its shown form hides."""
    return shown.replace(":****@", f":{password}@", 1) if password else shown
