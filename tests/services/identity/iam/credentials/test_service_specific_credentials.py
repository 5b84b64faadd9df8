"""Credentials that one service takes."""

import base64
from typing import Any

import pytest

from tests.services.identity.iam.conftest import House, refused


@pytest.mark.parametrize("service", ["codecommit.amazonaws.com", "cassandra.amazonaws.com"])
def test_the_life_of_a_credential(house: House, service: str) -> None:
    iam = house.iam
    iam.create_user(UserName="alice")
    made = iam.create_service_specific_credential(UserName="alice", ServiceName=service)["ServiceSpecificCredential"]
    password = made.pop("ServicePassword")
    assert made.pop("CreateDate")
    identifier = made["ServiceSpecificCredentialId"]
    assert identifier.startswith("ACCA")
    assert made == {
        "ServiceName": service, "ServiceSpecificCredentialId": identifier, "Status": "Active", "UserName": "alice",
        "ServiceUserName": f"alice-at-{house.account}",
    }  # fmt: skip
    named = {"UserName": "alice", "ServiceSpecificCredentialId": identifier}
    iam.update_service_specific_credential(**named, Status="Inactive")
    answer = iam.list_service_specific_credentials(UserName="alice")
    assert set(answer) == {"ServiceSpecificCredentials", "ResponseMetadata"}
    (listed,) = answer["ServiceSpecificCredentials"]
    assert listed["Status"] == "Inactive"
    assert "ServicePassword" not in listed
    again = iam.reset_service_specific_credential(**named)["ServiceSpecificCredential"]
    assert again["ServicePassword"] != password
    assert (again["ServiceSpecificCredentialId"], again["Status"]) == (identifier, "Inactive")
    assert refused(iam.delete_user, UserName="alice") == (
        "DeleteConflict", "Cannot delete entity, must remove referenced objects first.", 409,
    )  # fmt: skip
    iam.delete_service_specific_credential(**named)
    assert iam.list_service_specific_credentials(UserName="alice")["ServiceSpecificCredentials"] == []


@pytest.mark.parametrize("service", ["nonexistentservice.amazonaws.com", "lambda.amazonaws.com", "o3on3n3onosneo"])
def test_few_services_take_any(house: House, service: str) -> None:
    house.user("alice")
    no_service = ("NoSuchEntity", f"No such service {service} is supported for Service Specific Credentials", 404)
    call = house.iam.create_service_specific_credential
    assert refused(call, UserName="alice", ServiceName=service) == no_service
    listing = house.iam.list_service_specific_credentials
    assert refused(listing, UserName="alice", ServiceName=service) == no_service
    no_user = ("NoSuchEntity", "The user with name nobody cannot be found.", 404)
    assert refused(call, UserName="nobody", ServiceName=service) == no_user


def all_three(house: House, **named: str) -> list[tuple[str, str, int]]:
    iam = house.iam
    return [
        refused(iam.update_service_specific_credential, **named, Status="Inactive"),
        refused(iam.reset_service_specific_credential, **named),
        refused(iam.delete_service_specific_credential, **named),
    ]


def test_unknown_credentials_and_users(house: House) -> None:
    house.user("alice")
    made = house.iam.create_service_specific_credential(UserName="alice", ServiceName="codecommit.amazonaws.com")
    identifier = made["ServiceSpecificCredential"]["ServiceSpecificCredentialId"]
    wrong = "satisfiesregexbutstillinvalid"
    missing = ("NoSuchEntity", f"No such credential {wrong} exists", 404)
    assert set(all_three(house, UserName="alice", ServiceSpecificCredentialId=wrong)) == {missing}
    hyphens = (
        "ValidationError",
        "1 validation error detected: Value at 'serviceSpecificCredentialId' failed to satisfy constraint: Member must "
        "satisfy regular expression pattern: [\\w]+",
        400,
    )
    wrong = "totally-wrong-credential-id-with-hyphens"
    assert set(all_three(house, UserName="alice", ServiceSpecificCredentialId=wrong)) == {hyphens}
    no_user = ("NoSuchEntity", "The user with name bob cannot be found.", 404)
    assert set(all_three(house, UserName="bob", ServiceSpecificCredentialId=identifier)) == {no_user}
    assert refused(
        house.iam.update_service_specific_credential, UserName="alice", ServiceSpecificCredentialId=identifier,
        Status="Invalid",
    ) == (
        "ValidationError",
        "1 validation error detected: Value at 'status' failed to satisfy constraint: Member must satisfy enum value "
        "set",
        400,
    )  # fmt: skip


def test_api_keys_expire(house: House) -> None:
    house.user("alice")
    make: Any = house.iam.create_service_specific_credential
    made = make(UserName="alice", ServiceName="bedrock.amazonaws.com", CredentialAgeDays=2)["ServiceSpecificCredential"]
    assert made["ServiceCredentialAlias"].startswith("BedrockAPIKey-")
    assert made["ServiceCredentialSecret"].startswith("ABSK")
    secret = base64.b64decode(made["ServiceCredentialSecret"][4:]).decode()
    assert secret.startswith(f"{made['ServiceCredentialAlias']}:")
    assert (made["ExpirationDate"] - made["CreateDate"]).days == 2
    house.cloud.advance(3 * 86_400)
    (listed,) = house.iam.list_service_specific_credentials(UserName="alice")["ServiceSpecificCredentials"]
    assert listed["Status"] == "Expired"
    refusal = refused(make, UserName="alice", ServiceName="codecommit.amazonaws.com", CredentialAgeDays=2)
    assert refusal[0] == "InvalidInput"


def test_two_for_a_service_and_all_users_at_once(house: House) -> None:
    for name in ("alice", "bob"):
        house.user(name)
        for _ in range(2):
            house.iam.create_service_specific_credential(UserName=name, ServiceName="codecommit.amazonaws.com")
    third = refused(
        house.iam.create_service_specific_credential, UserName="alice", ServiceName="codecommit.amazonaws.com"
    )
    assert third[0] == "LimitExceeded"
    answer = house.iam.list_service_specific_credentials(AllUsers=True, ServiceName="codecommit.amazonaws.com")
    names = [each["ServiceUserName"] for each in answer["ServiceSpecificCredentials"]]
    assert len(set(names)) == 4
    assert answer["IsTruncated"] is False
