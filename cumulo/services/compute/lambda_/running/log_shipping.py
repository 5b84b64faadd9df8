"""What environments write, on its way to CloudWatch Logs: gathered for a moment, sent with the rights of the role.

A role that may not write logs leaves its function without them, as on AWS. Lines are kept in memory until they are
sent: a crash loses the last of them, never an answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any

from cumulo.core.callers import role_sessions
from cumulo.core.errors import Fault
from cumulo.services.compute.lambda_.running.log_batches import batches

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.policy.principals import Principal
    from cumulo.core.runtime import Runtime
    from cumulo.engines.environments.builds import Build, LogLine
    from cumulo.services.compute.lambda_.stored.versions import Version

FLUSH_S = 0.2
SESSION_S = 2700.0
MOST_KEPT = 100_000  # lines of all streams: what comes on top of them is dropped until Logs has taken some
MOST_CHARACTERS = 64 << 20  # of all streams
_KEY = "lambda.log_shipping"
STREAM_SHARE = 4  # a stream may have this part of either, so that one which never ends leaves room for the others


async def shipped(runtime: Runtime) -> None:
    """Wait until CloudWatch Logs has what functions of this process have written until now, or has refused it."""
    shipping = runtime.memory.get(_KEY)
    if shipping is not None:
        await shipping.flush()


class Shipment:
    """The log stream of one environment."""

    __slots__ = ("_lines", "_shipping", "_size", "account", "group", "made", "name", "region", "role", "stream")

    def __init__(self, shipping: LogShipping, version: Version, build: Build) -> None:
        self.account = version.account
        self.region = version.region
        self.role = version.role
        self.name = version.name
        self.group = build.log_group
        self.stream = build.log_stream
        self.made = False  # whether Logs has the stream
        self._shipping = shipping
        self._lines: list[LogLine] = []
        self._size = 0

    def add(self, lines: list[LogLine]) -> None:
        """Take lines that the environment has written."""
        size = sum(len(line.text) for line in lines)
        full = len(self._lines) * STREAM_SHARE > MOST_KEPT or self._size * STREAM_SHARE > MOST_CHARACTERS
        if not full and self._shipping.accepts(self, len(lines), size):
            self._lines += lines
            self._size += size

    def take(self) -> tuple[list[LogLine], int]:
        """The lines that are to be sent, and how many characters they are."""
        lines, self._lines = self._lines, []
        size, self._size = self._size, 0
        return lines, size


class LogShipping:
    """All streams of this process."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._full: dict[Shipment, None] = {}
        self._kept = self._characters = 0
        self._sending: asyncio.Task[None] | None = None
        self._flushing = asyncio.Lock()
        self._closing = asyncio.Event()
        self._sessions: dict[str, tuple[Principal, float]] = {}
        self._there = "logs" in runtime.registry.names
        runtime.memory[_KEY] = self

    def open(self, version: Version, build: Build) -> Shipment:
        """The stream of an environment that is about to start."""
        return Shipment(self, version, build)

    def accepts(self, shipment: Shipment, count: int, size: int) -> bool:
        """Whether there is room for so many more lines, of so many characters; they are sent soon."""
        if not self._there or self._kept > MOST_KEPT or self._characters > MOST_CHARACTERS:
            return False
        self._kept += count
        self._characters += size
        self._full[shipment] = None
        if self._sending is None:
            self._sending = asyncio.get_running_loop().create_task(self._send_soon())
        return True

    async def _send_soon(self) -> None:
        try:
            while self._full:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._closing.wait(), FLUSH_S)
                await self.flush()
        finally:
            self._sending = None

    async def flush(self) -> None:
        """Send what is there, after what is on its way."""
        async with self._flushing:
            await self._flush()

    async def _flush(self) -> None:
        full, self._full = self._full, {}
        for shipment in full:
            lines, size = shipment.take()
            self._kept -= len(lines)
            self._characters -= size
            try:
                await self._send(shipment, lines)
            except Exception as error:  # a role without the right to write logs is not worth a warning
                level = logging.DEBUG if isinstance(error, Fault) else logging.WARNING
                text = "the log lines of %s could not be written: %s"
                self._runtime.logger("lambda").log(level, text, shipment.name, error)

    async def _send(self, shipment: Shipment, lines: list[LogLine]) -> None:
        ctx = self._runtime.internal_context("lambda", "PutLogEvents", shipment.account, shipment.region)
        await self._runtime.registry.load("logs")
        principal = await self._session(ctx, shipment)
        acting = await ctx.transact(lambda ctx: role_sessions.context(ctx, principal, "logs", "PutLogEvents"))
        acting.enter(None)
        for events in batches(lines):
            await self._put(acting, shipment, events)

    async def _put(self, acting: Context, shipment: Shipment, events: list[dict[str, Any]]) -> None:
        names = {"logGroupName": shipment.group, "logStreamName": shipment.stream}
        if not shipment.made:
            await self._make(acting, names)
            shipment.made = True
        try:
            await acting.aws.logs.put_log_events({**names, "logEvents": events})
        except Fault as fault:
            if fault.code != "ResourceNotFoundException":
                raise
            await self._make(acting, names)  # somebody has deleted the group or the stream
            await acting.aws.logs.put_log_events({**names, "logEvents": events})

    async def _make(self, acting: Context, names: dict[str, str]) -> None:
        try:
            await acting.aws.logs.create_log_stream(names)
        except Fault as fault:
            if fault.code == "ResourceAlreadyExistsException":
                return
            if fault.code != "ResourceNotFoundException":
                raise
            await self._make_group(acting, names["logGroupName"])
            await acting.aws.logs.create_log_stream(names)

    async def _make_group(self, acting: Context, group: str) -> None:
        try:
            await acting.aws.logs.create_log_group({"logGroupName": group})
        except Fault as fault:
            if fault.code != "ResourceAlreadyExistsException":
                raise

    async def _session(self, ctx: Context, shipment: Shipment) -> Principal:
        """The role's session, one for all of a function's streams, renewed before it ends."""
        key = f"{shipment.role} {shipment.name}"
        known = self._sessions.get(key)
        if known is not None and known[1] > ctx.now():
            return known[0]
        if len(self._sessions) > 1024:
            self._sessions.clear()
        principal = await ctx.transact(lambda ctx: role_sessions.assume(ctx, shipment.role, "lambda", shipment.name))
        self._sessions[key] = principal, ctx.now() + SESSION_S
        return principal

    async def close(self) -> None:
        """Send the rest; what is on its way arrives."""
        self._closing.set()
        if self._sending is not None:
            await self._sending
