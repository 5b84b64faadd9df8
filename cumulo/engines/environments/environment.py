"""One execution environment: its phases INIT, INVOKE and SHUTDOWN.

Source: AWS Lambda Developer Guide, "Understanding the Lambda execution environment lifecycle".
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from cumulo.engines.environments import debugging, exits, log_levels, platform_events, snapshots
from cumulo.engines.environments.builds import ON_DEMAND, Build, Invocation, LogLine, Outcome
from cumulo.engines.environments.container_credentials import ContainerCredentials
from cumulo.engines.environments.lives import InitFailure, Life
from cumulo.engines.environments.platform_events import PlatformEvents, billed
from cumulo.engines.environments.runtime_api import MOST_ANSWER_BYTES

if TYPE_CHECKING:
    from cumulo.engines.environments.environments import Environments
    from cumulo.engines.environments.runtimes import Runtime
    from cumulo.engines.environments.snapshots import Snapshot

INIT_LIMIT_S = 10.0
LONG_INIT_LIMIT_S = 130.0
"""Of the init with provisioned concurrency and for snapshots, unless the function's timeout is longer."""
TAIL_BYTES = 4096
TIMED_OUT = "Sandbox.Timedout"
FLUSH_S = 0.2
LOOK_S = 0.01
"""An invocation that takes longer has its log read while it runs."""


class _Running(Struct):
    """An invocation under way."""

    invocation: Invocation
    outcome: Outcome
    done: asyncio.Future[None]
    started: float
    texts: list[str]
    """The end of its log."""
    text_size: int = 0
    parts: bytearray = field(default_factory=bytearray)
    """Of a streamed answer that nobody reads as it comes."""
    answered_at: float = 0.0
    began_at: float = 0.0
    has_answer: bool = False
    fault: str = ""


