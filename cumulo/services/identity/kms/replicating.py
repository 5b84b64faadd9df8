"""Multi-Region keys: ReplicateKey and UpdatePrimaryRegion. All keys of a set share their id and their material.

Source: Developer Guide, "Multi-Region keys in AWS KMS"; the text of the first refusal as AWS was seen to answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.arns import partition_of
from cumulo.core.operation import operation
from cumulo.services.identity.kms import keys, permissions, policies, rotations, tags
from cumulo.services.identity.kms.conditions import of_caller, of_tags
from cumulo.services.identity.kms.errors import ALREADY_EXISTS, NOT_FOUND, NOT_PRIMARY, VALIDATION
from cumulo.services.identity.kms.keys import AWS_KMS, Key, arn_of, check_enabled, keep, metadata

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import kms as t


def _primary(ctx: Context, key_id: str) -> Key:
    key = permissions.get(ctx, key_id)
    if not key.primary:
        raise NOT_PRIMARY(arn=key.arn)
    return key


@operation
def replicate_key(ctx: Context, request: t.ReplicateKeyRequest) -> t.ReplicateKeyResponse:
    """The same key in another region, with a policy, a description and tags of its own."""
    key = _primary(ctx, request["KeyId"])
    region = request["ReplicaRegion"]
    more = of_caller(ctx) | of_tags(tags.given(request.get("Tags"))) | {"kms:MultiRegion": True}
    more |= {"kms:MultiRegionKeyType": "REPLICA", "kms:KeySpec": key.spec, "kms:KeyUsage": key.usage}
    ctx.authorize("*", action="kms:CreateKey", context={**more, "aws:RequestedRegion": region})
    check_enabled_or_importing(ctx, key)
    if partition_of(region) != ctx.partition or region == key.region:
        raise VALIDATION(f"{region} is not a valid replica region for {key.arn}.")
    if keys.KEYS.peek(ctx, key.key_id, account=key.account, region=region) is not None:
        raise ALREADY_EXISTS(f"The key {arn_of(key.account, region, key.key_id)} already exists.")
    key.replica_regions = [*key.replica_regions, region]
    replica = Key(
        key.account,
        region,
        key.key_id,
        ctx.now(),
        key.spec,
        key.usage,
        key.origin,
        policies.checked(ctx, request, key.key_id, region),
        request.get("Description", ""),
        tags=tags.checked(request.get("Tags")),
        # Imported material is imported into each region (API reference, ReplicateKey).
        materials=key.materials if key.origin == AWS_KMS else [],
        current=key.current if key.origin == AWS_KMS else -1,
        public=key.public if key.origin == AWS_KMS else b"",
        rotation_days=key.rotation_days,
        next_rotation_at=key.next_rotation_at,
        multi_region=True,
        primary_region=key.region,
        replica_regions=key.replica_regions,
    )
    keep(ctx, replica)
    keep(ctx, key)
    for relative in keys.relatives(ctx, key):
        relative.replica_regions = key.replica_regions
        keep(ctx, relative)
    return {
        "ReplicaKeyMetadata": metadata(ctx, replica),  # type: ignore[typeddict-item]
        "ReplicaPolicy": replica.policy,
        "ReplicaTags": [{"TagKey": name, "TagValue": value} for name, value in replica.tags.items()],
    }


def check_enabled_or_importing(ctx: Context, key: Key) -> None:
    """A key that waits for its material may be replicated; one that is disabled or waits for its end may not."""
    if key.state(ctx.now()) != "PendingImport":
        check_enabled(ctx, key)


@operation
def update_primary_region(ctx: Context, request: t.UpdatePrimaryRegionRequest) -> None:
    """Let a replica be the primary key, and the primary one a replica."""
    key = _primary(ctx, request["KeyId"])
    check_enabled_or_importing(ctx, key)
    region = request["PrimaryRegion"]
    if region == key.region:
        raise VALIDATION(f"{region} is the primary region of {key.arn} already.")
    if region not in key.replica_regions or keys.peek(ctx, key.account, region, key.key_id) is None:
        raise NOT_FOUND(arn=arn_of(key.account, region, key.key_id))
    replicas = [key.region if each == region else each for each in key.replica_regions]
    for each in (key, *keys.relatives(ctx, key)):
        each.primary_region, each.replica_regions = region, replicas
        keep(ctx, each)
        if each.region == region:
            rotations.schedule(ctx, each)
