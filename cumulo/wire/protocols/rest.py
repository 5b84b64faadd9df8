"""What both REST protocols have in common: members bound to the request, and the three kinds of bodies."""

from collections.abc import Callable
from typing import Any

from cumulo.wire.faults import Fault
from cumulo.wire.http import Request
from cumulo.wire.models import Operation
from cumulo.wire.protocols import bindings
from cumulo.wire.shapes import Member, Shape

Parse = Callable[[Request, dict[str, str]], dict[str, Any]]
ReadBody = Callable[[Request], dict[str, Any]]
Read = Callable[[Any], Any]


class Documents:
    """How a protocol reads bodies that are documents.

    `decode` makes of bytes what the readers take. `structure` gives the reader of those members of a shape that are in
    the body, `payload` that of the member that is the body. `malformed` is the error for a text that is not UTF-8,
    `refuse` that for a bound member of the wrong type.
    """

    def __init__(
        self,
        decode: Read,
        structure: Callable[[Shape, list[Member]], Read],
        payload: Callable[[Member], Read],
        malformed: Callable[[], Fault],
        refuse: Callable[[Member], Fault],
    ) -> None:
        self.decode = decode
        self.structure = structure
        self.payload = payload
        self.malformed = malformed
        self.refuse = refuse


def parser(operation: Operation, documents: Documents) -> Parse:
    """The closure from a request and its path's labels to the operation's input."""
    shape = operation.input
    if shape is None:
        return lambda request, labels: {}
    fill = bindings.request_reader(shape, documents.refuse)
    read_body = _body_reader(shape, documents)

    def parse(request: Request, labels: dict[str, str]) -> dict[str, Any]:
        out = read_body(request)
        fill(request, labels, out)
        return out

    return parse


def _body_reader(shape: Shape, documents: Documents) -> ReadBody:
    decode = documents.decode
    if not shape.payload:
        members = bindings.body_members(shape)
        if not members:
            return lambda request: {}
        read = documents.structure(shape, members)
        return lambda request: read(decode(request.body)) if request.body else {}
    member = shape.members[shape.payload]
    name = member.name
    if member.shape.eventstream:
        return lambda request: {}
    if member.shape.type == "blob":
        always = member.streaming
        return lambda request: {name: request.body} if request.body or always else {}
    if member.shape.type == "string":
        malformed = documents.malformed
        return lambda request: {name: _text(request.body, malformed)} if request.body else {}
    read_payload = documents.payload(member)
    return lambda request: {name: read_payload(decode(request.body))} if request.body else {}


def _text(body: bytes, malformed: Callable[[], Fault]) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise malformed() from None


def raw_body(value: Any) -> bytes:
    """A payload as bytes, b"" for a stream that the caller sends itself."""
    if isinstance(value, str):
        return value.encode()
    return bytes(value) if isinstance(value, bytes | bytearray | memoryview) else b""
