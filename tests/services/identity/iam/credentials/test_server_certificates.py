"""Server certificates: only those that really are some get in."""

from typing import Any

import pytest

from tests.services.identity.iam.certificates import EPOCH, Made
from tests.services.identity.iam.conftest import House, document, refused


@pytest.fixture(scope="module")
def chain() -> tuple[Made, Made, Made]:
    """A root, an intermediate, and a leaf."""
    root = Made("root")
    middle = Made("middle", root)
    return root, middle, Made("example.com", middle, days=3000)


def upload(house: House, made: Made, name: str = "web", **more: Any) -> Any:
    return house.iam.upload_server_certificate(
        ServerCertificateName=name, CertificateBody=made.pem, PrivateKey=made.private(), **more
    )


def test_a_certificate_comes_and_goes(house: House, chain: tuple[Made, Made, Made]) -> None:
    root, middle, leaf = chain
    text = middle.pem + root.pem
    metadata = upload(house, leaf, Path="/cloudfront/", CertificateChain=text)["ServerCertificateMetadata"]
    assert metadata["Arn"] == house.arn("server-certificate/cloudfront/web")
    assert metadata["ServerCertificateId"].startswith("ASCA")
    assert (metadata["Expiration"] - EPOCH).days == 3000
    found = house.iam.get_server_certificate(ServerCertificateName="web")["ServerCertificate"]
    assert found["ServerCertificateMetadata"] == metadata
    assert (found["CertificateBody"], found["CertificateChain"]) == (leaf.pem.strip(), text.strip())
    assert found["Tags"] == []
    assert "PrivateKey" not in found
    assert upload_error(house, leaf) == (
        "EntityAlreadyExists", "The Server Certificate with name web already exists.", 409,
    )  # fmt: skip
    house.iam.update_server_certificate(ServerCertificateName="web", NewServerCertificateName="site", NewPath="/")
    (listed,) = house.iam.list_server_certificates()["ServerCertificateMetadataList"]
    assert listed["Arn"] == house.arn("server-certificate/site")
    assert house.iam.list_server_certificates(PathPrefix="/cloudfront/")["ServerCertificateMetadataList"] == []
    house.iam.delete_server_certificate(ServerCertificateName="site")
    missing = ("NoSuchEntity", "The Server Certificate with name site cannot be found.", 404)
    assert refused(house.iam.get_server_certificate, ServerCertificateName="site") == missing
    assert house.iam.get_account_summary()["SummaryMap"]["ServerCertificates"] == 0


def upload_error(house: House, made: Made, **changes: Any) -> tuple[str, str, int]:
    request = {"ServerCertificateName": "web", "CertificateBody": made.pem, "PrivateKey": made.private(), **changes}
    return refused(house.iam.upload_server_certificate, **request)


def test_what_is_no_certificate_is_refused(house: House, chain: tuple[Made, Made, Made]) -> None:
    root, middle, leaf = chain
    no_pem = "Unable to parse certificate. Please ensure the certificate is in PEM format."
    assert upload_error(house, leaf, CertificateBody="hello") == ("MalformedCertificate", no_pem, 400)
    assert upload_error(house, leaf, CertificateBody=leaf.pem + middle.pem)[1] == no_pem
    assert upload_error(house, leaf, PrivateKey="hello")[:2] == ("MalformedCertificate", "Invalid Private Key.")
    encrypted = upload_error(house, leaf, PrivateKey=leaf.private(b"secret"))
    assert encrypted[:2] == ("MalformedCertificate", "Unable to parse key; the body is encrypted.")
    assert upload_error(house, leaf, PrivateKey=root.private())[0] == "KeyPairMismatch"
    broken = upload_error(house, leaf, CertificateChain=root.pem)
    assert broken[0] == "MalformedCertificate"
    assert broken[1].startswith("Unable to validate certificate chain. The certificate chain must start with")
    assert broken[1].endswith("-1")
    assert upload_error(house, leaf, CertificateChain=middle.pem + leaf.pem)[1].endswith("is: 0")


def test_certificates_are_tagged_and_guarded(house: House, chain: tuple[Made, Made, Made]) -> None:
    iam, leaf = house.iam, chain[2]
    tags = [{"Key": "team", "Value": "web"}]
    assert upload(house, leaf, Tags=tags)["Tags"] == tags
    iam.tag_server_certificate(ServerCertificateName="web", Tags=[{"Key": "stage", "Value": "test"}])
    iam.untag_server_certificate(ServerCertificateName="web", TagKeys=["team"])
    listed = iam.list_server_certificate_tags(ServerCertificateName="web")["Tags"]
    assert listed == [{"Key": "stage", "Value": "test"}]
    condition = {"StringEquals": {"aws:ResourceTag/stage": "test"}}
    key = house.user("alice", document("iam:GetServerCertificate", Condition=condition))
    alice = house.client("iam", key)
    alice.get_server_certificate(ServerCertificateName="web")
    assert refused(alice.delete_server_certificate, ServerCertificateName="web")[0] == "AccessDenied"
    assert refused(alice.get_server_certificate, ServerCertificateName="other")[0] == "AccessDenied"


def test_listings_come_in_pages(house: House, chain: tuple[Made, Made, Made]) -> None:
    for name in ("c", "a", "b"):
        upload(house, chain[2], name)
    first = house.iam.list_server_certificates(MaxItems=2)
    assert [each["ServerCertificateName"] for each in first["ServerCertificateMetadataList"]] == ["a", "b"]
    rest = house.iam.list_server_certificates(Marker=first["Marker"])
    assert [each["ServerCertificateName"] for each in rest["ServerCertificateMetadataList"]] == ["c"]
