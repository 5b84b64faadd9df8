"""Items of a table with a KMS key of its owner's: sealed at rest, and read like any other."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from cumulo.services.data.dynamodb.tables.layouts import INDEX, ITEMS
from tests.conftest import Account
from tests.services.data.dynamodb.item_tables import index, make


def at_rest(cloud: Account) -> list[bytes]:
    """All items and entries of indexes that any table has."""
    store = cloud.running.cloud.runtime.store

    def read(txn: Any) -> list[bytes]:
        return [value for place in (ITEMS, INDEX) for _, value in txn.range(place, place + b"\xff")]

    found: list[bytes] = cloud.running.run(store.run(read))
    return found


def test_nothing_readable_is_kept(cloud: Account) -> None:
    kms = cloud.client("kms")
    key = kms.create_key()["KeyMetadata"]
    client = make(
        cloud,
        range="sk",
        types={"g": "S", "l": "S"},
        SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key["Arn"]},
        GlobalSecondaryIndexes=[index("by_g", "g", projection=["data"])],
        LocalSecondaryIndexes=[index("local", "pk", "l", "KEYS_ONLY")],
    )
    secret = f"secret of {cloud.account}"
    item = {"pk": {"S": "a"}, "sk": {"S": "1"}, "g": {"S": "g"}, "l": {"S": "l"}, "data": {"S": secret}}
    client.put_item(TableName="things", Item=item)
    client.update_item(TableName="things", Key={"pk": {"S": "a"}, "sk": {"S": "1"}}, UpdateExpression="SET n = l")
    item["n"] = {"S": "l"}
    assert not any(secret.encode() in value for value in at_rest(cloud))
    primary = {"pk": {"S": "a"}, "sk": {"S": "1"}}
    assert client.get_item(TableName="things", Key=primary)["Item"] == item
    assert client.scan(TableName="things")["Items"] == [item]
    answer = client.query(
        TableName="things",
        IndexName="local",
        Select="ALL_ATTRIBUTES",
        KeyConditionExpression="pk = :p",
        ExpressionAttributeValues={":p": {"S": "a"}},
    )
    assert answer["Items"] == [item]
    assert client.scan(TableName="things", IndexName="by_g")["Items"][0]["data"] == {"S": secret}
    assert client.batch_get_item(RequestItems={"things": {"Keys": [primary]}})["Responses"]["things"] == [item]
    get = {"Get": {"TableName": "things", "Key": primary}}
    assert client.transact_get_items(TransactItems=[get])["Responses"] == [{"Item": item}]
    kms.disable_key(KeyId=key["KeyId"])
    cloud.advance(400)  # the opened data key is remembered for five minutes
    with pytest.raises(ClientError):
        client.get_item(TableName="things", Key=primary)
    kms.enable_key(KeyId=key["KeyId"])
    assert client.get_item(TableName="things", Key=primary)["Item"] == item
