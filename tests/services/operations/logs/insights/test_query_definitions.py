"""Saved queries."""

from __future__ import annotations

from typing import Any

import pytest

from cumulo.services.operations.logs.insights import query_definitions
from tests.services.operations.logs.conftest import refused


def test_definitions_are_saved_changed_and_listed(logs: Any) -> None:
    one = logs.put_query_definition(name="errors/b", queryString="filter @message like /x/", logGroupNames=["/a"])
    two = logs.put_query_definition(
        name="errors/a",
        queryString="filter level = '{{level}}'",
        parameters=[{"name": "level", "defaultValue": "ERROR"}],
    )
    logs.put_query_definition(name="other", queryString="fields @message")
    [first, second] = logs.describe_query_definitions(queryDefinitionNamePrefix="errors/")["queryDefinitions"]
    assert (first["queryDefinitionId"], second["queryDefinitionId"]) == (
        two["queryDefinitionId"],
        one["queryDefinitionId"],
    )
    assert first["parameters"] == [{"name": "level", "defaultValue": "ERROR"}]
    assert second["logGroupNames"] == ["/a"]
    assert second["queryLanguage"] == "CWLI"
    logs.put_query_definition(queryDefinitionId=one["queryDefinitionId"], name="errors/b", queryString="limit 1")
    [_, changed] = logs.describe_query_definitions(queryDefinitionNamePrefix="errors/")["queryDefinitions"]
    assert changed["queryString"] == "limit 1"
    assert changed["logGroupNames"] == []
    assert logs.delete_query_definition(queryDefinitionId=one["queryDefinitionId"])["success"]
    with refused("ResourceNotFoundException"):
        logs.delete_query_definition(queryDefinitionId=one["queryDefinitionId"])
    with refused("ResourceNotFoundException"):
        logs.put_query_definition(queryDefinitionId="none", name="x", queryString="limit 1")


def test_pages_and_repeated_requests(logs: Any) -> None:
    token = "t" * 36
    first = logs.put_query_definition(name="q0", queryString="limit 1", clientToken=token)
    assert (
        logs.put_query_definition(name="q0", queryString="limit 1", clientToken=token)["queryDefinitionId"]
        == (first["queryDefinitionId"])
    )
    for index in range(1, 4):
        logs.put_query_definition(name=f"q{index}", queryString="limit 1")
    page = logs.describe_query_definitions(maxResults=3)
    assert [each["name"] for each in page["queryDefinitions"]] == ["q0", "q1", "q2"]
    rest = logs.describe_query_definitions(maxResults=3, nextToken=page["nextToken"])
    assert [each["name"] for each in rest["queryDefinitions"]] == ["q3"]
    assert "nextToken" not in rest
    with refused("NotImplemented"):
        logs.put_query_definition(name="x", queryString="SELECT 1", queryLanguage="SQL")


def test_a_thousand_can_be_saved(logs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query_definitions, "MOST", 2)
    for name in ("one", "two"):
        made = logs.put_query_definition(name=name, queryString="fields @message")
    with refused("LimitExceededException", "Resource limit exceeded."):
        logs.put_query_definition(name="three", queryString="fields @message")
    logs.put_query_definition(name="2", queryString="stats count(*)", queryDefinitionId=made["queryDefinitionId"])
