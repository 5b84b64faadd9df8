"""Replica regions: added, removed, and promoted to secrets of their own.

Source: Secrets Manager User Guide, "Replicate AWS Secrets Manager secrets across Regions".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.identity.secretsmanager import cross_account_replicas, replication
from cumulo.services.identity.secretsmanager.errors import INVALID_PARAMETER, NOT_A_REPLICA
from cumulo.services.identity.secretsmanager.secret_records import SECRETS, find

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.identity.secretsmanager.secret_records import Secret
    from cumulo.stubs import secretsmanager as t

_REGION = re.compile(r"([a-z]+-)+\d+")


def statuses(secret: Secret) -> Any:
    """ReplicationStatus of a primary secret."""
    return [
        {
            "Region": replica.region,
            "KmsKeyId": replica.kms_key_id or "alias/aws/secretsmanager",
            "Status": replica.status,
            "StatusMessage": replica.message,
        }
        for replica in secret.replicas
    ]


def conditions(request: Any) -> dict[str, Any]:
    """The condition keys of a request that adds replica regions."""
    return {
        "secretsmanager:AddReplicaRegions": [each.get("Region", "") for each in request.get("AddReplicaRegions", [])]
        or None,
        "secretsmanager:ForceOverwriteReplicaSecret": request.get("ForceOverwriteReplicaSecret"),
    }


def add(ctx: Context, secret: Secret, request: Any) -> None:
    """Replicate a secret to the regions of a request. InvalidParameterException for regions that cannot be meant."""
    wanted: list[dict[str, str]] = request.get("AddReplicaRegions", [])
    regions = [each.get("Region", "") for each in wanted]
    for region in regions:
        if not _REGION.fullmatch(region) or region == secret.region:
            raise INVALID_PARAMETER("Invalid replica region.")
    if len(set(regions)) != len(regions):
        raise INVALID_PARAMETER("Duplicate replica regions are not allowed.")
    there = {replica.region: replica for replica in secret.replicas}
    for each in wanted:
        region = each["Region"]
        if region in there and there[region].status == replication.IN_SYNC:
            raise INVALID_PARAMETER(f"Secret {secret.arn} is already replicated to region {region}.")
        overwrite = request.get("ForceOverwriteReplicaSecret", False)
        there[region] = replication.begin(ctx, secret, region, each.get("KmsKeyId", ""), overwrite=overwrite)
    secret.replicas = list(there.values())


@operation
def replicate_secret_to_regions(
    ctx: Context, request: t.ReplicateSecretToRegionsRequest
) -> t.ReplicateSecretToRegionsResponse:
    secret = find(ctx, request["SecretId"], context=conditions(request), primary=True)
    add(ctx, secret, request)
    replication.keep(ctx, secret)
    return {"ARN": secret.arn, "ReplicationStatus": statuses(secret)}


@operation
def remove_regions_from_replication(
    ctx: Context, request: t.RemoveRegionsFromReplicationRequest
) -> t.RemoveRegionsFromReplicationResponse:
    secret = find(ctx, request["SecretId"], primary=True)
    there = {replica.region: replica for replica in secret.replicas}
    for region in request["RemoveReplicaRegions"]:
        if region not in there:
            raise INVALID_PARAMETER(f"Secret {secret.arn} is not replicated to region {region}.")
        replica = there.pop(region)
        copy = replication.replica_of(ctx, secret, region)
        if copy is not None and replica.status == replication.IN_SYNC:
            replication.remove(ctx, copy)
    secret.replicas = list(there.values())
    replication.keep(ctx, secret)
    return {"ARN": secret.arn, "ReplicationStatus": statuses(secret)}


@operation
def stop_replication_to_replica(
    ctx: Context, request: t.StopReplicationToReplicaRequest
) -> t.StopReplicationToReplicaResponse:
    secret = find(ctx, request["SecretId"])
    if secret.account_primary:
        cross_account_replicas.promote(ctx, secret)
        return {"ARN": secret.arn}
    if not secret.primary_region:
        raise NOT_A_REPLICA()
    primary = SECRETS.peek(ctx, secret.name, account=secret.account, region=secret.primary_region)
    if primary is not None and primary.suffix == secret.suffix:
        primary.replicas = [replica for replica in primary.replicas if replica.region != secret.region]
        replication.keep(ctx, primary)
    secret.primary_region = ""
    # The rotation function is the primary region's: a promoted secret starts without one.
    secret.rotation_enabled, secret.rotation_lambda, secret.rotating = None, "", ""
    secret.rotation_rules, secret.next_rotation_at = {}, 0.0
    replication.keep(ctx, secret)
    return {"ARN": secret.arn}
