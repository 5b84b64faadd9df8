"""The attributes of a topic: which there are, which values they take, how they are shown."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.errors import Fault
from cumulo.core.event_patterns.json_reader import JsonError, parse
from cumulo.services.messaging.sns import delivery_policies
from cumulo.services.messaging.sns.envelopes import iso8601
from cumulo.services.messaging.sns.errors import INVALID_PARAMETER

if TYPE_CHECKING:
    from collections.abc import Callable

    from cumulo.core.context import Context
    from cumulo.services.messaging.sns.topics import Topic

DEFAULT_MESSAGE_BYTES = 262_144
_MESSAGE_BYTES = (1024, 1_048_576)
_ARCHIVE_DAYS = (1, 365)
_FEEDBACK = re.compile(r"(HTTP|Firehose|Lambda|Application|SQS)(Success|Failure)Feedback(RoleArn|SampleRate)")
_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/.+")
_DAY_S = 86_400

OWNER_ACTIONS = (
    "GetTopicAttributes",
    "SetTopicAttributes",
    "AddPermission",
    "RemovePermission",
    "DeleteTopic",
    "Subscribe",
    "ListSubscriptionsByTopic",
    "Publish",
)

_json = msgspec.json.encode


def default_policy(arn: str, account: str) -> str:
    """The access policy that a topic is born with, byte for byte as AWS writes it."""
    actions = ",".join(f'"SNS:{action}"' for action in OWNER_ACTIONS)
    return (
        '{"Version":"2008-10-17","Id":"__default_policy_ID","Statement":[{"Sid":"__default_statement_ID",'
        f'"Effect":"Allow","Principal":{{"AWS":"*"}},"Action":[{actions}],"Resource":"{arn}",'
        f'"Condition":{{"StringEquals":{{"AWS:SourceOwner":"{account}"}}}}}}]}}'
    )


def boolean(value: str, name: str) -> bool:
    """`true` or `false` in any case."""
    if value.lower() not in ("true", "false"):
        raise INVALID_PARAMETER(what=f"{name}: Invalid value [{value}]. Must be true or false.")
    return value.lower() == "true"


def check(name: str, value: str, *, fifo: bool, creating: bool) -> str:
    """The value as it is kept, or the error that AWS gives for this attribute.

    While a topic is created the text says `Attributes Reason:` first.
    """
    start = "Attributes Reason: " if creating else ""
    checker: Callable[[str, str], str] | None = _CHECKS.get(name)
    if checker is None and _FEEDBACK.fullmatch(name):
        checker = _feedback
    if checker is None:
        raise INVALID_PARAMETER(what=f"Attributes Reason: Unknown attribute {name}" if creating else "AttributeName")
    if not fifo and name in ("ContentBasedDeduplication", "FifoThroughputScope", "ArchivePolicy"):
        raise INVALID_PARAMETER(what=f"{start}{name}: Attribute is only valid for FIFO topics" if value else name)
    try:
        return checker(value, name)
    except Fault as fault:
        if not creating or not fault.message.startswith("Invalid parameter: ") or name == "Policy":
            raise
        text = fault.message.removeprefix("Invalid parameter: ")
        raise INVALID_PARAMETER(what=start + text) from None


def _display_name(value: str, name: str) -> str:
    if len(value) > 100 or any(character < " " for character in value):
        raise INVALID_PARAMETER(what=name)
    return value


def _policy(value: str, name: str) -> str:
    """Only what makes a document unusable is refused; texts as SNS gives them."""
    if not value:
        return ""
    try:
        document = parse(value)
    except JsonError:
        raise INVALID_PARAMETER(what="Policy Error: null") from None
    if not isinstance(document, dict) or not document.get("Statement"):
        raise INVALID_PARAMETER(what="Policy Error: null")
    statements = document["Statement"]
    for statement in statements if isinstance(statements, list) else [statements]:
        if not isinstance(statement, dict) or statement.get("Effect") not in ("Allow", "Deny"):
            raise INVALID_PARAMETER(what="Policy Error: null")
        if "Principal" not in statement and "NotPrincipal" not in statement:
            raise INVALID_PARAMETER(what="Policy Error: null")
        actions = statement.get("Action", statement.get("NotAction", []))
        for action in actions if isinstance(actions, list) else [actions]:
            if not isinstance(action, str) or not (action == "*" or action.lower().startswith("sns:")):
                raise INVALID_PARAMETER(what="Policy statement action out of service scope!")
    return value


def _delivery_policy(value: str, name: str) -> str:
    if not value:
        return ""
    try:
        return _json(delivery_policies.topic_policy(value)).decode()
    except delivery_policies.DeliveryPolicyError as error:
        raise INVALID_PARAMETER(what=f"{name}: {error}") from None


def _boolean(value: str, name: str) -> str:
    return str(boolean(value, name)).lower()


def _signature_version(value: str, name: str) -> str:
    if value not in ("", "1", "2"):
        raise INVALID_PARAMETER(what=name)
    return value


def _tracing(value: str, name: str) -> str:
    if value not in ("", "PassThrough", "Active"):
        raise INVALID_PARAMETER(what=name)
    return value


def _throughput(value: str, name: str) -> str:
    if value not in ("Topic", "MessageGroup"):
        raise INVALID_PARAMETER(what=name)
    return value


def _archive(value: str, name: str) -> str:
    """`{"MessageRetentionPeriod": "30"}`, in days; `{}` ends the archive."""
    if not value:
        return ""
    try:
        document = parse(value)
    except JsonError as error:
        raise INVALID_PARAMETER(what=f"{name}: failed to parse JSON. {error}") from None
    if not isinstance(document, dict) or set(document) - {"MessageRetentionPeriod"}:
        raise INVALID_PARAMETER(what=f"{name}: Invalid ArchivePolicy")
    if not document:
        return ""
    days = str(document["MessageRetentionPeriod"])
    low, high = _ARCHIVE_DAYS
    if not days.isdigit() or not low <= int(days) <= high:
        raise INVALID_PARAMETER(what=f"{name}: MessageRetentionPeriod must be between {low} and {high} days")
    return _json({"MessageRetentionPeriod": days}).decode()


def _message_size(value: str, name: str) -> str:
    low, high = _MESSAGE_BYTES
    if value and not (value.isdigit() and low <= int(value) <= high):
        raise INVALID_PARAMETER(what=f"{name}: must be between {low} and {high}")
    return value


def _feedback(value: str, name: str) -> str:
    if name.endswith("SampleRate"):
        if value and not (value.isdigit() and int(value) <= 100):
            raise INVALID_PARAMETER(what=f"{name}: must be an integer between 0 and 100")
    elif value and not _ROLE_ARN.fullmatch(value):
        raise INVALID_PARAMETER(what=f"{name}: {value} is not a valid role ARN")
    return value


_CHECKS = {
    "DisplayName": _display_name,
    "Policy": _policy,
    "DeliveryPolicy": _delivery_policy,
    "KmsMasterKeyId": lambda value, name: value,
    "SignatureVersion": _signature_version,
    "TracingConfig": _tracing,
    "ContentBasedDeduplication": _boolean,
    "FifoThroughputScope": _throughput,
    "ArchivePolicy": _archive,
    "MaximumMessageSize": _message_size,
}


def apply(ctx: Context, topic: Topic, name: str, value: str) -> None:
    """Set a checked attribute; an empty value takes it away."""
    if name == "Policy":
        topic.policy = "" if value == default_policy(topic.arn, topic.account) else value
        return
    if name == "MaximumMessageSize" and value and int(value) > DEFAULT_MESSAGE_BYTES:
        _check_large(topic)
    if name == "ArchivePolicy":
        topic.archived_since = (topic.archived_since or ctx.now()) if value else 0.0
    if value:
        topic.attributes[name] = value
    else:
        topic.attributes.pop(name, None)


def _check_large(topic: Topic) -> None:
    """Messages over 256 KiB go to at most 100 subscriptions, of SQS, Firehose and Lambda only (SetTopicAttributes)."""
    if topic.unmanaged or topic.confirmed + topic.pending > 100:
        reason = "a size above 262144 needs 100 or fewer subscriptions, all of them sqs, firehose or lambda"
        raise INVALID_PARAMETER(what=f"MaximumMessageSize: {reason}")


def equal(topic: Topic, name: str, value: str) -> bool:
    """Whether a topic has this value of an attribute already."""
    if name == "Policy":
        mine, theirs = topic.policy_document, value or default_policy(topic.arn, topic.account)
        return mine == theirs or bool(parse(mine) == parse(theirs))
    return topic.attributes.get(name, _DEFAULTS.get(name, "")) == value


_DEFAULTS = {"ContentBasedDeduplication": "false", "FifoThroughputScope": "Topic"}


def maximum_message_bytes(topic: Topic) -> int:
    """How long a message of this topic may be."""
    given = topic.attributes.get("MaximumMessageSize")
    return int(given) if given else DEFAULT_MESSAGE_BYTES


@lru_cache(maxsize=1024)
def _delivery_document(document: str) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(document)
    return found


def delivery_policy(topic: Topic) -> dict[str, Any] | None:
    """The topic's own delivery policy."""
    document = topic.attributes.get("DeliveryPolicy")
    return _delivery_document(document) if document else None


