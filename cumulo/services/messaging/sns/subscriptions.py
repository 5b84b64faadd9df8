"""Subscriptions: who receives what is published to a topic.

A subscription lies with its topic, under the topic's account. An entry under the subscriber's
account lets ListSubscriptions find it from there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.json import encode

from cumulo.core import paging
from cumulo.core.operation import operation
from cumulo.core.table import REGION, Record, Table
from cumulo.services.messaging.sns import arns, topics
from cumulo.services.messaging.sns.errors import AUTHORIZATION_ERROR, INVALID_PARAMETER, NOT_FOUND_SUBSCRIPTION

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.messaging.sns.topics import Topic

PAGE = 100
MANAGED = ("sqs", "lambda", "firehose")  # protocols of endpoints that AWS runs
_BATCH = 200


class Subscription(Record):
    """A subscription. `topic_id` is the topic's own id: a later topic of the same name is another one.

    A replay that has caught up is sent what is published until its ending point.
    `owner` is the subscriber's account, `principal` the ARN of who subscribed. `pending` waits for its confirmation;
    `authenticated` says that the confirmation was signed, `guarded` that ending it must be.
    """

    topic: str
    id: str
    arn: str
    topic_arn: str
    topic_id: str
    account: str
    owner: str
    protocol: str
    endpoint: str
    principal: str
    created_at: float
    pending: bool
    authenticated: bool
    attributes: dict[str, str]
    guarded: bool = False
    password: str = ""  # of an HTTP endpoint, whose shown form hides it
    replay_status: str = ""
    replay_id: str = ""
    replay_caught_up: bool = False

    @property
    def raw(self) -> bool:
        """Whether messages come without SNS's JSON around them."""
        return self.attributes.get("RawMessageDelivery") == "true"


class Entry(Record):
    """Where a subscription of this account lies."""

    arn: str
    account: str
    topic: str
    id: str


SUBSCRIPTIONS = Table(
    Subscription,
    name="sns.subscriptions",
    key=("topic", "id"),
    scope=REGION,
    missing=NOT_FOUND_SUBSCRIPTION,
    indexes={"by_endpoint": ("topic", "protocol", "endpoint")},
)
ENTRIES = Table(Entry, name="sns.subscription_entries", key="arn", scope=REGION)


def peek(ctx: Context, arn: str) -> Subscription | None:
    """The subscription with this ARN, if it is there."""
    account, topic, subscription_id = arns.subscription(ctx, arn)
    return SUBSCRIPTIONS.peek(ctx, topic, subscription_id, account=account)


def find(ctx: Context, arn: str) -> Subscription:
    """The subscription with this ARN, of which the caller must own the topic or the endpoint."""
    found = peek(ctx, arn)
    authorize(ctx, arn, found)
    if found is None:
        raise NOT_FOUND_SUBSCRIPTION()
    return found


def authorize(ctx: Context, arn: str, subscription: Subscription | None) -> None:
    """Only the two accounts that a subscription connects may see and change it; IAM asks about its topic.

    The subscriber's account has its right by owning the subscription, as if the topic's policy gave it.
    """
    account, topic, _ = arns.subscription(ctx, arn)
    owner = account if subscription is None else subscription.owner
    if ctx.account not in (owner, account) and not ctx.internal:
        ctx.authorized = True
        raise AUTHORIZATION_ERROR("Not authorized to access this subscription")
    if ctx.trusted(ctx.account):
        return
    topic_arn = topics.TOPICS.arn(ctx, topic, account=account)
    policy = None
    if ctx.account != account:
        statement = {"Effect": "Allow", "Principal": {"AWS": owner}, "Action": "SNS:*", "Resource": topic_arn}
        policy = encode({"Version": "2012-10-17", "Statement": [statement]}).decode()
    ctx.authorize(topic_arn, policy=policy)


def put(ctx: Context, subscription: Subscription) -> None:
    """Keep a subscription that is there already."""
    SUBSCRIPTIONS.put(ctx, subscription, account=subscription.account)


