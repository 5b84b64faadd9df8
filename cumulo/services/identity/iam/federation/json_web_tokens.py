"""JSON Web Tokens: taken apart, checked against a JSON Web Key Set, and made. No AWS calls here.

Sources: RFC 7515 (signatures), RFC 7517 (keys), RFC 7518 (algorithms), RFC 7519 (claims).
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

# The algorithms that IAM takes from a provider. Source: "Create an OpenID Connect (OIDC) identity provider in IAM".
RSA_ALGORITHMS = {"RS256": "SHA256", "RS384": "SHA384", "RS512": "SHA512"}
EC_ALGORITHMS = {
    "ES256": ("SHA256", "P-256", 32),
    "ES384": ("SHA384", "P-384", 48),
    "ES512": ("SHA512", "P-521", 66),
}


class Malformed(Exception):
    """The text is no JSON Web Token."""


class BadSignature(Exception):
    """No key has signed this token."""


class UnknownKey(Exception):
    """The key set has no key that the token could be signed with."""


class Token(msgspec.Struct, frozen=True):
    """A token taken apart. `signed` are the bytes under the signature."""

    header: dict[str, Any]
    claims: dict[str, Any]
    signed: bytes
    signature: bytes


def encode(data: bytes) -> str:
    """base64url without padding."""
    return urlsafe_b64encode(data).decode().rstrip("=")


def decode(text: str) -> bytes:
    """The bytes of base64url without padding. Raises Malformed."""
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise Malformed from None


def parse(text: str) -> Token:
    """Take a token apart; nothing is checked yet. Raises Malformed."""
    parts = text.split(".")
    if len(parts) != 3:
        raise Malformed
    try:
        header = msgspec.json.decode(decode(parts[0]), type=dict[str, Any])
        claims = msgspec.json.decode(decode(parts[1]), type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Malformed from None
    return Token(header, claims, f"{parts[0]}.{parts[1]}".encode(), decode(parts[2]))


def verify(token: Token, keys: Sequence[dict[str, Any]]) -> None:
    """Check the signature with the key that the token names. Raises UnknownKey, BadSignature."""
    algorithm = token.header.get("alg")
    wanted = "RSA" if algorithm in RSA_ALGORITHMS else "EC" if algorithm in EC_ALGORITHMS else None
    if wanted is None:
        raise BadSignature
    named = token.header.get("kid")
    fitting = [
        key
        for key in keys
        if key.get("kty") == wanted
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and (named is None or key.get("kid") == named)
    ]
    if not fitting:
        raise UnknownKey
    if not any(_holds(token, str(algorithm), key) for key in fitting):
        raise BadSignature


def _number(text: Any) -> int:
    return int.from_bytes(decode(text), "big") if isinstance(text, str) else 0


def _holds(token: Token, algorithm: str, key: dict[str, Any]) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    try:
        if algorithm in RSA_ALGORITHMS:
            public = rsa.RSAPublicNumbers(_number(key.get("e")), _number(key.get("n"))).public_key()
            digest = getattr(hashes, RSA_ALGORITHMS[algorithm])()
            public.verify(token.signature, token.signed, padding.PKCS1v15(), digest)
            return True
        name, curve_name, size = EC_ALGORITHMS[algorithm]
        if key.get("crv") != curve_name or len(token.signature) != 2 * size:
            return False
        curves: dict[str, ec.EllipticCurve] = {
            "P-256": ec.SECP256R1(),
            "P-384": ec.SECP384R1(),
            "P-521": ec.SECP521R1(),
        }
        point = ec.EllipticCurvePublicNumbers(_number(key.get("x")), _number(key.get("y")), curves[curve_name])
        halves = token.signature[:size], token.signature[size:]
        in_der = encode_dss_signature(*(int.from_bytes(half, "big") for half in halves))
        point.public_key().verify(in_der, token.signed, ec.ECDSA(getattr(hashes, name)()))
    except (InvalidSignature, ValueError, Malformed):
        return False
    return True


def sign(claims: dict[str, Any], algorithm: str, key_id: str, private_key: Any) -> str:
    """A token with these claims, signed with RS256 or ES384."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    header = {"alg": algorithm, "kid": key_id, "typ": "JWT"}
    signed = f"{encode(msgspec.json.encode(header))}.{encode(msgspec.json.encode(claims))}"
    if algorithm in RSA_ALGORITHMS:
        digest = getattr(hashes, RSA_ALGORITHMS[algorithm])()
        signature = private_key.sign(signed.encode(), padding.PKCS1v15(), digest)
    else:
        name, _, size = EC_ALGORITHMS[algorithm]
        halves = decode_dss_signature(private_key.sign(signed.encode(), ec.ECDSA(getattr(hashes, name)())))
        signature = b"".join(half.to_bytes(size, "big") for half in halves)
    return f"{signed}.{encode(signature)}"


def public_key_document(public_key: Any, key_id: str, algorithm: str) -> dict[str, str]:
    """A public key as a JSON Web Key."""
    numbers = public_key.public_numbers()
    document = {"kid": key_id, "use": "sig", "alg": algorithm}
    if algorithm in RSA_ALGORITHMS:
        modulus = numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big")
        exponent = numbers.e.to_bytes((numbers.e.bit_length() + 7) // 8, "big")
        return {**document, "kty": "RSA", "n": encode(modulus), "e": encode(exponent)}
    _, curve, size = EC_ALGORITHMS[algorithm]
    point = {"x": encode(numbers.x.to_bytes(size, "big")), "y": encode(numbers.y.to_bytes(size, "big"))}
    return {**document, "kty": "EC", "crv": curve, **point}
