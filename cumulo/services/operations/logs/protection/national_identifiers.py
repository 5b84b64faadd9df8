"""Numbers that countries give to people: their forms and check digits are public, and words nearby tell them.

Source of the kinds and, where its pages list them, of the words: CloudWatch Logs User Guide, "Protected health
information (PHI)" and "Personally identifiable information (PII)".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from cumulo.services.operations.logs.protection.kinds import Identifier, Words, digits

_DNI_LETTERS: Final = "TRWAGMYFPDXBNJZSQVHLCKE"
_ODD_VALUES: Final = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
_MBI: Final = "[AC-HJKMNP-RT-Y]"  # letters that look like no number
_DAY: Final = r"(?:3[01]|[12]\d|0?[1-9])"
_MONTH: Final = (
    "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t(?:ember)?)?|oct(?:ober)?"
    "|nov(?:ember)?|dec(?:ember)?)"
)


def _is_one_number(found: list[int]) -> bool:
    return len(set(found)) == 1


def _brazilian(text: str, first: Iterable[int]) -> bool:
    """Whether both check digits of a CPF or CNPJ fit (modulo 11)."""
    found, weights = digits(text), list(first)
    if _is_one_number(found):
        return False
    for at in (len(found) - 2, len(found) - 1):
        used = weights if at == len(found) - 2 else [weights[0] + 1, *weights]
        if at == len(found) - 1 and weights[0] < 9:
            used = [6, *weights]  # a CNPJ's weights go from 9 down to 2 and begin again
        rest = sum([digit * weight for digit, weight in zip(found[:at], used, strict=True)]) % 11
        if found[at] != (0 if rest < 2 else 11 - rest):
            return False
    return True


def _is_cpf(text: str) -> bool:
    return _brazilian(text, range(10, 1, -1))


def _is_cnpj(text: str) -> bool:
    return _brazilian(text, (5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2))


def _is_dni(text: str) -> bool:
    """Whether the letter of a Spanish NIF or NIE fits."""
    packed = text.upper().replace("-", "").replace(" ", "")
    number = packed[:-1].translate(str.maketrans("XYZ", "012"))
    return packed[-1] == _DNI_LETTERS[int(number) % 23]


def _is_insee(text: str) -> bool:
    """Whether the key of a French NIR fits; Corsica counts as 19 and 18."""
    packed = text.upper().replace(" ", "").replace("2A", "19").replace("2B", "18")
    return 97 - int(packed[:13]) % 97 == int(packed[13:])


def _is_nhs(text: str) -> bool:
    found = digits(text)
    rest = sum([digit * weight for digit, weight in zip(found[:9], range(10, 1, -1), strict=True)]) % 11
    return not _is_one_number(found) and (11 - rest) % 11 == found[9]


def _is_german_tax(text: str) -> bool:
    """ISO 7064, MOD 11,10."""
    product = 10
    found = digits(text)
    for digit in found[:10]:
        product = ((product + digit) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == found[10]


def _is_codice_fiscale(text: str) -> bool:
    """Whether the last letter of an Italian tax code fits."""
    total = 0
    for index, character in enumerate(text.upper()[:15]):
        value = int(character) if character.isdigit() else ord(character) - 65
        total += value if index % 2 else _ODD_VALUES[value]
    return text.upper()[15] == chr(65 + total % 26)


def _form(pattern: str) -> re.Pattern[str]:
    """A pattern that is no part of a longer word or number."""
    return re.compile(rf"(?<![\w-])(?:{pattern})(?![\w-])", re.IGNORECASE)


def _phone(country: str, code: str, national: str, *more: str) -> Identifier:
    """Telephone numbers: with the country's code, or near a word for them."""
    words = Words(
        "cell", "contact", "fax", "fax number", "mobile", "phone", "phone number", "tel", "telephone",
        "telephone number", *more, more=rf"(?:\+|00){code}",
    )  # fmt: skip
    form = re.compile(rf"(?<![\d.+])(?:(?:\+|00){code}[ .-]?(?:\(0\))?|0?){national}(?![\d-])")
    return Identifier(f"PhoneNumber-{country}", form, words=words)


_PASSPORT = ("passport", "passports", "passport number", "passport no", "passport#", "passport book")
_LICENSE = (
    "driver license", "drivers license", "driver's license", "driver licence", "drivers licence", "driver's licence",
    "driving license", "driving licence", "license number", "licence number", "dl", "dl#", "dlno", "dl number",
    "driver license number", "drivers license number", "driver's license number",
)  # fmt: skip
_TAX = ("tax id", "tax identification", "tax identification number", "tax number", "tax no", "tax#")

