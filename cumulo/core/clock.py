"""Cloud time and the timers that follow it.

Nothing else in cumulo reads the wall clock. Cloud time never goes back: where the computer's clock is set back, it goes
on at half speed until that clock has caught up (docs/decisions/0022-time-never-goes-back.md). The event loop's timers
stand still while a computer sleeps, so a look every few seconds finds that cloud time has jumped, and arms them anew.

In tests the cloud's time is moved with `advance`; every timer then fires as if that time had passed, so no test sleeps.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable

LOOK_S = 2.0  # how late a timer may be that fell due while the computer slept
CATCH_UP = 0.5  # the speed of cloud time while the computer's clock, set back, is behind it

_JUMPED_S = 0.05  # more than clocks that NTP slows or speeds up differ by in a look
_WORTH_A_WORD_S = 10.0

_log = logging.getLogger("cumulo.clock")


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
    """Seconds since 1970 as the cloud sees them: the wall clock, never going back, plus what tests added.

    `read` is the computer's clock; tests give one that they set.
    """

    def __init__(self, read: Callable[[], float] = time.time) -> None:  # noqa: TID251
        self._read = read
        self._offset_s = 0.0
        self._latest = 0.0
        self._slowed = 0.0  # the latest time of a catching up
        self._slowed_from = 0.0  # where that began
        self._slowed_since = 0.0  # and when, by the monotonic clock
        self._slowing = threading.Lock()  # a shared store runs transactions in several threads
        self._timers: set[Timer] = set()
        self._looking: asyncio.TimerHandle | None = None
        self._lead_s = 0.0  # of cloud time before the monotonic clock, at the last look

    def now(self) -> float:
        """Cloud time in seconds. It never goes back."""
        now = self._read() + self._offset_s
        if now < self._latest:
            return self._catching_up(now)
        self._latest = now
        return now

    def _catching_up(self, wall: float) -> float:
        with self._slowing:
            ticks = time.monotonic()
            if self._latest != self._slowed:  # it was not behind until now
                self._slowed_from, self._slowed_since = self._latest, ticks
                if self._latest - wall > _WORTH_A_WORD_S:
                    _log.warning(
                        "The computer's clock was set back by %.0f s. The cloud's time never goes back: "
                        "it goes on at half speed until the clock has caught up.",
                        self._latest - wall,
                    )
            self._slowed = self._latest = max(self._latest, self._slowed_from + (ticks - self._slowed_since) * CATCH_UP)
            return self._slowed

    def wall(self) -> float:
        """The real time in seconds: clients sign with it, whatever the cloud's time is."""
        return time.time()  # noqa: TID251

    def call_at(self, when: float, callback: Callable[[], object]) -> Timer:
        """Call back on the running loop when cloud time reaches `when`."""
        timer = Timer(self, when, callback)
        self._timers.add(timer)
        timer.arm()
        if self._looking is None:
            self._lead_s = self._lead()
            self._look_later()
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
        self._offset_s = self.now() + seconds - self._read()
        self._arm_all()

    def go_on_from(self, when: float) -> None:
        """What this cloud did last was at `when`: if the computer's clock was set back since, it goes on from there."""
        self._latest = max(self._latest, when)

    # --- when the computer slept, or its clock was set ----------------------------------------------

    def _lead(self) -> float:
        return self.now() - time.monotonic()

    def _look_later(self) -> None:
        self._looking = asyncio.get_running_loop().call_later(LOOK_S, self.look)

    def look(self) -> None:
        """Find whether cloud time has jumped since the last look; goes on as long as timers wait."""
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None
        lead_s = self._lead()
        if abs(lead_s - self._lead_s) > _JUMPED_S:
            self._lead_s = lead_s
            self._arm_all()
        if self._timers:
            self._look_later()

    def _arm_all(self) -> None:
        for timer in sorted(self._timers, key=lambda timer: timer.when):
            timer.arm()
