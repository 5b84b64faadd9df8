"""Tags of topics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core import tags as rules
from cumulo.core.operation import operation
from cumulo.services.messaging.sns import arns, topics
from cumulo.services.messaging.sns.errors import INVALID_TAG, NOT_FOUND_RESOURCE, TAG_LIMIT_EXCEEDED

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.messaging.sns.topics import Topic


def _topic(ctx: Context, arn: str) -> Topic:
    """The tagged topic; here a missing one is a missing resource."""
    account, name = arns.topic(ctx, arn, "ResourceArn")
    if topics.TOPICS.peek(ctx, name, account=account) is None:
        if not ctx.trusted(account):
            ctx.authorize(topics.TOPICS.arn(ctx, name, account=account))
        raise NOT_FOUND_RESOURCE()
    return topics.find(ctx, arn, "ResourceArn")


@operation
def list_tags_for_resource(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """A topic's tags."""
    return {"Tags": rules.to_list(_topic(ctx, request["ResourceArn"]).tags)}


@operation
def tag_resource(ctx: Context, request: dict[str, Any]) -> None:
    """Add tags to a topic, or give them new values."""
    topic = _topic(ctx, request["ResourceArn"])
    added = topics.tags_given(request["Tags"])
    topic.tags = {**topic.tags, **added}
    rules.check(topic.tags, invalid=INVALID_TAG, too_many=TAG_LIMIT_EXCEEDED)
    topics.put(ctx, topic)


@operation
def untag_resource(ctx: Context, request: dict[str, Any]) -> None:
    """Take tags off a topic; keys that it does not have are no error."""
    topic = _topic(ctx, request["ResourceArn"])
    topic.tags = rules.without(topic.tags, request["TagKeys"])
    topics.put(ctx, topic)
