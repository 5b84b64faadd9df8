"""Attributes of queues: SetQueueAttributes, GetQueueAttributes and the part of CreateQueue.

Source: API reference, CreateQueue, SetQueueAttributes and GetQueueAttributes. Texts and the choice between
InvalidAttributeName and InvalidAttributeValue as AWS was seen to answer.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.operation import operation
from cumulo.services.messaging.sqs import counts, policies, redrive_policies
from cumulo.services.messaging.sqs.errors import (
    INVALID_ATTRIBUTE_NAME,
    INVALID_ATTRIBUTE_VALUE,
    MISSING_PARAMETER,
    QUEUE_NAME_EXISTS,
)
from cumulo.services.messaging.sqs.queues import QUEUES, Queue, check_owner, find, keep

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import sqs as t

# Attribute: the field of Queue and the range of values (seconds, bytes).
INTEGERS = {
    "DelaySeconds": ("delay_s", 0, 900),
    "MaximumMessageSize": ("maximum_message_bytes", 1024, 1_048_576),
    "MessageRetentionPeriod": ("retention_s", 60, 1_209_600),
    "ReceiveMessageWaitTimeSeconds": ("wait_time_s", 0, 20),
    "VisibilityTimeout": ("visibility_timeout_s", 0, 43_200),
    "KmsDataKeyReusePeriodSeconds": ("kms_reuse_s", 60, 86_400),
}
BOOLEANS = {"ContentBasedDeduplication": "content_deduplication", "SqsManagedSseEnabled": "managed_sse"}
# Attribute: the field of Queue that says whether the second of the two values is chosen.
CHOICES = {
    "DeduplicationScope": ("group_deduplication", ("queue", "messageGroup")),
    "FifoThroughputLimit": ("group_throughput", ("perQueue", "perMessageGroupId")),
}
TEXTS = ("Policy", "RedrivePolicy", "RedriveAllowPolicy", "KmsMasterKeyId")
COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
OTHERS = ("All", "FifoQueue", "QueueArn", "CreatedTimestamp", "LastModifiedTimestamp")
READABLE = frozenset((*INTEGERS, *BOOLEANS, *CHOICES, *TEXTS, *COUNTS, *OTHERS))
KEY_LENGTH = 2048

_INTEGER = re.compile(r"[+-]?\d{1,18}")


@operation
def set_queue_attributes(ctx: Context, request: t.SetQueueAttributesRequest) -> None:
    """Change attributes of a queue; they count from the next request on."""
    queue = find(ctx, request["QueueUrl"])
    check_owner(ctx, queue)
    given: dict[str, str] = request.get("Attributes") or {}
    if not given:
        raise MISSING_PARAMETER(name="Attribute.Name")
    apply(ctx, queue, given, creating=False)
    queue.modified_at = ctx.now()
    keep(ctx, queue)


@operation
def get_queue_attributes(ctx: Context, request: t.GetQueueAttributesRequest) -> t.GetQueueAttributesResult:
    """The attributes asked for that have a value; without names, nothing."""
    queue = find(ctx, request["QueueUrl"])
    names: list[str] = request.get("AttributeNames") or []
    for name in names:
        if name not in READABLE:
            raise INVALID_ATTRIBUTE_NAME(name=name)
    everything = "All" in names
    values = _values(queue) if names else {}
    if everything or any(name in COUNTS for name in names):
        values |= zip(COUNTS, map(str, counts.of(ctx, queue)), strict=True)
    found = values if everything else {name: values[name] for name in names if name in values}
    return {"Attributes": found} if found else {}


def _values(queue: Queue) -> dict[str, str]:
    """All attributes that have a value, but the counts."""
    values = {name: str(getattr(queue, field)) for name, (field, _, _) in INTEGERS.items()}
    if not queue.kms_key:
        del values["KmsDataKeyReusePeriodSeconds"]
    values["CreatedTimestamp"] = str(int(queue.created_at))
    values["LastModifiedTimestamp"] = str(int(queue.modified_at))
    values["QueueArn"] = queue.arn
    values["SqsManagedSseEnabled"] = "true" if queue.managed_sse else "false"
    if queue.fifo:
        values["FifoQueue"] = "true"
        values["ContentBasedDeduplication"] = "true" if queue.content_deduplication else "false"
        for name, (field, choices) in CHOICES.items():
            values[name] = choices[getattr(queue, field)]
    if queue.maximum_receives:
        values["RedrivePolicy"] = redrive_policies.write(
            queue.arn[: -len(queue.name)] + queue.dead_letter_queue, queue.maximum_receives
        )
    optional = {
        "Policy": queue.policy,
        "RedriveAllowPolicy": queue.redrive_allow_policy,
        "KmsMasterKeyId": queue.kms_key,
    }
    values |= {name: value for name, value in optional.items() if value}
    return values


def check_same(ctx: Context, queue: Queue, given: dict[str, str]) -> None:
    """CreateQueue for a queue that is there: QueueNameExists unless every given attribute has its value already."""
    wanted = Queue(queue.account, queue.region, queue.name, queue.id, 0.0, 0.0, fifo=queue.fifo)
    apply(ctx, wanted, given, creating=True)
    have, want = _values(queue), _values(wanted)
    for name in given:
        if name in ("Policy", "RedriveAllowPolicy"):
            same = _json(have.get(name)) == _json(want.get(name))
        else:
            same = have.get(name) == want.get(name)
        if not same:
            raise QUEUE_NAME_EXISTS(name=name)


def _json(text: str | None) -> Any:
    return msgspec.json.decode(text) if text else None


def apply(ctx: Context, queue: Queue, given: dict[str, str], *, creating: bool) -> None:
    """Check attributes, names before values, and lay them over the queue's."""
    for name in given:
        _check_name(queue, name, creating)
    for name, value in given.items():
        if name in INTEGERS:
            field, least, most = INTEGERS[name]
            number = int(value) if _INTEGER.fullmatch(value) else -1
            if not least <= number <= most:
                raise INVALID_ATTRIBUTE_VALUE(name=name)
            setattr(queue, field, number)
        elif name in BOOLEANS:
            setattr(queue, BOOLEANS[name], _boolean(name, value))
        elif name in CHOICES:
            _choose(ctx, queue, name, value)
        elif name == "FifoQueue":
            _boolean(name, value)
        elif name in TEXTS:
            _set_text(ctx, queue, name, value)
    if queue.group_throughput and not queue.group_deduplication:
        raise INVALID_ATTRIBUTE_VALUE(
            "You can set the FifoThroughputLimit to perMessageGroupId "
            "only when DeduplicationScope is set to messageGroup."
        )
    _settle_encryption(queue, given)


