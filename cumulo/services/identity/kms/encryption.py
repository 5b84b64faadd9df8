"""Encrypt, Decrypt and ReEncrypt, and what seals data keys.

Sources: API reference, Encrypt, Decrypt, ReEncrypt; the order of checks and the texts as AWS was seen to answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.identity.kms import ciphertexts, grants, key_ids, keys, materials, permissions, specs
from cumulo.services.identity.kms.errors import (
    DRY_RUN,
    INCORRECT_KEY,
    INVALID_CIPHERTEXT,
    NOT_REACHABLE,
    VALIDATION,
)
from cumulo.services.identity.kms.keys import Key
from cumulo.services.identity.kms.materials import Material
from cumulo.services.identity.kms.private_keys import off_loop

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import kms as t

IGNORE_CIPHERTEXT = "IGNORE_CIPHERTEXT"


def seal(ctx: Context, key: Key, plaintext: bytes, context: Mapping[str, str] | None) -> bytes:
    """A ciphertext under the current material of a symmetric key."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    material = key.materials[key.current]
    head = ciphertexts.write_header(ciphertexts.Header(key.account, key.region, key.key_id, material.id))
    nonce = ctx.random_bytes(ciphertexts.NONCE_BYTES)
    cipher = AESGCM(materials.open_(ctx, key.key_id, material))
    return head + nonce + bytes(cipher.encrypt(nonce, plaintext, ciphertexts.additional_data(head, context)))


