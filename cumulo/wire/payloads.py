"""The body of a request that its operation takes as a stream: freed from aws-chunked, and held against its signature.

What costs time (hashing, taking apart) happens in `take_apart`, so that the caller can choose the thread. Nothing
may be committed before `finish` has returned: only then is the body known to be the one that was signed.
Source: "Signature calculations for the authorization header: transferring payload in multiple chunks", "… in a single
chunk" (S3 API Reference).
"""

import re
from hashlib import sha256

from cumulo.wire import aws_chunked, sigv4
from cumulo.wire.faults import Fault
from cumulo.wire.http import Request

_HEX_64 = re.compile(r"[0-9a-f]{64}\Z")


class Payload:
    """The rules of one body. `length` is that of the payload in bytes, None where the client does not say.

    `secret` None: the signatures of chunks cannot be checked. Raises MissingContentLength, IncompleteBody,
    InvalidChunkSizeError, MalformedTrailerError, SignatureDoesNotMatch, XAmzContentSHA256Mismatch.
    """

    def __init__(self, request: Request, claim: sigv4.Claim | None, secret: str | None) -> None:
        self.trailers: dict[str, str] = {}
        self._claim = claim
        self._decoder: aws_chunked.Decoder | None = None
        self._digest = sha256() if claim is not None and _HEX_64.match(claim.payload_hash) else None
        self.length: int | None
        if aws_chunked.is_chunked(request):
            self._decoder = aws_chunked.decoder(request, claim, secret)
            self.length = int(request.headers.get("x-amz-decoded-content-length"))
        else:
            declared = request.headers.get("content-length")
            self.length = int(declared) if declared else None

    def take_apart(self, pieces: list[bytes]) -> list[bytes]:
        """The payload in the next pieces of the body."""
        decoder = self._decoder
        if decoder is not None:
            return [part for piece in pieces for part in decoder.feed(piece)]
        if self._digest is not None:
            for piece in pieces:
                self._digest.update(piece)
        return pieces

    def finish(self) -> None:
        """The body has ended: refuse it unless it is whole and the one that was signed."""
        if self._decoder is not None:
            self._decoder.finish()
            self.trailers = self._decoder.trailers
        elif self._digest is not None and self._claim is not None:
            sigv4.check_payload(self._claim, self._digest.hexdigest())


def whole(request: Request, claim: sigv4.Claim | None, secret: str | None) -> tuple[bytes, dict[str, str]]:
    """The payload and the trailers of an aws-chunked body that is here already."""
    decoder = aws_chunked.decoder(request, claim, secret)
    pieces = decoder.feed(request.body)
    decoder.finish()
    return pieces[0] if len(pieces) == 1 else b"".join(pieces), decoder.trailers


def has_length(request: Request) -> bool:
    """Whether the request says how long its body is."""
    return "content-length" in request.headers or "x-amz-decoded-content-length" in request.headers


def missing_length(request: Request) -> Fault:
    """The refusal of a body of unknown length.

    Source: S3 API Reference, "List of error codes" (MissingContentLength), which AWS SDK for Go's integration tests
    expect for an aws-chunked body without x-amz-decoded-content-length; answers seen from AWS to others that come with
    `Transfer-Encoding: chunked`.
    """
    if "transfer-encoding" in request.headers and not aws_chunked.is_chunked(request):
        message = "A header you provided implies functionality that is not implemented"
        return Fault("NotImplemented", message, status=501, members={"Header": "Transfer-Encoding"})
    return Fault("MissingContentLength", "You must provide the Content-Length HTTP header.", status=411)