def _check_name(queue: Queue, name: str, creating: bool) -> None:
    if name in INTEGERS or name in TEXTS or name == "SqsManagedSseEnabled":
        return
    if not queue.fifo and name in CHOICES:
        raise INVALID_ATTRIBUTE_NAME(f"You can specify the {name} only when FifoQueue is set to true.")
    if not queue.fifo or (name == "FifoQueue" and not creating):
        raise INVALID_ATTRIBUTE_NAME(name=name)
    if name not in BOOLEANS and name not in CHOICES and name != "FifoQueue":
        raise INVALID_ATTRIBUTE_NAME(name=name)


def _boolean(name: str, value: str) -> bool:
    lowered = value.lower()
    if lowered not in ("true", "false"):
        raise INVALID_ATTRIBUTE_VALUE(name=name)
    return lowered == "true"


def _choose(ctx: Context, queue: Queue, name: str, value: str) -> None:
    field, choices = CHOICES[name]
    if value not in choices:
        raise INVALID_ATTRIBUTE_VALUE(name=name)
    chosen = value == choices[1]
    if name == "DeduplicationScope" and chosen != queue.group_deduplication:
        queue.scope_changed_at = ctx.now()
    setattr(queue, field, chosen)


def _set_text(ctx: Context, queue: Queue, name: str, value: str) -> None:
    """Policies and the key; an empty text removes them."""
    if name == "Policy":
        if value:
            policies.check(value)
        queue.policy = value
    elif name == "RedriveAllowPolicy":
        if value:
            redrive_policies.check_allow_policy(value)
        queue.redrive_allow_policy = value
    elif name == "KmsMasterKeyId":
        if len(value) > KEY_LENGTH:
            raise INVALID_ATTRIBUTE_VALUE(name=name)
        queue.kms_key = value
    elif value:
        _set_redrive_policy(ctx, queue, value)
    else:
        queue.dead_letter_queue, queue.maximum_receives = "", 0


def _set_redrive_policy(ctx: Context, queue: Queue, text: str) -> None:
    """The target must be there, of the same account, region and type, and must allow it."""
    target, maximum_receives = redrive_policies.read(text)

    def refuse(reason: str) -> None:
        raise redrive_policies.invalid("RedrivePolicy", text, reason)

    if target.account != queue.account:
        refuse("Dead letter target owner should be same as the source.")
    if target.region != queue.region:
        refuse("Dead letter target should be in same region as the source.")
    there = QUEUES.peek(ctx, target.resource, account=queue.account, region=queue.region)
    if there is None:
        refuse("Dead letter target does not exist.")
        return
    if there.fifo != queue.fifo:
        refuse("Dead letter queue must be same type of queue as the source.")
    if not redrive_policies.allows(there.redrive_allow_policy, queue.arn):
        refuse("Dead letter target does not allow this queue to use it: see its RedriveAllowPolicy.")
    queue.dead_letter_queue, queue.maximum_receives = target.resource, maximum_receives


def _settle_encryption(queue: Queue, given: dict[str, str]) -> None:
    """One kind of encryption at a time; the one that a request names replaces the other."""
    if given.get("KmsMasterKeyId") and "SqsManagedSseEnabled" in given and queue.managed_sse:
        raise INVALID_ATTRIBUTE_NAME(
            "You can use one type of server-side encryption (SSE) at one time. "
            "You can either enable KMS SSE or SQS SSE."
        )
    if given.get("KmsMasterKeyId"):
        queue.managed_sse = False
    elif queue.managed_sse and "SqsManagedSseEnabled" in given:
        queue.kms_key = ""
