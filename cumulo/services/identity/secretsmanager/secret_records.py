"""The record of a secret, and the one way to find it: by name or ARN, authorized, in the state that a call needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.errors import Fault
from cumulo.core.table import REGION, Record, Table
from cumulo.services.identity.secretsmanager import secret_ids
from cumulo.services.identity.secretsmanager.errors import (
    ACCESS_DENIED,
    ACCOUNT_REPLICA,
    INVALID_NAME,
    MARKED_FOR_DELETION,
    NOT_FOUND,
    REPLICA,
)

if TYPE_CHECKING:
    from cumulo.core.context import Context

DEFAULT_KEY = "alias/aws/secretsmanager"
DAY_S = 86_400


class Replica(Record):
    """Another region that holds the secret too. `status` is AWS's: InSync, Failed, InProgress."""

    region: str
    kms_key_id: str = ""
    status: str = "InSync"
    message: str = ""


class Secret(Record):
    """A secret without its values. Times are cloud time in seconds, 0 for never.

    `suffix` are the six characters of its ARN. `stages` says which version a staging label is attached to.
    `kms_key_id` is as the owner gave it, "" for the AWS managed key. `accessed_on` and `deleted_at` as
    DescribeSecret shows them; `delete_task` removes the secret when its recovery window ends. A replica knows its
    `primary_region`; a primary secret its `replicas`. `rotation_enabled` is None until rotation was ever set up;
    `rotating` is the version id of a rotation under way; `rotation_plan` numbers schedules, so that a superseded
    one does nothing.
    """

    name: str
    account: str
    region: str
    suffix: str
    created_at: float
    changed_at: float
    description: str = ""
    kms_key_id: str = ""
    tags: dict[str, str] = {}
    policy: str = ""
    stages: dict[str, str] = {}
    version_count: int = 0
    accessed_on: float = 0.0
    deleted_at: float = 0.0
    delete_task: str = ""
    primary_region: str = ""
    replicas: list[Replica] = []
    rotation_enabled: bool | None = None
    rotation_lambda: str = ""
    rotation_rules: dict[str, Any] = {}
    rotated_at: float = 0.0
    next_rotation_at: float = 0.0
    rotating: str = ""
    rotation_plan: int = 0
    partition: str = "aws"
    account_primary: str = ""  # the ARN of the secret in another account that this one is a replica of
    account_primary_status: str = ""
    account_primary_message: str = ""
    account_replica: str = ""  # the ARN of this one's replica in another account
    account_replica_status: str = ""
    account_replica_message: str = ""
    rotation_token: str = ""  # of the rotation under way

    @property
    def arn(self) -> str:
        """The complete ARN."""
        return f"arn:{self.partition}:secretsmanager:{self.region}:{self.account}:secret:{self.name}-{self.suffix}"

    def labels_of(self, version_id: str) -> list[str]:
        """The staging labels of a version, in alphabetical order."""
        return sorted(label for label, version in self.stages.items() if version == version_id)


SECRETS = Table(Secret, name="secretsmanager.secrets", key="name", scope=REGION)


def conditions(secret: Secret) -> dict[str, Any]:
    """The condition keys that every operation on this secret has.

    Source: Service Authorization Reference, "Condition keys for AWS Secrets Manager".
    """
    found: dict[str, Any] = {
        "secretsmanager:SecretId": secret.arn,
        "secretsmanager:resource/AllowRotationLambdaArn": secret.rotation_lambda or None,
        "secretsmanager:SecretPrimaryRegion": secret.primary_region or secret.region,
    }
    return found


def authorize(
    ctx: Context, secret: Secret, *, action: str | None = None, context: dict[str, Any] | None = None
) -> None:
    """AccessDeniedException unless the caller may do this to the secret."""
    if secret.policy or not ctx.trusted(secret.account):
        given = {**conditions(secret), **(context or {})}
        ctx.authorize(secret.arn, policy=secret.policy or None, tags=secret.tags, action=action, context=given)


def peek(ctx: Context, text: str) -> Secret | None:
    """The secret that a SecretId names, if it is there; nobody is asked."""
    named = secret_ids.parse(text)
    if named is None or named.region not in ("", ctx.region):
        return None
    secret = SECRETS.peek(ctx, named.name, account=named.account or None)
    return secret if secret is not None and named.suffix in ("", secret.suffix) else None


def find(
    ctx: Context,
    text: str,
    *,
    action: str | None = None,
    context: dict[str, Any] | None = None,
    primary: bool = False,
    account_replicas: bool = False,
    deleted: bool = False,
) -> Secret:
    """The secret that a SecretId names, found and authorized.

    `primary`: the operation is not for replicas, unless with `account_replicas` for those of a secret in another
    account. `deleted`: it is for secrets that are marked for deletion, too.
    """
    named = secret_ids.parse(text)
    if named is None:
        ctx.trusted(ctx.account)
        raise INVALID_NAME()
    secret = peek(ctx, text)
    if secret is None:
        account = named.account or ctx.account
        if not ctx.trusted(account):
            region = named.region or ctx.region
            arn = f"arn:{ctx.partition}:secretsmanager:{region}:{account}:secret:{named.resource}"
            given = {"secretsmanager:SecretId": arn, **(context or {})}
            ctx.authorize(arn, action=action, context=given)
        raise NOT_FOUND()
    authorize(ctx, secret, action=action, context=context)
    if primary and secret.primary_region:
        raise REPLICA()
    if primary and secret.account_primary and not account_replicas:
        raise ACCOUNT_REPLICA()
    if secret.deleted_at and not deleted:
        raise MARKED_FOR_DELETION()
    return secret


def put(ctx: Context, secret: Secret) -> None:
    """Keep the record in its own account and region."""
    SECRETS.put(ctx, secret, account=secret.account, region=secret.region)


def named(secret: Secret) -> Any:
    """The members that nearly every answer begins with."""
    return {"ARN": secret.arn, "Name": secret.name}


def seen_on(now: float) -> float:
    """The day of an access: Secrets Manager keeps no finer record of it."""
    return float(int(now) // DAY_S * DAY_S)  # in whole seconds, so that two moments of a day give the same


def refused(fault: Fault) -> bool:
    """Whether a fault is a denial."""
    return fault.code in (ACCESS_DENIED.code, "AccessDenied")
