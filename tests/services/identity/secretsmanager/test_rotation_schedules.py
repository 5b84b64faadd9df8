"""When rotation windows open."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulo.core.errors import Fault
from cumulo.services.identity.secretsmanager.rotation_schedules import check, next_window

NOW = datetime(2026, 2, 17, 10, 30, tzinfo=UTC).timestamp()  # a Tuesday


def opens(expression: str, **more: Any) -> str:
    window = next_window({"ScheduleExpression": expression, **more}, NOW)
    assert window is not None
    return " ".join(datetime.fromtimestamp(each, UTC).strftime("%m-%dT%H:%M") for each in window)


@pytest.mark.parametrize(
    ("expression", "window"),
    [
        ("rate(10 days)", "02-27T00:00 02-27T23:59"),
        ("rate(6 hours)", "02-17T16:00 02-17T17:00"),
        ("cron(0 8 ? * * *)", "02-18T08:00 02-18T23:59"),
        ("cron(0 8 1 * ? *)", "03-01T08:00 03-01T23:59"),
        ("cron(0 8 L * ? *)", "02-28T08:00 02-28T23:59"),
        ("cron(0 8 1,15 * ? *)", "03-01T08:00 03-01T23:59"),
        ("cron(0 16 ? * SUN *)", "02-22T16:00 02-22T23:59"),
        ("cron(0 16 ? * MON-FRI *)", "02-17T16:00 02-17T23:59"),
        ("cron(0 16 ? * SUN#1 *)", "03-01T16:00 03-01T23:59"),
        ("cron(0 16 ? * 6L *)", "02-27T16:00 02-27T23:59"),
        ("cron(0 0/8 ? * * *)", "02-17T16:00 02-17T17:00"),
        ("cron(0 8 1 JUN ? *)", "06-01T08:00 06-01T23:59"),
        ("cron(0 8 1W * ? *)", "03-02T08:00 03-02T23:59"),
    ],
)
def test_windows(expression: str, window: str) -> None:
    assert opens(expression) == window


def test_durations_end_a_window() -> None:
    assert opens("rate(10 days)", Duration="3h") == "02-27T00:00 02-27T03:00"


@pytest.mark.parametrize(
    "expression",
    ["rate(3 hours)", "rate(1000 days)", "rate(1 week)", "cron(0 8 * * * *)", "cron(0 8 ? * ? *)", "cron(0 25 ? * * *)",
     "cron(0 */2 ? * * *)", "cron(0 8 ? * * 2027)", "cron(0 8 32 * ? *)", "cron(0 8 30 2 ? *)", "at(noon)"],
)  # fmt: skip
def test_wrong_expressions(expression: str) -> None:
    with pytest.raises(Fault):
        check({"ScheduleExpression": expression})


@given(
    st.floats(0, 4e9), st.sampled_from(["rate(1 day)", "rate(5 hours)", "cron(0 0/6 ? * 2-6 *)", "cron(0 3 L * ? *)"])
)
def test_windows_open_later_and_last(after: float, expression: str) -> None:
    window = next_window({"ScheduleExpression": expression}, after)
    assert window is not None and after < window[0] < window[1]
