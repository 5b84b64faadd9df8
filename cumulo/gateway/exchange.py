"""What the application sees of the network: one request, one answer."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from cumulo.gateway.answers import INTERNAL_FAILURE, Answer, declared_length, refusal
from cumulo.gateway.bodies import BodyStream, Disconnected, WholeBody
from cumulo.gateway.hosts import Hosts, cors_fields
from cumulo.wire.http import Request

if TYPE_CHECKING:
    from cumulo.gateway.websocket import WebSocket

LOG = logging.getLogger("cumulo.gateway")

FRESH, BEGUN, ANSWERED, LOST = range(4)


class Application(Protocol):
    """What the gateway calls. All three are called on the loop and must not block."""

    def wants_stream(self, request: Request) -> bool:
        """Whether `handle` reads this body piece by piece and wants to be called before it has come.

        Asked once the header is complete, only for bodies of unknown length, of
        `Limits.stream_from_bytes` and more, or announced with `Expect: 100-continue`.
        """

    def continue_(self, request: Request) -> bool | Answer | None:
        """The verdict on `Expect: 100-continue`: an answer refuses the body unread, False is 417.

        A streamed body is asked for when `handle` first reads it, so that an answer before that refuses it.
        """

    def handle(self, exchange: "Exchange") -> Coroutine[Any, Any, None] | None:
        """Answer now, later from the loop, or in the returned coroutine, which becomes a Task.

        An exception, or a coroutine that ends without an answer, is logged and answered with 500.
        """


class Exchange:
    """One request and the way to answer it: `respond` once, or `begin`, `write` …, `end`.

    An answer to a client that is gone is dropped by `respond`; `write` and `send_file` raise
    Disconnected, so that work for nobody stops.
    """

    __slots__ = (
        "_bodiless",
        "_disconnect",
        "_extra",
        "_half_close",
        "_halved",
        "_left",
        "_refusal",
        "_state",
        "_stream",
        "_task",
        "page",
        "request",
        "websocket",
    )

    def __init__(self, request: Request) -> None:
        self.request = request
        self.page = 0  # where the page stands whose request is left to a service (see `hosts`); 0 for all others
        self.websocket = False  # whether the client asks for a WebSocket: see accept_websocket
        self._state = FRESH
        self._stream: BodyStream | None = None
        self._refusal: Answer | None = None
        self._extra: list[tuple[str, str]] | None = None
        self._task: asyncio.Task[None] | None = None
        self._disconnect: list[Callable[[], None]] | None = None
        self._half_close: list[Callable[[], None]] | None = None
        self._halved = False
        self._bodiless = False
        self._left: int | None = None  # bytes of the declared body not yet written

    # -- the application's side

    def respond(self, status: int, headers: list[tuple[str, str]], body: bytes = b"") -> None:
        """The whole answer. Content-Length, Date and the connection's fields are set here; for a HEAD
        request a Content-Length among `headers` is kept. Raises RuntimeError on a second answer."""
        raise NotImplementedError

    async def begin(self, status: int, headers: list[tuple[str, str]]) -> None:
        """Send the head of an answer whose body follows; give Content-Length where it is known."""
        raise NotImplementedError

    async def write(self, data: bytes) -> None:
        """Send a piece of the body; waits while the client is slow. Raises Disconnected."""
        raise NotImplementedError

    async def end(self) -> None:
        """End the answer. A body shorter than its Content-Length cuts the connection."""
        raise NotImplementedError

    async def send_file(self, file: int | Path, offset: int, count: int) -> None:
        """Send `count` bytes of a file (path, or descriptor of the caller) between begin and end."""
        raise NotImplementedError

    async def accept_websocket(
        self, *, subprotocol: str | None = None, headers: Iterable[tuple[str, str]] = ()
    ) -> "WebSocket":
        """Switch to a WebSocket; only where `websocket` is true. This exchange is then over."""
        raise RuntimeError("this request is no WebSocket handshake")

    def body_stream(self) -> BodyStream | WholeBody:
        """The body as an asynchronous iterator of bytes; the same for a buffered body."""
        return self._stream if self._stream is not None else WholeBody(self.request.body)

    @property
    def streamed(self) -> bool:
        """Whether the body comes piece by piece: then the request has none."""
        return self._stream is not None

    def follow(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Answer in this coroutine; it takes over from the one that `handle` returned, if that did."""
        self._task = asyncio.get_running_loop().create_task(coroutine)
        self._task.add_done_callback(self._task_done)

    def on_disconnect(self, callback: Callable[[], None]) -> None:
        """Call back (on the loop) if the client is gone before it was answered."""
        if self._state == LOST:
            callback()
            return
        if self._disconnect is None:
            self._disconnect = []
        self._disconnect.append(callback)

    def on_half_close(self, callback: Callable[[], None]) -> None:
        """Call back if the client has stopped sending, which is also how a killed client looks.

        At once if it has already. It may still wait for its answer. A long poll does best to answer at once with
        nothing.
        """
        if self._halved:
            callback()
            return
        if self._half_close is None:
            self._half_close = []
        self._half_close.append(callback)

    @property
    def answered(self) -> bool:
        """Whether an answer was begun, or the client is gone: nothing more can be said."""
        return self._state != FRESH

    # -- the connection's side

    def _meet_page(self, hosts: Hosts) -> None:
        """A request with an Origin that was not refused: allow it, or leave it to the service that decides."""
        origin = self.request.headers.get("origin")
        if hosts.left_to_service(self.request):
            self.page = hosts.standing(origin, self.request)
            return
        self._extra = cors_fields(origin)
        self._refusal = hosts.preflight(self.request)

    def _with_extra(self, headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
        # A service that decides about CORS itself (S3, API Gateway) has the last word.
        if self._extra is None or any(name.lower() == "access-control-allow-origin" for name, _ in headers):
            return headers
        return [*headers, *self._extra]

    def _started(self, status: int, headers: list[tuple[str, str]]) -> tuple[list[tuple[str, str]], bool]:
        """An answer whose body follows is begun: its fields, and whether its status allows no body."""
        if self._state == LOST:
            raise Disconnected("the client is gone")
        if self._state != FRESH:
            raise RuntimeError("this request has been answered")
        headers = self._with_extra(headers)
        self._left = declared_length(headers)
        self._state = BEGUN
        empty = status < 200 or status == 204 or status == 304
        self._bodiless = empty or self.request.method == "HEAD"
        return headers, empty

    def _check_begun(self) -> None:
        if self._state == LOST:
            raise Disconnected("the client is gone")
        if self._state != BEGUN:
            raise RuntimeError("begin comes before the body, and nothing after end")

    def _count(self, count: int) -> None:
        """So many bytes of the body are about to be written."""
        if self._left is None:
            return
        if count > self._left:
            raise RuntimeError("the body is longer than its Content-Length")
        self._left -= count

    def _ended(self) -> None:
        """The body is complete, or else cut off."""
        self._check_begun()
        if self._left and not self._bodiless:
            self._abort()
            raise RuntimeError(f"{self._left} bytes of the declared body are missing")
        self._state = ANSWERED

    def _run(self, application: Application, loop: asyncio.AbstractEventLoop) -> None:
        try:
            coroutine = application.handle(self)
        except Exception as error:
            self._crashed(error)
            return
        if coroutine is not None:
            self._task = loop.create_task(coroutine)
            self._task.add_done_callback(self._task_done)

    def _task_done(self, task: asyncio.Task[None]) -> None:
        if task is not self._task and not task.cancelled() and task.exception() is None:
            return  # another goes on in its place: see `follow`
        self._task = None
        if task.cancelled():
            self._abort()
            return
        error = task.exception()
        if error is not None:
            self._crashed(error)
        elif self._state < ANSWERED:
            self._crashed(RuntimeError("the application ended without an answer"))

    def _crashed(self, error: BaseException) -> None:
        request = self.request
        if isinstance(error, Disconnected) or (self._state >= ANSWERED and isinstance(error, ConnectionError)):
            LOG.debug("%s %s: the client hung up", request.method, request.path)
            if self._state < ANSWERED:
                self._abort()
            return
        LOG.error("%s %s failed", request.method, request.path, exc_info=error)
        if self._state == FRESH:
            self.respond(*refusal(request, 500, "InternalFailure", INTERNAL_FAILURE))
        elif self._state == BEGUN:
            self._abort()

    def _abort(self) -> None:
        """Cut off an answer that cannot be completed, visibly for the client."""
        raise NotImplementedError

    def _lose(self, error: BaseException) -> None:
        """The client is gone."""
        if self._stream is not None:
            self._stream.fail(error)
        if self._state < ANSWERED:
            self._state = LOST
            self._call(self._disconnect)

    def _halve(self) -> None:
        self._halved = True
        if self._state < ANSWERED:
            self._call(self._half_close)

    def _call(self, callbacks: list[Callable[[], None]] | None) -> None:
        for callback in callbacks or ():
            try:
                callback()
            except Exception as error:
                LOG.error("a disconnect callback failed", exc_info=error)
