"""Keys come into being, are described, listed, disabled and enabled again. What ends them is in `deletions.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cumulo.core.errors import not_implemented
from cumulo.core.operation import operation
from cumulo.services.identity.kms import (
    conditions,
    grants,
    last_uses,
    materials,
    pages,
    permissions,
    policies,
    root_keys,
    rotations,
    specs,
    tags,
)
from cumulo.services.identity.kms.errors import PENDING_IMPORT, VALIDATION
from cumulo.services.identity.kms.keys import (
    AWS_KMS,
    EXTERNAL,
    KEYS,
    Key,
    arn_of,
    check_not_deleted,
    keep,
    metadata,
)

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import kms as t


def _conditions_of_new(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    spec, usage = _spec_and_usage(request)
    found = conditions.of_caller(ctx) | conditions.of_tags(tags.given(request.get("Tags")))
    found |= {
        "kms:KeySpec": spec,
        "kms:CustomerMasterKeySpec": spec,
        "kms:KeyUsage": usage,
        "kms:CustomerMasterKeyUsage": usage,
        "kms:KeyOrigin": request.get("Origin", AWS_KMS),
        "kms:MultiRegion": bool(request.get("MultiRegion")),
        "kms:BypassPolicyLockoutSafetyCheck": bool(request.get("BypassPolicyLockoutSafetyCheck")),
    }
    if request.get("MultiRegion"):
        found["kms:MultiRegionKeyType"] = "PRIMARY"
    return found


def _spec_and_usage(request: Mapping[str, Any]) -> tuple[str, str]:
    spec = request.get("KeySpec") or request.get("CustomerMasterKeySpec") or specs.SYMMETRIC
    return spec, request.get("KeyUsage") or (specs.ENCRYPT_DECRYPT if spec == specs.SYMMETRIC else "")


@operation(unsupported=("CustomKeyStoreId", "XksKeyId"), conditions=_conditions_of_new)
async def create_key(ctx: Context, request: t.CreateKeyRequest) -> t.CreateKeyResponse:
    """A new key, with material of its own unless its origin is EXTERNAL.

    Async because an RSA key is made in a thread: it takes up to seconds.
    """
    spec, usage = _checked_spec(request)
    pair = None
    if request.get("Origin", AWS_KMS) == AWS_KMS and not materials.is_secret(spec):
        pair = await ctx.in_thread(lambda: materials.make_pair(spec))
    await root_keys.prepare(ctx)
    key = await ctx.transact(lambda ctx: _create(ctx, request, spec, usage, pair))
    return {"KeyMetadata": key}  # type: ignore[typeddict-item]


def _checked_spec(request: t.CreateKeyRequest) -> tuple[str, str]:
    """The spec and usage of a new key, or ValidationException; NotImplemented for what cumulo has not."""
    if "KeySpec" in request and "CustomerMasterKeySpec" in request:
        raise VALIDATION(
            "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. "
            "CustomerMasterKeySpec is deprecated."
        )
    spec, usage = _spec_and_usage(request)
    if spec in specs.REFUSED or not materials.available(specs.SPECS[spec]):
        raise not_implemented("kms", "CreateKey", f"KeySpec {spec}")
    if request.get("Origin", AWS_KMS) not in (AWS_KMS, EXTERNAL):
        raise not_implemented("kms", "CreateKey", f"Origin {request['Origin']}")
    if not usage:
        raise VALIDATION("You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.")
    if usage not in specs.SPECS[spec].usages:
        raise VALIDATION(f"KeyUsage {usage} is not compatible with KeySpec {spec}")
    return spec, usage


def _create(
    ctx: Context, request: t.CreateKeyRequest, spec: str, usage: str, pair: tuple[bytes, bytes] | None
) -> dict[str, Any]:
    multi_region = bool(request.get("MultiRegion"))
    key_id = ctx.new_id("mrk-", hex=32) if multi_region else ctx.uuid()
    origin = request.get("Origin", AWS_KMS)
    key_tags = tags.checked(request.get("Tags"))
    key = Key(
        ctx.account,
        ctx.region,
        key_id,
        ctx.now(),
        spec,
        usage,
        origin,
        policies.checked(ctx, request, key_id),
        request.get("Description", ""),
        tags=key_tags,
        multi_region=multi_region,
        primary_region=ctx.region if multi_region else "",
    )
    if origin == AWS_KMS:
        secret, key.public = pair or (materials.make_secret(ctx, spec), b"")
        key.materials = [materials.wrap(ctx, key_id, secret)]
        key.current = 0
    keep(ctx, key)
    return metadata(ctx, key)


@operation
def describe_key(ctx: Context, request: t.DescribeKeyRequest) -> t.DescribeKeyResponse:
    """What there is to know of a key, its material left out."""
    key = permissions.get(ctx, request["KeyId"], alias=True, foreign=True)
    grants.check_tokens(request)
    return {"KeyMetadata": metadata(ctx, key)}  # type: ignore[typeddict-item]


@operation(conditions=conditions.of_caller)
def list_keys(ctx: Context, request: t.ListKeysRequest) -> t.ListKeysResponse:
    """The account's keys in this region. None are shared through RAM, as nothing here can share them."""
    if "SELF" not in request.get("ResourceOwners", ["SELF"]):
        return {"Keys": [], "Truncated": False}

    def fetch(after: Any, limit: int) -> list[Key]:
        return KEYS.range(ctx, after=after, limit=limit)

    found, more = pages.page(ctx, request, fetch, lambda key: (key.key_id,), default=100)
    now = ctx.now()
    entries: list[Any] = [
        {"KeyId": key.key_id, "KeyArn": arn_of(key.account, key.region, key.key_id)}
        for key in found
        if not 0 < key.deletion_at <= now
    ]
    return {"Keys": entries, **more}  # type: ignore[typeddict-item]


