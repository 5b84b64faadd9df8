"""Amazon's own DAX client against the tables that everybody else uses."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Account
from tests.services.data.dax.conftest import make_role

ITEM = {
    "id": {"S": "a"},
    "at": {"N": "-12.5"},
    "text": {"S": "größer"},
    "whole": {"N": "123456789012345678901234567890"},
    "small": {"N": "1.5E-100"},
    "packed": {"B": b"\x00\xff"},
    "yes": {"BOOL": True},
    "nothing": {"NULL": True},
    "list": {"L": [{"S": "x"}, {"N": "2"}, {"M": {"in": {"S": "y"}}}]},
    "map": {"M": {"SS": {"L": [{"S": "no set"}]}, "deep": {"M": {"er": {"N": "1"}}}}},
    "texts": {"SS": ["p", "q"]},
    "numbers": {"NS": ["1", "2.5"]},
    "raws": {"BS": [b"1", b"2"]},
}
KEY = {"id": {"S": "a"}, "at": {"N": "-12.5"}}


def table(cloud: Account, name: str = "things", **types: str) -> Any:
    """A table of this key, and DynamoDB's own client."""
    dynamodb = cloud.client("dynamodb")
    types = types or {"id": "S", "at": "N"}
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind} for key, kind in types.items()],
        KeySchema=[
            {"AttributeName": key, "KeyType": kind} for key, kind in zip(types, ("HASH", "RANGE"), strict=False)
        ],
    )
    cloud.settle()
    return dynamodb


def same(found: dict[str, Any], expected: dict[str, Any]) -> bool:
    """Whether two items are equal; numbers and sets are compared by value, as each client writes them in its way."""
    return plain(found) == plain(expected)


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        if set(value) == {"N"}:
            return float(value["N"])
        if len(value) == 1 and (kind := next(iter(value))) in ("SS", "BS") and isinstance(value[kind], list):
            return {kind: sorted(value[kind], key=repr)}
        if set(value) == {"NS"}:
            return {"NS": sorted(map(float, value["NS"]))}
        return {name: plain(each) for name, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list) else value


def test_what_one_writes_the_other_reads(cloud: Account, connect: Callable[..., Any]) -> None:
    dynamodb, dax = table(cloud), connect()
    dax.put_item(TableName="things", Item=ITEM)
    assert same(dynamodb.get_item(TableName="things", Key=KEY)["Item"], ITEM)
    assert same(dax.get_item(TableName="things", Key=KEY)["Item"], ITEM)
    assert "Item" not in dax.get_item(TableName="things", Key={**KEY, "id": {"S": "b"}})
    old = dax.delete_item(TableName="things", Key=KEY, ReturnValues="ALL_OLD")["Attributes"]
    assert same(old, ITEM)
    assert "Item" not in dynamodb.get_item(TableName="things", Key=KEY)


@pytest.mark.parametrize("kind", ["S", "N", "B"])
@pytest.mark.parametrize("second", ["", "S", "N", "B"])
def test_keys_of_every_type(cloud: Account, connect: Callable[..., Any], kind: str, second: str) -> None:
    types = {"h": kind, "r": second} if second else {"h": kind}
    dynamodb, dax = table(cloud, **types), connect()
    values: dict[str, Any] = {"S": "ü", "N": "-1234567.0625", "B": b"\x01\x02"}
    key = {name: {each: values[each]} for name, each in types.items()}
    dax.put_item(TableName="things", Item={**key, "v": {"S": "1"}})
    assert same(dynamodb.scan(TableName="things")["Items"][0], {**key, "v": {"S": "1"}})
    assert same(dax.get_item(TableName="things", Key=key)["Item"], {**key, "v": {"S": "1"}})
    assert same(dax.scan(TableName="things")["Items"][0], {**key, "v": {"S": "1"}})


def test_updates_and_conditions(cloud: Account, connect: Callable[..., Any]) -> None:
    dynamodb, dax = table(cloud), connect()
    dax.put_item(TableName="things", Item=ITEM)
    new = dax.update_item(
        TableName="things",
        Key=KEY,
        UpdateExpression="SET #t = if_not_exists(missing, :t), #l = list_append(#l, :l), n = whole - :one "
        "REMOVE yes ADD texts :more DELETE numbers :gone",
        ConditionExpression="attribute_exists(id) AND (size(#t) > :one OR NOT begins_with(#t, :t)) "
        "AND small BETWEEN :zero AND :one AND nothing <> :t AND #t IN (:t, :word) AND contains(texts, :p)",
        ExpressionAttributeNames={"#t": "text", "#l": "list"},
        ExpressionAttributeValues={
            ":t": {"S": "t"},
            ":l": {"L": [{"S": "z"}]},
            ":one": {"N": "1"},
            ":zero": {"N": "0"},
            ":more": {"SS": ["r"]},
            ":gone": {"NS": ["1"]},
            ":word": {"S": "größer"},
            ":p": {"S": "p"},
        },
        ReturnValues="ALL_NEW",
    )["Attributes"]
    assert same(new, dynamodb.get_item(TableName="things", Key=KEY)["Item"])
    assert (new["text"], new["list"]["L"][-1], "yes" in new) == ({"S": "t"}, {"S": "z"}, False)
    assert sorted(new["texts"]["SS"]) == ["p", "q", "r"]
    changed = dax.update_item(
        TableName="things",
        Key=KEY,
        UpdateExpression="SET a = :v",
        ExpressionAttributeValues={":v": {"N": "7"}},
        ReturnValues="UPDATED_NEW",
    )
    assert changed["Attributes"] == {"a": {"N": "7"}}
    with pytest.raises(ClientError) as raised:
        dax.put_item(TableName="things", Item=ITEM, ConditionExpression="attribute_not_exists(id)")
    assert raised.value.response["Error"] == {
        "Code": "ConditionalCheckFailedException",
        "Message": "The conditional request failed",
    }


