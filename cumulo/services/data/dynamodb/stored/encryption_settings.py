"""Which KMS key seals a table's items: settings, and what AWS says of keys that cannot be used.

Sources: Amazon DynamoDB Developer Guide, "DynamoDB encryption at rest"; answers of AWS for the texts. Without a
setting the items lie under DynamoDB's own key, which nobody sees; KMS has no part in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cumulo.core.errors import Fault
from cumulo.services.data.dynamodb.errors import KMS_ACCESS_DENIED, LIMIT_EXCEEDED, VALIDATION
from cumulo.services.data.dynamodb.stored import sealing
from cumulo.services.data.dynamodb.tables.key_schemas import INVALID
from cumulo.services.data.dynamodb.tables.throughputs import in_words

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.data.dynamodb.tables.tables import TableRecord

MANAGED_KEY = "alias/aws/dynamodb"
SERVICE = "dynamodb.amazonaws.com"
FREE_CHANGES = 4
DAY_S = 86_400
CHANGE_WAIT_S = 21_600


def apply_new(ctx: Context, table: TableRecord, specification: Mapping[str, Any] | None) -> None:
    """Give a new table the key that CreateTable asks for."""
    key_id = _asked(specification or {}, enabled=False)
    if key_id:
        use(ctx, table, key_arn(ctx, key_id))


def _asked(specification: Mapping[str, Any], *, enabled: bool) -> str:
    """The key of an SSESpecification, "" for DynamoDB's own; a type alone asks for a key, too."""
    kind, key_id = specification.get("SSEType"), specification.get("KMSMasterKeyId")
    on = specification.get("Enabled", kind is not None or enabled)
    if not on:
        if kind is not None:
            raise VALIDATION(f"{INVALID}SSEType can not be specified if Enabled is false")
        if key_id is not None:
            raise VALIDATION(f"{INVALID}KMSMasterKeyId can not be specified if Enabled is false")
        return ""
    if kind == "AES256":
        raise VALIDATION(f"{INVALID}SSEType AES256 is not supported")
    if key_id is not None and kind is None:
        raise VALIDATION(f"{INVALID}SSEType KMS is required if KMSMasterKeyId is specified")
    return str(key_id or MANAGED_KEY)


def change(ctx: Context, table: TableRecord, specification: Mapping[str, Any]) -> None:
    """Seal a table with another key from now on, as UpdateTable asks; what it holds is opened with the old one."""
    key_id = _asked(specification, enabled=False)
    if not key_id and not table.sse_key:
        raise VALIDATION(f"{INVALID}Table is already encrypted by default")
    arn = key_arn(ctx, key_id) if key_id else ""
    if arn and arn == table.sse_key and key_id == arn:
        raise VALIDATION(
            f"{INVALID}Table is already encrypted with given KMSMasterKeyId. Use KMSMasterKeyId parameter if you want "
            "to change Master Key"
        )
    _check_frequency(table, ctx.now())
    table.sse_changes = [when for when in table.sse_changes if when > ctx.now() - DAY_S] + [ctx.now()]
    if arn:
        use(ctx, table, arn)
    else:
        table.sse_key, table.sealed_key = "", b""


def _check_frequency(table: TableRecord, now: float) -> None:
    recent = [when for when in table.sse_changes if when > now - DAY_S]
    if len(recent) < FREE_CHANGES or now >= recent[-1] + CHANGE_WAIT_S:
        return
    raise LIMIT_EXCEEDED(
        f"Subscriber limit exceeded: Encryption mode changes are limited in the 24h window ending at {in_words(now)}. "
        f"After the first {FREE_CHANGES} change, each subsequent change in the same window can be performed at most "
        f"once every {CHANGE_WAIT_S} seconds. Number of updates today: {len(recent)}. "
        f"Last change at {in_words(recent[-1])}. Next changes can be made at {in_words(recent[-1] + CHANGE_WAIT_S)}."
    )


def use(ctx: Context, table: TableRecord, arn: str) -> None:
    """Have a data key made for the table under this key, and a grant for DynamoDB's own work; KMS may refuse."""
    table.sse_key = arn
    grant = {
        "KeyId": arn,
        "GranteePrincipal": SERVICE,
        "RetiringPrincipal": SERVICE,
        "Operations": ["Decrypt", "GenerateDataKey", "DescribeKey", "RetireGrant"],
        "Constraints": {"EncryptionContextSubset": sealing.bound_to(table)},
    }
    try:
        table.sealed_key = sealing.new_key(ctx, table)
        ctx.call("kms", "CreateGrant", grant, region=table.region)
    except Fault as fault:
        raise worded(ctx, fault) from None


def key_arn(ctx: Context, key_id: str, region: str = "") -> str:
    """The ARN of a key that a request names; the AWS managed key is made when it is first asked for."""
    try:
        found = ctx.call("kms", "DescribeKey", {"KeyId": key_id}, region=region)["KeyMetadata"]
    except Fault as fault:
        raise worded(ctx, fault) from None
    if found["KeyState"] == "PendingDeletion":
        raise VALIDATION(_kms_text(ctx, "KMSInvalidStateException", f"{found['Arn']} is pending deletion."))
    if found["KeyState"] != "Enabled":
        raise VALIDATION(
            "KMS key disabled error: com.amazonaws.services.kms.model.DisabledException: "
            f"{found['Arn']} is disabled. {_origin(ctx, 'DisabledException')}"
        )
    return str(found["Arn"])


def is_managed(ctx: Context, arn: str) -> bool:
    """Whether a key is the one that AWS manages for DynamoDB."""
    return bool(ctx.call("kms", "DescribeKey", {"KeyId": arn})["KeyMetadata"]["KeyManager"] == "AWS")


def worded(ctx: Context, fault: Fault) -> Fault:
    """What KMS said, as DynamoDB passes it on."""
    if fault.code == "AccessDeniedException":
        return KMS_ACCESS_DENIED(fault.message)
    if fault.code == "DisabledException":
        return VALIDATION(
            "KMS key disabled error: com.amazonaws.services.kms.model.DisabledException: "
            f"{fault.message} {_origin(ctx, fault.code)}"
        )
    return VALIDATION(_kms_text(ctx, fault.code, fault.message))


def _kms_text(ctx: Context, code: str, message: str) -> str:
    return f"KMS validation error: com.amazonaws.services.kms.model.{code}: {message} {_origin(ctx, code)}"


def _origin(ctx: Context, code: str) -> str:
    return f"(Service: AWSKMS; Status Code: 400; Error Code: {code}; Request ID: {ctx.request_id}; Proxy: null)"
