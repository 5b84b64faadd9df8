"""The Runtime API of one environment: what the runtime asks and tells, and when it may.

Source: AWS Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes" and its OpenAPI description
(runtime-api.zip); "Response streaming for Lambda functions"; "Lambda quotas".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from cumulo.engines.environments.api_connections import ApiConnection, Request
from cumulo.engines.environments.builds import Invocation

if TYPE_CHECKING:
    import asyncio

VERSION = "/2018-06-01/runtime/"
MOST_ANSWER_BYTES = 6 * 1024 * 1024 + 100
MOST_STREAMED_BYTES = 200 * 1024 * 1024
ERROR_TYPE = b"lambda-runtime-function-error-type"
ERROR_BODY = b"lambda-runtime-function-error-body"
NOT_ALLOWED = "failed for runtime. Error: State transition is not allowed"


class Life(Protocol):
    """What happens to the environment."""

    def runtime_waits(self) -> None:
        """The runtime asked for an event."""

    def answer_begins(self, content_type: str) -> None:
        """The first part of a streamed answer is about to come."""

    def answer_part(self, data: bytes) -> asyncio.Future[None] | None:
        """A part of a streamed answer; what the next one has to wait for."""

    def answered(self, payload: bytes, content_type: str, streamed: bool) -> None:
        """The function's answer is complete."""

    def failed(self, document: bytes, error_type: str, content_type: str) -> None:
        """The function's error."""

    def too_large(self) -> None:
        """The answer was over the limit."""

    def init_failed(self, document: bytes, error_type: str) -> None:
        """The runtime could not get ready."""

    def snapshot_ready(self) -> None:
        """The runtime may be copied now."""

    def restore_failed(self, document: bytes, error_type: str) -> None:
        """A hook after the restore failed."""


