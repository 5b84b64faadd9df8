"""Ways into a server from inside functions: what comes by them is served as all else, but cannot take it over."""

import asyncio
from typing import TYPE_CHECKING, cast

from cumulo.gateway.doorway import Doorway
from cumulo.gateway.exchange import Application

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cumulo.gateway.server import Connection, Server
    from cumulo.gateway.streams import Serve

MOST_CONNECTIONS = 256
"""Of one inlet: an SDK's client has ten."""
SHARE = 2
"""Of the server's connections all inlets together may have this part: whoever is outside still gets in."""


class Inlet:
    """What connections of one more listening socket take for their server: its own, with bounds of their own."""

    def __init__(self, server: "Server", application: Application, greetings: "Mapping[bytes, Serve]") -> None:
        self.application = application
        self.greetings = {greeting[0]: (greeting, serve) for greeting, serve in greetings.items()}
        self.limits = server.limits
        self.hosts = server.hosts
        self.authority = server.authority
        self.date = server.date
        self.loop = server.loop
        self.tasks = server.tasks
        self.flush_soon = server.flush_soon
        self.log_failure = server.log_failure
        self._own: set[Connection] = set()
        self._server = server

    @property
    def now(self) -> float:
        """As the server's."""
        return self._server.now

    @property
    def draining(self) -> bool:
        """As the server's."""
        return self._server.draining

    def admit(self) -> bool:
        """Whether one more connection may come in by this way."""
        server = self._server
        most = server.limits.connections // SHARE
        return len(self._own) < MOST_CONNECTIONS and server.inside < most and server.admit()

    def opened(self, connection: "Connection") -> None:
        """As the server's, and counted beside."""
        if connection not in self._own:
            self._own.add(connection)
            self._server.inside += 1
        self._server.opened(connection)

    def closed(self, connection: "Connection") -> None:
        """The opposite."""
        if connection in self._own:
            self._own.discard(connection)
            self._server.inside -= 1
        self._server.closed(connection)

    def connect(self) -> asyncio.BaseProtocol:
        """A new connection."""
        return Doorway(cast("Server", self))
