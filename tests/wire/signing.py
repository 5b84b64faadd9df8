"""Requests signed by botocore, as our server would read them off the wire."""

import datetime
from collections.abc import Iterable
from typing import Any
from unittest import mock

from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from cumulo.wire.http import Headers, Request

ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
NOW = 1369353600.0  # 2013-05-24T00:00:00Z, the day of AWS's own examples
TOKEN = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQW"


def at(now: float) -> Any:
    """Let botocore sign at another time."""
    return mock.patch.object(auth, "get_current_datetime", lambda: datetime.datetime.fromtimestamp(now, datetime.UTC))


def sign(
    signer: type[Any],
    method: str,
    url: str,
    *,
    headers: dict[str, str] | None = None,
    params: dict[str, str] | None = None,
    body: bytes = b"",
    service: str = "sqs",
    region: str = "us-east-1",
    secret: str = SECRET,
    token: str | None = None,
    now: float = NOW,
    expires_s: int | None = None,
    context: dict[str, Any] | None = None,
) -> Request:
    """A request of ours, signed by one of botocore's signers and written as its HTTP client writes it."""
    request = AWSRequest(method, url, headers=headers or {}, params=params or {}, data=body)
    request.context.update(context or {})
    extra = {"expires": expires_s} if expires_s is not None else {}
    with at(now):
        signer(Credentials(ACCESS_KEY, secret, token), service, region, **extra).add_auth(request)
    return received(request)


def received(request: AWSRequest) -> Request:
    """What arrives when botocore sends this."""
    prepared = request.prepare()
    scheme, _, rest = prepared.url.partition("://")
    host, slash, target = rest.partition("/")
    host, question, query = host.partition("?")
    fields: list[tuple[bytes, bytes]] = []
    if "host" not in {name.lower() for name in prepared.headers}:
        fields.append((b"Host", host.encode()))
    for name, value in prepared.headers.items():
        raw = value if isinstance(value, bytes) else str(value).encode("latin-1")
        fields.append((name.encode(), raw))
    body = prepared.body or b""
    target = f"{slash or '/'}{target}{question}{query}"
    return Request(
        prepared.method,
        target,
        Headers(fields),
        body=body if isinstance(body, bytes) else body.encode(),
        scheme=scheme,
    )


def request(
    method: str, target: str, fields: Iterable[tuple[str, str]], body: bytes = b"", scheme: str = "https"
) -> Request:
    """A request from plain text."""
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields]
    return Request(method, target, Headers(raw), body=body, scheme=scheme)
