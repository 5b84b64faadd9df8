"""From a request to the service, operation and protocol that it speaks.

A client says where it wants to go in several ways: the credential scope of its signature, `X-Amz-Target`, the
path of RPC v2, `Action` in a form, the host, and at last the path alone. The strongest hint that is there wins.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from cumulo.wire import hoisted_headers, hosts, models, s3_resources, sigv4, sigv4a
from cumulo.wire.cuts import Metadata, StoredCut
from cumulo.wire.faults import Fault
from cumulo.wire.http import Request
from cumulo.wire.models import Operation, Service
from cumulo.wire.paths import Match, Paths
from cumulo.wire.protocols import protocol
from cumulo.wire.protocols.bindings import query_values
from cumulo.wire.protocols.failures import Response
from cumulo.wire.protocols.query import form_of

DEFAULT_REGION = "us-east-1"
UNPACKED_LIMIT = 64 * 1024 * 1024
_FORM = "application/x-www-form-urlencoded"
_EXPRESS = "s3express"  # as which requests to directory buckets are signed
_OBJECT_LAMBDA = "s3-object-lambda"  # as which requests to Object Lambda access points are
_ROUTE = "x-amz-request-route"
_NOBODY = Service("unknown", StoredCut(Metadata(xml_namespace=""), {}, {}, {}, {}, (), ()))
_FORM_PROTOCOLS: Final = frozenset({"query", "ec2"})

Parse = Callable[[Request, dict[str, str]], dict[str, Any]]
Answer = Callable[[dict[str, Any], str], Response]


class Route:
    """Where a request goes. `region` is that of the credential scope, else of the host, else us-east-1."""

    __slots__ = ("_codec", "labels", "operation", "protocol", "region", "request", "service")

    def __init__(
        self, request: Request, operation: Operation, protocol_name: str, region: str, labels: dict[str, str]
    ) -> None:
        self.request = request
        self.service = operation.service
        self.operation = operation
        self.protocol = protocol_name
        self.region = region
        self.labels = labels
        self._codec = _codec(operation, protocol_name)

    def parse(self) -> dict[str, Any]:
        """The operation's input with AWS's member names: blobs as bytes, timestamps as epoch seconds.

        Needs the whole body, except that a streamed payload may be missing. Raises Fault in AWS's words.
        """
        return self._codec[0](self.request, self.labels)

    def answer(self, result: dict[str, Any], request_id: str) -> Response:
        """The response to a call that went well. A streamed payload or event stream follows its head."""
        return self._codec[1](result, request_id)

    @property
    def streamed(self) -> str:
        """The member of the answer that is a body of bytes or a stream of events, "" when there is none."""
        return self._codec[2]

    def header_member(self, field: str) -> str:
        """The member of the request that this header field (in lower case) is bound to, "" for none."""
        shape = self.operation.input
        for member in shape.members.values() if shape is not None else ():
            if member.location == "header" and member.wire_name.lower() == field:
                return member.name
        return ""

    def fault(self, fault: Fault, request_id: str) -> Response:
        """The response to a call that failed."""
        status, headers, body = protocol(self.protocol).fail(self.service, self.operation, fault, request_id)
        return status, headers, b"" if self.request.method == "HEAD" else body


def _codec(operation: Operation, protocol_name: str) -> tuple[Parse, Answer, str]:
    codec = operation.codecs.get(protocol_name)
    if codec is None:
        module = protocol(protocol_name)
        parse = module.parser(operation)
        if operation.cut.requestcompression is not None:
            parse = _decompressing(parse)
        codec = operation.codecs[protocol_name] = (parse, module.answerer(operation), _streamed(operation))
    return codec  # type: ignore[return-value]


def _streamed(operation: Operation) -> str:
    events = operation.eventstream_output
    if events is not None:
        return events.name
    return operation.output.payload if operation.output is not None and operation.streaming_output else ""


def _decompressing(parse: Parse) -> Parse:
    """Operations with Smithy's requestCompression take their whole body gzipped (PutMetricData, PutLogEvents)."""

    def parse_compressed(request: Request, labels: dict[str, str]) -> dict[str, Any]:
        if request.headers.get("content-encoding").rpartition(",")[2].strip().lower() == "gzip" and request.body:
            request.body = gunzip(request.body)
            if labels and "Action" in labels:
                labels = {}
        return parse(request, labels)

    return parse_compressed


