"""X.509 signing certificates: what a user signs SOAP requests with. A user has two at most.

Source: "Manage signing certificates" (IAM User Guide); UploadSigningCertificate (API Reference).
"""

from __future__ import annotations

from base64 import b32encode
from typing import TYPE_CHECKING

from cumulo.core.errors import Error
from cumulo.core.operation import operation
from cumulo.core.table import ACCOUNT, Record, Table
from cumulo.services.identity.iam import pages
from cumulo.services.identity.iam.credentials import certificates
from cumulo.services.identity.iam.credentials.requested_users import user_of
from cumulo.services.identity.iam.entities import users
from cumulo.services.identity.iam.errors import INVALID_INPUT, LIMIT_EXCEEDED, NO_SUCH_ENTITY

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import iam as t

QUOTA = 2

DUPLICATE_CERTIFICATE = Error("DuplicateCertificate", "The specified certificate is already associated with this user.")
INVALID_CERTIFICATE = Error("InvalidCertificate", "The specified certificate has expired.")


class SigningCertificate(Record):
    """A certificate of one user. `fingerprint` is its SHA-256."""

    user_id: str
    certificate_id: str
    body: str
    fingerprint: bytes
    status: str
    uploaded_at: float


SIGNING_CERTIFICATES = Table(
    SigningCertificate, name="iam.signing_certificates", key=("user_id", "certificate_id"), scope=ACCOUNT
)


users.BEFORE_DELETION.append(
    (
        Error("DeleteConflictException", "Cannot delete entity, must delete signing certificates first."),
        lambda ctx, user: SIGNING_CERTIFICATES.range(ctx, user.user_id, limit=1),
    )
)


def _shown(user_name: str, certificate: SigningCertificate) -> t.SigningCertificate:
    return {
        "UserName": user_name,
        "CertificateId": certificate.certificate_id,
        "CertificateBody": certificate.body,
        "Status": certificate.status,
        "UploadDate": certificate.uploaded_at,
    }


def _find(ctx: Context, user_id: str, certificate_id: str) -> SigningCertificate:
    found = SIGNING_CERTIFICATES.peek(ctx, user_id, certificate_id)
    if found is None:
        raise NO_SUCH_ENTITY(f"The Certificate with id {certificate_id} cannot be found.")
    return found


@operation
def upload_signing_certificate(
    ctx: Context, request: t.UploadSigningCertificateRequest
) -> t.UploadSigningCertificateResponse:
    from cryptography.hazmat.primitives.hashes import SHA256

    user = user_of(ctx, request)
    parsed = certificates.parse(request["CertificateBody"])
    if parsed.not_valid_after_utc.timestamp() <= ctx.now():
        raise INVALID_CERTIFICATE()
    fingerprint = parsed.fingerprint(SHA256())
    theirs = SIGNING_CERTIFICATES.range(ctx, user.user_id)
    if any(each.fingerprint == fingerprint for each in theirs):
        raise DUPLICATE_CERTIFICATE()
    if len(theirs) >= QUOTA:
        raise LIMIT_EXCEEDED(quota="SigningCertificatesPerUser", limit=QUOTA)
    certificate = SigningCertificate(
        user.user_id,
        b32encode(ctx.random_bytes(20)).decode(),
        request["CertificateBody"].strip(),
        fingerprint,
        "Active",
        ctx.now(),
    )
    SIGNING_CERTIFICATES.put(ctx, certificate)
    return {"Certificate": _shown(user.name, certificate)}


@operation
def list_signing_certificates(
    ctx: Context, request: t.ListSigningCertificatesRequest
) -> t.ListSigningCertificatesResponse:
    user = user_of(ctx, request)
    found = SIGNING_CERTIFICATES.range(ctx, user.user_id)
    answer: t.ListSigningCertificatesResponse = pages.of_list(
        ctx, found, request, "Certificates", lambda each: _shown(user.name, each), lambda each: each.certificate_id
    )
    return answer


@operation
def update_signing_certificate(ctx: Context, request: t.UpdateSigningCertificateRequest) -> None:
    user = user_of(ctx, request)
    certificate = _find(ctx, user.user_id, request["CertificateId"])
    if request["Status"] == "Expired":  # told by IAM, never by the caller
        raise INVALID_INPUT("The status of a certificate can be set to Active or Inactive only.")
    certificate.status = request["Status"]
    SIGNING_CERTIFICATES.put(ctx, certificate)


@operation
def delete_signing_certificate(ctx: Context, request: t.DeleteSigningCertificateRequest) -> None:
    user = user_of(ctx, request)
    SIGNING_CERTIFICATES.delete(ctx, _find(ctx, user.user_id, request["CertificateId"]))
