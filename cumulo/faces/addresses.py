"""Which bucket, and what of it, or whose URL, a request without an operation of the API is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cumulo.wire import hosts, models
from cumulo.wire.protocols import protocol
from cumulo.wire.routing import DEFAULT_REGION, scope_of

if TYPE_CHECKING:
    from cumulo.wire.faults import Fault
    from cumulo.wire.http import Request
    from cumulo.wire.protocols.failures import Response

WEBSITE = "s3-website"
FUNCTION_URL = ".lambda-url."
LOG_INGESTION = frozenset(("/v1/logs", "/services/collector/event", "/ingest/bulk", "/ingest/json"))


def is_function_url(request: Request) -> bool:
    """Whether a request is for the URL of a function; asked of every request."""
    return FUNCTION_URL in request.headers.get("host")


def is_log_ingestion(request: Request) -> bool:
    """Whether a request is for one of CloudWatch Logs' HTTP endpoints; asked of every request."""
    if request.path not in LOG_INGESTION or request.method != "POST":
        return False
    headers = request.headers
    authorization = headers.get("authorization")
    return (
        authorization[:7].lower() == "bearer "
        or "/logs/aws4_request" in authorization
        or "x-aws-log-group" in headers
        or hosts.read(headers.get("host")).labels == ("logs",)
    )


class Address(NamedTuple):
    """A bucket, the raw path within it without its slash, and the region that the host names.

    `sure`: the host or the signature says that it is S3; else another service may be meant.
    """

    bucket: str
    path: str
    region: str
    sure: bool

    @property
    def resource_type(self) -> str:
        """How S3's errors call what is addressed."""
        return "OBJECT" if self.path else "BUCKET"


def read(request: Request) -> Address | None:
    """The bucket that a request addresses, by its host or its path; None when it addresses none, or another service."""
    host = hosts.read(request.host)
    labels = host.labels
    region = host.region or DEFAULT_REGION
    bucket = hosts.bucket_of(request.host)
    if bucket:
        return Address(bucket, request.path[1:], region, True)
    if labels and "s3" not in labels:
        return None
    scope = scope_of(request)
    if scope is not None and not scope.service.startswith("s3"):
        return None
    bucket, _, path = request.path[1:].partition("/")
    return Address(bucket, path, region, "s3" in labels or scope is not None) if bucket else None


def website(request: Request) -> Address | None:
    """The bucket whose website a request is for: BUCKET.s3-website-REGION.… or BUCKET.s3-website.REGION.…"""
    host = hosts.read(request.host)
    for at, label in enumerate(host.labels):
        if label.startswith(WEBSITE) and at:
            region = label[len(WEBSITE) + 1 :] or host.region or DEFAULT_REGION
            return Address(".".join(host.labels[:at]), request.path[1:], region, True)
    return None


def refusal(request: Request, fault: Fault, request_id: str) -> Response:
    """S3's answer to what no operation has refused."""
    status, headers, body = protocol("rest-xml").fail(models.load("s3"), None, fault, request_id)
    return status, headers, b"" if request.method == "HEAD" else body
