"""One request on an HTTP/2 stream, and the frames of its answer."""

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

from h2.errors import ErrorCodes
from h2.exceptions import H2Error

from cumulo.gateway.answers import clean_fields, declared_length
from cumulo.gateway.bodies import Disconnected
from cumulo.gateway.exchange import ANSWERED, FRESH, LOST, Exchange
from cumulo.wire.http import Request

if TYPE_CHECKING:
    from cumulo.gateway.http2 import Http2

_FILE_PIECE = 256 * 1024


class Http2Exchange(Exchange):
    """See Exchange. `number` is the stream's."""

    __slots__ = (
        "_connection",
        "_window",
        "blocked_since",
        "last_data",
        "number",
        "received",
        "started",
    )

    def __init__(self, connection: "Http2", number: int, request: Request) -> None:
        super().__init__(request)
        self._connection = connection
        self._window: asyncio.Future[None] | None = None
        self.number = number
        self.received = False
        self.started = self.last_data = connection._server.now
        self.blocked_since: float | None = None  # loop time since which the client's window is shut

    def respond(self, status: int, headers: list[tuple[str, str]], body: bytes = b"") -> None:
        if self._state != FRESH:
            if self._state == LOST:
                return
            raise RuntimeError("this request has been answered")
        self._state = ANSWERED
        headers = self._with_extra(headers)
        length: int | None = len(body)
        if status < 200 or status == 204 or status == 304:
            length, body = None, b""
        elif self.request.method == "HEAD":
            declared = declared_length(headers)
            length, body = (length if declared is None else declared), b""
        connection = self._connection
        try:
            self._send_head(status, headers, length, end=not body)
            if body and len(body) <= self._room():
                connection.h2.send_data(self.number, body, end_stream=True)
                body = b""
        except H2Error:
            connection.cut(self, ErrorCodes.INTERNAL_ERROR)
            return
        if body:
            connection.flush()
            task = connection._server.loop.create_task(self._send_rest(body))
            connection._server.tasks.add(task)
            task.add_done_callback(connection._server.tasks.discard)
        else:
            connection.finished(self)

    async def _send_rest(self, body: bytes) -> None:
        try:
            await self._send(body, end=True)
        except Disconnected:
            return
        self._connection.finished(self)

    def _send_head(self, status: int, headers: list[tuple[str, str]], length: int | None, *, end: bool) -> None:
        fields = [(":status", str(status)), *clean_fields(headers), ("date", self._connection._server.date.value())]
        if length is not None:
            fields.append(("content-length", str(length)))
        self._connection.h2.send_headers(self.number, fields, end_stream=end)

    def _room(self) -> int:
        """How much one frame may carry now."""
        h2 = self._connection.h2
        return min(h2.local_flow_control_window(self.number), h2.max_outbound_frame_size)

    async def _send(self, data: bytes, *, end: bool) -> None:
        connection = self._connection
        view = memoryview(data)
        while view:
            if self._state == LOST or connection.lost:
                raise Disconnected("the client is gone")
            try:
                room = self._room()
                if room > 0:
                    piece = view[:room]
                    view = view[room:]
                    connection.h2.send_data(self.number, bytes(piece), end_stream=end and not view)
            except H2Error as error:
                raise Disconnected(f"the stream is closed: {error}") from error
            if room <= 0:
                await self._opened()
            else:
                connection.flush()
                await connection.drained()

    async def _opened(self) -> None:
        connection = self._connection
        connection.flush()
        self._window = connection._server.loop.create_future()
        self.blocked_since = connection._server.now
        connection.arm()
        try:
            await self._window
        finally:
            self._window = None
            self.blocked_since = None

    def window_opened(self) -> None:
        if self._window is not None and not self._window.done():
            self._window.set_result(None)

    async def begin(self, status: int, headers: list[tuple[str, str]]) -> None:
        headers, empty = self._started(status, headers)
        try:
            self._send_head(status, headers, None if empty else self._left, end=False)
        except H2Error as error:
            raise Disconnected(f"the stream is closed: {error}") from error
        self._connection.flush()

    async def write(self, data: bytes) -> None:
        self._check_begun()
        if self._bodiless or not data:
            return
        self._count(len(data))
        await self._send(data, end=False)

    async def end(self) -> None:
        self._ended()
        try:
            self._connection.h2.end_stream(self.number)
        except H2Error as error:
            raise Disconnected(f"the stream is closed: {error}") from error
        self._connection.finished(self)

    async def send_file(self, file: int | Path, offset: int, count: int) -> None:
        loop = self._connection._server.loop
        descriptor = file if isinstance(file, int) else os.open(file, os.O_RDONLY)
        try:
            while count and not self._bodiless:
                piece = await loop.run_in_executor(None, os.pread, descriptor, min(count, _FILE_PIECE), offset)
                if not piece:
                    self._abort()
                    raise EOFError("the file is shorter than the answer says")
                await self.write(piece)
                offset += len(piece)
                count -= len(piece)
        finally:
            if not isinstance(file, int):
                os.close(descriptor)

    def lose(self, error: BaseException) -> None:
        """The client cancelled the stream, or is gone."""
        self._lose(error)
        self._state = LOST
        if self._window is not None and not self._window.done():
            self._window.set_exception(error)

    def _abort(self) -> None:
        self._connection.cut(self, ErrorCodes.INTERNAL_ERROR)
