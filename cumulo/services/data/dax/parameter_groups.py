"""Parameter groups: how long items and the results of queries may be kept by a cluster.

A cluster here keeps nothing: every read is answered by the table itself, which is within what any of these times
allow. Source: Amazon DynamoDB Developer Guide, "Managing DAX clusters", "Configuring TTL settings".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.core.table import Record, Table
from cumulo.services.data.dax import events, pages
from cumulo.services.data.dax.errors import (
    INVALID_VALUE,
    PARAMETER_GROUP_EXISTS,
    PARAMETER_GROUP_NOT_FOUND,
    PARAMETER_GROUP_QUOTA,
    PARAMETER_GROUP_STATE,
)

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import dax as t

DEFAULT = "default.dax1.0"
DEFAULT_DESCRIPTION = "Default parameter group for dax1.0"
DEFAULT_TTL_MS = 300_000
QUOTA = 20
PARAMETERS = {
    "query-ttl-millis": "Duration in milliseconds for queries to remain cached",
    "record-ttl-millis": "Duration in milliseconds for records to remain valid in cache (Default: 0 = infinite)",
}
_NAME = re.compile(r"[A-Za-z](-?[A-Za-z0-9])*", re.ASCII)


class ParameterGroup(Record):
    """A group and the values, in milliseconds, that differ from the defaults."""

    name: str
    description: str
    values: dict[str, int] = {}


PARAMETER_GROUPS = Table(ParameterGroup, name="dax.parameter_groups", key="name")


def find(ctx: Context, name: str) -> ParameterGroup:
    """The group of this name, the default one included."""
    group = PARAMETER_GROUPS.peek(ctx, name)
    if group is None and name == DEFAULT:
        group = ParameterGroup(DEFAULT, DEFAULT_DESCRIPTION)
    if group is None:
        raise PARAMETER_GROUP_NOT_FOUND(name=name)
    return group


def _all(ctx: Context) -> list[ParameterGroup]:
    return sorted([find(ctx, DEFAULT), *PARAMETER_GROUPS.range(ctx)], key=lambda group: group.name)


def _shown(group: ParameterGroup) -> dict[str, Any]:
    return {"ParameterGroupName": group.name, "Description": group.description}


@operation
def create_parameter_group(ctx: Context, request: t.CreateParameterGroupRequest) -> t.CreateParameterGroupResponse:
    """Make a group of the default values."""
    name = request["ParameterGroupName"].lower()
    if len(name) > 255 or not _NAME.fullmatch(name):
        raise INVALID_VALUE(
            "The parameter ParameterGroupName must begin with a letter, must contain only letters, digits and hyphens, "
            "and must not end with a hyphen or contain two consecutive hyphens."
        )
    if PARAMETER_GROUPS.peek(ctx, name) is not None:
        raise PARAMETER_GROUP_EXISTS(name=name)
    if len(PARAMETER_GROUPS.range(ctx, limit=QUOTA)) >= QUOTA:
        raise PARAMETER_GROUP_QUOTA(quota=QUOTA)
    group = ParameterGroup(name, request.get("Description", ""))
    PARAMETER_GROUPS.put(ctx, group)
    return {"ParameterGroup": _shown(group)}  # type: ignore[typeddict-item]


@operation
def describe_parameter_groups(
    ctx: Context, request: t.DescribeParameterGroupsRequest
) -> t.DescribeParameterGroupsResponse:
    """The groups asked for, or all."""
    names = request.get("ParameterGroupNames")
    found = [find(ctx, name.lower()) for name in names] if names else _all(ctx)
    groups, token = pages.of_names(ctx, request, found, lambda group: group.name)
    answer: dict[str, Any] = {"ParameterGroups": [_shown(group) for group in groups]}
    if token:
        answer["NextToken"] = token
    return answer  # type: ignore[return-value]


@operation
def update_parameter_group(ctx: Context, request: t.UpdateParameterGroupRequest) -> t.UpdateParameterGroupResponse:
    """Change values."""
    group = find(ctx, request["ParameterGroupName"].lower())
    if group.name == DEFAULT:
        raise PARAMETER_GROUP_STATE("The default parameter group cannot be modified.")
    for given in request["ParameterNameValues"]:
        name, value = given.get("ParameterName", ""), given.get("ParameterValue", "")
        if name not in PARAMETERS:
            raise INVALID_VALUE(f"Could not find parameter with name: {name}")
        if not re.fullmatch(r"\d{1,18}", value, re.ASCII):
            raise INVALID_VALUE(f"Invalid value for parameter {name}: {value}")
        group.values = {**group.values, name: int(value)}
    PARAMETER_GROUPS.put(ctx, group)
    events.note(ctx, events.PARAMETER_GROUP, group.name, f"Updated parameter group {group.name}")
    return {"ParameterGroup": _shown(group)}  # type: ignore[typeddict-item]


@operation
def delete_parameter_group(ctx: Context, request: t.DeleteParameterGroupRequest) -> t.DeleteParameterGroupResponse:
    """Delete a group that no cluster uses."""
    from cumulo.services.data.dax.clusters import CLUSTERS

    group = find(ctx, request["ParameterGroupName"].lower())
    if group.name == DEFAULT:
        raise PARAMETER_GROUP_STATE("The default parameter group cannot be deleted.")
    if any(cluster.parameter_group == group.name for cluster in CLUSTERS.range(ctx)):
        raise PARAMETER_GROUP_STATE(f"The parameter group {group.name} is in use by a cluster.")
    PARAMETER_GROUPS.delete(ctx, group)
    return {"DeletionMessage": f"Parameter group {group.name} has been deleted."}


@operation
def describe_parameters(ctx: Context, request: t.DescribeParametersRequest) -> t.DescribeParametersResponse:
    """A group's parameters."""
    group = find(ctx, request["ParameterGroupName"].lower())
    source = request.get("Source")
    if source not in (None, "user", "system"):
        raise INVALID_VALUE(f"Invalid source: {source}")
    found = [
        name
        for name in PARAMETERS
        if source is None or (source == "user") is (name in group.values)
    ]  # fmt: skip
    names, token = pages.of_names(ctx, request, found, str)
    answer: dict[str, Any] = {"Parameters": [_parameter(name, group) for name in names]}
    if token:
        answer["NextToken"] = token
    return answer  # type: ignore[return-value]


@operation
def describe_default_parameters(
    ctx: Context, request: t.DescribeDefaultParametersRequest
) -> t.DescribeDefaultParametersResponse:
    """The parameters as they are unless changed."""
    group = ParameterGroup(DEFAULT, DEFAULT_DESCRIPTION)
    names, token = pages.of_names(ctx, request, list(PARAMETERS), str)
    answer: dict[str, Any] = {"Parameters": [_parameter(name, group) for name in names]}
    if token:
        answer["NextToken"] = token
    return answer  # type: ignore[return-value]


def _parameter(name: str, group: ParameterGroup) -> dict[str, Any]:
    return {
        "ParameterName": name,
        "ParameterType": "DEFAULT",
        "ParameterValue": str(group.values.get(name, DEFAULT_TTL_MS)),
        "NodeTypeSpecificValues": [],
        "Description": PARAMETERS[name],
        "Source": "user" if name in group.values else "system",
        "DataType": "integer",
        "AllowedValues": "0",
        "IsModifiable": "TRUE",
        "ChangeType": "IMMEDIATE",
    }
