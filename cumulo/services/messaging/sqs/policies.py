"""Queue policies: checked when set, and edited by AddPermission and RemovePermission.

Sources: Amazon SQS Developer Guide, "Overview of managing access in Amazon SQS"; API reference, AddPermission.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.operation import operation
from cumulo.services.messaging.sqs.errors import (
    INVALID_ATTRIBUTE_VALUE,
    INVALID_PARAMETER,
    MISSING_PARAMETER,
    OVER_LIMIT,
)
from cumulo.services.messaging.sqs.queues import check_owner, find, keep

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import sqs as t

MAXIMUM_ACTIONS = 7
MAXIMUM_STATEMENTS = 20
MAXIMUM_PRINCIPALS = 50
VERSIONS = ("2008-10-17", "2012-10-17")
# What AddPermission can share (Developer Guide, "Basic examples of Amazon SQS policies"; the batch forms follow).
SHARED_ACTIONS = (
    "SendMessage",
    "ReceiveMessage",
    "DeleteMessage",
    "ChangeMessageVisibility",
    "GetQueueAttributes",
    "GetQueueUrl",
    "ListDeadLetterSourceQueues",
    "PurgeQueue",
)
_LABEL = re.compile(r"[A-Za-z0-9_-]{1,80}")
_ACCOUNT = re.compile(r"\d{12}")


def check(text: str) -> None:
    """InvalidAttributeValue unless this is a policy that SQS takes."""
    try:
        policy = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError):
        policy = None
    if not isinstance(policy, dict) or policy.get("Version", VERSIONS[0]) not in VERSIONS:
        raise INVALID_ATTRIBUTE_VALUE(name="Policy")
    statements = policy.get("Statement")
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list) or not statements or not all(map(_is_statement, statements)):
        raise INVALID_ATTRIBUTE_VALUE(name="Policy")


def _is_statement(statement: Any) -> bool:
    """The members that SQS requires, each an action of SQS (Developer Guide, "Overview of managing access")."""
    if not isinstance(statement, dict) or statement.get("Effect") not in ("Allow", "Deny"):
        return False
    if not ("Principal" in statement) ^ ("NotPrincipal" in statement):
        return False
    if not ("Action" in statement) ^ ("NotAction" in statement):
        return False
    if "Resource" in statement and "NotResource" in statement:
        return False
    actions = _listed(statement.get("Action", statement.get("NotAction")))
    if not actions or not all(isinstance(action, str) for action in actions):
        return False
    return all(action == "*" or action.lower().startswith("sqs:") for action in actions)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


@operation
def add_permission(ctx: Context, request: t.AddPermissionRequest) -> None:
    """Add a statement that lets accounts do some actions on the queue."""
    queue = find(ctx, request["QueueUrl"])
    check_owner(ctx, queue)
    label, accounts, actions = request["Label"], request["AWSAccountIds"], request["Actions"]
    _check_permission(label, accounts, actions)
    if queue.policy:
        policy = msgspec.json.decode(queue.policy)
    else:
        policy = {"Version": VERSIONS[0], "Id": f"{queue.arn}/SQSDefaultPolicy", "Statement": []}
    statements = policy["Statement"] = _listed(policy["Statement"])
    if any(statement.get("Sid") == label for statement in statements):
        raise INVALID_PARAMETER(value=label, name="Label", reason="Already exists.")
    if len(statements) >= MAXIMUM_STATEMENTS:
        raise OVER_LIMIT(f"{len(statements) + 1} Statements were found, maximum allowed is {MAXIMUM_STATEMENTS}.")
    principals = [f"arn:aws:iam::{account}:root" for account in accounts]
    named = [f"SQS:{action}" for action in actions]
    statements.append(
        {
            "Sid": label,
            "Effect": "Allow",
            "Principal": {"AWS": principals[0] if len(principals) == 1 else principals},
            "Action": named[0] if len(named) == 1 else named,
            "Resource": queue.arn,
        }
    )
    queue.policy = msgspec.json.encode(policy).decode()
    queue.modified_at = ctx.now()
    keep(ctx, queue)


def _check_permission(label: str, accounts: list[str], actions: list[str]) -> None:
    if not _LABEL.fullmatch(label):
        reason = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length."
        raise INVALID_PARAMETER(value=label, name="Label", reason=reason)
    if not accounts:
        raise MISSING_PARAMETER(name="PrincipalId")
    if not actions:
        raise MISSING_PARAMETER(name="Actions")
    if len(actions) > MAXIMUM_ACTIONS:
        raise OVER_LIMIT(f"{len(actions)} Actions were found, maximum allowed is {MAXIMUM_ACTIONS}.")
    if len(accounts) > MAXIMUM_PRINCIPALS:
        raise OVER_LIMIT(f"{len(accounts)} Principals were found, maximum allowed is {MAXIMUM_PRINCIPALS}.")
    for action in actions:
        if action != "*" and action not in SHARED_ACTIONS:
            reason = "Please refer to the appropriate WSDL for a list of valid actions."
            raise INVALID_PARAMETER(value=f"SQS:{action}", name="ActionName", reason=reason)
    for account in accounts:
        if not _ACCOUNT.fullmatch(account):
            raise INVALID_PARAMETER(value=f"[{account}]", name="PrincipalId", reason="Unable to verify.")


@operation
def remove_permission(ctx: Context, request: t.RemovePermissionRequest) -> None:
    """Remove the statements with this label; a policy without statements is no policy."""
    queue = find(ctx, request["QueueUrl"])
    check_owner(ctx, queue)
    label = request["Label"]
    policy = msgspec.json.decode(queue.policy) if queue.policy else {"Statement": []}
    statements = _listed(policy["Statement"])
    policy["Statement"] = [statement for statement in statements if statement.get("Sid") != label]
    if len(policy["Statement"]) == len(statements):
        raise INVALID_PARAMETER(value=label, name="Label", reason="can't find label on existing policy.")
    queue.policy = msgspec.json.encode(policy).decode() if policy["Statement"] else ""
    queue.modified_at = ctx.now()
    keep(ctx, queue)
