"""The attributes of a subscription."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.event_patterns.json_reader import JsonError, parse
from cumulo.services.messaging.sns import archive, delivery_policies, filter_policies, subscriptions, topic_attributes
from cumulo.services.messaging.sns.errors import FILTER_POLICY_LIMIT, INVALID_PARAMETER

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.messaging.sns.subscriptions import Subscription
    from cumulo.services.messaging.sns.topics import Topic

MAX_FILTER_POLICIES = 200  # per topic (SNS guide, "Filter policy constraints")
_SCOPES = ("MessageAttributes", "MessageBody")
_RAW = ("sqs", "http", "https", "firehose")
_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/.+")

_json = msgspec.json.encode


class _Invalid(Exception):
    """What is wrong with a value; said after `Invalid parameter: ` (and `Attributes Reason: ` while subscribing)."""


def check(topic: Topic, protocol: str, endpoint: str, given: dict[str, str], *, subscribing: bool) -> dict[str, str]:
    """The attributes as they are kept; `given` holds all that are set together with what is there already."""
    start = "Attributes Reason: " if subscribing else ""
    out: dict[str, str] = {}
    try:
        for name, value in given.items():
            checker = _CHECKS.get(name)
            if checker is None:
                raise INVALID_PARAMETER(what=f"{start}Unknown attribute {name}" if subscribing else "AttributeName")
            out[name] = checker(topic, protocol, endpoint, value)
        if out.get("FilterPolicy"):
            _filter_policy(out["FilterPolicy"], out.get("FilterPolicyScope", ""))
    except _Invalid as error:
        raise INVALID_PARAMETER(what=start + str(error)) from None
    return {name: value for name, value in out.items() if value}


def _raw(topic: Topic, protocol: str, endpoint: str, value: str) -> str:
    if value.lower() not in ("true", "false"):
        raise _Invalid(f"RawMessageDelivery: Invalid value [{value}]. Must be true or false.")
    if value.lower() == "true" and protocol not in _RAW:
        raise _Invalid(f"Delivery protocol [{protocol}] does not support raw message delivery.")
    return value.lower()


def _scope(topic: Topic, protocol: str, endpoint: str, value: str) -> str:
    if value not in _SCOPES:
        raise _Invalid(
            f"FilterPolicyScope: Invalid value [{value or 'null'}]. Please use either MessageBody or MessageAttributes"
        )
    return value


def _keep(topic: Topic, protocol: str, endpoint: str, value: str) -> str:
    return value


def _filter_policy(document: str, scope: str) -> None:
    try:
        filter_policies.compile_policy(document, scope == "MessageBody")
    except filter_policies.FilterPolicyError as error:
        raise _Invalid(f"FilterPolicy: {error}") from None


def _redrive(topic: Topic, protocol: str, endpoint: str, value: str) -> str:
    if not value:
        return ""
    try:
        document = parse(value)
    except JsonError as error:
        raise _Invalid(f"RedrivePolicy: failed to parse JSON. {error}") from None
    if document == {}:
        return ""
    target = document.get("deadLetterTargetArn") if isinstance(document, dict) else None
    parts = target.split(":") if isinstance(target, str) else []
    if len(parts) != 6 or parts[0] != "arn" or parts[2] != "sqs" or not all(parts[3:]):
        raise _Invalid("RedrivePolicy: deadLetterTargetArn is an invalid arn")
    fifo = parts[5].endswith(".fifo")
    if endpoint.endswith(".fifo") and not fifo:
        raise _Invalid("RedrivePolicy: must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic.")
    if fifo and not endpoint.endswith(".fifo"):
        raise _Invalid("RedrivePolicy: must use a standard queue as DLQ for a standard Subscription.")
    return value


def _delivery(topic: Topic, protocol: str, endpoint: str, value: str) -> str:
    if not value:
        return ""
    if protocol not in ("http", "https"):
        raise _Invalid(f"DeliveryPolicy: Delivery protocol [{protocol}] does not support delivery policies.")
    try:
        return _json(delivery_policies.subscription_policy(value)).decode()
    except delivery_policies.DeliveryPolicyError as error:
        raise _Invalid(f"DeliveryPolicy: {error}") from None


def _role(topic: Topic, protocol: str, endpoint: str, value: str) -> str:
    if value and protocol != "firehose":
        raise _Invalid(f"SubscriptionRoleArn: Delivery protocol [{protocol}] does not support a role.")
    if value and not _ROLE_ARN.fullmatch(value):
        raise _Invalid(f"SubscriptionRoleArn: {value} is not a valid role ARN")
    return value


def _replay(topic: Topic, protocol: str, endpoint: str, value: str) -> str:
    if not value:
        return ""
    if not topic.fifo:
        raise _Invalid("ReplayPolicy: Replay is only supported for subscriptions to FIFO topics")
    try:
        archive.replay_policy(value)
    except archive.ReplayPolicyError as error:
        raise _Invalid(f"ReplayPolicy: {error}") from None
    return value if parse(value) else ""


_CHECKS = {
    "RawMessageDelivery": _raw,
    "FilterPolicyScope": _scope,
    "FilterPolicy": _keep,
    "RedrivePolicy": _redrive,
    "DeliveryPolicy": _delivery,
    "SubscriptionRoleArn": _role,
    "ReplayPolicy": _replay,
}


def check_filter_count(ctx: Context, topic: Topic, given: dict[str, str]) -> None:
    """Refuse one filter policy more than a topic may have."""
    if not given.get("FilterPolicy") or topic.confirmed + topic.pending < MAX_FILTER_POLICIES:
        return
    count = sum("FilterPolicy" in each.attributes for each in subscriptions.of_topic(ctx, topic))
    if count >= MAX_FILTER_POLICIES:
        raise FILTER_POLICY_LIMIT()


@lru_cache(maxsize=1024)
def _document(text: str) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(text)
    return found


def delivery_policy(subscription: Subscription) -> dict[str, Any] | None:
    """The subscription's own delivery policy."""
    text = subscription.attributes.get("DeliveryPolicy")
    return _document(text) if text else None


