"""Subscribe and Unsubscribe, and the attributes in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.core.policy.principals import PrincipalKind
from cumulo.services.messaging.sns import (
    confirmations,
    replays,
    subscription_attributes,
    subscription_endpoints,
    subscriptions,
    topics,
)
from cumulo.services.messaging.sns.errors import AUTHORIZATION_ERROR, INVALID_PARAMETER, NOT_FOUND_SUBSCRIPTION
from cumulo.services.messaging.sns.subscriptions import Subscription

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.messaging.sns.topics import Topic


@operation
def subscribe(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Subscribe an endpoint to a topic; the same again is the same subscription."""
    protocol, endpoint = request["Protocol"], request.get("Endpoint") or ""
    conditions = {"sns:Protocol": protocol, "sns:Endpoint": endpoint}
    topic = topics.find(ctx, request["TopicArn"], context=conditions)
    shown, password = subscription_endpoints.check(ctx, topic, protocol, endpoint)
    given = dict(request.get("Attributes") or {})
    if given.get("FilterPolicy", "").strip() == "{}":
        given["FilterPolicy"] = ""
    checked = subscription_attributes.check(topic, protocol, endpoint, given, subscribing=True)
    existing = subscriptions.same(ctx, topic, protocol, shown)
    if existing is not None:
        return _again(ctx, topic, existing, checked, request)
    subscription_attributes.check_filter_count(ctx, topic, checked)
    if "ReplayPolicy" in checked and not topic.archived_since:
        raise INVALID_PARAMETER(what="Attributes Reason: ReplayPolicy: The topic has no archive policy")
    subscription = _new(ctx, topic, protocol, shown, checked)
    subscription.password = password
    subscriptions.add(ctx, topic, subscription)
    if subscription.pending:
        confirmations.ask(ctx, topic, subscription)
    if "ReplayPolicy" in checked:
        replays.start(ctx, topic, subscription)
        subscriptions.put(ctx, subscription)
    return _answer(subscription, request)


def _new(ctx: Context, topic: Topic, protocol: str, endpoint: str, attributes: dict[str, str]) -> Subscription:
    subscription_id = ctx.uuid()
    pending = _needs_confirmation(ctx, topic, protocol, endpoint)
    return Subscription(
        topic=topic.name,
        id=subscription_id,
        arn=f"{topic.arn}:{subscription_id}",
        topic_arn=topic.arn,
        topic_id=topic.id,
        account=topic.account,
        owner=ctx.account,
        protocol=protocol,
        endpoint=endpoint,
        principal=ctx.principal.arn,
        created_at=ctx.now(),
        pending=pending,
        authenticated=not pending,
        attributes=attributes,
    )


def _needs_confirmation(ctx: Context, topic: Topic, protocol: str, endpoint: str) -> bool:
    """Web and mail endpoints must say yes, and so must a queue whose owner did not ask for the subscription."""
    if protocol in ("http", "https", "email", "email-json"):
        return True
    return protocol == "sqs" and endpoint.split(":")[4] != ctx.account


def _again(
    ctx: Context, topic: Topic, existing: Subscription, given: dict[str, str], request: dict[str, Any]
) -> dict[str, Any]:
    if not subscription_attributes.equal(existing, given):
        raise INVALID_PARAMETER(what="Attributes Reason: Subscription already exists with different attributes")
    if existing.pending:
        confirmations.ask(ctx, topic, existing)
    return _answer(existing, request)


def _answer(subscription: Subscription, request: dict[str, Any]) -> dict[str, Any]:
    hidden = subscription.pending and not request.get("ReturnSubscriptionArn")
    return {"SubscriptionArn": "pending confirmation" if hidden else subscription.arn}


@operation(public=True)
def unsubscribe(ctx: Context, request: dict[str, Any]) -> None:
    """End a subscription; ending one that is not there is no error.

    The link in a message needs no signature, unless the subscription was confirmed with AuthenticateOnUnsubscribe.
    An HTTP(S) endpoint is told and can take it back; so can a mailbox whose link was followed.
    """
    anonymous = ctx.principal.kind is PrincipalKind.ANONYMOUS
    subscription = subscriptions.peek(ctx, request["SubscriptionArn"])
    if anonymous:
        if subscription is not None and subscription.guarded:
            raise AUTHORIZATION_ERROR("This subscription can only be ended with a signed request")
    else:
        subscriptions.authorize(ctx, request["SubscriptionArn"], subscription)
    if subscription is None:
        return
    subscriptions.remove(ctx, subscription)
    topic = topics.TOPICS.peek(ctx, subscription.topic, account=subscription.account)
    told = subscription.protocol in ("http", "https") or (anonymous and subscription.protocol.startswith("email"))
    if told and topic is not None and not subscription.pending:
        confirmations.ask(ctx, topic, subscription, kind="UnsubscribeConfirmation")


@operation
def get_subscription_attributes(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """All attributes of a subscription."""
    subscription = subscriptions.find(ctx, request["SubscriptionArn"])
    topic = topics.TOPICS.peek(ctx, subscription.topic, account=subscription.account)
    return {"Attributes": subscription_attributes.shown(subscription, topic)}


@operation
def set_subscription_attributes(ctx: Context, request: dict[str, Any]) -> None:
    """Change one attribute of a subscription; without a value, take it away."""
    subscription = subscriptions.find(ctx, request["SubscriptionArn"])
    name, value = request["AttributeName"], request.get("AttributeValue") or ""
    topic = topics.TOPICS.peek(ctx, subscription.topic, account=subscription.account)
    if topic is None or topic.id != subscription.topic_id:
        raise NOT_FOUND_SUBSCRIPTION()
    if name == "FilterPolicy" and value.strip() == "{}":
        value = ""
    given = {**subscription.attributes, name: value}
    if name != "ReplayPolicy":
        given.pop("ReplayPolicy", None)
    protocol, endpoint = subscription.protocol, subscription.endpoint
    checked = subscription_attributes.check(topic, protocol, endpoint, given, subscribing=False)
    if name == "FilterPolicy" and "FilterPolicy" not in subscription.attributes:
        subscription_attributes.check_filter_count(ctx, topic, checked)
    if name != "ReplayPolicy" and "ReplayPolicy" in subscription.attributes:
        checked["ReplayPolicy"] = subscription.attributes["ReplayPolicy"]
    subscription.attributes = checked
    if name == "ReplayPolicy":
        replays.start(ctx, topic, subscription)
    subscriptions.put(ctx, subscription)
