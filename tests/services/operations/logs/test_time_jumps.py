"""A cloud whose computer slept for three days: what waited goes on, nothing is lost, floods the log or fails."""

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import EventStreamError

from tests.conftest import Account, RunningCloud
from tests.services.operations.logs.conftest import GROUP
from tests.services.operations.logs.events.test_live_tail import Begin, begin, tails  # noqa: F401 - the fixtures
from tests.services.operations.logs.insights.test_queries import Insights, Now, insights, put  # noqa: F401
from tests.services.operations.logs.insights.test_scheduled_queries import create, make_role, past_a_run

pytest.importorskip("duckdb")
NIGHTS_S = 3 * 86_400
EVER = {"startTime": 0, "endTime": 1 << 40}


@pytest.fixture
def cloud(start_cloud: Callable[..., RunningCloud]) -> Iterator[Account]:
    """A cloud of its own: what other tests left wakes in the others."""
    running = start_cloud()
    yield Account(running, "123456789012")
    running.stop()


def test_what_waited_goes_on(
    cloud: Account,
    logs: Any,
    insights: Insights,  # noqa: F811
    begin: Begin,  # noqa: F811
    now_ms: Now,
    caplog: pytest.LogCaptureFixture,
) -> None:
    arn = f"arn:aws:logs:us-east-1:{cloud.account}:log-group:{GROUP}"
    transformation = {"metricName": "lines", "metricNamespace": "shop", "metricValue": "1"}
    logs.put_metric_filter(
        logGroupName=GROUP, filterName="all", filterPattern="", metricTransformations=[transformation]
    )
    logs.put_retention_policy(logGroupName=GROUP, retentionInDays=5)
    detector = logs.create_log_anomaly_detector(logGroupArnList=[arn], evaluationFrequency="ONE_MIN")
    past_a_run(cloud)
    create(logs, make_role(cloud, "runner", "logs:StartQuery"))
    put(logs, now_ms(), ["before"])
    query = insights.start("fields @message")
    session = begin()
    session.next()
    with caplog.at_level(logging.WARNING):
        cloud.advance(NIGHTS_S)
        put(logs, now_ms(), ["after"])
        past_a_run(cloud)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert len(caplog.records) < 20
    assert logs.get_query_results(queryId=query)["status"] == "Complete"
    texts = [event["message"] for event in logs.filter_log_events(logGroupName=GROUP)["events"]]
    assert texts == ["before", "after"]
    runs = logs.get_scheduled_query_history(identifier="errors", **EVER)["triggerHistory"]
    assert [run["executionStatus"] for run in runs] == ["Complete"] * 2  # the one that was missed, and the one since
    found = logs.get_log_anomaly_detector(anomalyDetectorArn=detector["anomalyDetectorArn"])
    assert found["anomalyDetectorStatus"] in ("TRAINING", "ANALYZING")
    points = cloud.client("cloudwatch").get_metric_statistics(
        Namespace="shop",
        MetricName="lines",
        StartTime=datetime.fromtimestamp(now_ms() / 1000 - 4 * 86_400, UTC),
        EndTime=datetime.fromtimestamp(now_ms() / 1000 + 3600, UTC),
        Period=3600,
        Statistics=["Sum"],
    )["Datapoints"]
    assert sum(point["Sum"] for point in points) == 2
    with pytest.raises(EventStreamError, match="SessionTimeoutException"):
        for event in session.events:
            assert "sessionUpdate" in event
    assert "sessionStart" in begin().next()
