"""Managed data identifiers: the kinds of sensitive data that can be told by their form.

Those that AWS tells by more than a form (names, addresses) and the driving licences of most countries are not here, and
are refused by name. Source: CloudWatch Logs User Guide, "Types of data that you can protect".
"""

from __future__ import annotations

import re
from typing import Final

from cumulo.services.operations.logs.protection.kinds import Identifier, Words, digits, is_luhn
from cumulo.services.operations.logs.protection.national_identifiers import NATIONAL

ARN_START: Final = "data-identifier/"


def _is_card(text: str) -> bool:
    return 13 <= len(digits(text)) <= 19 and is_luhn(text)


def _is_iban(text: str) -> bool:
    """Whether the check digits fit (ISO 13616)."""
    packed = text.replace(" ", "")
    moved = packed[4:] + packed[:4]
    return int("".join([str(int(character, 36)) for character in moved])) % 97 == 1


def _is_dea(text: str) -> bool:
    """Whether the last digit of a DEA number fits the others."""
    found = digits(text[-7:])
    return (found[0] + found[2] + found[4] + 2 * (found[1] + found[3] + found[5])) % 10 == found[6]


_VIN_VALUES: Final = dict(
    zip("ABCDEFGHJKLMNPRSTUVWXYZ", (*range(1, 9), 1, 2, 3, 4, 5, 7, 9, *range(2, 10)), strict=True)
)
_VIN_WEIGHTS: Final = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def _is_vin(text: str) -> bool:
    """Whether the ninth character fits the others (ISO 3779)."""
    values = [int(each) if each.isdigit() else _VIN_VALUES[each] for each in text]
    rest = sum([value * weight for value, weight in zip(values, _VIN_WEIGHTS, strict=True)]) % 11
    return text[8] == ("X" if rest == 10 else str(rest))


def _is_provider(text: str) -> bool:
    """Whether a National Provider Identifier fits: Luhn, after 80840."""
    return is_luhn("80840" + text)


def _key(kind: str) -> re.Pattern[str]:
    return re.compile(f"-----BEGIN {kind}-----.*?(?:-----END {kind}-----|$)", re.DOTALL)


def _iban(country: str, length: int) -> Identifier:
    form = re.compile(rf"\b{country}\d{{2}}(?: ?[A-Z0-9]){{{length - 4}}}\b")
    return Identifier(f"BankAccountNumber-{country}", form, _is_iban)


_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"

_ALL = (
    Identifier(
        "AwsSecretKey",
        re.compile(r"(?<![A-Za-z0-9/+])[A-Za-z0-9/+=]{40}(?![A-Za-z0-9/+=])"),
        words=Words("aws_secret_access_key", "credentials", "secret access key", "secret key", "set-awscredential"),
    ),
    Identifier("OpenSshPrivateKey", _key("OPENSSH PRIVATE KEY")),
    Identifier("PgpPrivateKey", _key("PGP PRIVATE KEY BLOCK")),
    Identifier("PkcsPrivateKey", _key("(?:RSA |EC |DSA |ENCRYPTED )?PRIVATE KEY")),
    Identifier("PuttyPrivateKey", re.compile(r"PuTTY-User-Key-File-\d:.*?(?:Private-MAC: [0-9a-f]+|$)", re.DOTALL)),
    Identifier(
        "IpAddress",
        re.compile(
            rf"(?<![\d.]){_OCTET}(?:\.{_OCTET}){{3}}(?![\d.])"
            r"|(?<![\w:])(?:(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}"
            r"|(?:[0-9A-Fa-f]{1,4}:){1,7}:(?:[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4}){0,5})?)(?![\w:])"
        ),
    ),
    Identifier(
        "EmailAddress",
        # Each run of characters is tried once and as a whole, or a megabyte without an @ would take an hour.
        re.compile(r"(?<![A-Za-z0-9._%+\-])[A-Za-z0-9._%+\-]++@(?:[A-Za-z0-9\-]+\.)+[A-Za-z]{2,}"),
    ),
    Identifier("CreditCardNumber", re.compile(r"(?<![\d-])\d(?:[ -]?\d){12,18}(?![\d-])"), _is_card),
    Identifier(
        "CreditCardExpiration",
        re.compile(r"(?<!\d)(?:0[1-9]|1[0-2])[/-](?:\d{4}|\d{2})(?!\d)"),
        words=Words("exp d", "exp m", "exp y", "expiration", "expiry"),
    ),
    Identifier(
        "CreditCardSecurityCode",
        re.compile(r"(?<!\d)\d{3,4}(?!\d)"),
        words=Words(
            "card id",
            "card identification code",
            "card identification number",
            "card security code",
            "card validation code",
            "card validation number",
            "card verification data",
            "card verification value",
            "cid",
            "csc",
            "cvc",
            "cvc2",
            "cvv",
            "cvv2",
            "elo verification code",
        ),
    ),
    _iban("FR", 27),
    _iban("DE", 22),
    _iban("IT", 27),
    _iban("ES", 24),
    _iban("GB", 22),
    Identifier(
        "DrugEnforcementAgencyNumber-US",
        re.compile(r"\b[A-Za-z]{2}\d{7}\b"),
        _is_dea,
        Words("dea number", "dea registration"),
    ),
    Identifier(
        "NationalProviderId-US",
        re.compile(r"(?<!\d)[12]\d{9}(?!\d)"),
        _is_provider,
        Words("hipaa", "n.p.i", "n.p.i.", "npi", "national provider", "national provider identifier"),
    ),
    Identifier("Ssn-US", re.compile(r"(?<![\d-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])")),
    Identifier(
        "PhoneNumber-US",
        re.compile(r"(?<![\d.])(?:\+?1[ .-]?)?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?![\d-])"),
    ),
    Identifier("VehicleIdentificationNumber", re.compile(r"\b[A-HJ-NPR-Z0-9]{17}\b"), _is_vin),
    Identifier("ZipCode-US", re.compile(r"(?<!\d)\d{5}(?:-\d{4})?(?!\d)"), words=Words("zip code", "zip+4", "zip")),
)

MANAGED: Final = {each.name: each for each in (*_ALL, *NATIONAL)}
