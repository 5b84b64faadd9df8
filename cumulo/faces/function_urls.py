"""Function URLs: `<url-id>.lambda-url.<region>.…` in front of Lambda's functions.

Under `.localhost`, `.localhost.localstack.cloud` and AWS's own `.on.aws`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.callers import credentials
from cumulo.core.errors import INTERNAL_FAILURE
from cumulo.faces import contexts
from cumulo.gateway.bodies import Disconnected
from cumulo.gateway.hosts import FOREIGN
from cumulo.services.compute.lambda_.invocations.streamed_invocations import Flow
from cumulo.services.compute.lambda_.running import invocation_metrics, payloads
from cumulo.services.compute.lambda_.running.invocation_requests import Call
from cumulo.services.compute.lambda_.urls import url_answers, url_calls, url_cors, url_events
from cumulo.services.compute.lambda_.urls.function_urls import LABEL, RESPONSE_STREAM
from cumulo.services.compute.lambda_.urls.url_answers import MalformedAnswer, StreamedHead
from cumulo.wire import hosts, models
from cumulo.wire.faults import Fault

if TYPE_CHECKING:
    from cumulo.app import Cloud
    from cumulo.core.context import Context
    from cumulo.engines.environments.builds import Outcome
    from cumulo.gateway.exchange import Exchange
    from cumulo.services.compute.lambda_.urls.function_urls import FunctionUrl
    from cumulo.services.compute.lambda_.urls.url_calls import Admitted

OPERATION = "InvokeFunctionUrl"
BROKEN = (502, [("Content-Type", "application/json")], b"Internal Server Error")


async def serve(cloud: Cloud, exchange: Exchange, request_id: str) -> None:
    """Answer one request to a function URL."""
    await _UrlCall(cloud, exchange, request_id).run()


class _UrlCall:
    """One request on its way."""

    def __init__(self, cloud: Cloud, exchange: Exchange, request_id: str) -> None:
        self._exchange = exchange
        self._request = request = exchange.request
        host = hosts.read(request.host)
        self._url_id = host.labels[0] if host.labels[1:2] == (LABEL,) else ""
        self._ctx = contexts.anonymous(
            cloud, exchange, request_id, service="lambda", operation=OPERATION, called="Invoke", region=host.region
        )
        self._cors: url_cors.Fields = []
        self._trace_id = ""
        self._url: FunctionUrl | None = None
        self._status = 0
        self._began = self._ctx.now()

    async def run(self) -> None:
        """The whole call, answered and written down."""
        ctx = self._ctx
        fault: Fault | None = None
        try:
            admitted = await ctx.transact(self._admit)
            if admitted is not None:
                await self._invoke(admitted)
        except Fault as refused:
            fault = refused
            self._refuse(refused)
        except Disconnected:
            raise
        except Exception as error:
            ctx.logger.error("request %s, %s failed", ctx.request_id, OPERATION, exc_info=error)
            fault = INTERNAL_FAILURE()
            self._respond(*BROKEN)
        self._count()
        ctx.runtime.journal.record(ctx, fault)

    def _count(self) -> None:
        """The figures of the URL; nobody's for a host that is none."""
        url, ctx = self._url, self._ctx
        if url is None:
            return
        figures = invocation_metrics.of(ctx.runtime)
        resource = f"{url.name}:{url.qualifier}" if url.qualifier else url.name
        source = invocation_metrics.Source(url.account, url.region, url.name, resource)
        figures.add(source, "UrlRequestCount")
        figures.add(source, "Url4xxCount", float(400 <= self._status < 500))
        figures.add(source, "Url5xxCount", float(self._status >= 500))
        figures.add(source, "UrlRequestLatency", round((ctx.now() - self._began) * 1000))

    def _admit(self, ctx: Context) -> Admitted | None:
        """Who calls, and whether they may; None for a page's question that is answered already."""
        self._url = url = url_calls.find(ctx, self._url_id, ctx.region)
        request = self._request
        origin = request.headers.get("origin")
        ctx.account = url.account
        if url.cors:
            if request.method == "OPTIONS" and origin and "access-control-request-method" in request.headers:
                self._respond(200, [("Content-Type", "application/json"), *url_cors.preflight(url.cors, origin)], b"")
                return None
            self._cors = url_cors.fields(url.cors, origin)
        if url.auth_type == "AWS_IAM":
            self._authenticate(ctx, url)
        admitted = url_calls.admit(ctx, url)
        self._trace_id = admitted.trace_id
        return admitted

    def _authenticate(self, ctx: Context, url: FunctionUrl) -> None:
        if self._exchange.page == FOREIGN and not self._cors:  # this cloud takes keys that anybody can make up
            raise Fault("AccessDeniedException", url_calls.FORBIDDEN, status=403)
        try:
            principal = credentials.authenticate(ctx, self._request, models.load("lambda"))
        except Fault as fault:
            raise Fault(fault.code, fault.message, status=403) from None
        if not principal.account:
            raise Fault("AccessDeniedException", url_calls.FORBIDDEN, status=403)
        ctx.principal, ctx.account = principal, principal.account

    async def _invoke(self, admitted: Admitted) -> None:
        call = Call(self._payload(admitted), trace_id=admitted.trace_id)
        if admitted.url.invoke_mode == RESPONSE_STREAM:
            await self._stream(admitted, call)
            return
        outcome = await call.run(self._ctx, admitted.target, admitted.limits, self._ctx.request_id)
        self._interpret(outcome)

    def _payload(self, admitted: Admitted) -> bytes:
        """The event. Raises RequestTooLargeException."""
        request, url = self._request, admitted.url
        domain, _, port = request.host.partition(":")
        asked = url_events.UrlRequest(
            request.method,
            request.path,
            request.query,
            request.headers.items(),
            request.body,
            request.peer,
            f"HTTP/{request.http_version}",
        )
        context = url_events.UrlContext(
            url.url_id,
            domain,
            request.scheme,
            port or ("443" if request.scheme == "https" else "80"),
            self._ctx.request_id,
            admitted.trace_id,
            self._ctx.now(),
            url.account,
            admitted.caller,
        )
        payload = msgspec.json.encode(url_events.event(asked, context))
        if len(payload) > payloads.SYNCHRONOUS_B:
            text = f"Request must be smaller than {payloads.SYNCHRONOUS_B} bytes for the InvokeFunction operation"
            raise Fault("RequestEntityTooLargeException", text, status=413)
        return payload

    def _interpret(self, outcome: Outcome) -> None:
        """Answer with what the function gave back."""
        if outcome.error:
            self._respond(*BROKEN)
            return
        try:
            self._respond(*url_answers.interpret(outcome.payload))
        except MalformedAnswer:
            self._respond(*BROKEN)

    # --- streams ----------------------------------------------------------------------------------

    async def _stream(self, admitted: Admitted, call: Call) -> None:
        """Answer while the function writes."""
        flow = Flow(self._ctx, admitted.target, admitted.limits)
        flow.start(call)
        await flow.begun()
        exchange = self._exchange
        begun = False
        head = StreamedHead() if flow.content_type == url_answers.STREAM_WITH_HEAD else None
        try:
            async for piece in flow.pieces():
                if not begun:
                    found: Any = (200, [("Content-Type", flow.content_type)], piece)
                    if head is not None:
                        found = head.feed(piece)
                        if found is None:
                            continue
                    status, headers, piece = found
                    self._status = status
                    await exchange.begin(status, self._fields(headers))
                    begun = True
                if piece:
                    await exchange.write(piece)
        except MalformedAnswer:
            flow.abandon()
            self._respond(*BROKEN)
            return
        except Disconnected:
            flow.abandon()
            raise
        outcome = await flow.outcome()
        if begun:
            if outcome.error:
                raise ConnectionError("the function failed while it wrote its answer")  # cuts the answer off
            await exchange.end()
        elif outcome.streamed and not outcome.error:
            self._respond(200, [("Content-Type", flow.content_type or outcome.content_type)], b"")
        else:
            self._interpret(outcome)

    # --- answers ----------------------------------------------------------------------------------

    def _fields(self, headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
        own = [("x-amzn-RequestId", self._ctx.request_id)]
        if self._trace_id:
            own.append(("X-Amzn-Trace-Id", self._trace_id))
        return url_cors.over(self._cors, [*headers, *own])

    def _respond(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self._status = status
        headers = self._fields(headers)
        if self._request.method == "HEAD":
            headers.append(("Content-Length", str(len(body))))
            body = b""
        self._exchange.respond(status, headers, body)

    def _refuse(self, fault: Fault) -> None:
        """The document of a refusal: those of URLs say "Message", those of the API behind them "message"."""
        status = fault.status or 400
        if fault.code in ("AccessDeniedException", "ResourceNotFoundException"):
            document: dict[str, Any] = {"Message": fault.message or None}
        elif fault.code == "TooManyRequestsException":
            status = 429
            document = {"Reason": (fault.members or {}).get("Reason"), "Type": "User", "message": fault.message}
        elif fault.code in ("ServiceException", "InvalidRuntimeException") or status >= 500:
            self._respond(*BROKEN)
            return
        else:
            document = {"message": fault.message}
        headers = [("Content-Type", "application/json"), ("x-amzn-ErrorType", fault.code)]
        self._respond(status, headers, msgspec.json.encode(document))
