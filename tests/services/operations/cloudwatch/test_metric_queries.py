"""GetMetricData."""

from typing import Any

import pytest

from tests.conftest import Account
from tests.services.operations.cloudwatch.conftest import refused

MINUTE = 60


def put(client: Any, name: str, *values: float, start: int, unit: str = "None", **dimensions: str) -> None:
    pairs = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    data = [
        {"MetricName": name, "Value": value, "Timestamp": start + MINUTE * place, "Unit": unit, "Dimensions": pairs}
        for place, value in enumerate(values)
    ]
    client.put_metric_data(Namespace="App", MetricData=data)


def metric(
    name: str, *, id: str = "m1", stat: str = "Sum", period: int = 60, label: str = "", **dimensions: str
) -> Any:
    pairs = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    one = {"Namespace": "App", "MetricName": name, "Dimensions": pairs}
    query = {"Id": id, "MetricStat": {"Metric": one, "Period": period, "Stat": stat}}
    return {**query, "Label": label} if label else query


class Asked:
    """Asks of the five minutes before now."""

    def __init__(self, client: Any, now: int) -> None:
        self.client = client
        self.start, self.end = now - 300, now

    def results(self, *queries: Any, **options: Any) -> list[dict[str, Any]]:
        options.setdefault("ScanBy", "TimestampAscending")
        answer = self.client.get_metric_data(
            MetricDataQueries=list(queries), StartTime=self.start, EndTime=self.end, **options
        )
        return answer["MetricDataResults"]

    def values(self, *queries: Any, **options: Any) -> list[list[float]]:
        return [result["Values"] for result in self.results(*queries, **options)]


@pytest.fixture
def ask(cloudwatch: Any, now: int) -> Asked:
    return Asked(cloudwatch, now)


def test_metrics_and_their_order(cloudwatch: Any, ask: Asked) -> None:
    put(cloudwatch, "a", 1, 2, 3, start=ask.start)
    [result] = ask.results(metric("a"))
    assert (result["Id"], result["Label"], result["StatusCode"]) == ("m1", "a", "Complete")
    assert result["Values"] == [1.0, 2.0, 3.0]
    assert [int(at.timestamp()) for at in result["Timestamps"]] == [ask.start + 60 * n for n in range(3)]
    answer = cloudwatch.get_metric_data(MetricDataQueries=[metric("a")], StartTime=ask.start, EndTime=ask.end)
    assert answer["MetricDataResults"][0]["Values"] == [3.0, 2.0, 1.0]
    assert answer["Messages"] == []
    assert ask.values(metric("a", stat="p50", period=300)) == [[2.0]]
    assert ask.values(metric("none")) == [[]]


def test_labels_tell_queries_apart(ask: Asked) -> None:
    def labels(*queries: Any) -> list[str]:
        return [result["Label"] for result in ask.results(*queries)]

    one, other = metric("a"), metric("a", id="m2")
    assert labels(one, other) == ["a", "a"]
    assert labels(one, metric("a", id="m2", stat="Minimum")) == ["a Sum", "a Minimum"]
    assert labels(one, metric("a", id="m2", period=30)) == ["a 60", "a 30"]
    assert labels(one, metric("a", id="m2", stat="Minimum", period=30)) == ["a Sum 60", "a Minimum 30"]
    assert labels(metric("a", q="x"), metric("a", id="m2", q="y")) == ["x a", "y a"]
    assert labels(metric("a"), metric("b", id="m2", stat="Average")) == ["a", "b"]


def test_data_in_several_units(cloudwatch: Any, ask: Asked) -> None:
    put(cloudwatch, "a", 1, start=ask.start, unit="Seconds")
    put(cloudwatch, "a", 900, start=ask.start, unit="Milliseconds")
    [result] = ask.results(metric("a"))
    assert result["Messages"] == [
        {"Code": "MultipleUnits", "Value": "Multiple units returned: '[Milliseconds, Seconds]'"}
    ]
    assert result["Values"] == [900.0]
    query = metric("a")
    query["MetricStat"]["Unit"] = "Seconds"
    [result] = ask.results(query)
    assert (result["Values"], "Messages" in result) == ([1.0], False)


