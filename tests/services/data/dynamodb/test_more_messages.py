# ruff: noqa: E501 - one message a line
"""Refusals of all nouns in their whole words; the tests of those nouns look at codes and beginnings.

Sources stand beside the texts in the modules; the letters are those of `test_messages.py`.
"""

import json
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.conftest import Account
from tests.services.data.dynamodb.item_tables import index, make, refused

V = "ValidationException"
INVALID = "One or more parameter values were invalid: "
ARN = "arn:aws:dynamodb:us-east-1:{account}:table/{name}"
KEYS = {
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
}


def provisioned(read: int, write: int = 5) -> dict[str, Any]:
    return {"ProvisionedThroughput": {"ReadCapacityUnits": read, "WriteCapacityUnits": write}}


TABLES: list[tuple[str, dict[str, Any], str, str]] = [
    ("create_table", {**KEYS, "TableName": "new-one", **provisioned(40_001)}, "LimitExceededException", "The requested ReadCapacityUnits, 40001, is above the per table maximum for the account in us-east-1. Per table maximum: 40000. Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits."),
    ("create_table", {**KEYS, "TableName": "new-one", "BillingMode": "PAY_PER_REQUEST", "Tags": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]}, V, "Duplicate Tag Keys provided as input: Duplicate Tag Key found a"),
    ("create_table", {**KEYS, "TableName": "new-one", "BillingMode": "PAY_PER_REQUEST", "ResourcePolicy": "{"}, V, INVALID + "Invalid policy document: This policy contains invalid Json"),
    ("create_global_table", {"GlobalTableName": "things", "ReplicationGroup": [{"RegionName": "eu-west-1"}]}, V, INVALID + "DynamoDB global tables version 2017.11.29 is not supported. We recommend using DynamoDB global tables version 2019.11.21, instead of version 2017.11.29 (Legacy)."),
    ("update_table", {"TableName": "things", "ReplicaUpdates": [{"Create": {"RegionName": "nowhere"}}]}, V, "Region nowhere is not supported. The latest version of global tables are only supported in AWS regions."),
]  # fmt: skip
OTHERS: list[tuple[str, dict[str, Any], str, str]] = [
    ("query", {"TableName": "things", "IndexName": "keys", "KeyConditionExpression": "g = :g", "ExpressionAttributeValues": {":g": {"S": "x"}}, "Select": "ALL_ATTRIBUTES"}, V, INVALID + "Select type ALL_ATTRIBUTES is not supported for global secondary index keys because its projection type is not ALL"),
    ("query", {"TableName": "things", "IndexName": "keys", "KeyConditionExpression": "g = :g", "ExpressionAttributeValues": {":g": {"S": "x"}}, "ProjectionExpression": "a, b"}, V, INVALID + "Global secondary index keys does not project [a, b]"),
    ("execute_statement", {"Statement": "SELECT pk FROM things.keys WHERE g = 'x' AND a = 1"}, V, INVALID + "Secondary index keys does not project one or more filter attributes: [a]"),
    ("batch_execute_statement", {"Statements": [{"Statement": "SELECT * FROM things WHERE pk = 'a'"}, {"Statement": "DELETE FROM things WHERE pk = 'a'"}]}, V, "A batch must consist of either read statements or write statements; both cannot be mixed"),
    ("scan", {"TableName": "things", "FilterExpression": "a = :v", "ExpressionAttributeValues": {":" + "v" * 255: {"S": "x"}}}, V, "ExpressionAttributeValues contains invalid key: The expression attribute map contains a key that is too long"),
    ("update_item", {"TableName": "things", "Key": {"pk": {"S": "a"}}, "UpdateExpression": "SET g = :v", "ExpressionAttributeValues": {":v": {"S": ""}}}, V, "The update expression attempted to update the secondary index key to a value that is not supported. The AttributeValue for a key attribute cannot contain an empty string value."),
    ("get_item", {"TableName": "things", "Key": {"pk": {"S": "a"}}, "AttributesToGet": ["a", "b", "a"]}, V, INVALID + "Duplicate value in attribute name: a"),
    ("restore_table_to_point_in_time", {"SourceTableName": "things", "TargetTableName": "copy", "UseLatestRestorableTime": True, "RestoreDateTime": 1}, V, "Invalid Request: Both RestoreDateTime and UseLatestRestorableTime cannot be set for point-in-time restore request. Please specify only one of them"),
    ("list_contributor_insights", {"NextToken": "x"}, V, "The provided NextToken is not valid"),
    ("list_exports", {"NextToken": "x"}, V, "Invalid Request: Provided nextToken is invalid: x"),
    ("list_imports", {"NextToken": "a" * 112}, V, "Invalid Request: Provided nextToken is invalid: " + "a" * 112),
    ("list_backups", {"TimeRangeLowerBound": 2, "TimeRangeUpperBound": 1}, V, INVALID + "Time range lower bound must be less than or equal to upper bound"),
    ("describe_import", {"ImportArn": ARN + "/import/01695097218000-d6299cbd"}, "ImportNotFoundException", "Import not found: " + ARN + "/import/01695097218000-d6299cbd"),
]  # fmt: skip


