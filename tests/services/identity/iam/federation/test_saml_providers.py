"""SAML providers, and roles for those whom they vouch for: real responses, really signed."""

import base64
import datetime
from typing import Any

import pytest
from botocore import UNSIGNED
from botocore.config import Config
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.services.identity.iam.certificates import Made
from tests.services.identity.iam.conftest import House, document, refused, trust

etree = pytest.importorskip("lxml.etree")
signxml = pytest.importorskip("signxml")

ISSUER = "https://idp.example.com/saml"
ATTRIBUTES = "https://aws.amazon.com/SAML/Attributes/"


@pytest.fixture(scope="module")
def signer() -> Made:
    return Made("idp", key=rsa.generate_private_key(65537, 2048))


def metadata(signer: Made, issuer: str = ISSUER, more: str = "") -> str:
    certificate = "".join(signer.pem.splitlines()[1:-1])
    return (
        f'<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{issuer}" {more}>'
        '<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">'
        '<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">'
        f"<ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
        '</md:KeyDescriptor><md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" '
        f'Location="{issuer}/login"/></md:IDPSSODescriptor></md:EntityDescriptor>' + " " * 300
    )


def response(
    house: House, signer: Made, *, role: str, provider: str, issuer: str = ISSUER, lasts_s: int = 300,
    audience: str = "https://signin.aws.amazon.com/saml", sign: str = "Assertion", **attributes: list[str],
) -> str:  # fmt: skip
    """A response in base64. `sign` names the element that is signed."""
    now = datetime.datetime.fromtimestamp(house.cloud.running.clock.now(), datetime.UTC)
    end = (now + datetime.timedelta(seconds=lasts_s)).strftime("%Y-%m-%dT%H:%M:%SZ")
    begin = (now - datetime.timedelta(seconds=600)).strftime("%Y-%m-%dT%H:%M:%SZ")
    given = {"Role": [f"{role},{provider}"], "RoleSessionName": ["alice@example.com"], **attributes}
    written = "".join(
        f'<saml:Attribute Name="{ATTRIBUTES}{name.replace("__", ":")}">'
        + "".join(f"<saml:AttributeValue>{value}</saml:AttributeValue>" for value in values)
        + "</saml:Attribute>"
        for name, values in given.items()
    )
    text = (
        '<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" '
        f'xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="r1" Version="2.0" IssueInstant="{begin}">'
        f'<saml:Issuer>{issuer}</saml:Issuer><saml:Assertion ID="a1" Version="2.0" IssueInstant="{begin}">'
        f"<saml:Issuer>{issuer}</saml:Issuer>"
        '<saml:Subject><saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">alice</saml:NameID>'
        '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData '
        f'NotOnOrAfter="{end}" Recipient="https://signin.aws.amazon.com/saml"/></saml:SubjectConfirmation>'
        f'</saml:Subject><saml:Conditions NotBefore="{begin}" NotOnOrAfter="{end}"><saml:AudienceRestriction>'
        f"<saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>"
        f"<saml:AttributeStatement>{written}</saml:AttributeStatement></saml:Assertion></samlp:Response>"
    )
    document_ = etree.fromstring(text)
    exclusive = signxml.CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0
    writer = signxml.XMLSigner(c14n_algorithm=exclusive)
    if sign == "Assertion":
        (assertion,) = document_.findall("{*}Assertion")
        signed = writer.sign(assertion, key=signer.key, cert=signer.pem, reference_uri="a1")
        document_.replace(assertion, signed)
    elif sign == "Response":
        document_ = writer.sign(document_, key=signer.key, cert=signer.pem, reference_uri="r1")
    return base64.b64encode(etree.tostring(document_)).decode()


def federated(house: House, signer: Made, **condition: Any) -> dict[str, str]:
    """A provider and a role for it."""
    arn = house.iam.create_saml_provider(Name="corp", SAMLMetadataDocument=metadata(signer))["SAMLProviderArn"]
    trusting = trust(
        {"Federated": arn}, "sts:AssumeRoleWithSAML", "sts:TagSession",
        Condition=condition or {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}},
    )  # fmt: skip
    return {"provider": arn, "role": house.role("saml", trusting, document("sqs:ListQueues"))}


def enter(house: House, named: dict[str, str], text: str) -> Any:
    sts = house.cloud.client("sts", config=Config(signature_version=UNSIGNED))
    return sts.assume_role_with_saml(RoleArn=named["role"], PrincipalArn=named["provider"], SAMLAssertion=text)


def no_entry(house: House, named: dict[str, str], text: str) -> tuple[str, str]:
    return refused(lambda **_: enter(house, named, text))[:2]


