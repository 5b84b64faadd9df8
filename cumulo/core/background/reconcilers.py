"""Runs each service's reconcilers: idempotent functions that make what is real what is desired."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cumulo.core.operation import ReconcilerMark

if TYPE_CHECKING:
    from cumulo.core.discovery import ServiceCode
    from cumulo.core.runtime import Runtime

RETRY_S = 10.0


class Reconcilers:
    """One loop per reconciler of every loaded service."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._loops: list[asyncio.Task[None]] = []
        self._event_loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._rounds = 0

    @property
    def busy(self) -> bool:
        """Whether any of them is at work now, not waiting for its time."""
        return self._rounds > 0

    def open(self) -> None:
        """Remember the loop on which all of them run."""
        self._event_loop = asyncio.get_running_loop()

    def add(self, code: ServiceCode) -> None:
        """Start the reconcilers of a service that was just loaded, maybe by a transaction in a thread of its own."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            if self._event_loop is not None:
                self._event_loop.call_soon_threadsafe(self.add, code)
            return
        if self._closed:  # what a service does while the cloud closes may be the first use of another
            return
        for function, mark in code.reconcilers:
            running = asyncio.get_running_loop().create_task(self._loop(code.name, function, mark))
            self._loops.append(running)

    async def _loop(self, service: str, function: Callable[..., Any], mark: ReconcilerMark) -> None:
        runtime = self._runtime
        with runtime.signals.listen(mark.signal or f"reconcile {service}.{function.__name__}") as heard:
            while True:
                wait_s = mark.every_s
                self._rounds += 1
                try:
                    await function(runtime.internal_context(service, function.__name__, "", ""))
                except Exception:
                    runtime.logger(service).exception("the reconciler %s failed and goes on", function.__name__)
                    wait_s = min(RETRY_S, wait_s)
                finally:
                    self._rounds -= 1
                if self._closed:  # its cancellation was lost on the way: asyncio.wait_for of Python 3.11 can do that
                    return
                await heard.wait(runtime.clock.now() + wait_s)

    async def close(self) -> None:
        """Stop all loops, for good."""
        self._closed = True
        for running in self._loops:
            running.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
