"""AWS's own host names, which lead to the cloud, and the certificates that clients trust then."""

from __future__ import annotations

import base64
import hashlib
import struct
from pathlib import Path

ADDRESS = "127.65.87.83"  # "AWS" in the loopback network; nothing listens there
SUFFIXES = ("amazonaws.com", "amazonaws.com.cn", "api.aws", "on.aws", "amazoncognito.com", "cloudfront.net")
PORTS = (443, 80)
LOCAL = {"localhost": "127.0.0.1", "127.0.0.1": "127.0.0.1"}
"""This machine: SDKs put a bucket, an account or a route before the endpoint, also where that is an address."""

BUNDLES = (  # where distributions keep the certificates that every program trusts
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Alpine, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, Red Hat, Amazon Linux
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/var/lib/ca-certificates/ca-bundle.pem",
    "/etc/ssl/cert.pem",  # Alpine
)
BEGIN = b"-----BEGIN CERTIFICATE-----"
BUNDLE_VARIABLES = ("AWS_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO")
NODE_VARIABLE = "NODE_EXTRA_CA_CERTS"
"""Names certificates beside Node's own list, so the cloud's alone."""

BUNDLE, CA, JAVA_STORE = "/etc/cumulo/ca-bundle.pem", "/etc/cumulo/ca.pem", "/etc/cumulo/trust.jks"
"""Where sandboxes show the certificates. Java's runtime looks for its own (guest/java/cumulo/runtime/Main.java)."""
JAVA_PASSWORD = "changeit"  # every JVM's; there is nothing secret in it
VARIABLES = {**dict.fromkeys(BUNDLE_VARIABLES, BUNDLE), NODE_VARIABLE: CA}


def system_bundle() -> Path | None:
    """The system's file of trusted certificates."""
    return next((path for path in map(Path, BUNDLES) if path.is_file()), None)


def bundle_of(ca: bytes, files: list[Path]) -> bytes:
    """One file of trusted certificates: those of the files, and the cloud's."""
    parts = [file.read_bytes().rstrip() + b"\n" for file in files if file.is_file()]
    return b"".join(dict.fromkeys([*parts, ca]))


def java_store_of(bundle: bytes) -> bytes:
    """The same for JVMs, which read no such file: a key store in their oldest format, which all of them read.

    Source: OpenJDK, sun.security.provider.JavaKeyStore, of which the format is the only description.
    """
    found = [base64.b64decode(part.partition(b"-----END")[0]) for part in bundle.split(BEGIN)[1:]]
    data = b"\xfe\xed\xfe\xed" + struct.pack(">II", 2, len(found))
    for number, certificate in enumerate(found):
        name, kind = str(number).encode(), b"X.509"
        data += struct.pack(">IH", 2, len(name)) + name + struct.pack(">QH", 0, len(kind)) + kind
        data += struct.pack(">I", len(certificate)) + certificate
    return data + hashlib.sha1(JAVA_PASSWORD.encode("utf-16-be") + b"Mighty Aphrodite" + data).digest()
