"""Secrets that two parties agree on: DeriveSharedSecret (ECDH), Encapsulate and Decapsulate (ML-KEM)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.operation import operation
from cumulo.services.identity.kms import materials, permissions, specs
from cumulo.services.identity.kms.errors import INVALID_CIPHERTEXT, VALIDATION

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import kms as t


@operation(unsupported=("Recipient",))
def derive_shared_secret(ctx: Context, request: t.DeriveSharedSecretRequest) -> t.DeriveSharedSecretResponse:
    """The x coordinate that our private key and the other's public key give (SP 800-56A, 5.7.1.2)."""
    from cryptography.hazmat.primitives.asymmetric import ec

    algorithm = request["KeyAgreementAlgorithm"]
    key = permissions.use(ctx, request, specs.KEY_AGREEMENT, algorithm)
    try:
        other = materials.public_key(request["PublicKey"])
    except Exception:  # the library raises many kinds for bytes that are no key
        raise VALIDATION("The public key is not a valid DER-encoded X.509 public key.") from None
    private = materials.private_key(materials.open_(ctx, key.key_id, key.materials[key.current]))
    if not isinstance(other, ec.EllipticCurvePublicKey) or other.curve.name != private.curve.name:
        raise VALIDATION(f"The public key is not a point on the curve of key spec {key.spec}.")
    permissions.finish(ctx, request, key)
    return {
        "KeyId": key.arn,
        "SharedSecret": bytes(private.exchange(ec.ECDH(), other)),
        "KeyAgreementAlgorithm": algorithm,
        "KeyOrigin": key.origin,
    }


@operation
def encapsulate(ctx: Context, request: t.EncapsulateRequest) -> t.EncapsulateResponse:
    """A new shared secret, and the ciphertext from which the holder of the private key gets it."""
    algorithm = request["EncapsulationAlgorithm"]
    key = permissions.use(ctx, request, specs.ENCAPSULATE_DECAPSULATE, algorithm)
    permissions.finish(ctx, request, key)
    secret, ciphertext = materials.public_key(key.public).encapsulate()
    return {
        "KeyId": key.arn,
        "SharedSecret": secret,
        "SharedSecretCiphertextBlob": ciphertext,
        "EncapsulationAlgorithm": algorithm,
    }


@operation
def decapsulate(ctx: Context, request: t.DecapsulateRequest) -> t.DecapsulateResponse:
    """The shared secret in a ciphertext; one for another key gives another secret, not an error (FIPS 203)."""
    algorithm = request["EncapsulationAlgorithm"]
    key = permissions.use(ctx, request, specs.ENCAPSULATE_DECAPSULATE, algorithm)
    permissions.finish(ctx, request, key)
    private = materials.private_key(materials.open_(ctx, key.key_id, key.materials[key.current]))
    try:
        secret = bytes(private.decapsulate(request["SharedSecretCiphertextBlob"]))
    except ValueError:  # its length is not that of the key spec
        raise INVALID_CIPHERTEXT() from None
    return {"KeyId": key.arn, "SharedSecret": secret, "EncapsulationAlgorithm": algorithm}
