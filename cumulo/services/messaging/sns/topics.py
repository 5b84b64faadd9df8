"""Topics: what is published to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from cumulo.core import paging
from cumulo.core import tags as tag_rules
from cumulo.core.operation import operation
from cumulo.core.policy.principals import PrincipalKind
from cumulo.core.table import REGION, Record, Table
from cumulo.services.messaging.sns import arns, data_protection_policies, signatures, topic_attributes
from cumulo.services.messaging.sns.errors import INVALID_PARAMETER, INVALID_TAG, NOT_FOUND_TOPIC, TAG_LIMIT_EXCEEDED

if TYPE_CHECKING:
    from cumulo.core.context import Context

PAGE = 100
_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}")
_FIFO_NAME = re.compile(r"(?=.{6,256}$)[A-Za-z0-9_-]+\.fifo")


class Topic(Record):
    """A topic. `id` tells apart topics that had the same name one after the other; `attributes` are those that
    were set, as given; the counters are of its subscriptions (`unmanaged`: those that are not sqs, lambda or
    firehose); `archived_since` is 0 while there is no archive."""

    name: str
    account: str
    arn: str
    id: str
    created_at: float
    attributes: dict[str, str]
    policy: str = ""
    tags: dict[str, str] = {}
    data_protection_policy: str = ""
    confirmed: int = 0
    pending: int = 0
    deleted: int = 0
    archived_since: float = 0.0
    unmanaged: int = 0

    @property
    def fifo(self) -> bool:
        """Whether order and deduplication are kept."""
        return self.name.endswith(".fifo")

    @property
    def policy_document(self) -> str:
        """The access policy: the owner's, or the one that every topic is born with."""
        return self.policy or topic_attributes.default_policy(self.arn, self.account)


TOPICS = Table(
    Topic,
    name="sns.topics",
    key="name",
    scope=REGION,
    arn="arn:{partition}:sns:{region}:{account}:{name}",
    missing=NOT_FOUND_TOPIC,
    policy=lambda topic: topic.policy or None,
    tags=lambda topic: topic.tags,
)


def find(ctx: Context, arn: str, parameter: str = "TopicArn", *, context: dict[str, str] | None = None) -> Topic:
    """The topic with this ARN, found and authorized; `context` are further condition keys of the call.

    The policy that a topic is born with speaks of services that act for its owner's resources and of nobody else,
    so only they are asked about it.
    """
    account, name = arns.topic(ctx, arn, parameter)
    service = ctx.principal.kind is PrincipalKind.SERVICE and not ctx.internal
    if context is None and not service:
        return TOPICS.get(ctx, name, account=account)
    topic = TOPICS.peek(ctx, name, account=account)
    if topic is None:
        return TOPICS.get(ctx, name, account=account)
    if service and not topic.policy:
        source = {"aws:SourceOwner": ctx.source_account, **(context or {})}
        ctx.authorize(topic.arn, policy=topic.policy_document, tags=topic.tags, context=source)
    elif topic.policy or not ctx.trusted(account):
        ctx.authorize(topic.arn, policy=topic.policy or None, tags=topic.tags, context=context)
    return topic


def put(ctx: Context, topic: Topic) -> None:
    """Keep a topic in its owner's account."""
    TOPICS.put(ctx, topic, account=topic.account)


def tags_given(tags: list[dict[str, str]] | None) -> dict[str, str]:
    """The tags of a request, checked: no key twice."""
    found = tag_rules.from_list(tags)
    if len(found) != len(tags or ()):
        raise INVALID_PARAMETER(what="Duplicated keys are not allowed.")
    tag_rules.check(found, invalid=INVALID_TAG, too_many=TAG_LIMIT_EXCEEDED)
    return found


@operation
def create_topic(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Make a topic, or answer with the one that is the same already."""
    name: str = request["Name"]
    given: dict[str, str] = request.get("Attributes") or {}
    arn = TOPICS.arn(ctx, name)
    if not ctx.trusted(ctx.account):
        ctx.authorize(arn)
    fifo = topic_attributes.boolean(given.get("FifoTopic", "false"), "Attributes Reason: FifoTopic")
    if not (_FIFO_NAME if fifo else _NAME).fullmatch(name):
        raise INVALID_PARAMETER(what="Topic Name")
    wanted_tags = tags_given(request.get("Tags"))
    checked = {
        key: topic_attributes.check(key, value, fifo=fifo, creating=True)
        for key, value in given.items()
        if key != "FifoTopic"
    }
    document = request.get("DataProtectionPolicy", "")
    if document:
        data_protection_policies.check(document)
    topic = TOPICS.peek(ctx, name)
    if topic is not None:
        return _same(topic, checked, wanted_tags if "Tags" in request else None)
    if wanted_tags and not ctx.trusted(ctx.account):
        ctx.authorize(arn, action="sns:TagResource", tags=wanted_tags)
    topic = Topic(name, ctx.account, arn, ctx.new_id("", hex=16), ctx.now(), {}, tags=wanted_tags)
    topic.data_protection_policy = document
    for key, value in checked.items():
        topic_attributes.apply(ctx, topic, key, value)
    put(ctx, topic)
    signatures.prepare(ctx)
    return {"TopicArn": arn}


def _same(topic: Topic, given: dict[str, str], wanted_tags: dict[str, str] | None) -> dict[str, Any]:
    """Creating is idempotent as long as what is asked for is what there is."""
    if any(not topic_attributes.equal(topic, key, value) for key, value in given.items()):
        raise INVALID_PARAMETER(what="Attributes Reason: Topic already exists with different attributes")
    if wanted_tags is not None and wanted_tags != topic.tags:
        raise INVALID_PARAMETER(what="Tags Reason: Topic already exists with different tags")
    return {"TopicArn": topic.arn}


@operation
def list_topics(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The account's topics in this region, a hundred a page."""
    found, token = paging.page(
        ctx,
        lambda after, limit: TOPICS.range(ctx, after=after, limit=limit),
        lambda topic: (topic.name,),
        token=request.get("NextToken"),
        limit=PAGE,
        error=INVALID_PARAMETER(what="NextToken"),
    )
    answer: dict[str, Any] = {"Topics": [{"TopicArn": topic.arn} for topic in found]}
    if token:
        answer["NextToken"] = token
    return answer


@operation
def get_topic_attributes(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """All attributes of a topic."""
    topic = find(ctx, request["TopicArn"])
    return {"Attributes": topic_attributes.shown(ctx, topic)}


@operation
def set_topic_attributes(ctx: Context, request: dict[str, Any]) -> None:
    """Change one attribute; without a value, take it back to its default."""
    topic = find(ctx, request["TopicArn"])
    name = request["AttributeName"]
    value = topic_attributes.check(name, request.get("AttributeValue") or "", fifo=topic.fifo, creating=False)
    topic_attributes.apply(ctx, topic, name, value)
    put(ctx, topic)