def gunzip(body: bytes) -> bytes:
    """The content of a gzipped body. Raises Fault for what is no gzip and for what unpacks to too much."""
    import zlib

    unpacker = zlib.decompressobj(wbits=31)
    try:
        content = unpacker.decompress(body, UNPACKED_LIMIT)
    except zlib.error:
        raise Fault("SerializationException", "The request body is no gzip.") from None
    if not unpacker.eof and not unpacker.unconsumed_tail:
        raise Fault("SerializationException", "The request body is no whole gzip.")
    if not unpacker.eof:
        raise Fault("RequestEntityTooLarge", "The request body is too large when unpacked.", status=413)
    return content


class Scope:
    """What a signature says of its destination."""

    __slots__ = ("region", "service")

    def __init__(self, region: str, service: str) -> None:
        self.region = region
        self.service = service


_S3_SCOPE: Final = Scope("", "s3")


def scope_of(request: Request) -> Scope | None:
    """The credential scope of a request, from its Authorization field or its query string; None when unsigned."""
    authorization = request.headers.get("authorization")
    if authorization:
        known = sigv4.known_head(request, authorization)
        if known is not None and known.region and known.terminator == "aws4_request":
            return Scope(known.region, known.service)
        _, found, rest = authorization.partition("Credential=")
        if not found:
            return _S3_SCOPE if authorization.startswith("AWS ") else None  # only S3 has Version 2's header
        credential = rest.partition(",")[0].strip()
    elif "X-Amz-Credential=" in request.query:
        credential = query_values(request.query)["X-Amz-Credential"][0]
    else:
        # Version 2's presigned URLs, which are S3's: those of the others say SignatureVersion.
        old = "AWSAccessKeyId=" in request.query and "SignatureVersion=" not in request.query
        return _S3_SCOPE if old else None
    parts = credential.rsplit("/", 4)
    if parts[-1] == "aws4_request" and len(parts) > 3 and parts[-3].isdigit():
        return Scope(_region_of_set(request), parts[-2])  # SigV4A's scope has no region
    if len(parts) == 5 and parts[4] == "aws4_request":
        return Scope(parts[2], parts[3])
    return None


def _region_of_set(request: Request) -> str:
    text = request.headers.get("x-amz-region-set")
    if not text and "X-Amz-Region-Set=" in request.query:
        text = query_values(request.query)["X-Amz-Region-Set"][0]
    return sigv4a.region_of(text, hosts.read(request.host).region)


