"""REST with XML bodies."""

from binascii import b2a_base64
from collections.abc import Callable
from typing import Any

from cumulo.wire.cuts import Namespace
from cumulo.wire.faults import Fault
from cumulo.wire.models import Operation, Service
from cumulo.wire.protocols import bindings, rest, xml_elements, xml_values
from cumulo.wire.protocols.failures import Failure, Response
from cumulo.wire.protocols.json import EVENTSTREAM_TYPE
from cumulo.wire.protocols.query import encode_xml, error_members
from cumulo.wire.protocols.xml_elements import escape
from cumulo.wire.shapes import Member

CONTENT_TYPE = "application/xml"
# S3 holds documents against its schema ("MalformedXML: ... did not validate against our published schema"). These two
# are left out: clients of many makes write them, and nobody gains by refusing an element too many.
_LENIENT = frozenset(("CompleteMultipartUpload", "DeleteObjects"))
S3_ID_HEADER = "x-amz-request-id"
_SERVER = ("Server", "AmazonS3")
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


def decode(body: bytes) -> xml_elements.Element:
    """The root element of a body. Raises Fault."""
    try:
        return xml_elements.parse(body)
    except xml_elements.MalformedXml:
        raise xml_values.malformed() from None


def parser(operation: Operation) -> rest.Parse:
    """The closure from a request and its path's labels to the operation's input."""
    strict = not operation.service.metadata.error_wrapping and operation.name not in _LENIENT
    values = reader(operation.service, strict=strict)
    documents = rest.Documents(
        _decoding(operation) if strict else decode,
        lambda shape, members: values.structure(members),
        lambda member: values.of(member.shape, member.timestamp_format),
        xml_values.malformed,
        bindings.refuse_xml,
    )
    return rest.parser(operation, documents)


def _decoding(operation: Operation) -> Callable[[bytes], xml_elements.Element]:
    """`decode`, for documents whose root has the name that the model says."""
    shape = operation.input
    assert shape is not None
    member = shape.members[shape.payload] if shape.payload else None
    wanted = (member.location_name or member.shape.name) if member is not None else shape.location_name

    def read(body: bytes) -> xml_elements.Element:
        root = decode(body)
        if wanted and root.name != wanted:
            raise xml_values.malformed()
        return root

    return read


def answerer(operation: Operation) -> Callable[[dict[str, Any], str], Response]:
    """The closure from the operation's output to a response; streams as in rest-json."""
    service, shape, usual = operation.service, operation.output, operation.http_status
    heads = _heads(service)
    if shape is None:
        return lambda result, request_id: (usual, heads(request_id), b"")
    bind = bindings.response_writer(shape)
    write_body, content_type = _body_writer(operation)
    typed = [m.name for m in shape.members.values() if m.location == "header" and m.wire_name.lower() == "content-type"]
    kind = typed[0] if typed else ""
    # What carries a Content-Range is 206. Source: RFC 9110, "206 Partial Content"; S3 API Reference, GetObject.
    part = "ContentRange" if "ContentRange" in shape.members else ""

    def answer(result: dict[str, Any], request_id: str) -> Response:
        headers = heads(request_id)
        status = bind(result, headers)
        body = write_body(result)
        if content_type and (not kind or result.get(kind) is None):
            headers.append(("Content-Type", content_type))
        if part and result.get(part) is not None:
            status = 206
        return status or usual, headers, body

    return answer


def _heads(service: Service) -> Callable[[str], list[tuple[str, str]]]:
    """The first fields of every answer of a service, from the request's id."""
    id_header = service.metadata.request_id_header
    return s3_heads if id_header == S3_ID_HEADER else lambda request_id: [(id_header, request_id)]


def s3_heads(request_id: str) -> list[tuple[str, str]]:
    """What every answer of S3's begins with. Source: S3 API Reference, "Common Response Headers"."""
    return [(S3_ID_HEADER, request_id), ("x-amz-id-2", host_id(request_id)), _SERVER]


