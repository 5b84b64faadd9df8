"""SAML assertions: whether one holds, and what it says. For sts:AssumeRoleWithSAML.

Signatures are checked by signxml over lxml, which come with `cumulo[saml]`; only what was signed is read. Encrypted
assertions are refused by name.
Sources: "Configure SAML assertions for the authentication response", "Troubleshoot SAML federation with IAM" (for the
texts), "Available keys for SAML-based AWS STS federation" (IAM User Guide).
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from hashlib import sha1
from typing import TYPE_CHECKING, Any

from cumulo.core.callers.identities import INVALID_IDENTITY_TOKEN, SamlIdentity
from cumulo.core.errors import Error, not_implemented
from cumulo.services.identity.iam.federation import saml_metadata
from cumulo.services.identity.iam.federation.saml_providers import SAML_PROVIDERS, name_in

if TYPE_CHECKING:
    from cumulo.core.context import Context

ASSERTION = "{urn:oasis:names:tc:SAML:2.0:assertion}"
PROTOCOL = "{urn:oasis:names:tc:SAML:2.0:protocol}"
ATTRIBUTES = "https://aws.amazon.com/SAML/Attributes/"
AUDIENCES = ("https://signin.aws.amazon.com/saml", "urn:amazon:webservices")
NAME_FORMATS = "urn:oasis:names:tc:SAML:2.0:nameid-format:"
SHORTEST_S, LONGEST_S = 900, 43_200

EXPIRED = Error("ExpiredTokenException", "Token must be redeemed within 5 minutes of issuance", status=400)
NO_PROVIDER = "Specified provider doesn't exist"
BAD_SIGNATURE = "Response signature invalid"
OTHER_ISSUER = "Issuer not present in specified provider"
NO_ROLES = "SAML Assertion doesn't contain the requested Role and Metadata in the attributes"
NO_SESSION_NAME = "RoleSessionName is required in AuthnResponse"
BAD_SESSION_NAME = "RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}"
BAD_DURATION = "SessionDuration in AuthnResponse must be an integer from 900 to 43200"


def verify(ctx: Context, provider_arn: str, encoded: str) -> SamlIdentity:
    """What a response says, once it holds. Raises InvalidIdentityToken, ExpiredToken."""
    try:
        text = b64decode("".join(encoded.split()), validate=True)
    except ValueError:
        raise INVALID_IDENTITY_TOKEN("Invalid base64 SAMLResponse") from None
    account, name = name_in(provider_arn)
    provider = SAML_PROVIDERS.peek(ctx, name, account=account)
    if provider is None:
        raise INVALID_IDENTITY_TOKEN(NO_PROVIDER)
    metadata = saml_metadata.parse(provider.metadata)
    if provider.valid_until <= ctx.now():
        raise INVALID_IDENTITY_TOKEN("The metadata of the specified provider has expired")
    assertion = _signed_assertion(text, metadata.certificates)
    issuer = (assertion.findtext(f"{ASSERTION}Issuer") or "").strip()
    if issuer != metadata.issuer:
        raise INVALID_IDENTITY_TOKEN(OTHER_ISSUER)
    recipient = _check_conditions(ctx, assertion)
    return _identity(assertion, issuer, account, name, provider_arn, recipient)


def _signed_assertion(text: bytes, certificates: tuple[str, ...]) -> Any:
    """The one assertion of the response, as far as one of the certificates has signed it."""
    try:
        from lxml import etree
        from signxml.exceptions import InvalidInput, InvalidSignature
        from signxml.verifier import SignatureConfiguration, XMLVerifier
    except ImportError:
        raise not_implemented("sts", "AssumeRoleWithSAML", "SAMLAssertion (install cumulo[saml])") from None
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        document = etree.fromstring(text, parser)
    except etree.XMLSyntaxError:
        raise INVALID_IDENTITY_TOKEN("Invalid SAML response: it is no XML") from None
    if document.getroottree().docinfo.doctype or document.tag != f"{PROTOCOL}Response":
        raise INVALID_IDENTITY_TOKEN("Invalid SAML response: it must be a samlp:Response")
    if document.find(f".//{ASSERTION}EncryptedAssertion") is not None:
        raise not_implemented("sts", "AssumeRoleWithSAML", "SAMLAssertion when it is encrypted")
    for certificate in certificates:
        pem = f"-----BEGIN CERTIFICATE-----\n{certificate}\n-----END CERTIFICATE-----\n"
        try:
            verified = XMLVerifier().verify(
                document, x509_cert=pem, expect_config=SignatureConfiguration(require_x509=True, expect_references=1)
            )
        except (InvalidSignature, InvalidInput, ValueError):
            continue
        signed = (verified[0] if isinstance(verified, list) else verified).signed_xml
        if signed is None:
            continue
        found = [signed] if signed.tag == f"{ASSERTION}Assertion" else signed.findall(f"{ASSERTION}Assertion")
        if len(found) == 1:
            return found[0]
    raise INVALID_IDENTITY_TOKEN(BAD_SIGNATURE)


def _time(element: Any, name: str) -> float | None:
    text = element.get(name)
    try:
        return saml_metadata.moment(text) if text else None
    except saml_metadata.Unreadable:
        raise INVALID_IDENTITY_TOKEN(f"Invalid {name} in SAML assertion") from None


def _check_conditions(ctx: Context, assertion: Any) -> str:
    """Hold times and audience against now; the recipient that the assertion was sent to (saml:aud)."""
    now = ctx.now()
    for element in assertion.findall(f"{ASSERTION}Conditions"):
        begins, ends = _time(element, "NotBefore"), _time(element, "NotOnOrAfter")
        if ends is not None and ends <= now:
            raise EXPIRED()
        if begins is not None and begins > now + 300:
            raise INVALID_IDENTITY_TOKEN("The SAML assertion is not valid yet")
        named = [(each.text or "").strip() for each in element.iter(f"{ASSERTION}Audience")]
        if named and not set(named) & set(AUDIENCES):
            raise INVALID_IDENTITY_TOKEN("Audience in AuthnResponse is not valid")
    for data in assertion.iter(f"{ASSERTION}SubjectConfirmationData"):
        ends = _time(data, "NotOnOrAfter")
        if ends is not None and ends <= now:
            raise EXPIRED()
        if data.get("Recipient"):
            return str(data.get("Recipient"))
    raise INVALID_IDENTITY_TOKEN("Recipient is required in AuthnResponse")


def _attributes(assertion: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for attribute in assertion.iter(f"{ASSERTION}Attribute"):
        values = [(value.text or "").strip() for value in attribute.findall(f"{ASSERTION}AttributeValue")]
        found.setdefault(attribute.get("Name", ""), []).extend(values)
    return found


def _identity(
    assertion: Any, issuer: str, account: str, provider: str, provider_arn: str, recipient: str
) -> SamlIdentity:
    subject = assertion.find(f"{ASSERTION}Subject/{ASSERTION}NameID")
    if subject is None or not (subject.text or "").strip():
        raise INVALID_IDENTITY_TOKEN("NameID is required in AuthnResponse")
    name_format = str(subject.get("Format", ""))
    attributes = _attributes(assertion)
    pairs = [value.split(",") for value in attributes.get(f"{ATTRIBUTES}Role", [])]
    roles = [
        next((part.strip() for part in pair if ":role/" in part), "")
        for pair in pairs
        if any(part.strip() == provider_arn for part in pair)
    ]
    if not any(roles):
        raise INVALID_IDENTITY_TOKEN(NO_ROLES)
    session_name = next(iter(attributes.get(f"{ATTRIBUTES}RoleSessionName", [])), "")
    if not session_name:
        raise INVALID_IDENTITY_TOKEN(NO_SESSION_NAME)
    if not re.fullmatch(r"[\w+=,.@-]{2,64}", session_name, re.ASCII):
        raise INVALID_IDENTITY_TOKEN(BAD_SESSION_NAME)
    prefix = f"{ATTRIBUTES}PrincipalTag:"
    qualifier = b64encode(sha1(f"{issuer}{account}/{provider}".encode(), usedforsecurity=False).digest()).decode()
    return SamlIdentity(
        provider_arn=provider_arn,
        subject=(subject.text or "").strip(),
        subject_type=name_format.removeprefix(NAME_FORMATS) or "unspecified",
        issuer=issuer,
        audience=recipient,
        name_qualifier=qualifier,
        session_name=session_name,
        role_arns=tuple(role for role in roles if role),
        tags={
            name[len(prefix) :]: values[0] for name, values in attributes.items() if name.startswith(prefix) and values
        },
        transitive_keys=tuple(attributes.get(f"{ATTRIBUTES}TransitiveTagKeys", ())),
        source_identity=next(iter(attributes.get(f"{ATTRIBUTES}SourceIdentity", [])), ""),
        duration_s=_duration(attributes.get(f"{ATTRIBUTES}SessionDuration", [])),
        conditions={"saml:doc": f"{account}/{provider}"},
    )


def _duration(values: list[str]) -> int | None:
    if not values:
        return None
    if not values[0].isdigit() or not SHORTEST_S <= int(values[0]) <= LONGEST_S:
        raise INVALID_IDENTITY_TOKEN(BAD_DURATION)
    return int(values[0])
