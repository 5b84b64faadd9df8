"""What is refused because of the state that a table, an index, a backup or a job is in.

The sources of the texts stand in the modules that say them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

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

NO_RESOURCE = "Invalid resource arn provided, only table or stream is accepted. Provided resource arn: {}"
IN_USE = "Attempt to change a resource which is still in use: "
INSIDE = {"ReadCapacityUnits": 6, "WriteCapacityUnits": 6}
Held = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def held(cloud: Account) -> Held:
    """`with held():` no task runs, so that every state stays."""

    @contextmanager
    def hold() -> Iterator[None]:
        running = cloud.running
        tasks = running.cloud.runtime.tasks
        tasks._open = False
        try:
            yield
        finally:
            tasks._open = True
            running.loop.call_soon_threadsafe(tasks._wake)
            cloud.settle()

    return hold


@pytest.fixture
def dynamodb(cloud: Account) -> Any:
    """With a table `orders` of provisioned throughput and an index, with point-in-time recovery."""
    client = cloud.client("dynamodb")
    client.create_table(
        **definition(
            AttributeDefinitions=attributes("id", "kind"),
            GlobalSecondaryIndexes=[index("by_kind", "kind", ProvisionedThroughput=UNITS)],
            BillingMode="PROVISIONED",
            ProvisionedThroughput=UNITS,
        )
    )
    cloud.settle()
    client.update_continuous_backups(
        TableName="orders", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    return client


def policy_for(principal: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "dynamodb:*", "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def in_use(text: str) -> Any:
    return refused("ResourceInUseException", text)


def test_a_table_that_is_being_made(dynamodb: Any, held: Held) -> None:
    with held():
        dynamodb.create_table(**definition("new"))
        with in_use(f"{IN_USE}Table is being created: new"):
            dynamodb.create_table(**definition("new"))
        with in_use(f"{IN_USE}Table is being created: new"):
            dynamodb.delete_table(TableName="new")
        with in_use(f"{IN_USE}Table new is being created"):
            dynamodb.update_time_to_live(
                TableName="new", TimeToLiveSpecification={"Enabled": True, "AttributeName": "until"}
            )
        with invalid("Cannot describe time to live while table is in CREATING state: Current table state is CREATING"):
            dynamodb.describe_time_to_live(TableName="new")


def test_a_table_that_is_being_changed_or_goes(cloud: Account, dynamodb: Any, held: Held) -> None:
    arn = dynamodb.describe_table(TableName="orders")["Table"]["TableArn"]
    with held():
        dynamodb.update_table(TableName="orders", ProvisionedThroughput=INSIDE)
        with in_use(f"{IN_USE}Table: orders is in the process of being updated."):
            dynamodb.delete_table(TableName="orders")
        with in_use(f"{IN_USE}Table is being updated: orders"):
            dynamodb.update_table(TableName="orders", TableClass="STANDARD")
    with held():
        dynamodb.delete_table(TableName="orders")
        with in_use(f"{IN_USE}Table is being deleted: orders"):
            dynamodb.update_table(TableName="orders", TableClass="STANDARD")
        with in_use(f"{IN_USE}Table is being deleted: orders"):
            dynamodb.tag_resource(ResourceArn=arn, Tags=[{"Key": "a", "Value": "b"}])
        with in_use(f"{IN_USE}Table is being deleted: orders"):
            dynamodb.put_resource_policy(ResourceArn=arn, Policy=policy_for(cloud.account))
        with refused("ResourceNotFoundException", "Requested resource not found"):
            dynamodb.get_item(TableName="orders", Key={"id": {"S": "a"}})
        with in_use(f"{IN_USE}Table orders is being deleted"):
            dynamodb.update_time_to_live(
                TableName="orders", TimeToLiveSpecification={"Enabled": True, "AttributeName": "until"}
            )


def change_index(dynamodb: Any, **action: Any) -> None:
    dynamodb.update_table(
        TableName="orders",
        GlobalSecondaryIndexUpdates=[action],
        AttributeDefinitions=attributes("id", "kind", "at"),
    )


def test_an_index_that_comes_or_goes(cloud: Account, dynamodb: Any, held: Held) -> None:
    with held():
        change_index(dynamodb, Delete={"IndexName": "by_kind"})
        settle_table(cloud)
        with refused(
            "LimitExceededException",
            "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table",
        ):
            change_index(dynamodb, Delete={"IndexName": "by_kind"})
        with in_use(f"{IN_USE}Index is being deleted. Table: orders Index: by_kind"):
            change_index(dynamodb, Update={"IndexName": "by_kind", "ProvisionedThroughput": INSIDE})
        with in_use(f"{IN_USE}Cannot delete table while indexes are being created, updated, or deleted."):
            dynamodb.delete_table(TableName="orders")


def settle_table(cloud: Account) -> None:
    """The table is ACTIVE again, while the task of its index waits."""
    from cumulo.services.data.dynamodb.tables.tables import TABLES, keep

    def active(ctx: Any) -> None:
        table = TABLES.peek(ctx, "orders")
        table.status = "ACTIVE"
        keep(ctx, table)

    runtime = cloud.running.cloud.runtime
    ctx = runtime.internal_context("dynamodb", "UpdateTable", cloud.account, "us-east-1")
    cloud.running.run(ctx.transact(active))


def test_what_indexes_of_other_tables_refuse(cloud: Account, dynamodb: Any) -> None:
    with invalid(
        f"{INVALID}The only Updates for index: by_kind when TableThroughputMode is PAY_PER_REQUEST can be to "
        "OnDemandThroughput, WarmThroughput"
    ):
        dynamodb.update_table(
            TableName="orders",
            BillingMode="PAY_PER_REQUEST",
            GlobalSecondaryIndexUpdates=[{"Update": {"IndexName": "by_kind", "ProvisionedThroughput": INSIDE}}],
        )
    with invalid(f"{INVALID}Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: by_kind"):
        change_index(dynamodb, Update={"IndexName": "by_kind"})
    demanded = cloud.client("dynamodb", region="eu-west-1")
    demanded.create_table(**definition())
    cloud.settle()
    with invalid(
        f"{INVALID}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for index: more when BillingMode "
        "is PAY_PER_REQUEST"
    ):
        change_index(demanded, Create=index("more", "at", ProvisionedThroughput=UNITS))
    for number in range(20):
        demanded.update_table(
            TableName="orders",
            GlobalSecondaryIndexUpdates=[{"Create": index(f"by_{number}", "at")}],
            AttributeDefinitions=attributes("id", "at"),
        )
        cloud.settle()
    with refused(
        "LimitExceededException",
        "Subscriber limit exceeded: Number of global secondary indexes exceeds per-table limit of 20",
    ):
        change_index(demanded, Create=index("more", "at"))


def test_a_backup_in_use(cloud: Account, dynamodb: Any, held: Held) -> None:
    with held():
        arn = dynamodb.create_backup(TableName="orders", BackupName="nightly")["BackupDetails"]["BackupArn"]
        for call, options in (
            (dynamodb.delete_backup, {}),
            (dynamodb.restore_table_from_backup, {"TargetTableName": "copy"}),
        ):
            with refused("BackupInUseException"):
                call(BackupArn=arn, **options)
    with held():
        dynamodb.restore_table_from_backup(BackupArn=arn, TargetTableName="copy")
        with refused("BackupInUseException"):
            dynamodb.delete_backup(BackupArn=arn)
        with refused("TableInUseException", f"Table: copy is already being restored from backup: {arn}"):
            dynamodb.restore_table_from_backup(BackupArn=arn, TargetTableName="copy")
        with in_use(f"{IN_USE}Table is being used: copy"):
            dynamodb.create_table(**definition("copy"))
    with invalid("Invalid Request: BackupArn is not valid"):
        dynamodb.describe_backup(BackupArn=arn.replace("arn:aws:", "arn:aws-cn:"))


def test_a_table_that_is_being_restored(cloud: Account, dynamodb: Any, held: Held) -> None:
    cloud.advance(600)
    wanted = {"SourceTableName": "orders", "UseLatestRestorableTime": True}
    with held():
        dynamodb.restore_table_to_point_in_time(TargetTableName="copy", **wanted)
        with refused("TableInUseException", "Table: copy is already being restored"):
            dynamodb.restore_table_to_point_in_time(TargetTableName="copy", **wanted)
        with refused("ResourceNotFoundException", "Requested resource not found: Table: copy not found"):
            dynamodb.update_table(TableName="copy", TableClass="STANDARD")
    arn = dynamodb.describe_table(TableName="orders")["Table"]["TableArn"]
    latest = {"TargetTableName": "copies", "UseLatestRestorableTime": True}
    with invalid("Must provide exactly one of: sourceTableArn, sourceTableName"):
        dynamodb.restore_table_to_point_in_time(SourceTableArn=arn, SourceTableName="orders", **latest)
    with invalid("The parameter 'TableName' is required but was not present in the request"):
        dynamodb.restore_table_to_point_in_time(**latest)
    foreign = arn.replace(cloud.account, "999999999999")
    with invalid("This action is only supported by accounts that match the resource owner’s account."):
        dynamodb.restore_table_to_point_in_time(SourceTableArn=foreign, **latest)
    elsewhere = cloud.client("dynamodb", region="eu-west-1")
    with invalid("Invalid Request: sseSpecificationOverride must be provided for cross-region restores"):
        elsewhere.restore_table_to_point_in_time(SourceTableArn=arn, **latest)
    with invalid(
        "Invalid Request: Cannot override MaxReadRequestUnits for OnDemandThroughput unless BillingModeOverride is "
        "PAY_PER_REQUEST"
    ):
        dynamodb.restore_table_to_point_in_time(
            SourceTableName="orders", OnDemandThroughputOverride={"MaxReadRequestUnits": 5}, **latest
        )


def test_policies_and_arns(cloud: Account, dynamodb: Any) -> None:
    arn = dynamodb.describe_table(TableName="orders")["Table"]["TableArn"]
    with invalid("This action is only supported by accounts that match the resource owner’s account."):
        dynamodb.get_resource_policy(ResourceArn=arn.replace(cloud.account, "999999999999"))
    stream = f"{arn}/stream/2026-01-01T00:00:00.000"
    with refused(
        "ResourceNotFoundException",
        "Requested resource not found: Stream: 2026-01-01T00:00:00.000 not found for Table: orders",
    ):
        dynamodb.get_resource_policy(ResourceArn=stream)
    with refused("ResourceNotFoundException", "Requested resource not found: Table: others not found"):
        dynamodb.get_resource_policy(ResourceArn=stream.replace("orders", "others"))
    with invalid(f"{INVALID}Invalid principal in policy document."):
        dynamodb.put_resource_policy(ResourceArn=arn, Policy=policy_for("none"))
    for wrong, text in (
        (arn.replace(":dynamodb:", ":sqs:"), "Provided Arn is not a DynamoDB resource arn: {}"),
        (arn.replace("arn:aws:", "arn:aws-cn:"), "Invalid resource Arn: {}"),
        (f"{arn}/index/a", NO_RESOURCE),
    ):
        with invalid(INVALID + text.format(wrong)):
            dynamodb.get_resource_policy(ResourceArn=wrong)
    distant = arn.replace("us-east-1", "eu-west-1")
    with invalid(f"Invalid TableArn: Invalid ResourceArn provided as input {distant}"):
        dynamodb.list_tags_of_resource(ResourceArn=distant)
    with invalid(INVALID + NO_RESOURCE.format(stream)):
        dynamodb.list_tags_of_resource(ResourceArn=stream)
    with invalid(
        "1 validation error detected: Valid ARN format is arn:<partition>:dynamodb:<region>:<account>:table/<name>"
    ):
        dynamodb.describe_table(TableName="arn:aws:sqs:us-east-1:000000000000:orders")


def test_jobs(cloud: Account, dynamodb: Any, held: Held) -> None:
    arn = dynamodb.describe_table(TableName="orders")["Table"]["TableArn"]
    given = {"S3Bucket": "exports", "TableArn": arn}
    with invalid("Invalid Request: Table ARN is invalid."):
        dynamodb.export_table_to_point_in_time(S3Bucket="exports", TableArn=f"{arn}/index/by_kind")
    with invalid(
        "Invalid Request: Export Type expected to be Incremental Export when incremental export specification is "
        "provided"
    ):
        dynamodb.export_table_to_point_in_time(**given, IncrementalExportSpecification={"ExportFromTime": 1})
    with refused("ExportNotFoundException", "Export not found: Invalid export arn"):
        dynamodb.describe_export(ExportArn=f"{arn}/export/01-0a".replace("us-east-1", "eu-west-1"))
    began = int(cloud.running.clock.now())
    cloud.advance(3600)
    now = int(cloud.running.clock.now())
    for begin, end, text in (
        (1, now, "from time cannot be less than the table creation time : 1970-01-01T00:00:01"),
        (began + 60, now + 600, "to time cannot be greater than the current time : "),
        (began + 60, began + 120, "is less than 15 minutes"),
    ):
        with pytest.raises(dynamodb.exceptions.InvalidExportTimeException) as caught:
            dynamodb.export_table_to_point_in_time(
                **given,
                ExportType="INCREMENTAL_EXPORT",
                IncrementalExportSpecification={"ExportFromTime": begin, "ExportToTime": end},
            )
        assert text in caught.value.response["Error"]["Message"]
    source = {"S3BucketSource": {"S3Bucket": "imports"}, "InputFormat": "CSV", "ClientToken": "one"}
    with held():
        first = dynamodb.import_table(**source, TableCreationParameters=definition("first"))["ImportTableDescription"]
        again = dynamodb.import_table(**source, TableCreationParameters=definition("first"))["ImportTableDescription"]
        assert again["ImportArn"] == first["ImportArn"]
        with refused("ImportConflictException"):
            dynamodb.import_table(**source, TableCreationParameters=definition("second"))


def test_an_incremental_export_has_a_day_at_most(cloud: Account, dynamodb: Any) -> None:
    arn = dynamodb.describe_table(TableName="orders")["Table"]["TableArn"]
    begin = int(cloud.running.clock.now()) + 1
    cloud.advance(25 * 3600)
    with refused(
        "InvalidExportTimeException",
        "Difference between export period from time and export period to time is greater than 24 hours",
    ):
        dynamodb.export_table_to_point_in_time(
            TableArn=arn,
            S3Bucket="exports",
            ExportType="INCREMENTAL_EXPORT",
            IncrementalExportSpecification={"ExportFromTime": begin},
        )


def not_implemented(call: Any, what: str, **request: Any) -> None:
    with pytest.raises(ClientError, match=what) as caught:
        call(**request)
    assert caught.value.response["Error"]["Code"] == "NotImplemented"


def test_what_is_not_done_is_said(dynamodb: Any) -> None:
    arn = dynamodb.describe_table(TableName="orders")["Table"]["TableArn"]
    given = {"S3Bucket": "exports", "TableArn": arn}
    not_implemented(dynamodb.export_table_to_point_in_time, "ION", **given, ExportFormat="ION")
    source = {"S3BucketSource": {"S3Bucket": "imports"}, "TableCreationParameters": definition("copy")}
    not_implemented(dynamodb.import_table, "ION", **source, InputFormat="ION")
    source["TableCreationParameters"] = definition("copy", VectorIndexes=[])
    not_implemented(dynamodb.import_table, "VectorIndexes", **source, InputFormat="CSV")


def test_settings_of_time_to_live_and_insights(cloud: Account, dynamodb: Any) -> None:
    wanted = {"Enabled": True, "AttributeName": "until"}
    dynamodb.update_time_to_live(TableName="orders", TimeToLiveSpecification=wanted)
    cloud.advance(4000)
    text = "TimeToLive is active on a different AttributeName: current AttributeName is until"
    for enabled in (True, False):
        with invalid(text):
            dynamodb.update_time_to_live(
                TableName="orders", TimeToLiveSpecification={"Enabled": enabled, "AttributeName": "other"}
            )
    with invalid("MaxResults must be between 1 and 100"):
        dynamodb.list_contributor_insights(MaxResults=0)


def test_keys_of_tables_and_indexes(cloud: Account, dynamodb: Any) -> None:
    many = [
        index(
            f"by_{number}",
            "kind",
            projection={"ProjectionType": "INCLUDE", "NonKeyAttributes": [f"{number}_{place}" for place in range(20)]},
        )
        for number in range(6)
    ]
    with invalid(f"{INVALID}Number of NonKeyAttributes across all secondary indexes exceeds per-table limit of 100"):
        dynamodb.create_table(
            **definition("wide", AttributeDefinitions=attributes("id", "kind"), GlobalSecondaryIndexes=many)
        )
    first = index("by_kind", "kind:RANGE", "id:HASH", "at:RANGE")
    with invalid("Invalid KeySchema: The first KeySchemaElement is not a HASH key type"):
        dynamodb.create_table(
            **definition("wrong", AttributeDefinitions=attributes("id", "kind", "at"), GlobalSecondaryIndexes=[first])
        )
    shown = ", ".join(
        f"KeySchemaElement(attributeName={name}, keyType={kind})"
        for name, kind in (("id", "HASH"), ("a", "RANGE"), ("b", "RANGE"))
    )
    with invalid(
        f"1 validation error detected: Value '[{shown}]' at 'keySchema' failed to satisfy constraint: Member must have "
        "length less than or equal to 2"
    ):
        dynamodb.create_table(
            **definition("wrong", AttributeDefinitions=attributes("id", "a", "b"), KeySchema=keys("id", "a", "b"))
        )
    # AWS's text has no blank there.
    with invalid(f"{INVALID}Size of hashkey has exceeded the maximum size limit of2048 bytes"):
        dynamodb.put_item(TableName="orders", Item={"id": {"S": "a"}, "kind": {"S": "x" * 2049}})
