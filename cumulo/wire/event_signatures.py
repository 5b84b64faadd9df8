"""The signatures of an event stream that a client sends: each message signs itself and the signature before it.

Every message is wrapped in one whose headers are `:date` and `:chunk-signature`; the wrapped message is its payload.
An empty payload, signed too, ends the stream.
Source: "Event stream encoding" (Amazon Transcribe Developer Guide); the JavaScript SDK's signer (`signEvent`).
"""

import hmac
from hashlib import sha256

from cumulo.wire import signature_faults as faults
from cumulo.wire import sigv4


class EventSignatures:
    """Verifies the messages of one stream, in order.

    `secret` None means that it cannot be known (local keys): only the dates are checked then.
    """

    def __init__(self, claim: sigv4.Claim, secret: str | None) -> None:
        self._claim = claim
        self._secret = secret
        self._last = claim.signature

    def verify(self, date_ms: int, signature: bytes, payload: bytes, now: float) -> None:
        """Check the next message: its `:date` (milliseconds), its `:chunk-signature` and its payload.

        `now` is in seconds. Raises SignatureDoesNotMatch.
        """
        claim = self._claim
        signed_at = date_ms / 1000
        if not 0 <= signed_at < 32_503_680_000:
            raise faults.mismatch()
        stamp = faults.iso(signed_at)
        if now - signed_at > sigv4.ALLOWED_SKEW_S:
            raise faults.expired(stamp, now, sigv4.ALLOWED_SKEW_S)
        if signed_at - now > sigv4.ALLOWED_SKEW_S:
            raise faults.not_yet_current(stamp, now, sigv4.ALLOWED_SKEW_S)
        if self._secret is None:
            return
        expected = sign_event(self._secret, claim.region, claim.service, date_ms, self._last, payload)
        if not hmac.compare_digest(expected, signature):
            raise faults.mismatch()
        self._last = expected.hex()


def sign_event(secret: str, region: str, service: str, date_ms: int, last: str, payload: bytes) -> bytes:
    """The signature of one message, after the one whose signature (hex) was `last`."""
    stamp = faults.iso(date_ms / 1000)
    date_header = b"\x05:date\x08" + date_ms.to_bytes(8, "big")
    string_to_sign = (
        f"{sigv4.ALGORITHM}-PAYLOAD\n{stamp}\n{stamp[:8]}/{region}/{service}/aws4_request\n{last}\n"
        f"{sha256(date_header).hexdigest()}\n{sha256(payload).hexdigest()}"
    )
    key = sigv4.signing_key(secret, stamp[:8], region, service)
    return hmac.digest(key, string_to_sign.encode(), "sha256")
