"""AWS's own host names, which lead to the cloud, and the certificates that clients trust then."""

from __future__ import annotations

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
BUNDLE_VARIABLES = ("AWS_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO")
NODE_VARIABLE = "NODE_EXTRA_CA_CERTS"
"""Names certificates beside Node's own list, so the cloud's alone."""

BUNDLE, CA = "/etc/cumulo/ca-bundle.pem", "/etc/cumulo/ca.pem"
"""Where sandboxes show the certificates."""
VARIABLES = {**dict.fromkeys(BUNDLE_VARIABLES, BUNDLE), NODE_VARIABLE: CA}


def system_bundle() -> Path | None:
    """The system's file of trusted certificates."""
    return next((path for path in map(Path, BUNDLES) if path.is_file()), None)


def bundle_of(ca: bytes, files: list[Path]) -> bytes:
    """One file of trusted certificates: those of the files, and the cloud's."""
    parts = [file.read_bytes().rstrip() + b"\n" for file in files if file.is_file()]
    return b"".join(dict.fromkeys([*parts, ca]))
