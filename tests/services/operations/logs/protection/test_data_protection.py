"""Data protection: what is found, what is masked, and who sees it all the same."""

import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulo.engines import regexes
from cumulo.services.operations.logs.protection import masking
from cumulo.services.operations.logs.protection.identifiers import MANAGED
from tests.conftest import Account
from tests.services.operations.logs.conftest import Storage, a_user, refused

GROUP = "/shop/orders"
Now = Callable[[], int]


def policy(*names: str, custom: dict[str, str] | None = None, **change: Any) -> str:
    identifiers = [f"arn:aws:dataprotection::aws:data-identifier/{name}" for name in names] + list(custom or {})
    document: dict[str, Any] = {
        "Name": "data-protection-policy",
        "Description": "test",
        "Version": "2021-06-01",
        "Statement": [
            {
                "Sid": "audit",
                "DataIdentifier": identifiers,
                "Operation": {"Audit": {"FindingsDestination": {}}},
            },
            {"Sid": "redact", "DataIdentifier": identifiers, "Operation": {"Deidentify": {"MaskConfig": {}}}},
        ],
        **change,
    }
    if custom:
        document["Configuration"] = {
            "CustomDataIdentifier": [{"Name": name, "Regex": regex} for name, regex in custom.items()]
        }
    return json.dumps(document)


