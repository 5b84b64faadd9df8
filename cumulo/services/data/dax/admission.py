"""Who may use a cluster, and as whom the cluster then works.

A caller needs the action of the same name on the cluster (`dax:GetItem`); DynamoDB sees the cluster's own role.
Source: Amazon DynamoDB Developer Guide, "DAX access control".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.callers.identities import trusts
from cumulo.core.policy.principals import Principal, PrincipalKind
from cumulo.services.data.dax.clusters import AVAILABLE, CLUSTERS, SERVICE, Cluster
from cumulo.services.data.dax.errors import CLUSTER_NOT_FOUND, INVALID_VALUE

if TYPE_CHECKING:
    from cumulo.core.context import Context


def cluster_for(ctx: Context, *, secure: bool) -> Cluster:
    """The cluster that a connection has reached: the first of the caller's account that is available.

    All clusters of an account answer at the same port and find the same tables, and an unencrypted connection names
    none; so which one it is decides no more than permissions.
    """
    for cluster in CLUSTERS.range(ctx):
        if cluster.status == AVAILABLE and cluster.encrypted == secure:
            return cluster
    kind = "with" if secure else "without"
    ctx.authorized = True
    raise CLUSTER_NOT_FOUND(
        f"Account {ctx.account} has no available DAX cluster {kind} encryption in transit in {ctx.region}."
    )


def admit(ctx: Context, operation: str, *, secure: bool) -> Principal:
    """The principal under which a call goes on to DynamoDB; AccessDenied for a caller who may not use the cluster.

    DescribeTable is the cluster's own question, to read what it is asked: no caller needs a right to it.
    """
    cluster = cluster_for(ctx, secure=secure)
    arn = CLUSTERS.arn(ctx, cluster.name)
    if operation != "DescribeTable":
        ctx.authorize(arn, tags=cluster.tags, action=f"dax:{operation}")
    role = ctx.runtime.identities.find_role(ctx, cluster.role_arn)
    if role is None or not trusts(role, SERVICE, source_arn=arn, source_account=ctx.account):
        raise INVALID_VALUE(f"No permission to assume role: {cluster.role_arn}")
    session = cluster.name
    return Principal(
        PrincipalKind.ROLE,
        f"arn:{ctx.partition}:sts::{role.account}:assumed-role/{role.name}/{session}",
        role.account,
        ctx.partition,
        user_id=f"{role.role_id}:{session}",
        name=session,
        entity_arn=role.arn,
        tags=role.tags,
        token_issued_at=ctx.now(),
    )
