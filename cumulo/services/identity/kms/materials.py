"""Key material: what a key really is. Made, wrapped for the state, opened, and checked when it is imported."""

from __future__ import annotations

import hmac
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.services.identity.kms.errors import INCORRECT_MATERIAL, INTERNAL
from cumulo.services.identity.kms.root_keys import NONCE_BYTES, root_key
from cumulo.services.identity.kms.specs import SECRET_FAMILIES, SPECS, Spec

if TYPE_CHECKING:
    from cumulo.core.context import Context

PUBLIC_EXPONENT = 65537


class Material(msgspec.Struct, array_like=True):
    """One key material of a key. Times are cloud time in seconds, 0 when there is none.

    `id` is its KeyMaterialId. `wrapped` is empty while nothing is imported. `pending`: imported, waiting for
    RotateKeyOnDemand. `rotated_at` is when it became current, unless it was the first.
    """

    id: str
    wrapped: bytes
    created_at: float
    pending: bool = False
    rotated_at: float = 0.0
    on_demand: bool = False
    expires_at: float = 0.0
    description: str = ""

    def present(self, now: float) -> bool:
        """Whether the material is here and has not expired."""
        return bool(self.wrapped) and not 0 < self.expires_at <= now


def id_of(key_id: str, secret: bytes) -> str:
    """The KeyMaterialId: the same key and material give the same id, and the id tells nothing of the material.

    Source: API reference, ImportKeyMaterial: "based on the KMS key ID and the imported key material".
    """
    return hmac.new(secret, b"kms key material " + key_id.encode(), sha256).hexdigest()


def wrap(ctx: Context, key_id: str, secret: bytes) -> Material:
    """New material, for the state."""
    material_id = id_of(key_id, secret)
    context = f"{key_id} {material_id}".encode()
    return Material(material_id, root_key(ctx).wrap(secret, context, ctx.random_bytes(NONCE_BYTES)), ctx.now())


def open_(ctx: Context, key_id: str, material: Material) -> bytes:
    """The secret: raw bytes, or PKCS #8 in DER for an asymmetric key."""
    try:
        return root_key(ctx).open(material.wrapped, f"{key_id} {material.id}".encode())
    except ValueError as error:
        raise INTERNAL(f"The material of key {key_id} cannot be opened: {error}.") from None


def is_secret(spec: str) -> bool:
    """Whether keys of this spec have raw bytes for material, and no public half."""
    return SPECS[spec].family in SECRET_FAMILIES


def make_secret(ctx: Context, spec: str) -> bytes:
    """New material of a symmetric or HMAC key."""
    return ctx.random_bytes(SPECS[spec].size // 8)


def make_pair(spec: str) -> tuple[bytes, bytes]:
    """A new key pair: (PKCS #8, SubjectPublicKeyInfo) in DER. RSA takes up to seconds: run it in a thread."""
    return _der(_new_private_key(SPECS[spec]))


def _new_private_key(spec: Spec) -> Any:
    if spec.family == "rsa":
        from cryptography.hazmat.primitives.asymmetric import rsa

        return rsa.generate_private_key(PUBLIC_EXPONENT, spec.size)
    if spec.family == "ecc":
        from cryptography.hazmat.primitives.asymmetric import ec

        return ec.generate_private_key(_curve(spec))
    if spec.family == "ed25519":
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.generate()
    return _post_quantum(spec).generate()


def _post_quantum(spec: Spec) -> Any:
    """The class of ML-DSA and ML-KEM private keys; AttributeError or ImportError where the library lacks it."""
    if spec.family == "ml-dsa":
        from cryptography.hazmat.primitives.asymmetric import mldsa

        return getattr(mldsa, f"MLDSA{spec.size}PrivateKey")
    from cryptography.hazmat.primitives.asymmetric import mlkem

    return getattr(mlkem, f"MLKEM{spec.size}PrivateKey")


def available(spec: Spec) -> bool:
    """Whether the installed `cryptography` can make keys of this spec."""
    if spec.family not in ("ml-dsa", "ml-kem"):
        return True
    try:
        return _post_quantum(spec) is not None
    except (ImportError, AttributeError):
        return False


def _curve(spec: Spec) -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec

    return (ec.SECP256K1(), ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1())[(0, 256, 384, 521).index(spec.size)]


def _der(private: Any) -> tuple[bytes, bytes]:
    from cryptography.hazmat.primitives import serialization as form

    secret = private.private_bytes(form.Encoding.DER, form.PrivateFormat.PKCS8, form.NoEncryption())
    public = private.public_key().public_bytes(form.Encoding.DER, form.PublicFormat.SubjectPublicKeyInfo)
    return secret, public


@lru_cache(maxsize=256)
def private_key(der: bytes) -> Any:
    """The private key in these bytes, which came from here: they are not checked again."""
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    return load_der_private_key(der, None, unsafe_skip_rsa_key_validation=True)


@lru_cache(maxsize=256)
def public_key(der: bytes) -> Any:
    """The public key in these bytes; ValueError when they hold none."""
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    return load_der_public_key(der)


def check_imported(spec_name: str, secret: bytes) -> bytes:
    """The public half of imported material (b"" for secrets). IncorrectKeyMaterialException unless it fits the spec.

    Source: Developer Guide, "Importing key material", step 2: lengths of symmetric and HMAC material; PKCS #8 for
    the others.
    """
    spec = SPECS[spec_name]
    if spec.family in SECRET_FAMILIES:
        if len(secret) != spec.size // 8:
            raise INCORRECT_MATERIAL(f"The key material must have {spec.size // 8} bytes.")
        return b""
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    try:
        private = load_der_private_key(secret, None)
        if not _fits(spec, private):
            raise ValueError(spec_name)
        return _der(private)[1]
    except Exception:  # the library raises many kinds for bytes that are no key
        raise INCORRECT_MATERIAL(f"The key material is not a private key of key spec {spec_name}.") from None


def _fits(spec: Spec, private: Any) -> bool:
    kind = type(private).__name__
    if spec.family == "rsa":
        return "RSA" in kind and private.key_size == spec.size
    if spec.family == "ecc":
        curve: str = getattr(getattr(private, "curve", None), "name", "")
        return bool(curve == _curve(spec).name)
    if spec.family == "ed25519":
        return "Ed25519" in kind
    return isinstance(private, _post_quantum(spec))
