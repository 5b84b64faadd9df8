"""DescribeLogGroups and ListLogGroups: groups by name, and data sources by how many groups they have."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from cumulo.core.errors import not_implemented
from cumulo.core.operation import operation
from cumulo.services.operations.logs import pages
from cumulo.services.operations.logs.errors import GROUP_NOT_FOUND, INVALID_PARAMETER
from cumulo.services.operations.logs.groups import data_sources, groups
from cumulo.services.operations.logs.groups.groups import GROUPS, INFREQUENT_ACCESS, Group
from cumulo.services.operations.logs.insights import index_policies
from cumulo.services.operations.logs.pages import Next
from cumulo.services.operations.logs.protection import data_protection
from cumulo.services.operations.logs.stored import account_records, segments

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import logs as t

BY_SOURCE = "DATA_SOURCE_NAME_AND_TYPE"
ESSENTIALS = "ESSENTIALS"
_SCANNED = 500  # groups that one look at the store reads, where most are not wanted
# Members about accounts that a monitoring account sees: there is none such without Observability Access Manager.
_LINKED = ("accountIdentifiers", "includeLinkedAccounts")


@operation(unsupported=_LINKED)
def describe_log_groups(ctx: Context, request: t.DescribeLogGroupsRequest) -> t.DescribeLogGroupsResponse:
    """The caller's log groups with all about them."""
    prefix, pattern = request.get("logGroupNamePrefix"), request.get("logGroupNamePattern")
    identifiers, wanted_class = request.get("logGroupIdentifiers"), request.get("logGroupClass")
    if prefix is not None and pattern is not None:
        raise INVALID_PARAMETER("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
    if identifiers is not None:
        if prefix is not None or pattern is not None or wanted_class is not None:
            raise INVALID_PARAMETER(
                "LogGroup identifiers and LogGroup name prefix, pattern and class are mutually exclusive parameters."
            )
        return {"logGroups": [described(ctx, each) for each in _identified(ctx, identifiers)]}

    def is_wanted(group: Group) -> bool:
        return (not pattern or pattern in group.name) and _is_of(group, wanted_class)

    found, more = _page(ctx, request, is_wanted, prefix or "")
    return {"logGroups": [described(ctx, group) for group in found], **more}


@operation(unsupported=_LINKED)
def list_log_groups(ctx: Context, request: t.ListLogGroupsRequest) -> t.ListLogGroupsResponse:
    """The caller's log groups in short; the pattern is of texts and `^` prefixes joined by `|`."""
    is_named = named_like(request)
    filters, sources = request.get("logGroupTags") or [], request.get("dataSources")
    indexed = set(request.get("fieldIndexNames") or [])

    def is_wanted(group: Group) -> bool:
        return (
            is_named(group)
            and all(_has_tag(group, each) for each in filters)
            and data_sources.is_among(group, sources)
            and (not indexed or indexed <= index_policies.indexed(ctx, group))
        )

    found, more = _page(ctx, request, is_wanted, "")
    return {
        "logGroups": [
            {"logGroupName": each.name, "logGroupArn": each.arn, "logGroupClass": each.log_class} for each in found
        ],
        **more,
    }


def named_like(request: Any) -> Callable[[Group], bool]:
    """Whether a group is of the class, and of a name of the pattern, that a request wants."""
    pattern, wanted_class = request.get("logGroupNamePattern"), request.get("logGroupClass")
    search = re.compile(pattern.replace(".", r"\.")).search if pattern else None

    def is_wanted(group: Group) -> bool:
        is_named = search is None or search(group.name) is not None
        return is_named and (wanted_class is None or group.log_class == wanted_class)

    return is_wanted


def _has_tag(group: Group, wanted: Any) -> bool:
    """Whether a group has a tag, with one of the values where some are given.

    "*" stands for anything, without case then; "!" before a value means any other (API reference, ListLogGroups).
    """
    value = group.tags.get(wanted["key"])
    if value is None:
        return False
    return not wanted.get("values") or any(_is_like(value, each) for each in wanted["values"])


def _is_like(value: str, wanted: str) -> bool:
    if wanted.startswith("!"):
        return value != wanted[1:]
    if "*" in wanted:
        return fnmatchcase(value.lower(), re.sub(r"([\[?])", r"[\1]", wanted.lower()))
    return value == wanted


def _is_of(group: Group, wanted: str | None) -> bool:
    """Either of these two classes asks for both (API reference, DescribeLogGroups)."""
    if wanted in (INFREQUENT_ACCESS, ESSENTIALS):
        return group.log_class in (INFREQUENT_ACCESS, ESSENTIALS)
    return wanted is None or group.log_class == wanted


def _page(
    ctx: Context, request: Mapping[str, Any], is_wanted: Callable[[Group], bool], prefix: str
) -> tuple[list[Group], Next]:
    start, end = ((prefix,), (prefix + "\U0010ffff",)) if prefix else (None, None)

    def fetch(after: tuple[Any, ...] | None, most: int) -> list[Group]:
        found: list[Group] = []
        while len(found) < most:
            some = GROUPS.range(ctx, start=start, end=end, after=after, limit=_SCANNED)
            found += [group for group in some if is_wanted(group)]
            if len(some) < _SCANNED:
                break
            after = (some[-1].name,)
        return found[:most]

    return pages.page(ctx, request, fetch, lambda group: (group.name,))


def _identified(ctx: Context, identifiers: list[str]) -> list[Group]:
    found: dict[str, Group] = {}
    for identifier in identifiers:
        account, name = groups.read_identifier(ctx, identifier)
        group = GROUPS.peek(ctx, name) if account == ctx.account else None
        if group is None:
            raise GROUP_NOT_FOUND()
        found[name] = group
    return [found[name] for name in sorted(found)]


def described(ctx: Context, group: Group) -> t.LogGroup:
    """A group as DescribeLogGroups answers it."""
    answer: t.LogGroup = {
        "logGroupName": group.name,
        "creationTime": group.created_ms,
        "metricFilterCount": group.metric_filters,
        "arn": f"{group.arn}:*",
        "storedBytes": segments.shelf_of(ctx, group.id).size,
        "logGroupClass": group.log_class,
        "logGroupArn": group.arn,
        "deletionProtectionEnabled": group.deletion_protection,
    }
    retained = account_records.retained(ctx, group)
    if retained.days:
        answer["retentionInDays"] = retained.days
    if retained.policy:
        answer["retentionPolicyName"] = retained.policy
    if group.bearer_tokens:  # AWS says nothing of groups that take none
        answer["bearerTokenAuthenticationEnabled"] = True
    if group.protected:
        answer["dataProtectionStatus"] = group.protected
    if data_protection.current(ctx, data_protection.account_key(group.account, group.region)) is not None:
        answer["inheritedProperties"] = ["ACCOUNT_DATA_PROTECTION"]
    if group.kms_key:
        answer["kmsKeyId"] = group.kms_key
    return answer


@operation(unsupported=_LINKED)
def list_aggregate_log_group_summaries(
    ctx: Context, request: t.ListAggregateLogGroupSummariesRequest
) -> t.ListAggregateLogGroupSummariesResponse:
    """How many log groups each data source has. Groups of none are in no summary."""
    if request["groupBy"] != BY_SOURCE:
        raise not_implemented("logs", ctx.operation, f"groupBy {request['groupBy']}")
    is_named = named_like(request)
    counts: dict[tuple[str, ...], int] = {}
    for group in GROUPS.range(ctx):
        source = data_sources.of_group(group)
        if source is not None and is_named(group) and data_sources.is_among(group, request.get("dataSources")):
            counts[source] = counts.get(source, 0) + 1
    found, more = pages.of_list(ctx, request, sorted(counts), lambda source: source)
    return {
        "aggregateLogGroupSummaries": [
            {
                "logGroupCount": counts[source],
                "groupingIdentifiers": [
                    {"key": "dataSource.Name", "value": source[0]},
                    {"key": "dataSource.Type", "value": source[1]},
                ],
            }
            for source in found
        ],
        **more,
    }
