"""Rotation: new material for a symmetric key, by the calendar or on demand. What was encrypted before still opens.

Sources: Developer Guide, "Rotate AWS KMS keys"; API reference, EnableKeyRotation, RotateKeyOnDemand, ListKeyRotations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation, task
from cumulo.services.identity.kms import keys, materials, pages, permissions
from cumulo.services.identity.kms.errors import (
    NOT_PRIMARY,
    NOTHING_TO_ROTATE_TO,
    ROTATIONS_SPENT,
    WRONG_ORIGIN,
    WRONG_SPEC,
)
from cumulo.services.identity.kms.keys import AWS_KMS, DAY_S, EXTERNAL, Key, check_enabled, keep
from cumulo.services.identity.kms.materials import Material

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import kms as t

PERIOD_DAYS = 365
ON_DEMAND_LIMIT = 25


def schedule(ctx: Context, key: Key) -> None:
    """See to the next automatic rotation, if the key has one. The task looks again before it does anything."""
    if key.rotation_days and (not key.multi_region or key.primary):
        payload = {"account": key.account, "region": key.region, "key_id": key.key_id, "due": key.next_rotation_at}
        ctx.later(rotate_on_schedule, payload, at=max(key.next_rotation_at, ctx.now()))


@task
def rotate_on_schedule(ctx: Context, payload: dict[str, Any]) -> None:
    """Rotate a key whose day has come. A key that is not enabled waits until it is: enabling schedules anew."""
    key = keys.peek(ctx, payload["account"], payload["region"], payload["key_id"])
    if key is None or not key.rotation_days or key.next_rotation_at != payload["due"]:
        return
    if key.state(ctx.now()) != "Enabled" or (key.multi_region and not key.primary):
        return
    period_s = key.rotation_days * DAY_S
    _rotate(ctx, key, materials.wrap(ctx, key.key_id, materials.make_secret(ctx, key.spec)), key.next_rotation_at)
    key.next_rotation_at += period_s
    keep(ctx, key)
    for relative in keys.relatives(ctx, key):
        relative.next_rotation_at = key.next_rotation_at
        keep(ctx, relative)
    schedule(ctx, key)


def _rotate(ctx: Context, key: Key, material: Material, at: float, *, on_demand: bool = False) -> None:
    """Make new material current, in all keys of a multi-Region set."""
    for each in (key, *keys.relatives(ctx, key)):
        new = Material(material.id, material.wrapped, material.created_at, rotated_at=at, on_demand=on_demand)
        each.materials = [*each.materials, new]
        each.current = len(each.materials) - 1
        keep(ctx, each)


def _check_rotatable(key: Key) -> None:
    """UnsupportedOperationException for asymmetric and HMAC keys, and for imported material."""
    if not key.symmetric:
        raise WRONG_SPEC(arn=key.arn, spec=key.spec)
    if key.origin != AWS_KMS:
        raise WRONG_ORIGIN(arn=key.arn, origin=key.origin)
    if key.multi_region and not key.primary:
        raise NOT_PRIMARY(arn=key.arn)


@operation
def enable_key_rotation(ctx: Context, request: t.EnableKeyRotationRequest) -> None:
    """Rotate the key every so many days from now on, 365 unless given or set before."""
    key = permissions.get(ctx, request["KeyId"])
    _check_rotatable(key)
    check_enabled(ctx, key)
    days = request.get("RotationPeriodInDays") or key.rotation_days or PERIOD_DAYS
    if days == key.rotation_days:
        return
    _set_period(ctx, key, days)
    schedule(ctx, key)


@operation
def disable_key_rotation(ctx: Context, request: t.DisableKeyRotationRequest) -> None:
    """Rotate the key no more by itself."""
    key = permissions.get(ctx, request["KeyId"])
    _check_rotatable(key)
    check_enabled(ctx, key)
    _set_period(ctx, key, 0)


def _set_period(ctx: Context, key: Key, days: int) -> None:
    for each in (key, *keys.relatives(ctx, key)):
        each.rotation_days = days
        each.next_rotation_at = ctx.now() + days * DAY_S if days else 0.0
        keep(ctx, each)


@operation
def get_key_rotation_status(ctx: Context, request: t.GetKeyRotationStatusRequest) -> t.GetKeyRotationStatusResponse:
    """Whether and when the key rotates by itself. A key that waits for its deletion does not."""
    key = permissions.get(ctx, request["KeyId"], foreign=True)
    if not key.symmetric:
        raise WRONG_SPEC(arn=key.arn, spec=key.spec)
    answer: t.GetKeyRotationStatusResponse = {
        "KeyId": key.arn,
        "KeyRotationEnabled": bool(key.rotation_days) and not key.deletion_days,
    }
    if answer["KeyRotationEnabled"]:
        answer["RotationPeriodInDays"] = key.rotation_days
        answer["NextRotationDate"] = key.next_rotation_at
    return answer


@operation
def rotate_key_on_demand(ctx: Context, request: t.RotateKeyOnDemandRequest) -> t.RotateKeyOnDemandResponse:
    """Rotate the key now: to material of its own, or to that which was imported for it. Done when this answers."""
    key = permissions.get(ctx, request["KeyId"])
    if not key.symmetric:
        raise WRONG_SPEC(arn=key.arn, spec=key.spec)
    check_enabled(ctx, key)
    if key.multi_region and not key.primary:
        raise NOT_PRIMARY(arn=key.arn)
    if sum(material.on_demand for material in key.materials) >= ON_DEMAND_LIMIT:
        raise ROTATIONS_SPENT(arn=key.arn)
    if key.origin == EXTERNAL:
        _rotate_to_imported(ctx, key)
    else:
        material = materials.wrap(ctx, key.key_id, materials.make_secret(ctx, key.spec))
        _rotate(ctx, key, material, ctx.now(), on_demand=True)
    return {"KeyId": key.arn}


def _rotate_to_imported(ctx: Context, key: Key) -> None:
    """Only when the new material is there in every region (API reference, RotateKeyOnDemand)."""
    pending = key.pending_material()
    everywhere = (key, *keys.relatives(ctx, key))
    now = ctx.now()
    if pending is None or not pending.present(now) or not all(_has(each, pending.id, now) for each in everywhere):
        raise NOTHING_TO_ROTATE_TO(arn=key.arn)
    for each in everywhere:
        for place, material in enumerate(each.materials):
            if material.id == pending.id:
                material.pending, material.rotated_at, material.on_demand = False, now, True
                each.current = place
        keep(ctx, each)


def _has(key: Key, material_id: str, now: float) -> bool:
    material = key.material(material_id)
    return material is not None and material.present(now)


@operation
def list_key_rotations(ctx: Context, request: t.ListKeyRotationsRequest) -> t.ListKeyRotationsResponse:
    """The rotations that happened; with ALL_KEY_MATERIAL the first and the pending material as well."""
    key = permissions.get(ctx, request["KeyId"])
    if not key.symmetric:
        raise WRONG_SPEC(arn=key.arn, spec=key.spec)
    everything = request.get("IncludeKeyMaterial") == "ALL_KEY_MATERIAL"
    chosen = [each for each in enumerate(key.materials) if everything or each[1].rotated_at]
    found, more = pages.page_of(ctx, request, chosen, default=100)
    rotations: list[Any] = [_entry(ctx, key, place, material) for place, material in found]
    return {"Rotations": rotations, **more}  # type: ignore[typeddict-item]


def _entry(ctx: Context, key: Key, place: int, material: Material) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "KeyId": key.key_id,
        "KeyMaterialId": material.id,
        "KeyMaterialState": _state(ctx, key, place, material),
    }
    if key.origin == EXTERNAL:
        present = material.present(ctx.now())
        entry["ImportState"] = "IMPORTED" if present else "PENDING_IMPORT"
        if material.description:
            entry["KeyMaterialDescription"] = material.description
        if present:
            entry["ExpirationModel"] = keys.expiration_model(material)
            if material.expires_at:
                entry["ValidTo"] = material.expires_at
    if material.rotated_at:
        entry["RotationDate"] = material.rotated_at
        entry["RotationType"] = "ON_DEMAND" if material.on_demand else "AUTOMATIC"
    return entry


def _state(ctx: Context, key: Key, place: int, material: Material) -> str:
    if not material.pending:
        return "CURRENT" if place == key.current else "NON_CURRENT"
    relatives = keys.relatives(ctx, key)
    if all(_has(each, material.id, ctx.now()) for each in relatives):
        return "PENDING_ROTATION"
    return "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"
