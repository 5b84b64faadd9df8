"""Secrets: created, described and updated.

The order of checks in CreateSecret: the token, the name, permission, the value, then whether the name is free.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.core.tags import to_list
from cumulo.services.identity.secretsmanager import (
    cross_account_replicas,
    labels,
    replicas,
    replication,
    sealing,
    secret_ids,
    tags,
    versions,
)
from cumulo.services.identity.secretsmanager.errors import (
    INVALID_NAME,
    INVALID_PARAMETER,
    NAME_EXISTS,
    NAME_SCHEDULED,
    TOKEN_IN_USE,
)
from cumulo.services.identity.secretsmanager.secret_records import SECRETS, Secret, authorize, find, named

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.identity.secretsmanager.versions import Value, Version
    from cumulo.stubs import secretsmanager as t


def _key_conditions(ctx: Context, request: Any, account: str) -> dict[str, Any]:
    key_id = request.get("KmsKeyId")
    if not key_id:
        return {}
    resource = key_id if key_id.startswith("alias/") else f"key/{key_id}"
    arn = key_id if key_id.startswith("arn:") else f"arn:{ctx.partition}:kms:{ctx.region}:{account}:{resource}"
    return {"secretsmanager:KmsKeyId": key_id, "secretsmanager:KmsKeyArn": arn}


@operation(unsupported=("Type",))
def create_secret(ctx: Context, request: t.CreateSecretRequest) -> t.CreateSecretResponse:
    token = versions.token_in(request)
    name = request["Name"]
    if not secret_ids.NAME.fullmatch(name):
        raise INVALID_NAME()
    secret = Secret(
        name=name,
        account=ctx.account,
        region=ctx.region,
        suffix=secret_ids.suffix(ctx.random_bytes(secret_ids.SUFFIX_LENGTH)),
        created_at=ctx.now(),
        changed_at=ctx.now(),
        description=request.get("Description", ""),
        kms_key_id=request.get("KmsKeyId", ""),
        tags=tags.given(request.get("Tags")),
        partition=ctx.partition,
    )
    given = {
        "secretsmanager:Name": name,
        "secretsmanager:Description": request.get("Description"),
        **_key_conditions(ctx, request, ctx.account),
        **replicas.conditions(request),
    }
    authorize(ctx, secret, context=given)
    if secret.tags:
        authorize(ctx, secret, action="secretsmanager:TagResource", context=given)
    value = versions.value_in(request)
    if "CrossAccountPrimaryARN" in request:
        cross_account_replicas.begin(ctx, secret, request)
    there = SECRETS.peek(ctx, name)
    if there is not None:
        return _again(ctx, there, token, value)
    changed = versions.add(ctx, secret, token, value, [labels.CURRENT]) if value is not None else []
    if "AddReplicaRegions" in request:
        authorize(ctx, secret, action="secretsmanager:ReplicateSecretToRegions", context=given)
        replicas.add(ctx, secret, request)
    replication.keep(ctx, secret)
    answer: t.CreateSecretResponse = named(secret)
    if changed:
        answer["VersionId"] = token
    if secret.replicas:
        answer["ReplicationStatus"] = replicas.statuses(secret)
    return answer


def _again(ctx: Context, secret: Secret, token: str, value: Value | None) -> t.CreateSecretResponse:
    """The name is taken: the same request again is answered as before, any other is refused."""
    if secret.deleted_at:
        raise NAME_SCHEDULED()
    version = versions.peek(ctx, secret, token)
    if version is None or version.sealed is None or value is None:
        raise NAME_EXISTS(name=secret.name)
    if versions.value_of(ctx, secret, version) != value:
        raise TOKEN_IN_USE(token=token, arn=secret.arn)
    answer: t.CreateSecretResponse = named(secret)
    answer["VersionId"] = token
    return answer


@operation
def describe_secret(ctx: Context, request: t.DescribeSecretRequest) -> t.DescribeSecretResponse:
    secret = find(ctx, request["SecretId"], deleted=True)
    answer: t.DescribeSecretResponse = shown(secret)
    stages: dict[str, list[str]] = {}
    for label, version_id in sorted(secret.stages.items()):
        stages.setdefault(version_id, []).append(label)
    if stages:
        answer["VersionIdsToStages"] = stages
    if secret.replicas:
        answer["ReplicationStatus"] = replicas.statuses(secret)
    answer.update(cross_account_replicas.shown(secret))
    return answer


def shown(secret: Secret) -> Any:
    """What DescribeSecret and ListSecrets both say of a secret: members without a value are left out."""
    answer: dict[str, Any] = {
        **named(secret),
        "CreatedDate": secret.created_at,
        "LastChangedDate": secret.changed_at,
    }
    further = {
        "Description": secret.description,
        "KmsKeyId": secret.kms_key_id,
        "LastAccessedDate": secret.accessed_on,
        "DeletedDate": secret.deleted_at,
        "RotationLambdaARN": secret.rotation_lambda,
        "RotationRules": secret.rotation_rules,
        "LastRotatedDate": secret.rotated_at,
        "NextRotationDate": secret.next_rotation_at if secret.rotation_enabled else 0.0,
        "PrimaryRegion": secret.primary_region or (secret.region if secret.replicas else ""),
        "Tags": to_list(secret.tags),
    }
    answer.update({name: value for name, value in further.items() if value})
    if secret.rotation_enabled is not None:
        answer["RotationEnabled"] = secret.rotation_enabled
    return answer


@operation(unsupported=("Type",))
def update_secret(ctx: Context, request: t.UpdateSecretRequest) -> t.UpdateSecretResponse:
    token = versions.token_in(request)
    peeked = secret_ids.parse(request["SecretId"])
    account = peeked.account if peeked is not None and peeked.account else ctx.account
    given = {
        "secretsmanager:Description": request.get("Description"),
        **_key_conditions(ctx, request, account),
    }
    secret = find(ctx, request["SecretId"], context=given, primary=True)
    value = versions.value_in(request)
    if not {"Description", "KmsKeyId", "SecretString", "SecretBinary"} & request.keys():
        raise INVALID_PARAMETER("You must provide a Description, a KmsKeyId, or a secret value to update.")
    if "Description" in request:
        secret.description = request["Description"]
    changed: list[Version] = []
    if "KmsKeyId" in request and request["KmsKeyId"] != secret.kms_key_id:
        changed += _reseal(ctx, secret, request["KmsKeyId"])
    secret.changed_at = ctx.now()
    answer: t.UpdateSecretResponse = named(secret)
    if value is not None:
        changed += versions.add(ctx, secret, token, value, [labels.CURRENT])
        answer["VersionId"] = token
    replication.keep(ctx, secret, changed)
    return answer


def _reseal(ctx: Context, secret: Secret, kms_key_id: str) -> list[Version]:
    """Encrypt what is in use under another key: the versions labelled AWSCURRENT, AWSPENDING and AWSPREVIOUS.

    Source: API Reference, UpdateSecret, KmsKeyId.
    """
    changed = []
    in_use = {secret.stages.get(label) for label in (labels.CURRENT, labels.PENDING, labels.PREVIOUS)} - {None}
    held = [version for version in versions.every(ctx, secret) if version.version_id in in_use and version.sealed]
    values = [versions.value_of(ctx, secret, version)[0] for version in held]
    secret.kms_key_id = kms_key_id
    for version, plaintext in zip(held, values, strict=True):
        version.sealed = sealing.seal(ctx, secret, version.version_id, plaintext)
        version.kms_key_id = kms_key_id
        versions.put(ctx, secret, version)
        changed.append(version)
    return changed