@pytest.mark.parametrize("part", range(2), ids=["tables", "others"])
def test_whole_words(cloud: Account, part: int) -> None:
    make(cloud, types={"g": "S"}, GlobalSecondaryIndexes=[index("keys", "g", projection="KEYS_ONLY")])
    client = cloud.client("dynamodb", config=Config(parameter_validation=False, retries={"total_max_attempts": 1}))
    wrong = []
    for operation, given, code, text in (TABLES, OTHERS)[part]:
        request = json.loads(json.dumps(given).replace("{account}", cloud.account).replace("{name}", "things"))
        words = text.replace("{account}", cloud.account).replace("{name}", "things")
        try:
            getattr(client, operation)(**request)
            wrong.append((operation, words, "accepted"))
        except ClientError as error:
            found = error.response["Error"]
            if (found["Code"], found["Message"]) != (code, words):
                wrong.append((operation, words, f"{found['Code']}: {found['Message']}"))
    assert not wrong


def test_provisioned_throughput_is_decreased_four_times_a_day(cloud: Account) -> None:
    client = make(cloud, BillingMode="PROVISIONED", **provisioned(9))
    for read in (8, 7, 6, 5):
        client.update_table(TableName="things", **provisioned(read))
        cloud.settle()
    error = refused(client.update_table, "LimitExceededException", TableName="things", **provisioned(4))
    text = error["Error"]["Message"]
    assert text.startswith(
        "Subscriber limit exceeded: Provisioned throughput decreases are limited within a given UTC day. After the "
        "first 4 decreases, each subsequent decrease in the same UTC day can be performed at most once every 3600 "
        "seconds. Number of decreases today: 4. Last decrease at "
    )
    assert ". Next decrease can be made at " in text


def test_backups_to_be_restored_otherwise(cloud: Account) -> None:
    client = make(cloud, types={"g": "S"}, GlobalSecondaryIndexes=[index("by-g", "g")])
    arn = client.create_backup(TableName="things", BackupName="one")["BackupDetails"]["BackupArn"]
    cloud.settle()
    override = {"ProvisionedThroughputOverride": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}}
    for request, text in (
        ({"BillingModeOverride": "PROVISIONED"}, "Must override ProvisionedThroughput if BillingMode is overridden to PROVISIONED"),
        (override, "Cannot override ProvisionedThroughput unless BillingMode is PROVISIONED"),
        ({"BillingModeOverride": "PAY_PER_REQUEST", **override}, "Cannot override ProvisionedThroughput if BillingMode is overridden to PAY_PER_REQUEST"),
    ):  # fmt: skip
        refused(
            client.restore_table_from_backup,
            V,
            f"Invalid Request: {text}",
            TargetTableName="copy",
            BackupArn=arn,
            **request,
        )


def test_times_that_cannot_be_restored(cloud: Account) -> None:
    client = make(cloud)
    on = {"PointInTimeRecoveryEnabled": True}
    client.update_continuous_backups(TableName="things", PointInTimeRecoverySpecification=on)
    error = refused(
        client.restore_table_to_point_in_time,
        "InvalidRestoreTimeException",
        SourceTableName="things",
        TargetTableName="copy",
        RestoreDateTime=1,
    )
    text = error["Error"]["Message"]
    assert text.startswith("RestoreDateTime '1970-01-01T00:00:01Z' must be within EarliestRestorableDateTime '")
    assert "' and LatestRestorableDateTime '" in text


def test_policies_of_another_revision(cloud: Account) -> None:
    client = make(cloud)
    arn = client.describe_table(TableName="things")["Table"]["TableArn"]
    allowed = {"Effect": "Allow", "Principal": {"AWS": cloud.account}, "Action": "dynamodb:GetItem", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    put = client.put_resource_policy
    put(ResourceArn=arn, Policy=policy)
    other = f"The provided ExpectedRevisionId did not match the revision of the policy of: {arn}"
    exists = f"A resource-based policy already exists for the provided ResourceArn: {arn}"
    for revision, text in (("1", other), ("NO_POLICY", exists)):
        refused(put, "PolicyNotFoundException", text, ResourceArn=arn, Policy=policy, ExpectedRevisionId=revision)


def without_token(client: Any, operation: str) -> None:
    """Let a call go out without the token that boto3 puts into it, as other clients do."""

    def strip(params: dict[str, Any], **_: Any) -> None:
        body = json.loads(params["body"])
        del body["ClientRequestToken"]
        params["body"] = json.dumps(body).encode()

    client.meta.events.register(f"before-call.dynamodb.{operation}", strip)


def test_transactions_need_no_token(cloud: Account) -> None:
    client = make(cloud)
    without_token(client, "TransactWriteItems")
    without_token(client, "ExecuteTransaction")
    added = {"TableName": "things", "Key": {"pk": {"S": "a"}}, "UpdateExpression": "ADD n :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}  # fmt: skip
    statement = {"Statement": "UPDATE things SET n = n + 1 WHERE pk = 'a'"}
    for _ in range(2):
        client.transact_write_items(TransactItems=[{"Update": added}])
        client.execute_transaction(TransactStatements=[statement])
    assert client.get_item(TableName="things", Key={"pk": {"S": "a"}})["Item"]["n"] == {"N": "4"}


def test_a_token_of_another_place_is_refused(cloud: Account) -> None:
    """A table made anew under the name: its items lie elsewhere."""
    client = make(cloud)
    for letter in "ab":
        client.put_item(TableName="things", Item={"pk": {"S": letter}})
    page = client.execute_statement(Statement="SELECT * FROM things", Limit=1)
    client.delete_table(TableName="things")
    cloud.settle()
    make(cloud)
    refused(
        client.execute_statement,
        V,
        "NextToken does not match request",
        Statement="SELECT * FROM things",
        NextToken=page["NextToken"],
    )
