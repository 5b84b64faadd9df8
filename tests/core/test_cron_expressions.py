"""AWS's cron expressions, against plain counting."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulo.core import cron_expressions


def due(text: str, after: str, zone: str = "UTC") -> str | None:
    cron = cron_expressions.parse(text)
    assert cron is not None
    where = ZoneInfo(zone)
    found = cron_expressions.next_after(cron, datetime.fromisoformat(after).replace(tzinfo=where).timestamp(), where)
    return None if found is None else datetime.fromtimestamp(found, where).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("text", "after", "expected"),
    [
        ("cron(0 9 * * ? *)", "2024-01-01T09:00:00", "2024-01-02 09:00"),
        ("cron(0 18 ? * MON-FRI *)", "2024-03-08T18:00:00", "2024-03-11 18:00"),
        ("cron(0 0 1 * ? *)", "2024-01-31T00:00:00", "2024-02-01 00:00"),
        ("cron(0 12 ? * SUN *)", "2024-03-04T00:00:00", "2024-03-10 12:00"),
        ("cron(30 8 1 1 ? *)", "2024-01-01T08:30:00", "2025-01-01 08:30"),
        ("cron(0/15 * * * ? *)", "2024-01-01T00:46:00", "2024-01-01 01:00"),
        ("cron(0 0 L * ? *)", "2024-02-01T00:00:00", "2024-02-29 00:00"),
        ("cron(0 0 15W * ? *)", "2024-06-01T00:00:00", "2024-06-14 00:00"),
        ("cron(0 0 ? * 6L *)", "2024-06-01T00:00:00", "2024-06-28 00:00"),
        ("cron(0 0 ? * 3#2 *)", "2024-06-01T00:00:00", "2024-06-11 00:00"),
        ("cron(0 0 29 2 ? *)", "2024-03-01T00:00:00", "2028-02-29 00:00"),
        ("cron(0 0 1 1 ? 2023)", "2024-01-01T00:00:00", None),
        ("cron(0 0 31 FEB ? *)", "2024-01-01T00:00:00", None),
    ],
)
def test_the_next_time(text: str, after: str, expected: str | None) -> None:
    assert due(text, after) == expected


def test_times_that_the_clocks_leave_out_are_not_due() -> None:
    assert due("cron(30 2 * * ? *)", "2024-03-30T03:00:00", "Europe/Berlin") == "2024-04-01 02:30"
    assert due("cron(0 9 * * ? *)", "2024-03-30T10:00:00", "Europe/Berlin") == "2024-03-31 09:00"


@pytest.mark.parametrize(
    "text",
    ["", "cron()", "cron(* * * * *)", "cron(* * * * * *)", "cron(* * ? * ? *)", "cron(60 * * * ? *)", "rate(1 hour)",
     "cron(*/0 * * * ? *)", "cron(a * * * ? *)", "cron(* * 32 * ? *)", "cron(* * ? * 8 *)"],
)  # fmt: skip
def test_what_is_none(text: str) -> None:
    assert cron_expressions.parse(text) is None


@given(
    minutes=st.sets(st.integers(0, 59), min_size=1, max_size=4),
    hours=st.sets(st.integers(0, 23), min_size=1, max_size=3),
    after=st.integers(1_600_000_000, 1_800_000_000),
)
def test_as_counting_minutes(minutes: set[int], hours: set[int], after: int) -> None:
    cron = cron_expressions.parse(f"cron({','.join(map(str, minutes))} {','.join(map(str, hours))} * * ? *)")
    assert cron is not None
    time = after // 60 * 60 + 60
    while (
        datetime.fromtimestamp(time, UTC).minute not in minutes or datetime.fromtimestamp(time, UTC).hour not in hours
    ):
        time += 60
    assert cron_expressions.next_after(cron, after) == time


def test_nothing_is_due_after_the_last_year() -> None:
    cron = cron_expressions.parse("cron(0 0 1 1 ? *)")
    assert cron is not None
    assert cron_expressions.next_after(cron, 7_226_582_400 - 1) == 7_226_582_400
    assert cron_expressions.next_after(cron, 7_226_582_400) is None
    assert cron_expressions.next_after(cron, 1e18) is None


def test_a_hostile_expression_takes_no_time() -> None:
    begun = time.thread_time()
    assert cron_expressions.parse("cron(" + " " * 20_000) is None
    assert cron_expressions.parse("cron(" + " " * 20_000 + ")") is None
    assert time.thread_time() - begun < 0.05
