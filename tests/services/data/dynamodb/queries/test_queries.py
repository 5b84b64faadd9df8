"""Query: key conditions, order, pages, indexes, filters, Select."""

from typing import Any

import pytest

from tests.conftest import Account
from tests.services.data.dynamodb.item_tables import index, make, refused


def keys_of(answer: dict[str, Any], name: str = "sk") -> list[str]:
    return [next(iter(item[name].values())) for item in answer["Items"]]


def put_all(client: Any, items: list[dict[str, Any]], table: str = "things") -> None:
    for item in items:
        client.put_item(TableName=table, Item=item)


@pytest.fixture
def ordered(cloud: Account) -> Any:
    client = make(cloud, range="sk")
    for partition in ("a", "b", "aa"):
        put_all(client, [{"pk": {"S": partition}, "sk": {"S": sort}} for sort in ("", "a", "ab", "ac", "b", "é")[1:]])
    return client


@pytest.mark.parametrize(
    ("condition", "values", "found"),
    [
        ("", {}, ["a", "ab", "ac", "b", "é"]),
        (" AND sk = :v", {":v": "ab"}, ["ab"]),
        (" AND sk < :v", {":v": "ac"}, ["a", "ab"]),
        (" AND sk <= :v", {":v": "ac"}, ["a", "ab", "ac"]),
        (" AND sk > :v", {":v": "ab"}, ["ac", "b", "é"]),
        (" AND sk >= :v", {":v": "ab"}, ["ab", "ac", "b", "é"]),
        (" AND sk BETWEEN :v AND :w", {":v": "ab", ":w": "b"}, ["ab", "ac", "b"]),
        (" AND begins_with(sk, :v)", {":v": "a"}, ["a", "ab", "ac"]),
        (" AND sk > :v", {":v": "é"}, []),
    ],
)
def test_key_conditions(ordered: Any, condition: str, values: dict[str, str], found: list[str]) -> None:
    request = {
        "TableName": "things",
        "KeyConditionExpression": f"pk = :p{condition}",
        "ExpressionAttributeValues": {":p": {"S": "a"}, **{name: {"S": text} for name, text in values.items()}},
    }
    answer = ordered.query(**request)
    assert keys_of(answer) == found
    assert answer["Count"] == answer["ScannedCount"] == len(found)
    assert "LastEvaluatedKey" not in answer
    assert keys_of(ordered.query(ScanIndexForward=False, **request)) == found[::-1]


def test_numbers_and_bytes_sort_as_such(cloud: Account) -> None:
    client = make(cloud, range="sk", types={"sk": "N"})
    numbers = ["-100", "-2", "-1.5", "0", "0.001", "3", "20", "100"]
    put_all(client, [{"pk": {"S": "a"}, "sk": {"N": each}} for each in reversed(numbers)])
    request: dict[str, Any] = {"TableName": "things", "KeyConditionExpression": "pk = :p AND sk > :v"}
    answer = client.query(ExpressionAttributeValues={":p": {"S": "a"}, ":v": {"N": "-1.50"}}, **request)
    assert keys_of(answer) == numbers[3:]
    client = make(cloud, "bytes", range="sk", types={"sk": "B"})
    blobs = [b"\x00", b"\x00\x00", b"\x00\xff", b"\x01", b"\xfe", b"\xff", b"\xff\xff"]
    put_all(client, [{"pk": {"S": "a"}, "sk": {"B": each}} for each in reversed(blobs)], "bytes")
    request["TableName"] = "bytes"
    answer = client.query(ExpressionAttributeValues={":p": {"S": "a"}, ":v": {"B": b"\x00"}}, **request)
    assert [item["sk"]["B"] for item in answer["Items"]] == blobs[1:]
    request["KeyConditionExpression"] = "pk = :p AND begins_with(sk, :v)"
    answer = client.query(ExpressionAttributeValues={":p": {"S": "a"}, ":v": {"B": b"\xff"}}, **request)
    assert [item["sk"]["B"] for item in answer["Items"]] == blobs[5:]


def test_pages_go_on_where_they_ended(ordered: Any) -> None:
    request: dict[str, Any] = {
        "TableName": "things",
        "KeyConditionExpression": "pk = :p",
        "ExpressionAttributeValues": {":p": {"S": "a"}},
        "Limit": 2,
    }
    for forward in (True, False):
        seen: list[str] = []
        start: dict[str, Any] = {}
        while True:
            answer = ordered.query(ScanIndexForward=forward, **request, **start)
            seen += keys_of(answer)
            if "LastEvaluatedKey" not in answer:
                break
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
        assert seen == sorted(seen, reverse=not forward) and len(seen) == 5
    # A page that ends with the last item has a key to go on from all the same: nobody looks ahead.
    request["Limit"] = 5
    answer = ordered.query(**request)
    assert answer["LastEvaluatedKey"] == {"pk": {"S": "a"}, "sk": {"S": "é"}}
    assert ordered.query(ExclusiveStartKey=answer["LastEvaluatedKey"], **request)["Items"] == []
    # The item at which a page begins need not be there.
    answer = ordered.query(ExclusiveStartKey={"pk": {"S": "a"}, "sk": {"S": "aba"}}, **request)
    assert keys_of(answer) == ["ac", "b", "é"]


