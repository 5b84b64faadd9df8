"""HTTP/1.1 as the programs inside an environment speak it to the Runtime, Extensions and Telemetry APIs: bytes only."""

from __future__ import annotations

import asyncio
import json
import socket
from collections import deque
from typing import Any, Protocol

import httptools

MOST_BODY_BYTES = 8 * 1024 * 1024
MOST_HEAD_BYTES = 1280 * 1024
"""Of a request's target, headers and trailers: the cause of an error alone may have a megabyte, by X-Ray's segments."""
MOST_CONNECTIONS = 128
"""Of one environment at a time: its runtime and ten extensions have a few each."""
MOST_KEPT_BYTES = 24 * 1024 * 1024
"""Of the unanswered requests of one environment, all connections together."""
FREE_BYTES = 16 * 1024
"""Of one request, that are not counted: most requests are smaller."""
HEADER_BYTES = 200
"""What a header takes beside its bytes."""
PART_BYTES, PART_OVERHEAD_BYTES = 4096, 100
SLICE_BYTES = 16 * 1024
"""The most that is parsed at once."""
TURN_BYTES, PAUSE_S = 128 * 1024, 0.004
"""The most that is parsed of one environment's large requests before the loop does something else."""
BURST_BYTES, BYTES_PER_S = 16 * 1024 * 1024, 64 * 1024 * 1024
"""So much at once, and so much a second afterwards: a streamed answer has 2 MB a second on AWS."""
MOST_AT_ONCE = 8
"""Requests of a slice: clients of these APIs wait for their answers, and thousands at once would keep the loop."""
REASONS = {200: "OK", 202: "Accepted", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 410: "Gone",
           413: "Request Entity Too Large", 500: "Internal Server Error"}  # fmt: skip
_ACCEPTED = b'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{"status":"OK"}\n'
Headers = dict[bytes, bytes]


class TooMuch(Exception):
    """More than a program of an environment has any use for."""


class Request:
    """What arrived: names of headers are lower case. Trailers are among them in the end."""

    __slots__ = ("body", "headers", "method", "path", "size", "streaming")

    def __init__(self) -> None:
        self.method = b""
        self.path = ""
        self.headers: Headers = {}
        self.body: list[bytes] = []
        self.size = 0
        self.streaming = False

    def payload(self) -> bytes:
        """The whole body."""
        body = self.body
        return body[0] if len(body) == 1 else b"".join(body)


class Api(Protocol):
    """Who answers."""

    def wants_parts(self, request: Request) -> bool:
        """Whether the body of this request is given part by part to `part`; asked when its headers are complete."""

    def part(self, request: Request, data: bytes) -> asyncio.Future[None] | None:
        """A part of the body; nothing more is read until what it gives back is done."""

    def answer(self, connection: ApiConnection, request: Request) -> None:
        """A request is complete; answer it now or later."""

    def keep(self, count: int) -> bool:
        """So many bytes more (less, below 0) of unanswered requests are in memory; False when they are too many."""

    def gone(self, connection: ApiConnection) -> None:
        """The other side hung up."""


class Turns:
    """Large requests of an environment are parsed in turns and at a bounded rate: others are heard in between.

    Without it one that sends as fast as it can keeps the loop, and this process on a processor until it loses that.
    """

    def __init__(self) -> None:
        self._left = 0
        self._allowed = float(BURST_BYTES)
        self._at = 0.0
        self._queue: deque[ApiConnection] = deque()
        self._over: asyncio.Handle | None = None

    def take(self) -> bool:
        """Whether one more slice may be parsed now."""
        if self._over is None:
            self._refill()
            self._over = asyncio.get_running_loop().call_soon(self._next)
        if self._left <= 0:
            return False
        self._left -= SLICE_BYTES
        self._allowed -= SLICE_BYTES
        return True

    def wait(self, connection: ApiConnection) -> None:
        """Its `parse_on` is called when there is a turn for it."""
        self._queue.append(connection)

    def _refill(self) -> None:
        now = asyncio.get_running_loop().time()
        self._allowed = min(self._allowed + (now - self._at) * BYTES_PER_S, BURST_BYTES)
        self._at = now
        self._left = min(TURN_BYTES, int(self._allowed))

    def _next(self) -> None:
        self._over = None
        if not self._queue:
            return
        self._refill()
        loop = asyncio.get_running_loop()
        self._over = loop.call_soon(self._next) if self._left > 0 else loop.call_later(PAUSE_S, self._next)
        while self._queue and self._left > 0:
            self._queue.popleft().parse_on()


