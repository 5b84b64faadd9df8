"""Cloud time jumps, and timers follow it."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from cumulo.core import clock as core_clock
from cumulo.core.clock import Clock
from cumulo.core.signals import Signals
from cumulo.core.usage import journal
from cumulo.core.usage.calls import Call
from tests.conftest import Account, RunningCloud


class Wall:
    """A computer's clock that a test sets: the computer sleeps, NTP steps."""

    def __init__(self) -> None:
        self.set_s = 0.0

    def __call__(self) -> float:
        return time.time() + self.set_s


def test_a_timer_fires_when_time_jumps_over_it() -> None:
    async def scenario() -> list[str]:
        clock, fired = Clock(), []
        clock.call_at(clock.now() + 3600, lambda: fired.append("late"))
        clock.call_at(clock.now() + 60, lambda: fired.append("early"))
        clock.advance(61)
        await asyncio.sleep(0.01)
        assert fired == ["early"]
        clock.advance(3600)
        await asyncio.sleep(0.01)
        return fired

    assert asyncio.run(scenario()) == ["early", "late"]


def test_a_cancelled_timer_never_fires() -> None:
    async def scenario() -> None:
        clock = Clock()
        timer = clock.call_at(clock.now() + 3600, lambda: pytest.fail("fired"))
        timer.cancel()
        clock.advance(2 * 3600)
        await asyncio.sleep(0.01)

    asyncio.run(scenario())


def test_sleeping_in_cloud_time() -> None:
    async def scenario() -> float:
        clock = Clock()
        begun = clock.now()
        sleeper = asyncio.create_task(clock.sleep_until(begun + 86_400))
        await asyncio.sleep(0)
        clock.advance(86_401)
        await asyncio.wait_for(sleeper, 60)
        return clock.now() - begun

    assert asyncio.run(scenario()) >= 86_400


def test_a_listener_hears_what_was_announced_before_it_waited() -> None:
    async def scenario() -> None:
        signals = Signals(Clock())
        with signals.listen("queue a") as heard:
            signals.deliver(b"queue a")
            assert await heard.wait(until=0.0)
            waiting = asyncio.create_task(heard.wait())
            await asyncio.sleep(0)
            assert not waiting.done()
            signals.deliver(b"queue b")
            await asyncio.sleep(0)
            assert not waiting.done()
            signals.deliver(b"queue a")
            assert await asyncio.wait_for(waiting, 60)
        assert signals.listeners == {}

    asyncio.run(scenario())


def test_a_listener_gives_up_in_cloud_time() -> None:
    async def scenario() -> bool:
        clock = Clock()
        signals = Signals(clock)
        with signals.listen("a") as heard:
            waiting = asyncio.create_task(heard.wait(until=clock.now() + 3600))
            await asyncio.sleep(0)
            clock.advance(3601)
            return await asyncio.wait_for(waiting, 60)

    assert asyncio.run(scenario()) is False


def test_timers_that_fell_due_while_the_computer_slept_fire_after_a_look() -> None:
    async def scenario() -> list[str]:
        wall = Wall()
        clock, fired = Clock(wall), []
        clock.call_at(clock.now() + 3600, lambda: fired.append("night"))
        clock.call_at(clock.now() + 60, lambda: fired.append("evening"))
        clock.call_at(clock.now() + 5 * 86_400, lambda: fired.append("week"))
        wall.set_s = 8 * 3600  # the loop's timers have not moved
        clock.look()
        await asyncio.sleep(0.01)
        return fired

    assert asyncio.run(scenario()) == ["evening", "night"]


@pytest.mark.interpreted
def test_it_looks_by_itself_as_long_as_timers_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core_clock, "LOOK_S", 0.001)

    async def scenario() -> None:
        wall = Wall()
        clock = Clock(wall)
        for _ in range(2):  # it stops when nothing waits any more, and begins again
            fired = asyncio.Event()
            clock.call_at(clock.now() + 86_400, fired.set)
            wall.set_s += 2 * 86_400
            await asyncio.wait_for(fired.wait(), 60)

    asyncio.run(scenario())


