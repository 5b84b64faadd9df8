"""The metadata that a SAML identity provider publishes: its name, its certificates, how long it holds. No AWS calls.

Source: OASIS, "Metadata for the OASIS Security Assertion Markup Language (SAML) V2.0"; CreateSAMLProvider: "the
document includes the issuer's name, expiration information, and keys".
"""

from __future__ import annotations

import calendar
import time
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

METADATA = "{urn:oasis:names:tc:SAML:2.0:metadata}"
SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}"


class Unreadable(Exception):
    """The text is no metadata of an identity provider."""


class Metadata(msgspec.Struct, frozen=True):
    """What counts of it. Certificates are base64 of DER, as they stand there."""

    issuer: str
    certificates: tuple[str, ...]
    valid_until: float | None


def moment(text: str) -> float:
    """Seconds since 1970 of an xs:dateTime in UTC. Raises Unreadable."""
    whole = text.strip().rstrip("Z").partition(".")[0]
    try:
        return float(calendar.timegm(time.strptime(whole[:19], "%Y-%m-%dT%H:%M:%S")))
    except ValueError:
        raise Unreadable(f"{text} is no time") from None


def parse(text: str) -> Metadata:
    """Read a metadata document. Raises Unreadable."""
    from xml.etree import ElementTree

    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise Unreadable("a document type has no place in metadata")
    try:
        document = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError) as error:
        raise Unreadable(str(error)) from None
    entities = (
        [document]
        if document.tag == f"{METADATA}EntityDescriptor"
        else document.findall(f".//{METADATA}EntityDescriptor")
    )
    for entity in entities:
        provider = entity.find(f"{METADATA}IDPSSODescriptor")
        if provider is not None:
            return _metadata(document, entity, provider)
    raise Unreadable("there is no IDPSSODescriptor")


def _metadata(document: Element, entity: Element, provider: Element) -> Metadata:
    issuer = entity.get("entityID", "")
    certificates = tuple(
        "".join((found.text or "").split())
        for key in provider.findall(f"{METADATA}KeyDescriptor")
        if key.get("use", "signing") == "signing"
        for found in key.findall(f".//{SIGNATURE}X509Certificate")
    )
    if not issuer or not certificates:
        raise Unreadable("there is no entityID, or no certificate to sign with")
    limits = [element.get("validUntil") for element in (document, entity, provider)]
    ends = [moment(limit) for limit in limits if limit]
    return Metadata(issuer, certificates, min(ends) if ends else None)
