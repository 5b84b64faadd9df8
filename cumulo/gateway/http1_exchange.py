"""One request on an HTTP/1 connection, and the bytes of its answer."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from cumulo.gateway.answers import declared_length, head
from cumulo.gateway.bodies import Disconnected
from cumulo.gateway.exchange import ANSWERED, FRESH, LOST, Exchange
from cumulo.wire.http import Request

if TYPE_CHECKING:
    from cumulo.gateway.http1_messages import Messages
    from cumulo.gateway.websocket import WebSocket

# Below this, one copy is cheaper than a second write.
_JOIN_MOST = 64 * 1024


class Http1Exchange(Exchange):
    """See Exchange. `keep_alive`: whether the connection may serve another request."""

    __slots__ = ("_chunked", "_connection", "_socket", "keep_alive", "received", "started")

    def __init__(self, connection: "Messages", request: Request, keep_alive: bool) -> None:
        # The base's fields are set here: one call less on the hottest path there is.
        self.request = request
        self.page = 0
        self.websocket = False
        self._state = FRESH
        self._stream = None
        self._refusal = None
        self._extra = None
        self._task = None
        self._disconnect = None
        self._half_close = None
        self._halved = False
        self._bodiless = False
        self._left = None
        self._connection = connection
        self.keep_alive = keep_alive
        self.received = False
        self.started = connection._server.now
        self._chunked = False
        self._socket: WebSocket | None = None

    def _tail(self, length: int | None) -> str:
        """Our own fields, and the end of the head. Length None: chunked, or until the close."""
        connection = self._connection
        if not self.received:
            self.keep_alive = False  # the rest of its body would be read as a request
        keep = self.keep_alive and not connection._server.draining
        tail = connection._server.date.line()
        if length is not None:
            tail += f"Content-Length: {length}\r\n"
        if not keep:
            self.keep_alive = False
            return tail + "Connection: close\r\n\r\n"
        if self.request.http_version == "1.0":
            return tail + "Connection: keep-alive\r\n\r\n"
        return tail + "\r\n"

    def respond(self, status: int, headers: list[tuple[str, str]], body: bytes = b"") -> None:
        if self._state != FRESH:
            if self._state == LOST:
                return
            raise RuntimeError("this request has been answered")
        self._state = ANSWERED
        if self._extra is not None:
            headers = self._with_extra(headers)
        connection = self._connection
        length: int | None = len(body)
        if status < 200 or status == 204 or status == 304:
            length = None
            body = b""
        elif self.request.method == "HEAD":
            declared = declared_length(headers)
            length = length if declared is None else declared
            body = b""
        top = head(status, headers, self._tail(length))
        if len(body) < _JOIN_MOST:
            connection._answer(top + body)
        else:
            connection._send(top)
            connection._send(body)
        connection.finished(self)

    async def begin(self, status: int, headers: list[tuple[str, str]]) -> None:
        headers, empty = self._started(status, headers)
        length = self._left
        if length is None and not empty:
            if self.request.http_version == "1.0":
                self.keep_alive = False
            else:
                self._chunked = True
        tail = self._tail(None if empty else length)
        if self._chunked:
            tail = "Transfer-Encoding: chunked\r\n" + tail
        self._connection._send(head(status, headers, tail))

    async def write(self, data: bytes) -> None:
        self._check_begun()
        if self._bodiless or not data:
            return
        connection = self._connection
        if self._chunked:
            size = b"%x\r\n" % len(data)
            if len(data) < _JOIN_MOST:
                connection._send(size + data + b"\r\n")
            else:
                connection._send(size)
                connection._send(data)
                connection._send(b"\r\n")
        else:
            self._count(len(data))
            connection._send(data)
        if connection._writing_paused:
            await connection.drained()

    async def end(self) -> None:
        self._ended()
        if self._chunked and not self._bodiless:
            self._connection._send(b"0\r\n\r\n")
        self._connection.finished(self)

    async def send_file(self, file: int | Path, offset: int, count: int) -> None:
        self._check_begun()
        if self._bodiless or count == 0:
            return
        from cumulo.gateway import files

        if self._chunked:
            self._connection._send(b"%x\r\n" % count)
        else:
            self._count(count)
        descriptor = file if isinstance(file, int) else os.open(file, os.O_RDONLY)
        try:
            await files.send(self._connection, descriptor, offset, count)
        except EOFError:
            self._abort()
            raise
        finally:
            if not isinstance(file, int):
                os.close(descriptor)
        if self._chunked:
            self._connection._send(b"\r\n")

    async def accept_websocket(
        self, *, subprotocol: str | None = None, headers: Iterable[tuple[str, str]] = ()
    ) -> "WebSocket":
        if not self.websocket:
            raise RuntimeError("this request is no WebSocket handshake")
        if self._state == LOST:
            raise Disconnected("the client closed the connection")
        if self._state != FRESH:
            raise RuntimeError("this request has been answered")
        from cumulo.gateway.websocket import accept

        self._state = ANSWERED
        self._socket = accept(self._connection, self, subprotocol, list(headers))
        return self._socket

    def _crashed(self, error: BaseException) -> None:
        super()._crashed(error)
        if self._socket is not None:
            self._socket.end(1011, "internal error")

    def _abort(self) -> None:
        self._state = LOST
        self._connection.transport.abort()
