"""Distributions against the values that they were made of, and the statistics computed from them."""

import math

from hypothesis import given
from hypothesis import strategies as st

from cumulo.services.operations.cloudwatch import statistics
from cumulo.services.operations.cloudwatch.distributions import MAXIMUM_BINS, Distribution, empty

VALUES = st.lists(st.floats(min_value=0.001, max_value=1000.0), min_size=1, max_size=1500)


def of(values: list[float]) -> Distribution:
    distribution = empty()
    for value in values:
        distribution.add(value, 1.0)
    return distribution


def stat(name: str, values: list[float]) -> float | None:
    compute = statistics.find(name)
    assert compute is not None
    return compute(of(values))


@given(VALUES, st.sampled_from([0.0, 1.0, 25.0, 50.0, 90.0, 99.9, 100.0]))
def test_percentiles_are_near_or_exact(values: list[float], percent: float) -> None:
    distribution = of(values)
    exact = sorted(values)[max(0, math.ceil(len(values) * percent / 100.0 - 1e-9) - 1)]
    found = statistics.find(f"p{percent}")
    assert found is not None
    result = found(distribution)
    assert result is not None
    if len(set(values)) <= MAXIMUM_BINS:
        assert result == exact
    else:
        assert abs(result - exact) <= 0.041 * exact


@given(VALUES, VALUES)
def test_merging_is_as_good_as_adding(first: list[float], second: list[float]) -> None:
    merged = of(first)
    merged.merge(of(second))
    whole = of(first + second)
    assert (merged.count, merged.low, merged.high) == (whole.count, whole.low, whole.high)
    assert math.isclose(merged.total, whole.total)
    assert math.isclose(sum(merged.bins.values()), len(first) + len(second))
    assert len(merged.bins) <= MAXIMUM_BINS
    if merged.grain == whole.grain:
        assert merged.bins.keys() == whole.bins.keys()


def test_width_of_bins_is_as_documented() -> None:
    for count, factor, error in ((2000, 50.0, 0.005), (2000, 2500.0, 0.01), (2000, 6e6, 0.02)):
        values = [factor ** (number / (count - 1)) for number in range(count)]
        distribution = of(values)
        assert distribution.grain > 0
        found = statistics.find("p50")
        assert found is not None
        assert abs((found(distribution) or 0.0) / sorted(values)[count // 2 - 1] - 1) <= error + 1e-6


def test_statistics_by_name() -> None:
    values = [float(number) for number in range(1, 101)]
    assert stat("p90", values) == 90.0
    assert stat("p0", values) == 1.0
    assert stat("tm90", values) == 45.5
    assert stat("TM(10%:90%)", values) == 50.5
    assert stat("TM(:90%)", values) == 45.5
    assert stat("TM(50:60)", values) == 55.5
    assert stat("IQM", values) == 50.5
    assert stat("tc90", values) == 90.0
    assert stat("TC(80%:)", values) == 20.0
    assert stat("ts10", values) == 55.0
    assert stat("PR(:30)", values) == 30.0
    assert stat("PR(20:30)", values) == 10.0
    assert stat("PR(90:)", values) == 10.0
    assert stat("wm98", [1.0] * 97 + [2.0, 50.0, 99.0]) == (97 + 3 * 2.0) / 100
    assert stat("WM(10:20)", [5.0, 15.0, 25.0]) == 15.0


def test_names_that_are_none() -> None:
    for name in ("p101", "median", "TM(:)", "TM(10%:20)", "PR(10%:20%)", "TM(90%:10%)", "tm", "p", "PR(:)", "average"):
        assert statistics.find(name) is None


def test_negative_values_have_no_percentiles() -> None:
    assert stat("p50", [-1.0, 2.0]) is None
    assert stat("Minimum", [-1.0, 2.0]) == -1.0
