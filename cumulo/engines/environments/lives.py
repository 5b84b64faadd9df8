"""One life of an environment: a sandbox, the programs in it, and the APIs that they speak.

An environment usually has one. A second begins when its init failed and the first invocation repeats it.
"""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from cumulo.engines.environments.api_connections import ApiConnection, Request
from cumulo.engines.environments.builds import Invocation
from cumulo.engines.environments.log_pipes import LogPipe
from cumulo.engines.environments.processes import Processes, ended_as
from cumulo.engines.environments.runtime_api import VERSION as RUNTIME_VERSION
from cumulo.engines.environments.runtime_api import RuntimeApi

if TYPE_CHECKING:
    from cumulo.engines.environments.environment import Environment
    from cumulo.engines.environments.environments import Environments

PAUSE_S = 0.02
"""How long a pipe rests after a turn that it filled."""


class InitFailure(Struct, frozen=True):
    """Why an init failed."""

    error_type: str
    document: bytes = b""
    """What the runtime posted."""
    reason: str = ""
    """The rest of the message "RequestId: … Error: "."""


class Life:
    """See above. `ready` is done when the runtime asks for its first event, or cannot."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[InitFailure | None] = self._loop.create_future()
        self.ended = False
        self.runtime = RuntimeApi(self)
        self._processes = Processes(self._exited, self._all_ended)
        self._servers: list[Any] = []
        self._connections: set[ApiConnection] = set()
        self._log: LogPipe | None = None
        self._log_watched = False
        self._answered = True
        self._home: Environments | None = None

    # beginning and end

    async def start(self, home: Environments, phase: str) -> None:
        """Fork and enter the sandbox, and serve it. Raises StartFailed."""
        self._home = home
        environment = self._environment
        read, write = os.pipe()
        self._log = LogPipe(read, environment.text)
        try:
            zygote, sandbox, program = await home.prepared(environment)
            self.watch_log()
            sockets = await self._processes.start(zygote, sandbox, program, [write])
        except BaseException:
            self.end()
            raise
        finally:
            os.close(write)
        api, *cloud = sockets
        self._servers.append(await self._loop.create_server(self._connection, sock=api, backlog=128))
        for each in cloud:
            self._servers.append(await home.adopt(each))

    def end(self, reason: str = "") -> None:
        """Kill everything at once."""
        self.ended = True
        self._processes.kill()
        self.unwatch_log()
        if self._log is not None:
            self._log.drain()
            self._log.flush()
            self._log.close()
            self._log = None
        for server in self._servers:
            server.close()
        for connection in list(self._connections):
            connection.close()
        self._servers.clear()
        if not self.ready.done():
            self.ready.cancel()

    async def shut_down(self, reason: str) -> None:
        """SHUTDOWN: with nobody to tell, the end comes at once."""
        self.end(reason)

    # invocations

    def invoke(self, invocation: Invocation, deadline_ms: int) -> None:
        """Hand out an event."""
        self._answered = False
        self.runtime.give(invocation, deadline_ms)

    def telemetry(self, kind: str, record: Any) -> None:
        """An event for those who subscribed."""

    def memory(self) -> int:
        """Bytes in use."""
        return 0

    def peak_memory_mb(self) -> int:
        """The most that was in use, in MB."""
        return 0

    # what the runtime tells

    def runtime_waits(self) -> None:
        """The runtime asked for an event."""
        if not self.ready.done():
            self.ready.set_result(None)
        elif self._answered:
            self._environment.invocation_over()

    def answer_begins(self, content_type: str) -> None:
        """The first part of a streamed answer is about to come."""
        self._environment.answer_begins(content_type)

    def answer_part(self, data: bytes) -> None:
        """A part of a streamed answer."""
        self._environment.answer_part(data)

    def answered(self, payload: bytes, content_type: str, streamed: bool) -> None:
        """The function's answer is complete."""
        self._answered = True
        self._environment.answered(payload, content_type, streamed)

    def failed(self, document: bytes, error_type: str, content_type: str) -> None:
        """The function's error."""
        self._answered = True
        self._environment.failed(document, error_type, content_type)

    def too_large(self) -> None:
        """The answer was over the limit."""
        self._answered = True
        self._environment.too_large()

    def init_failed(self, document: bytes, error_type: str) -> None:
        """The runtime could not get ready."""
        if self.ready.done():
            return
        if error_type == "Runtime.InvalidEntrypoint":  # our own words, to which the request's id is added
            self.ready.set_result(InitFailure(error_type, reason=json.loads(document)["errorMessage"]))
        else:
            self.ready.set_result(InitFailure(error_type, document))

    def snapshot_ready(self) -> None:
        """The runtime may be copied now."""
        self.runtime.resume()

    def restore_failed(self, document: bytes, error_type: str) -> None:
        """A hook after the restore failed."""
        self.init_failed(document, error_type)

    # processes

    def _exited(self, name: str, status: int) -> None:
        self.drain()
        if name == "runtime":
            self.ended = True
            if not self.ready.done():
                self.ready.set_result(InitFailure("Runtime.ExitError", reason=ended_as(status)))
            else:
                self._environment.runtime_ended(ended_as(status), "Runtime.ExitError")

    def _all_ended(self) -> None:
        self.ended = True
        if not self.ready.done():
            self.ready.set_result(InitFailure("Runtime.ExitError", reason=ended_as(9)))
        else:
            self._environment.runtime_ended(ended_as(9), "Runtime.ExitError")

    # the APIs

    def _connection(self) -> ApiConnection:
        connection = ApiConnection(self)
        self._connections.add(connection)
        return connection

    def wants_parts(self, request: Request) -> bool:
        """Streamed answers come part by part."""
        return self.runtime.wants_parts(request)

    def part(self, request: Request, data: bytes) -> None:
        """A part of a streamed answer."""
        self.runtime.part(request, data)

    def answer(self, connection: ApiConnection, request: Request) -> None:
        """Route by the version of the API."""
        if request.path.startswith(RUNTIME_VERSION):
            self.runtime.answer(connection, request)
        else:
            connection.send(404, b"", b"404 page not found\n", "text/plain; charset=utf-8")

    def gone(self, connection: ApiConnection) -> None:
        """A connection ended."""
        self._connections.discard(connection)
        self.runtime.forget(connection)

    # the log

    def drain(self) -> None:
        """Read what the function has written until now."""
        if self._log is not None:
            self._log.drain()

    def watch_log(self) -> None:
        """Read the log as it comes."""
        if self._log is not None and not self._log_watched:
            self._log_watched = True
            self._loop.add_reader(self._log.descriptor, self._log_readable)

    def unwatch_log(self) -> None:
        """Read it when it is asked for."""
        if self._log is not None and self._log_watched:
            self._log_watched = False
            self._loop.remove_reader(self._log.descriptor)

    def _log_readable(self) -> None:
        if self._log is not None and self._log.drain():
            self.unwatch_log()
            self._loop.call_later(PAUSE_S, self.watch_log)
