"""Metric filters: what CloudWatch gets."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from tests.conftest import Account
from tests.services.operations.logs.conftest import Storage, refused

GROUP = "/shop/orders"
Now = Callable[[], int]


def put_filter(logs: Any, pattern: str, name: str = "test", **transformation: Any) -> None:
    logs.put_metric_filter(
        logGroupName=GROUP,
        filterName=name,
        filterPattern=pattern,
        metricTransformations=[
            {"metricName": "Orders", "metricNamespace": "Shop", "metricValue": "1", **transformation}
        ],
    )


def put(logs: Any, now: int, *messages: str, step: int = 1) -> None:
    events = [{"timestamp": now + index * step, "message": message} for index, message in enumerate(messages)]
    logs.put_log_events(logGroupName=GROUP, logStreamName="one", logEvents=events)


def statistics(
    cloud: Account, now: int, *wanted: str, name: str = "Orders", unit: str | None = None, **dimensions: str
) -> list[list[float]]:
    """The statistics of a metric, minute by minute."""
    cloud.settle()
    more = {"Unit": unit} if unit else {}
    found = cloud.client("cloudwatch").get_metric_statistics(
        Namespace="Shop",
        MetricName=name,
        StartTime=datetime.fromtimestamp(now / 1000 - 3600, UTC),
        EndTime=datetime.fromtimestamp(now / 1000 + 3600, UTC),
        Period=60,
        Statistics=list(wanted),
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        **more,
    )["Datapoints"]
    found.sort(key=lambda point: point["Timestamp"])
    return [[point[statistic] for statistic in wanted] for point in found]


def minute(now_ms: Now) -> int:
    return now_ms() // 60_000 * 60_000


def test_matches_are_counted_minute_by_minute(cloud: Account, logs: Any, stream: dict[str, str], now_ms: Now) -> None:
    put_filter(logs, "ERROR", unit="Count")
    now = minute(now_ms) - 600_000
    put(logs, now, "ERROR 1", "fine", "ERROR 2", "ERROR 3", step=30_000)
    assert statistics(cloud, now, "Sum", "SampleCount", unit="Count") == [[1.0, 1.0], [2.0, 2.0]]


def test_default_values(cloud: Account, logs: Any, stream: dict[str, str], now_ms: Now) -> None:
    put_filter(logs, "ERROR", defaultValue=0.0)
    now = minute(now_ms) - 600_000
    put(logs, now, "ERROR 1", "fine", "fine", "fine", "ERROR 2", step=30_000)
    assert statistics(cloud, now, "Sum") == [[1.0], [0.0], [1.0]]


def test_values_come_from_fields(cloud: Account, logs: Any, stream: dict[str, str], now_ms: Now) -> None:
    put_filter(logs, "{ $.latency = * }", metricValue="$.latency", unit="Milliseconds")
    put_filter(logs, "[..., size, last]", "sizes", metricValue="$size", metricName="Sizes")
    now = minute(now_ms)
    put(logs, now, '{"latency": 5}', '{"latency": "7.5"}', '{"latency": "slow"}', '{"other": 1}', "a b 12 z", "a b c d")
    assert statistics(cloud, now, "Sum", "Maximum", "SampleCount") == [[12.5, 7.5, 2.0]]
    assert statistics(cloud, now, "Sum", name="Sizes") == [[12.0]]


def test_dimensions_come_from_fields(cloud: Account, logs: Any, stream: dict[str, str], now_ms: Now) -> None:
    put_filter(logs, "{ $.code > 399 }", dimensions={"Code": "$.code", "Path": "$.path"})
    now = minute(now_ms)
    put(
        logs,
        now,
        '{"code": 404, "path": "/a"}',
        '{"code": 404, "path": "/a"}',
        '{"code": 500, "path": "/a"}',
        '{"code": 500}',
        '{"code": 200, "path": "/a"}',
    )
    assert statistics(cloud, now, "Sum", Code="404", Path="/a") == [[2.0]]
    assert statistics(cloud, now, "Sum", Code="500", Path="/a") == [[1.0]]
    assert statistics(cloud, now, "Sum") == []


def test_what_follows_a_batch_happens_once(
    cloud: Account, logs: Any, stream: dict[str, str], now_ms: Now, storage: Storage
) -> None:
    from cumulo.services.operations.logs.filters import followers

    put_filter(logs, "ERROR")
    now = minute(now_ms)
    put(logs, now, "ERROR")
    cloud.settle()
    group = storage.group()
    [found] = storage.transact(lambda ctx: followers.STREAMS.range(ctx, group.id))
    payload = {"group": group.id.hex(), "stream": "one", "id": found.id.hex(), "serial": found.serial}
    storage.transact(lambda ctx: ctx.later(followers.follow, payload))
    assert statistics(cloud, now, "Sum") == [[1.0]]


def test_a_batch_is_followed_into_its_segment(
    cloud: Account, logs: Any, stream: dict[str, str], now_ms: Now, storage: Storage
) -> None:
    from cumulo.services.operations.logs.filters import followers

    now = minute(now_ms)
    put(logs, now, "ERROR", "fine")
    put(logs, now, "ERROR 2")
    group = storage.group()
    [found] = storage.transact(lambda ctx: followers.STREAMS.range(ctx, group.id))
    storage.seal()
    put_filter(logs, "ERROR")
    payload = {"group": group.id.hex(), "stream": "one", "id": found.id.hex(), "serial": found.serial}

    def begin(ctx: Any) -> None:
        ctx.txn.put(followers.NOTES.key(ctx, group.id, found.id, found.serial), b"")
        ctx.later(followers.follow, payload)

    storage.transact(begin)
    assert statistics(cloud, now, "Sum") == [[1.0]]


def test_filters_are_described(logs: Any, stream: dict[str, str]) -> None:
    put_filter(logs, " ", defaultValue=0.0)
    put_filter(logs, '{$.message = "test"}', "json", metricName="Other")
    found = logs.describe_metric_filters(logGroupName=GROUP)["metricFilters"]
    assert [each["filterName"] for each in found] == ["json", "test"]
    assert found[1].pop("creationTime") > 0
    assert found[1] == {
        "applyOnTransformedLogs": False,
        "filterName": "test",
        "filterPattern": " ",
        "logGroupName": GROUP,
        "metricTransformations": [
            {"defaultValue": 0.0, "metricName": "Orders", "metricNamespace": "Shop", "metricValue": "1"}
        ],
    }
    [found] = logs.describe_metric_filters(metricName="Other", metricNamespace="Shop")["metricFilters"]
    assert found["filterName"] == "json"
    assert len(logs.describe_metric_filters()["metricFilters"]) == 2
    page = logs.describe_metric_filters(limit=1)
    [found] = logs.describe_metric_filters(nextToken=page["nextToken"])["metricFilters"]
    assert found["filterName"] == "test"
    [found] = logs.describe_metric_filters(logGroupName=GROUP, filterNamePrefix="j")["metricFilters"]
    assert found["filterName"] == "json"
    with refused("InvalidParameterException"):
        logs.describe_metric_filters(metricName="Other")
    logs.delete_metric_filter(logGroupName=GROUP, filterName="json")
    assert logs.describe_log_groups()["logGroups"][0]["metricFilterCount"] == 1


def test_filters_that_are_refused(logs: Any, stream: dict[str, str]) -> None:
    with refused("InvalidParameterException", "Invalid metric filter pattern"):
        put_filter(logs, "{ $.a }")
    with refused("InvalidParameterException", "The specified filter pattern does not support dimensions"):
        put_filter(logs, "ERROR", dimensions={"a": "$.a"})
    with refused(
        "InvalidParameterException",
        "Invalid metric transformation: dimensions and default value are mutually exclusive properties.",
    ):
        put_filter(logs, "{ $.a = 1 }", dimensions={"a": "$.a"}, defaultValue=0.0)
    for pattern, change in (
        ("{ $.a = 1 }", {"dimensions": dict.fromkeys("abcd", "$.a")}),
        ("{ $.a = 1 }", {"dimensions": {"a": "b"}}),
        ("{ $.a = 1 }", {"metricValue": "many"}),
        ("[a, b]", {"metricValue": "$c"}),
        ("ERROR", {"metricValue": "$.a"}),
    ):
        with refused("InvalidParameterException"):
            put_filter(logs, pattern, **change)
    transformation = {"metricName": "metric1", "metricNamespace": "namespace1", "metricValue": "1"}
    with refused(
        "InvalidParameterException",
        "1 validation error detected: Value '[MetricTransformation(metricName=metric1, metricNamespace=namespace1, "
        "metricValue=1, defaultValue=null, unit=null, dimensions=null), MetricTransformation(metricName=metric2, "
        "metricNamespace=namespace1, metricValue=1, defaultValue=null, unit=null, dimensions=null)]' at "
        "'metricTransformations' failed to satisfy constraint: Member must have length less than or equal to 1",
    ):
        logs.put_metric_filter(
            logGroupName=GROUP,
            filterName="test",
            filterPattern="",
            metricTransformations=[transformation, {**transformation, "metricName": "metric2"}],
        )
    for name, value in (("filterName", "a" * 513), ("filterPattern", "a" * 1025)):
        request = {"logGroupName": GROUP, "filterName": "a", "filterPattern": "", name: value}
        with refused("InvalidParameterException"):
            logs.put_metric_filter(**request, metricTransformations=[transformation])
    with refused("ResourceNotFoundException", "The specified log group does not exist."):
        logs.put_metric_filter(
            logGroupName="nothing", filterName="a", filterPattern="", metricTransformations=[transformation]
        )
    with refused("ResourceNotFoundException"):
        logs.delete_metric_filter(logGroupName=GROUP, filterName="nothing")
    with refused(
        "InvalidParameterException",
        "Invalid LogGroup or LogStream, both must have length less than or equal to 512.",
    ):
        logs.delete_metric_filter(logGroupName="a" * 513, filterName="a")
    logs.create_log_group(logGroupName="rare", logGroupClass="INFREQUENT_ACCESS")
    with refused("InvalidOperationException"):
        logs.put_metric_filter(
            logGroupName="rare", filterName="a", filterPattern="", metricTransformations=[transformation]
        )


def test_system_fields_choose_and_are_dimensions(
    cloud: Account, logs: Any, stream: dict[str, str], now_ms: Now
) -> None:
    def put_one(name: str, **more: Any) -> None:
        logs.put_metric_filter(
            logGroupName=GROUP,
            filterName=name,
            filterPattern="ERROR",
            metricTransformations=[{"metricName": name, "metricNamespace": "Shop", "metricValue": "1"}],
            **more,
        )

    here = f'@aws.account = "{cloud.account}" AND @aws.region NOT IN ["eu-west-1", "cn-north-1"]'
    put_one("Here", fieldSelectionCriteria=here, emitSystemFieldDimensions=["@aws.region", "@aws.account"])
    put_one("Elsewhere", fieldSelectionCriteria='@aws.region != "us-east-1" OR @aws.account IN ["1"]')
    now = minute(now_ms)
    put(logs, now, "ERROR 1", "ERROR 2")
    dimensions = {"@aws.account": cloud.account, "@aws.region": "us-east-1"}
    assert statistics(cloud, now, "Sum", name="Here", **dimensions) == [[2.0]]
    assert statistics(cloud, now, "Sum", name="Here") == []
    assert statistics(cloud, now, "Sum", name="Elsewhere") == []
    [_, found] = logs.describe_metric_filters(logGroupName=GROUP)["metricFilters"]
    assert found["fieldSelectionCriteria"] == here
    assert found["emitSystemFieldDimensions"] == ["@aws.region", "@aws.account"]


def test_system_fields_that_are_refused(logs: Any, stream: dict[str, str]) -> None:
    for wrong in ("x", '@aws.region = "a" AND', '$.a = "b"', "@aws.region = a", '@aws.region IN "a"', 'LogGroup = "a"'):
        with refused("InvalidParameterException"):
            logs.put_metric_filter(
                logGroupName=GROUP,
                filterName="a",
                filterPattern="",
                metricTransformations=[{"metricName": "a", "metricNamespace": "b", "metricValue": "1"}],
                fieldSelectionCriteria=wrong,
            )
    for more, transformation in (
        ({"emitSystemFieldDimensions": ["@source.log"]}, {}),
        ({"emitSystemFieldDimensions": ["@aws.region"]}, {"defaultValue": 0.0}),
        ({"emitSystemFieldDimensions": ["@aws.region", "@aws.account"]}, {"dimensions": {"a": "$.a", "b": "$.b"}}),
    ):
        with refused("InvalidParameterException"):
            logs.put_metric_filter(
                logGroupName=GROUP,
                filterName="a",
                filterPattern="{ $.a = 1 }",
                metricTransformations=[
                    {"metricName": "a", "metricNamespace": "b", "metricValue": "1", **transformation}
                ],
                **more,
            )
