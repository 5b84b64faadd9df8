"""Server certificates: for load balancers and distributions that cannot use ACM.

Source: "Manage server certificates in IAM" (IAM User Guide). The private key is kept, and never told again.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from cumulo.core.operation import operation
from cumulo.core.table import ACCOUNT, Record, Table
from cumulo.services.identity.iam import counters, pages, permissions, unique_ids
from cumulo.services.identity.iam.credentials import certificates
from cumulo.services.identity.iam.errors import (
    ENTITY_ALREADY_EXISTS,
    NO_SUCH_ENTITY,
)
from cumulo.services.identity.iam.names import check_name, check_path
from cumulo.services.identity.iam.tag_rules import check_tags, laid_over, listed_tags, shown_tags, without

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import iam as t


class ServerCertificate(Record):
    """One certificate: leaf, key and chain as they were uploaded. `expires_at` is the leaf's."""

    name: str
    path: str
    certificate_id: str
    body: str
    private_key: str
    chain: str
    uploaded_at: float
    expires_at: float
    tags: dict[str, str] = {}


SERVER_CERTIFICATES = Table(ServerCertificate, name="iam.server_certificates", key="name", scope=ACCOUNT)


def arn_of(ctx: Context, path: str, name: str) -> str:
    """The ARN of a certificate."""
    return permissions.arn_of(ctx, "server-certificate", path, name)


def _get(ctx: Context, name: str) -> ServerCertificate:
    certificate = SERVER_CERTIFICATES.peek(ctx, name)
    path = certificate.path if certificate is not None else "/"
    permissions.ask(ctx, arn_of(ctx, path, name), tags=certificate.tags if certificate is not None else None)
    if certificate is None:
        raise NO_SUCH_ENTITY(f"The Server Certificate with name {name} cannot be found.")
    return certificate


def _metadata(ctx: Context, certificate: ServerCertificate) -> t.ServerCertificateMetadata:
    return {
        "Path": certificate.path,
        "ServerCertificateName": certificate.name,
        "ServerCertificateId": certificate.certificate_id,
        "Arn": arn_of(ctx, certificate.path, certificate.name),
        "UploadDate": certificate.uploaded_at,
        "Expiration": certificate.expires_at,
    }


@operation
def upload_server_certificate(
    ctx: Context, request: t.UploadServerCertificateRequest
) -> t.UploadServerCertificateResponse:
    name = check_name(request["ServerCertificateName"], "serverCertificateName")
    path = check_path(request.get("Path"))
    permissions.ask(ctx, arn_of(ctx, path, name))
    given = check_tags(request.get("Tags"))
    leaf = certificates.parse(request["CertificateBody"])
    certificates.check_pair(leaf, certificates.parse_key(request["PrivateKey"]))
    chain = request.get("CertificateChain", "")
    if chain:
        certificates.check_chain(leaf, chain)
    if SERVER_CERTIFICATES.peek(ctx, name) is not None:
        raise ENTITY_ALREADY_EXISTS(f"The Server Certificate with name {name} already exists.")
    counters.add(ctx, "ServerCertificates")
    certificate = ServerCertificate(
        name,
        path,
        unique_ids.new_unique_id(ctx, unique_ids.CERTIFICATE),
        request["CertificateBody"].strip(),
        request["PrivateKey"],
        chain.strip(),
        ctx.now(),
        leaf.not_valid_after_utc.timestamp(),
        given,
    )
    SERVER_CERTIFICATES.put(ctx, certificate)
    answer: t.UploadServerCertificateResponse = {"ServerCertificateMetadata": _metadata(ctx, certificate)}
    if given:
        answer["Tags"] = shown_tags(given)
    return answer


@operation
def get_server_certificate(ctx: Context, request: t.GetServerCertificateRequest) -> t.GetServerCertificateResponse:
    certificate = _get(ctx, request["ServerCertificateName"])
    shown: t.ServerCertificate = {
        "ServerCertificateMetadata": _metadata(ctx, certificate),
        "CertificateBody": certificate.body,
        "Tags": shown_tags(certificate.tags),
    }
    if certificate.chain:
        shown["CertificateChain"] = certificate.chain
    return {"ServerCertificate": shown}


@operation
def list_server_certificates(
    ctx: Context, request: t.ListServerCertificatesRequest
) -> t.ListServerCertificatesResponse:
    answer: t.ListServerCertificatesResponse = pages.below_path(
        ctx, SERVER_CERTIFICATES, request, "ServerCertificateMetadataList", partial(_metadata, ctx)
    )
    return answer


@operation
def update_server_certificate(ctx: Context, request: t.UpdateServerCertificateRequest) -> None:
    """Rename or move: AWS asks for permission on both the old name and the new."""
    certificate = _get(ctx, request["ServerCertificateName"])
    name = check_name(request.get("NewServerCertificateName", certificate.name), "newServerCertificateName")
    path = check_path(request.get("NewPath", certificate.path), "newPath")
    permissions.ask(ctx, arn_of(ctx, path, name))
    if name != certificate.name:
        if SERVER_CERTIFICATES.peek(ctx, name) is not None:
            raise ENTITY_ALREADY_EXISTS(f"The Server Certificate with name {name} already exists.")
        SERVER_CERTIFICATES.delete(ctx, certificate)
    certificate.name, certificate.path = name, path
    SERVER_CERTIFICATES.put(ctx, certificate)


@operation
def delete_server_certificate(ctx: Context, request: t.DeleteServerCertificateRequest) -> None:
    SERVER_CERTIFICATES.delete(ctx, _get(ctx, request["ServerCertificateName"]))
    counters.add(ctx, "ServerCertificates", -1)


@operation
def tag_server_certificate(ctx: Context, request: t.TagServerCertificateRequest) -> None:
    certificate = _get(ctx, request["ServerCertificateName"])
    certificate.tags = laid_over(certificate.tags, request["Tags"], "TagsPerServerCertificate")
    SERVER_CERTIFICATES.put(ctx, certificate)


@operation
def untag_server_certificate(ctx: Context, request: t.UntagServerCertificateRequest) -> None:
    certificate = _get(ctx, request["ServerCertificateName"])
    certificate.tags = without(certificate.tags, request["TagKeys"])
    SERVER_CERTIFICATES.put(ctx, certificate)


@operation
def list_server_certificate_tags(
    ctx: Context, request: t.ListServerCertificateTagsRequest
) -> t.ListServerCertificateTagsResponse:
    certificate = _get(ctx, request["ServerCertificateName"])
    answer: t.ListServerCertificateTagsResponse = listed_tags(ctx, certificate.tags, request)
    return answer
