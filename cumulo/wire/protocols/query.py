"""The AWS query protocol: `Action=` in a form or query string, answers in XML."""

from collections.abc import Callable
from typing import Any

from cumulo.wire.faults import Fault
from cumulo.wire.http import Request
from cumulo.wire.models import Operation, Service
from cumulo.wire.protocols import forms, xml_values
from cumulo.wire.protocols.failures import Failure, Response
from cumulo.wire.protocols.xml_elements import escape

CONTENT_TYPE = "text/xml"


def form_of(request: Request) -> dict[str, str]:
    """The fields of a request: those of its query string and of its body."""
    query, body = request.query, request.body
    if not body:
        return forms.fields(query)
    out = forms.fields(forms.decode(body))
    return {**forms.fields(query), **out} if query else out


def parser(operation: Operation) -> Callable[[Request, dict[str, str]], dict[str, Any]]:
    """The closure from a request to the operation's input.

    `labels` is the form that routing has read already, to save reading it twice; empty when it has not.
    """
    shape = operation.input
    if shape is None:
        return lambda request, labels: {}
    read = reader(operation.service).of(shape)
    path_member = operation.service.metadata.path_member
    if path_member not in shape.members:
        path_member = ""

    def parse(request: Request, labels: dict[str, str]) -> dict[str, Any]:
        form = labels or form_of(request)
        out: dict[str, Any] = read(forms.tree(form))
        if path_member and path_member not in out and len(request.path) > 1:
            out[path_member] = f"{request.scheme}://{request.host}{request.path}"
        return out

    return parse


def answerer(operation: Operation) -> Callable[[dict[str, Any], str], Response]:
    """The closure from the operation's output to a response."""
    service, name, shape = operation.service, operation.name, operation.output
    id_header = service.metadata.request_id_header
    namespace = f' xmlns="{escape(service.xml_namespace)}"' if service.xml_namespace else ""
    wrapper = operation.cut.output.result_wrapper if operation.cut.output is not None else ""
    wrapper = wrapper or f"{name}Result"
    opening = f"<{name}Response{namespace}>"
    closing = f"<ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata></{name}Response>"
    write = writer(service).members(shape, list(shape.members.values())) if shape is not None else None

    def answer(result: dict[str, Any], request_id: str) -> Response:
        parts = [opening]
        if write is not None:
            parts.append(f"<{wrapper}>")
            write(parts, result)
            parts.append(f"</{wrapper}>")
        parts.append(closing % request_id)
        return 200, [(id_header, request_id), ("Content-Type", CONTENT_TYPE)], encode_xml(parts)

    return answer


def encode_xml(parts: list[str]) -> bytes:
    """The bytes of an XML answer. A lone surrogate cannot be written; AWS never has one either."""
    return "".join(parts).encode("utf-8", "replace")


def fail(service: Service, operation: Operation | None, fault: Fault, request_id: str) -> Response:
    """An error answer."""
    failure = Failure(fault, service, xml=True, rest=False)
    namespace = f' xmlns="{escape(service.xml_namespace)}"' if service.xml_namespace else ""
    parts = [f"<ErrorResponse{namespace}><Error>"]
    error_members(service, failure, parts)
    if service.metadata.error_detail:
        parts.append("<Detail/>")
    parts.append(f"</Error><RequestId>{escape(request_id)}</RequestId></ErrorResponse>")
    headers = [(service.metadata.request_id_header, request_id), ("Content-Type", CONTENT_TYPE)]
    return failure.status, headers, encode_xml(parts)


def error_members(service: Service, failure: Failure, parts: list[str]) -> None:
    """Type, Code, Message and the members of an error."""
    if service.metadata.error_type:
        parts.append(f"<Type>{'Sender' if failure.sender else 'Receiver'}</Type>")
    parts.append(f"<Code>{escape(failure.code)}</Code>")
    parts.append(f"<Message>{escape(failure.query_message)}</Message>")
    members = {name: value for name, value in failure.members.items() if name.lower() != "message"}
    if not members:
        return
    if failure.shape is not None and members.keys() <= failure.shape.members.keys():
        writer(service).members(failure.shape, list(failure.shape.members.values()))(parts, members)
        return
    parts.extend(f"<{name}>{escape(str(value))}</{name}>" for name, value in members.items())


def reader(service: Service) -> forms.Reader:
    """The service's compiled readers."""
    return service.codecs.setdefault("query.reader", forms.Reader())  # type: ignore[return-value]


def writer(service: Service) -> xml_values.Writer:
    """The service's compiled writers."""
    return service.codecs.setdefault("query.writer", xml_values.Writer())  # type: ignore[return-value]
