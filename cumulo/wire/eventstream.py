"""`application/vnd.amazon.eventstream`: framed messages with checksums, and the events of operations in them.

Source: Smithy 2.0, "Amazon Event Stream Specification". A message is a prelude (total and header length, CRC-32),
headers, payload and a CRC-32 over all that came before.
"""

import struct
import uuid
import zlib
from collections.abc import Callable
from typing import Any

from cumulo.wire.faults import Fault
from cumulo.wire.models import Operation
from cumulo.wire.protocols import cbor, cbor_items, json, json_values, rest_xml, scalars, xml_values
from cumulo.wire.protocols.query import encode_xml
from cumulo.wire.shapes import Member, Shape

HEADERS_LIMIT = 128 * 1024
PAYLOAD_LIMIT = 24 * 1024 * 1024
_PRELUDE = struct.Struct(">II")
_WORD = struct.Struct(">I")
_HALF = struct.Struct(">H")
_FIXED = {2: struct.Struct(">b"), 3: struct.Struct(">h"), 4: struct.Struct(">i"), 5: struct.Struct(">q")}
_CONTENT_TYPES = {"smithy-rpc-v2-cbor": "application/cbor", "rest-xml": "text/xml"}

HeaderValue = bool | int | bytes | str | float | uuid.UUID


class Timestamp(float):
    """Epoch seconds in a header."""


class Message:
    """One message: headers by name, payload."""

    __slots__ = ("headers", "payload")

    def __init__(self, headers: dict[str, HeaderValue], payload: bytes = b"") -> None:
        self.headers = headers
        self.payload = payload

    def __repr__(self) -> str:
        return f"<Message {self.headers} {len(self.payload)} bytes>"


def malformed(text: str) -> Fault:
    """The refusal of bytes that are no event stream."""
    return Fault("SerializationException", f"Event stream is malformed: {text}")


def encode(message: Message) -> bytes:
    """The bytes of a message."""
    head = bytearray()
    for name, value in message.headers.items():
        encoded = name.encode()
        head.append(len(encoded))
        head += encoded
        _write_header(head, value)
    total = 16 + len(head) + len(message.payload)
    prelude = _PRELUDE.pack(total, len(head))
    checked = prelude + _WORD.pack(zlib.crc32(prelude)) + head + message.payload
    return checked + _WORD.pack(zlib.crc32(checked))


def _write_header(out: bytearray, value: HeaderValue) -> None:
    if isinstance(value, bool):
        out.append(0 if value else 1)
    elif isinstance(value, Timestamp):
        out.append(8)
        out += _FIXED[5].pack(round(value * 1000))
    elif isinstance(value, int):
        wide = not -(1 << 31) <= value < 1 << 31
        out.append(5 if wide else 4)
        out += _FIXED[5 if wide else 4].pack(value)
    elif isinstance(value, uuid.UUID):
        out.append(9)
        out += value.bytes
    elif isinstance(value, str | bytes):
        encoded = value.encode() if isinstance(value, str) else value
        out.append(7 if isinstance(value, str) else 6)
        out += _HALF.pack(len(encoded)) + encoded
    else:
        raise TypeError(f"no event stream header for {type(value).__name__}")


def _read_headers(data: bytes) -> dict[str, HeaderValue]:
    headers: dict[str, HeaderValue] = {}
    at = 0
    try:
        while at < len(data):
            size = data[at]
            name = data[at + 1 : at + 1 + size].decode()
            at += 1 + size
            kind = data[at]
            value, at = _read_value(data, at + 1, kind)
            headers[name] = value
    except (IndexError, struct.error, UnicodeDecodeError):
        raise malformed("headers") from None
    return headers


def _read_value(data: bytes, at: int, kind: int) -> tuple[HeaderValue, int]:
    if kind < 2:
        return kind == 0, at
    if kind in _FIXED:
        layout = _FIXED[kind]
        return int(layout.unpack_from(data, at)[0]), at + layout.size
    if kind == 8:
        return Timestamp(_FIXED[5].unpack_from(data, at)[0] / 1000), at + 8
    if kind in (6, 7):
        end = at + 2 + _HALF.unpack_from(data, at)[0]
        chunk = data[at + 2 : end]
    elif kind == 9:
        end = at + 16
        chunk = data[at:end]
    else:
        raise malformed("header type")
    if end > len(data):
        raise malformed("headers")
    if kind == 9:
        return uuid.UUID(bytes=chunk), end
    return (chunk.decode() if kind == 7 else chunk), end


