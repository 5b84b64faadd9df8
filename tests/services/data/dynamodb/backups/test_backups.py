"""Backups on demand, point-in-time recovery, and the tables that are made of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.conftest import Account
from tests.services.data.dynamodb.table_requests import UNITS, attributes, definition, index, invalid, keys, refused


@pytest.fixture
def dynamodb(cloud: Account) -> Any:
    """With a table `orders` that has an index and 3 items."""
    client = cloud.client("dynamodb")
    client.create_table(
        **definition(
            AttributeDefinitions=attributes("id", "kind"),
            GlobalSecondaryIndexes=[index("by_kind", "kind")],
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
            Tags=[{"Key": "team", "Value": "shop"}],
        )
    )
    cloud.settle()
    for name in "abc":
        put(client, name, "1")
    return client


def put(dynamodb: Any, name: str, value: str, table: str = "orders") -> None:
    item = {"id": {"S": name}, "kind": {"S": "k"}, "value": {"N": value}}
    dynamodb.put_item(TableName=table, Item=item)


def contents(dynamodb: Any, table: str = "orders") -> dict[str, str]:
    found: dict[str, str] = {}
    for page in dynamodb.get_paginator("scan").paginate(TableName=table):
        found |= {item["id"]["S"]: item["value"]["N"] for item in page["Items"]}
    return found


def backup(cloud: Account, dynamodb: Any, name: str = "nightly") -> str:
    arn = str(dynamodb.create_backup(TableName="orders", BackupName=name)["BackupDetails"]["BackupArn"])
    cloud.settle()
    return arn


def test_a_backup_is_made_described_listed_and_deleted(cloud: Account, dynamodb: Any) -> None:
    made = dynamodb.create_backup(TableName="orders", BackupName="nightly")["BackupDetails"]
    assert (made["BackupStatus"], made["BackupType"], made["BackupName"]) == ("CREATING", "USER", "nightly")
    assert "BackupExpiryDateTime" not in made
    cloud.settle()
    shown = dynamodb.describe_backup(BackupArn=made["BackupArn"])["BackupDescription"]
    assert shown["BackupDetails"]["BackupStatus"] == "AVAILABLE"
    assert shown["BackupDetails"]["BackupSizeBytes"] > 0
    source = shown["SourceTableDetails"]
    assert (source["TableName"], source["ItemCount"], source["BillingMode"]) == ("orders", 3, "PAY_PER_REQUEST")
    assert source["KeySchema"] == keys("id")
    features = shown["SourceTableFeatureDetails"]
    assert features["StreamDescription"] == {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    assert features["GlobalSecondaryIndexes"][0]["IndexName"] == "by_kind"
    (listed,) = dynamodb.list_backups(TableName="orders")["BackupSummaries"]
    assert listed["BackupArn"] == made["BackupArn"]
    gone = dynamodb.delete_backup(BackupArn=made["BackupArn"])["BackupDescription"]
    assert gone["BackupDetails"]["BackupStatus"] == "DELETED"
    with refused("BackupNotFoundException", f"Backup not found: {made['BackupArn']}"):
        dynamodb.describe_backup(BackupArn=made["BackupArn"])
    assert dynamodb.list_backups()["BackupSummaries"] == []


def test_a_table_is_restored_as_it_was(cloud: Account, dynamodb: Any) -> None:
    arn = backup(cloud, dynamodb)
    put(dynamodb, "a", "2")
    dynamodb.delete_item(TableName="orders", Key={"id": {"S": "b"}})
    put(dynamodb, "d", "1")
    made = dynamodb.restore_table_from_backup(TargetTableName="copy", BackupArn=arn)["TableDescription"]
    assert made["TableStatus"] == "CREATING"
    assert made["RestoreSummary"]["RestoreInProgress"] is True
    assert made["RestoreSummary"]["SourceBackupArn"] == arn
    cloud.settle()
    assert contents(dynamodb, "copy") == {"a": "1", "b": "1", "c": "1"}
    table = dynamodb.describe_table(TableName="copy")["Table"]
    assert (table["TableStatus"], table["ItemCount"]) == ("ACTIVE", 3)
    # API Reference, RestoreSummary: "Indicates if a restore is in progress or not"; clients ask for false.
    assert table["RestoreSummary"] == {**made["RestoreSummary"], "RestoreInProgress": False}
    assert "StreamSpecification" not in table
    assert dynamodb.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"] == []
    page = dynamodb.query(
        TableName="copy",
        IndexName="by_kind",
        KeyConditionExpression="kind = :k",
        ExpressionAttributeValues={":k": {"S": "k"}},
    )
    assert page["Count"] == 3


def test_a_backup_outlives_its_table(cloud: Account, dynamodb: Any) -> None:
    arn = backup(cloud, dynamodb)
    dynamodb.delete_table(TableName="orders")
    cloud.settle()
    dynamodb.restore_table_from_backup(TargetTableName="orders", BackupArn=arn)
    cloud.settle()
    assert contents(dynamodb) == {"a": "1", "b": "1", "c": "1"}


def test_a_backup_is_of_one_moment_while_the_table_changes(cloud: Account, dynamodb: Any) -> None:
    """More items than one task copies: what is written meanwhile is not in it."""
    names = [f"{number:04}" for number in range(1300)]
    for start in range(0, len(names), 25):
        puts = [
            {"PutRequest": {"Item": {"id": {"S": name}, "value": {"N": "1"}}}} for name in names[start : start + 25]
        ]
        dynamodb.batch_write_item(RequestItems={"orders": puts})
    before = contents(dynamodb)
    arn = dynamodb.create_backup(TableName="orders", BackupName="big")["BackupDetails"]["BackupArn"]
    for name in names[::7]:
        put(dynamodb, name, "2")
        dynamodb.delete_item(TableName="orders", Key={"id": {"S": name}})
        put(dynamodb, f"new{name}", "3")
    cloud.settle()
    dynamodb.restore_table_from_backup(TargetTableName="copy", BackupArn=arn)
    cloud.settle()
    assert contents(dynamodb, "copy") == before


def test_overrides(cloud: Account, dynamodb: Any) -> None:
    arn = backup(cloud, dynamodb)
    made = dynamodb.restore_table_from_backup(
        TargetTableName="plain",
        BackupArn=arn,
        BillingModeOverride="PROVISIONED",
        ProvisionedThroughputOverride=UNITS,
        GlobalSecondaryIndexOverride=[],
    )["TableDescription"]
    assert made["ProvisionedThroughput"]["ReadCapacityUnits"] == 5
    assert "GlobalSecondaryIndexes" not in made
    cloud.settle()
    assert dynamodb.describe_table(TableName="plain")["Table"]["AttributeDefinitions"] == attributes("id")
    renamed = dynamodb.restore_table_from_backup(
        TargetTableName="renamed", BackupArn=arn, GlobalSecondaryIndexOverride=[index("other", "kind")]
    )["TableDescription"]
    assert renamed["GlobalSecondaryIndexes"][0]["IndexName"] == "other"
    cloud.settle()
    assert dynamodb.describe_table(TableName="renamed")["Table"]["GlobalSecondaryIndexes"][0]["ItemCount"] == 3
    with invalid(
        "Invalid Request: Index new does not match a secondary index that existed in the source table and cannot be "
        "created during the restore operation"
    ):
        dynamodb.restore_table_from_backup(
            TargetTableName="more", BackupArn=arn, GlobalSecondaryIndexOverride=[index("new", "id")]
        )
    for message, overrides in OVERRIDES:
        with invalid(f"Invalid Request: {message}"):
            dynamodb.restore_table_from_backup(TargetTableName="more", BackupArn=arn, **overrides)


OVERRIDES: list[tuple[str, dict[str, Any]]] = [
    (
        "Cannot override ProvisionedThroughput if BillingMode is overridden to PAY_PER_REQUEST",
        {"BillingModeOverride": "PAY_PER_REQUEST", "ProvisionedThroughputOverride": UNITS},
    ),
    (
        "Cannot override ProvisionedThroughput unless BillingMode is PROVISIONED",
        {"ProvisionedThroughputOverride": UNITS},
    ),
    (
        "Must override ProvisionedThroughput if BillingMode is overridden to PROVISIONED",
        {"BillingModeOverride": "PROVISIONED"},
    ),
    (
        "Must specify provisioned throughput for index by_kind",
        {"BillingModeOverride": "PROVISIONED", "ProvisionedThroughputOverride": UNITS},
    ),
]


def test_backups_that_are_refused(cloud: Account, dynamodb: Any) -> None:
    with refused("TableNotFoundException", "Table not found: others"):
        dynamodb.create_backup(TableName="others", BackupName="none")
    arn = backup(cloud, dynamodb)
    with refused("TableAlreadyExistsException", "Table already exists: orders"):
        dynamodb.restore_table_from_backup(TargetTableName="orders", BackupArn=arn)
    with invalid("Invalid Backup ARN"):
        dynamodb.describe_backup(BackupArn=arn.replace("/backup/", "/other/"))
    missing = arn[:-8] + "00000000"
    with refused("BackupNotFoundException", f"Backup not found: {missing}"):
        dynamodb.restore_table_from_backup(TargetTableName="copy", BackupArn=missing)


def test_backups_are_listed_by_time_kind_and_page(cloud: Account, dynamodb: Any) -> None:
    arns = []
    for name in ("one", "two", "three"):
        arns.append(backup(cloud, dynamodb, name))
        cloud.advance(60)
    page = dynamodb.list_backups(Limit=2)
    assert [each["BackupName"] for each in page["BackupSummaries"]] == ["one", "two"]
    rest = dynamodb.list_backups(Limit=2, ExclusiveStartBackupArn=page["LastEvaluatedBackupArn"])
    assert [each["BackupName"] for each in rest["BackupSummaries"]] == ["three"]
    assert "LastEvaluatedBackupArn" not in rest
    when = page["BackupSummaries"][1]["BackupCreationDateTime"]
    from_two = dynamodb.list_backups(TimeRangeLowerBound=when - timedelta(seconds=1))["BackupSummaries"]
    assert [each["BackupName"] for each in from_two] == ["two", "three"]
    assert dynamodb.list_backups(BackupType="SYSTEM")["BackupSummaries"] == []
    with refused("ValidationException"):
        dynamodb.list_backups(TimeRangeLowerBound=when, TimeRangeUpperBound=when.replace(year=2000))


def recover(dynamodb: Any, on: bool = True, **more: Any) -> Any:
    wanted = {"PointInTimeRecoveryEnabled": on, **more}
    return dynamodb.update_continuous_backups(TableName="orders", PointInTimeRecoverySpecification=wanted)[
        "ContinuousBackupsDescription"
    ]["PointInTimeRecoveryDescription"]


def test_settings_of_recovery(cloud: Account, dynamodb: Any) -> None:
    shown = dynamodb.describe_continuous_backups(TableName="orders")["ContinuousBackupsDescription"]
    assert shown == {
        "ContinuousBackupsStatus": "ENABLED",
        "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "DISABLED"},
    }
    on = recover(dynamodb)
    assert (on["PointInTimeRecoveryStatus"], on["RecoveryPeriodInDays"]) == ("ENABLED", 35)
    assert on["EarliestRestorableDateTime"] == on["LatestRestorableDateTime"]
    assert recover(dynamodb, RecoveryPeriodInDays=2)["RecoveryPeriodInDays"] == 2
    cloud.advance(3 * 86_400)
    later = recover(dynamodb, RecoveryPeriodInDays=2)
    assert (later["LatestRestorableDateTime"] - later["EarliestRestorableDateTime"]).total_seconds() == 2 * 86_400 - 300
    with invalid("Invalid Request: Cannot specify RecoveryPeriodInDays when disabling point-in-time recovery."):
        recover(dynamodb, False, RecoveryPeriodInDays=3)
    assert recover(dynamodb, False) == {"PointInTimeRecoveryStatus": "DISABLED"}
    with refused("TableNotFoundException", "Table not found: others"):
        dynamodb.describe_continuous_backups(TableName="others")


def restore(dynamodb: Any, target: str = "copy", **options: Any) -> Any:
    return dynamodb.restore_table_to_point_in_time(SourceTableName="orders", TargetTableName=target, **options)


def test_any_second_is_restored(cloud: Account, dynamodb: Any) -> None:
    recover(dynamodb)
    states: list[tuple[float, dict[str, str]]] = []
    for number in range(4):
        cloud.advance(100)
        put(dynamodb, "a", str(number))
        put(dynamodb, f"new{number}", "1")
        if number:
            dynamodb.delete_item(TableName="orders", Key={"id": {"S": f"new{number - 1}"}})
        cloud.advance(100)
        states.append((cloud.running.clock.now(), contents(dynamodb)))
    cloud.advance(400)
    put(dynamodb, "a", "99")
    for number, (when, state) in enumerate(states):
        made = restore(dynamodb, f"copy{number}", RestoreDateTime=int(when))["TableDescription"]
        assert made["RestoreSummary"]["SourceTableArn"].endswith("table/orders")
        cloud.settle()
        assert contents(dynamodb, f"copy{number}") == state
    restore(dynamodb, "latest", UseLatestRestorableTime=True)
    cloud.settle()
    assert contents(dynamodb, "latest") == states[-1][1]
    assert contents(dynamodb)["a"] == "99"


def test_what_recovery_refuses(cloud: Account, dynamodb: Any) -> None:
    with refused("PointInTimeRecoveryUnavailableException", "Point in time recovery is not enabled for table 'orders'"):
        restore(dynamodb, UseLatestRestorableTime=True)
    recover(dynamodb)
    with invalid(
        "Invalid Request: Either one of RestoreDateTime or UseLatestRestorableTime must be specified, but not both"
    ):
        restore(dynamodb)
    with refused("ValidationException"):
        restore(dynamodb, UseLatestRestorableTime=True, RestoreDateTime=1)
    with refused("InvalidRestoreTimeException"):
        restore(dynamodb, RestoreDateTime=1)
    with refused("InvalidRestoreTimeException"):
        restore(dynamodb, RestoreDateTime=int(cloud.running.clock.now()) + 10)
    with refused("TableAlreadyExistsException", "Table already exists: orders"):
        restore(dynamodb, "orders", UseLatestRestorableTime=True)
    with refused("TableNotFoundException", "Table not found: others"):
        dynamodb.restore_table_to_point_in_time(
            SourceTableName="others", TargetTableName="copy", UseLatestRestorableTime=True
        )
    with invalid("sourceTableArn is not a valid ARN"):
        dynamodb.restore_table_to_point_in_time(
            SourceTableArn="orders", TargetTableName="copy", UseLatestRestorableTime=True
        )


def test_a_deleted_table_with_recovery_leaves_a_system_backup(cloud: Account, dynamodb: Any) -> None:
    recover(dynamodb)
    dynamodb.delete_table(TableName="orders")
    cloud.settle()
    assert dynamodb.list_tables()["TableNames"] == []
    (kept,) = dynamodb.list_backups(BackupType="SYSTEM")["BackupSummaries"]
    assert kept["BackupName"] == "orders$DeletedTableBackup"
    with refused("ValidationException"):
        dynamodb.delete_backup(BackupArn=kept["BackupArn"])
    dynamodb.restore_table_from_backup(TargetTableName="back", BackupArn=kept["BackupArn"])
    cloud.settle()
    assert contents(dynamodb, "back") == {"a": "1", "b": "1", "c": "1"}


def test_a_table_under_a_customers_key_is_restored_under_it(cloud: Account, dynamodb: Any) -> None:
    key = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    sealed = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key}
    dynamodb.create_table(**definition("sealed", SSESpecification=sealed))
    put(dynamodb, "a", "1", "sealed")
    cloud.settle()
    arn = dynamodb.create_backup(TableName="sealed", BackupName="sealed")["BackupDetails"]["BackupArn"]
    cloud.settle()
    made = dynamodb.restore_table_from_backup(TargetTableName="copy", BackupArn=arn)["TableDescription"]
    assert made["SSEDescription"]["KMSMasterKeyArn"] == key
    cloud.settle()
    assert contents(dynamodb, "copy") == {"a": "1"}


def test_a_backup_is_restored_in_another_region(cloud: Account, dynamodb: Any) -> None:
    arn = backup(cloud, dynamodb)
    west = cloud.client("dynamodb", region="us-west-2")
    with invalid("Invalid Request: sseSpecificationOverride must be provided for cross-region restores"):
        west.restore_table_from_backup(TargetTableName="copy", BackupArn=arn)
    west.restore_table_from_backup(TargetTableName="copy", BackupArn=arn, SSESpecificationOverride={"Enabled": False})
    cloud.settle()
    assert contents(west, "copy") == {"a": "1", "b": "1", "c": "1"}
