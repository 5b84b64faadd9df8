"""Platform applications, their endpoints, and pushes."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Account

CREDENTIALS = {"PlatformCredential": "secret", "PlatformPrincipal": "client"}


@pytest.fixture
def application(sns: Any) -> str:
    arn: str = sns.create_platform_application(Name="shop", Platform="ADM", Attributes=CREDENTIALS)[
        "PlatformApplicationArn"
    ]
    return arn


@pytest.fixture
def device(sns: Any, application: str) -> str:
    arn: str = sns.create_platform_endpoint(PlatformApplicationArn=application, Token="token_1")["EndpointArn"]
    return arn


def pushed(cloud: Account) -> list[dict[str, Any]]:
    """The account's pushes, as kept in the data directory."""
    cloud.settle()
    found = []
    for path in sorted((cloud.data_dir / "push").glob("*.jsonl")):
        found += [json.loads(line) for line in path.read_text().splitlines()]
    return [entry for entry in found if entry["account"] == cloud.account]


def test_an_application_is_made_shown_and_changed(cloud: Account, sns: Any, application: str) -> None:
    assert application == f"arn:aws:sns:us-east-1:{cloud.account}:app/ADM/shop"
    shown = {"Enabled": "true"}
    assert sns.get_platform_application_attributes(PlatformApplicationArn=application)["Attributes"] == shown
    assert sns.list_platform_applications()["PlatformApplications"] == [
        {"PlatformApplicationArn": application, "Attributes": shown}
    ]
    given = {"SuccessFeedbackSampleRate": "50"}
    sns.set_platform_application_attributes(PlatformApplicationArn=application, Attributes=given)
    found = sns.get_platform_application_attributes(PlatformApplicationArn=application)["Attributes"]
    assert found == {**shown, **given}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "Invalid parameter:  Reason: cannot be empty"),
        ("a" * 257, "Invalid parameter: " + "a" * 257 + " Reason: must be at most 256 characters long"),
        (
            "@name",
            "Invalid parameter: @name Reason: must contain only characters "
            "'a'-'z', 'A'-'Z', '0'-'9', '_', '-', and '.'",
        ),
    ],
)
def test_wrong_names(sns: Any, refused: Callable[..., Any], name: str, message: str) -> None:
    error = refused(sns.create_platform_application, Name=name, Platform="ADM", Attributes=CREDENTIALS)
    assert (error.code, error.message) == ("InvalidParameter", message)


@pytest.mark.parametrize(
    ("platform", "attributes", "message"),
    [
        ("AAA", CREDENTIALS, "Invalid parameter: Platform Reason: AAA is not supported"),
        (
            "ADM",
            {"PlatformCredential": "x"},
            "Invalid parameter: Attributes Reason: PlatformCredential attribute provided without PlatformPrincipal",
        ),
        (
            "ADM",
            {"PlatformPrincipal": "x"},
            "Invalid parameter: Attributes Reason: PlatformPrincipal attribute provided without PlatformCredential",
        ),
        (
            "ADM",
            {},
            "1 validation error detected: Value null at 'attributes' failed to satisfy constraint: "
            "Member must not be null",
        ),
    ],
)
def test_wrong_attributes(
    sns: Any, refused: Callable[..., Any], platform: str, attributes: dict[str, str], message: str
) -> None:
    error = refused(sns.create_platform_application, Name="a", Platform=platform, Attributes=attributes)
    assert error.message == message


def test_a_firebase_key_stands_alone(sns: Any) -> None:
    given = {"PlatformCredential": "key"}
    arn = sns.create_platform_application(Name="a", Platform="GCM", Attributes=given)["PlatformApplicationArn"]
    found = sns.get_platform_application_attributes(PlatformApplicationArn=arn)["Attributes"]
    assert found == {"Enabled": "true", "AuthenticationMethod": "key"}


def test_what_is_not_there(cloud: Account, sns: Any, refused: Callable[..., Any], application: str) -> None:
    missing = application + "x"
    error = refused(sns.get_platform_application_attributes, PlatformApplicationArn=missing)
    assert (error.code, error.status, error.message) == ("NotFound", 404, "PlatformApplication does not exist")
    error = refused(sns.set_platform_application_attributes, PlatformApplicationArn=missing, Attributes=CREDENTIALS)
    assert error.message == "PlatformApplication does not exist"
    error = refused(sns.set_endpoint_attributes, EndpointArn=application, Attributes={"Enabled": "true"})
    assert error.message == (
        "Invalid parameter: EndpointArn Reason: Wrong number of slashes in relative portion of the ARN."
    )


