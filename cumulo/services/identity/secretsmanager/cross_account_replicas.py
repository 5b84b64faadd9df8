"""Replicas in other accounts: associated with their primary secret, and parted from it.

The replica is there first: CreateSecret with CrossAccountPrimaryARN makes it, with a policy that lets the primary's
account associate it. Source: API Reference, CreateSecret, AssociateCrossAccountReplica,
DisassociateCrossAccountReplica and StopReplicationToReplica.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.operation import operation
from cumulo.services.identity.secretsmanager import account_replication, secret_ids, secret_records, versions
from cumulo.services.identity.secretsmanager.account_replication import DETACHED, IN_SYNC, PENDING
from cumulo.services.identity.secretsmanager.errors import (
    INVALID_PARAMETER,
    INVALID_REQUEST,
    LIMIT_EXCEEDED,
    NOT_FOUND,
)
from cumulo.services.identity.secretsmanager.secret_records import authorize, find

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.identity.secretsmanager.secret_records import Secret
    from cumulo.stubs import secretsmanager as t

ACCEPT = "secretsmanager:AcceptCrossAccountReplication"
NOT_WITH_IT = ("SecretString", "SecretBinary", "Description", "AddReplicaRegions", "Type")


def begin(ctx: Context, secret: Secret, request: Any) -> None:
    """Make a new secret the replica of one in another account: it waits for its primary to associate it."""
    arn = request["CrossAccountPrimaryARN"]
    for member in NOT_WITH_IT:
        if member in request:
            raise INVALID_PARAMETER(f"You can't specify {member} for a cross-account replica secret.")
    if not request.get("KmsKeyId"):
        raise INVALID_PARAMETER("You must specify a customer managed KMS key for a cross-account replica secret.")
    named = secret_ids.parse(arn)
    if named is None or not named.account or not arn.startswith(f"arn:{ctx.partition}:"):
        raise INVALID_PARAMETER("The CrossAccountPrimaryARN must be the complete ARN of a secret.")
    if named.account == ctx.account or named.region != ctx.region:
        raise INVALID_PARAMETER("The primary secret must be in another account, and in the same Region.")
    authorize(ctx, secret, action="secretsmanager:PutResourcePolicy")
    statement = {
        "Sid": "CrossAccountReplication",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{ctx.partition}:iam::{named.account}:root"},
        "Action": ACCEPT,
        "Resource": "*",
    }
    secret.policy = msgspec.json.encode({"Version": "2012-10-17", "Statement": [statement]}).decode()
    secret.account_primary, secret.account_primary_status = arn, PENDING


def shown(secret: Secret) -> Any:
    """What DescribeSecret tells of the two ends of a replication."""
    answer: dict[str, Any] = {}
    if secret.account_primary:
        answer["CrossAccountPrimary"] = {
            "PrimarySecretARN": secret.account_primary,
            **_status(secret.account_primary_status, secret.account_primary_message),
        }
    if secret.account_replica:
        entry = {"ReplicaSecretARN": secret.account_replica}
        entry |= _status(secret.account_replica_status, secret.account_replica_message)
        answer["CrossAccountReplicas"] = [entry]
    return answer


def _status(status: str, message: str) -> dict[str, str]:
    return {"ReplicationStatus": status, "StatusMessage": message} if message else {"ReplicationStatus": status}


@operation(unsupported=("ReplicationRoleARN",))
def associate_cross_account_replica(
    ctx: Context, request: t.AssociateCrossAccountReplicaRequest
) -> t.AssociateCrossAccountReplicaResponse:
    """Begin to replicate to a secret of another account that waits for it; again, to repair what failed."""
    secret = find(ctx, request["SecretId"], primary=True)
    authorize(ctx, secret, action="secretsmanager:GetSecretValue")
    arn = request["CrossAccountReplicaARN"]
    replica = account_replication.by_arn(ctx, arn)
    if replica is None:
        ctx.authorize(arn, action=ACCEPT)
        raise NOT_FOUND()
    authorize(ctx, replica, action=ACCEPT)
    _check_organization(ctx, request, replica.account)
    if secret.account_replica not in ("", arn):
        raise LIMIT_EXCEEDED("A primary secret can have at most one cross-account replica.")
    if replica.account_primary != secret.arn or replica.account_primary_status == DETACHED:
        raise INVALID_REQUEST(f"The secret {arn} is not a cross-account replica of {secret.arn}.")
    account_replication.copy(ctx, secret, replica, versions.every(ctx, secret))
    secret.account_replica, secret.account_replica_status, secret.account_replica_message = arn, IN_SYNC, ""
    secret_records.put(ctx, secret)
    return {"ARN": secret.arn, "CrossAccountReplicaARN": arn, "ReplicationStatus": IN_SYNC}


def _check_organization(ctx: Context, request: Any, other: str) -> None:
    if request.get("ReplicaRestriction", "SameOrg") != "SameOrg":
        return
    source = ctx.runtime.policy_source
    mine, theirs = source.organization(ctx.account), source.organization(other)
    if mine is None or theirs is None or mine.id != theirs.id:
        raise INVALID_REQUEST("The replica's account is not in the same organization as the primary's account.")


@operation
def disassociate_cross_account_replica(
    ctx: Context, request: t.DisassociateCrossAccountReplicaRequest
) -> t.DisassociateCrossAccountReplicaResponse:
    """Stop to replicate. The replica stays what it is, detached."""
    secret = find(ctx, request["SecretId"], primary=True)
    arn = request["CrossAccountReplicaARN"]
    if secret.account_replica != arn:
        raise INVALID_REQUEST(f"The secret {arn} is not associated with {secret.arn}.")
    replica = account_replication.by_arn(ctx, arn)
    if replica is not None and replica.account_primary == secret.arn:
        replica.account_primary_status = DETACHED
        secret_records.put(ctx, replica)
    _part(ctx, secret)
    return {"ARN": secret.arn, "CrossAccountReplicaARN": arn}


def _part(ctx: Context, primary: Secret) -> None:
    primary.account_replica = primary.account_replica_status = primary.account_replica_message = ""
    secret_records.put(ctx, primary)


def promote(ctx: Context, secret: Secret) -> None:
    """Make a replica a secret of its own; the policy that let its primary in goes."""
    authorize(ctx, secret, action="secretsmanager:DeleteResourcePolicy")
    primary = account_replication.by_arn(ctx, secret.account_primary)
    if primary is not None and primary.account_replica == secret.arn:
        _part(ctx, primary)
    secret.account_primary = secret.account_primary_status = secret.account_primary_message = secret.policy = ""
    secret_records.put(ctx, secret)