def test_projections(cloud: Account, connect: Callable[..., Any]) -> None:
    dynamodb, dax = table(cloud), connect()
    dynamodb.put_item(TableName="things", Item=ITEM)
    wanted = {
        "ProjectionExpression": "#l[2].#i, #l[0], #m.deep, packed, id, nowhere",
        "ExpressionAttributeNames": {"#l": "list", "#i": "in", "#m": "map"},
    }
    expected = dynamodb.get_item(TableName="things", Key=KEY, **wanted)["Item"]
    assert same(dax.get_item(TableName="things", Key=KEY, **wanted)["Item"], expected)
    assert same(dax.scan(TableName="things", **wanted)["Items"][0], expected)
    batch = dax.batch_get_item(RequestItems={"things": {"Keys": [KEY], **wanted}})
    assert same(batch["Responses"]["things"][0], expected)
    taken = dax.transact_get_items(TransactItems=[{"Get": {"TableName": "things", "Key": KEY, **wanted}}])
    assert same(taken["Responses"][0]["Item"], expected)


def test_queries_page_by_page_and_in_indexes(cloud: Account, connect: Callable[..., Any]) -> None:
    dynamodb, dax = table(cloud), connect()
    dynamodb.update_table(
        TableName="things",
        AttributeDefinitions=[{"AttributeName": "colour", "AttributeType": "S"}],
        GlobalSecondaryIndexUpdates=[
            {
                "Create": {
                    "IndexName": "by_colour",
                    "KeySchema": [{"AttributeName": "colour", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                }
            }
        ],
    )
    cloud.settle()
    for number in range(5):
        item = {"id": {"S": "a"}, "at": {"N": str(number)}, "colour": {"S": "red"}, "v": {"S": "x" * number}}
        dax.put_item(TableName="things", Item=item)
    asked: dict[str, Any] = {
        "TableName": "things",
        "KeyConditionExpression": "id = :id AND #at >= :from",
        "ExpressionAttributeNames": {"#at": "at"},
        "ExpressionAttributeValues": {":id": {"S": "a"}, ":from": {"N": "1"}},
        "ScanIndexForward": False,
        "Limit": 3,
        "ReturnConsumedCapacity": "INDEXES",
    }
    first = dax.query(**asked)
    assert [item["at"]["N"] for item in first["Items"]] == ["4", "3", "2"]
    assert (first["Count"], first["ScannedCount"]) == (3, 3)
    assert first["ConsumedCapacity"]["Table"]["CapacityUnits"] == first["ConsumedCapacity"]["CapacityUnits"] > 0
    second = dax.query(**asked, ExclusiveStartKey=first["LastEvaluatedKey"])
    assert [item["at"]["N"] for item in second["Items"]] == ["1"]
    assert "LastEvaluatedKey" not in second
    filtered = dax.query(
        **{**asked, "ExpressionAttributeValues": {**asked["ExpressionAttributeValues"], ":v": {"S": "xx"}}},
        FilterExpression="v = :v",
    )
    assert [item["at"]["N"] for item in filtered["Items"]] == ["2"]
    page = {
        "TableName": "things",
        "IndexName": "by_colour",
        "KeyConditionExpression": "colour = :c",
        "ExpressionAttributeValues": {":c": {"S": "red"}},
        "Limit": 4,
    }
    one = dax.query(**page)
    other = dax.query(**page, ExclusiveStartKey=one["LastEvaluatedKey"])
    found = [item for each in (one, other) for item in each["Items"]]
    assert sorted(item["at"]["N"] for item in found) == ["0", "1", "2", "3", "4"]
    assert all(set(item) == {"id", "at", "colour"} for item in found)
    assert dax.query(**page, Select="COUNT")["Count"] == 4


def test_batches(cloud: Account, connect: Callable[..., Any]) -> None:
    dynamodb, dax = table(cloud), connect()
    items = [{"id": {"S": str(number)}, "at": {"N": "1"}, "v": {"N": str(number)}} for number in range(20)]
    answer = dax.batch_write_item(RequestItems={"things": [{"PutRequest": {"Item": item}} for item in items]})
    assert answer["UnprocessedItems"] == {}
    assert dynamodb.scan(TableName="things", Select="COUNT")["Count"] == 20
    keys = [{"id": item["id"], "at": item["at"]} for item in items]
    found = dax.batch_get_item(RequestItems={"things": {"Keys": keys}})["Responses"]["things"]
    assert sorted(found, key=lambda item: int(item["v"]["N"])) == items
    dax.batch_write_item(RequestItems={"things": [{"DeleteRequest": {"Key": key}} for key in keys[:5]]})
    assert dynamodb.scan(TableName="things", Select="COUNT")["Count"] == 15


def test_transactions(cloud: Account, connect: Callable[..., Any]) -> None:
    dynamodb, dax = table(cloud), connect()
    one, other = ({"id": {"S": name}, "at": {"N": "1"}} for name in "xy")
    dax.transact_write_items(
        TransactItems=[
            {"Put": {"TableName": "things", "Item": {**one, "v": {"N": "1"}}}},
            {
                "Update": {
                    "TableName": "things",
                    "Key": other,
                    "UpdateExpression": "SET v = :v",
                    "ExpressionAttributeValues": {":v": {"N": "2"}},
                }
            },
        ]
    )
    taken = dax.transact_get_items(TransactItems=[{"Get": {"TableName": "things", "Key": key}} for key in (one, other)])
    assert [each["Item"]["v"]["N"] for each in taken["Responses"]] == ["1", "2"]
    with pytest.raises(ClientError) as raised:
        dax.transact_write_items(
            TransactItems=[
                {"Delete": {"TableName": "things", "Key": one}},
                {
                    "ConditionCheck": {
                        "TableName": "things",
                        "Key": other,
                        "ConditionExpression": "v = :v",
                        "ExpressionAttributeValues": {":v": {"N": "3"}},
                    }
                },
            ]
        )
    assert raised.value.response["Error"]["Code"] == "TransactionCanceledException"
    assert raised.value.cancellation_reasons == [["None", None], [
        "ConditionalCheckFailed", "The conditional request failed",
    ]]  # fmt: skip
    assert dynamodb.scan(TableName="things", Select="COUNT")["Count"] == 2


def test_the_caller_needs_the_cluster_and_the_cluster_needs_the_table(
    cloud: Account, dax: Any, connect: Callable[..., Any]
) -> None:
    dynamodb, iam = table(cloud), cloud.client("iam")
    dynamodb.put_item(TableName="things", Item=ITEM)
    iam.create_user(UserName="reader")
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    client = connect(key["AccessKeyId"], key["SecretAccessKey"])
    with pytest.raises(ClientError) as raised:
        client.get_item(TableName="things", Key=KEY)
    error = raised.value.response["Error"]
    assert error["Code"] == "AccessDeniedException"
    assert f"dax:GetItem on resource: arn:aws:dax:us-east-1:{cloud.account}:cache/fast" in error["Message"]
    allowed = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "dax:GetItem", "Resource": "*"}}
    iam.put_user_policy(UserName="reader", PolicyName="read", PolicyDocument=json.dumps(allowed))
    assert same(client.get_item(TableName="things", Key=KEY)["Item"], ITEM)
    less = {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Action": "dynamodb:DescribeTable", "Resource": "*"},
    }
    iam.put_role_policy(RoleName="accelerator", PolicyName="tables", PolicyDocument=json.dumps(less))
    with pytest.raises(ClientError) as raised:
        client.get_item(TableName="things", Key=KEY)
    assert "assumed-role/accelerator/fast is not authorized to perform: dynamodb:GetItem" in str(raised.value)


