"""AWS JSON 1.0 and 1.1: `X-Amz-Target` names the operation, bodies are JSON both ways."""

from collections.abc import Callable
from typing import Any
from zlib import crc32

from cumulo.wire.faults import Fault
from cumulo.wire.http import Request
from cumulo.wire.models import Operation, Service
from cumulo.wire.protocols import json_values
from cumulo.wire.protocols.failures import Failure, Response

EVENTSTREAM_TYPE = "application/vnd.amazon.eventstream"


def parser(operation: Operation) -> Callable[[Request, dict[str, str]], dict[str, Any]]:
    """The closure from a request to the operation's input."""
    shape = operation.input
    stream = operation.eventstream_input
    decode = json_values.decode
    if shape is None:
        return lambda request, labels: {}
    read = reader(operation.service).of(shape)

    def parse(request: Request, labels: dict[str, str]) -> dict[str, Any]:
        body = request.body
        if not body or stream is not None:  # the first event carries the input of a stream
            return {}
        out: dict[str, Any] = read(decode(body))
        return out

    return parse


def answerer(operation: Operation) -> Callable[[dict[str, Any], str], Response]:
    """The closure from the operation's output to a response."""
    service = operation.service
    content_type = f"application/x-amz-json-{service.json_version}"
    id_header = service.metadata.request_id_header
    shape = operation.output
    encode = json_values.encode
    if shape is None:
        return lambda result, request_id: (200, [(id_header, request_id), ("Content-Type", content_type)], b"")
    if operation.eventstream_output is not None:
        return lambda result, request_id: (200, [(id_header, request_id), ("Content-Type", EVENTSTREAM_TYPE)], b"")
    write = writer(service).of(shape) or (lambda value: value)

    def answer(result: dict[str, Any], request_id: str) -> Response:
        return 200, [(id_header, request_id), ("Content-Type", content_type)], encode(write(result))

    def checked_answer(result: dict[str, Any], request_id: str) -> Response:
        body = encode(write(result))
        return 200, [_checksum(body), (id_header, request_id), ("Content-Type", content_type)], body

    return checked_answer if service.metadata.crc32 else answer


def _checksum(body: bytes) -> tuple[str, str]:
    """What SDKs check DynamoDB's answers against: botocore takes one that was cut short for an empty one without it."""
    return "x-amz-crc32", str(crc32(body))


def fail(service: Service, operation: Operation | None, fault: Fault, request_id: str) -> Response:
    """An error answer."""
    failure = Failure(fault, service, xml=False, rest=False)
    body: dict[str, Any] = {"__type": failure.type_name(service)}
    body.update(error_members(service, failure))
    headers = [
        (service.metadata.request_id_header, request_id),
        ("Content-Type", f"application/x-amz-json-{service.json_version}"),
    ]
    if service.query_compatible:
        headers.append(("x-amzn-query-error", failure.query_error()))
    content = json_values.encode(body)
    if service.metadata.crc32:
        headers.insert(0, _checksum(content))
    return failure.status, headers, content


def error_members(service: Service, failure: Failure) -> dict[str, Any]:
    """The members of an error as JSON carries them."""
    members = failure.members_of_shape()
    if failure.shape is None:
        return members
    known = {name: value for name, value in members.items() if name in failure.shape.members}
    write = writer(service).of(failure.shape)
    out: dict[str, Any] = write(known) if write is not None else known
    out.update({name: value for name, value in members.items() if name not in failure.shape.members})
    return out


def reader(service: Service) -> json_values.Reader:
    """The service's compiled readers."""
    return service.codecs.setdefault("json.reader", json_values.Reader())  # type: ignore[return-value]


def writer(service: Service) -> json_values.Writer:
    """The service's compiled writers."""
    return service.codecs.setdefault("json.writer", json_values.Writer())  # type: ignore[return-value]
