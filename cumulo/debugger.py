"""Debuggers of functions: what an IDE says on its own connection goes to where the function's runtime listens.

A connection begins with "cumulo-debug ACCOUNT REGION FUNCTION" and a line feed. It is answered with "ok" and a line
feed as soon as the function has an environment that waits for a debugger, and is the debugger's from then on. Only a
client on this machine may have one, of a cloud that takes everybody there for its root user anyway.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import TYPE_CHECKING

from cumulo.services.compute.lambda_.running import fleet

if TYPE_CHECKING:
    from cumulo.core.runtime import Runtime
    from cumulo.gateway.streams import Stream

GREETING = b"cumulo-debug "
LOOK_S = 0.05
LONGEST_LINE_B = 512
PIECE_B = 65_536


class Session:
    """One connection of a debugger."""

    def __init__(self, runtime: Runtime, stream: Stream) -> None:
        self._runtime = runtime
        self._stream = stream

    async def run(self) -> None:
        """Serve it until either side ends."""
        line = b""
        while b"\n" not in line:
            more = await self._stream.more()
            line += more
            if not more or len(line) > LONGEST_LINE_B:
                return
        head, _, early = line.partition(b"\n")
        words = head.decode("utf-8", "replace").split(" ")
        if len(words) != 4 or not self._runtime.local_keys or not ipaddress.ip_address(self._stream.peer).is_loopback:
            self._stream.write(b"refused: only where the cloud listens on loopback alone\n")
            return
        _, account, region, name = words
        inside = await self._environment(account, region, name)
        with inside:
            self._stream.write(b"ok\n")
            await self._carry(inside, early)

    async def _environment(self, account: str, region: str, name: str) -> socket.socket:
        """Where the function's runtime listens, once it does."""
        ctx = self._runtime.internal_context("lambda", "AttachDebugger", account, region)
        found = fleet.of(ctx)
        while True:
            try:
                return await found.connect_debugger(f"arn:{ctx.partition}:lambda:{region}:{account}:function:{name}")
            except ConnectionError:
                await asyncio.sleep(LOOK_S)
                if self._stream.transport.is_closing():
                    raise

    async def _carry(self, inside: socket.socket, early: bytes) -> None:
        loop = asyncio.get_running_loop()

        async def outwards() -> None:
            while data := await loop.sock_recv(inside, PIECE_B):
                self._stream.write(data)
                await self._stream.drained()

        async def inwards() -> None:
            data = early or await self._stream.more()
            while data:
                await loop.sock_sendall(inside, data)
                data = await self._stream.more()

        ways = [asyncio.ensure_future(outwards()), asyncio.ensure_future(inwards())]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