def _body_writer(operation: Operation) -> tuple[Callable[[dict[str, Any]], bytes], str]:
    shape = operation.output
    assert shape is not None
    if not shape.payload:
        members = bindings.body_members(shape, bindings.ANSWER_LOCATIONS)
        if not members:
            return lambda result: b"", ""
        return _document_writer(operation, shape.location_name or shape.name, members), CONTENT_TYPE
    member = shape.members[shape.payload]
    name = member.name
    if member.shape.eventstream:
        return lambda result: b"", EVENTSTREAM_TYPE
    if member.shape.type == "string" and member.xml_namespace is not None:
        return _text_document_writer(operation, member), CONTENT_TYPE
    if member.shape.type in ("blob", "string"):
        kind = "binary/octet-stream" if member.shape.type == "blob" else "text/plain"
        return lambda result: rest.raw_body(result.get(name)), kind
    root = member.location_name or member.shape.name
    write = writer(operation.service).element(root, member)

    def write_payload(result: dict[str, Any]) -> bytes:
        if result.get(name) is None:
            return b""
        parts = [_DECLARATION]
        write(parts, result[name])
        return encode_xml(parts)

    return write_payload, CONTENT_TYPE


def _text_document_writer(operation: Operation, member: Member) -> Callable[[dict[str, Any]], bytes]:
    """A document that is one element with a text; the member's XML namespace tells it from a body of plain text."""
    opening = xml_values.opening_tag(member.name, Namespace(operation.service.xml_namespace))

    def write_text(result: dict[str, Any]) -> bytes:
        return encode_xml([_DECLARATION, opening, escape(result.get(member.name) or ""), f"</{member.name}>"])

    return write_text


def _document_writer(operation: Operation, root: str, members: list[Member]) -> Callable[[dict[str, Any]], bytes]:
    shape, uri = operation.output, operation.service.xml_namespace
    assert shape is not None
    attributes = [(m.name, m.wire_name) for m in members if m.xml_attribute]
    write = writer(operation.service).members(shape, [m for m in members if not m.xml_attribute])
    opening = xml_values.opening_tag(root, shape.xml_namespace or (Namespace(uri) if uri else None))

    def write_document(result: dict[str, Any]) -> bytes:
        start = opening
        for name, wire in attributes:
            if result.get(name) is not None:
                start = f'{start[:-1]} {wire}="{escape(str(result[name]))}">'
        parts = [_DECLARATION, start]
        write(parts, result)
        parts.append(f"</{root}>")
        return encode_xml(parts)

    return write_document


def host_id(request_id: str) -> str:
    """S3's second id of a request, which names the host that answered; here it is derived from the first."""
    return b2a_base64(request_id.encode() * 3, newline=False).decode()


def fail(service: Service, operation: Operation | None, fault: Fault, request_id: str) -> Response:
    """An error answer: S3's bare Error, or the ErrorResponse of the others.

    Source: S3 API Reference, "REST Error Responses"; Route 53 API Reference, "Common Errors".
    """
    failure = Failure(fault, service, xml=True, rest=True)
    headers = _heads(service)(request_id)
    members = dict(failure.members)
    if failure.shape is not None:
        bindings.response_writer(failure.shape)(failure.members, headers)
        bound = {m.name for m in failure.shape.members.values() if m.location in bindings.ANSWER_LOCATIONS}
        members = {name: value for name, value in members.items() if name not in bound}
    failure.members = members
    parts = [_DECLARATION]
    if service.metadata.error_wrapping:
        namespace = f' xmlns="{escape(service.xml_namespace)}"' if service.xml_namespace else ""
        parts.append(f"<ErrorResponse{namespace}><Error>")
        error_members(service, failure, parts)
        host = f"<HostId>{host_id(request_id)}</HostId>" if service.metadata.request_id_header == S3_ID_HEADER else ""
        parts.append(f"</Error><RequestId>{escape(request_id)}</RequestId>{host}</ErrorResponse>")
    else:
        parts.append(f"<Error><Code>{escape(failure.code)}</Code><Message>{escape(failure.message)}</Message>")
        parts.extend(f"<{name}>{escape(str(value))}</{name}>" for name, value in members.items())
        parts.append(f"<RequestId>{escape(request_id)}</RequestId><HostId>{host_id(request_id)}</HostId></Error>")
    headers.append(("Content-Type", CONTENT_TYPE))
    return failure.status, headers, encode_xml(parts)


def reader(service: Service, *, strict: bool = False) -> xml_values.Reader:
    """The service's compiled readers."""
    name = "xml.reader.strict" if strict else "xml.reader"
    return service.codecs.setdefault(name, xml_values.Reader(strict))  # type: ignore[return-value]


def writer(service: Service) -> xml_values.Writer:
    """The service's compiled writers."""
    return service.codecs.setdefault("xml.writer", xml_values.Writer())  # type: ignore[return-value]