class Refused(asyncio.Protocol):
    """A connection too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """End it."""
        transport.abort()  # type: ignore[attr-defined]


class ApiConnection(asyncio.Protocol):
    """One connection from inside an environment."""

    def __init__(self, api: Api, turns: Turns) -> None:
        self._api = api
        self._turns = turns
        self._parser: Any = httptools.HttpRequestParser(self)
        self._request = Request()
        self.transport: asyncio.Transport | None = None
        self._close = False
        self._held_up = False
        self._unsent = False
        self._in_turn = False
        self._waiting: deque[memoryview] = deque()
        self._kept = self._counted = 0
        self._since = 0
        """Bytes since something came of them: a head, a line or a size that does not end is in the parser's memory."""
        self._begun = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Answers leave at once."""
        self.transport = transport  # type: ignore[assignment]
        opened = transport.get_extra_info("socket")
        if opened is not None and opened.family != socket.AF_UNIX:
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        """Parse; calls back below."""
        if len(data) <= SLICE_BYTES and not self._waiting and not self._stopped:
            self._parse(data)
            return
        view = memoryview(data)
        self._waiting.extend(view[start : start + SLICE_BYTES] for start in range(0, len(data), SLICE_BYTES))
        self._parse_on()

    @property
    def _stopped(self) -> bool:
        """Nothing is read: somebody is behind, they with our answers or we with what they send."""
        return self._unsent or self._held_up or self._in_turn

    def parse_on(self) -> None:
        """It is its turn."""
        self._in_turn = False
        self._parse_on()

    def _parse_on(self) -> None:
        while self._waiting and not self._stopped and self.transport is not None and not self.transport.is_closing():
            if self._turns.take():
                self._parse(self._waiting.popleft())
            else:
                self._in_turn = True
                self._turns.wait(self)
        self._read_or_rest()

    def _read_or_rest(self) -> None:
        if self.transport is None or self.transport.is_closing():
            return
        if self._stopped:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    def _parse(self, data: bytes | memoryview) -> None:
        self._since += len(data)
        self._begun = 0
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError:
            self.abort()
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):  # nothing here speaks anything else
            self.close()
        if self._since > MOST_HEAD_BYTES:
            self.abort()

    def pause_writing(self) -> None:
        """It asks, and does not read what it is answered: it is not heard until it does."""
        self._unsent = True
        self._read_or_rest()

    def resume_writing(self) -> None:
        """It has read."""
        self._unsent = False
        self._parse_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody waits for an answer any more."""
        self.transport = None
        self._waiting.clear()
        self._let_go()
        self._request = Request()
        self._api.gone(self)

    def close(self) -> None:
        """Hang up."""
        if self.transport is not None:
            self.transport.close()

    def abort(self) -> None:
        """Hang up at once, whatever is not sent yet."""
        self._waiting.clear()
        if self.transport is not None:
            self.transport.abort()

    def _keep(self, count: int) -> None:
        """Account for what is kept until the request is answered. Raises TooMuch, which ends the connection."""
        self._kept += count
        if self._kept > FREE_BYTES:
            more = self._kept - self._counted
            self._counted = self._kept
            if not self._api.keep(more):
                raise TooMuch

    def _let_go(self) -> None:
        if self._counted:
            self._api.keep(-self._counted)
        self._kept = self._counted = 0

    # what httptools calls; it ends the parsing when one of these raises

    def on_message_begin(self) -> None:
        """A new request."""
        self._begun += 1
        if self._begun > MOST_AT_ONCE:
            raise TooMuch
        self._let_go()
        self._request = Request()

    def on_url(self, url: bytes) -> None:
        """Its target, maybe in pieces."""
        self._keep(len(url))
        self._request.path += url.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer. One that comes in pieces comes here whole."""
        self._keep(len(name) + len(value) + HEADER_BYTES)
        self._request.headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        """Before the body."""
        self._since = 0
        request = self._request
        request.method = self._parser.get_method()
        self._close = not self._parser.should_keep_alive()
        if request.headers.get(b"expect") == b"100-continue" and self.transport is not None:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.streaming = self._api.wants_parts(request)

    def on_body(self, data: bytes) -> None:
        """A part of the body; what is over the limit is counted, not kept."""
        self._since = 0
        request = self._request
        request.size += len(data)
        if request.streaming:
            behind = self._api.part(request, data)
            if behind is not None and not self._held_up:
                self._hold_up(behind)
        elif request.size <= MOST_BODY_BYTES:
            parts = request.body
            if not parts or len(parts[-1]) + len(data) > PART_BYTES:
                self._keep(len(data) + PART_OVERHEAD_BYTES)
                parts.append(data)
            else:  # many small ones would take much more than their bytes
                self._keep(len(data))
                parts[-1] += data

    def _hold_up(self, behind: asyncio.Future[None]) -> None:
        """Read nothing until whoever takes the parts has caught up: the program inside waits in its write."""
        if self.transport is not None:
            self._held_up = True
            self._read_or_rest()
            behind.add_done_callback(self._go_on)

    def _go_on(self, _: asyncio.Future[None]) -> None:
        self._held_up = False
        self._parse_on()

    def on_message_complete(self) -> None:
        """Answer."""
        self._since = 0
        request, self._request = self._request, Request()
        self._let_go()
        self._api.answer(self, request)

    # answers

    def accept(self) -> None:
        """202, which most requests are answered with."""
        if self.transport is not None:
            self.transport.write(_ACCEPTED)
            if self._close:
                self.transport.close()

    def send(self, status: int, headers: bytes, body: bytes, content_type: str = "application/json") -> None:
        """Answer with a body; `headers` are whole lines."""
        if self.transport is None:
            return
        head = f"HTTP/1.1 {status} {REASONS[status]}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
        self.transport.write(b"".join((head.encode(), headers, b"\r\n", body)))
        if self._close:
            self.transport.close()

    def refuse(self, status: int, error_type: str, message: str) -> None:
        """An error document of these APIs."""
        self.send(status, b"", json.dumps({"errorMessage": message, "errorType": error_type}).encode())