class RuntimeApi:
    """State of the conversation with the runtime."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self._waiting: ApiConnection | None = None
        self._restoring: ApiConnection | None = None
        self.current = ""
        """The id of the invocation that the runtime works on."""
        self._began = False

    @property
    def is_waiting(self) -> bool:
        """Whether the runtime waits for an event."""
        return self._waiting is not None

    def give(self, invocation: Invocation, deadline_ms: int) -> None:
        """Hand the runtime an event; it must be waiting."""
        connection, self._waiting = self._waiting, None
        assert connection is not None
        self.current = invocation.request_id
        self._began = False
        lines = (
            f"Lambda-Runtime-Aws-Request-Id: {invocation.request_id}\r\n"
            f"Lambda-Runtime-Deadline-Ms: {deadline_ms}\r\n"
            f"Lambda-Runtime-Invoked-Function-Arn: {invocation.invoked_arn}\r\n"
        )
        if invocation.trace_id:
            lines += f"Lambda-Runtime-Trace-Id: {_line(invocation.trace_id)}\r\n"
        if invocation.client_context:
            lines += f"Lambda-Runtime-Client-Context: {_line(invocation.client_context)}\r\n"
        if invocation.identity:
            lines += f"Lambda-Runtime-Cognito-Identity: {_line(invocation.identity)}\r\n"
        if invocation.tenant_id:
            lines += f"Lambda-Runtime-Aws-Tenant-Id: {_line(invocation.tenant_id)}\r\n"
        connection.send(200, lines.encode(), invocation.payload)

    def resume(self) -> None:
        """Answer `restore/next`: the runtime goes on after its snapshot."""
        connection, self._restoring = self._restoring, None
        if connection is not None:
            connection.send(200, b"", b"")

    def forget(self, connection: ApiConnection) -> None:
        """It hung up."""
        if connection is self._waiting:
            self._waiting = None
        if connection is self._restoring:
            self._restoring = None

    def wants_parts(self, request: Request) -> bool:
        """Streamed answers are passed on as they come."""
        return (
            request.method == b"POST"
            and request.headers.get(b"lambda-runtime-function-response-mode", b"").lower() == b"streaming"
            and request.path == f"{VERSION}invocation/{self.current}/response"
        )

    def part(self, request: Request, data: bytes) -> asyncio.Future[None] | None:
        """A part of a streamed answer, and what the next one has to wait for; what is over the limit is cut."""
        if not self._began:
            self._began = True
            self._life.answer_begins(
                request.headers.get(b"content-type", b"application/octet-stream").decode("latin-1")
            )
        return self._life.answer_part(data) if request.size <= MOST_STREAMED_BYTES else None

    def answer(self, connection: ApiConnection, request: Request) -> None:
        """A request below /2018-06-01/runtime/."""
        path = request.path[len(VERSION) :]
        if request.method == b"GET":
            if path == "invocation/next":
                return self._next(connection)
            if path == "restore/next":
                return self._restore_next(connection)
        elif request.method == b"POST":
            if path.startswith("invocation/"):
                return self._invocation(connection, request, path)
            error_type = request.headers.get(ERROR_TYPE, b"Unhandled").decode("latin-1")
            if path == "init/error":
                connection.accept()
                return self._life.init_failed(request.payload(), error_type)
            if path == "restore/error":
                connection.accept()
                return self._life.restore_failed(request.payload(), error_type)
        return connection.send(404, b"", b"404 page not found\n", "text/plain; charset=utf-8")

    def _next(self, connection: ApiConnection) -> None:
        if self.current:
            return connection.refuse(
                403,
                "InvalidStateTransition",
                f"State transition from Running to Ready {NOT_ALLOWED}",
            )
        self._waiting = connection
        self._life.runtime_waits()

    def _restore_next(self, connection: ApiConnection) -> None:
        self._restoring = connection
        self._life.snapshot_ready()

    def _invocation(self, connection: ApiConnection, request: Request, path: str) -> None:
        request_id, _, kind = path[len("invocation/") :].partition("/")
        if kind not in ("response", "error"):
            return connection.send(404, b"", b"404 page not found\n", "text/plain; charset=utf-8")
        if not self.current:
            return connection.refuse(
                403,
                "InvalidStateTransition",
                f"State transition from Ready to InvocationResponse {NOT_ALLOWED}",
            )
        if request_id != self.current:
            return connection.refuse(400, "InvalidRequestID", "Invalid request ID")
        self.current = ""
        content_type = request.headers.get(b"content-type", b"application/octet-stream").decode("latin-1")
        if kind == "error":
            connection.accept()
            error_type = request.headers.get(ERROR_TYPE, b"").decode("latin-1")
            return self._life.failed(request.payload(), error_type, content_type)
        if request.streaming:
            connection.accept()
            return self._stream_ended(request, content_type)
        if request.size > MOST_ANSWER_BYTES:
            connection.refuse(
                413,
                "RequestEntityTooLarge",
                f"Exceeded maximum allowed payload size ({MOST_ANSWER_BYTES} bytes).",
            )
            return self._life.too_large()
        connection.accept()
        return self._life.answered(request.payload(), content_type, False)

    def _stream_ended(self, request: Request, content_type: str) -> None:
        if ERROR_TYPE in request.headers:  # a trailer: the function failed midway
            document = request.headers.get(ERROR_BODY, b"")
            return self._life.failed(_decoded(document), request.headers[ERROR_TYPE].decode("latin-1"), content_type)
        if not self._began:
            self._life.answer_begins(content_type)
        return self._life.answered(b"", content_type, True)


def _decoded(document: bytes) -> bytes:
    """The trailer's JSON is base64, as headers hold no UTF-8."""
    import base64
    import binascii

    try:
        return base64.b64decode(document, validate=True)
    except (binascii.Error, ValueError):
        return document


def _line(value: str) -> str:
    """What a header can carry: no line ends."""
    return value.replace("\r", " ").replace("\n", " ")
