"""All the environments of one cloud: the zygotes that fork them, and how many start at a time."""

from __future__ import annotations

import logging
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

from cumulo.engines.environments.builds import Build, LogLine, StartFailed
from cumulo.engines.environments.environment import Environment

Adopt = Callable[[socket.socket], Awaitable[Callable[[], None]]]
"""Serve the cloud on a listening socket that is inside an environment; gives what stops it."""
OnLog = Callable[[list[LogLine]], None]


class Environments:
    """Starts environments. Nothing is loaded or started before the first function asks."""

    def __init__(
        self,
        data_dir: Path,
        logger: logging.Logger,
        now: Callable[[], float],
        wall: Callable[[], float],
        adopt: Adopt | None = None,
    ) -> None:
        """`now` is the cloud's time, for log lines; `wall` the real one, for deadlines; both in seconds."""
        self._data_dir = data_dir
        self._logger = logger
        self._now = now
        self._wall = wall
        self._adopt = adopt

    async def start(self, build: Build, on_log: OnLog, log_stream: str = "") -> Environment:
        """A new environment after its INIT phase; an init that failed is repeated by its first invocation, as on AWS.

        Waits for its turn: few start at a time. Raises RuntimeMissing and StartFailed.
        """
        raise StartFailed("environments are not there yet")

    async def close(self) -> None:
        """Stop everything: environments by SHUTDOWN, then their zygotes."""
