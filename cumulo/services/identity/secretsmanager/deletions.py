"""Deletion: after a recovery window, or at once.

Source: Secrets Manager User Guide, "Delete an AWS Secrets Manager secret"; API Reference, DeleteSecret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation, task
from cumulo.services.identity.secretsmanager import replication, secret_ids
from cumulo.services.identity.secretsmanager.errors import (
    ALREADY_SCHEDULED,
    INVALID_PARAMETER,
    INVALID_REQUEST,
    NOT_FOUND,
)
from cumulo.services.identity.secretsmanager.secret_records import (
    DAY_S,
    SECRETS,
    find,
    named,
    peek,
    put,
)

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.identity.secretsmanager.secret_records import Secret
    from cumulo.stubs import secretsmanager as t

SHORTEST_DAYS, LONGEST_DAYS, DEFAULT_DAYS = 7, 30, 30


@operation
def delete_secret(ctx: Context, request: t.DeleteSecretRequest) -> t.DeleteSecretResponse:
    force = request.get("ForceDeleteWithoutRecovery", False)
    days = request.get("RecoveryWindowInDays")
    given = {
        "secretsmanager:ForceDeleteWithoutRecovery": request.get("ForceDeleteWithoutRecovery"),
        "secretsmanager:RecoveryWindowInDays": days,
    }
    text = request["SecretId"]
    named_id = secret_ids.parse(text)
    if force and days is None and named_id is not None and peek(ctx, text) is None:
        return _nothing(ctx, text, named_id, given)
    secret = find(ctx, text, context=given, primary=True, account_replicas=True, deleted=True)
    if force and days is not None:
        raise INVALID_PARAMETER("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
    if days is not None and not SHORTEST_DAYS <= days <= LONGEST_DAYS:
        raise INVALID_PARAMETER(
            f"The RecoveryWindowInDays value must be between {SHORTEST_DAYS} and {LONGEST_DAYS} days (inclusive)."
        )
    if secret.replicas:
        regions = ", ".join(replica.region for replica in secret.replicas)
        raise INVALID_PARAMETER(f"You can't delete secret {secret.arn} that still has replica regions [{regions}].")
    if secret.account_replica:
        raise INVALID_REQUEST(f"You can't delete secret {secret.arn} that still has a cross-account replica.")
    if secret.account_primary:
        raise INVALID_REQUEST(f"You can't delete the replica secret {secret.arn}: stop its replication first.")
    if force:
        if secret.delete_task:
            ctx.cancel(secret.delete_task)
        replication.remove(ctx, secret)
        return _answer(secret, ctx.now())
    if secret.deleted_at:
        raise ALREADY_SCHEDULED()
    secret.deleted_at = ctx.now()
    due = ctx.now() + (days or DEFAULT_DAYS) * DAY_S
    place = {"name": secret.name, "suffix": secret.suffix, "account": secret.account, "region": secret.region}
    secret.delete_task = ctx.later(remove_secret, place, at=due)
    put(ctx, secret)
    return _answer(secret, due)


def _answer(secret: Secret, at: float) -> t.DeleteSecretResponse:
    answer: t.DeleteSecretResponse = named(secret)
    answer["DeletionDate"] = at
    return answer


def _nothing(ctx: Context, text: str, named_id: secret_ids.SecretId, given: dict[str, Any]) -> t.DeleteSecretResponse:
    """Deleting by force what is not there is no error."""
    try:
        find(ctx, text, context=given)
    except Exception as fault:
        if getattr(fault, "code", "") != NOT_FOUND.code:
            raise
    account = named_id.account or ctx.account
    arn = f"arn:{ctx.partition}:secretsmanager:{ctx.region}:{account}:secret:{named_id.resource}"
    return {"ARN": arn, "Name": named_id.name, "DeletionDate": ctx.now()}


@operation
def restore_secret(ctx: Context, request: t.RestoreSecretRequest) -> t.RestoreSecretResponse:
    secret = find(ctx, request["SecretId"], primary=True, deleted=True)
    if secret.delete_task:
        ctx.cancel(secret.delete_task)
    secret.deleted_at, secret.delete_task = 0.0, ""
    put(ctx, secret)
    answer: t.RestoreSecretResponse = named(secret)
    return answer


@task
def remove_secret(ctx: Context, payload: dict[str, Any]) -> None:
    """The recovery window is over: drop the secret and its versions."""
    secret = SECRETS.peek(ctx, payload["name"], account=payload["account"], region=payload["region"])
    if secret is not None and secret.suffix == payload["suffix"] and secret.deleted_at:
        replication.remove(ctx, secret)
