"""Contributor insights, as far as they can be told without CloudWatch: nobody could switch them on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.operation import operation
from cumulo.services.data.dynamodb.errors import RESOURCE_NOT_FOUND
from cumulo.services.data.dynamodb.tables import GSI, settled

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import dynamodb as t


@operation
def describe_contributor_insights(
    ctx: Context, request: t.DescribeContributorInsightsInput
) -> t.DescribeContributorInsightsOutput:
    """The state of a table's insights, or of a global index's: DISABLED."""
    table = settled(ctx, request["TableName"])
    answer: t.DescribeContributorInsightsOutput = {"TableName": table.name, "ContributorInsightsStatus": "DISABLED"}
    name = request.get("IndexName")
    if name is not None:
        index = table.index(name)
        if index is None or index.kind != GSI:
            raise RESOURCE_NOT_FOUND(f"Requested resource not found: Index: {name} not found for table: {table.name}")
        answer["IndexName"] = name
    return answer


@operation(unsupported=("NextToken", "MaxResults"))
def list_contributor_insights(ctx: Context, request: t.ListContributorInsightsInput) -> t.ListContributorInsightsOutput:
    """The tables and indexes with insights, which DISABLED ones are not among."""
    if "TableName" in request:
        settled(ctx, request["TableName"])
    return {"ContributorInsightsSummaries": []}
