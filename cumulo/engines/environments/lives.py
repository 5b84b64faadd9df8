"""One life of an environment: a sandbox, the programs in it, and the APIs that they speak.

An environment usually has one. A second begins when its init failed and the first invocation repeats it.
Source: AWS Lambda Developer Guide, "Understanding the Lambda execution environment lifecycle".
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from cumulo.engines.environments import container_credentials, exits, extensions, telemetry, variables
from cumulo.engines.environments.api_connections import (
    MOST_CONNECTIONS,
    MOST_KEPT_BYTES,
    ApiConnection,
    Refused,
    Request,
    Turns,
)
from cumulo.engines.environments.builds import Invocation, StartFailed
from cumulo.engines.environments.extensions import Extensions
from cumulo.engines.environments.log_pipes import LogPipe
from cumulo.engines.environments.runtime_api import VERSION as RUNTIME_VERSION
from cumulo.engines.environments.runtime_api import RuntimeApi
from cumulo.engines.environments.telemetry import Telemetry
from cumulo.engines.sandboxes.sandbox import RUNTIME, Sandbox, SandboxFailed

if TYPE_CHECKING:
    from cumulo.engines.environments.environment import Environment
    from cumulo.engines.environments.environments import Environments
    from cumulo.engines.environments.zygotes import Forker

PAUSE_S = 0.02
"""How long a pipe rests after a turn that it filled."""
TURN_S, MOST_TURNS = 0.002, 64
"""The same at the end of an invocation, and how many turns there are at most."""
INTERNAL_S, EXTERNAL_S = 0.5, 2.0
"""The longest SHUTDOWN with internal and with external extensions; without any there is none."""
RUNTIME_SHARE_S = 0.3
"""Of it, what the runtime may take where there are external extensions."""
PEAK_AGE_S = 0.05
"""How old the highest use of memory may be that a short invocation reports."""
OWN_ERRORS = ("Runtime.InvalidEntrypoint", "Runtime.InvalidWorkingDir")
"""That the program could not be executed: see guest/program.py."""


class InitFailure(Struct, frozen=True):
    """Why an init failed."""

    error_type: str
    document: bytes = b""
    """What the runtime posted."""
    reason: str = ""
    """Without a document: the rest of the message "RequestId: … Error: "."""


class Life:
    """See above. `ready` is done when all ask for their first event, or one cannot."""

    def __init__(self, environment: Environment, home: Environments) -> None:
        self._environment = environment
        self._home = home
        self._loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[InitFailure | None] = self._loop.create_future()
        self.ended = False
        self.runtime = RuntimeApi(self)
        self.extensions = Extensions(self, environment.build, extensions.names(environment.build))
        self.telemetry = Telemetry(home.now, self.connect)
        self._sandbox: Sandbox | None = None
        self._servers: list[Any] = []
        self._connections: set[ApiConnection] = set()
        self._kept_bytes = 0
        self._turns = Turns()
        self._logs: list[LogPipe] = []
        self._log_watched = False
        self._answered = True
        self._go = -1
        self._runtime_ended = self._loop.create_future()
        self._told = asyncio.Event()
        self._peak_mb = 0
        self._peak_at = -1.0

    # the beginning

    async def start(self, forker: Forker, snapshot: int = -1, *, restored: bool = False) -> None:
        """Fork and enter the sandbox, and serve it. Raises StartFailed.

        `snapshot`: a descriptor on which the runtime waits for forks once it is initialised; `restored`: the fork is
        one of such a runtime.
        """
        go_read = -1
        write = self._open_log(self._environment.text)
        try:
            sandbox, program = self._home.prepared(self._environment, nested=snapshot >= 0, inside=restored)
            self._sandbox = sandbox
            sandbox.on_exit = self._exited
            descriptors = [sandbox.theirs.fileno(), write]
            if self.extensions or restored:
                go_read, self._go = os.pipe()
                descriptors.append(go_read)
                program["keep"].append("go")
            if snapshot >= 0:
                descriptors.append(snapshot)
                program["keep"].append("snapshot")
            sandbox.instruct({"sandbox": sandbox.spec, "program": program})
            await forker.fork(descriptors)
            sandbox.handed_over()
            api, *cloud = await sandbox.ready()
        except SandboxFailed as error:
            raise StartFailed(f"the sandbox cannot be made: {error}") from None
        finally:
            os.close(write)
            if go_read >= 0:
                os.close(go_read)
        listen = self._loop.create_unix_server if api.family == socket.AF_UNIX else self._loop.create_server
        self._servers.append(await listen(self._connection, sock=api, backlog=128))
        for each in cloud:
            self._servers.append(await self._home.adopt(each))
        if restored:
            self.extensions_registered()
        self._start_extensions(program["variables"])

    def _start_extensions(self, given: dict[str, str]) -> None:
        assert self._sandbox is not None
        names = [each.name for each in self.extensions.all]
        if not names:
            return
        host, port = self._sandbox.addresses[0]
        own = {name: value for name, value in given.items() if name not in extensions.NOT_FOR_EXTENSIONS}
        own["AWS_LAMBDA_RUNTIME_API"] = f"{host}:{port}"
        write = self._open_log(self._environment.extension_text)
        for name in names:
            self._sandbox.spawn(name, [f"{variables.EXTENSIONS}/{name}"], own, variables.EXTENSIONS, write)
        os.close(write)

    # the end

    def end(self) -> None:
        """Kill everything at once."""
        self.ended = True
        if self._sandbox is not None:
            self._sandbox.kill()
        self.unwatch_log()
        for log in self._logs:
            log.drain()
            log.flush()
            log.close()
        self._logs.clear()
        for server in self._servers:
            server.close()
        for connection in list(self._connections):
            connection.close()
        self._servers.clear()
        self.telemetry.close()
        if self._go >= 0:
            os.close(self._go)
            self._go = -1
        if not self.ready.done():
            self.ready.cancel()

    async def shut_down(self, reason: str) -> None:
        """SHUTDOWN: the runtime is asked to end, then extensions are told and given their time; then `end`."""
        if self.extensions and self._sandbox is not None and not self.ended:
            most_s = EXTERNAL_S if self.extensions.external else INTERNAL_S
            deadline = self._loop.time() + most_s
            deadline_ms = int((self._home.wall() + most_s) * 1000)
            self.watch_log()
            if not self._runtime_ended.done():
                self._sandbox.signal(RUNTIME, signal.SIGTERM)
                share_s = RUNTIME_SHARE_S if self.extensions.external else INTERNAL_S
                await asyncio.wait([self._runtime_ended], timeout=share_s)
                self._sandbox.signal(RUNTIME, signal.SIGKILL)
            self.telemetry.flush()
            self._told.clear()
            if self.extensions.shut_down(reason, deadline_ms):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout_at(deadline):
                        while self.extensions.busy:
                            await self._told.wait()
                            self._told.clear()
        self.end()

    # invocations

    def invoke(self, invocation: Invocation, deadline_ms: int) -> None:
        """Hand out an event."""
        self._answered = False
        if self.extensions:
            self.extensions.invoke(invocation, deadline_ms)
        self.runtime.give(invocation, deadline_ms)

    def _step(self) -> None:
        """Somebody asked for an event: is the phase over?"""
        if not self.ready.done():
            if self.runtime.is_waiting and self.extensions.ready:
                self.ready.set_result(None)
        elif self._answered and self.runtime.is_waiting and not self.extensions.busy:
            self._environment.invocation_over()

    def memory(self) -> int:
        """Bytes in use."""
        return self._sandbox.memory_bytes() if self._sandbox is not None else 0

    def peak_memory_mb(self) -> int:
        """The most that was in use, in MB."""
        now = self._loop.time()
        if self._sandbox is not None and not self._sandbox.ended and now - self._peak_at > PEAK_AGE_S:
            self._peak_mb = max(self._peak_mb, -(-self._sandbox.peak_bytes() // 1_048_576))
            self._peak_at = now
        return self._peak_mb

    # what the runtime tells

    def runtime_waits(self) -> None:
        """The runtime asked for an event."""
        if not self.extensions.runtime_began:
            self.extensions.runtime_began = True
        self._step()

    def answer_begins(self, content_type: str) -> None:
        """The first part of a streamed answer is about to come."""
        self._environment.answer_begins(content_type)

    def answer_part(self, data: bytes) -> asyncio.Future[None] | None:
        """A part of a streamed answer; what the next one has to wait for."""
        return self._environment.answer_part(data)

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
        reason = _own_reason(document) if error_type in OWN_ERRORS else ""
        if reason:  # our own words, to which the request's id is added
            self.ready.set_result(InitFailure(error_type, reason=reason))
        else:
            self.ready.set_result(InitFailure(error_type, document))

    def snapshot_ready(self) -> None:
        """The runtime may be copied now; a fork of it would not get here, so it goes on itself."""
        self.runtime.resume()

    def restore_failed(self, document: bytes, error_type: str) -> None:
        """A hook after the restore failed."""
        self.init_failed(document, error_type)

    # what extensions tell

    def extensions_registered(self) -> None:
        """All external ones have: the runtime may begin."""
        if self._go >= 0:
            os.write(self._go, b"g")
            os.close(self._go)
            self._go = -1

    def extension_waits(self) -> None:
        """One asked for its next event."""
        self._told.set()
        self._step()

    def extension_failed(self, name: str, error_type: str, reason: str) -> None:
        """One told an error, or ended: the environment cannot go on without it."""
        self._told.set()
        if self.ended:
            return
        if not self.ready.done():
            self.ready.set_result(InitFailure(error_type, reason=reason))
        else:
            self._environment.runtime_ended(reason, error_type)

    # processes

    def _exited(self, name: str, status: int) -> None:
        self.drain()
        if name != RUNTIME:
            self.extensions.process_ended(name, exits.reason(status) or "exit status 0")
            return
        if not self._runtime_ended.done():
            self._runtime_ended.set_result(None)
        assert self._sandbox is not None
        kind = exits.EXIT_ERROR
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL and self._sandbox.oom_killed():
            kind = exits.OUT_OF_MEMORY
            self._peak_mb = self._environment.build.memory_mb
        if not self.ready.done():
            self.ready.set_result(InitFailure(kind, reason=exits.runtime_ended(status)))
        elif not self.ended:
            self._environment.runtime_ended(exits.runtime_ended(status), kind)

    async def connect(self, port: int) -> socket.socket:
        """A connection to a port inside. Raises ConnectionError."""
        if self._sandbox is None:
            raise ConnectionError
        return await self._sandbox.connect(port)

    # the APIs

    def _connection(self) -> ApiConnection | Refused:
        if len(self._connections) >= MOST_CONNECTIONS:
            return Refused()
        connection = ApiConnection(self, self._turns)
        self._connections.add(connection)
        return connection

    def keep(self, count: int) -> bool:
        """Requests in memory have grown, or shrunk; whether they may be as large."""
        self._kept_bytes += count
        return self._kept_bytes <= MOST_KEPT_BYTES

    def wants_parts(self, request: Request) -> bool:
        """Streamed answers come part by part."""
        return self.runtime.wants_parts(request)

    def part(self, request: Request, data: bytes) -> asyncio.Future[None] | None:
        """A part of a streamed answer; what the next one has to wait for."""
        return self.runtime.part(request, data)

    def answer(self, connection: ApiConnection, request: Request) -> None:
        """Route by the version of the API."""
        path = request.path
        if path.startswith(RUNTIME_VERSION):
            self.runtime.answer(connection, request)
        elif path.startswith(extensions.VERSION):
            self.extensions.answer(connection, request)
        elif path in (telemetry.PATH, telemetry.LOGS_PATH) and request.method == b"PUT":
            self._subscribe(connection, request)
        elif path == container_credentials.PATH and request.method == b"GET":
            self._environment.credentials.answer(connection, request)
        else:
            connection.send(404, b"", b"404 page not found\n", "text/plain; charset=utf-8")

    def _subscribe(self, connection: ApiConnection, request: Request) -> None:
        found = self.extensions.find(request)
        if found is None:
            extensions.unknown(connection, request)
            return
        made = self.telemetry.subscribe(connection, request, found.name)
        if made is not None:
            self._environment.events.subscription(found.name, list(made.types), made.old)

    def gone(self, connection: ApiConnection) -> None:
        """A connection ended."""
        self._connections.discard(connection)
        self.runtime.forget(connection)
        self.extensions.forget(connection)

    # the log

    def _open_log(self, on_text: Any) -> int:
        read, write = os.pipe()
        self._logs.append(LogPipe(read, on_text))
        if self._log_watched:
            self._loop.add_reader(read, self._log_readable, self._logs[-1])
        return write

    def drain(self, whole: bool = False) -> bool:
        """Read what was written until now; whether that was too much for once. `whole`: unfinished lines too."""
        more = False
        for log in self._logs:
            more |= log.drain()
            if whole:
                log.flush()
        return more

    def watch_log(self) -> None:
        """Read the log as it comes."""
        if not self._log_watched and not self.ended:
            self._log_watched = True
            for log in self._logs:
                self._loop.add_reader(log.descriptor, self._log_readable, log)

    def unwatch_log(self) -> None:
        """Read it when it is asked for."""
        if self._log_watched:
            self._log_watched = False
            for log in self._logs:
                self._loop.remove_reader(log.descriptor)

    def watch_work(self, at_work: bool) -> None:
        """While an invocation takes longer: its log is read as it comes, its memory is watched."""
        if self._sandbox is None or (not at_work and not self._log_watched):
            return
        self._home.sandboxes.working(self._sandbox, at_work)
        if at_work:
            self.watch_log()
        else:
            self.unwatch_log()

    async def read_log(self) -> None:
        """Read all that has been written, and let others go on in between; not for ever, as somebody may write on."""
        for _ in range(MOST_TURNS):
            await asyncio.sleep(TURN_S)
            if not self.drain():
                return

    def _log_readable(self, log: LogPipe) -> None:
        if log.drain():
            self.unwatch_log()
            self._loop.call_later(PAUSE_S, self._read_on, log)

    def _read_on(self, log: LogPipe) -> None:
        self.watch_log()
        if self._log_watched and log in self._logs:  # it may hold lines that are read, but not told yet
            self._log_readable(log)


def _own_reason(document: bytes) -> str:
    """What guest/program.py says is wrong; "" for what a function says in its name."""
    try:
        return str(json.loads(document)["errorMessage"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""