def add(ctx: Context, topic: Topic, subscription: Subscription) -> None:
    """Keep a new subscription and count it."""
    put(ctx, subscription)
    entry = Entry(subscription.arn, subscription.account, subscription.topic, subscription.id)
    ENTRIES.put(ctx, entry, account=subscription.owner)
    _count(topic, subscription, 1)
    topics.put(ctx, topic)


def confirm(ctx: Context, topic: Topic, subscription: Subscription) -> None:
    """Turn a pending subscription into one that receives messages."""
    _count(topic, subscription, -1)
    subscription.pending = False
    _count(topic, subscription, 1)
    put(ctx, subscription)
    topics.put(ctx, topic)


def remove(ctx: Context, subscription: Subscription) -> None:
    """Drop a subscription; its topic may be gone."""
    _forget(ctx, subscription)
    topic = topics.TOPICS.peek(ctx, subscription.topic, account=subscription.account)
    if topic is not None and topic.id == subscription.topic_id:
        _count(topic, subscription, -1)
        topic.deleted += 1
        topics.put(ctx, topic)


def _forget(ctx: Context, subscription: Subscription) -> None:
    SUBSCRIPTIONS.delete(ctx, subscription, account=subscription.account)
    entry = Entry(subscription.arn, subscription.account, subscription.topic, subscription.id)
    ENTRIES.delete(ctx, entry, account=subscription.owner)


def _count(topic: Topic, subscription: Subscription, by: int) -> None:
    if subscription.pending:
        topic.pending += by
    else:
        topic.confirmed += by
    if subscription.protocol not in MANAGED:
        topic.unmanaged += by


def of_topic(ctx: Context, topic: Topic) -> list[Subscription]:
    """All subscriptions of a topic."""
    found = SUBSCRIPTIONS.range(ctx, topic.name, account=topic.account)
    return [each for each in found if each.topic_id == topic.id]


def same(ctx: Context, topic: Topic, protocol: str, endpoint: str) -> Subscription | None:
    """The subscription of this endpoint, if there is one already."""
    found = SUBSCRIPTIONS.range(ctx, topic.name, protocol, endpoint, index="by_endpoint", account=topic.account)
    return next((each for each in found if each.topic_id == topic.id), None)


def remove_orphans(ctx: Context, account: str, topic: str, topic_id: str) -> bool:
    """Drop a batch of a deleted topic's subscriptions; whether there may be more."""
    found = SUBSCRIPTIONS.range(ctx, topic, account=account)
    orphans = [each for each in found if each.topic_id == topic_id]
    for each in orphans[:_BATCH]:
        _forget(ctx, each)
    return len(orphans) > _BATCH


def _shown(subscription: Subscription) -> dict[str, str]:
    return {
        "SubscriptionArn": "PendingConfirmation" if subscription.pending else subscription.arn,
        "Owner": subscription.owner,
        "Protocol": subscription.protocol,
        "Endpoint": subscription.endpoint,
        "TopicArn": subscription.topic_arn,
    }


@operation
def list_subscriptions(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The account's subscriptions, a hundred a page, to whosever topics."""
    entries, token = paging.page(
        ctx,
        lambda after, limit: ENTRIES.range(ctx, after=after, limit=limit),
        lambda entry: (entry.arn,),
        token=request.get("NextToken"),
        limit=PAGE,
        error=INVALID_PARAMETER(what="NextToken"),
    )
    found = [SUBSCRIPTIONS.peek(ctx, entry.topic, entry.id, account=entry.account) for entry in entries]
    answer: dict[str, Any] = {"Subscriptions": [_shown(each) for each in found if each is not None]}
    if token:
        answer["NextToken"] = token
    return answer


@operation
def list_subscriptions_by_topic(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """A topic's subscriptions, a hundred a page."""
    topic = topics.find(ctx, request["TopicArn"])
    found, token = paging.page(
        ctx,
        lambda after, limit: SUBSCRIPTIONS.range(ctx, topic.name, after=after, limit=limit, account=topic.account),
        lambda each: (each.topic, each.id),
        token=request.get("NextToken"),
        limit=PAGE,
        error=INVALID_PARAMETER(what="NextToken"),
    )
    answer: dict[str, Any] = {"Subscriptions": [_shown(each) for each in found if each.topic_id == topic.id]}
    if token:
        answer["NextToken"] = token
    return answer
