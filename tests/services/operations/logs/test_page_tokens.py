"""Page tokens: each operation takes its own and no others."""

from typing import Any

import pytest

from tests.services.operations.logs.conftest import refused

INVALID = "The specified nextToken is invalid."


@pytest.fixture
def tokens(logs: Any, stream: dict[str, str]) -> dict[str, str]:
    """Tokens of some operations."""
    logs.create_log_group(logGroupName="/shop/visits")
    logs.create_log_stream(logGroupName="/shop/orders", logStreamName="two")
    by_event = {"orderBy": "LastEventTime"}
    return {
        "groups": logs.describe_log_groups(limit=1)["nextToken"],
        "streams": logs.describe_log_streams(logGroupName="/shop/orders", limit=1)["nextToken"],
        "by event": logs.describe_log_streams(logGroupName="/shop/orders", limit=1, **by_event)["nextToken"],
    }


def test_tokens_of_others_are_refused(logs: Any, tokens: dict[str, str]) -> None:
    for name in ("streams", "by event"):
        with refused("InvalidParameterException", INVALID):
            logs.describe_log_groups(nextToken=tokens[name])
        with refused("InvalidParameterException", INVALID):
            logs.filter_log_events(logGroupName="/shop/orders", nextToken=tokens[name])
    for name in ("groups", "by event"):
        with refused("InvalidParameterException", INVALID):
            logs.describe_log_streams(logGroupName="/shop/orders", nextToken=tokens[name])
    with refused("InvalidParameterException", INVALID):
        logs.describe_log_streams(logGroupName="/shop/orders", orderBy="LastEventTime", nextToken=tokens["streams"])
    [group] = logs.describe_log_groups(nextToken=tokens["groups"])["logGroups"]
    assert group["logGroupName"] == "/shop/visits"


@pytest.mark.parametrize("token", ["x", "kA==", "kQE=", "wA==", "é", "x" * 3000])
def test_broken_tokens_are_refused(logs: Any, stream: dict[str, str], token: str) -> None:
    where = {"logGroupName": "/shop/orders"}
    for call in (
        logs.describe_log_groups,
        logs.list_log_groups,
        logs.describe_resource_policies,
        logs.describe_export_tasks,
        logs.describe_queries,
        logs.describe_query_definitions,
        logs.describe_lookup_tables,
        logs.list_log_anomaly_detectors,
        logs.list_anomalies,
    ):
        with refused("InvalidParameterException", INVALID):
            call(nextToken=token)
    for call in (
        logs.describe_log_streams,
        logs.filter_log_events,
        logs.describe_metric_filters,
        logs.describe_subscription_filters,
    ):
        with refused("InvalidParameterException", INVALID):
            call(**where, nextToken=token)
