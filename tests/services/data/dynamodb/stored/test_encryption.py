"""Tables under KMS keys: settings, what lies on the disk, who may read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import Account
from tests.services.data.dynamodb.table_requests import INVALID, attributes, definition, index, invalid, refused

KMS = {"Enabled": True, "SSEType": "KMS"}


@pytest.fixture
def dynamodb(cloud: Account) -> Any:
    return cloud.client("dynamodb")


@pytest.fixture
def key(cloud: Account) -> str:
    """The ARN of a customer's key."""
    return str(cloud.client("kms").create_key()["KeyMetadata"]["Arn"])


def sealed(key: str = "") -> dict[str, Any]:
    return {**KMS, "KMSMasterKeyId": key} if key else KMS


def test_the_aws_managed_key(cloud: Account, dynamodb: Any) -> None:
    """Members as AWS answers; an update of something else leaves the key alone."""
    made = dynamodb.create_table(**definition(SSESpecification=KMS))["TableDescription"]
    cloud.settle()
    described = made["SSEDescription"]
    key = cloud.client("kms").describe_key(KeyId=described["KMSMasterKeyArn"])["KeyMetadata"]
    assert described == {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": key["Arn"]}
    assert key["KeyManager"] == "AWS"
    assert key["Description"] == "Default key that protects my DynamoDB data when no other key is defined"
    changed = dynamodb.update_table(TableName="orders", DeletionProtectionEnabled=True)["TableDescription"]
    assert changed["SSEDescription"] == described


def test_items_under_a_customers_key_are_sealed(cloud: Account, dynamodb: Any, key: str) -> None:
    stream = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    dynamodb.create_table(**definition(SSESpecification=sealed(key), StreamSpecification=stream))
    dynamodb.create_table(**definition("plain"))
    secret = "not for everybody"
    for table in ("orders", "plain"):
        dynamodb.put_item(TableName=table, Item={"id": {"S": "a"}, "text": {"S": secret}})
    assert dynamodb.get_item(TableName="orders", Key={"id": {"S": "a"}})["Item"]["text"] == {"S": secret}
    kept = cloud.running.run(stored(cloud))
    assert len([value for value in kept if secret.encode() in value]) == 1
    streams = cloud.client("dynamodbstreams")
    arn = dynamodb.describe_table(TableName="orders")["Table"]["LatestStreamArn"]
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    place = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    (record,) = streams.get_records(ShardIterator=place["ShardIterator"])["Records"]
    assert record["dynamodb"]["NewImage"]["text"] == {"S": secret}


async def stored(cloud: Account) -> list[bytes]:
    """The values of everything that is stored about items."""
    from cumulo.core.table import GLOBAL, Space, prefix_range

    def read(txn: Any) -> list[bytes]:
        found = []
        for name in ("dynamodb.items", "dynamodb.index", "dynamodb.undo", "dynamodb.changes"):
            begin, end = prefix_range(Space(name, scope=GLOBAL).prefix("", ""))
            found += [value for _, value in txn.range(begin, end)]
        return found

    values: list[bytes] = await cloud.running.cloud.runtime.store.run(read)
    return values


def test_the_key_decides_who_reads(cloud: Account, dynamodb: Any, key: str) -> None:
    dynamodb.create_table(**definition(SSESpecification=sealed(key)))
    dynamodb.put_item(TableName="orders", Item={"id": {"S": "a"}})
    iam = cloud.client("iam")
    iam.create_user(UserName="reader")
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}]}
    iam.put_user_policy(UserName="reader", PolicyName="tables", PolicyDocument=json.dumps(policy))
    keys = iam.create_access_key(UserName="reader")["AccessKey"]
    reader = cloud.client(
        "dynamodb", aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"]
    )
    with refused("AccessDeniedException"):
        reader.get_item(TableName="orders", Key={"id": {"S": "a"}})
    policy["Statement"][0]["Action"] = ["dynamodb:*", "kms:Decrypt"]  # type: ignore[index]
    iam.put_user_policy(UserName="reader", PolicyName="tables", PolicyDocument=json.dumps(policy))
    assert reader.get_item(TableName="orders", Key={"id": {"S": "a"}})["Item"] == {"id": {"S": "a"}}


