"""aws-chunked bodies: unsigned trailers, limits, and whatever a broken client sends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulo.wire import aws_chunked, event_signatures, sigv4
from cumulo.wire.faults import Fault
from tests.wire.signing import NOW, request

UNSIGNED_HEAD = [
    ("Host", "b.s3.localhost"),
    ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
    ("x-amz-trailer", "x-amz-checksum-crc32"),
    ("x-amz-decoded-content-length", "11"),
]
UNSIGNED_BODY = b"6\r\nhello \r\n5\r\nworld\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n"


def unsigned(body: bytes, step: int = 1) -> tuple[bytes, aws_chunked.Decoder]:
    decoder = aws_chunked.decoder(request("PUT", "/k", UNSIGNED_HEAD), None, None)
    payload = b"".join(piece for at in range(0, len(body), step) for piece in decoder.feed(body[at : at + step]))
    decoder.finish()
    return payload, decoder


@given(st.integers(1, 80))
def test_unsigned_trailers_in_any_pieces(step: int) -> None:
    payload, decoder = unsigned(UNSIGNED_BODY, step)
    assert payload == b"hello world"
    assert decoder.trailers == {"x-amz-checksum-crc32": "DUoRhQ=="}


@given(st.binary(max_size=200), st.integers(1, 50))
def test_garbage_is_refused_and_never_crashes(garbage: bytes, step: int) -> None:
    with pytest.raises(Fault):
        unsigned(garbage, step)


@given(st.integers(0, len(UNSIGNED_BODY) - 1))
def test_a_body_that_stops_early_is_incomplete(end: int) -> None:
    with pytest.raises(Fault, match="IncompleteBody"):
        unsigned(UNSIGNED_BODY[:end], 7)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"5\r\nhello\r\n0\r\n\r\n", "MalformedTrailerError"),
        (b"b\r\nhello world\r\n0\r\n\r\n", "MalformedTrailerError"),
        (b"b\r\nhello world\r\n0\r\nx-amz-other:1\r\n\r\n", "MalformedTrailerError"),
        (b"b\r\nhello world\r\n0\r\nno colon\r\n\r\n", "MalformedTrailerError"),
        (b"c\r\nhello world!\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n", "IncompleteBody"),
        (b"a\r\nhello worl\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n", "IncompleteBody"),
        (b"b\r\nhello world00\r\n", "IncompleteBody"),
        (b"ffffffffffffffff1\r\n", "IncompleteBody"),
        (b"-1\r\n", "IncompleteBody"),
        (b"0x5\r\nhello", "IncompleteBody"),
        (b"5" * 5000, "IncompleteBody"),
        (b"5\nhello\r\n", "IncompleteBody"),
        (UNSIGNED_BODY + b"more", "IncompleteBody"),
    ],
)
def test_malformed_bodies(body: bytes, code: str) -> None:
    with pytest.raises(Fault) as caught:
        unsigned(body, 3)
    assert caught.value.code == code


def test_signed_chunks_must_be_large_but_for_the_last() -> None:
    decoder = aws_chunked.Decoder(100, signed=True)
    line = b"5;chunk-signature=" + b"0" * 64 + b"\r\nhello\r\n"
    decoder.feed(line)
    with pytest.raises(Fault, match="Only the last chunk is allowed to have a size less than 8192 bytes"):
        decoder.feed(line)


def test_signed_chunks_need_signatures() -> None:
    with pytest.raises(Fault, match="IncompleteBody"):
        aws_chunked.Decoder(5, signed=True).feed(b"5\r\nhello\r\n")


def test_the_decoded_length_is_required() -> None:
    for length in ("", "-1", "x", "9" * 30):
        fields = [
            ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
            ("x-amz-decoded-content-length", length),
        ]
        with pytest.raises(Fault, match="MissingContentLength"):
            aws_chunked.decoder(request("PUT", "/k", fields), None, None)


def claim() -> sigv4.Claim:
    return sigv4.Claim(
        "AKID", "20130524", "us-east-1", "transcribe", "aws4_request", ("host",), "ab" * 32, "", "20130524T000000Z",
        NOW, None, False, sigv4.STREAMING_EVENTS,
    )  # fmt: skip


def test_events_are_a_chain() -> None:
    stream = event_signatures.EventSignatures(claim(), "secret")
    last = claim().signature
    for number, payload in enumerate([b"first", b"second", b""]):
        date_ms = int(NOW * 1000) + number
        signature = event_signatures.sign_event("secret", "us-east-1", "transcribe", date_ms, last, payload)
        stream.verify(date_ms, signature, payload, NOW)
        last = signature.hex()
    with pytest.raises(Fault, match="SignatureDoesNotMatch"):
        stream.verify(int(NOW * 1000), signature, b"", NOW)


def test_events_have_a_date_of_their_own() -> None:
    stream = event_signatures.EventSignatures(claim(), None)
    stream.verify(int(NOW * 1000), b"", b"anything", NOW)
    with pytest.raises(Fault, match="Signature expired"):
        stream.verify(int(NOW * 1000), b"", b"", NOW + 901)
    with pytest.raises(Fault, match="Signature not yet current"):
        stream.verify(int(NOW * 1000), b"", b"", NOW - 901)
