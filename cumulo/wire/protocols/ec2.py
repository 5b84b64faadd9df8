"""The EC2 query protocol: lists always flat in requests, no result element in answers, its own errors."""

from collections.abc import Callable
from typing import Any

from cumulo.wire.faults import Fault
from cumulo.wire.http import Request
from cumulo.wire.models import Operation, Service
from cumulo.wire.protocols import forms, xml_values
from cumulo.wire.protocols.failures import Failure, Response
from cumulo.wire.protocols.query import encode_xml, form_of
from cumulo.wire.protocols.xml_elements import escape

CONTENT_TYPE = "text/xml;charset=UTF-8"


def parser(operation: Operation) -> Callable[[Request, dict[str, str]], dict[str, Any]]:
    """The closure from a request to the operation's input; `labels` as in the query protocol."""
    shape = operation.input
    if shape is None:
        return lambda request, labels: {}
    reader: forms.Reader = operation.service.codecs.setdefault("ec2.reader", forms.Reader(ec2=True))  # type: ignore[assignment]
    read = reader.of(shape)

    def parse(request: Request, labels: dict[str, str]) -> dict[str, Any]:
        out: dict[str, Any] = read(forms.tree(labels or form_of(request)))
        return out

    return parse


def answerer(operation: Operation) -> Callable[[dict[str, Any], str], Response]:
    """The closure from the operation's output to a response."""
    service, name, shape = operation.service, operation.name, operation.output
    id_header = service.metadata.request_id_header
    namespace = service.xml_namespace or f"http://ec2.amazonaws.com/doc/{service.api_version}/"
    opening = f'<?xml version="1.0" encoding="UTF-8"?>\n<{name}Response xmlns="{escape(namespace)}"><requestId>'
    write = _writer(service).members(shape, list(shape.members.values())) if shape is not None else None

    def answer(result: dict[str, Any], request_id: str) -> Response:
        parts = [opening, escape(request_id), "</requestId>"]
        if write is not None:
            write(parts, result)
        else:
            parts.append("<return>true</return>")
        parts.append(f"</{name}Response>")
        return 200, [(id_header, request_id), ("Content-Type", CONTENT_TYPE)], encode_xml(parts)

    return answer


def fail(service: Service, operation: Operation | None, fault: Fault, request_id: str) -> Response:
    """An error answer. Source: EC2 API Reference, "Error codes for the Amazon EC2 API"."""
    failure = Failure(fault, service, xml=True, rest=False)
    code = "UnauthorizedOperation" if failure.code == "AccessDenied" else failure.code
    parts = ['<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors><Error>']
    parts.append(f"<Code>{escape(code)}</Code><Message>{escape(failure.message)}</Message>")
    if failure.shape is not None and failure.members.keys() <= failure.shape.members.keys():
        _writer(service).members(failure.shape, list(failure.shape.members.values()))(parts, failure.members)
    parts.append(f"</Error></Errors><RequestID>{escape(request_id)}</RequestID></Response>")
    headers = [(service.metadata.request_id_header, request_id), ("Content-Type", CONTENT_TYPE)]
    return failure.status, headers, encode_xml(parts)


def _writer(service: Service) -> xml_values.Writer:
    return service.codecs.setdefault("ec2.writer", xml_values.Writer())  # type: ignore[return-value]
