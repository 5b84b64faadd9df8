"""Event filters: what is seen of each source's records, and what is dropped whatever the filter says."""

import base64
import json
from typing import Any

import pytest

from cumulo.core.event_patterns import PatternError
from cumulo.services.compute.lambda_.event_sources.event_filters import compile_filters


def takes(kind: str, record: dict[str, Any], *patterns: Any) -> bool:
    return compile_filters(kind, tuple(json.dumps(pattern) for pattern in patterns)).accept(record)


@pytest.mark.parametrize(
    ("body", "pattern", "taken"),
    [
        ('{"kind": "order", "size": 3}', {"body": {"kind": ["order"]}}, True),
        ('{"kind": "order", "size": 3}', {"body": {"size": [{"numeric": [">", 5]}]}}, False),
        ('{"kind": "order"}', {"body": ["order"]}, False),  # a body that is JSON, a filter for a string
        ('{"kind": "order"}', {"body": [{"exists": False}]}, False),
        ("order", {"body": ["order"]}, True),
        ("order", {"body": [{"prefix": "or"}]}, True),
        ("order", {"body": {"kind": ["order"]}}, False),
        ("order", {"body": {"kind": [{"exists": False}]}}, False),  # dropped, though nothing of that name is there
        ("order", {"attributes": {"SenderId": ["me"]}}, True),  # filters on other members take both
        ('{"kind": "order"}', {"attributes": {"SenderId": ["me"]}}, True),
        ("7", {"body": ["7"]}, True),
        ('["a", "b"]', {"body": ["b"]}, False),
        ('[{"kind": "a"}, {"kind": "b"}]', {"body": {"kind": ["b"]}}, True),
        ('{"kind": "order"}', {"$or": [{"body": ["x"]}, {"body": {"kind": ["order"]}}]}, True),
    ],
)
def test_bodies_of_messages(body: str, pattern: Any, taken: bool) -> None:
    record = {"messageId": "1", "body": body, "attributes": {"SenderId": "me"}}
    assert takes("sqs", record, pattern) is taken


def test_one_filter_is_enough() -> None:
    record = {"body": '{"a": 1}'}
    assert takes("sqs", record, {"body": {"a": [2]}}, {"body": {"a": [1]}})
    assert not takes("sqs", record, {"body": {"a": [2]}}, {"body": {"a": [3]}})


def test_changes_of_items_hold_numbers_as_strings() -> None:
    record = {"eventName": "INSERT", "dynamodb": {"NewImage": {"age": {"N": "30"}, "name": {"S": "Ann"}}}}
    assert takes("dynamodb", record, {"dynamodb": {"NewImage": {"age": {"N": ["30"]}}}})
    assert not takes("dynamodb", record, {"dynamodb": {"NewImage": {"age": {"N": [{"numeric": [">", 18]}]}}}})
    assert takes("dynamodb", record, {"eventName": ["INSERT"], "dynamodb": {"OldImage": {"age": [{"exists": False}]}}})


def test_data_of_streams_is_decoded() -> None:
    data = base64.b64encode(b'{"city": "Rome"}').decode()
    record = {"eventID": "shard:1", "kinesis": {"partitionKey": "7", "data": data}}
    assert takes("kinesis", record, {"data": {"city": ["Rome"]}, "partitionKey": ["7"]})
    assert not takes("kinesis", record, {"data": ["Rome"]})
    text = {"kinesis": {"partitionKey": "7", "data": base64.b64encode(b"Rome").decode()}}
    assert takes("kinesis", text, {"data": ["Rome"]})
    assert takes("kafka", {"topic": "t", "value": data}, {"value": {"city": [{"suffix": "me"}]}, "topic": ["t"]})
    assert not takes("kafka", {"topic": "t", "key": data}, {"value": {"city": [{"exists": True}]}})


def test_wrong_filters() -> None:
    with pytest.raises(PatternError):
        compile_filters("sqs", ('{"eventSource": "aws:sqs"}',))
