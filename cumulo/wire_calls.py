"""Calls that come over the wire: their body on its way in, their answer on its way out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from cumulo import event_frames
from cumulo.core.bodies import Outgoing
from cumulo.core.callers import credentials
from cumulo.core.context import Context
from cumulo.core.errors import INTERNAL_FAILURE
from cumulo.core.pipeline import Caller
from cumulo.gateway.bodies import BodyStream, Disconnected, WholeBody
from cumulo.gateway.exchange import Exchange
from cumulo.wire import aws_chunked, payloads
from cumulo.wire.faults import Fault
from cumulo.wire.payloads import Payload
from cumulo.wire.routing import Response, Route

if TYPE_CHECKING:
    from cumulo.wire.claims import Claim
    from cumulo.wire.http import Request

logger = logging.getLogger("cumulo")

_OF_ANY_LENGTH = "v4-unsigned-body"  # how operations are signed whose body the client may still be making


class IncomingBody(Payload):
    """A body that is still on its way: what an operation marked `streams=True` reads (see `core.bodies.Body`)."""

    def __init__(
        self, stream: BodyStream | WholeBody, request: Request, claim: Claim | None, secret: str | None
    ) -> None:
        super().__init__(request, claim, secret)
        self._stream = stream

    async def read(self) -> list[bytes]:
        """The next raw bytes, all that have come; empty at the end. Raises RequestTimeout when the client is gone."""
        try:
            return await self._stream.read_some()
        except Disconnected:
            message = "Your socket connection to the server was not read from or written to within the timeout period."
            raise Fault("RequestTimeout", message, status=400) from None


class Sent(NamedTuple):
    """A request over the wire and its answer, for those who write it down (`Context.on_answer`)."""

    request: Request
    status: int
    headers: list[tuple[str, str]]
    body: bytes
    fault: Fault | None


class WireCall(Caller):
    """A call that came over the wire."""

    def __init__(self, exchange: Exchange, route: Route, ctx: Context) -> None:
        self.exchange = exchange
        self.route = route
        self.ctx = ctx
        self._page_fields: list[tuple[str, str]] | None = None
        ctx.on_wait = self.on_wait

    def meet_page(self, ctx: Context) -> None:
        """A page's request that was left to its service: what the answer tells the browser. Raises ForbiddenOrigin."""
        if self.exchange.page:
            from cumulo.faces import pages

            self._page_fields = pages.fields(ctx, self.exchange, self.route)

    def authenticate(self, ctx: Context) -> None:
        """Whoever signed the request."""
        if self.exchange.page:
            self.meet_page(ctx)
        principal = credentials.authenticate(ctx, self.exchange.request, self.route.service)
        ctx.principal = principal
        ctx.account = principal.account

    def parse(self) -> dict[str, Any]:
        """The request, read as its protocol wants."""
        self.ctx.document = self.exchange.request.body
        return self.route.parse()

    def done(self, answer: dict[str, Any] | None, error: BaseException | None) -> None:
        """Write the answer, then the journal."""
        ctx, route = self.ctx, self.route
        ctx.on_wait = None  # it holds us, and we hold it
        request_id = ctx.request_id
        fault: Fault | None = None
        body: Any = None
        try:
            if error is None:
                result = answer or {}
                if route.streamed:
                    body = result.get(route.streamed)
                response = self.response(result, request_id)
            else:
                fault = error if isinstance(error, Fault) else INTERNAL_FAILURE()
                response = route.fault(fault, request_id)
        except Exception as failure:
            logger.error("request %s, %s: no answer could be written", request_id, ctx.operation, exc_info=failure)
            fault, body = INTERNAL_FAILURE(), None
            response = route.fault(fault, request_id)
        if self._page_fields:
            response[1].extend(self._page_fields)
        if ctx.on_answer is not None:
            ctx.on_answer(Sent(self.exchange.request, response[0], response[1], response[2], fault))
        if body is None or isinstance(body, bytes | str):
            self.exchange.respond(*response)
        else:
            self.exchange.follow(send(self.exchange, ctx, response[0], response[1], self._pieces(body)))
        ctx.runtime.journal.record(ctx, fault)

    def response(self, result: dict[str, Any], request_id: str) -> Response:
        """The answer to a call that went well; a body that is sent piece by piece follows."""
        return self.route.answer(result, request_id)

    def _pieces(self, body: Any) -> Outgoing | AsyncIterator[bytes]:
        events = self.route.operation.eventstream_output
        return body if events is None else event_frames.framed(self.route, body)

    def on_wait(self, callback: Callable[[], None]) -> None:
        """Tell the operation of a client that hangs up while it waits."""
        self.exchange.on_half_close(callback)
        self.exchange.on_disconnect(callback)


class StreamingCall(WireCall):
    """A call whose operation takes its body as a stream, be it here already or on its way."""

    def __init__(self, exchange: Exchange, route: Route, ctx: Context) -> None:
        super().__init__(exchange, route, ctx)
        self._claim: Claim | None = None
        self._secret: str | None = None

    def authenticate(self, ctx: Context) -> None:
        """Whoever signed the request's head; the body is held against the signature as it comes."""
        if self.exchange.page:
            self.meet_page(ctx)
        streamed = self.exchange.streamed
        known = credentials.identify(ctx, self.exchange.request, self.route.service, streamed=streamed)
        ctx.principal, self._claim, self._secret = known
        ctx.account = ctx.principal.account

    def parse(self) -> dict[str, Any]:
        """The request; its payload is bytes, or an IncomingBody when the body is on its way."""
        route, http = self.route, self.exchange.request
        request = route.parse()
        if not payloads.has_length(http) and route.operation.auth != _OF_ANY_LENGTH:
            raise payloads.missing_length(http)
        shape = route.operation.input
        assert shape is not None
        if self.exchange.streamed:
            request[shape.payload] = IncomingBody(self.exchange.body_stream(), http, self._claim, self._secret)
        elif aws_chunked.is_chunked(http):
            request[shape.payload], trailers = payloads.whole(http, self._claim, self._secret)
            for name, value in trailers.items():
                member = route.header_member(name)
                if member:
                    request[member] = value
        return request


async def send(
    exchange: Exchange, ctx: Context, status: int, headers: list[tuple[str, str]], body: Outgoing | AsyncIterator[bytes]
) -> None:
    """An answer whose body is sent piece by piece."""
    try:
        await exchange.begin(status, headers)
        if isinstance(body, Outgoing):
            for file in body.files:
                await exchange.send_file(file.descriptor, file.offset, file.count)
        else:
            async for piece in body:
                await exchange.write(piece)
        await exchange.end()
    except (Disconnected, asyncio.CancelledError):
        raise
    except Exception as error:
        logger.error("request %s, %s: the answer broke off", ctx.request_id, ctx.operation, exc_info=error)
        raise
    finally:
        if isinstance(body, Outgoing):
            body.close()
        else:
            close = getattr(body, "aclose", None)
            if close is not None:
                await close()
