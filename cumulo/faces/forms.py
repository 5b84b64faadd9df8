"""POST Object: a browser's form becomes a PutObject, signed by the policy that the form carries.

Source: S3 API Reference, "POST Object" and "Browser-based uploads using POST (AWS Signature Version 4)".
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from cumulo.core.callers import credentials
from cumulo.faces import addresses
from cumulo.wire import form_signatures
from cumulo.wire.faults import Fault
from cumulo.wire.form_uploads import Form, FormReader
from cumulo.wire.http import Headers, Request
from cumulo.wire.protocols import xml_elements
from cumulo.wire.protocols.xml_elements import escape
from cumulo.wire.routing import Route
from cumulo.wire_calls import WireCall

if TYPE_CHECKING:
    from cumulo.app import Cloud
    from cumulo.core.context import Context
    from cumulo.faces.addresses import Address
    from cumulo.gateway.exchange import Exchange

SMALL_B = 8192
OPERATION = "PostObject"
FILE_NAME = "${filename}"

# Fields that are header fields of the same name in PutObject; all x-amz- fields but the signature's are too.
_HEADERS = frozenset(
    ("cache-control", "content-type", "content-disposition", "content-encoding", "content-language", "expires")
)
_SIGNATURE = frozenset(("x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature", "x-amz-security-token"))


def wrong_type(request: Request) -> Fault | None:
    """The refusal of a POST to a bucket that is neither a form with files nor an operation of the API."""
    address = addresses.read(request)
    if request.method != "POST" or request.query or address is None or address.path:
        return None
    condition = "Bucket POST must be of the enclosure-type multipart/form-data"
    text = "At least one of the pre-conditions you specified did not hold"
    return Fault("PreconditionFailed", text, status=412, members={"Condition": condition})


class FormFile:
    """The file of a form, as an operation reads a body (`core.bodies.Body`); held against the policy's sizes."""

    def __init__(self, reader: FormReader, first: list[bytes], check_size: Any) -> None:
        self.length: int | None = None
        self.trailers: dict[str, str] = {}
        self._pieces = reader.file()
        self._first = first
        self._size = sum(map(len, first))
        self._check_size = check_size

    async def read(self) -> list[bytes]:
        """The next pieces; none at the end."""
        if self._first:
            pieces, self._first = self._first, []
            return pieces
        piece = await anext(self._pieces, b"")
        self._size += len(piece)
        self._check_size(self._size, whole=False)
        return [piece] if piece else []

    def take_apart(self, pieces: list[bytes]) -> list[bytes]:
        """The pieces: a form's file is not encoded."""
        return pieces

    def finish(self) -> None:
        """The end of the file."""
        self._check_size(self._size, whole=True)


class FormCall(WireCall):
    """A form on its way to PutObject."""

    def __init__(
        self, exchange: Exchange, route: Route, ctx: Context, form: Form, address: Address, body: list[bytes], rest: Any
    ) -> None:
        super().__init__(exchange, route, ctx)
        self._form = form
        self._address = address
        self._first = body
        self._rest = rest  # the reader, when there is more to come
        self._policy: Any = None
        self.answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def done(self, answer: dict[str, Any] | None, error: BaseException | None) -> None:
        """Answer, and let the form's reader go."""
        super().done(answer, error)
        if not self.answered.done():
            self.answered.set_result(None)

    def authenticate(self, ctx: Context) -> None:
        """Whoever signed the form's policy, which the form must keep to."""
        from cumulo.services.storage.s3.browsers import form_policies

        self.meet_page(ctx)
        fields = self._form.fields
        claim = form_signatures.read(fields)
        if claim is None:
            ctx.principal, ctx.account = credentials.ANONYMOUS, ""
            return
        credential = credentials.of_claim(ctx, claim)
        if credential.secret is not None:
            form_signatures.verify(claim, fields["policy"], credential.secret)
        ctx.principal, ctx.account = credential.principal, credential.principal.account
        self._policy = form_policies.read(fields["policy"])
        # As a signature, its expiration is held against real time.
        form_policies.check(self._policy, {**fields, "bucket": self._address.bucket}, ctx.runtime.clock.wall())

    def parse(self) -> dict[str, Any]:
        """The form as PutObject's request."""
        request = self.route.parse()
        if self._rest is not None:
            request["Body"] = FormFile(self._rest, self._first, self._check_size)
        else:
            request["Body"] = b"".join(self._first)
            self._check_size(len(request["Body"]), whole=True)
        return request

    def _check_size(self, size: int, *, whole: bool) -> None:
        from cumulo.services.storage.s3.browsers import form_policies

        if self._policy is None:
            return
        sizes = self._policy.sizes
        if whole or (sizes is not None and size > sizes[1]):
            form_policies.check_size(self._policy, size)

    def response(self, result: dict[str, Any], request_id: str) -> tuple[int, list[tuple[str, str]], bytes]:
        """The answer that the form asks for."""
        _, headers, _ = self.route.answer(result, request_id)
        fields = self._form.fields
        key, etag, bucket = fields["key"], result["ETag"], self._address.bucket
        target = _redirect(fields.get("success_action_redirect") or fields.get("redirect") or "")
        if target:
            more = urlencode({"bucket": bucket, "key": key, "etag": etag})
            headers.append(("Location", f"{target}{'&' if '?' in target else '?'}{more}"))
            return 303, headers, b""
        location = self._location(key)
        headers.append(("Location", location))
        status = fields.get("success_action_status", "")
        if status == "201":
            headers.append(("Content-Type", "application/xml"))
            body = (
                f'<?xml version="1.0" encoding="UTF-8"?>\n<PostResponse><Location>{escape(location)}</Location>'
                f"<Bucket>{escape(bucket)}</Bucket><Key>{escape(key)}</Key><ETag>{escape(etag)}</ETag></PostResponse>"
            )
            return 201, headers, body.encode()
        return (200 if status == "200" else 204), headers, b""

    def _location(self, key: str) -> str:
        http = self.exchange.request
        within = "" if http.host.startswith(f"{self._address.bucket}.") else f"{self._address.bucket}/"
        return f"{http.scheme}://{http.host}/{within}{quote(key, safe='/~')}"


