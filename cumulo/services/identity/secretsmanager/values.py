"""Secret values: put as new versions, and got by version or staging label."""

from __future__ import annotations

from hmac import compare_digest
from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.core.policy.principals import PrincipalKind
from cumulo.services.identity.secretsmanager import labels, replication, secret_records, versions
from cumulo.services.identity.secretsmanager.errors import (
    FOREIGN_DEFAULT_KEY,
    INVALID_REQUEST,
    NO_SUCH_VALUE,
)
from cumulo.services.identity.secretsmanager.secret_records import find, named, seen_on

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.identity.secretsmanager.secret_records import Secret
    from cumulo.services.identity.secretsmanager.versions import Version
    from cumulo.stubs import secretsmanager as t

# With the token a rotation function shows that it acts for the rotation under way (API Reference, PutSecretValue); what
# AWS says to a wrong one is not known.
WRONG_TOKEN = "The RotationToken is not that of a rotation of this secret version."
NO_VALUE = "You must provide either SecretString or SecretBinary."
MISMATCH = "You provided a VersionStage that is not associated to the provided VersionId."


@operation
def put_secret_value(ctx: Context, request: t.PutSecretValueRequest) -> t.PutSecretValueResponse:
    token = versions.token_in(request)
    secret = find(ctx, request["SecretId"], primary=True)
    value = versions.value_in(request)
    if value is None:
        raise INVALID_REQUEST(NO_VALUE)
    given = request.get("RotationToken")
    if given is not None and (
        token != secret.rotating or not compare_digest(given.encode(), secret.rotation_token.encode())
    ):
        raise INVALID_REQUEST(WRONG_TOKEN)
    wanted = request.get("VersionStages", [labels.CURRENT])
    changed = versions.add(ctx, secret, token, value, wanted)
    replication.keep(ctx, secret, changed)
    answer: t.PutSecretValueResponse = named(secret)
    answer["VersionId"] = token
    if stages := secret.labels_of(token):
        answer["VersionStages"] = stages
    return answer


@operation
def get_secret_value(ctx: Context, request: t.GetSecretValueRequest) -> t.GetSecretValueResponse:
    answer: t.GetSecretValueResponse = read(ctx, request)
    return answer


def read(ctx: Context, request: Any, *, action: str | None = None) -> Any:
    """What GetSecretValue answers; BatchGetSecretValue asks for the same permission of every secret."""
    stage = request.get("VersionStage")
    given = {
        "secretsmanager:VersionId": request.get("VersionId"),
        "secretsmanager:VersionStage": stage or (None if "VersionId" in request else labels.CURRENT),
    }
    secret = find(ctx, request["SecretId"], action=action, context=given)
    version = _chosen(ctx, secret, request.get("VersionId"), stage)
    _check_key(ctx, secret, version)
    value, binary = versions.value_of(ctx, secret, version)
    _note_access(ctx, secret, version)
    answer = {**named(secret), "VersionId": version.version_id, "CreatedDate": version.created_at}
    if stages := secret.labels_of(version.version_id):
        answer["VersionStages"] = stages
    if binary:
        answer["SecretBinary"] = value
    else:
        answer["SecretString"] = value.decode()
    return answer


def _chosen(ctx: Context, secret: Secret, version_id: str | None, stage: str | None) -> Version:
    if version_id is None:
        label = stage or labels.CURRENT
        version_id, what, name = secret.stages.get(label), "staging label", label
    else:
        what, name = "VersionId", version_id
        if stage is not None and secret.stages.get(stage) != version_id and versions.peek(ctx, secret, version_id):
            raise INVALID_REQUEST(MISMATCH)
    version = versions.peek(ctx, secret, version_id) if version_id is not None else None
    if version is None or version.sealed is None:
        raise NO_SUCH_VALUE(what=what, value=name)
    return version


def _check_key(ctx: Context, secret: Secret, version: Version) -> None:
    """The AWS managed key serves its own account alone."""
    principal = ctx.principal
    if not version.kms_key_id and principal.kind is not PrincipalKind.SERVICE and principal.account != secret.account:
        raise FOREIGN_DEFAULT_KEY()


def _note_access(ctx: Context, secret: Secret, version: Version) -> None:
    """The day of the last access, written once a day."""
    today = seen_on(ctx.now())
    if secret.accessed_on != today:
        secret.accessed_on = today
        secret_records.put(ctx, secret)
    if version.accessed_on != today:
        version.accessed_on = today
        versions.put(ctx, secret, version)
