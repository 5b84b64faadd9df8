"""Field indexes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import Account
from tests.services.operations.logs.conftest import GROUP, refused
from tests.services.operations.logs.insights.test_queries import Insights, Now, put, rows

pytest.importorskip("duckdb")


@pytest.fixture
def insights(cloud: Account, logs: Any, stream: dict[str, str], now_ms: Now) -> Insights:
    return Insights(cloud, logs, now_ms())


def test_policies_are_put_described_and_deleted(logs: Any, stream: dict[str, str], cloud: Account) -> None:
    document = json.dumps({"Fields": ["requestId"], "FieldsV2": {"api": {"type": "FACET"}}})
    policy = logs.put_index_policy(logGroupIdentifier=GROUP, policyDocument=document)["indexPolicy"]
    assert policy["source"] == "LOG_GROUP"
    [found] = logs.describe_index_policies(logGroupIdentifiers=[GROUP])["indexPolicies"]
    assert found["policyDocument"] == document
    assert found["logGroupIdentifier"] == f"arn:aws:logs:us-east-1:{cloud.account}:log-group:{GROUP}"
    indexes = logs.describe_field_indexes(logGroupIdentifiers=[GROUP], indexCategories=["CUSTOM"])["fieldIndexes"]
    assert [(each["fieldIndexName"], each["type"]) for each in indexes] == [
        ("requestId", "FIELD_INDEX"),
        ("api", "FACET"),
    ]
    defaults = logs.describe_field_indexes(logGroupIdentifiers=[GROUP], indexCategories=["DEFAULT"])["fieldIndexes"]
    assert "@logStream" in {each["fieldIndexName"] for each in defaults}
    logs.delete_index_policy(logGroupIdentifier=GROUP)
    assert logs.describe_index_policies(logGroupIdentifiers=[GROUP])["indexPolicies"] == []
    with refused("ResourceNotFoundException"):
        logs.delete_index_policy(logGroupIdentifier=GROUP)


def test_fields_that_are_indexed_no_more_are_inactive_for_a_month(
    logs: Any, stream: dict[str, str], cloud: Account
) -> None:
    def inactive(**more: Any) -> list[tuple[str, str]]:
        found = logs.describe_field_indexes(logGroupIdentifiers=[GROUP], **more)["fieldIndexes"]
        arn = f"arn:aws:logs:us-east-1:{cloud.account}:log-group:{GROUP}"
        chosen = [each for each in found if each["indexCategory"] == "INACTIVE"]
        assert all(each["logGroupIdentifier"] == arn for each in chosen)
        return [(each["fieldIndexName"], each["type"]) for each in chosen]

    def put_policy(*fields: str) -> None:
        document = json.dumps({"FieldsV2": {name: {"type": "FACET"} for name in fields}})
        logs.put_index_policy(logGroupIdentifier=GROUP, policyDocument=document)

    assert inactive() == []
    put_policy("a", "b")
    assert inactive() == []
    put_policy("b", "c")
    assert inactive() == [("a", "FACET")]
    assert inactive(indexCategories=["CUSTOM"]) == []
    cloud.advance(20 * 86_400)
    logs.delete_index_policy(logGroupIdentifier=GROUP)
    assert sorted(name for name, _ in inactive()) == ["a", "b", "c"]
    put_policy("a")
    cloud.advance(20 * 86_400)
    assert sorted(name for name, _ in inactive()) == ["b", "c"]
    cloud.advance(20 * 86_400)
    assert inactive() == []


@pytest.mark.parametrize(
    "document",
    ["{", "{}", '{"Fields": []}', '{"Fields": ["a", "a"]}', '{"Fields": ["@message"]}', '{"FieldsV2": {"a": {}}}',
     json.dumps({"Fields": [f"f{index}" for index in range(21)]})],
)  # fmt: skip
def test_what_is_no_policy(logs: Any, stream: dict[str, str], document: str) -> None:
    with refused("InvalidParameterException"):
        logs.put_index_policy(logGroupIdentifier=GROUP, policyDocument=document)


def test_filter_index_reads_groups_with_the_index_only(insights: Insights, logs: Any) -> None:
    logs.create_log_group(logGroupName="/other")
    logs.create_log_stream(logGroupName="/other", logStreamName="s")
    for group, stream in ((GROUP, "one"), ("/other", "s")):
        put(logs, insights.now, [json.dumps({"requestId": "r1", "group": group})], stream, group)
    logs.put_index_policy(logGroupIdentifier=GROUP, policyDocument='{"Fields": ["requestId"]}')
    answer = insights.answer("filterIndex requestId = 'r1' | fields group", logGroupNames=[GROUP, "/other"])
    assert [row["group"] for row in rows(answer)] == [GROUP]
    assert answer["statistics"]["logGroupsScanned"] == 1
