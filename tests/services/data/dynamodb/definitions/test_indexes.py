"""Secondary indexes: their definitions, and global ones that come, change and go."""

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

INCLUDE = {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["b", "a"]}
PROVISIONED = {"BillingMode": "PROVISIONED", "ProvisionedThroughput": UNITS}


@pytest.fixture
def dynamodb(cloud: Account) -> Any:
    return cloud.client("dynamodb")


def test_indexes_are_described(cloud: Account, dynamodb: Any) -> None:
    made = dynamodb.create_table(
        **definition(
            AttributeDefinitions=attributes("id", "at:N", "kind"),
            KeySchema=keys("id", "at"),
            LocalSecondaryIndexes=[index("by_kind", "id", "kind", projection={"ProjectionType": "KEYS_ONLY"})],
            GlobalSecondaryIndexes=[index("kinds", "kind", "at", projection=INCLUDE)],
        )
    )["TableDescription"]
    assert [each["IndexStatus"] for each in made["GlobalSecondaryIndexes"]] == ["CREATING"]
    cloud.settle()
    table = dynamodb.describe_table(TableName="orders")["Table"]
    (local,), (wide,) = table["LocalSecondaryIndexes"], table["GlobalSecondaryIndexes"]
    assert local == {
        "IndexName": "by_kind",
        "KeySchema": keys("id", "kind"),
        "Projection": {"ProjectionType": "KEYS_ONLY"},
        "IndexSizeBytes": 0,
        "ItemCount": 0,
        "IndexArn": f"{table['TableArn']}/index/by_kind",
    }
    assert wide["Projection"] == {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["a", "b"]}
    assert (wide["IndexStatus"], wide["ProvisionedThroughput"]["ReadCapacityUnits"]) == ("ACTIVE", 0)
    assert wide["WarmThroughput"]["ReadUnitsPerSecond"] == 12000
    assert table["AttributeDefinitions"] == attributes("at:N", "id", "kind")


def with_local(*names: str, **more: Any) -> dict[str, Any]:
    return {
        "AttributeDefinitions": attributes("id", "at", "kind"),
        "KeySchema": keys("id", "at"),
        "LocalSecondaryIndexes": [index("local", *names, **more)],
    }


def with_global(*names: str, **more: Any) -> dict[str, Any]:
    defined = dict.fromkeys(["id", *(name.partition(":")[0] for name in names)])
    return {
        "AttributeDefinitions": attributes(*defined),
        "GlobalSecondaryIndexes": [index("wide", *names, **more)],
    }


many = [index(f"wide{number}", "kind") for number in range(21)]
REFUSALS: list[tuple[dict[str, Any], str]] = [
    (
        {**with_local("at", "kind"), "AttributeDefinitions": attributes("id", "at", "kind")},
        f"{INVALID}Index KeySchema does not have the same leading hash key as table KeySchema for index: local. "
        "index hash key: at, table hash key: id",
    ),
    (
        {**with_local("id"), "AttributeDefinitions": attributes("id", "at")},
        f"{INVALID}Index KeySchema does not have a range key for index: local",
    ),
    (
        {
            **with_local("id", "kind"),
            "LocalSecondaryIndexes": [index(f"local{number}", "id", "kind") for number in range(6)],
        },
        f"{INVALID}Number of LocalSecondaryIndexes exceeds per-table limit of 5",
    ),
    (
        {**with_global("kind"), "GlobalSecondaryIndexes": many},
        f"{INVALID}GlobalSecondaryIndex count exceeds the per-table limit of 20",
    ),
    (
        {**with_global("kind"), "GlobalSecondaryIndexes": [index("wide", "kind"), index("wide", "kind")]},
        f"{INVALID}Duplicate index name: wide",
    ),
    (
        with_global("kind", projection={"ProjectionType": "INCLUDE"}),
        f"{INVALID}ProjectionType is INCLUDE, but NonKeyAttributes is not specified",
    ),
    (
        with_global("kind", projection={"ProjectionType": "ALL", "NonKeyAttributes": ["a"]}),
        f"{INVALID}ProjectionType is ALL, but NonKeyAttributes is specified",
    ),
    (
        with_global("kind", projection={"ProjectionType": "INCLUDE", "NonKeyAttributes": ["a", "a"]}),
        f"{INVALID}Duplicate element in NonKeyAttributes: a",
    ),
    (with_global("kind", projection={"NonKeyAttributes": ["a"]}), f"{INVALID}Unknown ProjectionType: null"),
    (
        with_global("kind", ProvisionedThroughput=UNITS),
        f"{INVALID}ProvisionedThroughput should not be specified for index: wide when BillingMode is PAY_PER_REQUEST",
    ),
    ({**with_global("kind"), **PROVISIONED}, f"{INVALID}ProvisionedThroughput is not specified for index: wide"),
    (
        with_global("a:HASH", "b:HASH", "c:HASH", "d:HASH", "e:HASH"),
        f"{INVALID}The KeySchema exceeds the maximum allowed number of HASH key attributes",
    ),
    (
        with_global("a:HASH", "b", "c:HASH"),
        f"{INVALID}All HASH key attributes must precede RANGE key attributes in the KeySchema",
    ),
    (
        with_global("a:HASH", "b:HASH", "a:RANGE"),
        "The KeySchema contains multiple key attributes with the same name",
    ),
]


