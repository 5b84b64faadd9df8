"""InvokeWithResponseStream: the function's answer piece by piece, while it is made.

Source: Lambda API Reference, "InvokeWithResponseStream"; Lambda Developer Guide, "Response streaming for Lambda
functions".
"""

from __future__ import annotations

import asyncio
import collections
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.errors import Fault
from cumulo.core.operation import Wait, operation
from cumulo.services.compute.lambda_.invocations.invocations import DRY_RUN, found
from cumulo.services.compute.lambda_.running import concurrency, payloads
from cumulo.services.compute.lambda_.running.invocation_requests import Call, check_state, refuse_loop, trace_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from cumulo.core.context import Context
    from cumulo.engines.environments.builds import Outcome
    from cumulo.services.compute.lambda_.running.concurrency import Limits
    from cumulo.services.compute.lambda_.stored.qualifiers import Target
    from cumulo.stubs import lambda_ as t

EVENT_STREAM = "application/vnd.amazon.eventstream"
PIECE_B = 65_536  # of an answer that was not made as a stream
HELD_B = 262_144  # of an answer that its reader has not taken yet; then the function waits


class Flow:
    """An answer on its way: what the function has written so far, and its end."""

    def __init__(self, ctx: Context, target: Target, limits: Limits) -> None:
        self._ctx = ctx
        self._target = target
        self._limits = limits
        self._pieces: collections.deque[bytes] = collections.deque()
        self._held_bytes = 0
        self._behind: asyncio.Future[None] | None = None
        self._news = asyncio.Event()
        self._running: asyncio.Task[Outcome] | None = None
        self._abandoned = False
        self.content_type = ""

    def start(self, call: Call) -> None:
        """Run the function."""
        call.on_chunk = self._on_chunk
        call.on_prelude = self._on_prelude
        work = call.run(self._ctx, self._target, self._limits, self._ctx.request_id)
        self._running = asyncio.get_running_loop().create_task(work)
        self._running.add_done_callback(self._done)

    def _done(self, running: asyncio.Task[Outcome]) -> None:
        if self._abandoned and not running.cancelled():
            running.exception()  # looked at: there is nobody to be told
        self._news.set()

    def _on_chunk(self, piece: bytes) -> asyncio.Future[None] | None:
        if self._abandoned:
            return None
        self._pieces.append(piece)
        self._held_bytes += len(piece)
        self._news.set()
        if self._held_bytes > HELD_B and self._behind is None:
            self._behind = asyncio.get_running_loop().create_future()
        return self._behind

    def _caught_up(self) -> None:
        behind, self._behind = self._behind, None
        if behind is not None and not behind.done():
            behind.set_result(None)

    def _on_prelude(self, content_type: str) -> None:
        self.content_type = content_type
        self._news.set()

    async def begun(self) -> None:
        """Wait until the answer has begun or is over. Raises the Fault of a function that could not be run."""
        assert self._running is not None
        while not (self.content_type or self._pieces or self._running.done()):
            self._news.clear()
            await self._news.wait()
        if self._running.done() and not self._pieces:
            self._running.result()

    async def pieces(self) -> AsyncIterator[bytes]:
        """What the function writes."""
        assert self._running is not None
        while True:
            self._news.clear()
            while self._pieces:
                piece = self._pieces.popleft()
                self._held_bytes -= len(piece)
                if self._held_bytes <= HELD_B // 2:
                    self._caught_up()
                yield piece
            if self._running.done():
                return
            await self._news.wait()

    def abandon(self) -> None:
        """Nobody reads on: the function runs to its end, as on AWS, and what it writes is dropped."""
        self._abandoned = True
        self._pieces.clear()
        self._caught_up()

    async def outcome(self) -> Outcome:
        """How it ended."""
        assert self._running is not None
        return await self._running


@operation
def invoke_with_response_stream(
    ctx: Context, request: t.InvokeWithResponseStreamRequest
) -> t.InvokeWithResponseStreamResponse:
    target = found(ctx, request["FunctionName"], request.get("Qualifier"))
    if request.get("InvocationType") == DRY_RUN:
        return {"StatusCode": 204}
    tenant_id = request.get("TenantId", "")
    check_state(target, tenant_id)
    payload = payloads.checked(request.get("Payload"), "RequestResponse", payloads.SYNCHRONOUS_B)
    context = payloads.client_context(request.get("ClientContext"))
    trace_id, looped = trace_of(ctx, target)
    refuse_loop(ctx, target, looped)
    function = target.function
    limits = concurrency.limits_of(ctx, function)
    call = Call(payload, trace_id=trace_id, client_context=context, tenant_id=tenant_id)
    tail = request.get("LogType") == "Tail"

    async def run(ctx: Context) -> dict[str, Any]:
        flow = Flow(ctx, target, limits)
        flow.start(call)
        await flow.begun()
        return {
            "StatusCode": 200,
            "ExecutedVersion": target.version.version,
            "ResponseStreamContentType": EVENT_STREAM,
            "EventStream": _events(flow, tail),
        }

    raise Wait(run)


async def _events(flow: Flow, tail: bool) -> AsyncIterator[dict[str, Any]]:
    try:
        async for piece in flow.pieces():
            yield {"PayloadChunk": {"Payload": piece}}
    except BaseException:  # the client is gone
        flow.abandon()
        raise
    complete: dict[str, Any] = {}
    try:
        outcome = await flow.outcome()
    except Fault as fault:
        yield {"InvokeComplete": {"ErrorCode": fault.code, "ErrorDetails": fault.message}}
        return
    if outcome.error and outcome.streamed:
        complete["ErrorCode"], complete["ErrorDetails"] = _error(outcome)
    else:
        for at in range(0, len(outcome.payload), PIECE_B):
            yield {"PayloadChunk": {"Payload": outcome.payload[at : at + PIECE_B]}}
        if outcome.error:
            complete["ErrorCode"], complete["ErrorDetails"] = _error(outcome)
    if tail:
        complete["LogResult"] = b64encode(outcome.tail).decode()
    yield {"InvokeComplete": complete}


def _error(outcome: Outcome) -> tuple[str, str]:
    """The type of an error, and its document."""
    try:
        document = msgspec.json.decode(outcome.payload)
        kind = document.get("errorType") if isinstance(document, dict) else None
    except msgspec.DecodeError:
        kind = None
    return kind or outcome.error_type or outcome.error, outcome.payload.decode("utf-8", "replace")
