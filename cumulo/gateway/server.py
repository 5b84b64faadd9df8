"""The gateway: listens, keeps the connections and their deadlines, and stops without cutting anyone off."""

import asyncio
import errno
import logging
import socket
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from cumulo.gateway.answers import Date
from cumulo.gateway.doorway import Doorway
from cumulo.gateway.exchange import Application
from cumulo.gateway.hosts import Hosts
from cumulo.gateway.inlets import Inlet
from cumulo.gateway.limits import Limits

if TYPE_CHECKING:
    from cumulo.gateway.streams import Serve
    from cumulo.gateway.tls import Authority

LOG = logging.getLogger("cumulo.gateway")

_BACKLOG = 1024
_SWEEP_MOST_S = 1.0


class Unflushed(Protocol):
    """A connection that holds answers back until the end of the loop's turn."""

    def flush(self) -> None: ...
    def abort(self) -> None: ...


class Connection(Protocol):
    """What the server asks of a connection, whatever it speaks. `deadline` is in loop time."""

    deadline: float

    def timed_out(self) -> None: ...
    def drain(self) -> None: ...
    def abort(self) -> None: ...


class Server:
    """Serves an application on one port: HTTP/1, HTTP/2 by prior knowledge and, given an authority, TLS.

    `host` is an address or name to listen on; "localhost" means both loopback addresses. Port 0 takes a
    free one: see `port`. `clock` gives the cloud's time in seconds since 1970, for the Date field. `greetings` are
    the first bytes of protocols that are no HTTP, which begin with no letter of a method, and who serves each.
    """

    def __init__(
        self,
        application: Application,
        *,
        clock: Callable[[], float],
        host: str = "localhost",
        port: int = 4566,
        limits: Limits | None = None,
        hosts: Hosts | None = None,
        authority: "Authority | None" = None,
        greetings: "Mapping[bytes, Serve] | None" = None,
    ) -> None:
        self.application = application
        self.limits = limits or Limits()
        self.hosts = hosts or Hosts()
        self.authority = authority
        self.greetings = {greeting[0]: (greeting, serve) for greeting, serve in (greetings or {}).items()}
        self.date = Date(clock)
        self.host = host
        self.port = port
        self.draining = False
        self.now = 0.0  # loop time, as of the last sweep: fine enough for deadlines, and free
        self.connections: set[Connection] = set()
        self.inside = 0  # of them, how many come from inside functions' environments
        self.tasks: set[asyncio.Task[Any]] = set()
        self.loop: asyncio.AbstractEventLoop
        self._unflushed: list[Unflushed] = []
        self._listeners: list[asyncio.Server] = []
        self._sweeper: asyncio.TimerHandle | None = None
        limits = self.limits
        shortest = min(limits.header_timeout_s, limits.idle_timeout_s, limits.body_timeout_s, limits.write_timeout_s)
        self._sweep_s = min(_SWEEP_MOST_S, shortest / 4, limits.linger_timeout_s / 2)

    async def start(self) -> None:
        """Listen. Raises OSError (EADDRINUSE, EADDRNOTAVAIL, EACCES) when the address cannot be had."""
        self.loop = asyncio.get_running_loop()
        self.now = self.loop.time()
        addresses = ["127.0.0.1", "::1"] if self.host == "localhost" else [self.host]
        for number, address in enumerate(addresses):
            try:
                listener = await self.loop.create_server(self._connect, address, self.port, backlog=_BACKLOG)
            except OSError as error:
                # A machine without IPv6 is served on 127.0.0.1 alone; a taken port is an error on either.
                if number == 0 or error.errno == errno.EADDRINUSE:
                    self.close()
                    raise
                continue
            self._listeners.append(listener)
            if self.port == 0:
                self.port = listener.sockets[0].getsockname()[1]

    async def adopt(
        self, listening: socket.socket, application: Application, greetings: "Mapping[bytes, Serve]"
    ) -> Callable[[], None]:
        """Serve an application on a socket that listens inside a function's environment. `greetings` as above.

        Gives what stops it and closes it. Its connections are bounded: see inlets.py.
        """
        inlet = Inlet(self, application, greetings)
        listen = self.loop.create_unix_server if listening.family == socket.AF_UNIX else self.loop.create_server
        listener = await listen(inlet.connect, sock=listening, backlog=_BACKLOG)
        self._listeners.append(listener)

        def leave() -> None:
            listener.close()
            if listener in self._listeners:
                self._listeners.remove(listener)

        return leave

    @property
    def sockets(self) -> list[socket.socket]:
        """The listening sockets."""
        return [sock for listener in self._listeners for sock in listener.sockets]

    def _connect(self) -> Doorway:
        return Doorway(self)

    def flush_soon(self, connection: Unflushed) -> None:
        """Let the connection send at the end of this turn of the loop.

        Answers written one right after the other cost a fifth less CPU each than with work between them: the
        client's machine wakes once for all of them.
        """
        if not self._unflushed:
            self.loop.call_soon(self._flush_all)
        self._unflushed.append(connection)

    def _flush_all(self) -> None:
        unflushed, self._unflushed = self._unflushed, []
        for connection in unflushed:
            try:
                connection.flush()
            except Exception as error:  # else those behind it would wait for their answers for ever
                self.log_failure("an answer could not be sent", error)
                connection.abort()

    def admit(self) -> bool:
        """Whether one more connection may come in. Keeps time while there are any."""
        if self.draining or len(self.connections) >= self.limits.connections:
            return False
        if self._sweeper is None:
            self.now = self.loop.time()
            self._sweeper = self.loop.call_later(self._sweep_s, self._sweep)
        return True

    def opened(self, connection: Connection) -> None:
        """A connection is there, or another protocol has taken it over."""
        self.connections.add(connection)

    def closed(self, connection: Connection) -> None:
        """The opposite; nothing for one that is not known."""
        self.connections.discard(connection)

    def _sweep(self) -> None:
        """One timer for all deadlines: setting one costs a request nothing but a store."""
        self.now = now = self.loop.time()
        for connection in [each for each in self.connections if each.deadline <= now]:
            try:
                connection.timed_out()
            except Exception as error:
                self.log_failure("a connection's timeout failed", error)
                connection.abort()
        self._sweeper = self.loop.call_later(self._sweep_s, self._sweep) if self.connections else None

    async def drain(self, timeout_s: float) -> None:
        """Stop listening, close idle connections, let the others finish for so many seconds, then cut."""
        self.draining = True
        self._stop_listening()
        for connection in list(self.connections):
            connection.drain()
        await self._empty(timeout_s)
        self.close()
        await self._empty(1.0)

    async def _empty(self, timeout_s: float) -> None:
        end = self.loop.time() + timeout_s
        while self.connections and self.loop.time() < end:  # noqa: ASYNC110  an event would cost each connection
            await asyncio.sleep(0.005)

    def close(self) -> None:
        """Stop at once: cut every connection and cancel its work."""
        self.draining = True
        self._stop_listening()
        for connection in list(self.connections):
            connection.abort()
        for task in self.tasks:
            task.cancel()
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None

    def _stop_listening(self) -> None:
        for listener in self._listeners:
            listener.close()
        self._listeners = []

    def log_failure(self, what: str, error: BaseException) -> None:
        LOG.error("%s", what, exc_info=error)
