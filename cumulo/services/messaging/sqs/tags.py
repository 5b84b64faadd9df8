"""Cost allocation tags of queues."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core import tags as tag_rules
from cumulo.core.errors import Error
from cumulo.core.operation import operation
from cumulo.services.messaging.sqs.errors import INVALID_PARAMETER, MISSING_PARAMETER
from cumulo.services.messaging.sqs.queues import check_owner, find, keep

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import sqs as t

INVALID_TAG = Error(
    "InvalidParameterValue",
    "Tag keys must be 1 to 128 and tag values 0 to 256 characters of letters, white space, digits and + - = . _ : / @, "
    "and a key must not start with aws:",
)


def checked(tags: dict[str, str], present: dict[str, str] | None = None) -> dict[str, str]:
    """These tags laid over those already there, or the error for the rule that they break."""
    merged = {**(present or {}), **tags}
    if len(merged) > tag_rules.TAG_LIMIT:
        raise INVALID_PARAMETER(
            f"Too many tags added for queue. Maximum number of tags allowed is {tag_rules.TAG_LIMIT}."
        )
    tag_rules.check(tags, invalid=INVALID_TAG)
    return merged


@operation
def tag_queue(ctx: Context, request: t.TagQueueRequest) -> None:
    """Add tags, or change the values of those that are there."""
    queue = find(ctx, request["QueueUrl"])
    check_owner(ctx, queue)
    tags = request.get("Tags")
    if not tags:
        raise MISSING_PARAMETER(name="Tags")
    queue.tags = checked(tags, queue.tags)
    keep(ctx, queue)


@operation
def untag_queue(ctx: Context, request: t.UntagQueueRequest) -> None:
    """Remove tags; keys that are not there are no error."""
    queue = find(ctx, request["QueueUrl"])
    check_owner(ctx, queue)
    if not request["TagKeys"]:
        raise MISSING_PARAMETER(name="TagKeys")
    queue.tags = tag_rules.without(queue.tags, request["TagKeys"])
    keep(ctx, queue)


@operation
def list_queue_tags(ctx: Context, request: t.ListQueueTagsRequest) -> t.ListQueueTagsResult:
    """All tags of a queue; a queue without tags is answered without the member, as AWS does."""
    queue = find(ctx, request["QueueUrl"])
    check_owner(ctx, queue)
    return {"Tags": queue.tags} if queue.tags else {}
