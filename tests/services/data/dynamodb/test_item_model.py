"""Whatever is written, tables and indexes answer as a dictionary would: items, order, pages, segments, counts."""

import itertools
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import Account, RunningCloud
from tests.services.data.dynamodb.item_tables import index, make

PARTITIONS = ["a", "b", "ab", "\x00", "é"]
SORTS = ["", "a", "a\x00", "a\x01", "aa", "b", "ÿ"]
NUMBERS = ["-10", "-9.5", "0", "1", "9", "10", "1e10"]

_names = itertools.count()

keys = st.fixed_dictionaries({"pk": st.sampled_from(PARTITIONS), "sk": st.sampled_from(SORTS[1:])})
items = st.fixed_dictionaries(
    {"pk": st.sampled_from(PARTITIONS), "sk": st.sampled_from(SORTS[1:])},
    optional={"g": st.sampled_from(["x", "y", "x\x00"]), "n": st.sampled_from(NUMBERS), "data": st.text(max_size=5)},
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), items),
        st.tuples(st.just("delete"), keys),
        st.tuples(st.just("unset"), keys),
        st.tuples(st.just("transact"), st.lists(items, min_size=1, max_size=4, unique_by=lambda i: (i["pk"], i["sk"]))),
    ),
    max_size=25,
)


def wire(item: dict[str, str]) -> dict[str, Any]:
    return {name: {"N" if name == "n" else "S": value} for name, value in item.items()}


def plain(item: dict[str, Any]) -> dict[str, str]:
    return {name: next(iter(value.values())) for name, value in item.items()}


def normal(item: dict[str, str]) -> dict[str, str]:
    return {**item, **({"n": "10000000000"} if item.get("n") == "1e10" else {})}


def everything(call: Any, **request: Any) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    start: dict[str, Any] = {}
    while True:
        answer = call(**request, **start)
        found += [plain(item) for item in answer["Items"]]
        if "LastEvaluatedKey" not in answer:
            return found
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def apply(client: Any, table: str, model: dict[tuple[str, str], dict[str, str]], kind: str, given: Any) -> None:
    if kind == "put":
        client.put_item(TableName=table, Item=wire(given))
        model[given["pk"], given["sk"]] = normal(given)
    elif kind == "delete":
        client.delete_item(TableName=table, Key=wire(given))
        model.pop((given["pk"], given["sk"]), None)
    elif kind == "unset":
        client.update_item(TableName=table, Key=wire(given), UpdateExpression="REMOVE g SET kept = pk")
        item = model.setdefault((given["pk"], given["sk"]), dict(given))
        item.pop("g", None)
        item["kept"] = given["pk"]
    else:
        client.transact_write_items(TransactItems=[{"Put": {"TableName": table, "Item": wire(each)}} for each in given])
        for each in given:
            model[each["pk"], each["sk"]] = normal(each)


def check(client: Any, table: str, model: dict[tuple[str, str], dict[str, str]], page: int) -> None:
    def by_key(item: dict[str, str]) -> tuple[bytes, bytes]:
        return item["pk"].encode(), item["sk"].encode()

    expected = sorted(model.values(), key=by_key)
    assert sorted(everything(client.scan, TableName=table, Limit=page), key=by_key) == expected
    shares = [everything(client.scan, TableName=table, Segment=number, TotalSegments=3) for number in range(3)]
    assert sorted(itertools.chain.from_iterable(shares), key=by_key) == expected
    for partition in PARTITIONS:
        for forward in (True, False):
            found = everything(
                client.query,
                TableName=table,
                KeyConditionExpression="pk = :p",
                ExpressionAttributeValues={":p": {"S": partition}},
                ScanIndexForward=forward,
                Limit=page,
            )
            wanted = [item for item in expected if item["pk"] == partition]
            assert found == (wanted if forward else wanted[::-1])
    indexed = [item for item in expected if "g" in item and "n" in item]
    assert sorted(everything(client.scan, TableName=table, IndexName="by_g", Limit=page), key=by_key) == indexed
    for g in ("x", "y", "x\x00"):
        for low in ("-9.5", "9"):
            found = everything(
                client.query,
                TableName=table,
                IndexName="by_g",
                KeyConditionExpression="g = :g AND n >= :n",
                ExpressionAttributeValues={":g": {"S": g}, ":n": {"N": low}},
                Limit=page,
            )
            wanted = [item for item in indexed if item["g"] == g and float(item["n"]) >= float(low)]
            assert sorted(found, key=by_key) == wanted
            assert [float(item["n"]) for item in found] == sorted(float(item["n"]) for item in wanted)
    described = client.describe_table(TableName=table)["Table"]
    assert described["ItemCount"] == len(expected)
    assert described["GlobalSecondaryIndexes"][0]["ItemCount"] == len(indexed)
    sizes = sum(sum(len(name) + size_of(name, value) for name, value in item.items()) for item in expected)
    assert described["TableSizeBytes"] == sizes


def size_of(name: str, value: str) -> int:
    from cumulo.services.data.dynamodb.values import numbers

    return numbers.size_of(value) if name == "n" else len(value.encode())


@settings(max_examples=25)
@given(steps, st.integers(1, 4))
def test_tables_and_indexes_answer_as_a_dictionary_would(
    _shared_cloud: RunningCloud, script: list[tuple[str, Any]], page: int
) -> None:
    number = next(_names)
    cloud = Account(_shared_cloud, f"{210_000_000_000 + number:012d}")
    client = make(cloud, range="sk", types={"g": "S", "n": "N"}, GlobalSecondaryIndexes=[index("by_g", "g", "n")])
    model: dict[tuple[str, str], dict[str, str]] = {}
    for kind, given_item in script:
        apply(client, "things", model, kind, given_item)
    check(client, "things", model, page)
