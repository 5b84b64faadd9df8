"""Statements of a topic's access policy, added and removed one at a time."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.operation import operation
from cumulo.services.messaging.sns import topics
from cumulo.services.messaging.sns.errors import INVALID_PARAMETER
from cumulo.services.messaging.sns.topic_attributes import OWNER_ACTIONS

if TYPE_CHECKING:
    from cumulo.core.context import Context

# What can be granted on a topic; names are compared without regard to case and written as here.
_ACTIONS = {
    action.lower(): action
    for action in (
        *OWNER_ACTIONS,
        "ConfirmSubscription",
        "ListTagsForResource",
        "TagResource",
        "UntagResource",
        "PublishBatch",
        "GetDataProtectionPolicy",
        "PutDataProtectionPolicy",
    )
}
_ACCOUNT = re.compile(r"\d{12}")
_PRINCIPAL = re.compile(r"arn:aws[a-z-]*:(iam|sts)::\d{12}:.+")


def _one_or_list(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values


def _principal(ctx: Context, account: str) -> str:
    if _ACCOUNT.fullmatch(account):
        return f"arn:{ctx.partition}:iam::{account}:root"
    if _PRINCIPAL.fullmatch(account):
        return account
    raise INVALID_PARAMETER(what="Policy Error: PrincipalNotFound")


@operation
def add_permission(ctx: Context, request: dict[str, Any]) -> None:
    """Allow accounts some actions on a topic, under a label."""
    topic = topics.find(ctx, request["TopicArn"])
    actions = []
    for action in request["ActionName"]:
        known = _ACTIONS.get(action.lower())
        if known is None and action != "*":
            raise INVALID_PARAMETER(what="Policy statement action out of service scope!")
        actions.append(f"SNS:{known or '*'}")
    policy: dict[str, Any] = msgspec.json.decode(topic.policy_document)
    statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
    if any(statement.get("Sid") == request["Label"] for statement in statements):
        raise INVALID_PARAMETER(what="Statement already exists")
    statements.append(
        {
            "Sid": request["Label"],
            "Effect": "Allow",
            "Principal": {"AWS": _one_or_list([_principal(ctx, each) for each in request["AWSAccountId"]])},
            "Action": _one_or_list(actions),
            "Resource": topic.arn,
        }
    )
    policy["Statement"] = statements
    topic.policy = msgspec.json.encode(policy).decode()
    topics.put(ctx, topic)


@operation
def remove_permission(ctx: Context, request: dict[str, Any]) -> None:
    """Remove the statement with a label; one that is not there is no error."""
    topic = topics.find(ctx, request["TopicArn"])
    policy: dict[str, Any] = msgspec.json.decode(topic.policy_document)
    statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
    kept = [statement for statement in statements if statement.get("Sid") != request["Label"]]
    if len(kept) != len(statements):
        policy["Statement"] = kept
        topic.policy = msgspec.json.encode(policy).decode()
        topics.put(ctx, topic)