def test_math_on_metrics_that_are_not_returned(cloudwatch: Any, ask: Asked) -> None:
    put(cloudwatch, "errors", 1, 2, start=ask.start)
    put(cloudwatch, "requests", 10, 10, 10, start=ask.start)
    hidden = {"ReturnData": False}
    queries = [{**metric("errors", id="e"), **hidden}, {**metric("requests", id="r"), **hidden}]
    rate = {"Id": "rate", "Expression": "FILL(e, 0) / r * 100", "Label": "Error rate"}
    [result] = ask.results(*queries, rate)
    assert (result["Label"], result["Values"]) == ("Error rate", [10.0, 20.0, 0.0])
    twice = {"Id": "twice", "Expression": "rate * 2"}
    assert [result["Label"] for result in ask.results(*queries, twice, {**rate, **hidden})] == ["twice"]
    everything = {"Id": "all", "Expression": "METRICS()", "Label": "Every"}
    assert [(result["Id"], result["Label"]) for result in ask.results(*queries, everything)] == [
        ("all", "Every errors"),
        ("all", "Every requests"),
    ]


def test_searches(cloudwatch: Any, ask: Asked) -> None:
    put(cloudwatch, "Errors", 1, start=ask.start, FunctionName="a")
    put(cloudwatch, "Errors", 2, start=ask.start, FunctionName="b")
    put(cloudwatch, "Invocations", 4, start=ask.start, FunctionName="b")
    search = {"Id": "e1", "Expression": "SEARCH('{App,FunctionName} MetricName=\"Errors\"', 'Sum', 60)"}
    assert [(result["Label"], result["Values"]) for result in ask.results(search)] == [("a", [1.0]), ("b", [2.0])]
    assert ask.values({"Id": "e1", "Expression": "SUM(SEARCH('{App,FunctionName} Errors', 'Sum', 60))"}) == [[3.0]]
    labelled = {**search, "Label": "${PROP('Dim.FunctionName')} max ${MAX}"}
    assert [result["Label"] for result in ask.results(labelled)] == ["a max 1", "b max 2"]


def test_metrics_insights(cloudwatch: Any, ask: Asked) -> None:
    for queue, stage, value in (("x", "test", 1), ("y", "test", 2), ("y", "live", 4)):
        put(cloudwatch, "Sent", value, value, start=ask.start, queue=queue, stage=stage)
    put(cloudwatch, "Sent", 100, start=ask.start)

    def insights(text: str) -> list[tuple[str, list[float]]]:
        query = {"Id": "q1", "Expression": text, "Period": 60}
        return [(result["Label"], result["Values"]) for result in ask.results(query)]

    assert insights("SELECT SUM(Sent) FROM App") == [("q1", [107.0, 7.0])]
    assert insights("SELECT AVG(Sent) FROM SCHEMA(App, stage, queue)")[0][1] == [pytest.approx(7 / 3)] * 2
    assert insights("SELECT SUM(Sent) FROM SCHEMA(App)") == [("q1", [100.0])]
    assert insights("SELECT SUM(Sent) FROM SCHEMA(App, queue, stage) GROUP BY queue") == [
        ("x", [1.0, 1.0]),
        ("y", [6.0, 6.0]),
    ]
    assert insights("SELECT SUM(Sent) FROM App GROUP BY queue ORDER BY MAX() DESC LIMIT 1") == [("Other", [100.0])]
    assert insights("SELECT COUNT(Sent) FROM App WHERE stage != 'test' AND queue = 'y'") == [("q1", [1.0, 1.0])]
    doubled = {"Id": "e1", "Expression": "q1 * 2"}
    query = {"Id": "q1", "Expression": "SELECT MAX(Sent) FROM App", "Period": 60, "ReturnData": False}
    assert ask.values(query, doubled) == [[200.0, 8.0]]


