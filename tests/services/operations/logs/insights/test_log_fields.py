"""Data sources in queries, and their fields."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from cumulo.services.operations.logs.insights.log_fields import merged, type_of
from tests.conftest import Account
from tests.services.operations.logs.conftest import GROUP, Storage, refused

Now = Callable[[], int]
TAGS = {"cw:datasource:name": "shop", "cw:datasource:type": "orders"}


@pytest.fixture
def source(logs: Any, stream: dict[str, str], cloud: Account) -> None:
    """The group of these tests as one of a data source."""
    logs.tag_resource(resourceArn=f"arn:aws:logs:us-east-1:{cloud.account}:log-group:{GROUP}", tags=TAGS)


def put(logs: Any, stream: dict[str, str], now: int, *documents: Any) -> None:
    events = [{"timestamp": now, "message": json.dumps(each)} for each in documents]
    logs.put_log_events(**stream, logEvents=events)


def test_fields_of_a_data_source(
    logs: Any, stream: dict[str, str], source: None, now_ms: Now, storage: Storage
) -> None:
    put(logs, stream, now_ms(), {"level": "INFO", "ms": 3, "user": {"id": 7}, "items": [{"sku": "a"}], "gone": None})
    storage.seal()
    put(logs, stream, now_ms(), {"level": "WARN", "ms": 3.5, "user": {"id": 8, "name": "x"}, "items": [], "ok": True})
    found = logs.get_log_fields(dataSourceName="shop", dataSourceType="orders")["logFields"]
    types = {each["logFieldName"]: each["logFieldType"] for each in found}
    assert types == {
        "level": {"type": "string"},
        "ms": {"type": "double"},
        "ok": {"type": "boolean"},
        "items": {
            "type": "array",
            "element": {
                "type": "struct",
                "fields": [{"logFieldName": "sku", "logFieldType": {"type": "string"}}],
            },
        },
        "user": {
            "type": "struct",
            "fields": [
                {"logFieldName": "id", "logFieldType": {"type": "long"}},
                {"logFieldName": "name", "logFieldType": {"type": "string"}},
            ],
        },
    }


def test_a_data_source_without_events_has_no_fields(logs: Any, source: None) -> None:
    assert logs.get_log_fields(dataSourceName="shop", dataSourceType="orders")["logFields"] == []


def test_an_unknown_data_source(logs: Any, source: None) -> None:
    with refused("ResourceNotFoundException"):
        logs.get_log_fields(dataSourceName="shop", dataSourceType="returns")


def test_types_that_are_not_alike_are_strings() -> None:
    assert merged(type_of(1), type_of("x")) == {"type": "string"}
    assert merged(type_of([1]), type_of([2.5])) == {"type": "array", "element": {"type": "double"}}
    assert merged(None, type_of(True)) == {"type": "boolean"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("SOURCE dataSource(['shop.orders']) | fields @message", True),
        ("SOURCE dataSource(['shop']) | fields @message", True),
        ("SOURCE dataSource(['other.x', 'shop.orders']) logGroups(namePrefix: ['/shop']) | fields @message", True),
        ("SOURCE dataSource(['shop.orders']), logGroups(namePrefix: ['/other']) | fields @message", False),
        ("SOURCE dataSource(['shop.returns']) | fields @message", False),
    ],
)
def test_queries_of_data_sources(
    logs: Any, stream: dict[str, str], source: None, now_ms: Now, cloud: Account, text: str, found: bool
) -> None:
    pytest.importorskip("duckdb")
    logs.create_log_group(logGroupName="/shop/untagged")
    put(logs, stream, now_ms(), {"a": 1})
    now = now_ms() // 1000
    query = logs.start_query(queryString=text, startTime=now - 60, endTime=now + 60)["queryId"]
    cloud.settle()
    answer = logs.get_query_results(queryId=query)
    assert answer["status"] == "Complete"
    assert bool(answer["results"]) is found
    assert answer["statistics"]["logGroupsScanned"] == int(found)