def test_a_wrong_secret_is_refused(cloud: Account, connect: Callable[..., Any]) -> None:
    table(cloud)
    iam = cloud.client("iam")
    iam.create_user(UserName="reader")
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    with pytest.raises(ClientError) as raised:
        connect(key["AccessKeyId"], "not the secret").get_item(TableName="things", Key=KEY)
    assert raised.value.response["Error"]["Code"] in ("UnrecognizedClientException", "NoRouteException")


def test_a_table_that_is_not_there(connect: Callable[..., Any]) -> None:
    with pytest.raises(ClientError) as raised:
        connect().get_item(TableName="nowhere", Key=KEY)
    assert raised.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_a_role_of_another_trust_opens_nothing(cloud: Account, dax: Any) -> None:
    make_role(cloud)
    cloud.client("iam").update_assume_role_policy(
        RoleName="accelerator",
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": {
                    "Effect": "Allow",
                    "Principal": {"Service": "lambda.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                },
            }
        ),
    )
    amazondax = pytest.importorskip("amazondax")
    dax.create_cluster(
        ClusterName="fast",
        NodeType="dax.r5.large",
        ReplicationFactor=1,
        IamRoleArn=f"arn:aws:iam::{cloud.account}:role/accelerator",
    )
    cloud.advance(2)
    table(cloud)
    url = dax.describe_clusters()["Clusters"][0]["ClusterDiscoveryEndpoint"]["URL"]
    client = amazondax.AmazonDaxClient(
        endpoint_url=url, region_name="us-east-1", aws_access_key_id=cloud.account, aws_secret_access_key="test"
    )
    try:
        with pytest.raises(ClientError, match="No permission to assume role"):
            client.get_item(TableName="things", Key=KEY)
    finally:
        client.close()