KINDS = [
    ("EmailAddress", "a.b@example.com", "a.b@example"),
    ("IpAddress", "10.20.30.255", "10.20.30.256"),
    ("IpAddress", "2001:0db8:85a3:0000:0000:8a2e:0370:7334", "12:30:45"),
    ("CreditCardNumber", "4111 1111 1111 1111", "4111 1111 1111 1112"),
    ("AwsSecretKey", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtnFEMI/K7MDENG"),
    ("Ssn-US", "123-45-6789", "000-45-6789"),
    ("PhoneNumber-US", "(206) 555-0123", "12-3456"),
    ("BankAccountNumber-DE", "DE89370400440532013000", "DE89370400440532013001"),
    ("BankAccountNumber-GB", "GB29 NWBK 6016 1331 9268 19", "GB28 NWBK 6016 1331 9268 19"),
    ("VehicleIdentificationNumber", "1M8GDM9AXKP042788", "1M8GDM9A1KP042788"),
    ("NationalProviderId-US", "1234567893", "1234567894"),
    ("DrugEnforcementAgencyNumber-US", "AB1234563", "AB1234564"),
    ("CreditCardExpiration", "12/2027", "13/2027"),
    ("CreditCardSecurityCode", "123", "12"),
    ("ZipCode-US", "98109-1234", "9810"),
    ("PkcsPrivateKey", "-----BEGIN RSA PRIVATE KEY-----abc-----END RSA PRIVATE KEY-----", "-----BEGIN RSA-----"),
    ("OpenSshPrivateKey", "-----BEGIN OPENSSH PRIVATE KEY-----abc", "BEGIN OPENSSH PRIVATE KEY"),
    ("PgpPrivateKey", "-----BEGIN PGP PRIVATE KEY BLOCK-----abc", "PGP PRIVATE KEY BLOCK"),
    ("PuttyPrivateKey", "PuTTY-User-Key-File-2: ssh-rsa", "PuTTY-User"),
]


@pytest.mark.parametrize(("name", "found", "not_found"), KINDS)
def test_each_kind_of_data(name: str, found: str, not_found: str) -> None:
    protection = masking.read(policy(name))
    words = {"AwsSecretKey": "aws_secret_access_key=", "CreditCardExpiration": "Expiration: "}
    near = words.get(name, "cvv zip code dea number npi:") if MANAGED[name].words else ""
    assert protection.masked(f"{near}{found}") == near + "*" * len(found)
    assert protection.masked(f"{near} {not_found} ") == f"{near} {not_found} "
    if MANAGED[name].words:
        assert protection.masked(f"nothing {found}") == f"nothing {found}"


# Numbers that are given to nobody: examples of documents, or made for this.
NATIONAL = [
    ("DateOfBirth", "date of birth: ", "1980-02-29", "1980-13-29"),
    ("DateOfBirth", "dob ", "March 3, 1999", "Mars 3, 1999"),
    ("LatLong", "coordinates ", "47.6205, -122.3493", "97.6205, -122.3493"),
    ("CepCode-BR", "cep: ", "01310-100", "0131-100"),
    ("Cnpj-BR", "CNPJ ", "11.222.333/0001-81", "11.222.333/0001-82"),
    ("CpfCode-BR", "cpf=", "529.982.247-25", "529.982.247-26"),
    ("RgCode-BR", "RG ", "12.345.678-X", "12.345"),
    ("PhoneNumber-BR", "telefone ", "(11) 98765-4321", "8765"),
    ("PersonalHealthNumber-CA", "phn: ", "9876 543 210", "9876 543"),
    ("PassportNumber-CA", "passport ", "AB123456", "A123456"),
    ("PassportNumber-US", "passport number ", "123456789", "12345678"),
    ("DriversLicense-US", "driver's license ", "D12345678", "D1234"),
    ("BankAccountNumber-US", "checking account ", "000123456789", "123456789"),
    ("IndividualTaxIdentificationNumber-US", "itin: ", "912-70-1234", "912-49-1234"),
    ("HealthInsuranceClaimNumber-US", "hicn ", "123-45-6789A", "123-45-6789"),
    ("MedicareBeneficiaryNumber-US", "mbi ", "1EG4-TE5-MK73", "1SG4-TE5-MK73"),
    ("NationalDrugCode-US", "ndc ", "0777-3105-02", "0777-3105"),
    ("HealthcareProcedureCode-US", "hcpcs ", "J1100", "Z1100"),
    ("HealthInsuranceCardNumber-EU", "ehic ", "80276881030012345678", "81276881030012345678"),
    ("TaxId-DE", "steuer-id ", "86095742719", "86095742718"),
    ("NationalIdentificationNumber-DE", "Personalausweis ", "L01X00T471", "L01A00T471"),
    ("PassportNumber-DE", "Reisepass ", "C01X00T478", "A01X00T478"),
    ("DriversLicense-DE", "Führerschein ", "B072RRE2I55", "B072"),
    ("PhoneNumber-DE", "", "+49 30 901820", "030"),
    ("NifNumber-ES", "nif ", "12345678Z", "12345678A"),
    ("NieNumber-ES", "nie ", "X1234567L", "X1234567A"),
    ("NationalIdentificationNumber-ES", "dni ", "12345678Z", "12345678A"),
    ("TaxId-ES", "nif ", "12345678-Z", "12345678-A"),
    ("Ssn-ES", "seguridad social ", "28/12345678/40", "28/1234/40"),
    ("PassportNumber-ES", "pasaporte ", "AAA123456", "A123456"),
    ("PhoneNumber-ES", "móvil ", "612 345 678", "512 345 678"),
    ("InseeCode-FR", "insee ", "2 55 08 14 168 025 38", "2 55 08 14 168 025 39"),
    ("HealthInsuranceNumber-FR", "carte vitale ", "255081416802538", "255081416802539"),
    ("TaxId-FR", "numéro fiscal ", "3023217600053", "4023217600053"),
    ("PassportNumber-FR", "passeport ", "12AB34567", "12A34567"),
    ("PhoneNumber-FR", "", "+33 6 12 34 56 78", "6 12 34"),
    ("NationalInsuranceNumber-GB", "nino ", "QQ 12 34 56 C".replace("QQ", "AB"), "QQ 12 34 56 C"),
    ("NhsNumber-GB", "nhs number ", "943 476 5919", "943 476 5918"),
    ("ElectoralRollNumber-GB", "electoral roll no. ", "AB 1234", "A 12345"),
    ("TaxId-GB", "utr ", "12345 67890", "12345 678"),
    ("PassportNumber-GB", "passport ", "925665416", "92566541"),
    ("DriversLicense-GB", "driving licence ", "MORGA657054SM9IJ", "MORGA65705"),
    ("PhoneNumber-GB", "tel ", "020 7946 0018", "7946"),
    ("NationalIdentificationNumber-IT", "codice fiscale ", "RSSMRA85T10A562S", "RSSMRA85T10A562T"),
    ("PassportNumber-IT", "passaporto ", "YA1234567", "Y1234567"),
    ("DriversLicense-IT", "patente di guida ", "AB1234567X", "AB12345X"),
    ("PhoneNumber-IT", "cellulare ", "347 123 4567", "347"),
]


@pytest.mark.parametrize(("name", "near", "found", "not_found"), NATIONAL)
def test_each_number_of_a_country(name: str, near: str, found: str, not_found: str) -> None:
    protection = masking.read(policy(name))
    assert protection.masked(f"{near}{found}.") == near + "*" * len(found) + "."
    assert protection.masked(f"{near}{not_found}.") == f"{near}{not_found}."
    if near:
        assert protection.masked(f"nothing {found}") == f"nothing {found}"
        assert protection.masked(f"{near}{'.' * 31}{found}") == f"{near}{'.' * 31}{found}"


def test_words_of_a_kind() -> None:
    protection = masking.read(policy("DateOfBirth"))
    for near in ("dateofbirth ", "date_of_birth: ", "DATE-OF-BIRTH="):
        assert protection.masked(f"{near}1980-02-29") == near + "*" * 10
    assert protection.masked("adobe 1980-02-29") == "adobe 1980-02-29"


def test_every_kind_is_tested() -> None:
    tested = {each[0] for each in NATIONAL} | {each[0] for each in KINDS}
    assert tested | {f"BankAccountNumber-{country}" for country in ("FR", "IT", "ES")} == set(MANAGED)


@given(st.text(max_size=60))
def test_a_masked_message_is_as_long(text: str) -> None:
    protection = masking.read(policy(*MANAGED))
    masked = protection.masked(text)
    assert len(masked) == len(text)
    assert all(after in (before, "*") for before, after in zip(text, masked, strict=True))


def put(logs: Any, now: int, *messages: str) -> None:
    events = [{"timestamp": now + index, "message": message} for index, message in enumerate(messages)]
    logs.put_log_events(logGroupName=GROUP, logStreamName="one", logEvents=events)


def texts(answer: Any) -> list[str]:
    return [event["message"] for event in answer["events"]]


def test_what_comes_is_masked(cloud: Account, logs: Any, stream: dict[str, str], now_ms: Now, storage: Storage) -> None:
    put(logs, now_ms(), "before a@example.com")
    cloud.advance(1)
    document = policy("EmailAddress", custom={"order": "ORD-[0-9]+"})
    answer = logs.put_data_protection_policy(logGroupIdentifier=GROUP, policyDocument=document)
    assert (answer["logGroupIdentifier"], answer["policyDocument"]) == (GROUP, document)
    assert logs.get_data_protection_policy(logGroupIdentifier=GROUP)["policyDocument"] == document
    assert logs.describe_log_groups()["logGroups"][0]["dataProtectionStatus"] == "ACTIVATED"
    put(logs, now_ms(), "from b@example.com ORD-17")
    cloud.advance(1)
    logs.delete_data_protection_policy(logGroupIdentifier=GROUP)
    assert "policyDocument" not in logs.get_data_protection_policy(logGroupIdentifier=GROUP)
    assert logs.describe_log_groups()["logGroups"][0]["dataProtectionStatus"] == "DELETED"
    put(logs, now_ms(), "after c@example.com")
    masked = ["before a@example.com", "from ************* ******", "after c@example.com"]
    plain = ["before a@example.com", "from b@example.com ORD-17", "after c@example.com"]
    for _ in range(2):
        assert texts(logs.get_log_events(**stream, startFromHead=True)) == masked
        assert texts(logs.get_log_events(**stream, startFromHead=True, unmask=True)) == plain
        assert texts(logs.filter_log_events(logGroupName=GROUP)) == masked
        assert texts(logs.filter_log_events(logGroupName=GROUP, filterPattern='"b@example"')) == []
        assert texts(logs.filter_log_events(logGroupName=GROUP, filterPattern='"b@example"', unmask=True)) == plain[1:2]
        storage.seal()


def test_who_may_unmask(cloud: Account, logs: Any, stream: dict[str, str], now_ms: Now) -> None:
    iam = cloud.client("iam")
    iam.create_user(UserName="reader")
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    reader = cloud.client("logs", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])

    def let(*actions: str) -> None:
        arn = f"arn:aws:logs:us-east-1:{cloud.account}:log-group:{GROUP}:*"
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": arn}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName="reader", PolicyName="a", PolicyDocument=document)

    logs.put_data_protection_policy(logGroupIdentifier=GROUP, policyDocument=policy("EmailAddress"))
    put(logs, now_ms(), "b@example.com")
    let("logs:GetLogEvents", "logs:FilterLogEvents")
    assert texts(reader.get_log_events(**stream)) == ["*************"]
    with refused("AccessDeniedException"):
        reader.get_log_events(**stream, unmask=True)
    with refused("AccessDeniedException"):
        reader.filter_log_events(logGroupName=GROUP, unmask=True)
    let("logs:GetLogEvents", "logs:FilterLogEvents", "logs:Unmask")
    assert texts(reader.get_log_events(**stream, unmask=True)) == ["b@example.com"]