class Router:
    """Routes requests to the services of these names, which are botocore's."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)
        self._metadata = {name: models.metadata(name) for name in self.names}
        self._resting = frozenset(name for name, meta in self._metadata.items() if _rests(meta))
        self._by_signing: dict[str, list[str]] = {}
        self._by_target: dict[str, list[str]] = {}
        self._by_host: dict[str, list[str]] = {}
        for name, meta in self._metadata.items():
            _append(self._by_signing, meta.signing_name or meta.endpoint_prefix, name)
            if meta.target_prefix:
                _append(self._by_target, meta.target_prefix, name)
            for label in dict.fromkeys((meta.endpoint_prefix, name, *meta.hosts)):
                _append(self._by_host, label, name)
                hosts.SERVICES.add(label.rpartition(".")[2])
        if "s3" in self._by_signing:
            self._by_signing[_EXPRESS] = self._by_signing["s3"]
            self._by_signing[_OBJECT_LAMBDA] = ["s3"]
        self._targets: dict[str, Operation] = {}
        self._paths: dict[str, Paths] = {}
        self._subresources: s3_resources.Subresources | None = None
        self._rest_protocols: dict[str, str] = {}

    def route(self, request: Request) -> Route:
        """Where the request goes. Raises Fault for what nobody answers."""
        target = request.headers.get("x-amz-target")
        if target:
            return self._by_x_amz_target(request, target)
        if request.headers.get("smithy-protocol") == "rpc-v2-cbor":
            return self._by_rpc_path(request)
        scope = scope_of(request)
        names, label = self._candidates(request, scope)
        if _may_be_form(request):
            route = self._by_action(request, scope, names)
            if route is not None:
                return route
        return self._by_path(request, scope, names, label)

    def head(self, request: Request) -> Route | None:
        """The route, as far as the head alone tells it: for REST protocols; None for all others."""
        headers = request.headers
        if "x-amz-target" in headers or "smithy-protocol" in headers:
            return None
        scope = scope_of(request)
        names, label = self._candidates(request, scope)
        if not self._resting.issuperset(names):
            return None
        try:
            return self._by_path(request, scope, names, label)
        except Fault:
            return None

    def fault(self, request: Request, fault: Fault, request_id: str) -> Response:
        """The response to a request that has no route, in the protocol that it seems to speak."""
        service = _NOBODY
        spoken: tuple[str, ...] = ("query",) if _may_be_form(request) else ("rest-json",)
        scope = scope_of(request)
        try:
            names, _ = self._candidates(request, scope)
            if not names and "s3" in self._metadata and spoken[0] != "query":
                names = ["s3"]  # a bare path is S3's
            if names:
                service = models.load(_foremost(names, request.path))
                spoken = service.protocols
        except Fault:
            absentee = _signing_as(scope.service) if scope is not None else None
            spoken = absentee[1].wire_protocols if absentee is not None else spoken
        if "x-amz-target" in request.headers:
            name = "json"
        elif request.headers.get("smithy-protocol") == "rpc-v2-cbor":
            name = "smithy-rpc-v2-cbor"
        else:
            name = next((p for p in spoken if p not in ("json", "smithy-rpc-v2-cbor")), "rest-json")
        status, headers, body = protocol(name).fail(service, None, fault, request_id)
        return status, headers, b"" if request.method == "HEAD" else body

    # ---- candidates

    def _candidates(self, request: Request, scope: Scope | None) -> tuple[list[str], str]:
        """The services that the signature or else the host names, and what the host has before the service."""
        names, prefix = self._hosted(request)
        if scope is not None:
            signed = self._by_signing.get(scope.service)
            if signed is not None:
                if names == ["s3"] and hosts.bucket_of(request.host):
                    return signed, prefix  # what stands before localhost may be S3 Control's account as well
                both = [name for name in signed if name in names]
                return both or signed, prefix
            if not names:
                raise self._absent(scope.service)
        return names, prefix

    def _hosted(self, request: Request) -> tuple[list[str], str]:
        labels = hosts.read(request.host).labels
        if not labels:
            return [], ""
        for start in range(len(labels)):
            names = self._by_host.get(".".join(labels[start:]))
            if names is not None:
                return names, ".".join(labels[:start])
        bucket = hosts.bucket_of(request.host)
        return (["s3"], bucket) if bucket and "s3" in self._metadata else ([], "")

    def _absent(self, signing_name: str) -> Fault:
        """The refusal of a service that exists at AWS but not here, or nowhere."""
        absentee = _signing_as(signing_name)
        if absentee is not None:
            return absent(*absentee)
        text = f"cumulo knows no service that signs as '{signing_name[:64]}'."
        return Fault("NotImplemented", text, status=501, sender=False)

    # ---- JSON

    def _by_x_amz_target(self, request: Request, target: str) -> Route:
        operation = self._targets.get(target)
        scope = scope_of(request)
        if operation is None:
            operation = self._find_target(target, scope)
        return Route(request, operation, "json", _region(request, scope), {})

    def _find_target(self, target: str, scope: Scope | None) -> Operation:
        prefix, _, name = target.rpartition(".")
        found = self._by_target.get(prefix)
        if found is None:
            found = self._by_target.get(prefix.rpartition(".")[2])  # "com.amazonaws.…" before the prefix
        if found is None:
            for other, meta in models.all_metadata().items():
                if meta.target_prefix and meta.target_prefix == prefix:
                    raise absent(other, meta)
            if scope is not None and scope.service not in self._by_signing:
                raise self._absent(scope.service)
            raise unknown_operation()
        for service in map(models.load, found):
            if name in service.operations and "json" in service.protocols:
                operation = service.operations[name]
                if len(found) == 1:
                    self._targets[target] = operation  # only real targets: the table is bounded by the models
                return operation
        raise unknown_operation()

    # ---- RPC v2

    def _by_rpc_path(self, request: Request) -> Route:
        parts = request.path.split("/")
        if len(parts) < 5 or parts[-4] != "service" or parts[-2] != "operation":
            raise unknown_operation(status=404)
        scope = scope_of(request)
        wanted, name = parts[-3], parts[-1]
        found = self._by_target.get(wanted)
        if found is None and scope is not None:
            found = self._by_signing.get(scope.service)
            if found is None:
                raise self._absent(scope.service)
        for service in map(models.load, found or self._hosted(request)[0]):
            if name in service.operations and "smithy-rpc-v2-cbor" in service.protocols:
                return Route(request, service.operations[name], "smithy-rpc-v2-cbor", _region(request, scope), {})
        raise unknown_operation(status=404)

    # ---- query and ec2

    def _by_action(self, request: Request, scope: Scope | None, names: list[str]) -> Route | None:
        speakers = [name for name in names if _FORM_PROTOCOLS.intersection(self._metadata[name].wire_protocols)]
        if names and not speakers:
            return None
        form = form_of(request)
        action, version = form.get("Action", ""), form.get("Version", "")
        if not action:
            if speakers and self._resting.isdisjoint(names):
                raise Fault("MissingAction", "The request is missing an action or a required parameter.")
            return None
        if not speakers:
            speakers = [n for n, meta in self._metadata.items() if _FORM_PROTOCOLS.intersection(meta.wire_protocols)]
            speakers = [n for n in speakers if self._metadata[n].api_version == version] or speakers
            if not any(action in models.load(name).operations for name in speakers):
                return None
        speakers.sort(key=lambda name: self._metadata[name].api_version != version)
        for service in map(models.load, speakers):
            if action in service.operations:
                spoken = "ec2" if "ec2" in service.protocols else "query"
                meta = self._metadata[service.name]
                # Each version of an API has operations of its own. SQS and EC2, with texts of their own, take older
                # ones; without a version a call is taken as the newest: the links in SNS's messages have none.
                if version and version != meta.api_version and spoken == "query" and not meta.invalid_action:
                    raise invalid_action(meta, action, version)
                return Route(request, service.operations[action], spoken, _region(request, scope), form)
        raise invalid_action(self._metadata[speakers[0]], action, version)

    # ---- REST

    def _by_path(self, request: Request, scope: Scope | None, names: list[str], prefix: str) -> Route:
        resters = [name for name in names if name in self._resting]
        if names and not resters:
            raise unknown_operation(status=404)
        if not names:
            resters = [name for name in self.names if name in self._resting]
        best: Match | None = None
        owner, s3_path = "", request.path
        if prefix and "s3" in names and not _names_route(request):
            s3_path = f"/{prefix}{s3_path}"  # virtual host: the bucket is a label of the host
        for name in resters:
            path = s3_path if name == "s3" else request.path
            match = self._paths_of(name).match(request.method, path, request.query, request.headers)
            if match is not None and (best is None or match.weight > best.weight):
                best, owner = match, name
        if best is None:
            if "s3" in names and not s3_resources.is_control(request.path):
                raise s3_resources.not_allowed(request.method, s3_path)
            raise unknown_path(self._metadata[resters[0]] if names else None)
        service = models.load(owner)
        if owner == "s3" and (request.query or request.method == "POST"):
            self._subresources_of(service).check(best.operation, request, s3_path)
        if best.operation == "ListBuckets" and _asks_for_directories(request, scope):
            best.operation = "ListDirectoryBuckets"  # the same path: signature or host tell which buckets
        if owner == "s3" and "x-amz-" in request.query:
            request = hoisted_headers.restored(request)
        spoken = self._rest_protocols.get(owner, "")
        if not spoken:
            spoken = next(p for p in service.protocols if p.startswith("rest-"))
            self._rest_protocols[owner] = spoken
        return Route(request, service.operations[best.operation], spoken, _region(request, scope), best.labels)

    def _subresources_of(self, service: Service) -> s3_resources.Subresources:
        if self._subresources is None:
            self._subresources = s3_resources.Subresources(service)
        return self._subresources

    def _paths_of(self, name: str) -> Paths:
        paths = self._paths.get(name)
        if paths is None:
            paths = self._paths[name] = Paths(models.load(name))
        return paths


def _foremost(names: list[str], path: str) -> str:
    """Whose words a refusal has, of services that sign with the same name."""
    return "s3" if "s3" in names and not s3_resources.is_control(path) else names[0]


def _names_route(request: Request) -> bool:
    """Whether the host begins with the route of an answer (WriteGetObjectResponse) rather than with a bucket."""
    return request.path == "/WriteGetObjectResponse" and _ROUTE in request.headers


def _asks_for_directories(request: Request, scope: Scope | None) -> bool:
    if scope is not None and scope.service == _EXPRESS:
        return True
    return hosts.read(request.host).labels[-1:] == ("s3express-control",)


def _append(table: dict[str, list[str]], key: str, name: str) -> None:
    table.setdefault(key, []).append(name)


def _signing_as(signing_name: str) -> tuple[str, Metadata] | None:
    """The service of AWS that signs so, or is named so."""
    for name, meta in models.all_metadata().items():
        if signing_name in (meta.signing_name or meta.endpoint_prefix, name):
            return name, meta
    return None


def _rests(meta: Metadata) -> bool:
    return any(name.startswith("rest-") for name in meta.wire_protocols)


def _may_be_form(request: Request) -> bool:
    if request.method == "POST" and request.headers.get("content-type").lower().startswith(_FORM):
        return True
    return request.method in ("GET", "POST") and "Action=" in request.query


def _region(request: Request, scope: Scope | None) -> str:
    if scope is not None and scope.region:
        return scope.region
    return hosts.read(request.host).region or DEFAULT_REGION


def absent(name: str, meta: Metadata) -> Fault:
    """The refusal of a service of AWS that this router does not have."""
    text = f"cumulo does not offer {meta.service_full_name or name} ('{name}') yet."
    return Fault("NotImplemented", text, status=501, sender=False)


def unknown_operation(status: int = 400) -> Fault:
    """The refusal of an operation that the service does not have. Observed in AWS's answers (SQS, DynamoDB)."""
    return Fault("UnknownOperationException", "The requested operation is not supported.", status=status)


def unknown_path(meta: Metadata | None) -> Fault:
    """The refusal of a path that the service does not have."""
    if meta is not None and "rest-xml" in meta.wire_protocols:
        return Fault("UnknownOperationException", "", status=404)
    return unknown_operation(status=404)


def invalid_action(meta: Metadata, action: str, version: str) -> Fault:
    """The refusal of an Action, in the service's words."""
    template = meta.invalid_action or "Could not find operation {action} for version {version}"
    text = template.replace("{action}", action[:256]).replace("{version}", (version or "NO_VERSION_SPECIFIED")[:64])
    return Fault("InvalidAction", text)


__all__ = ["Response", "Route", "Router", "Scope", "scope_of"]
