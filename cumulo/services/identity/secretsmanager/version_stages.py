"""Staging labels moved and removed by hand: UpdateSecretVersionStage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.operation import operation
from cumulo.services.identity.secretsmanager import labels, replication, versions
from cumulo.services.identity.secretsmanager.errors import INVALID_PARAMETER, LIMIT_EXCEEDED, NO_SUCH_VALUE
from cumulo.services.identity.secretsmanager.secret_records import find, named

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.identity.secretsmanager.secret_records import Secret
    from cumulo.stubs import secretsmanager as t


@operation
def update_secret_version_stage(
    ctx: Context, request: t.UpdateSecretVersionStageRequest
) -> t.UpdateSecretVersionStageResponse:
    label = request["VersionStage"]
    secret = find(ctx, request["SecretId"], context={"secretsmanager:VersionStage": label}, primary=True)
    source, target = request.get("RemoveFromVersionId"), request.get("MoveToVersionId")
    if source is None and target is None:
        raise INVALID_PARAMETER("You must provide RemoveFromVersionId, MoveToVersionId, or both.")
    for version_id in (source, target):
        if version_id is not None and versions.peek(ctx, secret, version_id) is None:
            raise NO_SUCH_VALUE(what="VersionId", value=version_id)
    _check_source(secret, label, source, target)
    if target is not None:
        secret.stages = labels.move(secret.stages, label, target)
    elif label == labels.CURRENT:
        message = (
            f"You can only move staging label {label} to a different secret version. It can't be completely removed."
        )
        raise INVALID_PARAMETER(message)
    else:
        secret.stages = labels.remove(secret.stages, label)
    if len(secret.stages) > labels.LIMIT:
        raise LIMIT_EXCEEDED(f"A secret can have at most {labels.LIMIT} staging labels.")
    secret.changed_at = ctx.now()
    replication.keep(ctx, secret)
    answer: t.UpdateSecretVersionStageResponse = named(secret)
    return answer


def _check_source(secret: Secret, label: str, source: str | None, target: str | None) -> None:
    """Whoever moves a label away from a version must name that version."""
    attached = secret.stages.get(label)
    if attached == source or (source is None and attached == target):
        return
    if attached is None:
        raise INVALID_PARAMETER(f"Staging label {label} is not currently attached to version {source}.")
    what = "can't be empty" if source is None else "is not correct"
    raise INVALID_PARAMETER(
        f"The parameter RemoveFromVersionId {what}. Staging label {label} is currently attached to version "
        f"{attached}, so you must explicitly reference that version in RemoveFromVersionId."
    )