class Decoder:
    """Collects bytes as they arrive and gives the messages that are complete."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """The messages that these bytes complete. Raises Fault for wrong lengths and checksums."""
        buffer = self._buffer
        buffer += data
        messages, at = [], 0
        while len(buffer) - at >= 12:
            total, head = _PRELUDE.unpack_from(buffer, at)
            if _WORD.unpack_from(buffer, at + 8)[0] != zlib.crc32(buffer[at : at + 8]):
                raise malformed("prelude checksum")
            if head > HEADERS_LIMIT or total < 16 + head or total - head > PAYLOAD_LIMIT:
                raise malformed("length")
            if len(buffer) - at < total:
                break
            end = at + total
            if _WORD.unpack_from(buffer, end - 4)[0] != zlib.crc32(buffer[at : end - 4]):
                raise malformed("message checksum")
            headers = _read_headers(bytes(buffer[at + 12 : at + 12 + head]))
            messages.append(Message(headers, bytes(buffer[at + 12 + head : end - 4])))
            at = end
        del buffer[:at]
        return messages

    @property
    def empty(self) -> bool:
        """Whether no part of a message is waiting for the rest."""
        return not self._buffer


Verify = Callable[[float, bytes, bytes], None]


def unwrap(message: Message, verify: Verify | None = None) -> Message | None:
    """The message inside a signed one; the message itself when it is not signed; None at the signed end.

    `verify(date, signature, payload)` raises Fault when the chunk's signature is wrong.
    """
    signature = message.headers.get(":chunk-signature")
    date = message.headers.get(":date")
    if not isinstance(signature, bytes) or not isinstance(date, Timestamp):
        return message
    if verify is not None:
        verify(float(date), signature, message.payload)
    if not message.payload:
        return None
    inner = Decoder().feed(message.payload)
    if len(inner) != 1:
        raise malformed("signed payload")
    return inner[0]


# ---- events of operations


def event_encoder(operation: Operation, protocol: str) -> Callable[[dict[str, Any]], bytes]:
    """The closure from `{"EventName": {members}}` to a framed message, for an operation's answer.

    An event whose shape is an exception goes out as one.
    """
    stream = operation.eventstream_output
    assert stream is not None
    writers = {name: _event_writer(operation, member, protocol) for name, member in stream.shape.members.items()}

    def encode_event(event: dict[str, Any]) -> bytes:
        ((name, members),) = event.items()
        return encode(writers[name](members))

    return encode_event


def initial_response(operation: Operation, protocol: str, result: dict[str, Any]) -> bytes:
    """The first message of an answer in the RPC protocols: the members beside the stream."""
    stream, shape = operation.eventstream_output, operation.output
    assert shape is not None and stream is not None
    plain = {name: value for name, value in result.items() if name != stream.name}
    write, content_type = _body_writer(operation, shape, protocol)
    kind = "application/x-amz-json-" + operation.service.json_version if protocol == "json" else content_type
    headers: dict[str, HeaderValue] = {
        ":message-type": "event",
        ":event-type": "initial-response",
        ":content-type": kind,
    }
    return encode(Message(headers, write(plain)))


def error_message(code: str, text: str) -> bytes:
    """A message that ends a stream with an error that the model does not have."""
    return encode(Message({":message-type": "error", ":error-code": code, ":error-message": text}))


def _event_writer(operation: Operation, member: Member, protocol: str) -> Callable[[dict[str, Any]], Message]:
    shape, kind = member.shape, "exception" if member.shape.exception else "event"
    in_headers = {name: m for name, m in shape.members.items() if m.cut.eventheader}
    payload = next((m for m in shape.members.values() if m.cut.eventpayload), None)
    write, content_type = _payload_writer(operation, shape, payload, protocol)
    has_body = payload is not None or len(in_headers) < len(shape.members)

    def write_event(members: dict[str, Any]) -> Message:
        headers: dict[str, HeaderValue] = {":message-type": kind, f":{kind}-type": member.name}
        body = {}
        for name, value in members.items():
            header = in_headers.get(name)
            if header is None:
                body[name] = value
            elif value is not None:
                headers[name] = Timestamp(value) if header.shape.type == "timestamp" else value
        if has_body:
            headers[":content-type"] = content_type
        return Message(headers, write(body) if has_body else b"")

    return write_event


def _payload_writer(
    operation: Operation, shape: Shape, payload: Member | None, protocol: str
) -> tuple[Callable[[dict[str, Any]], bytes], str]:
    if payload is None:
        return _body_writer(operation, shape, protocol)
    name = payload.name
    if payload.shape.type == "blob":
        return lambda members: bytes(members.get(name) or b""), "application/octet-stream"
    if payload.shape.type == "string":
        return lambda members: str(members.get(name) or "").encode(), "text/plain"
    write, content_type = _body_writer(operation, payload.shape, protocol)
    return lambda members: write(members.get(name) or {}), content_type


def _body_writer(operation: Operation, shape: Shape, protocol: str) -> tuple[Callable[[dict[str, Any]], bytes], str]:
    service, content_type = operation.service, _CONTENT_TYPES.get(protocol, "application/json")
    if protocol == "smithy-rpc-v2-cbor":
        write_cbor = cbor.writer(service).of(shape)
        return lambda members: cbor_items.encode(write_cbor(members) if write_cbor else members), content_type
    if protocol == "rest-xml":
        opening, closing = xml_values.opening_tag(shape.name, shape.xml_namespace), f"</{shape.name}>"
        write_xml = rest_xml.writer(service).members(shape, list(shape.members.values()))

        def write(members: dict[str, Any]) -> bytes:
            parts = [opening]
            write_xml(parts, members)
            parts.append(closing)
            return encode_xml(parts)

        return write, content_type
    write_json = json.writer(service).of(shape)
    return lambda members: json_values.encode(write_json(members) if write_json else members), content_type


def event_decoder(operation: Operation, protocol: str) -> Callable[[Message], dict[str, Any]]:
    """The closure from a message of a request to `{"EventName": {members}}`.

    The first message of the RPC protocols gives `{"initial-request": {members}}`. Raises Fault.
    """
    stream, shape = operation.eventstream_input, operation.input
    assert stream is not None and shape is not None
    readers = {name: _event_reader(operation, member.shape, protocol) for name, member in stream.shape.members.items()}
    read_initial = _body_reader(operation, shape, protocol)

    def decode_event(message: Message) -> dict[str, Any]:
        name = message.headers.get(":event-type")
        if name == "initial-request":
            return {"initial-request": read_initial(message.payload) if message.payload else {}}
        if message.headers.get(":message-type") != "event" or not isinstance(name, str) or name not in readers:
            raise malformed("unknown event")
        return {name: readers[name](message)}

    return decode_event


def _event_reader(operation: Operation, shape: Shape, protocol: str) -> Callable[[Message], dict[str, Any]]:
    in_headers = {name: m.shape.type for name, m in shape.members.items() if m.cut.eventheader}
    payload = next((m for m in shape.members.values() if m.cut.eventpayload), None)
    read_body = _body_reader(operation, payload.shape if payload is not None else shape, protocol)

    def read(message: Message) -> dict[str, Any]:
        out: dict[str, Any] = {}
        if payload is None:
            if message.payload and len(in_headers) < len(shape.members):
                out.update(read_body(message.payload))
        elif payload.shape.type == "blob":
            out[payload.name] = message.payload
        elif payload.shape.type == "string":
            out[payload.name] = _text(message.payload)
        elif message.payload:
            out[payload.name] = read_body(message.payload)
        for name, kind in in_headers.items():
            if name in message.headers:
                out[name] = _header_value(message.headers[name], kind)
        return out

    return read


def _text(payload: bytes) -> str:
    try:
        return payload.decode()
    except UnicodeDecodeError:
        raise malformed("text") from None


def _header_value(value: HeaderValue, kind: str) -> Any:
    wanted: dict[str, type] = {"boolean": bool, "string": str, "blob": bytes, "timestamp": Timestamp}
    if type(value) is not wanted.get(kind, int):
        raise malformed(f"header is no {kind}")
    return scalars.check_epoch(value) if isinstance(value, Timestamp) else value


def _body_reader(operation: Operation, shape: Shape, protocol: str) -> Callable[[bytes], Any]:
    service = operation.service
    if protocol == "smithy-rpc-v2-cbor":
        read_cbor = cbor.reader(service).of(shape)
        return lambda payload: read_cbor(cbor.decode(payload))
    if protocol == "rest-xml":
        read_xml = rest_xml.reader(service).of(shape)
        return lambda payload: read_xml(rest_xml.decode(payload))
    read_json = json.reader(service).of(shape)
    return lambda payload: read_json(json_values.decode(payload))
