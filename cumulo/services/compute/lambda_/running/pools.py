"""The environments of one version: who is free, who waits for one, how many are being started."""

from __future__ import annotations

import asyncio
import collections
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from cumulo.engines.environments.environment import Environment


class Place(NamedTuple):
    """Whose environments: those of one version of a function, and of one tenant where tenants are kept apart."""

    account: str
    region: str
    name: str
    version: str
    tenant: str = ""


class Slot:
    """One environment in a pool. Times are cloud time in seconds."""

    __slots__ = ("environment", "idle_since", "pool", "provisioned", "started_at")

    def __init__(self, pool: Pool, environment: Environment, started_at: float, provisioned: bool) -> None:
        self.pool = pool
        self.environment = environment
        self.started_at = started_at
        self.idle_since = started_at
        self.provisioned = provisioned


class Pool:
    """The environments of one version as it stands at one revision; a later revision gets a pool of its own."""

    __slots__ = (
        "busy",
        "idle",
        "place",
        "provisioned",
        "ready",
        "retired",
        "revision",
        "starting",
        "waiting",
        "wanted",
    )

    def __init__(self, place: Place, revision: str) -> None:
        self.place = place
        self.revision = revision
        self.idle: list[Slot] = []  # on demand; the one that was used last comes last
        self.ready: list[Slot] = []  # provisioned ones that are free
        self.busy: set[Slot] = set()
        self.starting = 0
        self.waiting: collections.deque[asyncio.Future[Slot]] = collections.deque()
        self.provisioned = 0  # provisioned ones, free or busy
        self.wanted = 0  # as many should be
        self.retired = False

    @property
    def empty(self) -> bool:
        """Whether nothing is here or on its way."""
        return not (self.idle or self.ready or self.busy or self.starting or self.waiting or self.wanted)

    def hand_over(self, slot: Slot) -> bool:
        """Give a free environment to whoever waits longest; False when nobody does."""
        while self.waiting:
            future = self.waiting.popleft()
            if not future.done():
                self.busy.add(slot)
                future.set_result(slot)
                return True
        return False

    def refuse(self, error: Exception) -> None:
        """A start failed: whoever waits longest is told."""
        while self.waiting:
            future = self.waiting.popleft()
            if not future.done():
                future.set_exception(error)
                return
