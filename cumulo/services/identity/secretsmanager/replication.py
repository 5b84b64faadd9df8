"""Replicas follow their primary secret: whatever is kept here is kept in every replica region, by the same commit.

Source: Secrets Manager User Guide, "Replicate AWS Secrets Manager secrets across Regions": the encrypted value,
the metadata, tags, rotation settings and the resource policy are replicated; the key and the last access are not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from cumulo.services.identity.secretsmanager import account_replication, sealing, secret_records, versions
from cumulo.services.identity.secretsmanager.secret_records import SECRETS, Replica, Secret

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cumulo.core.context import Context
    from cumulo.services.identity.secretsmanager.versions import Version

IN_SYNC, FAILED = "InSync", "Failed"


def keep(ctx: Context, secret: Secret, changed: Iterable[Version] = ()) -> None:
    """Keep a secret and what its replicas need of it; `changed` are the versions with new values."""
    secret_records.put(ctx, secret)
    written = list(changed)
    for replica in secret.replicas:
        if replica.status == IN_SYNC:
            _follow(ctx, secret, replica, written)
    if secret.account_replica:
        account_replication.follow(ctx, secret, written)


def replica_of(ctx: Context, secret: Secret, region: str) -> Secret | None:
    """The record of a replica in its region."""
    found = SECRETS.peek(ctx, secret.name, account=secret.account, region=region)
    return found if found is not None and found.suffix == secret.suffix else None


def begin(ctx: Context, secret: Secret, region: str, kms_key_id: str, *, overwrite: bool) -> Replica:
    """Copy a secret into another region; the replica's state, which the caller keeps in the secret."""
    there = SECRETS.peek(ctx, secret.name, account=secret.account, region=region)
    if there is not None and there.suffix != secret.suffix:
        if not overwrite or there.replicas:
            message = f"Replication failed: Secret name {secret.name} already exists in region {region}."
            return Replica(region, kms_key_id, FAILED, message)
        remove(ctx, there)
    replica = Replica(region, kms_key_id, IN_SYNC, "Replication succeeded")
    _follow(ctx, secret, replica, versions.every(ctx, secret))
    return replica


def _follow(ctx: Context, secret: Secret, replica: Replica, changed: list[Version]) -> None:
    there = replica_of(ctx, secret, replica.region)
    copy = replace(
        secret,
        region=replica.region,
        primary_region=secret.region,
        kms_key_id=replica.kms_key_id,
        replicas=[],
        account_replica="",
        account_replica_status="",
        account_replica_message="",
        accessed_on=there.accessed_on if there is not None else 0.0,
        delete_task="",
        rotation_token="",
    )
    secret_records.put(ctx, copy)
    for version in changed:
        sealed = version.sealed
        if sealed is not None:
            value = sealing.unseal(ctx, secret, version.version_id, sealed)
            sealed = sealing.seal(ctx, copy, version.version_id, value)
        versions.put(ctx, copy, replace(version, sealed=sealed, kms_key_id=replica.kms_key_id, accessed_on=0.0))
    versions.prune(ctx, copy)


def remove(ctx: Context, secret: Secret) -> None:
    """Drop a secret with all its versions, for good."""
    for version in versions.every(ctx, secret):
        versions.forget(ctx, secret, version)
    SECRETS.delete(ctx, secret, account=secret.account, region=secret.region)
