"""Smithy RPC v2 CBOR: `POST /service/S/operation/O`, CBOR both ways."""

from collections.abc import Callable
from typing import Any

from cumulo.wire.faults import Fault
from cumulo.wire.http import Request
from cumulo.wire.models import Operation, Service
from cumulo.wire.protocols import cbor_items, json_values, scalars
from cumulo.wire.protocols.failures import Failure, Response
from cumulo.wire.shapes import Member, Shape

CONTENT_TYPE = "application/cbor"
EVENTSTREAM_TYPE = "application/vnd.amazon.eventstream"
_PROTOCOL = ("smithy-protocol", "rpc-v2-cbor")
_EMPTY = b"\xbf\xff"


class Reader(json_values.Reader):
    """As for JSON, but blobs are bytes, timestamps tagged numbers, and names always the members' own."""

    def _build(self, shape: Shape) -> json_values.Convert:
        if shape.type == "blob":
            return _read_blob
        if shape.type == "timestamp":
            return _read_timestamp
        return super()._build(shape)

    def structure(self, shape: Shape, members: list[Member]) -> json_values.Convert:
        """The reader of a structure: member names are keys."""
        table = {member.name: self.of(member.shape) for member in members}

        def read(value: Any) -> Any:
            if type(value) is not dict:
                raise json_values.refuse(value, "structure")
            out = {}
            for name, item in value.items():
                read_item = table.get(name)
                if read_item is not None and item is not None:
                    out[name] = read_item(item)
            return out

        return read


def _read_blob(value: Any) -> bytes:
    if type(value) is not bytes:
        raise json_values.refuse(value, "blob")
    return value


def _read_timestamp(value: Any) -> float:
    if type(value) in (int, float, cbor_items.Timestamp):
        try:
            return scalars.check_epoch(float(value))
        except (ValueError, OverflowError):
            pass
    raise json_values.refuse(value, "timestamp")


class Writer(json_values.Writer):
    """As for JSON, with CBOR's own blobs, floats and timestamps."""

    def _build(self, shape: Shape, form: str) -> json_values.Convert | None:
        if shape.type == "timestamp":
            return _write_timestamp
        if shape.type in ("float", "double"):
            return float
        if shape.type == "blob":
            return lambda value: value.encode() if type(value) is str else value
        return super()._build(shape, form)

    def structure(self, shape: Shape, members: list[Member]) -> json_values.Convert:
        """The writer of a structure: member names are keys."""
        table = {member.name: self.of(member.shape) for member in members}

        def write(value: Any) -> Any:
            out = {}
            for name, item in value.items():
                if item is not None:
                    convert = table[name]  # KeyError: a service answers with a member that AWS does not have
                    out[name] = item if convert is None else convert(item)
            return out

        return write


def _write_timestamp(value: Any) -> Any:
    return cbor_items.Timestamp(round(value, 3))


def decode(body: bytes) -> Any:
    """The values of a CBOR text. Raises Fault."""
    try:
        return cbor_items.decode(body)
    except cbor_items.MalformedCbor:
        raise Fault("SerializationException") from None


def parser(operation: Operation) -> Callable[[Request, dict[str, str]], dict[str, Any]]:
    """The closure from a request to the operation's input."""
    shape = operation.input
    if shape is None or operation.eventstream_input is not None:
        return lambda request, labels: {}
    read = reader(operation.service).of(shape)

    def parse(request: Request, labels: dict[str, str]) -> dict[str, Any]:
        if not request.body:
            return {}
        out: dict[str, Any] = read(decode(request.body))
        return out

    return parse


def answerer(operation: Operation) -> Callable[[dict[str, Any], str], Response]:
    """The closure from the operation's output to a response."""
    service, shape = operation.service, operation.output
    id_header = service.metadata.request_id_header
    events = operation.eventstream_output is not None
    write = writer(service).of(shape) if shape is not None else None

    def answer(result: dict[str, Any], request_id: str) -> Response:
        headers = [(id_header, request_id), ("Content-Type", EVENTSTREAM_TYPE if events else CONTENT_TYPE), _PROTOCOL]
        if events:
            return 200, headers, b""
        return 200, headers, cbor_items.encode(write(result)) if write is not None else _EMPTY

    return answer


def fail(service: Service, operation: Operation | None, fault: Fault, request_id: str) -> Response:
    """An error answer."""
    failure = Failure(fault, service, xml=False, rest=False)
    members = failure.members_of_shape()
    if failure.shape is not None:
        known = {name: value for name, value in members.items() if name in failure.shape.members}
        write = writer(service).of(failure.shape)
        members.update(write(known) if write is not None else known)
    headers = [(service.metadata.request_id_header, request_id), ("Content-Type", CONTENT_TYPE), _PROTOCOL]
    if service.query_compatible:
        headers.append(("x-amzn-query-error", failure.query_error()))
    return failure.status, headers, cbor_items.encode({"__type": failure.type_name(service), **members})


def reader(service: Service) -> Reader:
    """The service's compiled readers."""
    return service.codecs.setdefault("cbor.reader", Reader())  # type: ignore[return-value]


def writer(service: Service) -> Writer:
    """The service's compiled writers."""
    return service.codecs.setdefault("cbor.writer", Writer())  # type: ignore[return-value]
