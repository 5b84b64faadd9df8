"""Definitions of Contributor Insights rules: the examples of AWS's guide, and what is none."""

import json
from typing import Any

import pytest

from cumulo.services.operations.cloudwatch import rule_definitions
from cumulo.services.operations.cloudwatch.rule_definitions import DefinitionError


def definition(log_format: str = "JSON", *, keys: list[str] | None = None, **changes: Any) -> dict[str, Any]:
    contribution: dict[str, Any] = {"Keys": keys or ["$.ip"]}
    contribution.update({name: changes.pop(name) for name in ("ValueOf", "Filters") if name in changes})
    return {
        "Schema": {"Name": "CloudWatchLogRule", "Version": 1},
        "LogGroupNames": ["group"],
        "LogFormat": log_format,
        "Contribution": contribution,
        "AggregateOn": "Sum" if "ValueOf" in contribution else "Count",
        **changes,
    }


def contribution(document: dict[str, Any], event: Any) -> Any:
    message = event if isinstance(event, str) else json.dumps(event)
    return rule_definitions.parse(json.dumps(document)).contribution(message)


def test_json_events() -> None:
    rule = definition(ValueOf="$.bytes", Filters=[{"Match": "$.method", "In": ["PUT"]}])
    assert contribution(rule, {"ip": "1.2.3.4", "bytes": 12, "method": "PUT"}) == (("1.2.3.4",), 12.0)
    assert contribution(rule, {"ip": "1.2.3.4", "bytes": "7.5", "method": "PUT"}) == (("1.2.3.4",), 7.5)
    for event in (
        {"ip": "x", "bytes": 1, "method": "GET"},
        {"bytes": 1, "method": "PUT"},
        {"ip": "x", "method": "PUT"},
    ):
        assert contribution(rule, event) is None
    assert contribution(rule, "no json") is None
    deep = definition(keys=["$.users[1].name", "$.code"])
    assert contribution(deep, {"users": [{}, {"name": "b"}], "code": 200}) == (("b", "200"), 1.0)
    assert contribution(deep, {"users": [{}], "code": 200}) is None


def test_clf_events() -> None:
    rule = definition(
        "CLF",
        keys=["IpAddress"],
        Fields={"1": "IpAddress", "6": "StatusCode"},
        Filters=[{"Match": "StatusCode", "EqualTo": 200}],
    )
    line = '10.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /a b.gif HTTP/1.0" {} 2326'
    assert contribution(rule, line.format(200)) == (("10.0.0.1",), 1.0)
    assert contribution(rule, line.format(404)) is None
    assert contribution(definition("CLF", keys=["5", "4"]), line) == (
        ("GET /a b.gif HTTP/1.0", "10/Oct/2000:13:55:36 -0700"),
        1.0,
    )


@pytest.mark.parametrize(
    ("operator", "wanted", "matching", "others"),
    [
        ("In", ["a", "b"], ["a", "b"], ["c", 1]),
        ("NotIn", ["a"], ["b", 1], ["a"]),
        ("StartsWith", ["ec2", "ecs"], ["ec2.x"], ["s3"]),
        ("GreaterThan", 5, [6, "7"], [5, "x", True]),
        ("LessThan", 5, [4.5], [5]),
        ("EqualTo", 5, [5, "5.0"], [4]),
        ("NotEqualTo", 5, [4], [5]),
        ("IsPresent", True, ["x", None, 0], []),
        ("IsPresent", False, [{"a": 1}], ["x"]),
    ],
)
def test_filters(operator: str, wanted: Any, matching: list[Any], others: list[Any]) -> None:
    rule = definition(Filters=[{"Match": "$.f", operator: wanted}])
    for value in matching:
        assert contribution(rule, {"ip": "x", "f": value}) is not None, value
    for value in others:
        assert contribution(rule, {"ip": "x", "f": value}) is None, value


@pytest.mark.parametrize(
    "changes",
    [
        {"Schema": {"Name": "Other", "Version": 1}},
        {"LogFormat": "XML"},
        {"LogGroupNames": []},
        {"AggregateOn": "Max"},
        {"AggregateOn": "Sum"},
        {"ValueOf": "$.a", "AggregateOn": "Count"},
        {"Contribution": {"Keys": []}},
        {"Contribution": {"Keys": ["$.a"] * 5}},
        {"Contribution": {"Keys": ["a"]}},
        {"Contribution": None},
        {"Fields": {"1": "a"}},
        {"Filters": [{"Match": "$.a", "In": ["x"]}] * 5},
        {"Filters": [{"Match": "$.a"}]},
        {"Filters": [{"Match": "$.a", "Like": "x"}]},
        {"Filters": [{"Match": "$.a", "GreaterThan": "x"}]},
        {"Filters": [{"Match": "$.a", "IsPresent": "yes"}]},
        {"Filters": [{"Match": "$.a", "In": ["x"] * 11}]},
    ],
)
def test_what_is_no_definition(changes: dict[str, Any]) -> None:
    with pytest.raises(DefinitionError):
        rule_definitions.parse(json.dumps(definition(**changes)))


def test_what_is_no_json() -> None:
    for text in ("{", "[]", "1"):
        with pytest.raises(DefinitionError):
            rule_definitions.parse(text)
