"""SSH public keys in the two forms that people have them: one line of OpenSSH, or PEM. No AWS calls here.

Source: UploadSSHPublicKey (API Reference): "ssh-rsa or PEM format", RSA of 2,048 bits or more;
RFC 4253 section 6.6 for the blob, whose MD5 is the fingerprint of an OpenSSH key.
"""

from __future__ import annotations

from hashlib import md5
from typing import TYPE_CHECKING

import msgspec

from cumulo.core.errors import Error

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

SHORTEST_BITS = 2048

UNRECOGNIZED = Error("UnrecognizedPublicKeyEncoding", "Invalid public key uploaded.")
INVALID_PUBLIC_KEY = Error("InvalidPublicKey", "The public key is not valid.")


class ParsedKey(msgspec.Struct, frozen=True):
    """A public key in both forms, and its fingerprint: 16 bytes in hexadecimal between colons."""

    openssh: str
    pem: str
    fingerprint: str


def parse(text: str) -> ParsedKey:
    """Read a key in either form. Raises UnrecognizedPublicKeyEncoding, InvalidPublicKey."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    data = text.strip().encode("latin-1")
    in_pem = data.startswith(b"-----BEGIN")
    load = serialization.load_pem_public_key if in_pem else serialization.load_ssh_public_key
    try:
        key = load(data)
    except (ValueError, UnsupportedAlgorithm):
        raise UNRECOGNIZED() from None
    if not isinstance(key, RSAPublicKey) or key.key_size < SHORTEST_BITS:
        raise INVALID_PUBLIC_KEY()
    return _parsed(key, text.strip(), in_pem)


def _parsed(key: RSAPublicKey, given: str, in_pem: bool) -> ParsedKey:
    from base64 import b64decode

    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    openssh = key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    blob = b64decode(openssh.split(" ")[1])
    fingerprint = md5(blob, usedforsecurity=False).hexdigest()
    pairs = ":".join(fingerprint[place : place + 2] for place in range(0, 32, 2))
    # An OpenSSH key is given back with its comment, as it came.
    return ParsedKey(openssh if in_pem else given, pem, pairs)