def test_a_page_has_one_megabyte(cloud: Account) -> None:
    client = make(cloud, range="sk")
    for number in range(5):
        item = {"pk": {"S": "a"}, "sk": {"S": str(number)}, "data": {"S": "x" * 300_000}}
        client.put_item(TableName="things", Item=item)
    request: dict[str, Any] = {
        "TableName": "things",
        "KeyConditionExpression": "pk = :p",
        "ExpressionAttributeValues": {":p": {"S": "a"}},
        "ReturnConsumedCapacity": "TOTAL",
    }
    first = client.query(**request)
    assert keys_of(first) == ["0", "1", "2", "3"]
    assert first["LastEvaluatedKey"] == {"pk": {"S": "a"}, "sk": {"S": "3"}}
    assert first["ConsumedCapacity"]["CapacityUnits"] == 146.5
    assert keys_of(client.query(ExclusiveStartKey=first["LastEvaluatedKey"], **request)) == ["4"]
    # What the filter holds back counts as well.
    filtered = client.query(FilterExpression="sk2 = :p", **{**request, "ReturnConsumedCapacity": "NONE"})
    assert (filtered["Count"], filtered["ScannedCount"]) == (0, 4)
    assert filtered["LastEvaluatedKey"] == first["LastEvaluatedKey"]
    assert "ConsumedCapacity" not in filtered


def test_start_keys_are_checked(ordered: Any) -> None:
    request: dict[str, Any] = {
        "TableName": "things",
        "KeyConditionExpression": "pk = :p AND sk > :s",
        "ExpressionAttributeValues": {":p": {"S": "a"}, ":s": {"S": "ab"}},
    }
    for start, text in (
        ({"pk": {"S": "a"}}, "The provided starting key is invalid"),
        ({"pk": {"S": "a"}, "sk": {"N": "1"}}, "The provided starting key is invalid"),
        (
            {"pk": {"S": "b"}, "sk": {"S": "b"}},
            "The provided starting key is outside query boundaries based on provided conditions",
        ),
        ({"pk": {"S": "a"}, "sk": {"S": "a"}}, "The provided starting key does not match the range key predicate"),
    ):
        refused(ordered.query, "ValidationException", text, ExclusiveStartKey=start, **request)


def test_a_filter_holds_items_back_after_they_were_read(ordered: Any) -> None:
    answer = ordered.query(
        TableName="things",
        KeyConditionExpression="pk = :p",
        FilterExpression="attribute_exists(absent)",
        ExpressionAttributeValues={":p": {"S": "a"}},
        Limit=3,
    )
    assert (answer["Count"], answer["ScannedCount"], answer["Items"]) == (0, 3, [])
    refused(
        ordered.query,
        "ValidationException",
        "Filter Expression can only contain non-primary key attributes: Primary key attribute: sk",
        TableName="things",
        KeyConditionExpression="pk = :p",
        FilterExpression="sk = :p",
        ExpressionAttributeValues={":p": {"S": "a"}},
    )


INDEXED = [
    {"pk": {"S": "1"}, "sk": {"S": "a"}, "g": {"S": "x"}, "r": {"N": "2"}, "kept": {"S": "k"}, "not": {"S": "n"}},
    {"pk": {"S": "2"}, "sk": {"S": "b"}, "g": {"S": "x"}, "r": {"N": "1"}, "kept": {"S": "k"}, "not": {"S": "n"}},
    {"pk": {"S": "1"}, "sk": {"S": "c"}, "g": {"S": "x"}, "r": {"N": "10"}},
    {"pk": {"S": "1"}, "sk": {"S": "d"}, "g": {"S": "y"}, "r": {"N": "1"}},
    {"pk": {"S": "1"}, "sk": {"S": "e"}, "g": {"S": "x"}},
]


@pytest.fixture
def indexed(cloud: Account) -> Any:
    client = make(
        cloud,
        range="sk",
        types={"g": "S", "r": "N"},
        GlobalSecondaryIndexes=[
            index("all", "g", "r"),
            index("keys", "g", "r", "KEYS_ONLY"),
            index("some", "g", "r", ["kept"]),
        ],
        LocalSecondaryIndexes=[index("local", "pk", "r", ["kept"])],
    )
    put_all(client, INDEXED)
    return client


