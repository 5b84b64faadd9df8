"""Contributor insights of tables and global indexes: switched on, they make rules that CloudWatch shows.

Sources: DynamoDB API Reference, UpdateContributorInsights and DescribeContributorInsights; Developer Guide, "CloudWatch
Contributor Insights for DynamoDB: How it works".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core import paging
from cumulo.core.monitoring.insight_rules import CONTRIBUTIONS, ENABLED, RULES, SERVICE_RULE, InsightRule
from cumulo.core.operation import operation
from cumulo.services.data.dynamodb.errors import RESOURCE_NOT_FOUND, VALIDATION
from cumulo.services.data.dynamodb.metering.key_insights import (
    ACCESSED_ITEMS,
    ACCESSED_PARTITIONS,
    THROTTLED_ITEMS,
    THROTTLED_PARTITIONS,
)
from cumulo.services.data.dynamodb.stored import settling
from cumulo.services.data.dynamodb.tables.tables import (
    GSI,
    INSIGHTS_DISABLED,
    INSIGHTS_DISABLING,
    INSIGHTS_ENABLED,
    INSIGHTS_ENABLING,
    TABLES,
    InsightsRecord,
    TableRecord,
    keep,
    settled,
)

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import dynamodb as t

ALL_KEYS, THROTTLED_KEYS = "ACCESSED_AND_THROTTLED_KEYS", "THROTTLED_KEYS"
RULE_NAME_LENGTH = 128
PAGE = 100


@operation
def update_contributor_insights(
    ctx: Context, request: t.UpdateContributorInsightsInput
) -> t.UpdateContributorInsightsOutput:
    """Switch insights on or off, or change what they look at. ENABLING and DISABLING last for as long as a task."""
    table = settled(ctx, request["TableName"])
    index = _index(table, request.get("IndexName"))
    setting = table.insights_of(index)
    mode = request.get("ContributorInsightsMode") or (setting.mode if setting is not None and setting.rules else "")
    mode = mode or ALL_KEYS
    on = setting is not None and setting.status in (INSIGHTS_ENABLED, INSIGHTS_ENABLING)
    if setting is None:
        setting = InsightsRecord(index, INSIGHTS_DISABLED, mode, ctx.now())
        table.insights.append(setting)
    if request["ContributorInsightsAction"] == "ENABLE":
        if not on or setting.mode != mode:
            _forget_rules(ctx, table, setting)
            setting.status, setting.mode = INSIGHTS_ENABLING, mode
            _make_rules(ctx, table, setting)
    elif on:
        _forget_rules(ctx, table, setting)
        setting.status = INSIGHTS_DISABLING
    setting.changed_at = ctx.now()
    keep(ctx, table)
    ctx.later(settling.settle, {"account": table.account, "name": table.name, "id": table.id})
    answer: Any = {"TableName": table.name, "ContributorInsightsStatus": setting.status}
    if index:
        answer["IndexName"] = index
    if setting.status != INSIGHTS_DISABLED:
        answer["ContributorInsightsMode"] = setting.mode
    return answer  # type: ignore[no-any-return]


def _index(table: TableRecord, name: str | None) -> str:
    """The global index that a request names, "" for the table itself."""
    if name is None:
        return ""
    index = table.index(name)
    if index is None or index.kind != GSI:
        raise RESOURCE_NOT_FOUND(f"Requested resource not found: Index: {name} not found for table: {table.name}")
    return name


def _make_rules(ctx: Context, table: TableRecord, setting: InsightsRecord) -> None:
    """The rules for partition keys, and where there are sort keys for items too."""
    index = table.index(setting.index) if setting.index else None
    hashes = index.hash_keys if index is not None else [table.hash_key]
    ranges = index.range_keys if index is not None else [table.range_key] if table.range_key else []
    kinds = [THROTTLED_PARTITIONS] if setting.mode == THROTTLED_KEYS else [ACCESSED_PARTITIONS, THROTTLED_PARTITIONS]
    if ranges:
        kinds += [THROTTLED_ITEMS] if setting.mode == THROTTLED_KEYS else [ACCESSED_ITEMS, THROTTLED_ITEMS]
    resource = f"{table.name}-{setting.index}" if setting.index else table.name
    stamp = f"-{int(ctx.now() * 1000)}"
    setting.rules = []
    for kind in kinds:
        start = f"DynamoDBContributorInsights-{kind}-"
        name = start + resource[: RULE_NAME_LENGTH - len(start) - len(stamp)] + stamp
        items = kind in (ACCESSED_ITEMS, THROTTLED_ITEMS)
        definition = {
            "Schema": {"Name": SERVICE_RULE, "Version": 1},
            "Contribution": {
                "Keys": [*hashes, *ranges] if items else hashes,
                "ValueOf": "ThrottleCount" if kind.endswith("T") else "ConsumedThroughputUnits",
            },
            "AggregateOn": "Sum",
        }
        rule = InsightRule(
            name,
            msgspec.json.encode(definition).decode(),
            ENABLED,
            ctx.random_bytes(8),
            ctx.now(),
            [(ctx.now(), 0.0)],
            service="dynamodb",
            resource_arn=f"{table.arn}/index/{setting.index}" if setting.index else table.arn,
        )
        RULES.put(ctx, rule, account=table.account, region=table.region)
        setting.rules.append((kind, name, rule.id))


def _forget_rules(ctx: Context, table: TableRecord, setting: InsightsRecord) -> None:
    """Delete the rules; what they were told is swept away."""
    for _, name, rule_id in setting.rules:
        rule = RULES.peek(ctx, name, account=table.account, region=table.region)
        if rule is not None:
            RULES.delete(ctx, rule, account=table.account, region=table.region)
        place = CONTRIBUTIONS.key(ctx, rule_id, account=table.account, region=table.region)
        ctx.later(settling.sweep, {"prefix": place})
    setting.rules = []


def forget(ctx: Context, table: TableRecord, index: str | None = None) -> None:
    """Switch the insights of an index off as it goes, or all of a table's."""
    for setting in table.insights:
        if index is None or setting.index == index:
            _forget_rules(ctx, table, setting)
    table.insights = [each for each in table.insights if index is not None and each.index != index]


