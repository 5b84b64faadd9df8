"""A file's bytes straight from the page cache into the socket.

`loop.sendfile` exists on asyncio's loops only; os.sendfile on a duplicate of the socket works on
uvloop as well, because neither loop knows the duplicate as a transport's descriptor.
"""

import asyncio
import os
from typing import TYPE_CHECKING

from cumulo.gateway.bodies import Disconnected

if TYPE_CHECKING:
    from cumulo.gateway.http1_messages import Messages

_AT_ONCE = 1024 * 1024  # then the loop gets its turn
_PIECE = 256 * 1024


async def send(connection: "Messages", descriptor: int, offset: int, count: int) -> None:
    """Send bytes of an open file. Raises EOFError if the file is shorter, Disconnected."""
    if connection._scheme == "https" or not hasattr(os, "sendfile"):
        await _copy(connection, descriptor, offset, count)
    else:
        await _sendfile(connection, descriptor, offset, count)


async def _copy(connection: "Messages", descriptor: int, offset: int, count: int) -> None:
    loop = connection._server.loop
    while count:
        piece = await loop.run_in_executor(None, os.pread, descriptor, min(count, _PIECE), offset)
        if not piece:
            raise EOFError("the file is shorter than the answer says")
        await connection.drained()
        connection._send(piece)
        offset += len(piece)
        count -= len(piece)
    await connection.drained()


async def _sendfile(connection: "Messages", descriptor: int, offset: int, count: int) -> None:
    transport = connection.transport
    # Everything written before must be in the kernel first: with a mark of 0, drained means empty.
    transport.set_write_buffer_limits(high=0)
    try:
        await connection.drained()
    finally:
        transport.set_write_buffer_limits()
    socket = os.dup(transport.get_extra_info("socket").fileno())
    try:
        while count:
            try:
                sent = os.sendfile(socket, descriptor, offset, min(count, _AT_ONCE))
            except BlockingIOError:
                await _writable(connection, socket)
                continue
            except (BrokenPipeError, ConnectionResetError):  # the kernel knows it before the transport does
                raise Disconnected("the client closed the connection") from None
            if sent == 0:
                raise EOFError("the file is shorter than the answer says")
            offset += sent
            count -= sent
            if sent == _AT_ONCE:
                await asyncio.sleep(0)
    finally:
        os.close(socket)


async def _writable(connection: "Messages", socket: int) -> None:
    server = connection._server
    waiter = server.loop.create_future()
    connection._drain_waiters.append(waiter)  # so that a lost connection ends the wait
    connection.deadline = server.now + server.limits.write_timeout_s
    server.loop.add_writer(socket, _set, waiter)
    try:
        await waiter
    finally:
        server.loop.remove_writer(socket)
        connection.deadline = float("inf")


def _set(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_result(None)