def test_findings_are_counted(cloud: Account, logs: Any, stream: dict[str, str], now_ms: Now) -> None:
    logs.put_data_protection_policy(logGroupIdentifier=GROUP, policyDocument=policy("EmailAddress"))
    now = now_ms() // 60_000 * 60_000
    put(logs, now, "b@example.com c@example.com", "nothing", "d@example.com")
    cloud.settle()
    [point] = cloud.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Logs",
        MetricName="LogEventsWithFindings",
        StartTime=datetime.fromtimestamp(now / 1000 - 60, UTC),
        EndTime=datetime.fromtimestamp(now / 1000 + 120, UTC),
        Period=60,
        Statistics=["Sum"],
        Dimensions=[
            {"Name": "LogGroupName", "Value": GROUP},
            {"Name": "DataProtectionOperation", "Value": "Audit"},
        ],
    )["Datapoints"]
    assert point["Sum"] == 2.0


def reporting(*names: str, **destination: Any) -> str:
    """A policy whose findings are reported."""
    document = json.loads(policy(*names))
    document["Statement"][0]["Operation"]["Audit"]["FindingsDestination"] = destination
    return json.dumps(document)


def test_findings_are_reported(cloud: Account, logs: Any, stream: dict[str, str], now_ms: Now) -> None:
    """The two addresses of AWS's example begin at its 13th and its 30th character."""
    logs.create_log_group(logGroupName="/audit")
    document = reporting("EmailAddress", "AwsSecretKey", CloudWatchLogs={"LogGroup": "/audit"})
    logs.put_data_protection_policy(logGroupIdentifier=GROUP, policyDocument=document)
    [access] = logs.describe_resource_policies()["resourcePolicies"]
    assert f"{cloud.account}:log-group:/audit:log-stream:*" in access["policyDocument"]
    put(logs, now_ms(), "my mail is: a1@example.com and: b1@example.com.", "nothing")
    cloud.settle()
    [event] = logs.filter_log_events(logGroupName="/audit")["events"]
    report = json.loads(event["message"])
    at = datetime.fromisoformat(report.pop("auditTimestamp")).timestamp() * 1000
    assert abs(at - now_ms()) < 600_000
    assert report == {
        "resourceArn": f"arn:aws:logs:us-east-1:{cloud.account}:log-group:{GROUP}:*",
        "dataIdentifiers": [
            {"name": "EmailAddress", "count": 2, "detections": [{"start": 13, "end": 26}, {"start": 33, "end": 46}]}
        ],
    }


