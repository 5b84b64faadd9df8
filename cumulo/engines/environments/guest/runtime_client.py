"""A small client of the Runtime API over one connection.

An answer and the wish for the next event go out in one piece, which saves the server and us a turn each.
Source: AWS Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes".
"""

from __future__ import annotations

import socket

Headers = dict[bytes, bytes]
VERSION = "/2018-06-01/runtime"


class Gone(Exception):
    """The server hung up: this environment has ended."""


class RuntimeClient:
    """The runtime's side of the Runtime API."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._host = f"Host: {address}\r\n".encode()
        self._next = f"GET {VERSION}/invocation/next HTTP/1.1\r\n".encode() + self._host + b"\r\n"
        self._connection: socket.socket | None = None
        self._received = b""
        self._unsent = b""

    def next(self) -> tuple[Headers, bytes]:
        """Wait for an invocation. Raises Gone."""
        answers = 1
        request = self._next
        if self._unsent:
            request = self._unsent + request
            self._unsent = b""
            answers = 2
        self._send(request)
        if answers == 2:
            self._receive()
        _, headers, body = self._receive()
        return headers, body

    def respond(self, request_id: str, payload: bytes, content_type: str) -> None:
        """The function's answer; it leaves with the next `next`."""
        self._unsent = self._post(
            f"/invocation/{request_id}/response", payload, f"Content-Type: {content_type}\r\n".encode()
        )

    def fail(self, request_id: str, document: bytes, error_type: str, cause: bytes) -> None:
        """The function's error; it leaves with the next `next`. `cause` is for X-Ray."""
        kept = cause if len(cause) < 1024 * 1024 else b""
        more = f"Lambda-Runtime-Function-Error-Type: {error_type}\r\n".encode("latin-1", "replace")
        if kept:
            more += b"Lambda-Runtime-Function-XRay-Error-Cause: " + kept + b"\r\n"
        self._unsent = self._post(f"/invocation/{request_id}/error", document, more)

    def init_error(self, document: bytes, error_type: str) -> None:
        """The init failed. Raises Gone."""
        self._now(self._post("/init/error", document, f"Lambda-Runtime-Function-Error-Type: {error_type}\r\n".encode()))

    def restore_next(self) -> None:
        """Ready for a snapshot; returns after the restore. Raises Gone."""
        self._now(f"GET {VERSION}/restore/next HTTP/1.1\r\n".encode() + self._host + b"\r\n")

    def restore_error(self, document: bytes, error_type: str) -> None:
        """A hook after the restore failed. Raises Gone."""
        more = f"Lambda-Runtime-Function-Error-Type: {error_type}\r\n".encode()
        self._now(self._post("/restore/error", document, more))

    def close(self) -> None:
        """Hang up; the next call connects again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._received = b""

    def move(self, address: str) -> None:
        """Go on in another environment, after a restore."""
        self.close()
        self.__init__(address)  # type: ignore[misc]

    def _post(self, path: str, body: bytes, more: bytes) -> bytes:
        head = f"POST {VERSION}{path} HTTP/1.1\r\nContent-Length: {len(body)}\r\n".encode()
        return b"".join((head, self._host, more, b"\r\n", body))

    def _now(self, request: bytes) -> None:
        self._send(request)
        self._receive()

    def _send(self, request: bytes) -> None:
        connection = self._connection
        try:
            if connection is None:
                host, _, port = self._address.rpartition(":")
                connection = socket.socket()
                connection.connect((host, int(port)))
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._connection = connection
            connection.sendall(request)
        except OSError:
            raise Gone from None

    def _receive(self) -> tuple[int, Headers, bytes]:
        received = self._received
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += self._more()
        lines = received[:end].split(b"\r\n")
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(b": ")
            headers[name.lower()] = value
        size = int(headers.get(b"content-length", b"0"))
        start = end + 4
        missing = size - (len(received) - start)
        if missing > 0:
            parts = [received]
            while missing > 0:
                part = self._more()
                parts.append(part)
                missing -= len(part)
            received = b"".join(parts)
        self._received = received[start + size :]
        return int(lines[0][9:12]), headers, received[start : start + size]

    def _more(self) -> bytes:
        assert self._connection is not None
        try:
            part = self._connection.recv(262_144)
        except OSError:
            raise Gone from None
        if not part:
            raise Gone
        return part
