"""Who says they sent a request, and what they signed: what the readers of signatures give."""

from typing import Final

from cumulo.wire import sigv4a

ALGORITHM: Final = "AWS4-HMAC-SHA256"
S3_SIGNING_NAMES: Final = frozenset(("s3", "s3-outposts", "s3-object-lambda", "s3express"))


class Head:
    """What an Authorization header says beside the signature: a day's requests of a client mostly say the same."""

    __slots__ = ("access_key_id", "date", "region", "service", "signed_headers", "signed_names", "terminator")

    def __init__(self, credential: tuple[str, str, str, str, str], signed_headers: tuple[str, ...]) -> None:
        self.access_key_id, self.date, self.region, self.service, self.terminator = credential
        self.signed_headers = signed_headers
        self.signed_names = frozenset(signed_headers)


class Claim:
    """Who says they sent a request, and what they signed.

    `date`, `region` and `service` are the credential scope's; `amz_date` is the request's own date in basic format and
    `timestamp` the same in seconds. `signed_headers` are lower-case names in the order of the request. `payload_hash`
    is what the client said of the body ("" when it said nothing). `expires_s` is a presigned URL's life. SigV4A's scope
    has no region: `region_set` says for which ones it holds ("us-east-1,eu-*").
    """

    __slots__ = (
        "access_key_id", "algorithm", "amz_date", "date", "expires_s", "payload_hash", "presigned", "region",
        "region_set", "s3", "service", "session_token", "signature", "signed_headers", "signed_names", "terminator",
        "timestamp",
    )  # fmt: skip

    def __init__(
        self,
        access_key_id: str,
        date: str,
        region: str,
        service: str,
        terminator: str,
        signed_headers: tuple[str, ...],
        signature: str,
        session_token: str,
        amz_date: str,
        timestamp: float,
        expires_s: int | None,
        presigned: bool,
        payload_hash: str,
        algorithm: str = ALGORITHM,
        region_set: str = "",
        signed_names: frozenset[str] | None = None,
    ) -> None:
        self.access_key_id = access_key_id
        self.date = date
        self.region = region
        self.service = service
        self.terminator = terminator
        self.signed_headers = signed_headers
        self.signed_names = frozenset(signed_headers) if signed_names is None else signed_names
        self.signature = signature
        self.session_token = session_token
        self.amz_date = amz_date
        self.timestamp = timestamp
        self.expires_s = expires_s
        self.presigned = presigned
        self.payload_hash = payload_hash
        self.algorithm = algorithm
        self.region_set = region_set
        self.s3 = service in S3_SIGNING_NAMES  # whether S3's rules and words hold

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
    def streaming(self) -> bool:
        """Whether the body is aws-chunked or signed event by event, so that each piece carries its own proof."""
        return self.payload_hash.startswith("STREAMING-")
