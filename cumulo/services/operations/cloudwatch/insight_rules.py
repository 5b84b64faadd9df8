"""Contributor Insights rules: made, listed, switched on and off, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core import paging
from cumulo.core.errors import Fault, not_implemented
from cumulo.core.monitoring import insight_rules
from cumulo.core.monitoring.insight_rules import DISABLED, ENABLED, LOG_RULE, RULES, SERVICE_RULE, InsightRule
from cumulo.core.operation import operation
from cumulo.services.operations.cloudwatch import rule_definitions
from cumulo.services.operations.cloudwatch.errors import (
    INVALID_NEXT_TOKEN,
    INVALID_VALUE,
    MISSING_PARAMETER,
    RESOURCE_NOT_FOUND,
    RULE_LIMIT_EXCEEDED,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from cumulo.core.context import Context
    from cumulo.stubs import cloudwatch as t

MAXIMUM_RULES = 100  # "Up to 100 rules per account per Region" (User Guide, Contributor Insights quotas)
PAGE = 500


def find(ctx: Context, name: str, action: str | None = None) -> InsightRule:
    """The rule of this name, found and authorized, for another action than the operation's own if one is named."""
    rule = RULES.peek(ctx, name)
    tags = rule.tags if rule is not None else None
    ctx.authorize(RULES.arn(ctx, name), tags=tags, action=action)
    if rule is None:
        raise RESOURCE_NOT_FOUND(members={"ResourceType": "InsightRule", "ResourceId": name})
    return rule


@operation
def put_insight_rule(ctx: Context, request: t.PutInsightRuleInput) -> t.PutInsightRuleOutput:
    """Make a rule over log groups, or change its definition and state."""
    name, text = request["RuleName"], request["RuleDefinition"]
    rule = RULES.peek(ctx, name)
    ctx.authorize(RULES.arn(ctx, name), tags=rule.tags if rule is not None else None)
    if request.get("ApplyOnTransformedLogs"):  # False is what is done
        raise not_implemented("cloudwatch", "PutInsightRule", "ApplyOnTransformedLogs")
    state = request.get("RuleState") or ENABLED
    if state not in (ENABLED, DISABLED):
        raise INVALID_VALUE(value=state, name="RuleState")
    try:
        rule_definitions.parse(text)
    except rule_definitions.DefinitionError as error:
        raise INVALID_VALUE(f"The value for parameter RuleDefinition is invalid: {error}.") from None
    if rule is not None and (rule.service or rule.template):
        raise INVALID_VALUE(f"The rule {name} is managed and cannot be changed.")
    if rule is None:
        _check_room(ctx)
        tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags") or ()}
        rule = InsightRule(name, text, DISABLED, ctx.random_bytes(8), ctx.now(), [], tags=tags)
    rule.definition = text
    (insight_rules.enable if state == ENABLED else insight_rules.disable)(rule, ctx.now())
    RULES.put(ctx, rule)
    return {}


def _check_room(ctx: Context) -> None:
    own = [rule for rule in RULES.range(ctx) if not rule.service]
    if len(own) >= MAXIMUM_RULES:
        raise RULE_LIMIT_EXCEEDED()


@operation
def describe_insight_rules(ctx: Context, request: t.DescribeInsightRulesInput) -> t.DescribeInsightRulesOutput:
    """All rules by name, those of services too."""
    rules, token = paging.page(
        ctx,
        lambda after, limit: RULES.range(ctx, after=after, limit=limit),
        lambda rule: (rule.name,),
        token=request.get("NextToken"),
        limit=request.get("MaxResults") or PAGE,
        error=INVALID_NEXT_TOKEN(),
    )
    answer: t.DescribeInsightRulesOutput = {"InsightRules": [_described(rule) for rule in rules]}
    if token:
        answer["NextToken"] = token
    return answer


def _described(rule: InsightRule) -> t.InsightRule:
    schema = SERVICE_RULE if rule.service or rule.template else LOG_RULE
    return {
        "Name": rule.name,
        "State": rule.state,
        "Schema": f"{schema}/1",
        "Definition": rule.definition,
        "ManagedRule": bool(rule.service or rule.template),
        "ApplyOnTransformedLogs": rule.transformed,
    }


@operation
def enable_insight_rules(ctx: Context, request: t.EnableInsightRulesInput) -> t.EnableInsightRulesOutput:
    """Let rules look at what comes from now on; each succeeds or fails for itself."""
    return {"Failures": _each(ctx, request["RuleNames"], lambda rule: _switch(ctx, rule, insight_rules.enable))}


@operation
def disable_insight_rules(ctx: Context, request: t.DisableInsightRulesInput) -> t.DisableInsightRulesOutput:
    """Let rules look away; what they saw stays."""
    return {"Failures": _each(ctx, request["RuleNames"], lambda rule: _switch(ctx, rule, insight_rules.disable))}


@operation
def delete_insight_rules(ctx: Context, request: t.DeleteInsightRulesInput) -> t.DeleteInsightRulesOutput:
    """Delete rules and what they saw."""
    return {"Failures": _each(ctx, request["RuleNames"], lambda rule: insight_rules.forget(ctx, rule))}


def _switch(ctx: Context, rule: InsightRule, change: Callable[[InsightRule, float], None]) -> None:
    change(rule, ctx.now())
    RULES.put(ctx, rule)


def _each(ctx: Context, names: list[str], do: Callable[[InsightRule], None]) -> Any:
    """What could not be done. "You cannot disable or enable built-in rules" (API reference)."""
    if not names:  # the form of the query protocol cannot tell an empty list from none
        raise MISSING_PARAMETER(name="RuleNames")
    failures = []
    for name in names:
        try:
            rule = find(ctx, name)
            if rule.service:
                raise INVALID_VALUE(f"The rule {name} is managed by {rule.service} and cannot be changed.")
            do(rule)
        except Fault as fault:
            if fault.code != RESOURCE_NOT_FOUND.code and fault.code != INVALID_VALUE.code:
                raise
            missing = fault.code == RESOURCE_NOT_FOUND.code
            failures.append(
                {
                    "FailureResource": name,
                    "ExceptionType": fault.code,
                    "FailureCode": "404" if missing else "400",
                    "FailureDescription": f"The rule {name} does not exist." if missing else fault.message,
                }
            )
    return failures
