"""Versions of a secret: each holds one value, encrypted; staging labels say which is which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core import paging
from cumulo.core.operation import operation
from cumulo.core.table import REGION, Record, Table
from cumulo.services.identity.secretsmanager import labels as staging
from cumulo.services.identity.secretsmanager import sealing
from cumulo.services.identity.secretsmanager.errors import (
    INVALID_NEXT_TOKEN,
    INVALID_PARAMETER,
    INVALID_REQUEST,
    LIMIT_EXCEEDED,
    TOKEN_IN_USE,
    TOKEN_TEXT,
    VALIDATION,
)
from cumulo.services.identity.secretsmanager.secret_records import find, named

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.identity.secretsmanager.secret_records import Secret
    from cumulo.stubs import secretsmanager as t

PAGE = 100
KEPT = 100  # versions. Source: User Guide, "Secrets Manager quotas"; those younger than a day stay beyond it
YOUNG_S = 86_400
VALUE_LIMIT_B = 65_536
DEFAULT_KEY_NAME = "DefaultEncryptionKey"  # as AWS lists the AWS managed key


class Version(Record):
    """One version. `number` counts a secret's versions, for the order of listing. `sealed` is None while a
    rotation has not put its value. `binary` tells SecretBinary from SecretString."""

    name: str
    version_id: str
    number: int
    created_at: float
    sealed: bytes | None = None
    binary: bool = False
    accessed_on: float = 0.0
    kms_key_id: str = ""


VERSIONS = Table(Version, name="secretsmanager.versions", key=("name", "version_id"), scope=REGION)

Value = tuple[bytes, bool]
"""A secret value and whether it is binary."""


def peek(ctx: Context, secret: Secret, version_id: str) -> Version | None:
    """A version of a secret, if it is there."""
    return VERSIONS.peek(ctx, secret.name, version_id, account=secret.account, region=secret.region)


def put(ctx: Context, secret: Secret, version: Version) -> None:
    """Keep a version beside its secret."""
    VERSIONS.put(ctx, version, account=secret.account, region=secret.region)


def every(ctx: Context, secret: Secret) -> list[Version]:
    """All versions, the oldest first."""
    found = VERSIONS.range(ctx, secret.name, account=secret.account, region=secret.region)
    return sorted(found, key=lambda version: version.number)


def forget(ctx: Context, secret: Secret, version: Version) -> None:
    """Drop a version."""
    VERSIONS.delete(ctx, version, account=secret.account, region=secret.region)


def token_in(request: Any, *, rotating: bool = False) -> str:
    """The ClientRequestToken, which SDKs always send."""
    token = request.get("ClientRequestToken")
    if not token:
        raise (INVALID_PARAMETER if rotating else INVALID_REQUEST)(TOKEN_TEXT)
    return str(token)


def value_in(request: Any) -> Value | None:
    """The value that a request brings, None without one."""
    if "SecretString" in request and "SecretBinary" in request:
        message = "You can't specify both a binary secret value and a string secret value in the same secret."
        raise INVALID_PARAMETER(message)
    if "SecretString" in request:
        found, binary = request["SecretString"].encode(), False
    elif "SecretBinary" in request:
        found, binary = bytes(request["SecretBinary"]), True
    else:
        return None
    if len(found) > VALUE_LIMIT_B:
        member = "secretBinary" if binary else "secretString"
        constraint = f"Member must have length less than or equal to {VALUE_LIMIT_B}"
        raise VALIDATION(f"1 validation error detected: Value at '{member}' failed to satisfy constraint: {constraint}")
    return found, binary


def value_of(ctx: Context, secret: Secret, version: Version) -> Value:
    """The decrypted value of a version that has one."""
    assert version.sealed is not None
    return sealing.unseal(ctx, secret, version.version_id, version.sealed), version.binary


def add(ctx: Context, secret: Secret, token: str, value: Value, labels: list[str]) -> list[Version]:
    """Give the secret a new version, or fill the one that a rotation prepared; labels move to it.

    The versions that changed: none when the same request came before. ResourceExistsException when the token
    stands for another value already.
    """
    version = peek(ctx, secret, token)
    if version is not None and version.sealed is not None:
        if value_of(ctx, secret, version) != value:
            raise TOKEN_IN_USE(token=token, arn=secret.arn)
        return []
    if version is None:
        version = start(ctx, secret, token)
    version.sealed = sealing.seal(ctx, secret, token, value[0])
    version.binary = value[1]
    version.kms_key_id = secret.kms_key_id
    put(ctx, secret, version)
    attach(secret, token, labels)
    secret.changed_at = ctx.now()
    prune(ctx, secret)
    return [version]


def start(ctx: Context, secret: Secret, version_id: str) -> Version:
    """A new version, still without a value."""
    secret.version_count += 1
    return Version(secret.name, version_id, secret.version_count, ctx.now(), kms_key_id=secret.kms_key_id)


def attach(secret: Secret, version_id: str, labels: list[str]) -> None:
    """Move labels to a version. The first version of a secret is its current one."""
    wanted = labels if staging.CURRENT in secret.stages or staging.CURRENT in labels else [*labels, staging.CURRENT]
    stages = staging.attach(secret.stages, version_id, wanted)
    if len(stages) > staging.LIMIT:
        raise LIMIT_EXCEEDED(f"A secret can have at most {staging.LIMIT} staging labels.")
    secret.stages = stages


def prune(ctx: Context, secret: Secret) -> None:
    """Drop the oldest versions without labels beyond the hundred that are kept."""
    if secret.version_count <= KEPT:
        return
    versions = every(ctx, secret)
    labelled = set(secret.stages.values())
    surplus = len(versions) - KEPT
    for version in versions[: max(0, surplus)]:
        if version.version_id not in labelled and version.created_at < ctx.now() - YOUNG_S:
            forget(ctx, secret, version)


@operation
def list_secret_version_ids(ctx: Context, request: t.ListSecretVersionIdsRequest) -> t.ListSecretVersionIdsResponse:
    secret = find(ctx, request["SecretId"], deleted=True)
    versions = every(ctx, secret)
    if not request.get("IncludeDeprecated"):
        labelled = set(secret.stages.values())
        versions = [version for version in versions if version.version_id in labelled]

    def fetch(after: Any, limit: int) -> list[Version]:
        return [version for version in versions if after is None or version.number > after[0]][:limit]

    found, token = paging.page(
        ctx,
        fetch,
        lambda version: (version.number,),
        token=request.get("NextToken"),
        limit=request.get("MaxResults", PAGE),
        error=INVALID_NEXT_TOKEN(),
    )
    answer: t.ListSecretVersionIdsResponse = named(secret)
    answer["Versions"] = [_shown(secret, each) for each in found]
    if token:
        answer["NextToken"] = token
    return answer


def _shown(secret: Secret, version: Version) -> Any:
    entry: dict[str, Any] = {
        "VersionId": version.version_id,
        "CreatedDate": version.created_at,
        "KmsKeyIds": [version.kms_key_id or DEFAULT_KEY_NAME],
    }
    if labels := secret.labels_of(version.version_id):
        entry["VersionStages"] = labels
    if version.accessed_on:
        entry["LastAccessedDate"] = version.accessed_on
    return entry