@pytest.mark.parametrize(("changes", "message"), REFUSALS, ids=[text[:60] for _, text in REFUSALS])
def test_what_definitions_refuse(dynamodb: Any, changes: dict[str, Any], message: str) -> None:
    """Source: answers of AWS to these requests."""
    with invalid(message):
        dynamodb.create_table(**definition(**changes))


def test_a_global_index_has_up_to_four_keys_of_each_kind(cloud: Account, dynamodb: Any) -> None:
    names = ["a:HASH", "b:HASH", "c:RANGE", "d:RANGE", "e:RANGE"]
    made = dynamodb.create_table(**definition(**with_global(*names)))["TableDescription"]
    assert made["GlobalSecondaryIndexes"][0]["KeySchema"] == keys(*names)


def create(dynamodb: Any, name: str = "by_kind", *names: str, **more: Any) -> Any:
    names = names or ("kind",)
    return dynamodb.update_table(
        TableName="orders",
        AttributeDefinitions=attributes(*names),
        GlobalSecondaryIndexUpdates=[{"Create": index(name, *names, **more)}],
    )["TableDescription"]


def test_an_index_is_added_filled_used_and_dropped(cloud: Account, dynamodb: Any) -> None:
    dynamodb.create_table(**definition())
    for number in range(450):
        dynamodb.put_item(TableName="orders", Item={"id": {"S": str(number)}, "kind": {"S": str(number % 3)}})
    dynamodb.put_item(TableName="orders", Item={"id": {"S": "without"}})
    cloud.settle()
    added = create(dynamodb)
    (made,) = added["GlobalSecondaryIndexes"]
    # The first of the two phases: Developer Guide, "Managing Global Secondary Indexes", Adding an index.
    assert (added["TableStatus"], made["IndexStatus"], made["Backfilling"]) == ("UPDATING", "CREATING", False)
    cloud.settle()
    (made,) = dynamodb.describe_table(TableName="orders")["Table"]["GlobalSecondaryIndexes"]
    assert (made["IndexStatus"], made["ItemCount"]) == ("ACTIVE", 450)
    assert "Backfilling" not in made
    page = dynamodb.query(
        TableName="orders",
        IndexName="by_kind",
        KeyConditionExpression="kind = :k",
        ExpressionAttributeValues={":k": {"S": "1"}},
    )
    assert page["Count"] == 150
    with invalid("Attempting to create an index which already exists"):
        create(dynamodb)
    gone = dynamodb.update_table(
        TableName="orders", GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by_kind"}}]
    )["TableDescription"]
    assert (gone["TableStatus"], gone["GlobalSecondaryIndexes"][0]["IndexStatus"]) == ("UPDATING", "DELETING")
    cloud.settle()
    table = dynamodb.describe_table(TableName="orders")["Table"]
    assert "GlobalSecondaryIndexes" not in table
    assert table["AttributeDefinitions"] == attributes("id")
    assert (table["TableStatus"], table["ItemCount"]) == ("ACTIVE", 451)


def update(dynamodb: Any, *updates: Any, **more: Any) -> Any:
    return dynamodb.update_table(TableName="orders", GlobalSecondaryIndexUpdates=list(updates), **more)