settling.ON_REMOVAL.append(forget)


@operation
def describe_contributor_insights(
    ctx: Context, request: t.DescribeContributorInsightsInput
) -> t.DescribeContributorInsightsOutput:
    """The state of a table's insights, or of a global index's."""
    table = settled(ctx, request["TableName"])
    index = _index(table, request.get("IndexName"))
    answer: t.DescribeContributorInsightsOutput = {"TableName": table.name}
    if index:
        answer["IndexName"] = index
    setting = table.insights_of(index)
    answer["ContributorInsightsStatus"] = setting.status if setting is not None else INSIGHTS_DISABLED
    if setting is not None:
        answer["LastUpdateDateTime"] = setting.changed_at
        if setting.rules:
            answer["ContributorInsightsRuleList"] = [name for _, name, _ in setting.rules]
            answer["ContributorInsightsMode"] = setting.mode
    return answer


@operation
def list_contributor_insights(ctx: Context, request: t.ListContributorInsightsInput) -> t.ListContributorInsightsOutput:
    """The tables and indexes whose insights were ever switched on, those of one table or of all."""
    limit = request.get("MaxResults", PAGE)
    if not 0 < limit <= PAGE:
        raise VALIDATION(f"MaxResults must be between 1 and {PAGE}")
    token = request.get("NextToken")
    after = paging.decode(ctx, token, VALIDATION("The provided NextToken is not valid")) if token else ("", "")
    if "TableName" in request:
        tables = [settled(ctx, request["TableName"])]
    else:
        ctx.authorize(TABLES.arn(ctx, "*"))
        tables = TABLES.range(ctx, start=(str(after[0]),))
    found = sorted((table.name, setting.index, setting) for table in tables for setting in table.insights)
    rest = [each for each in found if each[:2] > (str(after[0]), str(after[1]))] if token else found
    summaries: list[Any] = []
    for name, index, setting in rest[:limit]:
        summary = {"TableName": name, "ContributorInsightsStatus": setting.status}
        if index:
            summary["IndexName"] = index
        if setting.rules:
            summary["ContributorInsightsMode"] = setting.mode
        summaries.append(summary)
    answer: t.ListContributorInsightsOutput = {"ContributorInsightsSummaries": summaries}
    if len(rest) > limit:
        answer["NextToken"] = paging.encode(ctx, rest[limit - 1][:2])
    return answer
