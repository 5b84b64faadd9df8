"""SEARCH: the examples of AWS's guide."""

import pytest

from cumulo.services.operations.cloudwatch import metrics_insights, searches
from cumulo.services.operations.cloudwatch.metric_math.values import ExpressionError


def found(search: str, name: str, namespace: str = "My", **dimensions: str) -> bool:
    return searches.parse(search).matches(namespace, name, list(dimensions.items()))


def test_names_are_cut_into_tokens() -> None:
    assert searches.pieces("CustomCount1") == ["Custom", "Count", "1"]
    assert searches.pieces("SDBFailure") == ["SDB", "Failure"]
    assert searches.pieces("Project2-trial333") == ["Project", "2", "trial", "333"]


def test_partial_matches() -> None:
    for term in ("count", "Count", "COUNT", "CustomCount", "Count1", "CustomCount1", "customcount1", "1"):
        assert found(term, "CustomCount1"), term
    for term in ("couNT", "customcount", "count1", "Custo"):
        assert not found(term, "CustomCount1"), term
    for term in ("network/errors", "network-errors", "Network_Errors"):
        assert found(term.title().replace("/e", "/E"), "Network-Errors-2"), term


def test_exact_matches() -> None:
    assert found('{My} "CustomCount1"', "CustomCount1")
    assert not found('"customcount1"', "CustomCount1")
    assert not found('"Custom"', "CustomCount1")
    assert found('"Europe\\\\France Traffic\\(Network\\)"', "Europe\\France Traffic(Network)")
    assert found('{"My Namespace", "Dimension@Name"}, "a b"', "x", "My Namespace", **{"Dimension@Name": "a b"})


def test_schemas_are_exact() -> None:
    assert found("{AWS/EC2}", "x", "AWS/EC2", InstanceId="i")
    assert found("{AWS/EC2,InstanceId} x", "x", "AWS/EC2", InstanceId="i")
    assert not found("{AWS/EC2,InstanceId} x", "x", "AWS/EC2", InstanceId="i", Other="y")
    assert not found("{AWS/EC2,InstanceId} x", "x", "AWS/EBS", InstanceId="i")


def test_properties_and_operators() -> None:
    assert found(' InstanceType=micro MetricName="x"', "x", InstanceType="t2.micro")
    assert not found('MetricName="CustomCount1"', "x", Thing="CustomCount1")
    assert found("(EC2 OR EBS) AND MetricName=ReadOps", "DiskReadOps", "AWS/EC2")
    assert not found("(EC2 OR EBS) MetricName=ReadOps", "DiskReadOps", "AWS/RDS")
    assert not found("NOT Namespace=AWS", "x", "AWS/EC2")
    assert found("NOT Namespace=AWS", "x", "Mine")
    search = '{AWS/Lambda,FunctionName} MetricName="Errors" OR (MetricName="Invocations" AND (ProjectA OR ProjectB))'
    assert found(search, "Errors", "AWS/Lambda", FunctionName="f")
    assert found(search, "Invocations", "AWS/Lambda", FunctionName="f-ProjectB-1")
    assert not found(search, "Invocations", "AWS/Lambda", FunctionName="f")


@pytest.mark.parametrize("text", ["", "  ", "{}", "(a", "a OR", "=a", "a=", "NOT", ":aws.AccountId = '1'"])
def test_what_is_no_search(text: str) -> None:
    with pytest.raises(ExpressionError):
        searches.parse(text)


def test_what_tells_metrics_apart() -> None:
    metrics = [("N", "Errors", [("F", "a"), ("R", "x")]), ("N", "Errors", [("F", "b"), ("R", "x")])]
    assert searches.distinguishing(metrics) == ["a", "b"]
    assert searches.distinguishing(metrics[:1]) == ["Errors"]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT AVG FROM X",
        "SELECT AVG(a)",
        "SELECT P99(a) FROM x",
        "SELECT SUM(a) FROM x WHERE b = c",
        "SELECT SUM(a) FROM x LIMIT 501",
        "SELECT SUM(a) FROM x ORDER BY a",
        "SELECT SUM(LIMIT) FROM x",
        "SELECT SUM(a) FROM x; DROP",
    ],
)
def test_what_is_no_query(text: str) -> None:
    assert metrics_insights.is_query(text)
    with pytest.raises(ExpressionError):
        metrics_insights.parse(text)


def test_conditions_of_queries() -> None:
    text = 'select sum("a.b") from schema("AWS/X", q, z)'
    text += " where q = 'it\\'s' and (z != '1' or z = '2') order by max() desc"
    query = metrics_insights.parse(text)
    assert (query.function, query.metric, query.namespace, query.descending) == ("SUM", "a.b", "AWS/X", True)
    assert query.matches({"q": "it's", "z": "3"})
    assert not query.matches({"q": "it's", "z": "1"})
    assert not query.matches({"q": "it's"})
