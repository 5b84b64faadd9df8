"""Tables and items with real clients: boto3's resource, PynamoDB, the command line, JavaScript's SDK, ElectroDB."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import pytest
from boto3.dynamodb.conditions import Attr, Key

from tests.server_process import Server


def test_the_resource_of_boto3(server: Server) -> None:
    resource = boto3.resource(
        "dynamodb",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    table = resource.create_table(
        TableName="orders",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "customer", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "customer", "AttributeType": "S"},
            {"AttributeName": "at", "AttributeType": "N"},
        ],
    )
    table.meta.client.get_waiter("table_exists").wait(TableName="orders", WaiterConfig={"Delay": 1})
    with table.batch_writer(overwrite_by_pkeys=["customer", "at"]) as batch:
        for number in range(60):
            batch.put_item(Item={"customer": f"c{number % 2}", "at": number, "sum_total": Decimal("1.10") * number})
    query = {"KeyConditionExpression": Key("customer").eq("c1") & Key("at").between(10, 30)}
    found = table.query(FilterExpression=Attr("sum_total").gt(Decimal("20")), ScanIndexForward=False, **query)
    assert [int(item["at"]) for item in found["Items"]] == [29, 27, 25, 23, 21, 19]
    answer = table.update_item(
        Key={"customer": "c1", "at": 29},
        UpdateExpression="SET sum_total = sum_total + :one, tags = :tags",
        ConditionExpression=Attr("tags").not_exists(),
        ExpressionAttributeValues={":one": 1, ":tags": {"a", "b"}},
        ReturnValues="UPDATED_NEW",
    )
    assert answer["Attributes"] == {"sum_total": Decimal("32.90"), "tags": {"a", "b"}}
    with pytest.raises(resource.meta.client.exceptions.ConditionalCheckFailedException):
        table.put_item(Item={"customer": "c1", "at": 29}, ConditionExpression=Attr("customer").not_exists())
    keys = {"orders": {"Keys": [{"customer": "c0", "at": 0}, {"customer": "c0", "at": 2}]}}
    assert len(resource.batch_get_item(RequestItems=keys)["Responses"]["orders"]) == 2
    assert table.scan(Select="COUNT")["Count"] == 60


def test_pynamodb(server: Server) -> None:
    from pynamodb.attributes import ListAttribute, NumberAttribute, UnicodeAttribute, UnicodeSetAttribute
    from pynamodb.connection import Connection
    from pynamodb.exceptions import PutError, TransactWriteError
    from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
    from pynamodb.models import Model
    from pynamodb.transactions import TransactWrite

    class ByForum(GlobalSecondaryIndex["Thread"]):
        class Meta:
            index_name = "by_forum"
            projection = AllProjection()

        forum = UnicodeAttribute(hash_key=True)
        views = NumberAttribute(range_key=True)

    class Thread(Model):
        class Meta:
            table_name = "threads"
            host = server.url
            region = "us-east-1"
            aws_access_key_id = "test"
            aws_secret_access_key = "test"
            billing_mode = "PAY_PER_REQUEST"

        by_forum = ByForum()
        name = UnicodeAttribute(hash_key=True)
        forum = UnicodeAttribute()
        views = NumberAttribute(default=0)
        tags = UnicodeSetAttribute(null=True)
        replies = ListAttribute(of=UnicodeAttribute, default=list)

    Thread.create_table(wait=True)
    with Thread.batch_write() as batch:
        for number in range(40):
            batch.save(Thread(f"t{number}", forum=f"f{number % 4}", views=number, tags={"x", str(number)}))
    assert Thread.get("t7").tags == {"x", "7"}
    assert Thread.count() == 40
    busy = Thread.by_forum.query("f3", Thread.views > 20, scan_index_forward=False, page_size=2)
    assert [each.name for each in busy] == ["t39", "t35", "t31", "t27", "t23"]
    thread = Thread.get("t7")
    thread.update(actions=[Thread.views.set(Thread.views + 1), Thread.replies.set(Thread.replies.append(["hi"]))])
    assert (thread.views, thread.replies) == (8, ["hi"])
    with pytest.raises(PutError):
        Thread("t7", forum="f").save(condition=Thread.name.does_not_exist())
    assert {each.name for each in Thread.batch_get(["t1", "t2", "absent"])} == {"t1", "t2"}
    assert len(list(Thread.scan(Thread.tags.contains("x"), segment=0, total_segments=2))) < 40
    connection = Connection(region="us-east-1", host=server.url)
    connection.session.set_credentials("test", "test")
    with TransactWrite(connection=connection) as transaction:
        transaction.save(Thread("new", forum="f"))
        transaction.delete(Thread.get("t1"))
    with pytest.raises(TransactWriteError) as canceled, TransactWrite(connection=connection) as transaction:
        transaction.save(Thread("newer", forum="f"))
        transaction.condition_check(Thread, "t1", condition=Thread.name.exists())
    assert canceled.value.cause_response_code == "TransactionCanceledException"
    assert Thread.count() == 40


def test_items_on_the_command_line(run: Callable[..., Any], aws_v1: list[str]) -> None:
    dynamodb = [*aws_v1, "dynamodb"]
    run(
        dynamodb,
        "create-table",
        "--table-name",
        "music",
        "--attribute-definitions",
        "AttributeName=Artist,AttributeType=S",
        "AttributeName=SongTitle,AttributeType=S",
        "--key-schema",
        "AttributeName=Artist,KeyType=HASH",
        "AttributeName=SongTitle,KeyType=RANGE",
        "--billing-mode",
        "PAY_PER_REQUEST",
    )
    run(dynamodb, "wait", "table-exists", "--table-name", "music")
    for title in ("Happy Day", "Call Me Today"):
        item = {"Artist": {"S": "Acme"}, "SongTitle": {"S": title}, "Awards": {"N": "1"}}
        answer = run(
            dynamodb,
            "put-item",
            "--table-name",
            "music",
            "--item",
            json.dumps(item),
            "--return-consumed-capacity",
            "TOTAL",
        )
        assert answer["ConsumedCapacity"] == {"TableName": "music", "CapacityUnits": 1.0}
    answer = run(
        dynamodb,
        "query",
        "--table-name",
        "music",
        "--key-condition-expression",
        "Artist = :a",
        "--expression-attribute-values",
        json.dumps({":a": {"S": "Acme"}}),
        "--max-items",
        "1",
    )
    assert [item["SongTitle"]["S"] for item in answer["Items"]] == ["Call Me Today"]
    assert answer["NextToken"]
    answer = run(
        dynamodb,
        "update-item",
        "--table-name",
        "music",
        "--key",
        json.dumps({"Artist": {"S": "Acme"}, "SongTitle": {"S": "Happy Day"}}),
        "--update-expression",
        "ADD Awards :one",
        "--expression-attribute-values",
        json.dumps({":one": {"N": "1"}}),
        "--return-values",
        "ALL_NEW",
    )
    assert answer["Attributes"]["Awards"] == {"N": "2"}
    assert run(dynamodb, "scan", "--table-name", "music", "--select", "COUNT")["Count"] == 2


def test_items_in_javascript(run: Callable[..., Any], javascript: Path) -> None:
    result = run(["node", "tables.mjs"], cwd=javascript)
    assert result["got"] == {
        "pk": "doc",
        "sk": "1",
        "list": [1, "two", {"three": None}],
        "set": ["a", "b"],
        "bytes": [0, 255],
    }
    assert result["numbers"] == list(range(25))
    assert result["reasons"] == ["TransactionCanceledException", "None", "ConditionalCheckFailed"]
    assert result["duplicate"] == "ConditionalCheckFailedException"
    assert result["points"] == 5
    assert result["ofAnn"] == ["design", "test"]
    assert result["begins"] == ["design"]
    assert result["canceled"] is False
    assert result["all"] == ["build", "land", "test"]
