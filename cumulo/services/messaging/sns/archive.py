"""The archive of a FIFO topic: with an ArchivePolicy every message is kept for the days that it says.

Source: SNS guide, "Message archiving and replay".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.event_patterns.json_reader import JsonError, parse
from cumulo.core.table import REGION, Record, Table
from cumulo.services.messaging.sns import topic_attributes

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.messaging.sns.messages import Message
    from cumulo.services.messaging.sns.subscriptions import Subscription
    from cumulo.services.messaging.sns.topics import Topic

PENDING, RUNNING, COMPLETED, FAILED = "Pending", "In progress", "Completed", "Failed"
_SWEEP = 4  # old messages dropped with every new one: more than come in, so the archive does not grow
_DAY_MS = 86_400_000


class Archived(Record):
    """A message as it was published."""

    topic_id: str
    at_ms: int
    sequence: int
    message: dict[str, Any]


ARCHIVE = Table(Archived, name="sns.archive", key=("topic_id", "at_ms", "sequence"), scope=REGION)


class ReplayPolicyError(ValueError):
    """A replay policy that SNS refuses; its text follows `ReplayPolicy: `."""


def replay_policy(document: str) -> tuple[float, float | None] | None:
    """(start, end) in seconds of a ReplayPolicy; an open end is None, an empty policy is none at all."""
    try:
        policy = parse(document)
    except JsonError as error:
        raise ReplayPolicyError(f"failed to parse JSON. {error}") from None
    if policy == {}:
        return None
    if not isinstance(policy, dict) or set(policy) - {"PointType", "StartingPoint", "EndingPoint"}:
        raise ReplayPolicyError("Invalid ReplayPolicy")
    if policy.get("PointType") != "Timestamp":
        raise ReplayPolicyError("PointType must be Timestamp")
    start = _moment(policy, "StartingPoint")
    if start is None:
        raise ReplayPolicyError("StartingPoint is required")
    end = _moment(policy, "EndingPoint")
    if end is not None and end <= start:
        raise ReplayPolicyError("EndingPoint must be after StartingPoint")
    return start, end


def _moment(policy: dict[str, Any], name: str) -> float | None:
    from datetime import UTC, datetime

    text = policy.get(name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise ReplayPolicyError(f"{name} must be an ISO 8601 timestamp") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def keep(ctx: Context, topic: Topic, message: Message) -> None:
    """Archive a message, and drop some of those that have been kept long enough."""
    now_ms = int(ctx.now() * 1000)
    record = Archived(topic.id, now_ms, int(message["sequence"]) % 2**63, message)
    ARCHIVE.put(ctx, record, account=topic.account)
    before_ms = now_ms - topic_attributes.archive_days(topic) * _DAY_MS
    old = ARCHIVE.range(ctx, topic.id, end=(before_ms,), limit=_SWEEP, account=topic.account)
    for each in old:
        ARCHIVE.delete(ctx, each, account=topic.account)


def drop(ctx: Context, account: str, topic_id: str) -> bool:
    """Drop a batch of a deleted topic's archive; whether there may be more."""
    found = ARCHIVE.range(ctx, topic_id, limit=200, account=account)
    for each in found:
        ARCHIVE.delete(ctx, each, account=account)
    return len(found) == 200


def receives_new(subscription: Subscription, now: float) -> bool:
    """Whether a new message goes to a subscription directly: not while it is sent older ones, nor after its end."""
    if subscription.replay_status != COMPLETED and not subscription.replay_caught_up:
        return False
    found = replay_policy(subscription.attributes.get("ReplayPolicy") or "{}")
    return found is None or found[1] is None or now < found[1]