def by_g(client: Any, name: str, **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = client.query(
        TableName="things",
        IndexName=name,
        KeyConditionExpression="g = :g",
        ExpressionAttributeValues={":g": {"S": "x"}},
        **more,
    )
    return answer


def test_an_index_answers_in_its_order_what_it_projects(indexed: Any) -> None:
    assert keys_of(by_g(indexed, "all")) == ["b", "a", "c"]
    assert keys_of(by_g(indexed, "all", ScanIndexForward=False)) == ["c", "a", "b"]
    assert by_g(indexed, "all")["Items"][0] == INDEXED[1]
    keys = {name: INDEXED[1][name] for name in ("pk", "sk", "g", "r")}
    assert by_g(indexed, "keys")["Items"][0] == keys
    assert by_g(indexed, "some")["Items"][0] == {**keys, "kept": {"S": "k"}}


def test_an_index_follows_every_write(indexed: Any) -> None:
    key = {"pk": {"S": "2"}, "sk": {"S": "b"}}
    indexed.update_item(
        TableName="things", Key=key, UpdateExpression="SET r = :r", ExpressionAttributeValues={":r": {"N": "5"}}
    )
    assert keys_of(by_g(indexed, "keys")) == ["a", "b", "c"]
    indexed.update_item(TableName="things", Key=key, UpdateExpression="REMOVE g")
    assert keys_of(by_g(indexed, "all")) == ["a", "c"]
    indexed.put_item(TableName="things", Item={**INDEXED[4], "r": {"N": "-1"}})
    assert keys_of(by_g(indexed, "all")) == ["e", "a", "c"]
    indexed.delete_item(TableName="things", Key={"pk": {"S": "1"}, "sk": {"S": "a"}})
    assert keys_of(by_g(indexed, "some")) == ["e", "c"]


def test_pages_of_an_index(indexed: Any) -> None:
    first = by_g(indexed, "keys", Limit=2)
    assert first["LastEvaluatedKey"] == {name: INDEXED[0][name] for name in ("pk", "sk", "g", "r")}
    assert keys_of(by_g(indexed, "keys", ExclusiveStartKey=first["LastEvaluatedKey"])) == ["c"]
    refused(
        indexed.query,
        "ValidationException",
        "The provided starting key is invalid",
        TableName="things",
        IndexName="keys",
        KeyConditionExpression="g = :g",
        ExpressionAttributeValues={":g": {"S": "x"}},
        ExclusiveStartKey={"pk": {"S": "1"}, "sk": {"S": "a"}},
    )


@pytest.mark.parametrize(
    ("condition", "found"),
    [("r = :r", ["a"]), ("r < :r", ["b"]), ("r <= :r", ["b", "a"]), ("r > :r", ["c"]), ("r >= :r", ["a", "c"])],
)
def test_conditions_on_the_sort_key_of_an_index(indexed: Any, condition: str, found: list[str]) -> None:
    answer = indexed.query(
        TableName="things",
        IndexName="all",
        KeyConditionExpression=f"g = :g AND {condition}",
        ExpressionAttributeValues={":g": {"S": "x"}, ":r": {"N": "2"}},
    )
    assert keys_of(answer) == found


def test_what_an_index_does_not_project(indexed: Any) -> None:
    invalid = "One or more parameter values were invalid: "
    request: dict[str, Any] = {
        "TableName": "things",
        "KeyConditionExpression": "g = :g",
        "ExpressionAttributeValues": {":g": {"S": "x"}},
    }
    refused(
        indexed.query,
        "ValidationException",
        f"{invalid}Select type ALL_ATTRIBUTES is not supported for global secondary index keys because its projection "
        "type is not ALL",
        IndexName="keys",
        Select="ALL_ATTRIBUTES",
        **request,
    )
    refused(
        indexed.query,
        "ValidationException",
        f"{invalid}Global secondary index keys does not project [kept]",
        IndexName="keys",
        ProjectionExpression="pk, kept",
        **request,
    )
    refused(
        indexed.query,
        "ValidationException",
        "Consistent reads are not supported on global secondary indexes",
        IndexName="all",
        ConsistentRead=True,
        **request,
    )
    refused(
        indexed.query,
        "ValidationException",
        "The table does not have the specified index: no_such",
        IndexName="no_such",
        **request,
    )


def test_a_local_index_fetches_from_the_table(indexed: Any) -> None:
    request: dict[str, Any] = {
        "TableName": "things",
        "IndexName": "local",
        "KeyConditionExpression": "pk = :p",
        "ExpressionAttributeValues": {":p": {"S": "1"}},
        "ConsistentRead": True,
        "ReturnConsumedCapacity": "INDEXES",
    }
    answer = indexed.query(**request)
    assert keys_of(answer) == ["d", "a", "c"]
    assert "not" not in answer["Items"][1] and answer["Items"][1]["kept"] == {"S": "k"}
    assert answer["ConsumedCapacity"] == {
        "TableName": "things",
        "CapacityUnits": 1.0,
        "Table": {"CapacityUnits": 0.0},
        "LocalSecondaryIndexes": {"local": {"CapacityUnits": 1.0}},
    }
    answer = indexed.query(Select="ALL_ATTRIBUTES", **request)
    assert answer["Items"][1] == INDEXED[0]
    assert answer["ConsumedCapacity"]["Table"] == {"CapacityUnits": 3.0}
    answer = indexed.query(ProjectionExpression="#n", ExpressionAttributeNames={"#n": "not"}, **request)
    assert answer["Items"] == [{}, {"not": {"S": "n"}}, {}]


def test_select(indexed: Any) -> None:
    answer = by_g(indexed, "all", Select="COUNT")
    assert "Items" not in answer and answer["Count"] == 3
    request: dict[str, Any] = {
        "TableName": "things",
        "KeyConditionExpression": "pk = :p",
        "ExpressionAttributeValues": {":p": {"S": "1"}},
    }
    for more, text in (
        (
            {"Select": "ALL_PROJECTED_ATTRIBUTES"},
            "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName",
        ),
        (
            {"Select": "SPECIFIC_ATTRIBUTES"},
            "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES",
        ),
        (
            {"Select": "COUNT", "ProjectionExpression": "pk"},
            "Cannot specify the ProjectionExpression when choosing to get only the Count",
        ),
        (
            {"Select": "ALL_ATTRIBUTES", "ProjectionExpression": "pk"},
            "Cannot specify the ProjectionExpression when choosing to get ALL_ATTRIBUTES",
        ),
    ):
        refused(indexed.query, "ValidationException", text, **request, **more)


def test_an_index_whose_key_has_several_attributes(cloud: Account) -> None:
    names = ["h1", "h2", "r1", "r2"]
    client = make(
        cloud,
        types={"h1": "S", "h2": "N", "r1": "S", "r2": "N"},
        GlobalSecondaryIndexes=[index("several", ["h1", "h2"], ["r1", "r2"])],
    )
    rows = [("1", "x", "1", "b", "1"), ("2", "x", "1", "a", "10"), ("3", "x", "1", "a", "9"), ("4", "x", "2", "a", "1")]
    for pk, *values in rows:
        types = ["S", "N", "S", "N"]
        item = {name: {kind: value} for name, kind, value in zip(names, types, values, strict=True)}
        client.put_item(TableName="things", Item={"pk": {"S": pk}, **item})
    client.put_item(TableName="things", Item={"pk": {"S": "5"}, "h1": {"S": "x"}, "h2": {"N": "1"}, "r1": {"S": "a"}})

    def ask(condition: str, **values: dict[str, str]) -> list[str]:
        answer = client.query(
            TableName="things",
            IndexName="several",
            KeyConditionExpression=f"h1 = :x AND h2 = :one{condition}",
            ExpressionAttributeValues={
                ":x": {"S": "x"},
                ":one": {"N": "1"},
                **{f":{name}": value for name, value in values.items()},
            },
        )
        return keys_of(answer, "pk")

    assert ask("") == ["3", "2", "1"]
    assert ask(" AND r1 = :a", a={"S": "a"}) == ["3", "2"]
    assert ask(" AND r1 = :a AND r2 > :n", a={"S": "a"}, n={"N": "9"}) == ["2"]
    assert ask(" AND r1 > :a", a={"S": "a"}) == ["1"]


def test_legacy_key_conditions(ordered: Any) -> None:
    answer = ordered.query(
        TableName="things",
        KeyConditions={
            "pk": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "a"}]},
            "sk": {"ComparisonOperator": "BEGINS_WITH", "AttributeValueList": [{"S": "a"}]},
        },
        QueryFilter={"other": {"ComparisonOperator": "NULL"}},
    )
    assert keys_of(answer) == ["a", "ab", "ac"]
    refused(
        ordered.query,
        "ValidationException",
        "QueryFilter can only contain non-primary key attributes: Primary key attribute: sk",
        TableName="things",
        KeyConditions={"pk": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "a"}]}},
        QueryFilter={"sk": {"ComparisonOperator": "NULL"}},
    )
    refused(
        ordered.query,
        "ValidationException",
        "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.",
        TableName="things",
    )
