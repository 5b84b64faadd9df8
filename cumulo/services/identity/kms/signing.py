"""Sign, Verify and GetPublicKey.

Sources: API reference, Sign and Verify; Developer Guide, "Asymmetric key specs"; texts as AWS was seen to answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.identity.kms import ed25519ph, grants, keys, materials, permissions, specs
from cumulo.services.identity.kms.errors import INVALID_SIGNATURE, VALIDATION, WRONG_SPEC
from cumulo.services.identity.kms.keys import Key
from cumulo.services.identity.kms.private_keys import off_loop

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import kms as t

RAW, DIGEST, EXTERNAL_MU = "RAW", "DIGEST", "EXTERNAL_MU"
_DIGEST_BYTES = {"256": 32, "384": 48, "512": 64}
_PURE, _PREHASHED, _ML_DSA = "ED25519_SHA_512", "ED25519_PH_SHA_512", "ML_DSA_SHAKE_256"


def _use(ctx: Context, request: Mapping[str, Any]) -> Key:
    """The key of Sign or Verify, with the message fit for the algorithm."""
    algorithm, form = request["SigningAlgorithm"], request.get("MessageType", RAW)
    more = {"kms:SigningAlgorithm": algorithm, "kms:MessageType": form}
    key = permissions.use(ctx, request, specs.SIGN_VERIFY, algorithm, more=more)
    wanted = {_PURE: (RAW,), _PREHASHED: (DIGEST,), _ML_DSA: (RAW, EXTERNAL_MU)}.get(algorithm, (RAW, DIGEST))
    if form not in wanted:
        raise VALIDATION(f"MessageType {form} is not valid for algorithm {algorithm}.")
    if form != RAW:
        length = 64 if algorithm == _ML_DSA else _DIGEST_BYTES[algorithm[-3:]]
        if len(request["Message"]) != length:
            raise VALIDATION(f"Digest is invalid length for algorithm {algorithm}.")
    permissions.finish(ctx, request, key)
    return key


def _scheme(algorithm: str, form: str) -> list[Any]:
    """The arguments of RSA's and ECDSA's sign and verify, after the message."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, utils

    digest: Any = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}[algorithm[-3:]]
    hashed = utils.Prehashed(digest) if form == DIGEST else digest
    if algorithm.startswith("ECDSA"):
        return [ec.ECDSA(hashed)]
    if algorithm.startswith("RSASSA_PSS"):
        # The salt is as long as the digest (Developer Guide, "RSA key specs").
        return [padding.PSS(padding.MGF1(digest), digest.digest_size), hashed]
    return [padding.PKCS1v15(), hashed]


def _sign(secret: bytes, algorithm: str, form: str, message: bytes) -> bytes:
    private = materials.private_key(secret)
    if algorithm == _PREHASHED:
        return ed25519ph.sign(private.private_bytes_raw(), message)
    if algorithm == _PURE:
        return bytes(private.sign(message))
    if algorithm == _ML_DSA:
        return bytes(private.sign_mu(message) if form == EXTERNAL_MU else private.sign(message))
    return bytes(private.sign(message, *_scheme(algorithm, form)))


def _verify(public_der: bytes, algorithm: str, form: str, message: bytes, signature: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature

    public = materials.public_key(public_der)
    try:
        if algorithm == _PREHASHED:
            return ed25519ph.verify(public.public_bytes_raw(), signature, message)
        if algorithm == _PURE:
            public.verify(signature, message)
        elif algorithm == _ML_DSA:
            (public.verify_mu if form == EXTERNAL_MU else public.verify)(signature, message)
        else:
            public.verify(signature, message, *_scheme(algorithm, form))
    except InvalidSignature:
        return False
    return True


def _slow(key: Key, algorithm: str) -> bool:
    """Whether a private key of this kind takes milliseconds to sign."""
    return specs.SPECS[key.spec].family in ("rsa", "ml-dsa") or algorithm == _PREHASHED


@operation
def sign(ctx: Context, request: t.SignRequest) -> t.SignResponse:
    """A signature: DER for ECDSA, raw bytes for the others."""
    key = _use(ctx, request)
    secret = materials.open_(ctx, key.key_id, key.materials[key.current])
    algorithm, form, message = request["SigningAlgorithm"], request.get("MessageType", RAW), request["Message"]
    if _slow(key, algorithm):
        raise off_loop(
            lambda: _sign(secret, algorithm, form, message),
            lambda ctx, signature: _signed(_use(ctx, request), signature, algorithm),
        )
    return _signed(key, _sign(secret, algorithm, form, message), algorithm)


def _signed(key: Key, signature: bytes, algorithm: Any) -> t.SignResponse:
    return {"KeyId": key.arn, "Signature": signature, "SigningAlgorithm": algorithm}


@operation
def verify(ctx: Context, request: t.VerifyRequest) -> t.VerifyResponse:
    """True, or KMSInvalidSignatureException: AWS never answers false."""
    key = _use(ctx, request)
    algorithm, form = request["SigningAlgorithm"], request.get("MessageType", RAW)
    public, message, signature = key.public, request["Message"], request["Signature"]
    if algorithm == _PREHASHED:
        raise off_loop(
            lambda: _verify(public, algorithm, form, message, signature),
            lambda ctx, valid: _verified(_use(ctx, request), valid, algorithm),
        )
    return _verified(key, _verify(public, algorithm, form, message, signature), algorithm)


def _verified(key: Key, valid: bool, algorithm: Any) -> t.VerifyResponse:
    if not valid:
        raise INVALID_SIGNATURE()
    return {"KeyId": key.arn, "SignatureValid": True, "SigningAlgorithm": algorithm}


@operation
def get_public_key(ctx: Context, request: t.GetPublicKeyRequest) -> t.GetPublicKeyResponse:
    """The public half of an asymmetric key as SubjectPublicKeyInfo in DER."""
    key = permissions.get(ctx, request["KeyId"], alias=True, foreign=True)
    grants.check_tokens(request)
    if materials.is_secret(key.spec):
        raise WRONG_SPEC(arn=key.arn, spec=key.spec)
    keys.check_enabled(ctx, key)
    answer: dict[str, Any] = {
        "KeyId": key.arn,
        "PublicKey": key.public,
        "CustomerMasterKeySpec": key.spec,
        "KeySpec": key.spec,
        "KeyUsage": key.usage,
        specs.ALGORITHM_MEMBERS[key.usage]: list(key.algorithms),
    }
    return answer  # type: ignore[return-value]