def test_reports_are_not_reported(cloud: Account, logs: Any, stream: dict[str, str], now_ms: Now) -> None:
    """Two groups that report to each other, of data that every report has."""
    logs.create_log_group(logGroupName="/audit")
    for group, other in ((GROUP, "/audit"), ("/audit", GROUP)):
        document = json.loads(policy(custom={"count": "count|secret"}))
        document["Statement"][0]["Operation"]["Audit"]["FindingsDestination"] = {"CloudWatchLogs": {"LogGroup": other}}
        logs.put_data_protection_policy(logGroupIdentifier=group, policyDocument=json.dumps(document))
    put(logs, now_ms(), "secret", "secret")
    cloud.settle()
    assert len(logs.filter_log_events(logGroupName="/audit")["events"]) == 2
    assert len(logs.filter_log_events(logGroupName=GROUP)["events"]) == 2


def test_who_has_findings_reported(cloud: Account, logs: Any, stream: dict[str, str]) -> None:
    logs.create_log_group(logGroupName="/audit")
    document = reporting("EmailAddress", CloudWatchLogs={"LogGroup": "/audit"})
    user = a_user(cloud, "logs:PutDataProtectionPolicy", "logs:PutResourcePolicy")
    with refused("AccessDeniedException"):
        user.put_data_protection_policy(logGroupIdentifier=GROUP, policyDocument=document)
    assert logs.describe_resource_policies()["resourcePolicies"] == []
    user.put_data_protection_policy(logGroupIdentifier=GROUP, policyDocument=policy("EmailAddress"))


