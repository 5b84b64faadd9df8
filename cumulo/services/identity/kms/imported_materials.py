"""Material that customers make themselves: GetParametersForImport, ImportKeyMaterial, DeleteImportedKeyMaterial.

Nothing is kept between the first two: the import token holds the private wrapping key, sealed by the root key.
Sources: Developer Guide, "Import key material"; API reference; texts as AWS was seen to answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.errors import not_implemented
from cumulo.core.operation import operation, task
from cumulo.services.identity.kms import keys, materials, permissions
from cumulo.services.identity.kms.errors import (
    ANOTHER_PENDING,
    EXPIRED_IMPORT_TOKEN,
    INCORRECT_MATERIAL,
    INVALID_CIPHERTEXT,
    INVALID_IMPORT_TOKEN,
    UNSUPPORTED,
    VALIDATION,
    WRONG_ORIGIN,
)
from cumulo.services.identity.kms.keys import DAY_S, EXTERNAL, Key, check_not_deleted, keep
from cumulo.services.identity.kms.materials import Material
from cumulo.services.identity.kms.private_keys import off_loop
from cumulo.services.identity.kms.root_keys import NONCE_BYTES, root_key
from cumulo.services.identity.kms.specs import SPECS

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import kms as t

TOKEN_LASTS_S = DAY_S
LONGEST_S = 365 * DAY_S
NEW, EXISTING = "NEW_KEY_MATERIAL", "EXISTING_KEY_MATERIAL"
_PURPOSE = b"kms import token "


class _Token(msgspec.Struct, array_like=True):
    algorithm: str
    valid_to: float
    private: bytes


def _external(key: Key) -> Key:
    if key.origin != EXTERNAL:
        raise WRONG_ORIGIN(arn=key.arn, origin=key.origin)
    check_not_deleted(key)
    return key


@operation
async def get_parameters_for_import(
    ctx: Context, request: t.GetParametersForImportRequest
) -> t.GetParametersForImportResponse:
    """A public key to wrap material with, and the token that must come with it within 24 hours."""
    algorithm, spec = request["WrappingAlgorithm"], request["WrappingKeySpec"]

    def check(ctx: Context) -> str:
        key = _external(permissions.get(ctx, request["KeyId"]))
        if spec == "SM2" or algorithm == "SM2PKE":
            raise not_implemented("kms", "GetParametersForImport", "SM2")
        if algorithm == "RSAES_PKCS1_V1_5":  # AWS gave it up in October 2023 (API reference)
            raise UNSUPPORTED(f"The wrapping algorithm {algorithm} is no longer supported.")
        if SPECS[key.spec].family == "rsa" and not algorithm.startswith("RSA_AES_KEY_WRAP"):
            raise UNSUPPORTED(f"The wrapping algorithm {algorithm} cannot wrap material of key spec {key.spec}.")
        return key.arn

    await ctx.transact(check)
    private, public = await ctx.in_thread(lambda: materials.make_pair(spec))

    def answer(ctx: Context) -> t.GetParametersForImportResponse:
        key = _external(permissions.get(ctx, request["KeyId"]))
        valid_to = ctx.now() + TOKEN_LASTS_S
        token = msgspec.msgpack.encode(_Token(algorithm, valid_to, private))
        sealed = root_key(ctx).wrap(token, _PURPOSE + key.arn.encode(), ctx.random_bytes(NONCE_BYTES))
        return {
            "KeyId": key.arn,
            "ImportToken": sealed,
            "PublicKey": public,
            "ParametersValidTo": valid_to,
        }

    return await ctx.transact(answer)


@operation
def import_key_material(ctx: Context, request: t.ImportKeyMaterialRequest) -> t.ImportKeyMaterialResponse:
    """Give a key its material, give it back what was deleted or expired, or bring the next to rotate to."""
    key, _ = _importing(ctx, request)
    spec, wrapped = key.spec, request["EncryptedKeyMaterial"]
    parameters = _parameters(ctx, key, request["ImportToken"])

    def unwrap() -> tuple[bytes, bytes]:
        secret = _unwrap(parameters, wrapped)
        return secret, materials.check_imported(spec, secret)

    raise off_loop(unwrap, lambda ctx, unwrapped: _import(ctx, request, *unwrapped))


def _importing(ctx: Context, request: t.ImportKeyMaterialRequest) -> tuple[Key, float]:
    """The key of an import, found and authorized, and when the material shall expire."""
    model = request.get("ExpirationModel", "KEY_MATERIAL_EXPIRES")
    more: dict[str, Any] = {"kms:ExpirationModel": model}
    if "ValidTo" in request:
        more["kms:ValidTo"] = request["ValidTo"]
    key = _external(permissions.get(ctx, request["KeyId"], more=more))
    return key, _expiry(ctx, request, model)


def _import(
    ctx: Context, request: t.ImportKeyMaterialRequest, secret: bytes, public: bytes
) -> t.ImportKeyMaterialResponse:
    key, expires_at = _importing(ctx, request)
    new = materials.wrap(ctx, key.key_id, secret)
    new.expires_at = expires_at
    if key.symmetric:
        _place_symmetric(ctx, key, new, request)
    else:
        _place_only(key, new, request)
        key.public = public
    keep(ctx, key)
    if expires_at:
        payload = {"account": key.account, "region": key.region, "key_id": key.key_id, "material_id": new.id}
        ctx.later(expire_material, payload, at=expires_at)
    return {"KeyId": key.arn, "KeyMaterialId": new.id} if key.symmetric else {"KeyId": key.arn}


def _expiry(ctx: Context, request: Mapping[str, Any], model: str) -> float:
    valid_to = request.get("ValidTo")
    if model == "KEY_MATERIAL_DOES_NOT_EXPIRE":
        if valid_to is not None:
            raise VALIDATION("A validTo date must not be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE")
        return 0.0
    if valid_to is None:
        raise VALIDATION("A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES")
    expires_at = float(valid_to.timestamp() if hasattr(valid_to, "timestamp") else valid_to)
    if not ctx.now() < expires_at <= ctx.now() + LONGEST_S:
        raise VALIDATION("The validTo date must be in the future, and at most 365 days away")
    return expires_at


def _parameters(ctx: Context, key: Key, token: bytes) -> _Token:
    """What an import token says. InvalidImportTokenException, ExpiredImportTokenException."""
    try:
        opened = root_key(ctx).open(token, _PURPOSE + key.arn.encode())
    except ValueError:
        raise INVALID_IMPORT_TOKEN() from None
    parameters = msgspec.msgpack.decode(opened, type=_Token)
    if parameters.valid_to <= ctx.now():
        raise EXPIRED_IMPORT_TOKEN()
    return parameters


def _unwrap(parameters: _Token, wrapped: bytes) -> bytes:
    """The material, or InvalidCiphertextException."""
    from cryptography.hazmat.primitives import hashes, keywrap
    from cryptography.hazmat.primitives.asymmetric import padding

    digest = hashes.SHA1() if parameters.algorithm.endswith("_SHA_1") else hashes.SHA256()
    private = materials.private_key(parameters.private)
    scheme = padding.OAEP(padding.MGF1(digest), digest, None)
    try:
        if parameters.algorithm.startswith("RSAES_OAEP"):
            return bytes(private.decrypt(wrapped, scheme))
        # An AES key under RSA, then the material under that key (RFC 5649).
        length = private.key_size // 8
        aes = private.decrypt(wrapped[:length], scheme)
        return bytes(keywrap.aes_key_unwrap_with_padding(aes, wrapped[length:]))
    except (ValueError, keywrap.InvalidUnwrap):
        raise INVALID_CIPHERTEXT() from None


def _place_only(key: Key, new: Material, request: Mapping[str, Any]) -> None:
    """Asymmetric and HMAC keys have one material for ever."""
    for member in ("ImportType", "KeyMaterialDescription", "KeyMaterialId"):
        if member in request:
            raise VALIDATION(f"{member} is supported only for symmetric encryption keys.")
    if key.materials and key.materials[0].id != new.id:
        raise INCORRECT_MATERIAL("The key material differs from the material that was imported before.")
    key.materials, key.current = [new], 0


def _place_symmetric(ctx: Context, key: Key, new: Material, request: Mapping[str, Any]) -> None:
    known = key.material(new.id)
    wanted = request.get("KeyMaterialId")
    kind = request.get("ImportType", EXISTING if key.materials else NEW)
    if kind == NEW:
        if wanted is not None:
            raise VALIDATION("KeyMaterialId cannot be set if the ImportType is NEW_KEY_MATERIAL")
        if key.multi_region and not key.primary:
            raise UNSUPPORTED(
                f"New key material must be imported into the multi-region primary key of {key.arn} first."
            )
        if known is None:
            _add_new(key, new, request)
            return
    elif known is None or (wanted is not None and wanted != new.id):
        primary = _primary_material(ctx, key, new.id)
        if primary is None or (wanted is not None and wanted != new.id):
            raise INCORRECT_MATERIAL("The key material differs from the material that was imported before.")
        new.pending, new.description = primary.pending, primary.description
        new.rotated_at, new.on_demand = primary.rotated_at, primary.on_demand
        key.materials = [*key.materials, new]
        if not new.pending:
            key.current = len(key.materials) - 1
        known = new
    known.wrapped, known.expires_at = new.wrapped, new.expires_at
    known.description = request.get("KeyMaterialDescription", known.description)


def _add_new(key: Key, new: Material, request: Mapping[str, Any]) -> None:
    pending = key.pending_material()
    if pending is not None:
        raise ANOTHER_PENDING(arn=key.arn, new=new.id, pending=pending.id)
    new.description = request.get("KeyMaterialDescription", "")
    new.pending = key.current >= 0
    key.materials = [*key.materials, new]
    if not new.pending:
        key.current = 0


def _primary_material(ctx: Context, key: Key, material_id: str) -> Material | None:
    """The material of this id in the primary key of a replica."""
    if not key.multi_region or key.primary:
        return None
    primary = keys.peek(ctx, key.account, key.primary_region, key.key_id)
    return primary.material(material_id) if primary is not None else None


@operation
def delete_imported_key_material(
    ctx: Context, request: t.DeleteImportedKeyMaterialRequest
) -> t.DeleteImportedKeyMaterialResponse:
    """Forget material: the key waits until the same is imported again."""
    key = _external(permissions.get(ctx, request["KeyId"]))
    wanted = request.get("KeyMaterialId")
    material = key.material(wanted) if wanted else key.materials[key.current] if key.current >= 0 else None
    if wanted and material is None:
        raise INCORRECT_MATERIAL(f"The key {key.arn} has no key material with id {wanted}.")
    if material is not None:
        material.wrapped, material.expires_at = b"", 0.0
        keep(ctx, key)
    answer: t.DeleteImportedKeyMaterialResponse = {"KeyId": key.arn}
    if material is not None and key.symmetric:
        answer["KeyMaterialId"] = material.id
    return answer


@task
def expire_material(ctx: Context, payload: dict[str, Any]) -> None:
    """Forget material whose time is over. It counts for nothing from that moment on, this task or not."""
    key = keys.peek(ctx, payload["account"], payload["region"], payload["key_id"])
    material = key.material(payload["material_id"]) if key is not None else None
    if key is not None and material is not None and 0 < material.expires_at <= ctx.now():
        material.wrapped = b""
        keep(ctx, key)
