"""The worked examples of the S3 API Reference, with the signatures that the documentation prints.

Source: "Signature Calculations for the Authorization Header: Transferring Payload in a Single Chunk", "… in Multiple
Chunks", "… Including Trailing Headers", "Authenticating Requests: Using Query Parameters".
"""

import pytest

from cumulo.wire import aws_chunked, sigv4
from cumulo.wire.faults import Fault
from cumulo.wire.http import Request
from tests.wire.signing import NOW, SECRET, request

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
CREDENTIAL = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request"
HOST = ("Host", "examplebucket.s3.amazonaws.com")
DATE = ("x-amz-date", "20130524T000000Z")


def authorization(names: str, signature: str, separator: str = ",") -> tuple[str, str]:
    parts = [f"Credential={CREDENTIAL}", f"SignedHeaders={names}", f"Signature={signature}"]
    return ("Authorization", f"AWS4-HMAC-SHA256 {separator.join(parts)}")


GET_OBJECT = request(
    "GET",
    "/test.txt",
    [
        HOST,
        authorization(
            "host;range;x-amz-content-sha256;x-amz-date",
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        ("Range", "bytes=0-9"),
        ("x-amz-content-sha256", EMPTY),
        DATE,
    ],
)
PUT_OBJECT = request(
    "PUT",
    "/test%24file.text",
    [
        HOST,
        ("Date", "Fri, 24 May 2013 00:00:00 GMT"),
        authorization(
            "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
            ", ",
        ),
        DATE,
        ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ("x-amz-content-sha256", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"),
    ],
    b"Welcome to Amazon S3.",
)
GET_LIFECYCLE = request(
    "GET",
    "/?lifecycle",
    [
        HOST,
        authorization(
            "host;x-amz-content-sha256;x-amz-date", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
        ),
        DATE,
        ("x-amz-content-sha256", EMPTY),
    ],
)
LIST_OBJECTS = request(
    "GET",
    "/?max-keys=2&prefix=J",
    [
        HOST,
        authorization(
            "host;x-amz-content-sha256;x-amz-date", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
        ),
        DATE,
        ("x-amz-content-sha256", EMPTY),
    ],
)
PRESIGNED = request(
    "GET",
    "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2F"
    "aws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature="
    "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
    [HOST],
)
EXAMPLES = {
    "get": GET_OBJECT,
    "put": PUT_OBJECT,
    "lifecycle": GET_LIFECYCLE,
    "list": LIST_OBJECTS,
    "presigned": PRESIGNED,
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_documented_signatures_verify(name: str) -> None:
    example = EXAMPLES[name]
    claim = sigv4.read(example)
    assert claim is not None
    assert claim.access_key_id == "AKIAIOSFODNN7EXAMPLE"
    assert claim.timestamp == NOW
    sigv4.verify(example, claim, SECRET, NOW, "s3")
    with pytest.raises(Fault, match="SignatureDoesNotMatch"):
        sigv4.verify(example, claim, SECRET + "x", NOW, "s3")


CHUNKED_HEAD = [
    ("Host", "s3.amazonaws.com"),
    DATE,
    ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
    ("Content-Encoding", "aws-chunked"),
    ("x-amz-decoded-content-length", "66560"),
]
CHUNKED = request(
    "PUT",
    "/examplebucket/chunkObject.txt",
    [
        *CHUNKED_HEAD,
        authorization(
            "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;"
            "x-amz-storage-class",
            "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
        ),
        ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
        ("Content-Length", "66824"),
    ],
)
CHUNKED_BODY = (
    b"10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n"
    + b"a" * 65536
    + b"\r\n400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n"
    + b"a" * 1024
    + b"\r\n0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n"
)
TRAILERS = request(
    "PUT",
    "/examplebucket/chunkObject.txt",
    [
        *CHUNKED_HEAD,
        authorization(
            "content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;"
            "x-amz-trailer",
            "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
        ),
        ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"),
        ("x-amz-trailer", "x-amz-checksum-crc32c"),
    ],
)
TRAILERS_BODY = (
    b"10000;chunk-signature=b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2\r\n"
    + b"a" * 65536
    + b"\r\n400;chunk-signature=1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7\r\n"
    + b"a" * 1024
    + b"\r\n0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n"
    + b"x-amz-checksum-crc32c:sOO8/Q==\r\n"
    + b"x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n"
)


@pytest.mark.parametrize(("head", "body"), [(CHUNKED, CHUNKED_BODY), (TRAILERS, TRAILERS_BODY)])
@pytest.mark.parametrize("step", [1, 7, 1000, 100_000])
def test_documented_chunks_verify(head: Request, body: bytes, step: int) -> None:
    claim = sigv4.read(head)
    assert claim is not None
    assert claim.streaming
    sigv4.verify(head, claim, SECRET, NOW, "s3", streamed=True)
    decoder = aws_chunked.decoder(head, claim, SECRET)
    payload = b"".join(piece for at in range(0, len(body), step) for piece in decoder.feed(body[at : at + step]))
    decoder.finish()
    assert decoder.done
    assert payload == b"a" * 66560
    assert decoder.trailers == ({"x-amz-checksum-crc32c": "sOO8/Q=="} if head is TRAILERS else {})


def test_a_changed_byte_of_a_chunk_is_found() -> None:
    claim = sigv4.read(CHUNKED)
    decoder = aws_chunked.decoder(CHUNKED, claim, SECRET)
    with pytest.raises(Fault, match="SignatureDoesNotMatch"):
        decoder.feed(CHUNKED_BODY.replace(b"a" * 1024 + b"\r\n0", b"a" * 1023 + b"b\r\n0"))


def test_a_changed_trailer_is_found() -> None:
    claim = sigv4.read(TRAILERS)
    decoder = aws_chunked.decoder(TRAILERS, claim, SECRET)
    with pytest.raises(Fault, match="SignatureDoesNotMatch"):
        decoder.feed(TRAILERS_BODY.replace(b"sOO8/Q==", b"sOO8/R=="))
