"""UpdateTable: one change a call, capacity and how often it may fall, streams, classes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Account
from tests.services.data.dynamodb.table_requests import INVALID, UNITS, definition, index, invalid, refused


@pytest.fixture
def dynamodb(cloud: Account) -> Any:
    """With an on-demand table `orders` and a provisioned one, `units`."""
    client = cloud.client("dynamodb")
    client.create_table(**definition())
    client.create_table(**definition("units", BillingMode="PROVISIONED", ProvisionedThroughput=UNITS))
    cloud.settle()
    return client


def units(read: int, write: int) -> dict[str, int]:
    return {"ReadCapacityUnits": read, "WriteCapacityUnits": write}


def shown(dynamodb: Any, name: str) -> dict[str, Any]:
    table: dict[str, Any] = dynamodb.describe_table(TableName=name)["Table"]
    return table


REQUIRED = (
    "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates, "
    "SSESpecification, ReplicaUpdates, MultiAccountReplicaReady, ReplicaTransitRoleArn, MultiRegionConsistency, "
    "DeletionProtectionEnabled, OnDemandThroughput, WarmThroughput or TableClass is required"
)
STREAM = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
GUIDE = "Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits."
REFUSALS: list[tuple[str, dict[str, Any], str]] = [
    ("orders", {}, REQUIRED),
    ("orders", {"AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "N"}]}, REQUIRED),
    (
        "orders",
        {"SSESpecification": {"Enabled": True, "SSEType": "KMS"}, "DeletionProtectionEnabled": True},
        f"{INVALID}Server-Side Encryption modification must be the only operation in the request",
    ),
    (
        "orders",
        {"TableClass": "STANDARD", "StreamSpecification": STREAM},
        f"{INVALID}TableClass modification must be the only operation in the request",
    ),
    (
        "orders",
        {"DeletionProtectionEnabled": True, "StreamSpecification": STREAM},
        f"{INVALID}DeletionProtection modification must be the only operation in the request",
    ),
    (
        "orders",
        {"WarmThroughput": {"ReadUnitsPerSecond": 13000}, "StreamSpecification": STREAM},
        f"{INVALID}WarmThroughput must be the only operation in the request",
    ),
    (
        "orders",
        {"OnDemandThroughput": {"MaxReadRequestUnits": 10}, "StreamSpecification": STREAM},
        f"{INVALID}OnDemandThroughput can only be combined with BillingMode in an UpdateTable request",
    ),
    (
        "units",
        {"ProvisionedThroughput": units(6, 6), "StreamSpecification": STREAM},
        f"{INVALID}You cannot modify stream status while updating table IOPS",
    ),
    (
        "orders",
        {"ProvisionedThroughput": UNITS},
        f"{INVALID}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is "
        "PAY_PER_REQUEST",
    ),
    (
        "orders",
        {"BillingMode": "PROVISIONED"},
        f"{INVALID}ProvisionedThroughput must be specified when BillingMode is PROVISIONED",
    ),
    (
        "units",
        {"ProvisionedThroughput": UNITS},
        "The provisioned throughput for the table will not change. The requested value equals the current value. "
        "Current ReadCapacityUnits provisioned for the table: 5. Requested ReadCapacityUnits: 5. Current "
        "WriteCapacityUnits provisioned for the table: 5. Requested WriteCapacityUnits: 5. " + GUIDE,
    ),
    (
        "units",
        {"OnDemandThroughput": {"MaxReadRequestUnits": 10}},
        f"{INVALID}MaxReadRequestUnits for OnDemandThroughput cannot be specified when the table BillingMode is "
        "PROVISIONED",
    ),
    (
        "orders",
        {"OnDemandThroughput": {"MaxWriteRequestUnits": -2}},
        f"{INVALID}Requested MaxWriteRequestUnits for OnDemandThroughput for table is outside of valid range",
    ),
    (
        "units",
        {"WarmThroughput": {"WriteUnitsPerSecond": 1}},
        f"{INVALID}Requested WriteUnitsPerSecond for WarmThroughput for table is lower than current WarmThroughput, "
        "decreasing WarmThroughput is not supported",
    ),
    (
        "orders",
        {"StreamSpecification": {"StreamEnabled": True}},
        f"{INVALID}If stream is being enabled then UpdateViewType is required",
    ),
    (
        "orders",
        {"StreamSpecification": {"StreamEnabled": False, "StreamViewType": "KEYS_ONLY"}},
        f"{INVALID}If stream is being disabled, then UpdateViewType must not be specified",
    ),
    (
        "orders",
        {"StreamSpecification": {"StreamEnabled": False}},
        "Table has no stream to disable: TableName: orders",
    ),
    (
        "orders",
        {"SSESpecification": {}},
        f"{INVALID}Table is already encrypted by default",
    ),
    ("orders", {"GlobalSecondaryIndexUpdates": []}, f"{INVALID}List of GlobalSecondaryIndexUpdates is empty"),
    (
        "orders",
        {
            "GlobalSecondaryIndexUpdates": [{"Create": index("by_at", "at")}],
            "WarmThroughput": {"WriteUnitsPerSecond": 10_000},
        },
        f"{INVALID}Create global secondary index cannot be specified when updating WarmThroughput",
    ),
    (
        "orders",
        {
            "GlobalSecondaryIndexUpdates": [{"Create": index("by_at", "at")}],
            "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
        },
        f"{INVALID}You cannot create or delete index while changing stream status",
    ),
]


@pytest.mark.parametrize(("table", "changes", "message"), REFUSALS, ids=[text[:70] for _, _, text in REFUSALS])
def test_what_update_table_refuses(dynamodb: Any, table: str, changes: dict[str, Any], message: str) -> None:
    """Source: answers of AWS to these requests. What is refused changes nothing."""
    before = shown(dynamodb, table)
    with invalid(message):
        dynamodb.update_table(TableName=table, **changes)
    assert shown(dynamodb, table) == before


def test_a_table_that_is_not_there(dynamodb: Any) -> None:
    with refused("ResourceNotFoundException", "Requested resource not found: Table: others not found"):
        dynamodb.update_table(TableName="others", DeletionProtectionEnabled=True)


def test_an_answer_tells_all_of_the_table(dynamodb: Any) -> None:
    before = shown(dynamodb, "orders")
    told = dynamodb.update_table(TableName="orders", StreamSpecification=STREAM)["TableDescription"]
    assert told["TableStatus"] == "UPDATING"
    assert told["WarmThroughput"] == {"ReadUnitsPerSecond": 12000, "WriteUnitsPerSecond": 4000, "Status": "ACTIVE"}
    assert told["BillingModeSummary"] == before["BillingModeSummary"]
    assert "LastUpdateToPayPerRequestDateTime" in told["BillingModeSummary"]


def test_units_rise_and_fall(cloud: Account, dynamodb: Any) -> None:
    answer = dynamodb.update_table(TableName="units", ProvisionedThroughput=units(8, 5))["TableDescription"]
    assert answer["TableStatus"] == "UPDATING"
    cloud.settle()
    after = shown(dynamodb, "units")
    assert after["TableStatus"] == "ACTIVE"
    assert after["WarmThroughput"]["ReadUnitsPerSecond"] == 8
    assert "LastIncreaseDateTime" in after["ProvisionedThroughput"]
    for read in (7, 6, 5, 4):
        dynamodb.update_table(TableName="units", ProvisionedThroughput=units(read, 5))
        cloud.settle()
    found = shown(dynamodb, "units")["ProvisionedThroughput"]
    assert (found["NumberOfDecreasesToday"], found["ReadCapacityUnits"]) == (4, 4)
    with refused("LimitExceededException") as _:
        dynamodb.update_table(TableName="units", ProvisionedThroughput=units(3, 5))
    dynamodb.update_table(TableName="units", ProvisionedThroughput=units(4, 6))
    cloud.settle()
    cloud.advance(3601)
    dynamodb.update_table(TableName="units", ProvisionedThroughput=units(3, 6))


def test_a_new_day_has_decreases_of_its_own(cloud: Account, dynamodb: Any) -> None:
    for read in (4, 3, 2, 1):
        dynamodb.update_table(TableName="units", ProvisionedThroughput=units(read, 5))
        cloud.settle()
    cloud.advance(86_400)
    assert shown(dynamodb, "units")["ProvisionedThroughput"]["NumberOfDecreasesToday"] == 0


def test_billing_modes_are_switched(cloud: Account, dynamodb: Any) -> None:
    answer = dynamodb.update_table(TableName="units", BillingMode="PAY_PER_REQUEST")["TableDescription"]
    assert answer["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert (answer["TableStatus"], answer["ProvisionedThroughput"]["ReadCapacityUnits"]) == ("UPDATING", 0)
    cloud.settle()
    assert shown(dynamodb, "units")["WarmThroughput"]["ReadUnitsPerSecond"] == 12000
    maximum = {"MaxReadRequestUnits": 100, "MaxWriteRequestUnits": 50}
    dynamodb.update_table(TableName="units", OnDemandThroughput=maximum)
    cloud.settle()
    assert shown(dynamodb, "units")["OnDemandThroughput"] == maximum
    dynamodb.update_table(TableName="units", OnDemandThroughput={"MaxReadRequestUnits": -1})
    cloud.settle()
    assert shown(dynamodb, "units")["OnDemandThroughput"] == {"MaxWriteRequestUnits": 50}
    dynamodb.update_table(TableName="units", BillingMode="PROVISIONED", ProvisionedThroughput=units(2, 2))
    cloud.settle()
    back = shown(dynamodb, "units")
    assert back["ProvisionedThroughput"]["ReadCapacityUnits"] == 2
    assert back["BillingModeSummary"]["BillingMode"] == "PROVISIONED"
    assert "OnDemandThroughput" not in back
    assert back["WarmThroughput"]["ReadUnitsPerSecond"] == 12000


def test_warm_throughput_rises(cloud: Account, dynamodb: Any) -> None:
    warm = {"ReadUnitsPerSecond": 13000, "WriteUnitsPerSecond": 4000}
    answer = dynamodb.update_table(TableName="orders", WarmThroughput=warm)["TableDescription"]
    assert (answer["TableStatus"], answer["WarmThroughput"]["Status"]) == ("ACTIVE", "UPDATING")
    cloud.settle()
    assert shown(dynamodb, "orders")["WarmThroughput"] == {**warm, "Status": "ACTIVE"}


def test_a_stream_is_not_changed_in_place(cloud: Account, dynamodb: Any) -> None:
    answer = dynamodb.update_table(TableName="orders", StreamSpecification=STREAM)["TableDescription"]
    assert answer["StreamSpecification"] == STREAM
    cloud.settle()
    with invalid("Table already has an enabled stream: TableName: orders"):
        dynamodb.update_table(TableName="orders", StreamSpecification=STREAM)


def test_classes_change_twice_in_thirty_days(cloud: Account, dynamodb: Any) -> None:
    dynamodb.update_table(TableName="orders", TableClass="STANDARD")
    cloud.settle()
    assert "TableClassSummary" not in shown(dynamodb, "orders")
    for name in ("STANDARD_INFREQUENT_ACCESS", "STANDARD"):
        dynamodb.update_table(TableName="orders", TableClass=name)
        cloud.settle()
        assert shown(dynamodb, "orders")["TableClassSummary"]["TableClass"] == name
    text = "Subscriber limit exceeded: Updates to TableClass are limited to 2 times in 30 day(s)."
    with refused("LimitExceededException", text):
        dynamodb.update_table(TableName="orders", TableClass="STANDARD_INFREQUENT_ACCESS")
    cloud.advance(31 * 86_400)
    dynamodb.update_table(TableName="orders", TableClass="STANDARD_INFREQUENT_ACCESS")
