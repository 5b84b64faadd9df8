"""Metric math without a cloud: the examples of AWS's guide, and its rules."""

import math
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulo.services.operations.cloudwatch.metric_math import grammar
from cumulo.services.operations.cloudwatch.metric_math.values import (
    ExpressionError,
    Series,
    UnsupportedFunction,
    Value,
)

MISSING = None


class Scope:
    """Five periods of a minute from 0 on."""

    start, end, period = 0, 300, 60

    def __init__(self, **series: list[float | None]) -> None:
        self.series = {
            name: Series(
                {60 * place: float(value) for place, value in enumerate(values) if value is not None},
                60,
                name,
                is_metric=True,
            )
            for name, values in series.items()
        }

    def variable(self, name: str) -> Value:
        return self.series[name]

    def metrics(self, part: str) -> list[Series]:
        return [series for name, series in self.series.items() if part in name]

    def search(self, text: str, statistic: str, period: int) -> list[Series]:
        return [Series({0: 1.0}, period, f"{text} {statistic}")]

    def rule_metric(self, rule: str, metric: str) -> Series:
        return Series({0: 2.0}, 60, f"{rule} {metric}")


def evaluate(text: str, scope: Scope) -> Value:
    return grammar.parse(text)[0](scope)


def listed(value: Value) -> Any:
    """Series as lists over the five periods, None where there is no value."""
    if isinstance(value, Series):
        return [value.points.get(60 * place) for place in range(5)]
    if isinstance(value, list):
        return [listed(series) for series in value]
    return value


def run(text: str, **series: list[float | None]) -> Any:
    return listed(evaluate(text, Scope(**series)))


def test_arithmetic_takes_what_is_missing_for_nothing() -> None:
    one, two = [1, 2, None, 4], [10, None, 30, 0]
    assert run("m1 + m2", m1=one, m2=two) == [11, 2, 30, 4, None]
    assert run("m1 / m2", m1=one, m2=two) == [0.1, None, 0, None, None]
    assert run("-5 * m1", m1=one) == [-5, -10, None, -20, None]
    assert run("m1 - AVG(m1)", m1=[1, 2, 3]) == [-1, 0, 1, None, None]
    assert run("2 ^ m1 * 3 - 1", m1=[1, 2]) == [5, 11, None, None, None]
    assert run("100 / [m1, m2]", m1=[1], m2=[4]) == [[100] + [None] * 4, [25] + [None] * 4]
    assert run("METRICS() * 100", m1=[1], m2=[2]) == [[100] + [None] * 4, [200] + [None] * 4]
    assert run("PERIOD(m1) / 60 * m1", m1=[7]) == [7, None, None, None, None]
    assert run("(m1 + 1) * 2 - -m1", m1=[1]) == [5, None, None, None, None]


def test_comparison_and_logic() -> None:
    one, two = [30, 20, 0, 0], [20, None, 20, None]
    assert run("m1 < m2", m1=one, m2=two) == [0, 0, 1, 0, None]
    assert run("m1 >= 30", m1=one) == [1, 0, 0, 0, None]
    assert run("m1 > 15 AND m2 > 15", m1=one, m2=two) == [1, 0, 0, 0, None]
    assert run("m1 > 15 && m2 > 15 || m1 == 0", m1=one, m2=two) == [1, 0, 1, 1, None]
    assert run("TIME_SERIES(3 != 4)") == [1, 1, 1, 1, 1]


def test_if() -> None:
    condition, then, otherwise = [1, 1, 0, 0, None], [30, None, 0, 0, 30], [0, 0, 20, None, 20]
    given_ = {"m1": condition, "m2": then, "m3": otherwise}
    assert run("IF(m1, m2, m3)", **given_) == [30, 0, 20, None, None]
    assert run("IF(m1, 5, m3)", **given_) == [5, 5, 20, None, None]
    assert run("IF(m1, m2, 5)", **given_) == [30, 0, 5, 5, None]
    assert run("IF(m1, m2)", **given_) == [30, 0, None, None, None]
    assert run("IF(1, m2, m3)", **given_) == [30, None, 0, 0, 30]
    assert run("IF(0, m2, m3)", **given_) == [0, 0, 20, None, 20]
    assert run("IF(0, m2)", **given_) == [None] * 5
    assert run("IF(m2 < 20, m2, 2)", **given_) == [2, None, 0, 0, 2]


def test_functions_of_one_series_and_of_many() -> None:
    one, two = [1, 2, 3], [10, None, 30, 40]
    assert run("TIME_SERIES(SUM(m1))", m1=one) == [6] * 5
    assert run("SUM(METRICS())", m1=one, m2=two) == [11, 2, 33, 40, None]
    assert run("AVG([m1, m2])", m1=one, m2=two) == [5.5, 1, 16.5, 20, None]
    assert run("MIN(METRICS())", m1=one, m2=two) == [1, 2, 3, 40, None]
    assert run("MAX([m1,m2])", m1=one, m2=two) == [10, 2, 30, 40, None]
    assert run("DATAPOINT_COUNT(METRICS())", m1=one, m2=two) == [2, 1, 2, 1, None]
    assert run("m1 / METRIC_COUNT(METRICS())", m1=one, m2=two) == [0.5, 1, 1.5, None, None]
    assert run("SUM(METRICS('errors'))", errors_a=[1], errors_b=[2], other=[4]) == [3, None, None, None, None]
    assert run("TIME_SERIES(STDDEV(m1))", m1=[2, 4, 4, 4, 6]) == [pytest.approx(math.sqrt(1.6))] * 5
    assert run("ABS(m1)", m1=[-1, 2]) == [1, 2, None, None, None]
    assert run("CEIL([m1])", m1=[1.2]) == [[2, None, None, None, None]]
    assert run("FLOOR(m1)", m1=[-1.2]) == [-2, None, None, None, None]
    assert run("LOG10(m1)", m1=[100, 0, 1]) == [2, None, 0, None, None]


