"""HTTP/2 (prior knowledge, or ALPN under TLS): many exchanges on one connection, on h2.

Loaded with the first such connection. Both directions have flow control: a client's window opens
only as the application takes its bytes, and an answer waits for the client's window and socket.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    RemoteSettingsChanged,
    RequestReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import H2Error
from h2.settings import SettingCodes, Settings
from hyperframe.frame import GoAwayFrame

from cumulo.gateway.answers import Answer, refusal
from cumulo.gateway.bodies import BodyStream, Disconnected
from cumulo.gateway.exchange import LOST
from cumulo.gateway.http1_messages import NEVER
from cumulo.gateway.http2_exchange import Http2Exchange
from cumulo.wire.http import Headers, Request

if TYPE_CHECKING:
    from cumulo.gateway.server import Server

_CONNECTION_WINDOW = 1024 * 1024
_BUFFERED_BODIES = 2  # so many bodies of the largest size may wait on one connection


class Http2(asyncio.Protocol):
    """One connection and its streams."""

    def __init__(self, server: "Server", scheme: str) -> None:
        limits = server.limits
        self._server = server
        self._limits = limits
        self._scheme = scheme
        self._peer = ""
        self.transport: Any = None
        self.deadline = NEVER
        self.h2 = H2Connection(H2Configuration(client_side=False, header_encoding=None))
        self.h2.local_settings = Settings(
            client=False,
            initial_values={
                SettingCodes.MAX_CONCURRENT_STREAMS: limits.streams_per_connection,
                SettingCodes.MAX_HEADER_LIST_SIZE: limits.header_bytes,
                SettingCodes.INITIAL_WINDOW_SIZE: limits.stream_buffer_bytes,
            },
        )
        self._streams: dict[int, Http2Exchange] = {}
        self._bodies: dict[int, bytearray] = {}
        self._buffered = 0
        self._resets = 0
        self._finished = 0
        self._feeding = False
        self._writing_paused = False
        self._unsent = 0
        self._drain_waiters: list[asyncio.Future[None]] = []
        self._going_away = False
        self.lost = False

    # -- the transport calls

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        peer = transport.get_extra_info("peername")
        self._peer = peer[0] if isinstance(peer, tuple) else "127.0.0.1"
        self._server.opened(self)
        self.h2.initiate_connection()
        self.h2.increment_flow_control_window(_CONNECTION_WINDOW)
        self.flush()
        self.arm()

    def data_received(self, data: bytes) -> None:
        if self.lost or self.transport.is_closing():
            return
        self._feeding = True
        try:
            for event in self.h2.receive_data(data):
                handler = self._HANDLERS.get(type(event))
                if handler is not None:
                    handler(self, event)
                if self.transport.is_closing():
                    break
        except H2Error:  # h2 has prepared the GOAWAY that names the error
            self._feeding = False
            self._break()
            return
        except Exception as error:
            self._server.log_failure("the gateway failed", error)
            self._feeding = False
            self._break()
            return
        self._feeding = False
        self.flush()
        self.arm()

    def eof_received(self) -> bool:
        for exchange in self._streams.values():
            exchange._halve()
        return bool(self._streams)

    def connection_lost(self, error: BaseException | None) -> None:
        self.lost = True
        self.deadline = NEVER
        self._server.closed(self)
        gone = Disconnected("the client closed the connection")
        for exchange in list(self._streams.values()):
            exchange.lose(gone)
        self._streams.clear()
        self._bodies.clear()
        for waiter in self._drain_waiters:
            if not waiter.done():
                waiter.set_exception(gone)
        self._drain_waiters = []

    def pause_writing(self) -> None:
        # A client that does not read may not make us write either (pings, settings, resets).
        self._writing_paused = True
        self._unsent = self.transport.get_write_buffer_size()
        self.transport.pause_reading()
        self.deadline = self._server.now + self._limits.write_timeout_s

    def resume_writing(self) -> None:
        self._writing_paused = False
        waiters, self._drain_waiters = self._drain_waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
        if not self.transport.is_closing():
            self.transport.resume_reading()
            self.arm()

    async def drained(self) -> None:
        """Wait until the client has taken most of what was written. Raises Disconnected."""
        if self.lost:
            raise Disconnected("the client closed the connection")
        if self._writing_paused:
            waiter = self._server.loop.create_future()
            self._drain_waiters.append(waiter)
            await waiter

    def flush(self) -> None:
        """Write what h2 has prepared; while input is worked on, once at its end."""
        if self._feeding or self.lost:
            return
        data = self.h2.data_to_send()
        if data:
            self.transport.write(data)

    # -- events

    def _request(self, event: Any) -> None:
        number: int = event.stream_id
        raw, pseudo = _split(event.headers)
        method = pseudo.get(b":method", b"").decode("latin-1")
        authority = pseudo.get(b":authority")
        if authority is not None:
            raw = [(b"host", authority), *((name, value) for name, value in raw if name != b"host")]
        headers = Headers(raw)
        target = pseudo.get(b":path", b"/").decode("latin-1")
        request = Request(method, target, headers, scheme=self._scheme, peer=self._peer, http_version="2")
        exchange = Http2Exchange(self, number, request)
        if self._going_away:
            self.h2.reset_stream(number, ErrorCodes.REFUSED_STREAM)
            return
        self._streams[number] = exchange
        answer = self._server.hosts.refuse(request) or self._refuse_head(request, raw)
        if answer is not None:
            exchange.respond(*answer)
            return
        if "origin" in headers:
            exchange._meet_page(self._server.hosts)
            if exchange._refusal is not None:
                exchange.respond(*exchange._refusal)
                return
        if event.stream_ended is None:
            try:
                self._admit_body(exchange)
            except H2Error:
                raise
            except Exception as error:  # the application's, in wants_stream or continue_
                exchange._crashed(error)

    def _refuse_head(self, request: Request, raw: list[tuple[bytes, bytes]]) -> Answer | None:
        if len(raw) > self._limits.header_count:
            return refusal(request, 431, "RequestHeaderSectionTooLarge", "The request has too many header fields.")
        if len(request.target) > self._limits.target_bytes:
            return refusal(request, 414, "RequestUriTooLong", "The request target is too long.")
        if request.method not in _METHODS:
            return refusal(request, 405, "MethodNotAllowed", "The specified method is not allowed.")
        return None

    def _admit_body(self, exchange: Http2Exchange) -> None:
        request = exchange.request
        declared = request.headers.get("content-length")
        length = int(declared) if declared.isdecimal() else -1
        streams = False
        expectation = request.headers.get("expect").lower()
        if length < 0 or length >= self._limits.stream_from_bytes or expectation:
            streams = self._server.application.wants_stream(request)
            if not streams and length > self._limits.buffered_body_bytes:
                exchange.respond(*self._too_large(request))
                return
        if expectation:
            verdict: Any = self._server.application.continue_(request) if expectation == "100-continue" else False
            if isinstance(verdict, tuple):
                exchange.respond(*verdict)
                return
            if verdict is False:
                text = "The only expectation that can be met is 100-continue."
                exchange.respond(*refusal(request, 417, "ExpectationFailed", text))
                return
            if not streams:
                self._send_continue(exchange)
        if streams:
            exchange._stream = BodyStream(lambda count: self._taken(exchange, count))
            if expectation:
                exchange._stream.asked = lambda: self._send_continue(exchange)
            exchange._run(self._server.application, self._server.loop)
        else:
            self._bodies[exchange.number] = bytearray()

    def _send_continue(self, exchange: Http2Exchange) -> None:
        """Ask for the body; a streamed one when the application reads it, and so has not refused it."""
        with contextlib.suppress(H2Error):  # the client has cancelled meanwhile
            self.h2.send_headers(exchange.number, [(":status", "100")])
        self.flush()

    def _too_large(self, request: Request) -> Answer:
        most = self._limits.buffered_body_bytes
        return refusal(
            request, 413, "RequestEntityTooLarge", f"The body of this request may have {most} bytes at most."
        )

    def _data(self, event: Any) -> None:
        number: int = event.stream_id
        data: bytes = event.data
        size: int = event.flow_controlled_length
        exchange = self._streams.get(number)
        if exchange is not None and exchange._stream is not None and exchange._state < LOST:
            if data:
                exchange._stream.feed(data)
                exchange.last_data = self._server.now
            size -= len(data)  # the data's share is given back as it is taken
        if size:
            self.h2.acknowledge_received_data(size, number)
        body = self._bodies.get(number)
        if body is None or exchange is None:
            return
        body += data
        exchange.last_data = self._server.now
        self._buffered += len(data)
        most = self._limits.buffered_body_bytes
        if len(body) > most:
            exchange.respond(*self._too_large(exchange.request))
        elif self._buffered > _BUFFERED_BODIES * most:
            text = "Too many large bodies come on this connection at once. Please reduce your request rate."
            exchange.respond(*refusal(exchange.request, 503, "SlowDown", text))

    def _taken(self, exchange: Http2Exchange, count: int) -> None:
        if not self.lost and count:
            self.h2.acknowledge_received_data(count, exchange.number)
            self.flush()
            if not self._feeding:
                exchange.last_data = self._server.now  # the client's turn again
                self.arm()

    def _ended(self, event: Any) -> None:
        exchange = self._streams.get(event.stream_id)
        if exchange is None:
            return
        exchange.received = True
        if exchange._stream is not None:
            exchange._stream.finish()
            return
        body = self._bodies.pop(exchange.number, None)
        if body:
            self._buffered -= len(body)
            exchange.request.body = bytes(body)
        exchange._run(self._server.application, self._server.loop)

    def _reset(self, event: Any) -> None:
        self._resets += 1
        exchange = self._streams.get(event.stream_id)
        if exchange is not None:
            self._forget(exchange)
            exchange.lose(Disconnected("the client cancelled the request"))
        if self._resets > self._limits.resets_per_connection + self._finished:
            self._break(ErrorCodes.ENHANCE_YOUR_CALM)

    def _window(self, event: Any) -> None:
        exchanges: Iterable[Http2Exchange] = list(self._streams.values())
        if isinstance(event, WindowUpdated) and event.stream_id:
            one = self._streams.get(event.stream_id)
            exchanges = () if one is None else (one,)
        for exchange in exchanges:
            exchange.window_opened()

    def _terminated(self, event: Any) -> None:
        self._break()

    _HANDLERS: ClassVar[dict[type, Callable[["Http2", Any], None]]] = {
        RequestReceived: _request,
        DataReceived: _data,
        StreamEnded: _ended,
        StreamReset: _reset,
        WindowUpdated: _window,
        RemoteSettingsChanged: _window,
        ConnectionTerminated: _terminated,
    }

    # -- the exchanges call

    def finished(self, exchange: Http2Exchange) -> None:
        """The answer is written to its end."""
        self._forget(exchange)
        self._finished += 1
        if not exchange.received:
            with contextlib.suppress(H2Error):  # the rest of its body is not wanted
                self.h2.reset_stream(exchange.number, ErrorCodes.NO_ERROR)
        self.flush()
        if self._going_away and not self._streams:
            self.transport.close()
        elif not self._feeding:
            self.arm()

    def _forget(self, exchange: Http2Exchange) -> None:
        self._streams.pop(exchange.number, None)
        self._buffered -= len(self._bodies.pop(exchange.number, b""))
        if exchange._stream is not None:
            # What the application left unread must not stay missing from the connection's window.
            self._taken(exchange, exchange._stream.discard())

    def cut(self, exchange: Http2Exchange, code: ErrorCodes) -> None:
        """Reset a stream whose answer cannot be completed."""
        self._forget(exchange)
        if not self.lost:
            with contextlib.suppress(H2Error):
                self.h2.reset_stream(exchange.number, code)
            self.flush()
        exchange.lose(Disconnected("the answer was cut off"))

    # -- deadlines and the end

    def arm(self) -> None:
        """Set the deadline to the first thing that this connection waits for."""
        if self._writing_paused or self.transport.is_closing():
            return
        limits = self._limits
        if not self._streams:
            self.deadline = self._server.now + limits.idle_timeout_s
            return
        self.deadline = min(self._due(exchange) for exchange in self._streams.values())

    def _due(self, exchange: Http2Exchange) -> float:
        limits = self._limits
        if exchange.blocked_since is not None:
            return exchange.blocked_since + limits.write_timeout_s
        if exchange.received or (exchange._stream is not None and exchange._stream.size):
            return NEVER
        due = exchange.last_data + limits.body_timeout_s
        body = self._bodies.get(exchange.number)
        if body is not None:
            slowest = exchange.started + limits.body_timeout_s + len(body) / limits.body_bytes_per_s
            due = min(due, slowest)
        return due

    def timed_out(self) -> None:
        if self.transport.is_closing() or self._writing_paused:
            unsent = self.transport.get_write_buffer_size()
            if unsent < self._unsent:
                self._unsent = unsent
                self.deadline = self._server.now + self._limits.write_timeout_s
            else:
                self.transport.abort()
            return
        if not self._streams:
            self._break(ErrorCodes.NO_ERROR)
            return
        for exchange in [each for each in self._streams.values() if self._due(each) <= self._server.now]:
            if exchange.blocked_since is None and not exchange.answered:
                text = "Your socket connection to the server was not read from within the timeout period."
                if exchange._stream is not None:
                    exchange._stream.fail(Disconnected(text))
                exchange.respond(*refusal(exchange.request, 408, "RequestTimeout", text))
                exchange._state = LOST
            else:
                self.cut(exchange, ErrorCodes.CANCEL)
        self.arm()

    def drain(self) -> None:
        """GOAWAY: no new streams, the others finish. Written by hand, for h2 would end them all."""
        if self._going_away:
            return
        self._going_away = True
        self.flush()
        frame = GoAwayFrame(0, last_stream_id=self.h2.highest_inbound_stream_id, error_code=0)
        self.transport.write(frame.serialize())
        if not self._streams:
            self.transport.close()

    def _break(self, code: ErrorCodes | None = None) -> None:
        """End the connection, with a GOAWAY of this code or the one that h2 has prepared."""
        if code is not None:
            with contextlib.suppress(H2Error):
                self.h2.close_connection(code)
        self._feeding = False
        self.flush()
        self._unsent = self.transport.get_write_buffer_size()
        self.transport.close()
        self.deadline = self._server.now + self._limits.linger_timeout_s

    def abort(self) -> None:
        tasks = [exchange._task for exchange in self._streams.values() if exchange._task is not None]
        self.transport.abort()
        for task in tasks:
            task.cancel()


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def _split(fields: Iterable[tuple[bytes, bytes]]) -> tuple[list[tuple[bytes, bytes]], dict[bytes, bytes]]:
    raw: list[tuple[bytes, bytes]] = []
    pseudo: dict[bytes, bytes] = {}
    cookies: list[bytes] = []
    for name, value in fields:
        name, value = bytes(name), bytes(value)  # without h2's marks on them
        if name.startswith(b":"):
            pseudo[name] = value
        elif name == b"cookie":  # HTTP/2 splits it for the sake of compression
            cookies.append(value)
        else:
            raw.append((name, value))
    if cookies:
        raw.append((b"cookie", b"; ".join(cookies)))
    return raw, pseudo
