"""A twin of the engine of environments: runs Python handlers in this process, at once."""

import asyncio
import json
import time
import traceback
from collections.abc import Callable
from typing import Any

from cumulo.engines.environments.builds import Build, Invocation, LogLine, Outcome, StartFailed


class Lambda:
    """The context that a handler gets."""

    def __init__(self, build: Build, invocation: Invocation, stream: str) -> None:
        self.aws_request_id = invocation.request_id
        self.invoked_function_arn = invocation.invoked_arn
        self.function_name = build.function_name
        self.function_version = build.function_version
        self.log_stream_name = stream
        self.client_context = invocation.client_context
        self.trace_id = invocation.trace_id
        self.tenant_id = invocation.tenant_id
        self.variables = build.variables


class Environment:
    """Runs a handler in a thread."""

    def __init__(self, build: Build, on_log: Callable[[list[LogLine]], None], stream: str, now: float) -> None:
        self.build = build
        self.log_stream = stream
        self.dead = False
        self.stopped = False
        self.invocations = 0
        self.now = now
        self._on_log = on_log
        module, _, name = build.handler.rpartition(".")
        space: dict[str, Any] = {}
        exec((build.code / f"{module}.py").read_text(), space)
        self._handler = space[name]

    async def invoke(self, invocation: Invocation) -> Outcome:
        """Run the handler; "die" as its error kills the environment."""
        self.invocations += 1
        context = Lambda(self.build, invocation, self.log_stream)
        outcome = Outcome(duration_ms=1.0, billed_ms=1, max_memory_mb=30)
        start = f"START RequestId: {invocation.request_id} Version: {self.build.function_version}\n"
        outcome.tail = start.encode()
        self._on_log([LogLine(int(time.time() * 1000), start)])
        try:
            answer = await asyncio.to_thread(self._handler, json.loads(invocation.payload), context)
            data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        except SystemExit:
            self.dead = outcome.dead = True
            outcome.error, outcome.error_type = "Unhandled", "Runtime.ExitError"
            data = json.dumps({"errorType": "Runtime.ExitError", "errorMessage": "exited"}).encode()
        except Exception as error:
            outcome.error, outcome.error_type = "Unhandled", type(error).__name__
            document = {"errorMessage": str(error), "errorType": type(error).__name__}
            data = json.dumps({**document, "stackTrace": traceback.format_tb(error.__traceback__)}).encode()
        if invocation.on_chunk is not None and not outcome.error:
            if invocation.on_prelude is not None:
                invocation.on_prelude(outcome.content_type)
            for at in range(0, len(data), 1000):
                invocation.on_chunk(data[at : at + 1000])
            data = b""
        outcome.payload = data
        return outcome

    async def stop(self) -> None:
        """End."""
        self.dead = self.stopped = True


class Environments:
    """Starts them; remembers all."""

    def __init__(self) -> None:
        self.started: list[Environment] = []
        self.failure: StartFailed | None = None

    async def prepare(self, build: Build) -> None:
        """Nothing is forked here."""

    async def start(self, build: Build, on_log: Callable[[list[LogLine]], None], log_stream: str = "") -> Environment:
        """A new one."""
        await asyncio.sleep(0.001)
        if self.failure is not None:
            raise self.failure
        made = Environment(build, on_log, log_stream, 0.0)
        self.started.append(made)
        return made

    async def close(self) -> None:
        """Stop all."""
        for each in self.started:
            await each.stop()

    def of(self, name: str) -> list[Environment]:
        """Those of one function, also the stopped ones."""
        return [each for each in self.started if each.build.function_name == name]
