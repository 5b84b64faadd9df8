"""The aws-chunked encoding: a body in pieces, each with its own signature, and trailers after the last.

`Decoder` is fed what arrives and hands out the payload. It hands a piece out before the chunk that holds it is
verified (a chunk may be gigabytes), so nothing may be committed until `finish` has returned.
Source: "Signature calculations for the authorization header: transferring payload in multiple chunks" and "Signature
calculations for trailing headers" (S3 API Reference).
"""

import hmac
import re
from hashlib import sha256

from cumulo.wire import macs, sigv4
from cumulo.wire import signature_faults as faults
from cumulo.wire.faults import Fault
from cumulo.wire.http import Request

SMALLEST_CHUNK_B = 8192
LONGEST_LINE_B = 4096
MOST_TRAILERS = 32
_SIZE = re.compile(rb"[0-9a-fA-F]{1,16}\Z")
_SIGNATURE = re.compile(rb"[0-9a-f]{64}\Z")
_TRAILER_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_TRAILER_SIGNATURE = "x-amz-trailer-signature"

_HEADER, _DATA, _DATA_END, _TRAILERS, _DONE = range(5)


class Chain:
    """The chain of chunk signatures: each signs its own bytes and the signature before it, the first the request's."""

    def __init__(self, claim: sigv4.Claim, secret: str) -> None:
        self._key = sigv4.signing_key(secret, claim.date, claim.region, claim.service)
        self._scope = f"{claim.amz_date}\n{claim.scope}\n"
        self._access_key_id = claim.access_key_id
        self.last = claim.signature

    def chunk(self, digest: str, signature: str) -> None:
        """Check the next chunk, of this SHA-256; raises SignatureDoesNotMatch."""
        self._check(f"{self._scope}{self.last}\n{sigv4.EMPTY_SHA256}\n{digest}", "PAYLOAD", signature)

    def trailers(self, digest: str, signature: str) -> None:
        """Check the trailer block, of this SHA-256; raises SignatureDoesNotMatch."""
        self._check(f"{self._scope}{self.last}\n{digest}", "TRAILER", signature)

    def _check(self, rest: str, kind: str, signature: str) -> None:
        string_to_sign = f"{sigv4.ALGORITHM}-{kind}\n{rest}"
        expected = macs.hmac_sha256(self._key, string_to_sign.encode())
        if not hmac.compare_digest(expected.encode(), signature.encode("latin-1", "replace")):
            raise faults.s3_mismatch(self._access_key_id, string_to_sign, signature, None)
        self.last = expected


def is_chunked(request: Request) -> bool:
    """Whether the body of this request is aws-chunked."""
    return request.headers.get("x-amz-content-sha256").startswith("STREAMING-") or "aws-chunked" in (
        request.headers.get("content-encoding").lower()
    )


def decoder(request: Request, claim: sigv4.Claim | None, secret: str | None) -> "Decoder":
    """The decoder that a request's headers ask for.

    `secret` None means that the key's secret cannot be known (local keys) or that the request is anonymous: the form
    is read, the signatures are not checked. Raises MissingContentLength without x-amz-decoded-content-length.
    """
    kind = request.headers.get("x-amz-content-sha256")
    length = request.headers.get("x-amz-decoded-content-length")
    if not (length.isascii() and length.isdigit()) or len(length) > 18:
        message = "You must provide the Content-Length HTTP header."
        raise Fault("MissingContentLength", message, status=411)
    signed = kind in (sigv4.STREAMING_SIGNED, sigv4.STREAMING_SIGNED_TRAILER)
    chain = Chain(claim, secret) if signed and claim is not None and secret is not None else None
    names = [name.strip().lower() for name in request.headers.get("x-amz-trailer").split(",") if name.strip()]
    with_trailers = kind in (sigv4.STREAMING_SIGNED_TRAILER, sigv4.STREAMING_UNSIGNED_TRAILER)
    return Decoder(int(length), signed=signed, chain=chain, trailer_names=names if with_trailers else None)


