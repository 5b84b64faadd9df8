"""Header fields that travel in the query string of a presigned URL."""

from cumulo.wire import sigv2
from cumulo.wire.http import Headers, Request

_OF_SIGNATURE = frozenset(
    ("x-amz-algorithm", "x-amz-content-sha256", "x-amz-credential", "x-amz-date", "x-amz-expires",
     "x-amz-security-token", "x-amz-signature", "x-amz-signedheaders")
)  # fmt: skip
_CHECKSUM = "x-amz-checksum-"
_ABOUT_CHECKSUMS = ("mode", "algorithm", "type")


def restored(request: Request) -> Request:
    """A presigned request of S3 whose x-amz- parameters stand for header fields, as those fields.

    Source: S3 API Reference, "Authenticating requests: using query parameters" (headers that were signed may travel
    in the query string); seen in AWS's answers to x-amz-meta- parameters.
    """
    if "X-Amz-Signature=" not in request.query and "Signature=" not in request.query:
        return request
    found = [(n.encode(), v.encode("latin-1")) for n, v in sigv2.query_headers(request.query) if _is_obeyed(n)]
    return Request(
        request.method, request.target, Headers([*request.headers.raw, *found]), body=request.body,
        scheme=request.scheme, peer=request.peer, http_version=request.http_version,
    )  # fmt: skip


def _is_obeyed(name: str) -> bool:
    """Checksums are not: who signs has no body yet, and the SDK for JavaScript puts that of an empty one there.

    AWS takes any body then and keeps its own checksum only, as for one that was not sent (seen in AWS's answers: issue
    2610 of aws-sdk-go-v2, issue 480 of aws/aws-sdk).
    """
    if name.startswith(_CHECKSUM):
        return name.removeprefix(_CHECKSUM) in _ABOUT_CHECKSUMS
    return name not in _OF_SIGNATURE and name != "x-amz-sdk-checksum-algorithm"