def test_policies_that_are_refused(logs: Any, stream: dict[str, str]) -> None:
    good = json.loads(policy("EmailAddress"))
    audit, mask = good["Statement"]
    for bad in (
        "{",
        json.dumps({**good, "Statement": [audit]}),
        json.dumps({**good, "Statement": [audit, {**mask, "DataIdentifier": ["x"]}]}),
        json.dumps({**good, "Statement": [audit, {**mask, "Operation": {"Deidentify": {"MaskConfig": {"a": 1}}}}]}),
        json.dumps({**good, "Statement": [{**audit, "Operation": {"Audit": {}}}, mask]}),
        policy(custom={"order": "("}),
        policy(custom={"bad name": "a"}),
        policy(custom={"order": "ORD-(a|b)"}),  # no groups, as AWS's list of characters has it
        policy(custom={"order": "x" * 201}),
        policy(custom={"order": "a++"}),
        policy(custom={"EmailAddress": "a@b"}),
        policy("EmailAddress", Description="x" * 31_000),
    ):
        with refused("InvalidParameterException"):
            logs.put_data_protection_policy(logGroupIdentifier=GROUP, policyDocument=bad)
    for code, document in (
        ("NotImplemented", policy("Address")),
        ("NotImplemented", reporting("EmailAddress", S3={"Bucket": "b"})),
        ("NotImplemented", reporting("EmailAddress", Firehose={"DeliveryStream": "d"})),
        ("InvalidParameterException", reporting("EmailAddress", Pigeons={"Loft": "l"})),
        ("InvalidParameterException", reporting("EmailAddress", CloudWatchLogs={"LogGroup": ""})),
        ("ResourceNotFoundException", reporting("EmailAddress", CloudWatchLogs={"LogGroup": "/none"})),
    ):
        with refused(code):
            logs.put_data_protection_policy(logGroupIdentifier=GROUP, policyDocument=document)
    with refused("ResourceNotFoundException"):
        logs.delete_data_protection_policy(logGroupIdentifier=GROUP)
    logs.create_log_group(logGroupName="rare", logGroupClass="INFREQUENT_ACCESS")
    with refused("InvalidOperationException"):
        logs.put_data_protection_policy(logGroupIdentifier="rare", policyDocument=policy("EmailAddress"))


def test_a_long_line_without_anything_is_soon_read(logs: Any, stream: dict[str, str], now_ms: Now) -> None:
    """A megabyte of letters is one run: each of its characters as a beginning would take an hour."""
    logs.put_data_protection_policy(logGroupIdentifier="/shop/orders", policyDocument=policy("EmailAddress"))
    text = "x" * 1_000_000
    logs.put_log_events(**stream, logEvents=[{"timestamp": now_ms(), "message": text}])
    [event] = logs.get_log_events(**stream)["events"]
    assert event["message"] == text


PIECES = (
    "a", "1", "A1", "1 ", "1-", "1.", "a@", "a@a.", "1/", "jan ", "-----BEGIN PRIVATE KEY-----", "::", "1:", "ab:",
    "PuTTY-User-Key-File-2:", "DE12 A", "+1 ", "(123) ", " ", "-", "é", "dl ", "phone ", "+49", "x1.1 ,", "1.1,", "[",
    "1.1  ", "90.0", "1jan ", "12 1", "_", "-a", "A-1 ", "tax ", "dob 1 ", "/", "=", "0", "1.1.1.", "cvv 123 ",
)  # fmt: skip


@pytest.mark.parametrize("name", sorted(MANAGED))
def test_what_is_managed_is_found_in_linear_time(name: str) -> None:
    """Forms of ours are Python's expressions, which look around."""
    identifier = MANAGED[name]
    assert isinstance(identifier.form, re.Pattern)
    for piece in PIECES:
        text = piece * (4_000 // len(piece))
        begun = time.thread_time()
        for _ in identifier.form.finditer(text):
            pass
        if identifier.words is not None:
            identifier.words.may_be_in(text)
        assert time.thread_time() - begun < 0.05, piece


def test_what_cannot_be_looked_at_in_time_is_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regexes, "MOST_S", 0.02)
    protection = masking.read(policy(custom={"order": "x*y|x"}))
    assert protection.masked("a x b") == "a * b"
    text = "x" * 100_000 + "a secret"
    assert protection.masked(text) == "*" * len(text)


def test_data_is_found_where_it_is_among_other_letters() -> None:
    protection = masking.read(policy(custom={"order": "RD-[0-9]+|[a-c]{2}$"}))
    assert protection.masked("größe RD-17 → RD-2 ab") == "größe ***** → **** **"
