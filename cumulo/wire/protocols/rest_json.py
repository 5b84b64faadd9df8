"""REST with JSON bodies."""

from collections.abc import Callable
from typing import Any

from cumulo.wire.faults import Fault
from cumulo.wire.models import Operation, Service
from cumulo.wire.protocols import bindings, json_values, rest
from cumulo.wire.protocols.failures import Failure, Response
from cumulo.wire.protocols.json import EVENTSTREAM_TYPE, error_members, reader, writer

CONTENT_TYPE = "application/json"


def parser(operation: Operation) -> rest.Parse:
    """The closure from a request and its path's labels to the operation's input."""
    values = reader(operation.service)
    documents = rest.Documents(
        json_values.decode,
        values.structure,
        lambda member: values.of(member.shape),
        lambda: Fault("SerializationException"),
        bindings.refuse_json,
    )
    return rest.parser(operation, documents)


def answerer(operation: Operation) -> Callable[[dict[str, Any], str], Response]:
    """The closure from the operation's output to a response.

    A streamed payload that is not bytes or text is left out: the caller sends it after the head.
    """
    service, shape, usual = operation.service, operation.output, operation.http_status
    id_header = service.metadata.request_id_header
    if shape is None:
        return lambda result, request_id: (usual, [(id_header, request_id), ("Content-Type", CONTENT_TYPE)], b"")
    bind = bindings.response_writer(shape)
    write_body, content_type = _body_writer(operation)

    def answer(result: dict[str, Any], request_id: str) -> Response:
        headers = [(id_header, request_id)]
        status = bind(result, headers)
        body = write_body(result)
        if content_type and not any(name.lower() == "content-type" for name, _ in headers):
            headers.append(("Content-Type", content_type))
        return status or usual, headers, body

    return answer


def _body_writer(operation: Operation) -> tuple[Callable[[dict[str, Any]], bytes], str]:
    shape = operation.output
    assert shape is not None
    values, encode = writer(operation.service), json_values.encode
    if not shape.payload:
        members = bindings.body_members(shape, bindings.ANSWER_LOCATIONS)
        write = values.structure(shape, members)
        if not members and operation.http_status == 204:
            return lambda result: b"", ""
        return lambda result: encode(write(result)), CONTENT_TYPE
    member = shape.members[shape.payload]
    name = member.name
    if member.shape.eventstream:
        return lambda result: b"", EVENTSTREAM_TYPE
    if member.shape.type in ("blob", "string"):
        kind = "application/octet-stream" if member.shape.type == "blob" else "text/plain"
        return lambda result: rest.raw_body(result.get(name)), kind
    write_payload = values.of(member.shape) or (lambda value: value)
    return lambda result: encode(write_payload(result[name])) if result.get(name) is not None else b"", CONTENT_TYPE


def fail(service: Service, operation: Operation | None, fault: Fault, request_id: str) -> Response:
    """An error answer."""
    failure = Failure(fault, service, xml=False, rest=True)
    headers = [(service.metadata.request_id_header, request_id), ("x-amzn-ErrorType", failure.name)]
    members = error_members(service, failure)
    if failure.shape is not None:
        bindings.response_writer(failure.shape)(failure.members, headers)
        for member in failure.shape.members.values():
            if member.location in bindings.ANSWER_LOCATIONS:
                members.pop(member.wire_name, None)
    headers.append(("Content-Type", CONTENT_TYPE))
    return failure.status, headers, json_values.encode(members)
