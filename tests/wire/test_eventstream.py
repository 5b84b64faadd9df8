"""Event streams: frames that botocore reads, frames that it would write, and frames that nobody should."""

import struct
import uuid
import zlib
from typing import Any

import botocore.eventstream
import botocore.parsers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulo.wire import eventstream, models
from cumulo.wire.eventstream import Decoder, Message, Timestamp
from cumulo.wire.faults import Fault
from tests.wire.calls import botocore_model

HEADERS = st.dictionaries(
    st.text(min_size=1, max_size=20),
    st.booleans()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.binary(max_size=30)
    | st.text(max_size=30)
    | st.uuids()
    | st.integers(0, 1 << 40).map(lambda ms: Timestamp(ms / 1000)),
    max_size=6,
)


@given(headers=HEADERS, payload=st.binary(max_size=200), cuts=st.lists(st.integers(0, 300), max_size=4))
def test_messages_come_back_however_they_are_cut(headers: Any, payload: bytes, cuts: list[int]) -> None:
    data = eventstream.encode(Message(headers, payload)) * 2
    decoder, got, at = Decoder(), [], 0
    for end in [*sorted(cuts), len(data)]:
        got += decoder.feed(data[at:end])
        at = max(at, end)
    assert [(message.headers, message.payload) for message in got] == [(headers, payload)] * 2
    assert decoder.empty


def test_botocore_reads_our_messages() -> None:
    identity = uuid.uuid4()
    headers: dict[str, Any] = {"a": "text", "b": b"bytes", "c": True, "d": False, "e": 7, "f": 1 << 40}
    buffer = botocore.eventstream.EventStreamBuffer()
    buffer.add_data(eventstream.encode(Message({**headers, "t": Timestamp(12.5), "u": identity}, b"payload")))
    (message,) = list(buffer)
    assert message.headers == {**headers, "t": 12500, "u": identity.bytes}
    assert message.payload == b"payload"


@pytest.mark.parametrize("place", [0, 5, 8, 12, 20, -1, -5])
def test_any_turned_bit_is_found(place: int) -> None:
    data = bytearray(eventstream.encode(Message({"name": "value"}, b"payload")))
    data[place] ^= 1
    with pytest.raises(Fault, match="malformed"):
        Decoder().feed(bytes(data))


def test_lengths_are_bounded() -> None:
    for total, head in ((1 << 31, 0), (20, 100), (12, 0), (1 << 20, 1 << 19)):
        prelude = struct.pack(">II", total, head)
        with pytest.raises(Fault):
            Decoder().feed(prelude + struct.pack(">I", zlib.crc32(prelude)))


@given(data=st.binary(max_size=80))
def test_headers_of_any_bytes_are_read_or_refused(data: bytes) -> None:
    prelude = struct.pack(">II", 16 + len(data), len(data))
    checked = prelude + struct.pack(">I", zlib.crc32(prelude)) + data
    try:
        Decoder().feed(checked + struct.pack(">I", zlib.crc32(checked)))
    except Fault as fault:
        assert fault.code == "SerializationException"


class _Body:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def stream(self) -> Any:
        yield self._data


@pytest.mark.parametrize(
    ("service", "operation", "events"),
    [
        (
            "s3",
            "SelectObjectContent",
            [{"Records": {"Payload": b"a,b"}}, {"Stats": {"Details": {"BytesScanned": 7}}}, {"End": {}}],
        ),
        (
            "kinesis",
            "SubscribeToShard",
            [{"SubscribeToShardEvent": {"Records": [], "ContinuationSequenceNumber": "1"}}],
        ),
        (
            "lambda",
            "InvokeWithResponseStream",
            [{"PayloadChunk": {"Payload": b"x"}}, {"InvokeComplete": {"ErrorCode": "e"}}],
        ),
        ("logs", "StartLiveTail", [{"sessionStart": {"requestId": "r", "sessionId": "s"}}]),
    ],
)
def test_botocore_reads_our_events(service: str, operation: str, events: list[dict[str, Any]]) -> None:
    ours = models.load(service).operations[operation]
    spoken = ours.service.protocols[0]
    encode = eventstream.event_encoder(ours, spoken)
    data = b"".join(encode(event) for event in events)
    model = botocore_model(service)
    shape = model.operation_model(operation).output_shape
    stream = ours.eventstream_output
    assert stream is not None
    parser = botocore.parsers.PROTOCOL_PARSERS[model.metadata["protocol"]].EVENT_STREAM_PARSER_CLS()
    read = botocore.eventstream.EventStream(_Body(data), shape.members[stream.name], parser, operation)
    assert list(read) == events


def test_an_exception_ends_the_stream_at_the_client() -> None:
    ours = models.load("kinesis").operations["SubscribeToShard"]
    data = eventstream.event_encoder(ours, "json")({"ResourceNotFoundException": {"message": "gone"}})
    (message,) = Decoder().feed(data)
    assert message.headers[":message-type"] == "exception"
    assert message.headers[":exception-type"] == "ResourceNotFoundException"
    (error,) = Decoder().feed(eventstream.error_message("InternalFailure", "text"))
    assert error.headers[":error-code"] == "InternalFailure"


def test_events_of_a_request() -> None:
    operation = models.load("lexv2-runtime").operations["StartConversation"]
    decode = eventstream.event_decoder(operation, "rest-json")
    headers: dict[str, Any] = {":message-type": "event", ":event-type": "TextInputEvent"}
    event = decode(Message(headers, b'{"text":"hello","eventId":"1","clientTimestampMillis":5}'))
    assert event == {"TextInputEvent": {"text": "hello", "eventId": "1", "clientTimestampMillis": 5}}
    for bad in (Message({":message-type": "event", ":event-type": "Nothing"}), Message({}), Message(headers, b"{")):
        with pytest.raises(Fault):
            decode(bad)


def test_signed_messages_are_unwrapped() -> None:
    inner = Message({":message-type": "event", ":event-type": "E"}, b"x")
    outer = Message({":date": Timestamp(1.0), ":chunk-signature": b"s"}, eventstream.encode(inner))
    seen: list[tuple[float, bytes]] = []
    found = eventstream.unwrap(outer, lambda date, signature, payload: seen.append((date, signature)))
    assert found is not None and found.headers == inner.headers and seen == [(1.0, b"s")]
    assert eventstream.unwrap(inner) is inner
    assert eventstream.unwrap(Message(outer.headers)) is None
    with pytest.raises(Fault):
        eventstream.unwrap(Message(outer.headers, b"short"))
