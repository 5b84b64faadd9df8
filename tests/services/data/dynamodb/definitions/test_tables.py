"""Tables: how they come, what is said of them, how they go."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Account
from tests.services.data.dynamodb.table_requests import (
    INVALID,
    UNITS,
    attributes,
    definition,
    index,
    invalid,
    keys,
    refused,
)


@pytest.fixture
def dynamodb(cloud: Account) -> Any:
    return cloud.client("dynamodb")


def test_a_table_is_made_described_and_deleted(cloud: Account, dynamodb: Any) -> None:
    """Members and states as AWS answers them to the same calls."""
    made = dynamodb.create_table(**definition(BillingMode=None, ProvisionedThroughput=UNITS))["TableDescription"]
    arn = f"arn:aws:dynamodb:us-east-1:{cloud.account}:table/orders"
    expected = {
        "AttributeDefinitions": attributes("id"),
        "DeletionProtectionEnabled": False,
        "ItemCount": 0,
        "KeySchema": keys("id"),
        "ProvisionedThroughput": {"NumberOfDecreasesToday": 0, **UNITS},
        "TableArn": arn,
        "TableName": "orders",
        "TableSizeBytes": 0,
        "TableStatus": "CREATING",
    }
    assert {name: made[name] for name in made if name not in ("TableId", "CreationDateTime")} == expected
    dynamodb.get_waiter("table_exists").wait(TableName="orders")
    shown = dynamodb.describe_table(TableName="orders")["Table"]
    assert shown["TableStatus"] == "ACTIVE"
    assert shown["WarmThroughput"] == {"ReadUnitsPerSecond": 5, "WriteUnitsPerSecond": 5, "Status": "ACTIVE"}
    assert set(shown) == {*made, "WarmThroughput"}
    assert dynamodb.list_tables()["TableNames"] == ["orders"]
    gone = dynamodb.delete_table(TableName="orders")["TableDescription"]
    assert gone["TableStatus"] == "DELETING"
    assert set(gone) == set(made) - {"AttributeDefinitions", "KeySchema", "CreationDateTime"}
    dynamodb.get_waiter("table_not_exists").wait(TableName="orders")
    with refused("ResourceNotFoundException", "Requested resource not found: Table: orders not found"):
        dynamodb.describe_table(TableName="orders")
    with refused("ResourceNotFoundException", "Requested resource not found: Table: orders not found"):
        dynamodb.delete_table(TableName="orders")
    assert dynamodb.list_tables()["TableNames"] == []


def test_an_on_demand_table(cloud: Account, dynamodb: Any) -> None:
    made = dynamodb.create_table(**definition())["TableDescription"]
    assert made["BillingModeSummary"] == {"BillingMode": "PAY_PER_REQUEST"}
    assert made["ProvisionedThroughput"] == {
        "NumberOfDecreasesToday": 0,
        "ReadCapacityUnits": 0,
        "WriteCapacityUnits": 0,
    }
    cloud.settle()
    shown = dynamodb.describe_table(TableName=made["TableArn"])["Table"]
    assert set(shown["BillingModeSummary"]) == {"BillingMode", "LastUpdateToPayPerRequestDateTime"}
    assert shown["WarmThroughput"] == {"ReadUnitsPerSecond": 12000, "WriteUnitsPerSecond": 4000, "Status": "ACTIVE"}


def test_warm_throughput_that_is_asked_for_is_on_its_way(cloud: Account, dynamodb: Any) -> None:
    warm = {"ReadUnitsPerSecond": 1000, "WriteUnitsPerSecond": 1200}
    wanted = definition(BillingMode="PROVISIONED", ProvisionedThroughput=UNITS, WarmThroughput=warm)
    made = dynamodb.create_table(**wanted)["TableDescription"]
    assert made["WarmThroughput"] == {**warm, "Status": "UPDATING"}
    cloud.settle()
    assert dynamodb.describe_table(TableName="orders")["Table"]["WarmThroughput"] == {**warm, "Status": "ACTIVE"}


def test_a_name_is_used_once(cloud: Account, dynamodb: Any) -> None:
    first = dynamodb.create_table(**definition())["TableDescription"]
    cloud.settle()
    with refused("ResourceInUseException", "Table already exists: orders"):
        dynamodb.create_table(**definition())
    dynamodb.delete_table(TableName="orders")
    cloud.settle()
    again = dynamodb.create_table(**definition())["TableDescription"]
    assert again["TableArn"] == first["TableArn"]
    assert again["TableId"] != first["TableId"]


def test_tables_of_two_accounts_and_regions_are_apart(cloud: Account, dynamodb: Any) -> None:
    dynamodb.create_table(**definition())
    assert cloud.client("dynamodb", region="eu-west-1").list_tables()["TableNames"] == []
    assert cloud.another().client("dynamodb").list_tables()["TableNames"] == []


def test_names_are_listed_in_order_of_their_bytes_page_by_page(dynamodb: Any) -> None:
    for name in ("beta", "Alpha", "gamma.1"):
        dynamodb.create_table(**definition(name))
    assert dynamodb.list_tables()["TableNames"] == ["Alpha", "beta", "gamma.1"]
    page = dynamodb.list_tables(Limit=2)
    assert (page["TableNames"], page["LastEvaluatedTableName"]) == (["Alpha", "beta"], "beta")
    page = dynamodb.list_tables(Limit=2, ExclusiveStartTableName="beta")
    assert page["TableNames"] == ["gamma.1"]
    assert "LastEvaluatedTableName" not in page
    assert dynamodb.list_tables(ExclusiveStartTableName="between")["TableNames"] == ["gamma.1"]
    assert "LastEvaluatedTableName" not in dynamodb.list_tables(Limit=3)


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("ab", "Member must have length greater than or equal to 3"),
        ("a b c", "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"),
        ("x" * 256, "Member must have length less than or equal to 255"),
    ],
)
def test_names_that_are_none(dynamodb: Any, name: str, broken: str) -> None:
    text = f"1 validation error detected: Value '{name}' at 'tableName' failed to satisfy constraint: {broken}"
    with invalid(text):
        dynamodb.create_table(**definition(name))
    with invalid(text):
        dynamodb.describe_table(TableName=name)
    with invalid(text):
        dynamodb.delete_table(TableName=name)


def test_arns_of_elsewhere(dynamodb: Any) -> None:
    arn = "arn:aws:dynamodb:eu-west-1:000000000000:table/orders"
    with invalid(f"1 validation error detected: Invalid AWS region in '{arn}'"):
        dynamodb.describe_table(TableName=arn)
    arn = "arn:aws-cn:dynamodb:us-east-1:000000000000:table/orders"
    with invalid(f"1 validation error detected: Invalid AWS partition in '{arn}'"):
        dynamodb.describe_table(TableName=arn)
    arn = "arn:aws:dynamodb:us-east-1:000000000000:index/orders"
    with invalid(f"1 validation error detected: Invalid resource type in '{arn}'"):
        dynamodb.describe_table(TableName=arn)


def undefined(missing: str, defined: str) -> str:
    return (
        f"{INVALID}Some index key attributes are not defined in AttributeDefinitions. Keys: [{missing}], "
        f"AttributeDefinitions: [{defined}]"
    )


NULL = "1 validation error detected: Value null at '{}' failed to satisfy constraint: Member must not be null"
REFUSALS: list[tuple[dict[str, Any], str]] = [
    ({"KeySchema": None}, NULL.format("keySchema")),
    ({"AttributeDefinitions": None}, NULL.format("attributeDefinitions")),
    (
        {"KeySchema": []},
        "1 validation error detected: Value '[]' at 'keySchema' failed to satisfy constraint: "
        "Member must have length greater than or equal to 1",
    ),
    ({"AttributeDefinitions": attributes("id", "id")}, "Attribute Name is duplicated: id"),
    ({"AttributeDefinitions": []}, "Invalid KeySchema: Some index key attribute have no definition"),
    ({"KeySchema": keys("id", "at")}, "Invalid KeySchema: Some index key attribute have no definition"),
    ({"AttributeDefinitions": attributes("other")}, undefined("id", "other")),
    ({"AttributeDefinitions": attributes("Id")}, undefined("id", "Id")),
    ({"KeySchema": keys("id:RANGE")}, "Invalid KeySchema: The first KeySchemaElement is not a HASH key type"),
    (
        {"KeySchema": keys("id:HASH", "at:HASH"), "AttributeDefinitions": attributes("id", "at")},
        "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type",
    ),
    (
        {"KeySchema": keys("id", "id"), "AttributeDefinitions": attributes("id", "at")},
        "Both the Hash Key and the Range Key element in the KeySchema have the same name",
    ),
    (
        {"AttributeDefinitions": attributes("id", "at")},
        f"{INVALID}Number of attributes in KeySchema does not exactly match number of attributes defined in "
        "AttributeDefinitions",
    ),
    (
        {"BillingMode": None},
        f"{INVALID}ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED",
    ),
    (
        {"ProvisionedThroughput": UNITS},
        f"{INVALID}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is "
        "PAY_PER_REQUEST",
    ),
    (
        {"OnDemandThroughput": {"MaxReadRequestUnits": 0}},
        f"{INVALID}Requested MaxReadRequestUnits for OnDemandThroughput for table is outside of valid range",
    ),
    (
        {"OnDemandThroughput": {"MaxWriteRequestUnits": -1}},
        f"{INVALID}Requested MaxWriteRequestUnits for OnDemandThroughput for table is outside of valid range",
    ),
    (
        {
            "BillingMode": "PROVISIONED",
            "ProvisionedThroughput": UNITS,
            "OnDemandThroughput": {"MaxReadRequestUnits": 10},
        },
        f"{INVALID}MaxReadRequestUnits for OnDemandThroughput cannot be specified when table BillingMode is "
        "PROVISIONED.",
    ),
    (
        {
            "BillingMode": "PROVISIONED",
            "ProvisionedThroughput": UNITS,
            "WarmThroughput": {"ReadUnitsPerSecond": 1},
        },
        f"{INVALID}Requested ReadUnitsPerSecond for WarmThroughput for table is lower than ReadCapacityUnits of "
        "ProvisionedThroughput",
    ),
    (
        {"WarmThroughput": {"ReadUnitsPerSecond": 1}},
        f"{INVALID}Requested ReadUnitsPerSecond for WarmThroughput for table is lower than initial throughput for "
        "OnDemand. See: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html"
        "#on-demand-capacity-mode-initial",
    ),
    (
        {"StreamSpecification": {"StreamEnabled": True}},
        f"{INVALID}Table is being created with a stream enabled, UpdateViewType is required",
    ),
    (
        {"StreamSpecification": {"StreamEnabled": False, "StreamViewType": "KEYS_ONLY"}},
        f"{INVALID}Table is being created with a stream disabled, UpdateViewType should not be specified",
    ),
    (
        {"SSESpecification": {"Enabled": False, "SSEType": "KMS"}},
        f"{INVALID}SSEType can not be specified if Enabled is false",
    ),
    (
        {"SSESpecification": {"Enabled": False, "KMSMasterKeyId": "alias/mine"}},
        f"{INVALID}KMSMasterKeyId can not be specified if Enabled is false",
    ),
    ({"SSESpecification": {"Enabled": True, "SSEType": "AES256"}}, f"{INVALID}SSEType AES256 is not supported"),
    (
        {"SSESpecification": {"Enabled": True, "KMSMasterKeyId": "alias/mine"}},
        f"{INVALID}SSEType KMS is required if KMSMasterKeyId is specified",
    ),
    ({"GlobalSecondaryIndexes": []}, f"{INVALID}List of GlobalSecondaryIndexes is empty"),
    ({"LocalSecondaryIndexes": []}, f"{INVALID}List of LocalSecondaryIndexes is empty"),
    (
        {"LocalSecondaryIndexes": [index("by_at", "id", "at")], "AttributeDefinitions": attributes("id", "at")},
        f"{INVALID}Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex",
    ),
    (
        {"GlobalSecondaryIndexes": [index("by_at", "at")]},
        undefined("at", "id"),
    ),
    (
        {"GlobalSecondaryIndexes": [index("by_at", "at")], "AttributeDefinitions": attributes("id", "at", "more")},
        f"{INVALID}Some AttributeDefinitions are not used. AttributeDefinitions: [id, at, more], keys used: [id, at]",
    ),
    (
        {"Tags": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]},
        "Duplicate Tag Keys provided as input: Duplicate Tag Key found a",
    ),
    ({"Tags": [{"Key": "aws:a", "Value": "1"}]}, "Tag Key cannot be prefixed with aws:, Key: aws:a"),
    ({"Tags": [{"Key": "a#", "Value": "1"}]}, "The Tag Key provided is invalid, Key: a#"),
    ({"Tags": [{"Key": "a", "Value": "#"}]}, "The Tag Value provided is invalid, Value: #"),
    (
        {"Tags": [{"Key": str(number), "Value": ""} for number in range(51)]},
        "Number of Tags exceed the current limit for the provided ResourceArn",
    ),
]


@pytest.mark.parametrize(
    ("changes", "message"), REFUSALS, ids=lambda value: value[:60] if isinstance(value, str) else ""
)
def test_what_create_table_refuses(dynamodb: Any, changes: dict[str, Any], message: str) -> None:
    """Source: answers of AWS to these requests."""
    with invalid(message):
        dynamodb.create_table(**definition(**changes))
    assert dynamodb.list_tables()["TableNames"] == []


def test_units_are_at_least_one_and_both_there(dynamodb: Any) -> None:
    with refused("ValidationException"):
        dynamodb.create_table(**definition(BillingMode="PROVISIONED", ProvisionedThroughput={"ReadCapacityUnits": 1}))
    zero = {"ReadCapacityUnits": 0, "WriteCapacityUnits": 1}
    with invalid(
        "1 validation error detected: Value '0' at 'provisionedThroughput.readCapacityUnits' failed to satisfy "
        "constraint: Member must have value greater than or equal to 1"
    ):
        dynamodb.create_table(**definition(BillingMode="PROVISIONED", ProvisionedThroughput=zero))
    many = {"ReadCapacityUnits": 40001, "WriteCapacityUnits": 1}
    with refused(
        "LimitExceededException",
        "The requested ReadCapacityUnits, 40001, is above the per table maximum for the account in us-east-1. Per "
        "table maximum: 40000. Refer to the Amazon DynamoDB Developer Guide for current limits and how to request "
        "higher limits.",
    ):
        dynamodb.create_table(**definition(BillingMode="PROVISIONED", ProvisionedThroughput=many))


def test_a_protected_table_is_not_deleted(cloud: Account, dynamodb: Any) -> None:
    dynamodb.create_table(**definition(DeletionProtectionEnabled=True))
    cloud.settle()
    with invalid(
        "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first."
    ):
        dynamodb.delete_table(TableName="orders")
    answer = dynamodb.update_table(TableName="orders", DeletionProtectionEnabled=False)["TableDescription"]
    assert (answer["DeletionProtectionEnabled"], answer["TableStatus"]) == (False, "ACTIVE")
    dynamodb.delete_table(TableName="orders")


def test_limits_and_endpoints(cloud: Account, dynamodb: Any) -> None:
    limits = dynamodb.describe_limits()
    assert (limits["AccountMaxReadCapacityUnits"], limits["TableMaxWriteCapacityUnits"]) == (80000, 40000)
    (endpoint,) = dynamodb.describe_endpoints()["Endpoints"]
    assert endpoint == {"Address": cloud.url.removeprefix("http://"), "CachePeriodInMinutes": 1440}


def test_insights_and_destinations_are_off(cloud: Account, dynamodb: Any) -> None:
    dynamodb.create_table(**definition())
    cloud.settle()
    shown = dynamodb.describe_contributor_insights(TableName="orders")
    assert (shown["TableName"], shown["ContributorInsightsStatus"]) == ("orders", "DISABLED")
    with refused("ResourceNotFoundException", "Requested resource not found: Index: none not found for table: orders"):
        dynamodb.describe_contributor_insights(TableName="orders", IndexName="none")
    assert dynamodb.list_contributor_insights()["ContributorInsightsSummaries"] == []
    found = dynamodb.describe_kinesis_streaming_destination(TableName="orders")
    assert found["KinesisDataStreamDestinations"] == []
    with refused("ResourceNotFoundException", "Requested resource not found: Table: bad-table not found"):
        dynamodb.describe_kinesis_streaming_destination(TableName="bad-table")
