"""Cloud time jumps, and timers follow it."""

import asyncio

import pytest

from cumulo.core.clock import Clock
from cumulo.core.signals import Signals


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
        timer = clock.call_at(clock.now() + 1, lambda: pytest.fail("fired"))
        timer.cancel()
        clock.advance(10)
        await asyncio.sleep(0.01)

    asyncio.run(scenario())


def test_sleeping_in_cloud_time() -> None:
    async def scenario() -> float:
        clock = Clock()
        begun = clock.now()
        sleeper = asyncio.create_task(clock.sleep_until(begun + 86_400))
        await asyncio.sleep(0)
        clock.advance(86_401)
        await asyncio.wait_for(sleeper, 1)
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
            assert await asyncio.wait_for(waiting, 1)
        assert signals.listeners == {}

    asyncio.run(scenario())


def test_a_listener_gives_up_in_cloud_time() -> None:
    async def scenario() -> bool:
        clock = Clock()
        signals = Signals(clock)
        with signals.listen("a") as heard:
            waiting = asyncio.create_task(heard.wait(until=clock.now() + 20))
            await asyncio.sleep(0)
            clock.advance(20.1)
            return await asyncio.wait_for(waiting, 1)

    assert asyncio.run(scenario()) is False
