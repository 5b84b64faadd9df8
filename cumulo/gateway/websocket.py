"""The server side of a WebSocket (RFC 6455, with permessage-deflate), on wsproto."""

import asyncio
import contextlib
from collections import deque
from typing import TYPE_CHECKING, Any

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Ping,
    TextMessage,
)
from wsproto.events import Request as Handshake
from wsproto.extensions import PerMessageDeflate
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from cumulo.gateway.answers import refusal
from cumulo.gateway.bodies import Disconnected
from cumulo.gateway.exchange import FRESH

if TYPE_CHECKING:
    from cumulo.gateway.http1_exchange import Http1Exchange
    from cumulo.gateway.http1_messages import Messages

# Compressed bytes are taken in small steps: each may grow a thousandfold before we can count it.
_STEP = 4096
_MESSAGE_COST = 128


class WebSocketClosed(Disconnected):
    """The WebSocket has ended. `code` and `reason` as RFC 6455 has them; 1006: without a close."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(f"WebSocket closed with {code} {reason}".rstrip())
        self.code = code
        self.reason = reason


def accept(
    http: "Messages", exchange: "Http1Exchange", subprotocol: str | None, headers: list[tuple[str, str]]
) -> "WebSocket":
    """Answer the handshake and take the connection over. A bad handshake is answered with 400."""
    connection = WSConnection(ConnectionType.SERVER)
    request = exchange.request
    try:
        # wsproto reads names in lower case.
        raw = [(name.lower(), value) for name, value in request.headers.raw]
        connection.initiate_upgrade_connection(raw, request.target)
        event = next(connection.events())
        if not isinstance(event, Handshake):
            raise RemoteProtocolError("no handshake")
    except (RemoteProtocolError, LocalProtocolError) as error:
        exchange._state = FRESH
        status, fields, body = refusal(request, 400, "BadRequest", f"Bad WebSocket handshake: {error}.")
        exchange.respond(status, [*fields, ("Sec-WebSocket-Version", "13")], body)
        raise Disconnected("the client's WebSocket handshake was malformed") from None
    if subprotocol is not None and subprotocol not in event.subprotocols:
        subprotocol = None
    extra = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in exchange._with_extra(headers)]
    extensions: list[Any] = [PerMessageDeflate()]
    answer = connection.send(AcceptConnection(subprotocol=subprotocol, extensions=extensions, extra_headers=extra))
    socket = WebSocket(http, connection, subprotocol)
    rest = http.hand_over(socket)
    socket.take_over(answer, rest)
    return socket


class WebSocket(asyncio.Protocol):
    """An open WebSocket: `receive`, `send`, `close`. Pings are answered here.

    Messages wait for `receive` only up to a bound; then the client is not read any more.
    """

    def __init__(self, http: "Messages", connection: WSConnection, subprotocol: str | None) -> None:
        self.subprotocol = subprotocol
        self.closed: WebSocketClosed | None = None
        self.deadline = float("inf")
        self.transport: Any = http.transport
        self._server = http._server
        self._limit = self._server.limits.websocket_message_bytes
        self._connection = connection
        self._parts: list[str | bytes] = []
        self._part_bytes = 0
        self._messages: deque[str | bytes] = deque()
        self._message_bytes = 0
        self._receiver: asyncio.Future[None] | None = None
        self._drain_waiters: list[asyncio.Future[None]] = []
        self._unread: deque[bytes] = deque()  # bytes that wait for room among the messages
        self._writing_paused = False
        self._unsent = 0
        self._working = False

    # -- the application's side

    async def receive(self) -> str | bytes:
        """The next message: text as str, binary as bytes. Raises WebSocketClosed at the end."""
        while not self._messages:
            if self.closed is not None:
                raise self.closed
            self._receiver = self._server.loop.create_future()
            try:
                await self._receiver
            finally:
                self._receiver = None
        message = self._messages.popleft()
        self._message_bytes -= len(message) + _MESSAGE_COST
        if self._message_bytes <= self._limit // 2 and not self._writing_paused:
            self._work()
        return message

    async def send(self, message: str | bytes) -> None:
        """Send a text (str) or binary (bytes) message; waits while the client is slow."""
        if self.closed is not None:
            raise self.closed
        event = TextMessage(data=message) if isinstance(message, str) else BytesMessage(data=bytes(message))
        self.transport.write(self._connection.send(event))
        await self._drained()

    async def ping(self, payload: bytes = b"") -> None:
        """Send a ping, to keep proxies from closing an idle connection."""
        if self.closed is not None:
            raise self.closed
        self.transport.write(self._connection.send(Ping(payload=payload)))
        await self._drained()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Start the closing handshake. Calling it again does nothing."""
        self.end(code, reason)

    def end(self, code: int, reason: str = "") -> None:
        """`close` for callers that cannot wait."""
        if self.closed is None:
            with contextlib.suppress(LocalProtocolError):
                self.transport.write(self._connection.send(CloseConnection(code=code, reason=reason[:120])))
            self.deadline = self._server.now + self._server.limits.linger_timeout_s
            self._set_closed(WebSocketClosed(code, reason))
            self.transport.resume_reading()

    async def _drained(self) -> None:
        if self._writing_paused:
            waiter = self._server.loop.create_future()
            self._drain_waiters.append(waiter)
            await waiter

    # -- the transport calls

    def take_over(self, answer: bytes, rest: bytes) -> None:
        self._server.opened(self)
        self.transport.write(answer)
        self.transport.resume_reading()
        if rest:
            self.data_received(rest)

    def data_received(self, data: bytes) -> None:
        self._unread.extend(data[start : start + _STEP] for start in range(0, len(data), _STEP))
        self._work()

    def _work(self) -> None:
        """Read on as far as there is room for messages and for our pongs."""
        if self._working:
            return
        self._working = True
        while self._unread and self._message_bytes <= self._limit and not self._writing_paused:
            self._understand(self._unread.popleft())
        self._working = False
        if self.transport.is_closing():
            return
        if self._unread:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    def _understand(self, data: bytes) -> None:
        try:
            self._connection.receive_data(data)
            for event in self._connection.events():
                if isinstance(event, (TextMessage, BytesMessage)):
                    self._message(event)
                elif isinstance(event, Ping):
                    self._answer(self._connection.send(event.response()))
                elif isinstance(event, CloseConnection):
                    self._closing(event)
        except RemoteProtocolError as error:
            hint = error.event_hint
            code = hint.code if isinstance(hint, CloseConnection) else 1002
            self.end(code, str(error))
            self._unread.clear()
            self.transport.close()
        except LocalProtocolError:
            self._unread.clear()
            self.transport.close()

    def _answer(self, data: bytes) -> None:
        if self.closed is None:
            self.transport.write(data)

    def _message(self, event: TextMessage | BytesMessage) -> None:
        if self.closed is not None:
            return
        data: str | bytes = event.data if isinstance(event.data, str) else bytes(event.data)
        self._part_bytes += len(data)
        if self._part_bytes > self._limit:
            self._parts = []
            self.end(1009, f"a message may have {self._limit} bytes at most")
            return
        self._parts.append(data)
        if not event.message_finished:
            if len(self._parts) > 64:  # many tiny fragments become one
                self._parts = [_joined(self._parts)]
            return
        message = _joined(self._parts)
        self._parts = []
        self._part_bytes = 0
        self._messages.append(message)
        self._message_bytes += len(message) + _MESSAGE_COST
        self._wake()

    def _closing(self, event: CloseConnection) -> None:
        if self.closed is None:
            with contextlib.suppress(LocalProtocolError):
                self.transport.write(self._connection.send(event.response()))
            self._set_closed(WebSocketClosed(event.code, event.reason or ""))
        self._unread.clear()
        self.deadline = self._server.now + self._server.limits.linger_timeout_s
        self.transport.close()

    def _set_closed(self, closed: WebSocketClosed) -> None:
        self.closed = closed
        self._wake()
        waiters, self._drain_waiters = self._drain_waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_exception(closed)

    def _wake(self) -> None:
        if self._receiver is not None and not self._receiver.done():
            self._receiver.set_result(None)

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, error: BaseException | None) -> None:
        self._server.closed(self)
        self._unread.clear()
        self.deadline = float("inf")
        if self.closed is None:
            self._set_closed(WebSocketClosed(1006, "the connection was lost"))

    def pause_writing(self) -> None:
        self._writing_paused = True
        self._unsent = self.transport.get_write_buffer_size()
        self.deadline = self._server.now + self._server.limits.write_timeout_s

    def resume_writing(self) -> None:
        self._writing_paused = False
        if self.closed is None:
            self.deadline = float("inf")
        waiters, self._drain_waiters = self._drain_waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._work()

    # -- the server calls

    def timed_out(self) -> None:
        unsent = self.transport.get_write_buffer_size()
        if self._writing_paused and unsent < self._unsent:
            self._unsent = unsent
            self.deadline = self._server.now + self._server.limits.write_timeout_s
        else:
            self.transport.abort()

    def drain(self) -> None:
        self.end(1001, "the server stops")

    def abort(self) -> None:
        self.transport.abort()


def _joined(parts: list[str | bytes]) -> str | bytes:
    if len(parts) == 1:
        return parts[0]
    texts = [part for part in parts if isinstance(part, str)]
    return "".join(texts) if texts else b"".join(part for part in parts if isinstance(part, bytes))