def archive_days(topic: Topic) -> int:
    """How long messages are kept for replays; 0 without an archive."""
    document = topic.attributes.get("ArchivePolicy")
    return int(_delivery_document(document)["MessageRetentionPeriod"]) if document else 0


def archive_begins(ctx: Context, topic: Topic) -> float:
    """The earliest point that can be replayed from."""
    return max(topic.archived_since, ctx.now() - archive_days(topic) * _DAY_S)


def shown(ctx: Context, topic: Topic) -> dict[str, str]:
    """What GetTopicAttributes answers."""
    out = {
        "Policy": topic.policy_document,
        "Owner": topic.account,
        "SubscriptionsPending": str(topic.pending),
        "TopicArn": topic.arn,
        "EffectiveDeliveryPolicy": _json(delivery_policies.effective_topic_policy(delivery_policy(topic))).decode(),
        "SubscriptionsConfirmed": str(topic.confirmed),
        "DisplayName": "",
        "SubscriptionsDeleted": str(topic.deleted),
    }
    if topic.fifo:
        out["FifoTopic"] = "true"
        out["ContentBasedDeduplication"] = "false"
    out.update(topic.attributes)
    if topic.archived_since:
        out["BeginningArchiveTime"] = iso8601(archive_begins(ctx, topic))
    return out
