"""Nodes of clusters: more, fewer, rebooted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.operation import operation
from cumulo.services.data.dax import clusters, events
from cumulo.services.data.dax.clusters import MODIFYING, REBOOTING
from cumulo.services.data.dax.errors import INVALID_COMBINATION, INVALID_VALUE, NODE_NOT_FOUND

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import dax as t


@operation
def increase_replication_factor(
    ctx: Context, request: t.IncreaseReplicationFactorRequest
) -> t.IncreaseReplicationFactorResponse:
    """Add nodes until there are so many."""
    cluster = clusters.changeable(ctx, request["ClusterName"])
    wanted = request["NewReplicationFactor"]
    if wanted <= len(cluster.nodes):
        raise INVALID_VALUE("NewReplicationFactor must be greater than the current number of nodes.")
    clusters.add_nodes(ctx, cluster, wanted - len(cluster.nodes), request.get("AvailabilityZones"))
    clusters.change(ctx, cluster, MODIFYING)
    return {"Cluster": clusters.shown(ctx, cluster)}  # type: ignore[typeddict-item]


@operation
def decrease_replication_factor(
    ctx: Context, request: t.DecreaseReplicationFactorRequest
) -> t.DecreaseReplicationFactorResponse:
    """Remove nodes until there are so many: those named, those in the zones named, or the youngest."""
    cluster = clusters.changeable(ctx, request["ClusterName"])
    wanted = request["NewReplicationFactor"]
    if not 1 <= wanted < len(cluster.nodes):
        raise INVALID_VALUE("NewReplicationFactor must be less than the current number of nodes, and at least 1.")
    named, zones = request.get("NodeIdsToRemove"), request.get("AvailabilityZones")
    if named and zones:
        raise INVALID_COMBINATION("NodeIdsToRemove and AvailabilityZones cannot be given together.")
    surplus = len(cluster.nodes) - wanted
    leaving = list(named or ())
    for node_id in leaving:
        if all(node.id != node_id for node in cluster.nodes):
            raise NODE_NOT_FOUND(name=node_id)
    for zone in zones or ():
        found = [node.id for node in cluster.nodes if node.zone == zone and node.id not in leaving]
        if not found:
            raise INVALID_VALUE(f"The cluster has no further node in {zone}.")
        leaving.append(found[-1])
    if leaving and len(set(leaving)) != surplus:
        raise INVALID_VALUE(f"{surplus} nodes must be named, or none.")
    cluster.leaving = leaving or [node.id for node in cluster.nodes[-surplus:]]
    clusters.change(ctx, cluster, MODIFYING)
    return {"Cluster": clusters.shown(ctx, cluster)}  # type: ignore[typeddict-item]


@operation
def reboot_node(ctx: Context, request: t.RebootNodeRequest) -> t.RebootNodeResponse:
    """Reboot a node: it keeps nothing that could be lost, and is back in a moment."""
    cluster = clusters.changeable(ctx, request["ClusterName"])
    for node in cluster.nodes:
        if node.id == request["NodeId"]:
            node.status = REBOOTING
            break
    else:
        raise NODE_NOT_FOUND(name=request["NodeId"])
    events.note(ctx, events.CLUSTER, cluster.name, f"Node {node.id} restarted.")
    clusters.change(ctx, cluster, MODIFYING)
    return {"Cluster": clusters.shown(ctx, cluster)}  # type: ignore[typeddict-item]