def test_functions_of_neighbours() -> None:
    assert run("DIFF(m1)", m1=[1, 4, None, 10]) == [None, 3, None, 6, None]
    assert run("DIFF_TIME(m1)", m1=[1, 4, None, 10]) == [None, 60, None, 120, None]
    assert run("RATE(m1)", m1=[0, 60, None, 0]) == [None, 1, None, -0.5, None]
    assert run("RUNNING_SUM(m1)", m1=[1, None, 2, 3]) == [1, None, 3, 6, None]


def test_fill() -> None:
    holes: list[float | None] = [None, 2, None, 6, None]
    assert run("FILL(m1, 9)", m1=holes) == [9, 2, 9, 6, 9]
    assert run("FILL(m1, REPEAT)", m1=holes) == [None, 2, 2, 6, 6]
    assert run("FILL(m1, LINEAR)", m1=holes) == [None, 2, 4, 6, None]
    assert run("FILL(m1, m2)", m1=holes, m2=[1, 1, None, 1, 1]) == [1, 2, None, 6, 1]
    assert run("FILL(METRICS(), MIN(m1))", m1=holes) == [[2, 2, 2, 6, 2]]


def test_arrays() -> None:
    series: dict[str, list[float | None]] = {"m1": [1, 1], "m2": [5], "m3": []}
    one, five = [1, 1, None, None, None], [5, None, None, None, None]
    assert run("SORT(METRICS(), SUM, DESC)", **series) == [five, one, [None] * 5]
    assert run("SORT(METRICS(), MAX, ASC, 2)", **series) == [[None] * 5, one]
    assert run("SLICE(SORT(METRICS(), SUM, DESC), 0, 1)", **series) == [five]
    assert run("SLICE(METRICS(), 1)", **series) == [five, [None] * 5]
    assert run("REMOVE_EMPTY(METRICS())", **series) == [one, five]
    assert run("FIRST(METRICS())", **series) == one
    assert run("LAST(METRICS()) + 1", **series) == [None] * 5
    assert run("[[m1], m2]", **series) == [one, five]


def test_functions_of_time() -> None:
    assert run("MINUTE(m1)", m1=[1]) == [0, 1, 2, 3, 4]
    assert run("DAY(m1)", m1=[]) == [4] * 5  # 1970-01-01 was a Thursday
    assert run("YEAR(m1)", m1=[1]) == [1970] * 5
    assert run("IF(EPOCH(m1) >= 120, m1)", m1=[1, 2, 3, 4]) == [None, None, 3, 4, 0]
    assert run("DATE(m1) + MONTH(m1) + HOUR(m1)", m1=[1]) == [2] * 5


def test_searches_and_rules_are_asked_of_the_scope() -> None:
    [found] = run_names("SEARCH('{App} x', 'Sum', 300)")
    assert found == ("{App} x Sum", 300)
    assert run("INSIGHT_RULE_METRIC(\"rule\", 'Sum')") == [2, None, None, None, None]


def run_names(text: str) -> list[tuple[str, int]]:
    value = evaluate(text, Scope())
    assert isinstance(value, list)
    return [(series.name, series.period) for series in value]


@pytest.mark.parametrize(
    "text",
    [
        "m1 +",
        "m1 m1",
        "(m1",
        "[m1, 1]",
        "NOSUCH(m1)",
        "SUM()",
        "SUM(m1, m1)",
        "SUM(1)",
        "FILL(m1, NEXT)",
        "SORT(m1, SUM, DESC)",
        "SORT(METRICS(), STDDEV, DESC)",
        "METRICS(m1)",
        "PERIOD(m1 + 1)",
        "TIME_SERIES(m1)",
        "[m1] + [m1]",
        "m1 $ 2",
        "IF([m1], m1, m1)",
        "m1 + 'text'",
        "(" * 60 + "m1" + ")" * 60,
    ],
)
def test_what_is_no_expression(text: str) -> None:
    with pytest.raises(ExpressionError):
        run(text, m1=[1])


def test_what_is_not_done_is_named() -> None:
    with pytest.raises(UnsupportedFunction, match="ANOMALY_DETECTION_BAND"):
        grammar.parse("ANOMALY_DETECTION_BAND(m1)")


NUMBERS = st.integers(min_value=-9, max_value=9).map(str)
EXPRESSIONS = st.recursive(
    NUMBERS,
    lambda inner: st.tuples(inner, st.sampled_from(["+", "-", "*"]), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
)


@given(EXPRESSIONS)
def test_numbers_as_python_counts(text: str) -> None:
    if text.count("(") < 45:
        assert run(f"TIME_SERIES({text})")[0] == float(eval(text))


@given(st.text(alphabet="m1()[]+-*/^<>=&|ANDOR,'\" .5SUM", max_size=30))
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    with suppress(ExpressionError):
        grammar.parse(text)
