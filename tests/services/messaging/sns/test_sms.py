"""Text messages, their settings, the sandbox."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Account


def sent(cloud: Account) -> list[dict[str, Any]]:
    """The account's text messages, as kept in the data directory."""
    cloud.settle()
    found = []
    for path in sorted((cloud.data_dir / "sms").glob("*.jsonl")):
        found += [json.loads(line) for line in path.read_text().splitlines()]
    return [entry for entry in found if entry["account"] == cloud.account]


def test_a_number_is_sent_to(cloud: Account, sns: Any) -> None:
    sns.set_sms_attributes(attributes={"DefaultSenderID": "cumulo"})
    attributes = {"AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"}}
    message_id = sns.publish(PhoneNumber="+15551234567", Message="hello", MessageAttributes=attributes)["MessageId"]
    [entry] = sent(cloud)
    assert (entry["to"], entry["from"], entry["message"]) == ("+15551234567", "cumulo", "hello")
    assert (entry["type"], entry["message_id"]) == ("Transactional", message_id)


def test_a_number_may_have_separators(cloud: Account, sns: Any) -> None:
    sns.publish(PhoneNumber="+1-555-555-0100", Message="Hello world!")
    [entry] = sent(cloud)
    assert entry["to"] == "+15555550100"


def test_a_subscribed_number_is_sent_to(cloud: Account, sns: Any, topic: str) -> None:
    arn = sns.subscribe(TopicArn=topic, Protocol="sms", Endpoint="+1 555-123.4567")["SubscriptionArn"]
    assert arn.startswith(topic + ":")
    sns.publish(TopicArn=topic, Message=json.dumps({"default": "d", "sms": "short"}), MessageStructure="json")
    [entry] = sent(cloud)
    assert (entry["to"], entry["message"]) == ("+15551234567", "short")


def test_a_wrong_number_is_refused(sns: Any, refused: Callable[..., Any]) -> None:
    error = refused(sns.publish, PhoneNumber="+1", Message="m")
    assert error.message == "Invalid parameter: PhoneNumber Reason: +1 is not valid to publish to"
    for number in ("15555550100", "+1--5555550100", "+0 555 5550100", "+155555501001234567"):
        error = refused(sns.publish, PhoneNumber=number, Message="m")
        assert error.message == f"Invalid parameter: PhoneNumber Reason: {number} is not valid to publish to"


def test_settings(sns: Any) -> None:
    assert sns.get_sms_attributes()["attributes"] == {"MonthlySpendLimit": "1"}
    given = {"DefaultSMSType": "Promotional", "DefaultSenderID": "LSTest"}
    sns.set_sms_attributes(attributes=given)
    assert sns.get_sms_attributes(attributes=["DefaultSMSType", "DefaultSenderID"])["attributes"] == given
    assert sns.get_sms_attributes()["attributes"] == {**given, "MonthlySpendLimit": "1"}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("InvalidAttribute", "x", "InvalidAttribute is not a valid attribute"),
        ("DefaultSMSType", "Invalid", "DefaultSMSType is invalid"),
        ("DefaultSenderID", "1234567", "DefaultSendID is not a valid attribute"),
        ("DefaultSenderID", "abcdefghijkl", "DefaultSendID is not a valid attribute"),
    ],
)
def test_wrong_settings(sns: Any, refused: Callable[..., Any], name: str, value: str, message: str) -> None:
    error = refused(sns.set_sms_attributes, attributes={name: value})
    assert (error.code, error.message) == ("InvalidParameter", message)


def test_nobody_has_opted_out(sns: Any, refused: Callable[..., Any]) -> None:
    assert sns.list_phone_numbers_opted_out()["phoneNumbers"] == []
    assert sns.check_if_phone_number_is_opted_out(phoneNumber="+15551234567")["isOptedOut"] is False
    sns.opt_in_phone_number(phoneNumber="+15551234567")
    error = refused(sns.opt_in_phone_number, phoneNumber="not-a-number")
    assert error.message == "Invalid parameter: PhoneNumber Reason: input incorrectly formatted"
    assert sns.list_origination_numbers()["PhoneNumbers"] == []


def test_a_number_is_verified_with_the_code_that_it_was_sent(
    cloud: Account, sns: Any, refused: Callable[..., Any]
) -> None:
    number = "+15551234567"
    assert sns.get_sms_sandbox_account_status()["IsInSandbox"] is False
    sns.create_sms_sandbox_phone_number(PhoneNumber=number)
    assert sns.list_sms_sandbox_phone_numbers()["PhoneNumbers"] == [{"PhoneNumber": number, "Status": "Pending"}]
    code = next(word for word in sent(cloud)[0]["message"].replace(".", "").split() if word.isdigit())
    wrong = f"{(int(code) + 1) % 1000000:06d}"
    assert refused(sns.verify_sms_sandbox_phone_number, PhoneNumber=number, OneTimePassword=wrong).code in (
        "VerificationException",
        "Verification",
    )
    sns.verify_sms_sandbox_phone_number(PhoneNumber=number, OneTimePassword=code)
    assert sns.list_sms_sandbox_phone_numbers()["PhoneNumbers"] == [{"PhoneNumber": number, "Status": "Verified"}]
    sns.delete_sms_sandbox_phone_number(PhoneNumber=number)
    assert refused(sns.delete_sms_sandbox_phone_number, PhoneNumber=number).code == "ResourceNotFound"