def test_time_never_goes_back_and_does_not_stand_still() -> None:
    wall = Wall()
    clock = Clock(wall)
    before = clock.now()
    wall.set_s = -3600
    times = [clock.now() for _ in range(1000)]
    assert times == sorted(times)
    assert before <= times[0]
    assert times[-1] < before + 60
    deadline = time.monotonic() + 60
    while clock.now() == times[-1]:
        assert time.monotonic() < deadline
    wall.set_s = +10  # the clock has caught up
    assert before + 10 <= clock.now() < before + 60
    wall.set_s = -7200  # and is set back again
    assert before + 10 <= clock.now() < before + 60


def test_it_goes_on_at_half_speed_until_the_clock_has_caught_up(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = 1000.0
    monkeypatch.setattr(core_clock.time, "monotonic", lambda: ticks)
    wall_s = 5000.0
    clock = Clock(lambda: wall_s)
    assert clock.now() == 5000
    wall_s = 4900
    assert clock.now() == 5000
    for passed_s in range(1, 300):
        ticks, wall_s = 1000.0 + passed_s, 4900.0 + passed_s
        assert abs(clock.now() - max(wall_s, 5000 + passed_s / 2)) <= 0.5


def test_a_timer_is_due_in_its_time_though_the_clock_was_set_back() -> None:
    async def scenario() -> None:
        wall = Wall()
        clock = Clock(wall)
        fired = asyncio.Event()
        clock.call_at(clock.now() + 0.01, fired.set)
        wall.set_s = -3600
        await asyncio.wait_for(fired.wait(), 60)

    asyncio.run(scenario())


def test_an_advance_begins_where_the_cloud_is_not_where_the_clock_is() -> None:
    async def scenario() -> None:
        wall = Wall()
        clock = Clock(wall)
        before = clock.now()
        wall.set_s = -3600
        clock.advance(60)
        assert before + 60 <= clock.now() < before + 600

    asyncio.run(scenario())


def test_it_goes_on_from_what_was_done_last() -> None:
    wall = Wall()
    last = Clock(wall).now()
    wall.set_s = -3600
    clock = Clock(wall)
    clock.go_on_from(last)
    assert last <= clock.now() < last + 600
    clock.go_on_from(last - 60)
    assert last <= clock.now() < last + 600


def test_a_cloud_goes_on_in_time_after_a_restart(start_cloud: Callable[..., RunningCloud]) -> None:
    """As on a computer whose clock comes up hours behind, until NTP has set it."""
    first = start_cloud()
    first.advance(5 * 3600)
    Account(first, "123456789012").client("sts").get_caller_identity()
    last = first.clock.now()
    first.stop()
    second = start_cloud(first.settings.data_dir)
    assert last - 60 < second.clock.now()
    second.advance(5 * 86_400)
    Account(second, "123456789012").client("sts").get_caller_identity()
    second.stop()
    assert start_cloud(first.settings.data_dir).clock.now() < last + 86_400  # a clock set back by days is followed


@pytest.mark.parametrize("rest", [b"", b'{"time": 17', b"\x00" * 100, b"x" * 1000])
def test_the_last_call_is_found_in_what_a_crash_left(tmp_path: Path, rest: bytes) -> None:
    folder = tmp_path / "journal"
    assert journal.last_time(tmp_path) == 0
    folder.mkdir()
    call = Call(1000.0, "id", "sts", "GetCallerIdentity", "123456789012", "us-east-1", "arn:aws:iam::123456789012:root")
    (folder / "calls.1.jsonl").write_bytes(msgspec.json.encode(call) + b"\n")
    assert journal.last_time(tmp_path) == 1000
    call.time = 2000.0
    (folder / "calls.jsonl").write_bytes(b"." * 300_000 + b"\n" + msgspec.json.encode(call) + b"\n" + rest)
    assert journal.last_time(tmp_path) == 2000