def test_endpoints_are_made_listed_and_deleted(sns: Any, application: str, device: str) -> None:
    assert device.startswith(application.replace(":app/", ":endpoint/") + "/")
    attributes = {"Enabled": "true", "Token": "token_1"}
    given = {"PlatformApplicationArn": application}
    assert sns.list_endpoints_by_platform_application(**given)["Endpoints"] == [
        {"EndpointArn": device, "Attributes": attributes}
    ]
    assert sns.create_platform_endpoint(**given, Token="token_1")["EndpointArn"] == device
    sns.set_endpoint_attributes(EndpointArn=device, Attributes={"Enabled": "false"})
    assert sns.get_endpoint_attributes(EndpointArn=device)["Attributes"] == {**attributes, "Enabled": "false"}
    sns.delete_endpoint(EndpointArn=device)
    sns.delete_endpoint(EndpointArn=device)
    assert sns.list_endpoints_by_platform_application(**given)["Endpoints"] == []


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        (
            {"CustomUserData": "a" * 2049},
            "Invalid value for attribute: CustomUserData: must be at most 2048 bytes long in UTF-8 encoding",
        ),
        ({"InvalidKey": "x"}, "Invalid attribute name: InvalidKey"),
        ({"PlatformCredential": "x"}, "Invalid attribute name: PlatformCredential"),
    ],
)
def test_wrong_endpoint_attributes(
    sns: Any, refused: Callable[..., Any], application: str, device: str, attributes: dict[str, str], message: str
) -> None:
    expected = "Invalid parameter: Attributes Reason: " + message
    given = {"PlatformApplicationArn": application, "Token": "t"}
    assert refused(sns.create_platform_endpoint, **given, Attributes=attributes).message == expected
    assert refused(sns.set_endpoint_attributes, EndpointArn=device, Attributes=attributes).message == expected


def test_the_same_token_with_other_attributes_is_refused(
    sns: Any, refused: Callable[..., Any], application: str, device: str
) -> None:
    given = {"PlatformApplicationArn": application, "Token": "token_1"}
    error = refused(sns.create_platform_endpoint, **given, CustomUserData="foo")
    assert "already exists with the same Token, but different attributes." in error.message


def test_a_deleted_application_takes_its_endpoints_along(
    sns: Any, refused: Callable[..., Any], application: str, device: str
) -> None:
    sns.delete_platform_application(PlatformApplicationArn=application)
    error = refused(sns.list_endpoints_by_platform_application, PlatformApplicationArn=application)
    assert error.message == "PlatformApplication does not exist"
    assert refused(sns.get_endpoint_attributes, EndpointArn=device).message == "Endpoint does not exist"


def test_a_device_is_pushed_to(cloud: Account, sns: Any, device: str) -> None:
    texts = {"default": "d", "ADM": '{"data": {"message": "hi"}}'}
    message_id = sns.publish(TargetArn=device, Message=json.dumps(texts), MessageStructure="json")["MessageId"]
    [entry] = pushed(cloud)
    assert (entry["endpoint"], entry["token"], entry["message"]) == (device, "token_1", texts["ADM"])
    assert entry["message_id"] == message_id


def test_a_disabled_device_or_application_is_an_error(
    sns: Any, refused: Callable[..., Any], application: str, device: str
) -> None:
    sns.set_endpoint_attributes(EndpointArn=device, Attributes={"Enabled": "false"})
    assert refused(sns.publish, TargetArn=device, Message="m").code == "EndpointDisabled"
    disabled = {"Enabled": "false"}
    sns.set_platform_application_attributes(PlatformApplicationArn=application, Attributes=disabled)
    assert refused(sns.publish, TargetArn=device, Message="m").code == "PlatformApplicationDisabled"


def test_a_topic_pushes_to_subscribed_devices(cloud: Account, sns: Any, topic: str, device: str) -> None:
    arn = sns.subscribe(TopicArn=topic, Protocol="application", Endpoint=device)["SubscriptionArn"]
    sns.publish(TopicArn=topic, Message="m")
    assert [entry["message"] for entry in pushed(cloud)] == ["m"]
    sns.delete_endpoint(EndpointArn=device)
    assert [each["SubscriptionArn"] for each in sns.list_subscriptions()["Subscriptions"]] == [arn]


def test_what_happens_to_devices_is_told(
    cloud: Account, sns: Any, topic: str, application: str, queue: Callable[..., Any]
) -> None:
    orders = queue()
    attributes = {"RawMessageDelivery": "true"}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=orders.arn, Attributes=attributes)
    events = {"EventEndpointCreated": topic, "EventEndpointDeleted": topic}
    sns.set_platform_application_attributes(PlatformApplicationArn=application, Attributes=events)
    arn = sns.create_platform_endpoint(PlatformApplicationArn=application, Token="t")["EndpointArn"]
    sns.delete_endpoint(EndpointArn=arn)
    told = [json.loads(body) for body in orders.bodies()]
    assert sorted(event["Type"] for event in told) == ["EndpointCreated", "EndpointDeleted"]
    assert {event["EndpointArn"] for event in told} == {arn}