NATIONAL: Final = (
    Identifier(
        "DateOfBirth",
        _form(
            rf"\d{{4}}[ /-](?:0?[1-9]|1[0-2])[ /-]{_DAY}|{_DAY}[ /-]{_DAY}[ /-](?:\d{{4}}|\d{{2}})"
            rf"|{_MONTH}[ .-]+{_DAY}(?:st|nd|rd|th)?[ ,-]+\d{{4}}|{_DAY}[ .-]+{_MONTH}[ ,.-]+\d{{4}}"
        ),
        words=Words("dob", "date of birth", "birthdate", "birth date", "birthday", "b-day", "bday"),
    ),
    Identifier(
        "LatLong",
        re.compile(
            r"(?<![\d.])[-+]?(?:90(?:\.0+)?|[1-8]?\d\.\d+)\s*,\s*"
            r"[-+]?(?:180(?:\.0+)?|(?:1[0-7]\d|\d?\d)\.\d+)(?!\.?\d)"
        ),
        words=Words("coordinate", "coordinates", "lat long", "latitude longitude", "location", "position"),
    ),
    # --- Brazil
    Identifier(
        "CepCode-BR",
        _form(r"\d{5}-?\d{3}"),
        words=Words("cep", "código de endereçamento postal", "codigo de endereçamento postal"),
    ),
    Identifier(
        "Cnpj-BR",
        _form(r"\d{2}\.?\d{3}\.?\d{3}/?\d{4}-?\d{2}"),
        _is_cnpj,
        Words("cadastro nacional da pessoa jurídica", "cadastro nacional da pessoa juridica", "cnpj"),
    ),
    Identifier(
        "CpfCode-BR",
        _form(r"\d{3}\.?\d{3}\.?\d{3}-?\d{2}"),
        _is_cpf,
        Words(
            "cadastro de pessoas fisicas",
            "cadastro de pessoas físicas",
            "cadastro de pessoa física",
            "cadastro de pessoa fisica",
            "cpf",
        ),
    ),
    Identifier(
        "RgCode-BR",
        _form(r"\d{1,2}\.?\d{3}\.?\d{3}-?[\dX]"),
        words=Words("registro geral", "rg", "carteira de identidade", "cédula de identidade", "cedula de identidade"),
    ),
    _phone("BR", "55", r"\(?\d{2}\)?[ .-]?\d{4,5}[ .-]?\d{4}", "cel", "celular", "fone", "móvel", "telefone"),
    # --- Canada and the United States
    Identifier(
        "PersonalHealthNumber-CA",
        _form(r"\d{4}[ -]?\d{3}[ -]?\d{3}"),
        words=Words("canada healthcare number", "msp number", "personal healthcare number", "phn", "soins de santé"),
    ),
    Identifier("PassportNumber-CA", _form(r"[A-Z]{2}\d{6}"), words=Words(*_PASSPORT, "passeport", "passeport#")),
    Identifier("PassportNumber-US", _form(r"[A-Z]\d{8}|\d{9}"), words=Words(*_PASSPORT, "travel document")),
    Identifier("DriversLicense-US", _form(r"[A-Z]{0,2}\d{5,12}|[A-Z]\d{3}-\d{4}-\d{4}"), words=Words(*_LICENSE)),
    Identifier(
        "BankAccountNumber-US",
        _form(r"\d{10,17}"),
        words=Words(
            "bank account",
            "bank acct",
            "checking account",
            "checking acct",
            "deposit account",
            "deposit acct",
            "savings account",
            "savings acct",
            "chequing account",
            "chequing acct",
        ),
    ),
    Identifier(
        "IndividualTaxIdentificationNumber-US",
        _form(r"9\d{2}[ -]?(?:5\d|6[0-5]|[78]\d|9[0-24-9])[ -]?\d{4}"),
        words=Words("individual taxpayer identification number", "itin", "i.t.i.n."),
    ),
    Identifier(
        "HealthInsuranceClaimNumber-US",
        _form(r"\d{3}-?\d{2}-?\d{4}[ -]?[A-Z][A-Z\d]?"),
        words=Words(
            "health insurance claim number", "hic no", "hic no.", "hic number", "hic#", "hicn", "hicn#", "hicno#"
        ),
    ),
    Identifier(
        "MedicareBeneficiaryNumber-US",
        _form(rf"[1-9]{_MBI}[AC-HJKMNP-RT-Y\d]\d-?{_MBI}[AC-HJKMNP-RT-Y\d]\d-?{_MBI}{{2}}\d{{2}}"),
        words=Words("mbi", "medicare beneficiary", "medicare beneficiary number"),
    ),
    Identifier("NationalDrugCode-US", _form(r"\d{4,5}-\d{3,4}-\d{1,2}"), words=Words("national drug code", "ndc")),
    Identifier(
        "HealthcareProcedureCode-US",
        _form(r"[A-V]\d{4}|\d{4}[\dFTU]"),
        words=Words("current procedural terminology", "hcpcs", "healthcare common procedure coding system"),
    ),
    # --- Europe
    Identifier(
        "HealthInsuranceCardNumber-EU",
        _form(r"80(?: ?\d){18}"),
        words=Words(
            "assicurazione sanitaria numero",
            "carta assicurazione numero",
            "carte d’assurance maladie",
            "carte européenne d'assurance maladie",
            "ceam",
            "ehic",
            "ehic#",
            "finlandehicnumber#",
            "gesundheitskarte",
            "hälsokort",
            "health card",
            "health card number",
            "health insurance card",
            "health insurance number",
            "insurance card number",
            "krankenversicherungskarte",
            "krankenversicherungsnummer",
            "medical account number",
            "numero conto medico",
            "numéro d’assurance maladie",
            "numéro de carte d’assurance",
            "numéro de compte medical",
            "número de cuenta médica",
            "número de seguro de salud",
            "número de tarjeta de seguro",
            "sairaanhoitokortin",
            "sairausvakuutuskortti",
            "sairausvakuutusnumero",
            "sjukförsäkring nummer",
            "sjukförsäkringskort",
            "suomi ehic-numero",
            "tarjeta de salud",
            "terveyskortti",
            "tessera sanitaria assicurazione numero",
            "versicherungsnummer",
        ),
    ),
    Identifier(
        "TaxId-DE",
        _form(r"[1-9]\d(?: ?\d{3}){3}"),
        _is_german_tax,
        Words("identifikationsnummer", "steuer id", "steueridentifikationsnummer", "steuernummer", *_TAX),
    ),
    Identifier(
        "NationalIdentificationNumber-DE",
        _form(r"[CFGHJKLMNPRTVWXYZ\d]{9}\d?"),
        words=Words("ausweis", "personalausweis", "personalausweisnummer", "identity card", "id number", "kennung"),
    ),
    Identifier(
        "PassportNumber-DE",
        _form(r"[CFGHJK][CFGHJKLMNPRTVWXYZ\d]{8}\d?"),
        words=Words(*_PASSPORT, "reisepass", "reisepass-nr", "reisepassnummer"),
    ),
    Identifier(
        "DriversLicense-DE",
        _form(r"[A-Z\d]\d{2}[A-Z\d]{6}\d[A-Z\d]"),
        words=Words("führerschein", "fuhrerschein", "fuehrerschein", "führerscheinnummer", "fuehrerscheinnummer"),
    ),
    _phone(
        "DE",
        "49",
        r"(?:\(?\d{2,5}\)?[ ./-]?)\d{3,8}(?:[ -]?\d{1,5})?",
        "handy",
        "mobilnummer",
        "telefon",
        "telefonnummer",
    ),
    Identifier(
        "NifNumber-ES",
        _form(r"\d{8}-?[A-Z]"),
        _is_dni,
        Words("nif", "dni", "nif número", "número nif", "nifnúmero#", "documento nacional de identidad"),
    ),
    Identifier(
        "NieNumber-ES",
        _form(r"[XYZ]-?\d{7}-?[A-Z]"),
        _is_dni,
        Words("nie", "nie#", "nie número", "número de identidad de extranjero", "tarjeta de residencia"),
    ),
    Identifier(
        "NationalIdentificationNumber-ES",
        _form(r"\d{8}-?[A-Z]|[XYZ]-?\d{7}-?[A-Z]"),
        _is_dni,
        Words(
            "dni",
            "dni#",
            "documento nacional de identidad",
            "national identification number",
            "identidad único",
            "identificación nacional",
        ),
    ),
    Identifier(
        "TaxId-ES",
        _form(r"\d{8}-?[A-Z]|[XYZ]-?\d{7}-?[A-Z]"),
        _is_dni,
        Words(*_TAX, "cif", "cif#", "nif", "nie", "número de identificación fiscal", "número de contribuyente"),
    ),
    Identifier(
        "Ssn-ES",
        _form(r"\d{2}[ /-]?\d{7,8}[ /-]?\d{2}"),
        words=Words(
            "seguridad social",
            "número de la seguridad social",
            "número de seguridad social",
            "nss",
            "social security no",
            "social security number",
            "ssn",
        ),
    ),
    Identifier(
        "PassportNumber-ES",
        _form(r"[A-Z]{2,3}\d{6}"),
        words=Words(*_PASSPORT, "pasaporte", "número de pasaporte", "libreta pasaporte"),
    ),
    _phone("ES", "34", r"[6789]\d{2}[ .-]?\d{3}[ .-]?\d{3}", "teléfono", "telefono", "móvil"),
    Identifier(
        "InseeCode-FR",
        _form(r"[12] ?\d{2} ?\d{2} ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}"),
        _is_insee,
        Words(
            "assurance sociale",
            "code insee",
            "insee",
            "numéro insee",
            "numero insee",
            "numéro de sécurité sociale",
            "sécurité sociale",
            "securite sociale",
            "nir",
        ),
    ),
    Identifier(
        "HealthInsuranceNumber-FR",
        _form(r"[12] ?\d{2} ?\d{2} ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}"),
        _is_insee,
        Words("carte d'assuré social", "carte vitale", "insurance card"),
    ),
    Identifier(
        "TaxId-FR",
        _form(r"[0-3]\d(?: ?\d{2})? ?\d{3} ?\d{3} ?\d{3}|[0-3]\d{12}"),
        words=Words(*_TAX, "numéro d'identification fiscale", "numéro fiscal", "numero fiscal", "spi", "tin"),
    ),
    Identifier(
        "PassportNumber-FR",
        _form(r"\d{2}[A-Z]{2}\d{5}"),
        words=Words(*_PASSPORT, "passeport", "passeport#", "numéro passeport", "numéro de passeport"),
    ),
    _phone("FR", "33", r"[1-9](?:[ .-]?\d{2}){4}", "portable", "téléphone"),
    Identifier(
        "NationalInsuranceNumber-GB",
        _form(r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?: ?\d{2}){3} ?[A-D]"),
        words=Words(
            "insurance no",
            "insurance number",
            "insurance#",
            "national insurance number",
            "nationalinsurance#",
            "nin",
            "nino",
        ),
    ),
    Identifier(
        "NhsNumber-GB",
        _form(r"\d{3}[ -]?\d{3}[ -]?\d{4}"),
        _is_nhs,
        Words("national health service", "nhs", "nhs number"),
    ),
    Identifier(
        "ElectoralRollNumber-GB",
        _form(r"[A-Z]{2,3}[ -]?\d{1,4}"),
        words=Words(
            "electoral #",
            "electoral number",
            "electoral roll #",
            "electoral roll no.",
            "electoral roll number",
            "electoralrollno",
        ),
    ),
    Identifier(
        "TaxId-GB",
        _form(r"\d{5} ?\d{5}K?"),
        words=Words(*_TAX, "paye", "unique taxpayer reference", "utr", "utr#", "temporary reference number"),
    ),
    Identifier("PassportNumber-GB", _form(r"\d{9}"), words=Words(*_PASSPORT)),
    Identifier("DriversLicense-GB", _form(r"[A-Z9]{5}\d{6}[A-Z9]{2}[A-Z\d][A-Z]{2}"), words=Words(*_LICENSE)),
    _phone("GB", "44", r"(?:\(?\d{2,5}\)?[ .-]?\d{3,4}[ .-]?\d{3,4})"),
    Identifier(
        "NationalIdentificationNumber-IT",
        _form(r"[A-Z]{6}\d{2}[A-EHLMPR-T]\d{2}[A-Z]\d{3}[A-Z]"),
        _is_codice_fiscale,
        Words(
            "codice fiscal",
            "codice fiscale",
            "codice identificazione",
            "numero di identificazione",
            "national identity number",
            "national id",
        ),
    ),
    Identifier(
        "PassportNumber-IT",
        _form(r"[A-Z]{2}\d{7}"),
        words=Words(*_PASSPORT, "passaporto", "numero passaporto", "passaporto numero"),
    ),
    Identifier(
        "DriversLicense-IT",
        _form(r"[A-Z]{2}\d{7}[A-Z]|U1[A-Z\d]{7}[A-Z]"),
        words=Words("patente", "patente guida", "patente di guida", "numero patente"),
    ),
    _phone(
        "IT", "39", r"(?:3\d{2}[ .-]?\d{3}[ .-]?\d{3,4}|0?\d{2,3}[ .-]?\d{4}[ .-]?\d{3,4})", "cellulare", "telefono"
    ),
)
