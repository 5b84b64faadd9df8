"""A replica in another account follows its primary secret: values, versions, labels and description.

Its key, tags, policy and rotation are its own account's. Replication works with the rights of whoever changes the
primary secret: when these do not do, the change holds and the replica is Failed until AssociateCrossAccountReplica is
called again. Source: API Reference, AssociateCrossAccountReplica; CrossAccountReplicaEntry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from cumulo.core.errors import Fault
from cumulo.services.identity.secretsmanager import sealing, secret_ids, secret_records, versions
from cumulo.services.identity.secretsmanager.secret_records import SECRETS, Secret

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cumulo.core.context import Context
    from cumulo.services.identity.secretsmanager.versions import Version

PENDING, IN_SYNC, FAILED, DETACHED = "Pending", "InSync", "Failed", "Detached"


def by_arn(ctx: Context, arn: str) -> Secret | None:
    """The secret with this complete ARN, in whichever account; nobody is asked."""
    named = secret_ids.parse(arn)
    if named is None or not named.account:
        return None
    secret = SECRETS.peek(ctx, named.name, account=named.account, region=named.region)
    return secret if secret is not None and secret.arn == arn else None


def copy(ctx: Context, primary: Secret, replica: Secret, changed: Iterable[Version]) -> None:
    """Bring the replica up to date. Raises AccessDeniedException, EncryptionFailure, DecryptionFailure."""
    for version in changed:
        sealed = version.sealed
        if sealed is not None:
            value = sealing.unseal(ctx, primary, version.version_id, sealed)
            sealed = sealing.seal(ctx, replica, version.version_id, value)
        own = replace(version, name=replica.name, sealed=sealed, kms_key_id=replica.kms_key_id, accessed_on=0.0)
        versions.put(ctx, replica, own)
    replica.stages, replica.version_count = dict(primary.stages), primary.version_count
    replica.description, replica.changed_at = primary.description, primary.changed_at
    replica.account_primary_status, replica.account_primary_message = IN_SYNC, ""
    secret_records.put(ctx, replica)
    versions.prune(ctx, replica)


def follow(ctx: Context, primary: Secret, changed: list[Version]) -> None:
    """Bring the replica of a changed primary secret up to date, or note why that failed."""
    if primary.account_replica_status != IN_SYNC:
        return
    replica = by_arn(ctx, primary.account_replica)
    if replica is None:
        return
    try:
        with ctx.txn.savepoint():
            copy(ctx, primary, replica, changed)
    except Fault as fault:
        replica.account_primary_status, replica.account_primary_message = FAILED, fault.message
        secret_records.put(ctx, replica)
        primary.account_replica_status, primary.account_replica_message = FAILED, fault.message
        secret_records.put(ctx, primary)
