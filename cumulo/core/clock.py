"""Cloud time and the timers that follow it.

Nothing else in cumulo reads the wall clock. In tests the cloud's time is moved with
`advance`; every timer then fires as if that time had passed, so no test sleeps.
"""

import asyncio
import time
from collections.abc import Callable


class Timer:
    """A callback that is due at a point of cloud time; `cancel` it when it is not wanted any more."""

    __slots__ = ("_callback", "_clock", "_handle", "when")

    def __init__(self, clock: "Clock", when: float, callback: Callable[[], object]) -> None:
        self.when = when
        self._clock = clock
        self._callback = callback
        self._handle: asyncio.TimerHandle | None = None

    def arm(self) -> None:
        """(Re)schedule on the event loop, as the clock now stands."""
        if self._handle is not None:
            self._handle.cancel()
        delay_s = max(0.0, self.when - self._clock.now())
        self._handle = asyncio.get_running_loop().call_later(min(delay_s, 86_400.0), self._fire)

    def _fire(self) -> None:
        if self._clock.now() + 0.0005 < self.when:  # loops tick in milliseconds; long waits come in days
            self.arm()
            return
        self._clock.forget(self)
        self._callback()

    def cancel(self) -> None:
        """Never fire. Harmless after it has fired."""
        if self._handle is not None:
            self._handle.cancel()
        self._clock.forget(self)


class Clock:
    """Seconds since 1970 as the cloud sees them: the wall clock plus what tests added."""

    def __init__(self) -> None:
        self._offset_s = 0.0
        self._timers: set[Timer] = set()

    def now(self) -> float:
        """Cloud time in seconds."""
        return time.time() + self._offset_s  # noqa: TID251

    def wall(self) -> float:
        """The real time in seconds: clients sign with it, whatever the cloud's time is."""
        return time.time()  # noqa: TID251

    def call_at(self, when: float, callback: Callable[[], object]) -> Timer:
        """Call back on the running loop when cloud time reaches `when`."""
        timer = Timer(self, when, callback)
        self._timers.add(timer)
        timer.arm()
        return timer

    def forget(self, timer: Timer) -> None:
        """Drop a timer that fired or was cancelled."""
        self._timers.discard(timer)

    async def sleep_until(self, when: float) -> None:
        """Wait until cloud time reaches `when`."""
        done = asyncio.get_running_loop().create_future()

        def finish() -> None:
            if not done.done():
                done.set_result(None)

        timer = self.call_at(when, finish)
        try:
            await done
        finally:
            timer.cancel()

    def advance(self, seconds: float) -> None:
        """Jump ahead (tests only); call it on the loop's thread."""
        self._offset_s += seconds
        for timer in sorted(self._timers, key=lambda timer: timer.when):
            timer.arm()
