"""Requests of web pages to buckets: a bucket's CORS rules say which origins may do what, as on AWS.

The gateway leaves pages to us where S3 may be meant (`decides`). A bucket with rules is open to those and to nobody
else; without rules no page is told anything, unless the setting `allowed_origins` names its origin. Pages of foreign
origins that no rule lets in are refused altogether: this machine's cloud takes unsigned and unchecked keys.

Source: S3 User Guide, "Using cross-origin resource sharing (CORS)"; the refusals are S3's answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo import dropin
from cumulo.faces import addresses
from cumulo.gateway.hosts import CONFIGURED, FOREIGN, cors_fields
from cumulo.wire.faults import Fault
from cumulo.wire.http import Request
from cumulo.wire.protocols.rest_xml import s3_heads
from cumulo.wire.routing import scope_of

if TYPE_CHECKING:
    from cumulo.app import Cloud
    from cumulo.core.context import Context
    from cumulo.gateway.exchange import Exchange
    from cumulo.wire.routing import Route

Fields = list[tuple[str, str]]

NOT_ENABLED = "CORSResponse: CORS is not enabled for this bucket."
NO_BUCKET = "CORSResponse: Bucket not found"
NOT_ALLOWED = (
    "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / "
    "Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec."
)
NO_ORIGIN = "Insufficient information. Origin request header needed."


def decides(request: Request) -> bool:
    """Whether a page's request may be S3's or a function URL's to decide on; asked for requests of pages only."""
    if addresses.is_function_url(request):
        return True
    if "x-amz-target" in request.headers or request.path.startswith(dropin.PREFIXES):
        return False
    scope = scope_of(request)
    if scope is not None:
        return scope.service == "s3" and addresses.read(request) is not None
    return addresses.website(request) is not None or addresses.read(request) is not None


def fields(ctx: Context, exchange: Exchange, route: Route) -> Fields:
    """What the answer to a page tells its browser, in the call's transaction.

    Raises ForbiddenOrigin for a page that may not call at all.
    """
    origin = exchange.request.headers.get("origin")
    bucket = route.labels.get("Bucket") if route.service.name == "s3" else None
    if bucket is None:
        if exchange.page == FOREIGN:
            raise forbidden(origin)
        return cors_fields(origin)
    from cumulo.services.storage.s3.browsers import cors_rules

    rules = _rules(ctx, bucket)
    rule = cors_rules.find(rules or (), origin, exchange.request.method)
    if rule is not None:
        return cors_rules.fields(rule, origin)
    if exchange.page == FOREIGN:
        raise forbidden(origin)
    return cors_fields(origin) if rules is None and exchange.page == CONFIGURED else []


def site_fields(ctx: Context, exchange: Exchange, route: Route) -> Fields:
    """The same for a website, which is open to all: a page that no rule lets in may not read what it gets."""
    try:
        return fields(ctx, exchange, route)
    except Fault:
        return []


def _rules(ctx: Context, bucket: str) -> list[dict[str, Any]] | None:
    """The CORS rules of a bucket; None where there are none."""
    from cumulo.core.s3.buckets import BUCKETS
    from cumulo.services.storage.s3.browsers import cors
    from cumulo.services.storage.s3.stored import configurations

    found = BUCKETS.peek(ctx, bucket)
    document = configurations.find(ctx, found, cors.KIND) if found is not None else None
    return None if document is None else document["CORSRules"]


def forbidden(origin: str) -> Fault:
    """The refusal of a page that nobody has let in; it is no answer of AWS's."""
    text = (
        f'Pages of the origin "{origin or "null"}" may not call this cloud: neither a CORS rule of the bucket nor the '
        "setting allowed_origins lets them in."
    )
    return Fault("ForbiddenOrigin", text, status=403)


async def preflight(cloud: Cloud, exchange: Exchange, request_id: str) -> None:
    """Answer OPTIONS: by the bucket's rules where S3 is meant, else as the gateway does for all services."""
    request = exchange.request
    headers = request.headers
    address = addresses.read(request)
    method = headers.get("access-control-request-method")
    if address is None or not (address.sure or _is_ours(cloud, request, method)):
        exchange.respond(*cloud.server.hosts.preflight_or_refusal(request))
        return
    origin = headers.get("origin")
    try:
        if not origin:
            raise Fault("BadRequest", NO_ORIGIN, status=400)
        answer = await _by_rules(cloud, address, origin, method, headers.get("access-control-request-headers"))
    except Fault as fault:
        if exchange.page == CONFIGURED and fault.message == NOT_ENABLED:
            exchange.respond(*cloud.server.hosts.preflight_or_refusal(request))
        else:
            exchange.respond(*addresses.refusal(request, fault, request_id))
        return
    exchange.respond(200, [*s3_heads(request_id), *answer])


def _is_ours(cloud: Cloud, request: Request, method: str) -> bool:
    """Whether the request that a preflight announces would be S3's."""
    probe = Request(method or "GET", request.target, request.headers)
    try:
        return cloud.router.route(probe).service.name == "s3"
    except Fault:
        return False


async def _by_rules(cloud: Cloud, address: addresses.Address, origin: str, method: str, wanted: str) -> Fields:
    from cumulo.core.s3.buckets import BUCKETS
    from cumulo.services.storage.s3.browsers import cors_rules

    def read(txn: Any) -> tuple[bool, list[dict[str, Any]] | None]:
        ctx = cloud.runtime.internal_context("s3", "Preflight", "", address.region)
        ctx.enter(txn)
        return BUCKETS.peek(ctx, address.bucket) is not None, _rules(ctx, address.bucket)

    there, rules = await cloud.runtime.store.run(read)
    members = {"Method": method or "OPTIONS", "ResourceType": address.resource_type}
    if not there or rules is None:
        text = NOT_ENABLED if there else NO_BUCKET
        raise Fault("AccessForbidden", text, status=403, members=members)
    if not method:
        raise Fault("BadRequest", "Invalid Access-Control-Request-Method: null", status=400)
    names = cors_rules.requested_headers(wanted)
    rule = cors_rules.find(rules, origin, method, names)
    if rule is None:
        raise Fault("AccessForbidden", NOT_ALLOWED, status=403, members=members)
    return cors_rules.fields(rule, origin, names)
