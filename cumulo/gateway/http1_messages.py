"""The messages of an HTTP/1 connection as the parser finds them, and what is refused of them.

The parser (httptools, which is llhttp in its strict mode) refuses what request smuggling needs:
two lengths, obsolete folding, bare line feeds, bad chunk sizes, NULs. What it leaves open is
refused here.
"""

import asyncio
import contextlib
from collections import deque
from typing import TYPE_CHECKING, Any

import httptools

from cumulo.gateway.answers import Answer, refusal
from cumulo.gateway.bodies import BodyStream, Disconnected
from cumulo.gateway.exchange import BEGUN, FRESH, LOST
from cumulo.gateway.http1_exchange import Http1Exchange
from cumulo.wire.http import Headers, Request

if TYPE_CHECKING:
    from cumulo.gateway.server import Server

NEVER = float("inf")
_METHODS = {method.encode(): method for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")}
_KNOWN_METHODS = frozenset(_METHODS.values())
_UNUSUAL = ("expect", "origin", "transfer-encoding", "upgrade")
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class _Stop(Exception):
    """Ends the parsing of a connection on which nothing more will be understood."""


class Messages(asyncio.Protocol):
    """The receiving half of Http1: the parser calls the on_… methods."""

    __slots__ = (
        "_advancing",
        "_body",
        "_current",
        "_drain_waiters",
        "_ending",
        "_eof",
        "_expecting",
        "_feeding",
        "_framing_bytes",
        "_head_bytes",
        "_head_open",
        "_ignored_upgrade",
        "_incoming",
        "_limits",
        "_out",
        "_out_size",
        "_parser",
        "_peer",
        "_pending",
        "_queue",
        "_raw",
        "_received",
        "_replaying",
        "_scheme",
        "_server",
        "_stopped",
        "_target",
        "_unsent",
        "_writing_paused",
        "deadline",
        "lost",
        "transport",
    )

    def __init__(self, server: "Server", scheme: str) -> None:
        self._server = server
        self._limits = server.limits
        self._scheme = scheme
        self._parser: Any = httptools.HttpRequestParser(self)
        self._peer = ""
        self.transport: Any = None
        self.deadline = NEVER
        # The message being parsed.
        self._target = b""
        self._raw: list[tuple[bytes, bytes]] = []
        self._body: bytes | bytearray = b""
        self._received = 0  # bytes of its body
        self._framing_bytes = 0  # bytes of its chunks' sizes, extensions and trailers
        self._head_open = False
        self._head_bytes = 0
        self._incoming: Http1Exchange | None = None
        self._expecting = False  # it waits for our 100 Continue
        self._ignored_upgrade = False
        self._replaying = False
        # Requests and bytes that wait for the answer before them.
        self._current: Http1Exchange | None = None
        self._queue: deque[Http1Exchange] = deque()
        self._pending: deque[bytes | memoryview] = deque()
        self._feeding = False
        self._advancing = False
        self._stopped = False  # nothing more is parsed
        self._ending = False  # nothing more is written
        self._eof = False
        # Answers.
        self._out: list[bytes] = []
        self._out_size = 0
        self._writing_paused = False
        self._unsent = 0
        self._drain_waiters: list[asyncio.Future[None]] = []
        self.lost = False

    # -- the parser calls

    def on_message_begin(self) -> None:
        self._head_open = True
        self._head_bytes = 0
        self._target = b""
        self._raw = []

    def on_url(self, target: bytes) -> None:
        self._target = self._target + target if self._target else target

    def on_header(self, name: bytes, value: bytes) -> None:
        self._raw.append((name, value))

    def on_headers_complete(self) -> None:
        self._head_open = False
        if self._replaying:
            self._replaying = False
            return
        if self._stopped or self._ending:
            raise _Stop
        parser = self._parser
        raw = self._raw
        headers = Headers(raw)
        self._raw = []  # trailers land here, and nobody reads them
        method = parser.get_method()
        request = Request(
            _METHODS.get(method) or method.decode("latin-1"),
            self._target.decode("latin-1"),
            headers,
            scheme=self._scheme,
            peer=self._peer,
            http_version=parser.get_http_version(),
        )
        exchange = Http1Exchange(self, request, parser.should_keep_alive())
        self._incoming = exchange
        self._received = 0
        self._framing_bytes = 0
        refused = self._server.hosts.refuse(request) or self._refuse_head(request, raw)
        if refused is not None:
            self._refuse_with(exchange, refused)
        length = headers.get("content-length")
        if not headers.holds_none_of(_UNUSUAL):
            self._unusual(exchange)
        elif length and int(length) >= self._limits.stream_from_bytes:
            self._admit_body(exchange, int(length))

    def on_body(self, data: bytes) -> None:
        exchange = self._incoming
        if exchange is None or self._stopped:
            return
        self._received += len(data)
        if exchange._stream is not None:
            if exchange._state < LOST:  # else answered already: nobody reads
                exchange._stream.feed(data)
            return
        if not self._body:
            self._body = data
        else:
            if not isinstance(self._body, bytearray):
                self._body = bytearray(self._body)
            self._body += data
        if self._received > self._limits.buffered_body_bytes:
            self._refuse_with(exchange, self._too_large(exchange.request))

    def on_message_complete(self) -> None:
        exchange = self._incoming
        if exchange is None or self._ignored_upgrade:
            return
        self._incoming = None
        self._expecting = False
        exchange.received = True
        if exchange._stream is not None:
            exchange._stream.finish()
            if exchange is self._current:
                self.deadline = NEVER
            return
        if self._body:
            exchange.request.body = bytes(self._body)
            self._body = b""
        if self._current is None and not self._writing_paused:
            self._start(exchange)
        else:
            self._queue.append(exchange)

    # -- bytes

    def _parse(self, data: bytes | memoryview) -> None:
        self._feeding = True
        incoming, received = self._incoming, self._received
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._upgraded(bytes(data)[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            self._misunderstood(error)
        self._feeding = False
        if self._out:
            self._server.flush_soon(self)
        if self._head_open:
            self._watch_head(len(data))
        elif self._incoming is not None:
            same = self._incoming is incoming
            self._watch_body(len(data) - (self._received - received) if same else 0)

    def _watch_head(self, count: int) -> None:
        if self._head_bytes == 0 and self._current is None:
            self.deadline = self._server.now + self._limits.header_timeout_s
        self._head_bytes += count
        if self._head_bytes > self._limits.header_bytes:
            self._head_open = False
            self._refuse(431, "RequestHeaderSectionTooLarge", "Your request header section exceeds the limit.")

    def _watch_body(self, framing: int) -> None:
        limits = self._limits
        incoming = self._incoming
        if incoming is None or self._ending:
            return
        self._framing_bytes += framing
        if self._framing_bytes > limits.header_bytes + 16 * self._received and not self._expecting:
            self._refuse(400, "InvalidRequest", "The chunks of the body carry more framing than data.")
        elif not self._writing_paused and (self._current is None or self._current is incoming):
            self.deadline = self._server.now + limits.body_timeout_s
            if incoming._stream is None:  # must come whole in bounded time
                self.deadline = incoming.started + limits.body_timeout_s + self._received / limits.body_bytes_per_s

    # -- what the header decides

    def _refuse_head(self, request: Request, raw: list[tuple[bytes, bytes]]) -> Answer | None:
        limits = self._limits
        if len(raw) > limits.header_count or self._head_bytes > limits.header_bytes:
            text = "Your request header section exceeds the maximum allowed."
            return refusal(request, 431, "RequestHeaderSectionTooLarge", text)
        if len(self._target) > limits.target_bytes:
            return refusal(request, 414, "RequestUriTooLong", "The request target is too long.")
        if request.http_version != "1.1" and request.http_version != "1.0":
            return refusal(request, 505, "HttpVersionNotSupported", "This version of HTTP is not served.")
        if request.method not in _KNOWN_METHODS:
            return refusal(request, 405, "MethodNotAllowed", "The specified method is not allowed.")
        return None

    def _unusual(self, exchange: Http1Exchange) -> None:
        """Origin, Transfer-Encoding, Upgrade and Expect: all that few requests carry."""
        request = exchange.request
        headers = request.headers
        if "origin" in headers:
            exchange._meet_page(self._server.hosts)
        coding = headers.get("transfer-encoding")
        if coding and (coding.lower() != "chunked" or request.http_version == "1.0"):
            self._refuse_with(exchange, refusal(request, 501, "NotImplemented", "The only transfer coding is chunked."))
        if self._parser.should_upgrade():
            exchange.websocket = headers.get("upgrade").lower() == "websocket" and request.method == "GET"
            self._ignored_upgrade = not exchange.websocket
            exchange.keep_alive = exchange.keep_alive and not exchange.websocket
        self._expecting = "expect" in headers and request.http_version != "1.0"
        if coding or headers.get("content-length"):
            self._admit_body(exchange, int(headers.get("content-length") or -1))
        else:
            self._expecting = False

    def _admit_body(self, exchange: Http1Exchange, length: int) -> None:
        """Stream it, buffer it or refuse it. Length -1: not known."""
        request = exchange.request
        if length < 0 or length >= self._limits.stream_from_bytes or self._expecting:
            if self._server.application.wants_stream(request):
                exchange._stream = BodyStream(self._stream_taken)
            elif length > self._limits.buffered_body_bytes:
                self._refuse_with(exchange, self._too_large(request))
        if self._current is None and not self._queue:
            if self._expecting:
                self._continue(exchange)
            elif exchange._stream is not None:
                self._start(exchange)
        elif exchange._stream is not None and not self._expecting:
            self._queue.append(exchange)

    def _too_large(self, request: Request) -> Answer:
        most = self._limits.buffered_body_bytes
        return refusal(
            request, 413, "RequestEntityTooLarge", f"The body of this request may have {most} bytes at most."
        )

    def _continue(self, exchange: Http1Exchange) -> None:
        """Let the application decide whether this body may come, and say so."""
        self._expecting = False
        request = exchange.request
        verdict: Any = False
        if request.headers.get("expect").lower() == "100-continue":
            try:
                verdict = self._server.application.continue_(request)
            except Exception as error:
                self._current = exchange
                exchange.keep_alive = False
                self._stopped = True
                exchange._crashed(error)
                return
        if isinstance(verdict, tuple):
            self._refuse_with(exchange, verdict)
        elif verdict is False:
            text = "The only expectation that can be met is 100-continue."
            self._refuse_with(exchange, refusal(request, 417, "ExpectationFailed", text))
        elif exchange._stream is not None:
            exchange._stream.asked = self._send_continue
            self._start(exchange)
        else:
            self._send_continue()

    def _send_continue(self) -> None:
        """Ask for the body; a streamed one when the application reads it, and so has not refused it."""
        self._send(_CONTINUE)
        self.deadline = self._server.now + self._limits.body_timeout_s

    # -- refusals

    def _refuse_with(self, exchange: Http1Exchange, answer: Answer) -> None:
        """Answer this request without the application, in its turn, and hear no more of this client."""
        exchange._refusal = answer
        exchange.keep_alive = False
        self._stopped = True
        self._incoming = None
        self._body = b""
        if self._current is None and not self._queue:
            self._start(exchange)
        else:
            self._queue.append(exchange)
        if self._feeding:
            raise _Stop

    def _refuse(self, status: int, code: str, text: str) -> None:
        """The same for bytes that are no request, or break one off."""
        exchange = self._incoming
        if exchange is not None and exchange._stream is not None and not self._expecting:
            self._break_stream(exchange, refusal(exchange.request, status, code, text), text)
            return
        if exchange is None:
            exchange = Http1Exchange(self, Request("GET", "/", Headers([]), peer=self._peer), False)
        with contextlib.suppress(_Stop):
            self._refuse_with(exchange, refusal(exchange.request, status, code, text))

    def _break_stream(self, exchange: Http1Exchange, answer: Answer, text: str) -> None:
        """A body that the application reads, or is about to, breaks off."""
        self._stopped = True
        self._incoming = None
        exchange.keep_alive = False
        if exchange is not self._current:
            exchange._refusal = answer  # it waits in the queue
            return
        if exchange._state == FRESH:
            exchange.respond(*answer)
        elif exchange._state == BEGUN:
            self.transport.abort()
        exchange._lose(Disconnected(text))
        exchange._state = LOST

    def _misunderstood(self, error: httptools.HttpParserError) -> None:
        if self._stopped or isinstance(error, httptools.HttpParserCallbackError):
            cause = error.__context__
            if not self._stopped and not isinstance(cause, _Stop):
                self._server.log_failure("the gateway failed", cause or error)
                self._refuse(500, "InternalFailure", "The request processing has failed because of an unknown error.")
            return
        last = self._queue[-1] if self._queue else self._current
        self._head_open = False
        if (last is not None and not last.keep_alive) or self._ending:
            self._stopped = True  # bytes after a request that said "Connection: close"
            return
        if isinstance(error, httptools.HttpParserInvalidMethodError):
            self._refuse(400, "BadRequest", "This is not an HTTP request.")
        else:
            self._refuse(400, "BadRequest", f"Malformed HTTP: {error}.")

    # -- upgrades

    def _upgraded(self, rest: bytes) -> None:
        """The parser stops at an upgrade. A WebSocket's bytes wait; any other upgrade is ignored,
        as RFC 9110 allows: the same message goes on through a new parser, without the offer."""
        if not self._ignored_upgrade:
            if rest:
                self._pending.appendleft(rest)
            return
        self._ignored_upgrade = False
        exchange = self._incoming
        if exchange is None:
            return
        headers = exchange.request.headers
        framing = f"{exchange.request.method} / HTTP/1.1\r\n"
        for name in ("content-length", "transfer-encoding"):
            if name in headers:
                framing += f"{name}: {headers.get(name)}\r\n"
        if not exchange.keep_alive:
            framing += "connection: close\r\n"
        self._parser = httptools.HttpRequestParser(self)
        self._replaying = True
        if rest:
            self._pending.appendleft(rest)
        self._parser.feed_data(f"{framing}\r\n".encode("latin-1"))

    # -- the sending half, see Http1

    def _start(self, exchange: Http1Exchange) -> None:
        raise NotImplementedError

    def _send(self, data: bytes) -> None:
        raise NotImplementedError

    def _answer(self, data: bytes) -> None:
        raise NotImplementedError

    def flush(self) -> None:
        raise NotImplementedError

    def abort(self) -> None:
        raise NotImplementedError

    def _stream_taken(self, count: int) -> None:
        raise NotImplementedError

    async def drained(self) -> None:
        raise NotImplementedError

    def finished(self, exchange: Http1Exchange) -> None:
        raise NotImplementedError

    def hand_over(self, protocol: Any) -> bytes:
        raise NotImplementedError
