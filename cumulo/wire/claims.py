"""Who says they sent a request, and what they signed: what the readers of signatures give."""

import msgspec

from cumulo.wire import sigv4a

ALGORITHM = "AWS4-HMAC-SHA256"
S3_SIGNING_NAMES = frozenset({"s3", "s3-outposts", "s3-object-lambda", "s3express"})


class Claim(msgspec.Struct, gc=False):
    """Who says they sent a request, and what they signed.

    `date`, `region` and `service` are the credential scope's; `amz_date` is the request's own date in basic format and
    `timestamp` the same in seconds. `signed_headers` are lower-case names in the order of the request. `payload_hash`
    is what the client said of the body ("" when it said nothing). `expires_s` is a presigned URL's life. SigV4A's scope
    has no region: `region_set` says for which ones it holds ("us-east-1,eu-*").
    """

    access_key_id: str
    date: str
    region: str
    service: str
    terminator: str
    signed_headers: tuple[str, ...]
    signature: str
    session_token: str
    amz_date: str
    timestamp: float
    expires_s: int | None
    presigned: bool
    payload_hash: str
    algorithm: str = ALGORITHM
    region_set: str = ""

    @property
    def scope(self) -> str:
        """The credential scope: 20130524/us-east-1/s3/aws4_request; of SigV4A 20130524/s3/aws4_request."""
        if self.region_set:
            return f"{self.date}/{self.service}/{self.terminator}"
        return f"{self.date}/{self.region}/{self.service}/{self.terminator}"

    def holds_in(self, region: str) -> bool:
        """Whether it was signed for this region."""
        return sigv4a.covers(self.region_set, region) if self.region_set else self.region == region

    @property
    def s3(self) -> bool:
        """Whether S3's rules and words hold."""
        return self.service in S3_SIGNING_NAMES

    @property
    def streaming(self) -> bool:
        """Whether the body is aws-chunked or signed event by event, so that each piece carries its own proof."""
        return self.payload_hash.startswith("STREAMING-")
