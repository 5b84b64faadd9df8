"""The end of a topic, and of what it leaves behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation, task
from cumulo.services.messaging.sns import archive, arns, subscriptions
from cumulo.services.messaging.sns.topics import TOPICS

if TYPE_CHECKING:
    from cumulo.core.context import Context

# A deleted topic's subscriptions are still shown for a while, as AWS does; nothing is delivered to them.
ORPHANS_LAST_S = 60.0


@operation
def delete_topic(ctx: Context, request: dict[str, Any]) -> None:
    """Delete a topic with its subscriptions; deleting what is not there is no error."""
    account, name = arns.topic(ctx, request["TopicArn"])
    if TOPICS.peek(ctx, name, account=account) is None:
        if not ctx.trusted(account):
            ctx.authorize(TOPICS.arn(ctx, name, account=account))
        return
    topic = TOPICS.get(ctx, name, account=account)
    TOPICS.delete(ctx, topic, account=account)
    payload = {"account": account, "topic": name, "topic_id": topic.id, "archived": bool(topic.archived_since)}
    ctx.later(remove_remains, payload, at=ctx.now() + ORPHANS_LAST_S)


@task
def remove_remains(ctx: Context, payload: dict[str, Any]) -> None:
    """Drop what a deleted topic leaves: its subscriptions and its archive, a batch at a time."""
    more = subscriptions.remove_orphans(ctx, payload["account"], payload["topic"], payload["topic_id"])
    if payload["archived"]:
        more |= archive.drop(ctx, payload["account"], payload["topic_id"])
    if more:
        ctx.later(remove_remains, payload)