def _redirect(url: str) -> str:
    """A URL that a browser can be sent to; "" for what S3 takes as if it were not there."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.netloc else ""


async def upload(cloud: Cloud, exchange: Exchange, request_id: str) -> None:
    """Read a form's fields, and start PutObject with its file."""
    request = exchange.request
    address = addresses.read(request)
    assert address is not None
    try:
        if address.path:
            text = "The specified method is not allowed against this resource."
            members = {"Method": "POST", "ResourceType": "OBJECT"}
            raise Fault("MethodNotAllowed", text, status=405, members=members)
        reader = FormReader(request.headers.get("content-type"), exchange.body_stream())
        form = await reader.form()
        first, rest = await _beginning(reader)
        route = _route(cloud, request, form, address)
    except Fault as fault:
        exchange.respond(*addresses.refusal(request, fault, request_id))
        return
    ctx = cloud.context(request, route, request_id)
    ctx.operation = OPERATION
    call = FormCall(exchange, route, ctx, form, address, first, rest)
    waiting = cloud.runtime.start(ctx, call)
    if waiting is not None:
        await waiting
    await call.answered


async def _beginning(reader: FormReader) -> tuple[list[bytes], FormReader | None]:
    """The first pieces of the file; and the reader, unless that was all of it."""
    pieces: list[bytes] = []
    size = 0
    async for piece in reader:
        pieces.append(piece)
        size += len(piece)
        if size > SMALL_B:
            return pieces, reader
    return pieces, None


def _route(cloud: Cloud, request: Request, form: Form, address: Address) -> Route:
    """The PutObject that a form stands for. Raises InvalidArgument for a form without a key, MalformedXML."""
    fields = form.fields
    name = form.file_name.replace("\\", "/").rpartition("/")[2]
    for field, value in fields.items():
        if FILE_NAME in value and field != "policy" and field not in _SIGNATURE:
            fields[field] = value.replace(FILE_NAME, name)
    if not fields.get("key"):
        if "key" in fields:
            text = "User key must have a length greater than 0."
            raise Fault("InvalidArgument", text, status=400, members={"ArgumentName": "key", "ArgumentValue": ""})
        raise form_signatures.missing_field("key")
    raw = [(field, value) for field, value in fields.items() if field in _HEADERS]
    raw += [(f, v) for f, v in fields.items() if f.startswith("x-amz-") and f not in _SIGNATURE]
    if "acl" in fields:
        raw.append(("x-amz-acl", fields["acl"]))
    if fields.get("tagging"):
        raw.append(("x-amz-tagging", _tags(fields["tagging"])))
    headers = [("host", request.host), ("user-agent", request.headers.get("user-agent"))]
    headers += [("referer", request.headers.get("referer")), *raw]
    lines = [(field.encode("utf-8", "replace"), value.encode("utf-8", "replace")) for field, value in headers if value]
    inner = Request(
        "PUT", f"/{address.bucket}/{quote(fields['key'], safe='')}", Headers(lines), scheme=request.scheme,
        peer=request.peer,
    )  # fmt: skip
    operation = cloud.runtime.registry.service("s3").model.operations["PutObject"]
    labels = {"Bucket": address.bucket, "Key": fields["key"]}
    scope = fields.get("x-amz-credential", "").split("/")
    region = scope[2] if len(scope) == 5 else address.region
    return Route(inner, operation, "rest-xml", region, labels)


def _tags(document: str) -> str:
    """The tag set of a form, which is XML, as PutObject's header has it."""
    try:
        root = xml_elements.parse(document.encode())
        found = [[tag.find(name) for name in ("Key", "Value")] for tags in root.children for tag in tags.children]
        tags = [(key.text, value.text) for key, value in found if key is not None and value is not None]
        if len(tags) != len(found):
            raise xml_elements.MalformedXml("a tag has a key and a value")
    except xml_elements.MalformedXml:
        text = "The XML you provided was not well-formed or did not validate against our published schema"
        raise Fault("MalformedXML", text, status=400) from None
    return urlencode(tags)