def test_a_disabled_key_is_felt_after_five_minutes(cloud: Account, dynamodb: Any, key: str) -> None:
    dynamodb.create_table(**definition(SSESpecification=sealed(key)))
    dynamodb.put_item(TableName="orders", Item={"id": {"S": "a"}})
    cloud.client("kms").disable_key(KeyId=key)
    assert "Item" in dynamodb.get_item(TableName="orders", Key={"id": {"S": "a"}})
    cloud.advance(301)
    with refused("ValidationException"):
        dynamodb.get_item(TableName="orders", Key={"id": {"S": "a"}})


def test_dynamodb_does_its_own_work_under_a_customers_key(cloud: Account, dynamodb: Any, key: str) -> None:
    dynamodb.create_table(**definition(SSESpecification=sealed(key)))
    for number in range(3):
        dynamodb.put_item(TableName="orders", Item={"id": {"S": str(number)}, "kind": {"S": "k"}})
    cloud.settle()
    dynamodb.update_table(
        TableName="orders",
        AttributeDefinitions=attributes("id", "kind"),
        GlobalSecondaryIndexUpdates=[{"Create": index("by_kind", "kind")}],
    )
    cloud.settle()
    (made,) = dynamodb.describe_table(TableName="orders")["Table"]["GlobalSecondaryIndexes"]
    assert (made["IndexStatus"], made["ItemCount"]) == ("ACTIVE", 3)


def test_a_table_changes_its_key(cloud: Account, dynamodb: Any, key: str) -> None:
    dynamodb.create_table(**definition())
    dynamodb.put_item(TableName="orders", Item={"id": {"S": "plain"}})
    cloud.settle()
    shown = dynamodb.update_table(TableName="orders", SSESpecification=sealed(key))["TableDescription"]
    assert shown["SSEDescription"]["KMSMasterKeyArn"] == key
    dynamodb.put_item(TableName="orders", Item={"id": {"S": "sealed"}})
    with invalid(
        f"{INVALID}Table is already encrypted with given KMSMasterKeyId. Use KMSMasterKeyId parameter if you want to "
        "change Master Key"
    ):
        dynamodb.update_table(TableName="orders", SSESpecification=sealed(key))
    shown = dynamodb.update_table(TableName="orders", SSESpecification={"Enabled": False})["TableDescription"]
    assert "SSEDescription" not in shown
    with invalid(f"{INVALID}Table is already encrypted by default"):
        dynamodb.update_table(TableName="orders", SSESpecification={"Enabled": False})
    assert dynamodb.scan(TableName="orders")["Count"] == 2


def test_keys_change_four_times_a_day(cloud: Account, dynamodb: Any) -> None:
    dynamodb.create_table(**definition())
    cloud.settle()
    for on in (True, False, True, False):
        dynamodb.update_table(TableName="orders", SSESpecification=KMS if on else {"Enabled": False})
    with refused("LimitExceededException"):
        dynamodb.update_table(TableName="orders", SSESpecification=KMS)
    cloud.advance(21_601)
    dynamodb.update_table(TableName="orders", SSESpecification=KMS)


def test_who_may_not_grant_dynamodb_its_work_gets_no_table(cloud: Account, dynamodb: Any, key: str) -> None:
    iam = cloud.client("iam")
    iam.create_user(UserName="ann")
    actions = ["dynamodb:*", "kms:DescribeKey", "kms:GenerateDataKey*", "kms:Decrypt"]
    policy = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": actions, "Resource": "*"}}
    iam.put_user_policy(UserName="ann", PolicyName="tables", PolicyDocument=json.dumps(policy))
    made = iam.create_access_key(UserName="ann")["AccessKey"]
    ann = cloud.client("dynamodb", aws_access_key_id=made["AccessKeyId"], aws_secret_access_key=made["SecretAccessKey"])
    with refused("AccessDeniedException"):
        ann.create_table(**definition(SSESpecification=sealed(key)))
    assert dynamodb.list_tables()["TableNames"] == []


def test_keys_that_cannot_be_used(cloud: Account, dynamodb: Any, key: str) -> None:
    with refused("ValidationException") as _:
        dynamodb.create_table(**definition(SSESpecification=sealed("alias/none")))
    cloud.client("kms").disable_key(KeyId=key)
    with refused("ValidationException"):
        dynamodb.create_table(**definition(SSESpecification=sealed(key)))
    cloud.client("kms").enable_key(KeyId=key)
    cloud.client("kms").schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    with refused("ValidationException"):
        dynamodb.create_table(**definition(SSESpecification=sealed(key)))
    assert dynamodb.list_tables()["TableNames"] == []