def _open(
    ctx: Context, key: Key, sealed: ciphertexts.Ciphertext, context: Mapping[str, str] | None
) -> tuple[bytes, Material]:
    """The plaintext, or InvalidCiphertextException: changed, or another encryption context."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    material = key.material(sealed.header.material_id)
    if material is None or not material.present(ctx.now()):
        raise INVALID_CIPHERTEXT()
    cipher = AESGCM(materials.open_(ctx, key.key_id, material))
    try:
        associated = ciphertexts.additional_data(sealed.head, context)
        return bytes(cipher.decrypt(sealed.nonce, sealed.body, associated)), material
    except InvalidTag:
        raise INVALID_CIPHERTEXT() from None


def _oaep(algorithm: str) -> Any:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    digest = hashes.SHA1() if algorithm.endswith("_SHA_1") else hashes.SHA256()
    return padding.OAEP(padding.MGF1(digest), digest, None)


def _encrypt(ctx: Context, key: Key, algorithm: str, plaintext: bytes, context: Mapping[str, str] | None) -> bytes:
    if algorithm == specs.SYMMETRIC:
        return seal(ctx, key, plaintext, context)
    # Twice the digest and two bytes go to the padding (RFC 8017, 7.1.1).
    room = specs.SPECS[key.spec].size // 8 - 2 * (20 if algorithm.endswith("_SHA_1") else 32) - 2
    if len(plaintext) > room:
        raise VALIDATION(f"Algorithm {algorithm} and key spec {key.spec} cannot encrypt data larger than {room} bytes.")
    return bytes(materials.public_key(key.public).encrypt(plaintext, _oaep(algorithm)))


def _decrypt_rsa(secret: bytes, algorithm: str, ciphertext: bytes) -> bytes:
    try:
        return bytes(materials.private_key(secret).decrypt(ciphertext, _oaep(algorithm)))
    except ValueError:
        raise INVALID_CIPHERTEXT() from None


def _check_context(algorithm: str, context: Mapping[str, str] | None) -> None:
    if context and algorithm != specs.SYMMETRIC:
        raise VALIDATION("EncryptionContext is supported only with symmetric encryption KMS keys.")


@operation
def encrypt(ctx: Context, request: t.EncryptRequest) -> t.EncryptResponse:
    """At most 4096 bytes, under a symmetric key (with an encryption context) or an RSA key."""
    algorithm, context = request.get("EncryptionAlgorithm", specs.SYMMETRIC), request.get("EncryptionContext")
    _check_context(algorithm, context)
    more = {"kms:EncryptionAlgorithm": algorithm}
    key = permissions.use(ctx, request, specs.ENCRYPT_DECRYPT, algorithm, context=context, more=more)
    permissions.finish(ctx, request, key)
    blob = _encrypt(ctx, key, algorithm, request["Plaintext"], context)
    return {"CiphertextBlob": blob, "KeyId": key.arn, "EncryptionAlgorithm": algorithm}


class _Source:
    """What is to be decrypted: the ciphertext, how, and the key that must have made it."""

    __slots__ = ("algorithm", "alias", "blob", "context", "key", "sealed")

    def __init__(
        self,
        ctx: Context,
        request: Mapping[str, Any],
        action: str,
        *,
        key_id: str,
        algorithm: str,
        context: Mapping[str, str] | None,
    ) -> None:
        """Find the key, or its error. Nothing is authorized yet."""
        self.algorithm = algorithm
        self.context = context
        self.sealed: ciphertexts.Ciphertext | None = None
        self.blob = request.get("CiphertextBlob") or b""
        _check_context(algorithm, context)
        ignored = _ignores_ciphertext(request)
        if not ignored and not self.blob:
            null = "Value null at 'ciphertextBlob' failed to satisfy constraint: Member must not be null"
            raise VALIDATION(f"1 validation error detected: {null}")
        if ignored or algorithm != specs.SYMMETRIC:
            if not key_id:
                raise VALIDATION("The key ID is required when the ciphertext does not tell which key it is under.")
            self.key, self.alias = key_ids.find(ctx, key_id, action=action)
            return
        try:
            self.sealed = ciphertexts.read(self.blob)
        except ValueError:
            raise INVALID_CIPHERTEXT() from None
        if not key_id:
            self.key, self.alias = _key_of(ctx, self.sealed.header, action), ""
            return
        self.key, self.alias = key_ids.find(ctx, key_id, action=action)
        header = self.sealed.header
        # A related multi-Region key opens it as well; any other key is the wrong one, whatever its usage.
        if (self.key.account, self.key.key_id) != (header.account, header.key_id):
            raise INCORRECT_KEY()
        if self.key.region != header.region and not self.key.multi_region:
            raise INCORRECT_KEY()

    def plaintext(self, ctx: Context, go_on: Callable[[Context, bytes], Any]) -> tuple[bytes, Material | None]:
        """What is inside, and the material that it was under, for a symmetric key.

        RSA takes milliseconds: what it gives is handed to `go_on` later, and Wait is raised here.
        """
        if self.sealed is not None:
            return _open(ctx, self.key, self.sealed, self.context)
        secret = materials.open_(ctx, self.key.key_id, self.key.materials[self.key.current])
        algorithm, blob = self.algorithm, self.blob
        raise off_loop(lambda: _decrypt_rsa(secret, algorithm, blob), go_on)


def _key_of(ctx: Context, header: ciphertexts.Header, action: str) -> Key:
    """The key that a ciphertext names, in this region; nobody is told whether there ever was one."""
    key = keys.peek(ctx, header.account, ctx.region, header.key_id)
    if key is None or (key.region != header.region and not key.multi_region):
        ctx.authorized = True
        what = "the resource associated with this ciphertext"
        raise NOT_REACHABLE(principal=ctx.principal.arn, action=f"kms:{action}", what=what)
    return key


def _ignores_ciphertext(request: Mapping[str, Any]) -> bool:
    return bool(request.get("DryRun")) and IGNORE_CIPHERTEXT in request.get("DryRunModifiers", ())


def _plaintext(
    ctx: Context,
    request: Mapping[str, Any],
    source: _Source,
    opened: bytes | None,
    go_on: Callable[[Context, bytes], Any],
) -> tuple[bytes, Material | None]:
    if opened is not None:
        return opened, None
    if _ignores_ciphertext(request):
        raise DRY_RUN()
    return source.plaintext(ctx, go_on)


@operation(unsupported=("Recipient",))
def decrypt(ctx: Context, request: t.DecryptRequest) -> t.DecryptResponse:
    """What Encrypt, ReEncrypt or the data key operations made. A symmetric ciphertext names its key itself."""
    return _decrypt(ctx, request)


def _decrypt(ctx: Context, request: t.DecryptRequest, opened: bytes | None = None) -> t.DecryptResponse:
    """All checks, and the answer; `opened` is what RSA gave in the meantime."""
    source = _Source(
        ctx,
        request,
        "Decrypt",
        key_id=request.get("KeyId", ""),
        algorithm=request.get("EncryptionAlgorithm", specs.SYMMETRIC),
        context=request.get("EncryptionContext"),
    )
    more = {"kms:EncryptionAlgorithm": source.algorithm}
    permissions.allow(ctx, source.key, alias=source.alias, context=source.context, more=more)
    grants.check_tokens(request)
    permissions.check_fit(ctx, source.key, specs.ENCRYPT_DECRYPT, source.algorithm)
    plaintext, material = _plaintext(ctx, request, source, opened, lambda ctx, made: _decrypt(ctx, request, made))
    permissions.finish(ctx, request, source.key)
    answer: t.DecryptResponse = {
        "KeyId": source.key.arn,
        "Plaintext": plaintext,
        "EncryptionAlgorithm": source.algorithm,
    }
    if material is not None:
        answer["KeyMaterialId"] = material.id
    return answer


@operation
def re_encrypt(ctx: Context, request: t.ReEncryptRequest) -> t.ReEncryptResponse:
    """From one key, context or algorithm to another; the plaintext stays here."""
    return _re_encrypt(ctx, request)


def _re_encrypt(ctx: Context, request: t.ReEncryptRequest, opened: bytes | None = None) -> t.ReEncryptResponse:
    source = _Source(
        ctx,
        request,
        "ReEncryptFrom",
        key_id=request.get("SourceKeyId", ""),
        algorithm=request.get("SourceEncryptionAlgorithm", specs.SYMMETRIC),
        context=request.get("SourceEncryptionContext"),
    )
    algorithm = request.get("DestinationEncryptionAlgorithm", specs.SYMMETRIC)
    context = request.get("DestinationEncryptionContext")
    _check_context(algorithm, context)
    target, alias = key_ids.find(ctx, request["DestinationKeyId"], action="ReEncryptTo")
    same = {"kms:ReEncryptOnSameKey": target.arn == source.key.arn}
    permissions.allow(
        ctx,
        source.key,
        alias=source.alias,
        action="ReEncryptFrom",
        context=source.context,
        more={**same, "kms:EncryptionAlgorithm": source.algorithm},
    )
    permissions.allow(
        ctx,
        target,
        alias=alias,
        action="ReEncryptTo",
        context=context,
        more={**same, "kms:EncryptionAlgorithm": algorithm},
    )
    grants.check_tokens(request)
    permissions.check_fit(ctx, source.key, specs.ENCRYPT_DECRYPT, source.algorithm)
    permissions.check_fit(ctx, target, specs.ENCRYPT_DECRYPT, algorithm)
    plaintext, material = _plaintext(ctx, request, source, opened, lambda ctx, made: _re_encrypt(ctx, request, made))
    blob = _encrypt(ctx, target, algorithm, plaintext, context)
    permissions.finish(ctx, request, source.key, target)
    answer: t.ReEncryptResponse = {
        "CiphertextBlob": blob,
        "SourceKeyId": source.key.arn,
        "KeyId": target.arn,
        "SourceEncryptionAlgorithm": source.algorithm,
        "DestinationEncryptionAlgorithm": algorithm,
    }
    if material is not None:
        answer["SourceKeyMaterialId"] = material.id
    if target.symmetric:
        answer["DestinationKeyMaterialId"] = target.materials[target.current].id
    return answer
