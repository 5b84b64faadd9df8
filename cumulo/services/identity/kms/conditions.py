"""The condition keys of KMS: what a policy may ask of the key, the request and the way that it came.

Source: Developer Guide, "AWS KMS condition keys"; which operation has which is in the Service Authorization Reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cumulo.core.policy.deferred_keys import DeferredKeys
from cumulo.services.identity.kms import aliases

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.identity.kms.keys import Key

# Request member → the condition key of its value.
_MEMBERS = {
    "EncryptionAlgorithm": "kms:EncryptionAlgorithm",
    "SigningAlgorithm": "kms:SigningAlgorithm",
    "MessageType": "kms:MessageType",
    "MacAlgorithm": "kms:MacAlgorithm",
    "KeyAgreementAlgorithm": "kms:KeyAgreementAlgorithm",
    "EncapsulationAlgorithm": "kms:EncapsulationAlgorithm",
    "KeyPairSpec": "kms:DataKeyPairSpec",
    "WrappingAlgorithm": "kms:WrappingAlgorithm",
    "WrappingKeySpec": "kms:WrappingKeySpec",
    "ExpirationModel": "kms:ExpirationModel",
    "ReplicaRegion": "kms:ReplicaRegion",
    "PrimaryRegion": "kms:PrimaryRegion",
    "RotationPeriodInDays": "kms:RotationPeriodInDays",
    "PendingWindowInDays": "kms:ScheduleKeyDeletionPendingWindowInDays",
    "BypassPolicyLockoutSafetyCheck": "kms:BypassPolicyLockoutSafetyCheck",
    "GranteePrincipal": "kms:GranteePrincipal",
    "GranteeServicePrincipal": "kms:GranteeServicePrincipal",
    "RetiringPrincipal": "kms:RetiringPrincipal",
    "RetiringServicePrincipal": "kms:RetiringServicePrincipal",
}


def of_caller(ctx: Context, request: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """kms:CallerAccount and kms:ViaService, which every operation has."""
    found: dict[str, Any] = {"kms:CallerAccount": ctx.principal.account or None}
    if ctx.called_via:
        service = ctx.called_via[-1].partition(".")[0]
        found["kms:ViaService"] = f"{service}.{ctx.region}.amazonaws.com"
    return found


def of_encryption_context(context: Mapping[str, str] | None) -> dict[str, Any]:
    """kms:EncryptionContext:… and kms:EncryptionContextKeys."""
    if not context:
        return {}
    found: dict[str, Any] = {f"kms:EncryptionContext:{key}": value for key, value in context.items()}
    found["kms:EncryptionContextKeys"] = list(context)
    return found


def of_tags(tags: Mapping[str, str]) -> dict[str, Any]:
    """aws:RequestTag/… and aws:TagKeys: KMS writes its tags in a form of its own."""
    found: dict[str, Any] = {f"aws:RequestTag/{key}": value for key, value in tags.items()}
    if tags:
        found["aws:TagKeys"] = list(tags)
    return found


class KeyConditions(DeferredKeys):
    """The condition keys of a call on a key."""

    __slots__ = ("_alias", "_ctx", "_key", "_more")

    def __init__(self, ctx: Context, key: Key, alias: str, more: Mapping[str, Any] | None) -> None:
        super().__init__()
        self._ctx = ctx
        self._key = key
        self._alias = alias
        self._more = more

    def work_out(self) -> dict[str, Any]:
        ctx, key = self._ctx, self._key
        found = of_caller(ctx)
        found |= {
            "kms:KeySpec": key.spec,
            "kms:KeyUsage": key.usage,
            "kms:CustomerMasterKeySpec": key.spec,
            "kms:CustomerMasterKeyUsage": key.usage,
            "kms:KeyOrigin": key.origin,
            "kms:MultiRegion": key.multi_region,
        }
        if key.multi_region:
            found["kms:MultiRegionKeyType"] = "PRIMARY" if key.primary else "REPLICA"
        if self._alias:
            found["kms:RequestAlias"] = self._alias
        names = [alias.name for alias in aliases.of_key(ctx, key.account, key.region, key.key_id)]
        if names:
            found["kms:ResourceAliases"] = names
        for member, name in _MEMBERS.items():
            if member in ctx.request:
                found[name] = ctx.request[member]
        return found | dict(self._more or {})
