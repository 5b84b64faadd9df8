"""Wake-ups by name: a committed transaction announces a name, and whoever listens goes on at once.

A signal carries nothing and may be missed across a restart, so it only ever shortens a wait: what
there is to do is always read from the store.
"""

from __future__ import annotations

import asyncio
from types import TracebackType

from cumulo.core.clock import Clock


class Listener:
    """Hears one name from `with` on. Register before reading, or a change between is missed."""

    __slots__ = ("_future", "_heard", "_name", "_signals")

    def __init__(self, signals: Signals, name: bytes) -> None:
        self._signals = signals
        self._name = name
        self._heard = False
        self._future: asyncio.Future[bool] | None = None

    def __enter__(self) -> Listener:
        self._signals.listeners.setdefault(self._name, set()).add(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        there = self._signals.listeners.get(self._name)
        if there is not None:
            there.discard(self)
            if not there:
                del self._signals.listeners[self._name]

    def wake(self) -> None:
        """Called by the signal."""
        self._heard = True
        self._finish()

    def _finish(self) -> None:
        if self._future is not None and not self._future.done():
            self._future.set_result(self._heard)

    async def wait(self, until: float | None = None) -> bool:
        """True when signalled since the last wait, False when cloud time reached `until`."""
        if not self._heard:
            self._future = asyncio.get_running_loop().create_future()
            timer = self._signals.clock.call_at(until, self._finish) if until is not None else None
            try:
                await self._future
            finally:
                self._future = None
                if timer is not None:
                    timer.cancel()
        heard, self._heard = self._heard, False
        return heard


class Signals:
    """All listeners of this node."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.listeners: dict[bytes, set[Listener]] = {}

    def deliver(self, name: bytes) -> None:
        """Wake everyone who listens to this name; the store calls it after commits, on the loop."""
        if not name:  # signals of other nodes may have been missed: everyone looks again
            for listeners in tuple(self.listeners.values()):
                for listener in tuple(listeners):
                    listener.wake()
            return
        for listener in tuple(self.listeners.get(name, ())):
            listener.wake()

    def listen(self, name: str) -> Listener:
        """A listener to use in a `with`."""
        return Listener(self, name.encode())