def test_dynamic_labels(cloudwatch: Any, ask: Asked) -> None:
    put(cloudwatch, "a", 4, 1.5, 3, start=ask.start)
    shown = {
        "${LABEL} ${MAX}/${MIN}": "a 4/1.5",
        "${AVG} ${SUM} ${DATAPOINT_COUNT}": "2.8333333333 8.5 3",
        "${FIRST} ${LAST} ${FIRST_LAST_RANGE} ${MIN_MAX_RANGE}": "4 3 -1 2.5",
        "${PROP('MetricName')} ${PROP('Stat')} ${PROP('Period')} ${PROP('Namespace')}": "a Sum 60 App",
        "${FIRST_LAST_TIME_RANGE} ${NOTHING}": "2m ${NOTHING}",
    }
    for label, expected in shown.items():
        [result] = ask.results(metric("a", label=label))
        assert result["Label"] == expected
    [utc] = ask.results(metric("a", label="${MIN_TIME}"))
    [later] = ask.results(metric("a", label="${MIN_TIME}"), LabelOptions={"Timezone": "+0130"})
    assert utc["Label"] != later["Label"]
    [empty] = ask.results(metric("none", label="${MAX} ${DATAPOINT_COUNT}"))
    assert empty["Label"] == "-- 0"


def test_pages(cloudwatch: Any, ask: Asked) -> None:
    put(cloudwatch, "a", 1, 2, 3, start=ask.start)
    put(cloudwatch, "b", 4, 5, start=ask.start)
    queries = [metric("a"), metric("b", id="m2")]
    pages = list(
        cloudwatch.get_paginator("get_metric_data").paginate(
            MetricDataQueries=queries, StartTime=ask.start, EndTime=ask.end, PaginationConfig={"PageSize": 2}
        )
    )
    found: dict[str, list[float]] = {}
    statuses = []
    for page in pages:
        for result in page["MetricDataResults"]:
            found.setdefault(result["Id"], []).extend(result["Values"])
            statuses.append((result["Id"], result["StatusCode"]))
    assert found == {"m1": [3.0, 2.0, 1.0], "m2": [5.0, 4.0]}
    assert statuses == [
        ("m1", "PartialData"),
        ("m2", "PartialData"),
        ("m1", "Complete"),
        ("m2", "PartialData"),
        ("m2", "Complete"),
    ]
    with refused("InvalidNextToken"):
        ask.results(metric("other"), NextToken=pages[0]["NextToken"])


def test_what_queries_must_be(cloudwatch: Any, ask: Asked, now: int) -> None:
    one = "MetricDataQueries.member.1"
    wrong = [
        (
            [metric("a", id="5xx")],
            f"The value 5xx for parameter {one}.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.\n",
        ),
        (
            [metric("a", stat="None")],
            f"The value None for parameter {one}.MetricStat.Stat is not a valid statistic.\n",
        ),
        ([metric("a"), metric("a")], "The values for parameter id in MetricDataQueries are not unique.\n"),
        (
            [{"Id": "m1"}],
            f"At least one of the parameters {one}.MetricStat and {one}.Expression must be specified.\n",
        ),
        (
            [{**metric("a"), "Expression": "1"}],
            f"The parameters {one}.MetricStat and {one}.Expression are mutually exclusive "
            "and you have specified both.\n",
        ),
    ]
    for queries, text in wrong:
        with refused("ValidationError", text):
            ask.results(*queries)
    with refused("ValidationError", "The parameter StartTime must not equal parameter EndTime.\n"):
        cloudwatch.get_metric_data(MetricDataQueries=[metric("a")], StartTime=now, EndTime=now)
    for expression in ("m1 +", "nothing * 2", "e1 + 1", "5", "SUM(m1)", "SEARCH('', 'Sum')", "SELECT x"):
        with refused("ValidationError"):
            ask.results(metric("a"), {"Id": "e1", "Expression": expression})
    queries = [{"Id": f"q{n}", "Expression": "SELECT SUM(a) FROM App", "Period": 60} for n in range(2)]
    with refused("ValidationError"):
        ask.results(*queries)
    with refused("NotImplemented"):
        ask.results(metric("a"), {"Id": "e1", "Expression": "ANOMALY_DETECTION_BAND(m1)"})
    with refused("NotImplemented"):
        ask.results({**metric("a"), "AccountId": "111122223333"})


def test_periods_below_a_minute(cloud: Account, cloudwatch: Any, now: int) -> None:
    data = [
        {"MetricName": "fast", "Value": second, "Timestamp": now - 60 + second, "StorageResolution": 1}
        for second in (0, 5, 7, 31)
    ]
    cloudwatch.put_metric_data(Namespace="App", MetricData=data)
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=[metric("fast", period=10)], StartTime=now - 58, EndTime=now, ScanBy="TimestampAscending"
    )
    assert answer["MetricDataResults"][0]["Values"] == [12.0, 31.0]
