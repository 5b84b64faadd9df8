"""ListSecrets and BatchGetSecretValue: filters, sorting, pages."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Account

Refused = Callable[..., Any]


@pytest.fixture(autouse=True)
def _secrets(cloud: Account, client: Any) -> None:
    for name, description, tag in (
        ("prod/db", "The main database", "red"),
        ("prod/api", "Key of the api", "blue"),
        ("test/db", "another Database", "red"),
    ):
        client.create_secret(
            Name=name, Description=description, SecretString=name, Tags=[{"Key": "team", "Value": tag}]
        )
        cloud.advance(1)


def names(client: Any, *filters: tuple[str, list[str]], **more: Any) -> list[str]:
    wanted = [{"Key": key, "Values": values} for key, values in filters]
    return [each["Name"] for each in client.list_secrets(Filters=wanted, **more)["SecretList"]]


def test_filters(client: Any) -> None:
    assert names(client, ("name", ["prod"])) == ["prod/db", "prod/api"]
    assert names(client, ("name", ["Prod"])) == []
    assert names(client, ("name", ["prod", "test"]), ("tag-value", ["red"])) == ["prod/db", "test/db"]
    assert names(client, ("name", ["!prod"])) == ["test/db"]
    assert names(client, ("description", ["DATA"])) == ["prod/db", "test/db"]
    assert names(client, ("tag-key", ["te"])) == ["prod/db", "prod/api", "test/db"]
    assert names(client, ("all", ["database"])) == ["prod/db", "test/db"]
    assert names(client, ("primary-region", ["us"])) == []
    assert names(client, ("owning-service", ["rds"])) == []


def test_order_and_pages(client: Any, refused: Refused) -> None:
    assert names(client, SortOrder="desc") == ["test/db", "prod/api", "prod/db"]
    assert names(client, SortBy="name") == ["prod/api", "prod/db", "test/db"]
    first = client.list_secrets(MaxResults=2)
    second = client.list_secrets(MaxResults=2, NextToken=first["NextToken"])
    found = [each["Name"] for each in first["SecretList"] + second["SecretList"]]
    assert found == ["prod/db", "prod/api", "test/db"] and "NextToken" not in second
    assert refused(client.list_secrets, NextToken="?").code == "InvalidNextTokenException"
    assert refused(client.list_secrets, Filters=[{"Key": "size", "Values": ["1"]}]).status == 400


def test_deleted_secrets_are_listed_on_demand(client: Any) -> None:
    client.delete_secret(SecretId="test/db")
    assert names(client) == ["prod/db", "prod/api"]
    assert names(client, IncludePlannedDeletion=True) == ["prod/db", "prod/api", "test/db"]


def test_entries_are_like_descriptions(client: Any) -> None:
    entry = client.list_secrets(MaxResults=1)["SecretList"][0]
    described = client.describe_secret(SecretId="prod/db")
    for name in ("ARN", "Name", "Description", "CreatedDate", "Tags"):
        assert entry[name] == described[name]
    assert entry["SecretVersionsToStages"] == described["VersionIdsToStages"]


def test_values_of_many(client: Any) -> None:
    found = client.batch_get_secret_value(SecretIdList=["prod/db", "nobody", "test/db"])
    assert [each["SecretString"] for each in found["SecretValues"]] == ["prod/db", "test/db"]
    assert found["Errors"] == [
        {
            "SecretId": "nobody",
            "ErrorCode": "ResourceNotFoundException",
            "Message": "Secrets Manager can't find the specified secret.",
        }
    ]
    page = client.batch_get_secret_value(Filters=[{"Key": "name", "Values": ["prod"]}], MaxResults=1)
    assert [each["Name"] for each in page["SecretValues"]] == ["prod/api"]
    page = client.batch_get_secret_value(
        Filters=[{"Key": "name", "Values": ["prod"]}], MaxResults=1, NextToken=page["NextToken"]
    )
    assert [each["Name"] for each in page["SecretValues"]] == ["prod/db"] and "NextToken" not in page


def test_a_batch_names_either_secrets_or_filters(client: Any, refused: Refused) -> None:
    filters = [{"Key": "name", "Values": ["a"]}]
    assert refused(client.batch_get_secret_value).code == "InvalidParameterException"
    both = {"SecretIdList": ["a"], "Filters": filters}
    assert refused(client.batch_get_secret_value, **both).code == "InvalidParameterException"
    assert refused(client.batch_get_secret_value, SecretIdList=["a"], MaxResults=3).code == "InvalidParameterException"
