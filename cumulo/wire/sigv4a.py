"""SigV4A, the form of Signature Version 4 that holds in more than one region: AWS4-ECDSA-P256-SHA256.

The signer derives a P-256 key pair from its access key and signs with the private half. Whoever knows the secret can
derive the public half, which is all that is done here. The credential scope names no region; X-Amz-Region-Set does,
with names and wildcards (`us-*`, `*`).
Source: IAM User Guide, "AWS Signature Version 4 for API requests", "How AWS SigV4 and SigV4a work"; the derivation is
NIST SP 800-108's KDF in counter mode, as the AWS Common Runtime has it (aws-c-auth, key_derivation.c).
"""

from __future__ import annotations

import hmac
import re
from fnmatch import fnmatchcase
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

ALGORITHM = "AWS4-ECDSA-P256-SHA256"
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of the curve's base point
_REGIONS = re.compile(r"[a-z0-9*-]{1,64}(?:, *[a-z0-9*-]{1,64})*\Z", re.ASCII)
_SIGNATURE = re.compile(r"(?:[0-9a-f]{2}){8,72}\Z", re.ASCII)


def private_value(access_key_id: str, secret: str) -> int:
    """The private key that belongs to an access key: a number below the order of the curve."""
    key = b"AWS4A" + secret.encode()
    for counter in range(1, 255):
        context = access_key_id.encode() + bytes((counter,))
        fixed = b"\0\0\0\1" + ALGORITHM.encode() + b"\0" + context + (256).to_bytes(4, "big")
        candidate = int.from_bytes(hmac.digest(key, fixed, "sha256"), "big")
        if candidate <= _ORDER - 2:
            return candidate + 1
    raise ValueError("no key can be derived")  # once in 2^8000 keys


@lru_cache(maxsize=1024)
def public_key(access_key_id: str, secret: str) -> EllipticCurvePublicKey:
    """The public key of an access key; kept, since deriving it costs as much as a verification."""
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.derive_private_key(private_value(access_key_id, secret), ec.SECP256R1()).public_key()


def signs(access_key_id: str, secret: str, string_to_sign: str, signature: str) -> bool:
    """Whether this is the access key's signature (DER in hexadecimal) of the text."""
    if not _SIGNATURE.match(signature):
        return False
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, utils

    digest = sha256(string_to_sign.encode()).digest()
    try:
        known = public_key(access_key_id, secret)
        known.verify(bytes.fromhex(signature), digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
    except InvalidSignature:
        return False
    return True


def is_region_set(text: str) -> bool:
    """Whether this can be an X-Amz-Region-Set: names of regions, with wildcards, between commas."""
    return _REGIONS.match(text) is not None


def covers(region_set: str, region: str) -> bool:
    """Whether a region belongs to the set."""
    for pattern in region_set.replace(" ", "").split(","):
        if pattern == region or pattern == "*":
            return True
        if "*" in pattern and fnmatchcase(region, pattern):
            return True
    return False


def region_of(region_set: str, host_region: str) -> str:
    """The region that a request is for: its host's, or else the first that the set names in full; "" for none."""
    if host_region:
        return host_region
    names = region_set.replace(" ", "").split(",")
    return next((name for name in names if name and "*" not in name), "")