class Environment:
    """Serves one invocation at a time."""

    def __init__(
        self,
        home: Environments,
        build: Build,
        runtime: Runtime,
        on_log: Callable[[list[LogLine]], None],
        log_stream: str,
    ) -> None:
        self.build = build
        self.runtime = runtime
        self.log_stream = log_stream or build.log_stream
        self.idle_since = 0.0
        self.init_failure: Outcome | None = None
        self.dead = False
        self._home = home
        self._on_log = on_log
        self._loop = asyncio.get_running_loop()
        self._lines: list[LogLine] = []
        self._flusher: asyncio.TimerHandle | None = None
        self._running: _Running | None = None
        self._life: Life | None = None
        self._init_ms: float | None = None
        self._init_reason = ""
        self._restore_ms: float | None = None
        self._ending: asyncio.Task[None] | None = None
        self._application_level = log_levels.weight(build.application_level) if build.log_format == "JSON" else 0
        self.credentials = ContainerCredentials(build)
        self.events = PlatformEvents(build, runtime.banner, home.now, self._platform_line, self._event, self._is_heard)

    @property
    def memory(self) -> int:
        """Bytes in use now, as far as the machine tells; 0 when it does not."""
        return self._life.memory() if self._life is not None else 0

    async def connect_debugger(self) -> socket.socket:
        """A connection to where the runtime listens for a debugger. Raises ConnectionError while it does not yet."""
        port = debugging.PORTS.get(self.runtime.family)
        if self._life is None or port is None:
            raise ConnectionError("nothing listens for a debugger")
        return await self._life.connect(port)

    # INIT

    async def init(self) -> None:
        """Bring the environment up. Raises StartFailed; what the function does wrong is kept in `init_failure`."""
        limit_s = INIT_LIMIT_S
        if self.build.init_type != ON_DEMAND:
            limit_s = max(LONG_INIT_LIMIT_S, self.build.timeout_s)
        await self._init("init", limit_s)
        self.idle_since = perf_counter()
        self._flush()

    async def _init(self, phase: str, limit_s: float) -> None:
        """Start a life and wait until it is ready: by an init, or by restoring a snapshot."""
        self.init_failure = None
        home = self._home
        zygote = await home.zygote_of(self)  # the runtime's first start is ours to wait for, not the function's
        snapshot = await home.snapshot_of(self) if self.build.snap_start and phase == "init" else None
        started = perf_counter()
        life = Life(self, home)
        self._life = life
        if snapshot is not None:
            self.events.restore_start()
        else:
            self.events.init_start(phase)
        life.watch_log()
        failure: InitFailure | None
        try:
            await life.start(snapshot or zygote, restored=snapshot is not None)
            async with asyncio.timeout(debugging.limit_s(self.build, limit_s)):
                failure = await life.ready
        except TimeoutError:
            failure = InitFailure(TIMED_OUT)
        except BaseException:
            life.end()
            self._life = None
            raise
        duration_ms = (perf_counter() - started) * 1000
        self._init_over(life, phase, failure, duration_ms, restored=snapshot is not None)

    def _init_over(
        self, life: Life, phase: str, failure: InitFailure | None, duration_ms: float, *, restored: bool
    ) -> None:
        status = "success" if failure is None else "timeout" if failure.error_type == TIMED_OUT else "error"
        error_type = failure.error_type if failure is not None and status == "error" else ""
        life.unwatch_log()
        life.drain()
        for each in life.extensions.registered:
            self.events.extension(each.name, list(each.events), error_type)
        life.telemetry.init_over()
        if restored:
            self._restore_ms = duration_ms
            self.events.restore_runtime_done(status, error_type)
            self.events.restore_report(status, error_type, duration_ms)
        else:
            self._init_ms = duration_ms if phase == "init" else None
            self.events.init_runtime_done(phase, status, error_type)
            self.events.init_report(phase, status, error_type, duration_ms)
        if failure is not None:
            self.init_failure = Outcome(
                failure.document, "Unhandled", failure.error_type, status == "timeout", duration_ms, dead=True
            )
            self.init_failure.max_memory_mb = life.peak_memory_mb()
            self._init_reason = failure.reason
            life.end()
            self._life = None

    # SnapStart

    def twin(self) -> Environment:
        """Another environment of the same build, for the snapshot itself."""
        return Environment(self._home, self.build, self.runtime, self._on_log, self.log_stream)

    async def init_snapshot(self, snapshot: Snapshot, descriptor: int) -> bool:
        """Bring the function up to where it is copied; whether it got there. Raises StartFailed."""
        limit_s = max(LONG_INIT_LIMIT_S, self.build.timeout_s)
        zygote = await self._home.zygote_of(self)
        started = perf_counter()
        life = Life(self, self._home)
        self._life = life
        self.events.init_start("init")
        life.watch_log()
        ready = False
        try:
            await life.start(zygote, descriptor)
            async with asyncio.timeout(limit_s):
                ready = await snapshots.first_ready(snapshot, life)
        except TimeoutError:
            life.ready.cancel()
        finally:
            life.drain(whole=True)
            life.unwatch_log()
            if ready:
                snapshot.life = life
                duration_ms = (perf_counter() - started) * 1000
                self.events.init_runtime_done("init", "success", "")
                self.events.init_report("init", "success", "", duration_ms)
            else:
                life.end()
            self._flush()
        return ready

    # INVOKE

    async def invoke(self, invocation: Invocation) -> Outcome:
        """Run the function. Never raises for what the function does: the outcome tells."""
        build = self.build
        running = _Running(invocation, Outcome(), self._loop.create_future(), perf_counter(), [])
        if self._running is not None:
            raise RuntimeError("this environment is busy")
        self._running = running
        deadline_ms = invocation.deadline_ms or int((self._home.wall() + build.timeout_s) * 1000)
        invocation.invoked_arn = invocation.invoked_arn or build.function_arn
        try:
            if self._life is None and not await self._init_again(running):
                return self._concluded(running)
            life = self._life
            if life is None or life.ended:
                self._runtime_ended(running, exits.runtime_ended(0))
                return self._concluded(running)
            self.events.start(invocation.request_id, invocation.trace_id)
            running.started = perf_counter()
            timer = self._loop.call_later(debugging.limit_s(build, build.timeout_s), self._timed_out, running)
            look = self._loop.call_later(LOOK_S, life.watch_work, True)
            life.invoke(invocation, deadline_ms)
            try:
                await running.done
            finally:
                timer.cancel()
                look.cancel()
                life.watch_work(False)
            if life.drain() and not running.outcome.dead:
                running.outcome.duration_ms = (perf_counter() - running.started) * 1000
                await life.read_log()
            return self._concluded(running)
        finally:
            self._running = None

    async def _init_again(self, running: _Running) -> bool:
        """An init that failed is repeated within the invocation, and counts as part of it."""
        await self._init("invoke", self.build.timeout_s)
        failure = self.init_failure
        if failure is None:
            return True
        running.outcome = failure
        request_id = running.invocation.request_id
        self.events.start(request_id, running.invocation.trace_id)
        if failure.timed_out:
            running.fault = self._time_out_text(request_id)
            failure.payload = self._time_out_document(request_id)
        elif failure.payload:
            running.fault = f"Unknown application error occurred\n{failure.error_type}\n"
        else:
            self._runtime_ended(running, self._init_reason, failure.error_type)
        return False

    def _concluded(self, running: _Running) -> Outcome:
        """Write END and REPORT, and everything that REPORT shows into the outcome."""
        outcome, invocation = running.outcome, running.invocation
        life = self._life
        now = perf_counter()
        if not outcome.duration_ms:
            outcome.duration_ms = (now - running.started) * 1000
        if life is not None:
            life.drain(whole=outcome.dead)
            outcome.max_memory_mb = life.peak_memory_mb()
        outcome.init_ms, self._init_ms = self._init_ms, None
        outcome.restore_ms, self._restore_ms = self._restore_ms, None
        outcome.billed_ms = billed(outcome.duration_ms + (outcome.init_ms or outcome.restore_ms or 0.0))
        if running.fault:
            self.events.fault(running.fault)
        self.events.runtime_done(invocation.request_id, invocation.trace_id, outcome, _spans(self, running))
        self.events.report(invocation.request_id, invocation.trace_id, outcome)
        outcome.tail = "".join(running.texts).encode()[-TAIL_BYTES:]
        self.idle_since = now
        if outcome.dead:
            self.dead = True
            self._shut_down("timeout" if outcome.timed_out else "failure")
        self._flush()
        return outcome

    def _timed_out(self, running: _Running) -> None:
        request_id = running.invocation.request_id
        outcome = running.outcome
        running.fault = self._time_out_text(request_id)
        if not running.has_answer:
            outcome.error, outcome.error_type = "Unhandled", TIMED_OUT
            outcome.payload = self._time_out_document(request_id)
            outcome.content_type = "application/json"
        outcome.timed_out = outcome.dead = True
        outcome.duration_ms = self.build.timeout_s * 1000
        self._finish(running)

    def _time_out_text(self, request_id: str) -> str:
        moment = platform_events.iso(self._home.now())
        return f"{moment} {request_id} Task timed out after {self.build.timeout_s:.2f} seconds\n\n"

    def _time_out_document(self, request_id: str) -> bytes:
        return _document(
            TIMED_OUT,
            f"RequestId: {request_id} Error: Task timed out after {self.build.timeout_s:.2f} seconds",
        )

    def _runtime_ended(self, running: _Running, text: str, error_type: str = "Runtime.ExitError") -> None:
        request_id = running.invocation.request_id
        outcome = running.outcome
        outcome.dead = True
        if not running.has_answer:
            outcome.error, outcome.error_type = "Unhandled", error_type
            outcome.payload = _document(error_type, f"RequestId: {request_id} Error: {text}")
            outcome.content_type = "application/json"
        elif outcome.error and not outcome.error_type:  # a runtime may leave the name of its error out
            outcome.error_type = error_type
        running.fault = f"RequestId: {request_id} Error: {text}\n{error_type}\n"

    @staticmethod
    def _finish(running: _Running) -> None:
        if not running.done.done():
            running.done.set_result(None)

    # what the life tells

    def answer_begins(self, content_type: str) -> None:
        """A streamed answer is about to come."""
        running = self._running
        if running is not None:
            running.began_at = perf_counter()
            running.outcome.streamed = True
            running.outcome.content_type = content_type
            if running.invocation.on_prelude is not None:
                running.invocation.on_prelude(content_type)

    def answer_part(self, data: bytes) -> asyncio.Future[None] | None:
        """A part of a streamed answer; what the next one has to wait for, if anything."""
        running = self._running
        if running is not None:
            running.outcome.produced_bytes += len(data)
            if running.invocation.on_chunk is not None:
                return running.invocation.on_chunk(data)
            if running.outcome.produced_bytes <= MOST_ANSWER_BYTES:  # it is refused in the end, if it gets larger
                running.parts += data
        return None

    def answered(self, payload: bytes, content_type: str, streamed: bool) -> None:
        """The function's answer is complete."""
        running = self._running
        if running is None:
            return
        running.has_answer = True
        running.answered_at = perf_counter()
        outcome = running.outcome
        if streamed:
            if running.invocation.on_chunk is None:
                outcome.payload = bytes(running.parts)
                if outcome.produced_bytes > MOST_ANSWER_BYTES:
                    self.too_large()
            return
        outcome.produced_bytes = len(payload)
        outcome.content_type = content_type
        running.began_at = running.answered_at
        outcome.payload = payload

    def failed(self, document: bytes, error_type: str, content_type: str) -> None:
        """The function's error."""
        running = self._running
        if running is None:
            return
        running.has_answer = True
        running.answered_at = running.began_at = perf_counter()
        outcome = running.outcome
        outcome.error, outcome.error_type = "Unhandled", error_type
        outcome.payload, outcome.content_type = document, content_type
        outcome.produced_bytes = len(document)

    def too_large(self) -> None:
        """The answer was over the limit."""
        text = f"Response payload size exceeded maximum allowed payload size ({MOST_ANSWER_BYTES} bytes)."
        self.failed(
            _document("Function.ResponseSizeTooLarge", text), "Function.ResponseSizeTooLarge", "application/json"
        )

    def invocation_over(self) -> None:
        """The runtime has answered, and it and all extensions wait for the next event."""
        if self._running is not None:
            self._finish(self._running)

    def runtime_ended(self, reason: str, error_type: str) -> None:
        """The runtime's process, or an extension's, has ended."""
        running = self._running
        if running is None:
            self.dead = True
        else:
            self._runtime_ended(running, reason, error_type)
            self._finish(running)

    def text(self, text: str, framed: bool) -> None:
        """Something that the function wrote."""
        if self._application_level and not framed and log_levels.of_line(text) < self._application_level:
            return
        self._line(text)
        self._event("function", log_levels.record(text) if self.build.log_format == "JSON" else text)

    def extension_text(self, text: str, framed: bool) -> None:
        """Something that an extension wrote."""
        self._line(text)
        self._event("extension", text)

    # logs

    def _platform_line(self, text: str) -> None:
        self._line(text)

    def _line(self, text: str) -> None:
        self._lines.append(LogLine(int(self._home.now() * 1000), text))
        running = self._running
        if running is not None:
            running.texts.append(text)
            running.text_size += len(text)
            if running.text_size > 16 * TAIL_BYTES:
                running.texts[:] = ["".join(running.texts)[-TAIL_BYTES:]]
                running.text_size = TAIL_BYTES
        if self._flusher is None:
            self._flusher = self._loop.call_later(FLUSH_S, self._flush)

    def _is_heard(self) -> bool:
        return self._life is not None and bool(self._life.telemetry)

    def _event(self, kind: str, record: Any) -> None:
        life = self._life
        if life is not None and life.telemetry:
            life.telemetry.add(kind, record)

    def _flush(self) -> None:
        if self._flusher is not None:
            self._flusher.cancel()
            self._flusher = None
        if self._lines:
            lines, self._lines = self._lines, []
            self._on_log(lines)

    # SHUTDOWN

    async def stop(self) -> None:
        """SHUTDOWN: extensions are told and given their time, then every process ends."""
        self._shut_down("spindown")
        if self._ending is not None:
            await self._ending
        self._flush()
        self._home.forget(self)

    def _shut_down(self, reason: str) -> None:
        self.dead = True
        life = self._life
        if life is None or self._ending is not None:
            return
        if life.extensions and not life.ended:
            self._ending = self._loop.create_task(life.shut_down(reason))
        else:
            life.end()
            self._life = None


def _document(error_type: str, message: str) -> bytes:
    return json.dumps({"errorType": error_type, "errorMessage": message}, separators=(",", ":")).encode()


def _spans(environment: Environment, running: _Running) -> list[dict[str, Any]]:
    """How long the answer took to begin and to be complete."""
    if not running.answered_at:
        return []
    wall = environment._home.now() - perf_counter()
    return [
        {
            "name": "responseLatency",
            "start": platform_events.iso(wall + running.started),
            "durationMs": platform_events.rounded((running.began_at - running.started) * 1000),
        },
        {
            "name": "responseDuration",
            "start": platform_events.iso(wall + running.began_at),
            "durationMs": platform_events.rounded((running.answered_at - running.began_at) * 1000),
        },
    ]
