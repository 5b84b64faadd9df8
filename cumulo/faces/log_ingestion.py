"""CloudWatch Logs' HTTP endpoints: /v1/logs (OpenTelemetry), /services/collector/event, /ingest/bulk, /ingest/json.

Requests are signed, or carry the bearer token of an IAM user's API key for CloudWatch Logs. The paths are also names
of buckets and keys: a request is for logs when it says so by its host, its token, its signature or its header fields.
Source: CloudWatch Logs User Guide, "Log ingestion through HTTP endpoints": 200 with {}, 400, 401.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from cumulo.core.callers import credentials
from cumulo.core.errors import INTERNAL_FAILURE
from cumulo.faces import contexts
from cumulo.gateway.hosts import FOREIGN
from cumulo.services.identity.iam.credentials import service_specific_credentials
from cumulo.services.operations.logs.ingestion import http_ingestion, otlp
from cumulo.services.operations.logs.ingestion.http_ingestion import ENDPOINTS, PROTOBUF, Admitted
from cumulo.wire import hosts, models, routing
from cumulo.wire.faults import Fault

if TYPE_CHECKING:
    from cumulo.app import Cloud
    from cumulo.core.context import Context
    from cumulo.gateway.exchange import Exchange

GROUP, STREAM, FIELDS = "x-aws-log-group", "x-aws-log-stream", "x-aws-truncatable-fields"
_BEARER = "bearer "
_UNKNOWN = ("UnrecognizedClientException", "InvalidClientTokenId", "SignatureDoesNotMatch", "ExpiredToken",
            "MissingAuthenticationToken", "IncompleteSignature", "InvalidSignatureException")  # fmt: skip


async def serve(cloud: Cloud, exchange: Exchange, request_id: str) -> None:
    """Answer one request."""
    await _Ingestion(cloud, exchange, request_id).run()


class _Ingestion:
    """One request on its way."""

    def __init__(self, cloud: Cloud, exchange: Exchange, request_id: str) -> None:
        self._exchange = exchange
        self._request = request = exchange.request
        self._endpoint = endpoint = ENDPOINTS[request.path]
        self._type = request.headers.get("content-type").partition(";")[0].strip().lower()
        operation, region = endpoint.operation, self._region()
        self._ctx = contexts.anonymous(
            cloud, exchange, request_id, service="logs", operation=operation, called="PutLogEvents", region=region
        )

    def _region(self) -> str:
        scope = routing.scope_of(self._request)
        return scope.region if scope is not None else hosts.read(self._request.host).region or routing.DEFAULT_REGION

    async def run(self) -> None:
        """The whole call, answered and written down."""
        ctx = self._ctx
        fault: Fault | None = None
        try:
            counts = await self._ingest()
        except Fault as refused:
            fault = refused
        except Exception as error:
            ctx.logger.error("request %s, %s failed", ctx.request_id, ctx.operation, exc_info=error)
            fault = INTERNAL_FAILURE()
        if fault is not None:
            self._refuse(fault)
        elif self._endpoint.read is not None:
            self._respond(200, b"{}")
        else:
            self._respond(200, otlp.answer(counts, as_protobuf=self._type == PROTOBUF))
        ctx.runtime.journal.record(ctx, fault)

    async def _ingest(self) -> dict[str, int]:
        request, endpoint = self._request, self._endpoint
        admitted = await self._ctx.transact(self._admit)
        if self._type not in endpoint.types:
            raise _invalid(f"The content type must be {' or '.join(endpoint.types)}.")
        body = request.body
        encoding = request.headers.get("content-encoding").strip().lower()
        if encoding == "gzip":
            body = await self._ctx.in_thread(lambda: _unpacked(request.body))
        elif encoding not in ("", "identity", "none"):
            raise _invalid(f"The content encoding {encoding} is not supported.")
        truncatable = request.headers.get(FIELDS)
        return await http_ingestion.ingest(self._ctx, endpoint, admitted, body, self._type, truncatable)

    def _admit(self, ctx: Context) -> Admitted:
        """Who calls, and whether they may."""
        authorization = self._request.headers.get("authorization")
        by_token = authorization[: len(_BEARER)].lower() == _BEARER
        if by_token:
            token = authorization[len(_BEARER) :].strip()
            principal = service_specific_credentials.holder(ctx, token, "logs.amazonaws.com")
        elif self._exchange.page == FOREIGN:  # this cloud takes keys that anybody can make up
            principal = None
        else:
            principal = credentials.authenticate(ctx, self._request, models.load("logs"))
        if principal is None or not principal.account:
            raise Fault("UnrecognizedClientException", "The security token included in the request is invalid.")
        ctx.principal, ctx.account = principal, principal.account
        return http_ingestion.admit(
            ctx, self._name(GROUP, "logGroup"), self._name(STREAM, "logStream"), by_token=by_token
        )

    def _name(self, field: str, parameter: str) -> str:
        """A name in a header field or, but of OTLP, in the query; not in both."""
        given = self._request.headers.get(field)
        asked = parse_qs(self._request.query).get(parameter, []) if self._endpoint.read is not None else []
        if given and asked:
            raise _invalid(f"Specify {parameter} either in the query or in the header {field}, not in both.")
        name = given or (asked[0] if asked else "")
        if not name:
            raise _invalid(f"The request names no {parameter}.")
        return name

    def _refuse(self, fault: Fault) -> None:
        status = fault.status or 400
        if fault.code in _UNKNOWN:
            status = 401
        elif fault.code in ("AccessDeniedException", "AccessDenied"):
            status = 403
        is_otlp = self._endpoint.read is None
        body = otlp.refusal(fault.message, as_protobuf=is_otlp and self._type == PROTOBUF)
        self._respond(status, body, [("x-amzn-ErrorType", fault.code)])

    def _respond(self, status: int, body: bytes, more: list[tuple[str, str]] | None = None) -> None:
        kind = PROTOBUF if self._type == PROTOBUF and self._endpoint.read is None else "application/json"
        headers = [("Content-Type", kind), ("x-amzn-RequestId", self._ctx.request_id), *(more or ())]
        self._exchange.respond(status, headers, body)


def _invalid(text: str) -> Fault:
    return Fault("InvalidParameterException", text, status=400)


def _unpacked(body: bytes) -> bytes:
    return routing.gunzip(body)