def test_providers_come_and_go(house: House, signer: Made) -> None:
    iam, text = house.iam, metadata(signer)
    tags = [{"Key": "team", "Value": "web"}]
    made = iam.create_saml_provider(Name="corp", SAMLMetadataDocument=text, Tags=tags)
    arn = made["SAMLProviderArn"]
    assert (arn, made["Tags"]) == (house.arn("saml-provider/corp"), tags)
    assert refused(iam.create_saml_provider, Name="corp", SAMLMetadataDocument=text) == (
        "EntityAlreadyExists", "SAMLProvider with name corp already exists.", 409,
    )  # fmt: skip
    named = {"SAMLProviderArn": arn}
    found = iam.get_saml_provider(**named)
    assert (found["SAMLMetadataDocument"], found["Tags"]) == (text, tags)
    assert (found["ValidUntil"] - found["CreateDate"]).days == 36525
    (listed,) = iam.list_saml_providers()["SAMLProviderList"]
    assert (listed["Arn"], listed["ValidUntil"]) == (arn, found["ValidUntil"])
    until = metadata(signer, more='validUntil="2120-01-01T00:00:00Z"')
    iam.update_saml_provider(**named, SAMLMetadataDocument=until)
    assert iam.get_saml_provider(**named)["ValidUntil"].year == 2120
    iam.tag_saml_provider(**named, Tags=[{"Key": "stage", "Value": "test"}])
    iam.untag_saml_provider(**named, TagKeys=["team"])
    assert iam.list_saml_provider_tags(**named)["Tags"] == [{"Key": "stage", "Value": "test"}]
    iam.delete_saml_provider(**named)
    assert refused(iam.get_saml_provider, **named) == ("NoSuchEntity", f"Manifest not found for arn {arn}", 404)


def test_what_is_no_metadata(house: House, signer: Made) -> None:
    for text in ("x" * 1000, f"<a>{' ' * 1000}</a>", f'<!DOCTYPE a [<!ENTITY b "c">]>{metadata(signer)}'):
        refusal = refused(house.iam.create_saml_provider, Name="corp", SAMLMetadataDocument=text)
        assert refusal == ("InvalidInput", "Could not parse metadata", 400)
    encrypted = refused(
        house.iam.create_saml_provider, Name="corp", SAMLMetadataDocument=metadata(signer),
        AssertionEncryptionMode="Required",
    )  # fmt: skip
    assert encrypted[0] == "NotImplemented"


@pytest.mark.parametrize("sign", ["Assertion", "Response"])
def test_a_response_opens_a_role(house: House, signer: Made, sign: str) -> None:
    named = federated(house, signer)
    answer = enter(house, named, response(house, signer, **named, sign=sign))
    assert (answer["Subject"], answer["SubjectType"], answer["Issuer"]) == ("alice", "persistent", ISSUER)
    assert answer["Audience"] == "https://signin.aws.amazon.com/saml"
    assert len(base64.b64decode(answer["NameQualifier"])) == 20
    assert answer["AssumedRoleUser"]["Arn"].endswith(":assumed-role/saml/alice@example.com")
    house.client("sqs", answer["Credentials"]).list_queues()


def test_responses_that_do_not_hold(house: House, signer: Made) -> None:
    named = federated(house, signer)
    invalid = ("InvalidIdentityToken", "Response signature invalid")
    assert no_entry(house, named, response(house, signer, **named, sign="")) == invalid
    stranger = Made("stranger", key=rsa.generate_private_key(65537, 2048))
    assert no_entry(house, named, response(house, stranger, **named)) == invalid
    good = base64.b64decode(response(house, signer, **named))
    forged = base64.b64encode(good.replace(b"alice@example.com", b"admin@example.com")).decode()
    assert no_entry(house, named, forged) == invalid
    late = response(house, signer, **named, lasts_s=-1)
    assert no_entry(house, named, late) == (
        "ExpiredTokenException", "Token must be redeemed within 5 minutes of issuance",
    )  # fmt: skip
    other = response(house, signer, **named, issuer="https://other.example.com")
    assert no_entry(house, named, other)[1] == "Issuer not present in specified provider"
    assert no_entry(house, named, response(house, signer, **named, audience="x"))[0] == "InvalidIdentityToken"
    nameless = response(house, signer, **named, RoleSessionName=[])
    assert no_entry(house, named, nameless)[1] == "RoleSessionName is required in AuthnResponse"
    assert no_entry(house, named, "bm8geG1s")[0] == "InvalidIdentityToken"
    gone = {**named, "provider": house.arn("saml-provider/gone")}
    text = response(house, signer, **named)
    assert no_entry(house, gone, text) == ("InvalidIdentityToken", "Specified provider doesn't exist")


def test_a_signed_assertion_cannot_be_wrapped(house: House, signer: Made) -> None:
    """XML signature wrapping: an unsigned assertion placed beside the signed one is never read."""
    named = federated(house, signer)
    signed = etree.fromstring(base64.b64decode(response(house, signer, **named)))
    evil = etree.fromstring(base64.b64decode(response(house, signer, **named, sign="", RoleSessionName=["admin"])))
    (assertion,) = evil.findall("{*}Assertion")
    assertion.set("ID", "evil")
    signed.insert(1, assertion)
    text = base64.b64encode(etree.tostring(signed)).decode()
    answer = enter(house, named, text)
    assert answer["AssumedRoleUser"]["Arn"].endswith("/alice@example.com")


def test_responses_bring_tags_and_durations(house: House, signer: Made) -> None:
    named = federated(house, signer)
    condition = {"StringEquals": {"aws:PrincipalTag/team": "red"}}
    house.iam.put_role_policy(
        RoleName="saml", PolicyName="p0", PolicyDocument=document("sqs:ListQueues", Condition=condition)
    )
    text = response(house, signer, **named, PrincipalTag__team=["red"], SessionDuration=["1800"])
    answer = enter(house, named, text)
    house.client("sqs", answer["Credentials"]).list_queues()
    lasts_s = answer["Credentials"]["Expiration"].timestamp() - house.cloud.running.clock.now()
    assert 1700 < lasts_s <= 1801
    bad = response(house, signer, **named, SessionDuration=["60"])
    assert no_entry(house, named, bad)[0] == "InvalidIdentityToken"
