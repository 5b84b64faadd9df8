"""What a new connection speaks: one port serves HTTP/1, HTTP/2, TLS and others, told apart by the first bytes."""

import asyncio
from typing import TYPE_CHECKING, Any

from cumulo.gateway.http1 import Http1
from cumulo.gateway.http1_messages import NEVER

if TYPE_CHECKING:
    from cumulo.gateway.server import Server
    from cumulo.gateway.tls import Authority

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_TLS_HANDSHAKE = 0x16


class Doorway(asyncio.Protocol):
    """A connection that has not spoken yet. It becomes Http1, Http2, a Stream, or a TLS layer with one of them."""

    __slots__ = ("_lost", "_scheme", "_seen", "_server", "deadline", "transport")

    def __init__(self, server: "Server", scheme: str = "http") -> None:
        self._server = server
        self._scheme = scheme
        self._seen = b""
        self._lost = False
        self.transport: Any = None
        self.deadline = NEVER

    def connection_made(self, transport: Any) -> None:
        server = self._server
        self.transport = transport
        if not server.admit():
            transport.abort()
            return
        self.deadline = server.now + server.limits.header_timeout_s
        server.opened(self)

    def data_received(self, data: bytes) -> None:
        if self._seen:
            data = self._seen + data
        first = data[0]
        if first == _TLS_HANDSHAKE and self._server.authority is not None and self._scheme == "http":
            self._seen = data
            self._enter_tls(self._server.authority)
        elif first in self._server.greetings:
            self._greeted(data)
        elif first != _PREFACE[0] or not (data.startswith(_PREFACE) or _PREFACE.startswith(data)):
            self._become(Http1(self._server, self._scheme), data)
        elif len(data) < len(_PREFACE):
            self._seen = data
        else:
            from cumulo.gateway.http2 import Http2

            self._become(Http2(self._server, self._scheme), data)

    def _greeted(self, data: bytes) -> None:
        greeting, serve = self._server.greetings[data[0]]
        if data.startswith(greeting):
            from cumulo.gateway.streams import Stream

            self._become(Stream(self._server, serve, self._scheme), data)
        elif greeting.startswith(data):
            self._seen = data
        else:
            self._become(Http1(self._server, self._scheme), data)

    def _become(self, protocol: Any, data: bytes) -> None:
        self._server.closed(self)
        transport = self.transport
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        protocol.data_received(data)

    def _enter_tls(self, authority: "Authority") -> None:
        """Load TLS; the very first time that means certificates are made, off the loop."""
        if authority.ready:
            self._start_tls(authority)
            return
        self.transport.pause_reading()
        task = self._server.loop.create_task(asyncio.to_thread(authority.prepare))
        self._server.tasks.add(task)
        task.add_done_callback(lambda done: self._tls_ready(authority, done))

    def _tls_ready(self, authority: "Authority", task: "asyncio.Task[None]") -> None:
        self._server.tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._server.log_failure("the TLS certificates could not be made", error)
        if error is not None or task.cancelled() or self._lost:
            self.transport.abort()
            return
        self._start_tls(authority)
        self.transport.resume_reading()

    def _start_tls(self, authority: "Authority") -> None:
        from cumulo.gateway.tls import TlsLayer

        self._become(TlsLayer(self._server, authority), self._seen)

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, error: BaseException | None) -> None:
        self._lost = True
        self._server.closed(self)

    def timed_out(self) -> None:
        self.transport.abort()

    def drain(self) -> None:
        self.transport.close()

    def abort(self) -> None:
        self.transport.abort()
