"""Tags of log groups, destinations and whatever else of CloudWatch Logs has tags, in both of its APIs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from cumulo.core import tags as rules
from cumulo.core.errors import Error
from cumulo.core.operation import operation
from cumulo.services.operations.logs.errors import INVALID_PARAMETER, RESOURCE_NOT_FOUND, TOO_MANY_TAGS
from cumulo.services.operations.logs.groups import groups

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.table import Table
    from cumulo.services.operations.logs.groups.groups import Group
    from cumulo.stubs import logs as t


class Tagged(NamedTuple):
    """A resource's tags, and what writes others in their place."""

    tags: dict[str, str]
    keep: Callable[[dict[str, str]], None]


def checked(given: Mapping[str, str] | None) -> dict[str, str]:
    """Tags as they are kept, or AWS's error."""
    tags = dict(given or {})
    rules.check(tags, invalid=_INVALID, too_many=TOO_MANY_TAGS)
    return tags


# The words of AWS's console and of other services for the same rule; those of CloudWatch Logs are not known.
_INVALID = Error("InvalidParameterException", "aws: prefixed tag key names are not allowed for external use.")


def _of_group(ctx: Context, name: str) -> Tagged | None:
    group = groups.GROUPS.peek(ctx, name.removesuffix(":*"))
    if group is None:
        return None
    return Tagged(group.tags, lambda tags: _keep_group(ctx, group, tags))


def _keep_group(ctx: Context, group: Group, tags: dict[str, str]) -> None:
    group.tags = tags
    groups.keep(ctx, group)


class HasTags(Protocol):
    """A record with tags."""

    tags: dict[str, str]


def _of_table(table: Table[Any], ctx: Context, key: str) -> Tagged | None:
    """The tags of a record of a table of this Region, found by its key."""
    record: HasTags | None = table.peek(ctx, key)
    if record is None:
        return None

    def keep(tags: dict[str, str]) -> None:
        record.tags = tags
        table.put(ctx, record)

    return Tagged(record.tags, keep)


# By the kind of resource in an ARN ("log-group"): what has tags. A module whose resources have some adds a line.
KINDS: dict[str, Callable[[Context, str], Tagged | None]] = {"log-group": _of_group}


def add_kind(kind: str, table: Table[Any]) -> None:
    """Resources of a kind are records of this table."""
    KINDS[kind] = partial(_of_table, table)


def _find(ctx: Context, arn: str) -> Tagged:
    """The tagged resource of an ARN, found and authorized."""
    parts = arn.split(":", 6)
    if len(parts) != 7 or parts[0] != "arn" or parts[2] != "logs" or parts[3] != ctx.region:
        raise INVALID_PARAMETER(f"Invalid resource ARN: {arn}")
    find = KINDS.get(parts[5]) if parts[4] == ctx.account else None
    found = find(ctx, parts[6]) if find is not None else None
    ctx.authorize(arn, tags=found.tags if found is not None else None)
    if found is None:
        raise RESOURCE_NOT_FOUND("The specified resource does not exist.")
    return found


@operation
def tag_resource(ctx: Context, request: t.TagResourceRequest) -> None:
    """Add tags, or change the values of those that are there."""
    found = _find(ctx, request["resourceArn"])
    found.keep(_added(found.tags, request["tags"]))


@operation
def untag_resource(ctx: Context, request: t.UntagResourceRequest) -> None:
    """Remove tags; keys that are not there are no error."""
    found = _find(ctx, request["resourceArn"])
    found.keep(rules.without(found.tags, request["tagKeys"]))


@operation
def list_tags_for_resource(ctx: Context, request: t.ListTagsForResourceRequest) -> t.ListTagsForResourceResponse:
    """The tags of a resource."""
    return {"tags": _find(ctx, request["resourceArn"]).tags}


@operation
def tag_log_group(ctx: Context, request: t.TagLogGroupRequest) -> None:
    """The same for a log group, by its name."""
    group = groups.find(ctx, request["logGroupName"])
    group.tags = _added(group.tags, request["tags"])
    groups.keep(ctx, group)


@operation
def untag_log_group(ctx: Context, request: t.UntagLogGroupRequest) -> None:
    """The same for a log group, by its name."""
    group = groups.find(ctx, request["logGroupName"])
    group.tags = rules.without(group.tags, request["tags"])
    groups.keep(ctx, group)


@operation
def list_tags_log_group(ctx: Context, request: t.ListTagsLogGroupRequest) -> t.ListTagsLogGroupResponse:
    """The same for a log group, by its name."""
    return {"tags": groups.find(ctx, request["logGroupName"]).tags}


def _added(there: Mapping[str, str], more: Mapping[str, str]) -> dict[str, str]:
    rules.check(more, invalid=_INVALID, too_many=TOO_MANY_TAGS, existing=sum([name not in more for name in there]))
    return {**there, **more}
