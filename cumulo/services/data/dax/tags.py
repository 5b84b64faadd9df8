"""Tags of clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core import tags as core_tags
from cumulo.core.operation import operation
from cumulo.services.data.dax import pages
from cumulo.services.data.dax.clusters import AVAILABLE, CLUSTERS, Cluster, get, named
from cumulo.services.data.dax.errors import CLUSTER_STATE, INVALID_ARN, INVALID_TAG, TAG_NOT_FOUND, TAG_QUOTA

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import dax as t


def _tagged(ctx: Context, arn: str) -> Cluster:
    kind, _, name = arn.rpartition(":")[2].partition("/")
    if kind != "cache" or not name or arn != CLUSTERS.arn(ctx, name):
        ctx.authorized = True
        raise INVALID_ARN(arn=arn)
    cluster = get(ctx, name)
    if cluster.status != AVAILABLE:
        raise CLUSTER_STATE(name=cluster.name, status=cluster.status)
    return cluster


@operation
def tag_resource(ctx: Context, request: t.TagResourceRequest) -> t.TagResourceResponse:
    """Add tags to a cluster."""
    cluster = _tagged(ctx, request["ResourceName"])
    merged = {**cluster.tags, **named(request["Tags"])}
    core_tags.check(merged, invalid=INVALID_TAG, too_many=TAG_QUOTA)
    cluster.tags = merged
    CLUSTERS.put(ctx, cluster)
    return {"Tags": core_tags.to_list(merged)}  # type: ignore[typeddict-item]


@operation
def untag_resource(ctx: Context, request: t.UntagResourceRequest) -> t.UntagResourceResponse:
    """Remove tags from a cluster."""
    cluster = _tagged(ctx, request["ResourceName"])
    for key in request["TagKeys"]:
        if key not in cluster.tags:
            raise TAG_NOT_FOUND(key=key)
    cluster.tags = core_tags.without(cluster.tags, request["TagKeys"])
    CLUSTERS.put(ctx, cluster)
    return {"Tags": core_tags.to_list(cluster.tags)}  # type: ignore[typeddict-item]


@operation
def list_tags(ctx: Context, request: t.ListTagsRequest) -> t.ListTagsResponse:
    """A cluster's tags."""
    cluster = _tagged(ctx, request["ResourceName"])
    keys, token = pages.of_names(ctx, {**request, "MaxResults": pages.MOST}, sorted(cluster.tags), str)
    answer: dict[str, Any] = {"Tags": [{"Key": key, "Value": cluster.tags[key]} for key in keys]}
    if token:
        answer["NextToken"] = token
    return answer  # type: ignore[return-value]
