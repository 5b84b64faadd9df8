"""Tags, of Contributor Insights rules: the one thing here that bears them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.monitoring.insight_rules import RULES
from cumulo.core.operation import operation
from cumulo.core.tags import TAG_LIMIT, without
from cumulo.services.operations.cloudwatch.errors import INVALID_VALUE, RESOURCE_NOT_FOUND

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.monitoring.insight_rules import InsightRule
    from cumulo.stubs import cloudwatch as t


def _find(ctx: Context, arn: str) -> InsightRule:
    """The rule of an ARN, found and authorized."""
    ctx.authorize(arn)
    parts = arn.split(":", 5)
    kind, _, name = parts[5].partition("/") if len(parts) == 6 else ("", "", "")
    rule = RULES.peek(ctx, name) if kind == "insight-rule" and RULES.arn(ctx, name) == arn else None
    if rule is None:
        raise RESOURCE_NOT_FOUND(members={"ResourceType": kind, "ResourceId": arn})
    return rule


@operation
def tag_resource(ctx: Context, request: t.TagResourceInput) -> t.TagResourceOutput:
    """Add tags to a rule, or change their values."""
    rule = _find(ctx, request["ResourceARN"])
    tags = {**rule.tags, **{tag["Key"]: tag["Value"] for tag in request["Tags"]}}
    if len(tags) > TAG_LIMIT:
        raise INVALID_VALUE(f"A resource has at most {TAG_LIMIT} tags.")
    rule.tags = tags
    RULES.put(ctx, rule)
    return {}


@operation
def untag_resource(ctx: Context, request: t.UntagResourceInput) -> t.UntagResourceOutput:
    """Take tags from a rule."""
    rule = _find(ctx, request["ResourceARN"])
    rule.tags = without(rule.tags, request["TagKeys"])
    RULES.put(ctx, rule)
    return {}


@operation
def list_tags_for_resource(ctx: Context, request: t.ListTagsForResourceInput) -> t.ListTagsForResourceOutput:
    """The tags of a rule."""
    rule = _find(ctx, request["ResourceARN"])
    return {"Tags": [{"Key": key, "Value": value} for key, value in sorted(rule.tags.items())]}