class Decoder:
    """Takes an aws-chunked body apart as it arrives.

    `decoded_length` is x-amz-decoded-content-length. With `signed`, every chunk must carry a signature; with `chain`,
    it is checked. `trailer_names` None means that no trailers may follow.
    Raises IncompleteBody, InvalidChunkSizeError, MalformedTrailerError, SignatureDoesNotMatch.
    """

    def __init__(
        self,
        decoded_length: int,
        *,
        signed: bool = False,
        chain: Chain | None = None,
        trailer_names: list[str] | None = None,
    ) -> None:
        self.trailers: dict[str, str] = {}
        self._decoded_length = decoded_length
        self._is_signed = signed
        self._chain = chain
        self._trailer_names = trailer_names
        self._state = _HEADER
        self._buffer = bytearray()
        self._left = 0
        self._total = 0
        self._size = 0
        self._short = False
        self._signature = ""
        self._digest = sha256()
        self._trailer_signature = ""

    @property
    def done(self) -> bool:
        """Whether the last chunk and its trailers have come."""
        return self._state == _DONE

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes of the body; give the pieces of payload in them."""
        pieces: list[bytes] = []
        buffer = self._buffer
        if self._state == _DATA and not buffer:  # most of a large body: it goes on as it came, without a copy
            head = data if len(data) <= self._left else data[: self._left]
            self._take(head, pieces)
            if len(head) == len(data):
                return pieces
            data = data[len(head) :]
        buffer += data
        while buffer:
            if self._state == _DATA:
                self._take_data(pieces)
            elif self._state == _DATA_END:
                if len(buffer) < 2:
                    break
                if buffer[:2] != b"\r\n":
                    raise _malformed()
                del buffer[:2]
                self._end_chunk()
            elif self._state == _DONE:
                raise _malformed()
            else:
                line = self._line()
                if line is None:
                    break
                if self._state == _HEADER:
                    self._begin_chunk(line)
                else:
                    self._trailer(line)
        return pieces

    def finish(self) -> None:
        """The body has ended: refuse it if it stopped early or its length is not the one promised."""
        if self._state != _DONE or self._total != self._decoded_length:
            raise _incomplete()

    def _line(self) -> bytes | None:
        """The next line without its end, or None until it is whole. S3's trailers may end in a bare line feed."""
        buffer = self._buffer
        end = buffer.find(b"\n", 0, LONGEST_LINE_B)
        if end < 0:
            if len(buffer) >= LONGEST_LINE_B:
                raise _malformed()
            return None
        line = bytes(buffer[:end])
        del buffer[: end + 1]
        if line.endswith(b"\r"):
            return line[:-1]
        if self._state == _HEADER:
            raise _malformed()
        return line

    def _begin_chunk(self, line: bytes) -> None:
        size, _, extension = line.partition(b";")
        if not _SIZE.match(size):
            raise _malformed()
        self._size = self._left = int(size, 16)
        if self._is_signed:
            name, _, signature = extension.partition(b"=")
            if name != b"chunk-signature" or not _SIGNATURE.match(signature):
                raise _malformed()
            self._signature = signature.decode()
        if self._size and self._short:
            message = f"Only the last chunk is allowed to have a size less than {SMALLEST_CHUNK_B} bytes"
            raise Fault("InvalidChunkSizeError", message, status=403)
        self._short = self._is_signed and self._size < SMALLEST_CHUNK_B
        if self._total + self._size > self._decoded_length:
            raise _incomplete()
        self._digest = sha256()
        if self._size:
            self._state = _DATA
            return
        if self._chain is not None:
            self._chain.chunk(sigv4.EMPTY_SHA256, self._signature)
        self._state = _TRAILERS

    def _take_data(self, pieces: list[bytes]) -> None:
        piece = bytes(self._buffer[: self._left])
        del self._buffer[: self._left]
        self._take(piece, pieces)

    def _take(self, piece: bytes, pieces: list[bytes]) -> None:
        self._left -= len(piece)
        self._total += len(piece)
        if self._chain is not None:
            self._digest.update(piece)
        pieces.append(piece)
        if not self._left:
            self._state = _DATA_END

    def _end_chunk(self) -> None:
        if self._chain is not None:
            self._chain.chunk(self._digest.hexdigest(), self._signature)
        self._state = _HEADER

    def _trailer(self, line: bytes) -> None:
        if not line:
            # A blank line may stand between the trailers and their signature.
            if self._is_signed and self.trailers and not self._trailer_signature and self._buffer:
                return
            self._end_trailers()
            return
        name_bytes, colon, value = line.partition(b":")
        if not colon or not _TRAILER_NAME.match(name_bytes) or len(self.trailers) >= MOST_TRAILERS:
            raise _malformed_trailer()
        name = name_bytes.decode("ascii").lower()
        if name == _TRAILER_SIGNATURE:
            self._trailer_signature = value.strip().decode("latin-1")
        elif self._trailer_names is None or name not in self._trailer_names or name in self.trailers:
            raise _malformed_trailer()
        else:
            self.trailers[name] = value.strip().decode("latin-1")

    def _end_trailers(self) -> None:
        names = self._trailer_names
        if names is not None:
            if any(name not in self.trailers for name in names):
                raise _malformed_trailer()
            if self._is_signed:
                if not self._trailer_signature:
                    raise _malformed_trailer()
                if self._chain is not None:
                    block = "".join([f"{name}:{self.trailers[name]}\n" for name in sorted(self.trailers)])
                    self._chain.trailers(sha256(block.encode("latin-1")).hexdigest(), self._trailer_signature)
        elif self._trailer_signature:
            raise _malformed_trailer()
        self._state = _DONE


def _incomplete() -> Fault:
    message = "You did not provide the number of bytes specified by the Content-Length HTTP header"
    return Fault("IncompleteBody", message, status=400)


def _malformed() -> Fault:
    return Fault("IncompleteBody", "The request body terminated unexpectedly", status=400)


def _malformed_trailer() -> Fault:
    message = "The request contained trailing data that was not well-formed or did not conform to our published schema."
    return Fault("MalformedTrailerError", message, status=400)
