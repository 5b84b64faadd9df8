"""X.509 certificates and keys in PEM, read with `cryptography`. No AWS calls here.

Source: "Manage server certificates in IAM" and "Troubleshooting SSL/TLS certificates" (IAM User Guide); the texts are
those that UploadServerCertificate answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.errors import Error

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

MALFORMED_CERTIFICATE = Error(
    "MalformedCertificate", "Unable to parse certificate. Please ensure the certificate is in PEM format."
)
KEY_PAIR_MISMATCH = Error("KeyPairMismatch", "Private key does not match the certificate's public key.")
INVALID_KEY = "Invalid Private Key."
ENCRYPTED_KEY = "Unable to parse key; the body is encrypted."
BROKEN_CHAIN = (
    "Unable to validate certificate chain. The certificate chain must start with the immediate signing certificate, "
    "followed by any intermediaries in order. The index within the chain of the invalid certificate is: {index}"
)


def parse(pem: str) -> Certificate:
    """The one certificate in a PEM text. Raises MalformedCertificate."""
    from cryptography import x509

    try:
        found = x509.load_pem_x509_certificates(pem.encode("latin-1"))
    except ValueError:
        raise MALFORMED_CERTIFICATE() from None
    if len(found) != 1:
        raise MALFORMED_CERTIFICATE()
    return found[0]


def parse_key(pem: str) -> Any:
    """The private key in a PEM text, which must not be encrypted. Raises MalformedCertificate."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        # Whether it fits its certificate is asked below: whether RSA's primes are prime takes up to 200 ms to say.
        return load_pem_private_key(pem.encode("latin-1"), None, unsafe_skip_rsa_key_validation=True)
    except TypeError:
        raise MALFORMED_CERTIFICATE(ENCRYPTED_KEY) from None
    except (ValueError, UnsupportedAlgorithm):
        raise MALFORMED_CERTIFICATE(INVALID_KEY) from None


def check_pair(certificate: Certificate, key: Any) -> None:
    """Raise KeyPairMismatch unless the key is the certificate's."""
    if public_bytes(certificate.public_key()) != public_bytes(key.public_key()):
        raise KEY_PAIR_MISMATCH()


def public_bytes(key: Any) -> bytes:
    """A public key as DER SubjectPublicKeyInfo."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return bytes(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def check_chain(certificate: Certificate, chain: str) -> None:
    """Raise MalformedCertificate unless every certificate of the chain issued the one before, the first the leaf."""
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature

    try:
        issuers = x509.load_pem_x509_certificates(chain.encode("latin-1"))
    except ValueError:
        raise MALFORMED_CERTIFICATE(BROKEN_CHAIN.format(index=-1)) from None
    subject = certificate
    for index, issuer in enumerate(issuers):
        try:
            subject.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature):
            raise MALFORMED_CERTIFICATE(BROKEN_CHAIN.format(index=index - 1)) from None
        subject = issuer
