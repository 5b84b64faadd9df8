"""The data protection policies of topics: checked, kept and shown.

AWS no longer offers message data protection to new customers; cumulo audits, masks and blocks nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.messaging.sns import data_protection_policies, topics

if TYPE_CHECKING:
    from cumulo.core.context import Context


@operation
def get_data_protection_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """A topic's data protection policy."""
    return {"DataProtectionPolicy": topics.find(ctx, request["ResourceArn"], "ResourceArn").data_protection_policy}


@operation
def put_data_protection_policy(ctx: Context, request: dict[str, Any]) -> None:
    """Keep a topic's data protection policy; an empty one takes it away."""
    topic = topics.find(ctx, request["ResourceArn"], "ResourceArn")
    document = request["DataProtectionPolicy"]
    if document:
        data_protection_policies.check(document)
    topic.data_protection_policy = document
    topics.put(ctx, topic)