def test_what_index_updates_refuse(cloud: Account, dynamodb: Any) -> None:
    dynamodb.create_table(
        **definition(
            AttributeDefinitions=attributes("id", "at", "kind"),
            KeySchema=keys("id", "at"),
            LocalSecondaryIndexes=[index("local", "id", "kind")],
            GlobalSecondaryIndexes=[index("wide", "kind", ProvisionedThroughput=UNITS)],
            **PROVISIONED,
        )
    )
    cloud.settle()
    with refused("ResourceNotFoundException", "Requested resource not found: Index none for table orders"):
        update(dynamodb, {"Delete": {"IndexName": "none"}})
    with invalid("Cannot delete an index that is not a GlobalSecondaryIndex: local"):
        update(dynamodb, {"Delete": {"IndexName": "local"}})
    with invalid(
        f"{INVALID}One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, "
        "GlobalSecondaryIndexUpdate.Delete must not be null"
    ):
        update(dynamodb, {})
    both = {"Delete": {"IndexName": "wide"}, "Update": {"IndexName": "wide", "ProvisionedThroughput": UNITS}}
    with invalid(f"{INVALID}Only one global secondary index action is allowed per GlobalSecondaryIndexUpdate object"):
        update(dynamodb, both)
    once = {"Update": {"IndexName": "wide", "ProvisionedThroughput": {"ReadCapacityUnits": 6, "WriteCapacityUnits": 6}}}
    with invalid(f"{INVALID}Only one global secondary index update per index is allowed simultaneously. Index: wide"):
        update(dynamodb, once, once)
    text = "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table"
    new = {"Create": index("more", "kind", ProvisionedThroughput=UNITS)}
    with refused("LimitExceededException", text):
        update(dynamodb, new, {"Delete": {"IndexName": "wide"}}, AttributeDefinitions=attributes("kind"))
    with invalid(f"{INVALID}AttributeDefinitions is not specified for index: more"):
        update(dynamodb, new)
    with invalid(f"{INVALID}Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: more"):
        update(dynamodb, {"Create": index("more", "kind")}, AttributeDefinitions=attributes("kind"))
    with invalid(f"{INVALID}You cannot create or delete index while updating table IOPS"):
        update(dynamodb, {"Delete": {"IndexName": "wide"}}, ProvisionedThroughput=UNITS)
    with refused("ValidationException"):
        update(dynamodb, {"Update": {"IndexName": "wide", "ProvisionedThroughput": UNITS}})
    switched = {"BillingMode": "PAY_PER_REQUEST"}
    demanded = dynamodb.update_table(TableName="orders", **switched)["TableDescription"]
    assert demanded["TableStatus"] == "UPDATING"
    cloud.settle()
    back = {"BillingMode": "PROVISIONED", "ProvisionedThroughput": UNITS}
    limited = {"Update": {"IndexName": "wide", "WarmThroughput": {"ReadUnitsPerSecond": 20_000}}}
    with invalid(f"{INVALID}ProvisionedThroughput must be specified for index: wide"):
        update(dynamodb, limited, **back)
    once["Update"]["ProvisionedThroughput"] = UNITS | {"ReadCapacityUnits": 7}
    update(dynamodb, once, **back)
    cloud.settle()
    once["Update"]["ProvisionedThroughput"] = {"ReadCapacityUnits": 6, "WriteCapacityUnits": 6}
    answer = update(dynamodb, once)["TableDescription"]
    assert answer["GlobalSecondaryIndexes"][0]["IndexStatus"] == "UPDATING"


def test_a_switch_of_billing_goes_for_all_indexes(cloud: Account, dynamodb: Any) -> None:
    dynamodb.create_table(**definition(**with_global("kind")))
    cloud.settle()
    switched = {"BillingMode": "PROVISIONED", "ProvisionedThroughput": UNITS}
    with invalid(f"{INVALID}ProvisionedThroughput must be specified for index: wide"):
        dynamodb.update_table(TableName="orders", **switched)
    update(dynamodb, {"Update": {"IndexName": "wide", "ProvisionedThroughput": UNITS}}, **switched)
    cloud.settle()
    (wide,) = dynamodb.describe_table(TableName="orders")["Table"]["GlobalSecondaryIndexes"]
    assert wide["ProvisionedThroughput"]["ReadCapacityUnits"] == 5
    dynamodb.update_table(TableName="orders", BillingMode="PAY_PER_REQUEST")
    cloud.settle()
    (wide,) = dynamodb.describe_table(TableName="orders")["Table"]["GlobalSecondaryIndexes"]
    assert wide["ProvisionedThroughput"]["ReadCapacityUnits"] == 0