@operation
def enable_key(ctx: Context, request: t.EnableKeyRequest) -> None:
    """Let the key be used again; a rotation that fell due in between happens now."""
    key = permissions.get(ctx, request["KeyId"])
    _check_switchable(ctx, key)
    key.enabled = True
    if key.rotation_days:  # one rotation, however many days it was switched off
        key.next_rotation_at = max(key.next_rotation_at, ctx.now())
    keep(ctx, key)
    rotations.schedule(ctx, key)


@operation
def disable_key(ctx: Context, request: t.DisableKeyRequest) -> None:
    """Let the key be used for nothing until it is enabled."""
    key = permissions.get(ctx, request["KeyId"])
    _check_switchable(ctx, key)
    key.enabled = False
    keep(ctx, key)


def _check_switchable(ctx: Context, key: Key) -> None:
    check_not_deleted(key)
    if key.state(ctx.now()) == "PendingImport":
        raise PENDING_IMPORT(arn=key.arn)


@operation
def update_key_description(ctx: Context, request: t.UpdateKeyDescriptionRequest) -> None:
    """Another description."""
    key = permissions.get(ctx, request["KeyId"])
    check_not_deleted(key)
    key.description = request["Description"]
    keep(ctx, key)


@operation
def get_key_last_usage(ctx: Context, request: t.GetKeyLastUsageRequest) -> t.GetKeyLastUsageResponse:
    """KeyLastUsage is empty for a key that was never used; tracking began with the key."""
    key = permissions.get(ctx, request["KeyId"])
    use = last_uses.of(ctx, key)
    usage: dict[str, Any] = {}
    if use is not None:
        usage = {
            "Operation": use.operation,
            "Timestamp": use.used_at,
            "CloudTrailEventId": use.request_id,
            "KmsRequestId": use.request_id,
        }
    return {
        "KeyId": key.key_id,
        "KeyLastUsage": usage,  # type: ignore[typeddict-item]
        "TrackingStartDate": key.created_at,
        "KeyCreationDate": key.created_at,
    }
