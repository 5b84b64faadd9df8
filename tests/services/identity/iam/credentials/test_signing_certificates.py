"""Signing certificates of users."""

from tests.services.identity.iam.certificates import Made
from tests.services.identity.iam.conftest import House, refused


def test_a_user_has_two_at_most(house: House) -> None:
    iam = house.iam
    iam.create_user(UserName="alice")
    first, second, third = Made("one"), Made("two"), Made("three")
    made = iam.upload_signing_certificate(UserName="alice", CertificateBody=first.pem)["Certificate"]
    assert (made["UserName"], made["Status"], made["CertificateBody"]) == ("alice", "Active", first.pem.strip())
    assert len(made["CertificateId"]) >= 24
    assert refused(iam.upload_signing_certificate, UserName="alice", CertificateBody=first.pem)[0] == (
        "DuplicateCertificate"
    )
    iam.upload_signing_certificate(UserName="alice", CertificateBody=second.pem)
    assert refused(iam.upload_signing_certificate, UserName="alice", CertificateBody=third.pem) == (
        "LimitExceeded", "Cannot exceed quota for SigningCertificatesPerUser: 2", 409,
    )  # fmt: skip
    iam.update_signing_certificate(UserName="alice", CertificateId=made["CertificateId"], Status="Inactive")
    listed = iam.list_signing_certificates(UserName="alice")["Certificates"]
    assert {each["CertificateId"]: each["Status"] for each in listed}[made["CertificateId"]] == "Inactive"
    assert refused(iam.delete_user, UserName="alice")[:2] == (
        "DeleteConflict", "Cannot delete entity, must delete signing certificates first.",
    )  # fmt: skip
    for each in listed:
        iam.delete_signing_certificate(UserName="alice", CertificateId=each["CertificateId"])
    gone = refused(iam.delete_signing_certificate, UserName="alice", CertificateId=made["CertificateId"])
    assert gone == ("NoSuchEntity", f"The Certificate with id {made['CertificateId']} cannot be found.", 404)


def test_only_certificates_that_hold(house: House) -> None:
    house.user("alice")
    upload = house.iam.upload_signing_certificate
    assert refused(upload, UserName="alice", CertificateBody="no")[0] == "MalformedCertificate"
    assert refused(upload, UserName="alice", CertificateBody=Made("old", days=1).pem)[0] == "InvalidCertificate"
