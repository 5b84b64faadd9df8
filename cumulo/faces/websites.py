"""Websites of buckets: GET and HEAD of anybody, index and error documents, redirects, and errors in HTML.

A page is read with GetObject as an anonymous caller would: the bucket's policy and ACLs decide.
Source: S3 User Guide, "Hosting a static website using Amazon S3"; the pages of errors are S3's answers.
"""

from __future__ import annotations

import asyncio
from html import escape
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, unquote

from cumulo.core.bodies import Outgoing
from cumulo.core.errors import INTERNAL_FAILURE
from cumulo.core.pipeline import Caller
from cumulo.faces import pages
from cumulo.wire.faults import Fault
from cumulo.wire.http import Headers, Request
from cumulo.wire.protocols.rest_xml import host_id, s3_heads
from cumulo.wire.routing import Route
from cumulo.wire_calls import send

if TYPE_CHECKING:
    from cumulo.app import Cloud
    from cumulo.core.context import Context
    from cumulo.faces.addresses import Address
    from cumulo.gateway.exchange import Exchange
    from cumulo.services.storage.s3.browsers.website_routes import Redirect

_PASSED_ON = (
    "range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "host", "user-agent", "referer",
)  # fmt: skip


class Page(NamedTuple):
    """An object as it is answered."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes | Outgoing
    redirect: str


class _Read(Caller):
    """One GetObject of anybody."""

    def __init__(self, route: Route, ctx: Context) -> None:
        self._route = route
        self._ctx = ctx
        self.answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()

    def parse(self) -> dict[str, Any]:
        """The request."""
        return self._route.parse()

    def done(self, answer: dict[str, Any] | None, error: BaseException | None) -> None:
        """Hand the answer to the website."""
        fault = None if error is None else error if isinstance(error, Fault) else INTERNAL_FAILURE()
        self._ctx.runtime.journal.record(self._ctx, fault)
        if fault is not None:
            self.answer.set_exception(fault)
        else:
            self.answer.set_result(answer or {})


async def serve(cloud: Cloud, exchange: Exchange, address: Address, request_id: str) -> None:
    """Answer a request to a website."""
    site = _Site(cloud, exchange, address, request_id)
    try:
        page = await site.page()
    except Fault as fault:
        page = site.error_page(fault, None)
    headers = [*page.headers, *site.cors]
    if isinstance(page.body, Outgoing) and exchange.request.method != "HEAD":
        await send(exchange, site.context("GetObject"), page.status, headers, page.body)
        return
    body = b"" if isinstance(page.body, Outgoing) else page.body
    exchange.respond(page.status, headers, b"" if exchange.request.method == "HEAD" else body)


class _Site:
    def __init__(self, cloud: Cloud, exchange: Exchange, address: Address, request_id: str) -> None:
        self._cloud = cloud
        self._http = exchange.request
        self._exchange = exchange
        self._address = address
        self._request_id = request_id
        self.cors: pages.Fields = []

    def context(self, operation: str) -> Context:
        """The context of a call for this request."""
        return self._cloud.context(self._http, self._route(operation, ""), self._request_id)

    async def page(self) -> Page:
        """What is answered. Raises the Fault of a site that cannot say it itself."""
        from cumulo.services.storage.s3.browsers import website_routes as routes

        http = self._http
        site = await self._configuration()
        if http.method not in ("GET", "HEAD"):
            text = "The specified method is not allowed against this resource."
            members = {"Method": http.method, "ResourceType": self._address.resource_type}
            raise Fault("MethodNotAllowed", text, status=405, members=members)
        host = http.headers.get("host")
        found = routes.redirect_all(site, http.path, http.query, http.scheme)
        key = unquote(self._address.path, errors="replace")
        found = found or routes.redirect(site, key, None, http.scheme, host)
        if found is not None:
            return self._redirected(found)
        wanted = routes.object_key(site, key)
        try:
            page = await self._object(wanted)
        except Fault as fault:
            if fault.status == 304 or fault.code == "NotModified":
                raise
            if fault.code in ("NoSuchKey", "AccessDenied") and key and not key.endswith("/"):
                folder = await self._folder(f"{key}/{site['IndexDocument']['Suffix']}")
                if folder:
                    return self._redirected(routes.folder_redirect(key))
            status = self._status(fault)
            found = routes.redirect(site, key, status, http.scheme, host)
            if found is not None:
                return self._redirected(found)
            return await self._failed(site, fault)
        if page.redirect:
            return self._redirected(routes.Redirect(301, page.redirect))
        return page

    async def _configuration(self) -> dict[str, Any]:
        from cumulo.core.s3.buckets import BUCKETS
        from cumulo.services.storage.s3.browsers import websites
        from cumulo.services.storage.s3.errors import NO_SUCH_BUCKET, NO_SUCH_WEBSITE
        from cumulo.services.storage.s3.stored import configurations

        name = self._address.bucket
        route = self._route("GetObject", "")

        def read(txn: Any) -> dict[str, Any]:
            ctx = self._cloud.runtime.internal_context("s3", "Website", "", self._address.region)
            ctx.enter(txn)
            bucket = BUCKETS.peek(ctx, name)
            if bucket is None:
                raise NO_SUCH_BUCKET(members={"BucketName": name})
            found = configurations.find(ctx, bucket, websites.KIND)
            if found is None:
                raise NO_SUCH_WEBSITE(members={"BucketName": name})
            if self._exchange.page:
                self.cors = pages.site_fields(ctx, self._exchange, route)
            return found

        return await self._cloud.runtime.store.run(read)

    def _route(self, operation: str, key: str) -> Route:
        http = self._http
        raw = [(name.encode(), http.headers.get(name).encode("latin-1", "replace")) for name in _PASSED_ON]
        raw = [(name, value) for name, value in raw if value]
        labels = {"Bucket": self._address.bucket, "Key": key}
        target = f"/{self._address.bucket}/{quote(key, safe='')}"
        inner = Request("GET", target, Headers(raw), scheme=http.scheme, peer=http.peer)
        model = self._cloud.runtime.registry.service("s3").model
        return Route(inner, model.operations[operation], "rest-xml", self._address.region, labels)

    async def _call(self, operation: str, key: str) -> tuple[Route, dict[str, Any]]:
        route = self._route(operation, key)
        ctx = self._cloud.context(route.request, route, self._request_id)
        call = _Read(route, ctx)
        waiting = self._cloud.runtime.start(ctx, call)
        if waiting is not None:
            await waiting
        return route, await call.answer

    async def _object(self, key: str) -> Page:
        route, result = await self._call("HeadObject" if self._http.method == "HEAD" else "GetObject", key)
        status, headers, _ = route.answer({**result, "Body": b""}, self._request_id)
        body = result.get("Body", b"")
        return Page(status, headers, body, result.get("WebsiteRedirectLocation", ""))

    async def _folder(self, key: str) -> bool:
        try:
            await self._call("HeadObject", key)
        except Fault:
            return False
        return True

    def _redirected(self, found: Redirect) -> Page:
        headers = [*s3_heads(self._request_id), ("Location", found.location)]
        return Page(found.status, headers, b"", "")

    async def _failed(self, site: dict[str, Any], fault: Fault) -> Page:
        """The site's own error document, or S3's page."""
        document = (site.get("ErrorDocument") or {}).get("Key")
        status = self._status(fault)
        if not document or not 400 <= status < 500:
            return self.error_page(fault, None)
        try:
            page = await self._object(document)
        except Fault as second:
            second.members.setdefault("Key", document)
            return self.error_page(fault, second)
        return page._replace(status=status, headers=[*page.headers, *self._error_headers(fault)])

    def _status(self, fault: Fault) -> int:
        from cumulo.faces import addresses

        return addresses.refusal(self._http, fault, self._request_id)[0]

    def _error_headers(self, fault: Fault) -> list[tuple[str, str]]:
        members = {name: value for name, value in fault.members.items() if name in ("Key", "BucketName", "Method")}
        return [
            ("x-amz-error-code", fault.code),
            ("x-amz-error-message", fault.message),
            *[(f"x-amz-error-detail-{name}", quote(str(value), safe="/~ ")) for name, value in members.items()],
        ]

    def error_page(self, fault: Fault, second: Fault | None) -> Page:
        """S3's page of an error, and of what went wrong with the site's own page for it."""
        status = self._status(fault)
        if status == 304:
            from cumulo.faces import addresses

            return Page(*addresses.refusal(self._http, fault, self._request_id)[:2], b"", "")
        title = f"{status} {HTTPStatus(status).phrase}"
        shown = ("Key", "BucketName", "Method", "ResourceType")
        lines = [f"<html>\n<head><title>{title}</title></head>\n<body>\n<h1>{title}</h1>\n<ul>"]
        lines += [f"<li>Code: {fault.code}</li>", f"<li>Message: {escape(fault.message, quote=False)}</li>"]
        lines += [f"<li>{n}: {escape(str(fault.members[n]))}</li>" for n in shown if n in fault.members]
        lines += [f"<li>RequestId: {self._request_id}</li>", f"<li>HostId: {host_id(self._request_id)}</li>", "</ul>"]
        if second is not None:
            lines += ["<h3>An Error Occurred While Attempting to Retrieve a Custom Error Document</h3>", "<ul>"]
            lines += [f"<li>Code: {second.code}</li>", f"<li>Message: {escape(second.message, quote=False)}</li>"]
            lines += [f"<li>{n}: {escape(str(second.members[n]))}</li>" for n in shown if n in second.members]
            lines.append("</ul>")
        lines += ["<hr/>", "</body>", "</html>", ""]
        headers = [
            *s3_heads(self._request_id),
            *self._error_headers(fault),
            ("Content-Type", "text/html; charset=utf-8"),
        ]
        return Page(status, headers, "\n".join(lines).encode(), "")
