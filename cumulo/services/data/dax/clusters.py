"""Clusters. Each is a door to the account's tables: `cumulo.accelerator` answers its clients at the cloud's own port.

Source: DAX API Reference; Amazon DynamoDB Developer Guide, "DAX cluster components".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from cumulo.core import tags as core_tags
from cumulo.core.operation import operation, task
from cumulo.core.table import Record, Table
from cumulo.services.data.dax import events, pages, parameter_groups
from cumulo.services.data.dax.errors import (
    CLUSTER_EXISTS,
    CLUSTER_NOT_FOUND,
    CLUSTER_QUOTA,
    CLUSTER_STATE,
    INVALID_TAG,
    INVALID_VALUE,
    NODE_QUOTA,
    SUBNET_GROUP_NOT_FOUND,
    TAG_QUOTA,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cumulo.core.context import Context
    from cumulo.stubs import dax as t

CREATING, AVAILABLE, MODIFYING, DELETING = "creating", "available", "modifying", "deleting"
REBOOTING = "rebooting"
NODES_MOST = 11
QUOTA = 50
SUBNET_GROUP = "default"
SERVICE = "dax.amazonaws.com"
_SETTLES_S = 1.0
_NAME = re.compile(r"[A-Za-z](-?[A-Za-z0-9])*", re.ASCII)
_NODE_TYPE = re.compile(r"dax\.(t[23]|r[3-9][a-z]*)\.[a-z0-9]+", re.ASCII)
_WINDOW = re.compile(r"(mon|tue|wed|thu|fri|sat|sun):[0-2]\d:[0-5]\d-(mon|tue|wed|thu|fri|sat|sun):[0-2]\d:[0-5]\d")
DEFAULT_WINDOW = "sun:05:00-sun:06:00"


class Node(msgspec.Struct, array_like=True):
    """A node: every one of them answers. `created_at` are seconds of cloud time."""

    id: str
    zone: str
    created_at: float
    status: str = CREATING


class Cluster(Record):
    """A cluster. `leaving` are the ids of nodes on their way out."""

    name: str
    node_type: str
    role_arn: str
    created_at: float
    nodes: list[Node]
    status: str = CREATING
    description: str = ""
    parameter_group: str = parameter_groups.DEFAULT
    window: str = DEFAULT_WINDOW
    sealed: bool = False
    encrypted: bool = False  # whether clients must come with TLS
    leaving: list[str] = []
    tags: dict[str, str] = {}
    host: str = ""
    port: int = 0


CLUSTERS = Table(
    Cluster,
    name="dax.clusters",
    key="name",
    arn="arn:{partition}:dax:{region}:{account}:cache/{name}",
    tags=lambda cluster: cluster.tags,
)


def get(ctx: Context, name: str) -> Cluster:
    """The cluster, found and allowed."""
    cluster = CLUSTERS.peek(ctx, name.lower())
    ctx.authorize(CLUSTERS.arn(ctx, name.lower()), tags=None if cluster is None else cluster.tags)
    if cluster is None:
        raise CLUSTER_NOT_FOUND(name=name)
    return cluster


def changeable(ctx: Context, name: str) -> Cluster:
    """The cluster, if it is available."""
    cluster = get(ctx, name)
    if cluster.status != AVAILABLE:
        raise CLUSTER_STATE(name=cluster.name, status=cluster.status)
    return cluster


def change(ctx: Context, cluster: Cluster, status: str) -> None:
    """Keep the cluster in a state that a task ends."""
    cluster.status = status
    CLUSTERS.put(ctx, cluster)
    ctx.later(settle, {"name": cluster.name, "created_at": cluster.created_at}, at=ctx.now() + _SETTLES_S)


@task
def settle(ctx: Context, payload: dict[str, Any]) -> None:
    """What was under way is done."""
    cluster = CLUSTERS.peek(ctx, payload["name"])
    if cluster is None or cluster.created_at != payload["created_at"]:
        return
    if cluster.status == DELETING:
        CLUSTERS.delete(ctx, cluster)
        events.note(ctx, events.CLUSTER, cluster.name, "Cluster deleted.")
        return
    if cluster.status == CREATING:
        events.note(ctx, events.CLUSTER, cluster.name, "Cluster created.")
    cluster.nodes = [node for node in cluster.nodes if node.id not in cluster.leaving]
    cluster.leaving = []
    for node in cluster.nodes:
        node.status = AVAILABLE
    cluster.status = AVAILABLE
    CLUSTERS.put(ctx, cluster)


def add_nodes(ctx: Context, cluster: Cluster, count: int, zones: list[str] | None) -> None:
    """More nodes, in these zones or one zone after the other."""
    if len(cluster.nodes) + count > NODES_MOST:
        raise NODE_QUOTA(quota=NODES_MOST)
    given = list(zones or ())
    if given and len(given) != count:
        raise INVALID_VALUE("The number of Availability Zones must be the number of new nodes.")
    for zone in given:
        if not re.fullmatch(re.escape(ctx.region) + "[a-f]", zone):
            raise INVALID_VALUE(f"Invalid Availability Zone: {zone}")
    used = {node.id for node in cluster.nodes}
    free = (name for number in range(26) if (name := f"{cluster.name}-{chr(97 + number)}") not in used)
    for place in range(count):
        zone = given[place] if given else f"{ctx.region}{'abc'[(len(cluster.nodes)) % 3]}"
        cluster.nodes = [*cluster.nodes, Node(next(free), zone, ctx.now())]


@operation(unsupported=("SecurityGroupIds", "NotificationTopicArn", "NetworkType"))
def create_cluster(ctx: Context, request: t.CreateClusterRequest) -> t.CreateClusterResponse:
    """Make a cluster. Its clients find the tables of the account, and may what `IamRoleArn` may."""
    name = request["ClusterName"].lower()
    if len(name) > 20 or not _NAME.fullmatch(name):
        raise INVALID_VALUE(
            "The parameter ClusterName must have from 1 to 20 letters, digits or hyphens, begin with a letter, and "
            "must not end with a hyphen or contain two consecutive hyphens."
        )
    tags = _tags(request)
    ctx.authorize(CLUSTERS.arn(ctx, name), tags=tags)
    if not _NODE_TYPE.fullmatch(request["NodeType"]):
        raise INVALID_VALUE(f"Invalid DAX node type: {request['NodeType']}")
    count = request["ReplicationFactor"]
    if count < 1:
        raise INVALID_VALUE("ReplicationFactor must be at least 1.")
    if request.get("SubnetGroupName", SUBNET_GROUP) != SUBNET_GROUP:
        raise SUBNET_GROUP_NOT_FOUND(name=request["SubnetGroupName"])
    if ctx.pass_role(request["IamRoleArn"], SERVICE, resource_arn=CLUSTERS.arn(ctx, name)) is None:
        raise INVALID_VALUE(f"No permission to assume role: {request['IamRoleArn']}")
    group = parameter_groups.find(ctx, request.get("ParameterGroupName", parameter_groups.DEFAULT).lower())
    if CLUSTERS.peek(ctx, name) is not None:
        raise CLUSTER_EXISTS(name=name)
    if len(CLUSTERS.range(ctx, limit=QUOTA)) >= QUOTA:
        raise CLUSTER_QUOTA(quota=QUOTA)
    reached = urlsplit(ctx.endpoint)
    cluster = Cluster(
        name,
        request["NodeType"],
        request["IamRoleArn"],
        ctx.now(),
        [],
        description=request.get("Description", ""),
        parameter_group=group.name,
        window=_window(request),
        sealed=bool(request.get("SSESpecification", {}).get("Enabled")),
        encrypted=request.get("ClusterEndpointEncryptionType") == "TLS",
        tags=tags,
        host=reached.hostname or "localhost",
        port=reached.port or (443 if reached.scheme == "https" else 80),
    )
    add_nodes(ctx, cluster, count, request.get("AvailabilityZones"))
    change(ctx, cluster, CREATING)
    return {"Cluster": shown(ctx, cluster)}  # type: ignore[typeddict-item]


def _tags(request: Mapping[str, Any]) -> dict[str, str]:
    tags = named(request.get("Tags"))
    core_tags.check(tags, invalid=INVALID_TAG, too_many=TAG_QUOTA)
    return tags


def named(tags: Any) -> dict[str, str]:
    """Tags as a request gives them, each of which has a key; the model does not ask for one."""
    if any("Key" not in tag for tag in tags or ()):
        raise INVALID_TAG()
    return core_tags.from_list(tags)


def _window(request: Mapping[str, Any]) -> str:
    window = request.get("PreferredMaintenanceWindow", DEFAULT_WINDOW)
    if not _WINDOW.fullmatch(window.lower()):
        raise INVALID_VALUE(f"Invalid maintenance window: {window}. It has the form ddd:hh24:mi-ddd:hh24:mi.")
    return str(window)


@operation
def describe_clusters(ctx: Context, request: t.DescribeClustersRequest) -> t.DescribeClustersResponse:
    """The clusters asked for, or all."""
    names = request.get("ClusterNames")
    if names:
        found = [get(ctx, name) for name in names]
    else:
        ctx.authorize(CLUSTERS.arn(ctx, "*"))
        found = CLUSTERS.range(ctx)
    clusters, token = pages.of_names(ctx, request, found, lambda cluster: cluster.name)
    answer: dict[str, Any] = {"Clusters": [shown(ctx, cluster) for cluster in clusters]}
    if token:
        answer["NextToken"] = token
    return answer  # type: ignore[return-value]


@operation(unsupported=("SecurityGroupIds", "NotificationTopicArn", "NotificationTopicStatus"))
def update_cluster(ctx: Context, request: t.UpdateClusterRequest) -> t.UpdateClusterResponse:
    """Change the description, the maintenance window or the parameter group."""
    cluster = changeable(ctx, request["ClusterName"])
    if "Description" in request:
        cluster.description = request["Description"]
    if "PreferredMaintenanceWindow" in request:
        cluster.window = _window(request)
    if "ParameterGroupName" in request:
        cluster.parameter_group = parameter_groups.find(ctx, request["ParameterGroupName"].lower()).name
    change(ctx, cluster, MODIFYING)
    return {"Cluster": shown(ctx, cluster)}  # type: ignore[typeddict-item]


@operation
def delete_cluster(ctx: Context, request: t.DeleteClusterRequest) -> t.DeleteClusterResponse:
    """Delete a cluster; the tables are not touched."""
    cluster = changeable(ctx, request["ClusterName"])
    change(ctx, cluster, DELETING)
    return {"Cluster": shown(ctx, cluster)}  # type: ignore[typeddict-item]


def shown(ctx: Context, cluster: Cluster) -> dict[str, Any]:
    """A cluster as DescribeClusters shows it."""
    endpoint = {
        "Address": cluster.host,
        "Port": cluster.port,
        "URL": f"{'daxs' if cluster.encrypted else 'dax'}://{cluster.host}:{cluster.port}",
    }
    answer: dict[str, Any] = {
        "ClusterName": cluster.name,
        "ClusterArn": CLUSTERS.arn(ctx, cluster.name),
        "TotalNodes": len(cluster.nodes),
        "ActiveNodes": sum(node.status == AVAILABLE for node in cluster.nodes),
        "NodeType": cluster.node_type,
        "Status": cluster.status,
        "PreferredMaintenanceWindow": cluster.window,
        "SubnetGroup": SUBNET_GROUP,
        "SecurityGroups": [],
        "IamRoleArn": cluster.role_arn,
        "ParameterGroup": {
            "ParameterGroupName": cluster.parameter_group,
            "ParameterApplyStatus": "in-sync",
            "NodeIdsToReboot": [],
        },
        "SSEDescription": {"Status": "ENABLED" if cluster.sealed else "DISABLED"},
        "ClusterEndpointEncryptionType": "TLS" if cluster.encrypted else "NONE",
    }
    if cluster.description:
        answer["Description"] = cluster.description
    if cluster.leaving:
        answer["NodeIdsToRemove"] = cluster.leaving
    if cluster.status != CREATING:
        answer["ClusterDiscoveryEndpoint"] = endpoint
    answer["Nodes"] = [
        {
            "NodeId": node.id,
            "NodeCreateTime": node.created_at,
            "AvailabilityZone": node.zone,
            "NodeStatus": node.status,
            "ParameterGroupStatus": "in-sync",
            **({"Endpoint": {"Address": cluster.host, "Port": cluster.port}} if node.status == AVAILABLE else {}),
        }
        for node in cluster.nodes
    ]
    return answer
