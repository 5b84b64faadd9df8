"""HTTP/1.1 as the programs inside an environment speak it to the Runtime, Extensions and Telemetry APIs: bytes only."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any, Protocol

import httptools

MOST_BODY_BYTES = 8 * 1024 * 1024
REASONS = {200: "OK", 202: "Accepted", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 410: "Gone",
           413: "Request Entity Too Large", 500: "Internal Server Error"}  # fmt: skip
_ACCEPTED = b'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{"status":"OK"}\n'
Headers = dict[bytes, bytes]


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

    def gone(self, connection: ApiConnection) -> None:
        """The other side hung up."""


class ApiConnection(asyncio.Protocol):
    """One connection from inside an environment."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._parser: Any = httptools.HttpRequestParser(self)
        self._request = Request()
        self.transport: asyncio.Transport | None = None
        self._close = False
        self._held_up = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Answers leave at once."""
        self.transport = transport  # type: ignore[assignment]
        opened = transport.get_extra_info("socket")
        if opened is not None and opened.family != socket.AF_UNIX:
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        """Parse; calls back below."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody waits for an answer any more."""
        self.transport = None
        self._api.gone(self)

    def close(self) -> None:
        """Hang up."""
        if self.transport is not None:
            self.transport.close()

    # what httptools calls

    def on_message_begin(self) -> None:
        """A new request."""
        self._request = Request()

    def on_url(self, url: bytes) -> None:
        """Its target, maybe in pieces."""
        self._request.path += url.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer."""
        self._request.headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        """Before the body."""
        request = self._request
        request.method = self._parser.get_method()
        self._close = not self._parser.should_keep_alive()
        if request.headers.get(b"expect") == b"100-continue" and self.transport is not None:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.streaming = self._api.wants_parts(request)

    def on_body(self, data: bytes) -> None:
        """A part of the body; what is over the limit is counted, not kept."""
        request = self._request
        request.size += len(data)
        if request.streaming:
            behind = self._api.part(request, data)
            if behind is not None and not self._held_up:
                self._hold_up(behind)
        elif request.size <= MOST_BODY_BYTES:
            request.body.append(data)

    def _hold_up(self, behind: asyncio.Future[None]) -> None:
        """Read nothing until whoever takes the parts has caught up: the program inside waits in its write."""
        if self.transport is not None:
            self._held_up = True
            self.transport.pause_reading()
            behind.add_done_callback(self._go_on)

    def _go_on(self, _: asyncio.Future[None]) -> None:
        self._held_up = False
        if self.transport is not None:
            self.transport.resume_reading()

    def on_message_complete(self) -> None:
        """Answer."""
        self._api.answer(self, self._request)

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