def dead_letter_queue(subscription: Subscription) -> str:
    """The ARN of the queue for what cannot be delivered, "" when there is none."""
    text = subscription.attributes.get("RedrivePolicy")
    return str(_document(text)["deadLetterTargetArn"]) if text else ""


def effective_delivery_policy(subscription: Subscription, topic: Topic | None) -> dict[str, Any]:
    """What holds for deliveries of this subscription."""
    of_topic = topic_attributes.delivery_policy(topic) if topic is not None else None
    return delivery_policies.effective_subscription_policy(delivery_policy(subscription), of_topic)


def equal(subscription: Subscription, given: dict[str, str]) -> bool:
    """Whether a subscription has these attributes already."""
    mine = {"RawMessageDelivery": "false", "FilterPolicyScope": "MessageAttributes", **subscription.attributes}
    return all(mine.get(name, "") == value for name, value in given.items())


def shown(subscription: Subscription, topic: Topic | None) -> dict[str, str]:
    """What GetSubscriptionAttributes answers."""
    out = {
        "SubscriptionPrincipal": subscription.principal,
        "Owner": subscription.owner,
        "RawMessageDelivery": "false",
        "TopicArn": subscription.topic_arn,
        "Endpoint": subscription.endpoint,
        "Protocol": subscription.protocol,
        "PendingConfirmation": str(subscription.pending).lower(),
        "ConfirmationWasAuthenticated": str(subscription.authenticated).lower(),
        "SubscriptionArn": subscription.arn,
        **subscription.attributes,
    }
    if "FilterPolicy" in out:
        out.setdefault("FilterPolicyScope", _SCOPES[0])
    else:
        out.pop("FilterPolicyScope", None)  # kept, and shown with the policy that it is for
    if subscription.protocol in ("http", "https"):
        out["EffectiveDeliveryPolicy"] = _json(effective_delivery_policy(subscription, topic)).decode()
    if subscription.replay_status:
        out["ReplayStatus"] = subscription.replay_status
    return out
