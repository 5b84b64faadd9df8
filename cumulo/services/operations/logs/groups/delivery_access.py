"""The resource policy that lets delivery.logs.amazonaws.com put records into log groups.

Source: CloudWatch Logs User Guide, "Enable logging from AWS services".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.monitoring import vended_logs
from cumulo.services.operations.logs.errors import LIMIT_EXCEEDED
from cumulo.services.operations.logs.groups.resource_policies import ACCOUNT_BYTES, MOST, POLICIES, ResourcePolicy

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.operations.logs.groups.groups import Group

POLICY = "AWSLogDeliveryWrite20150319"


def let_in(ctx: Context, group: Group) -> None:
    """The resource policy that lets records be put into a group, made by the caller's right where it is missing."""
    resource = f"{group.arn}:log-stream:*"
    found = POLICIES.peek(ctx, "", POLICY)
    statements = _listed(msgspec.json.decode(found.document)["Statement"]) if found else []
    resources = [each for one in statements if one.get("Sid") == POLICY for each in _listed(one.get("Resource", []))]
    if resource in resources:
        return
    ctx.authorize("*", action="logs:PutResourcePolicy")
    statement = {
        "Sid": POLICY,
        "Effect": "Allow",
        "Principal": {"Service": [f"{vended_logs.SERVICE}.amazonaws.com"]},
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": [*resources, resource],
        "Condition": {
            "StringEquals": {"aws:SourceAccount": [ctx.account]},
            "ArnLike": {"aws:SourceArn": [f"arn:{ctx.partition}:logs:{ctx.region}:{ctx.account}:*"]},
        },
    }
    others = [each for each in statements if each.get("Sid") != POLICY]  # somebody has put a policy of this name
    document = msgspec.json.encode({"Version": "2012-10-17", "Statement": [*others, statement]}).decode()
    if len(document) > ACCOUNT_BYTES or (found is None and len(POLICIES.range(ctx, "")) >= MOST):
        raise LIMIT_EXCEEDED()
    POLICIES.put(ctx, ResourcePolicy("", POLICY, document, int(ctx.now() * 1000)))


def _listed(given: Any) -> list[Any]:
    """What policies may write as a list, or alone."""
    return given if isinstance(given, list) else [given]
