"""What resource policies say about who may use a log group: they are for services of AWS, and for nobody else.

Source: API reference, PutResourcePolicy: "policy only applies when operations are invoked by AWS service principals".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.policy.principals import PrincipalKind

if TYPE_CHECKING:
    from cumulo.core.context import Context


def policy_of(ctx: Context, account: str, arn: str) -> str | None:
    """The policies that hold for a log group, in one document; None when there are none, or they do not count."""
    if ctx.principal.kind is not PrincipalKind.SERVICE:
        return None
    from cumulo.services.operations.logs.groups.resource_policies import POLICIES  # which finds groups, by this

    found = [*POLICIES.range(ctx, "", account=account), *POLICIES.range(ctx, arn, account=account)]
    statements: list[dict[str, Any]] = []
    for policy in found:
        written = msgspec.json.decode(policy.document)["Statement"]
        for statement in written if isinstance(written, list) else [written]:
            resources = statement.get("Resource", "*")
            named = [each for each in ([resources] if isinstance(resources, str) else resources) if _names(each)]
            if named:  # ids of statements are those of one policy, and mean nothing here
                statements.append({**statement, "Resource": named, "Sid": f"S{len(statements)}"})
    if not statements:
        return None
    return msgspec.json.encode({"Version": "2012-10-17", "Statement": statements}).decode()


def _names(resource: str) -> bool:
    """Whether this can name a log group at all: AWS keeps any text."""
    return resource == "*" or resource.startswith("arn:")
