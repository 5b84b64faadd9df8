"""A request to a function URL as the event that its function gets: payload format 2.0.

Sources: Lambda Developer Guide, "Invoking Lambda function URLs"; an event of AWS's in the documentation of Powertools
for Lambda. No AWS resources in here: values to values.
"""

from __future__ import annotations

import base64
import datetime
from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

# What comes as text; everything else, forms among them, in base64.
_TEXTS = ("text/", "application/json", "application/javascript", "application/xml")
_TEXT_ENDS = ("+json", "+xml")


class Caller(NamedTuple):
    """Who signed a request to a URL with AuthType AWS_IAM."""

    access_key: str
    account: str
    user_id: str
    arn: str


class UrlRequest(NamedTuple):
    """A request. `path` and `query` are raw, `headers` have lower-case names."""

    method: str
    path: str
    query: str
    headers: Iterable[tuple[str, str]]
    body: bytes
    source_ip: str
    protocol: str = "HTTP/1.1"


class UrlContext(NamedTuple):
    """What Lambda adds: `now` is cloud time in seconds."""

    url_id: str
    domain: str
    scheme: str
    port: str
    request_id: str
    trace_id: str
    now: float
    account: str
    caller: Caller | None = None


def event(request: UrlRequest, context: UrlContext) -> dict[str, Any]:
    """The event."""
    headers = dict(request.headers)
    cookie = headers.pop("cookie", "")
    headers["x-amzn-trace-id"] = context.trace_id
    headers["x-forwarded-for"] = request.source_ip
    headers["x-forwarded-port"] = context.port
    headers["x-forwarded-proto"] = context.scheme
    found: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": request.path,
        "rawQueryString": request.query,
    }
    if cookie:
        found["cookies"] = [part.strip() for part in cookie.replace(",", ";").split(";") if part.strip()]
    found["headers"] = headers
    if request.query:
        found["queryStringParameters"] = parameters(request.query)
    found["requestContext"] = _request_context(request, context, headers.get("user-agent"))
    if request.body:
        found["body"], found["isBase64Encoded"] = body(request.body, headers.get("content-type", ""))
    else:
        found["isBase64Encoded"] = False
    return found


def _request_context(request: UrlRequest, context: UrlContext, agent: str | None) -> dict[str, Any]:
    moment = datetime.datetime.fromtimestamp(context.now, datetime.UTC)
    found: dict[str, Any] = {
        "accountId": context.account if context.caller is not None else "anonymous",
        "apiId": context.url_id,
        "domainName": context.domain,
        "domainPrefix": context.url_id,
        "http": {
            "method": request.method,
            "path": request.path,
            "protocol": request.protocol,
            "sourceIp": request.source_ip,
            "userAgent": agent,
        },
        "requestId": context.request_id,
        "routeKey": "$default",
        "stage": "$default",
        "time": moment.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "timeEpoch": int(context.now * 1000),
    }
    caller = context.caller
    if caller is not None:
        found["authentication"] = None
        iam = {
            "accessKey": caller.access_key,
            "accountId": caller.account,
            "callerId": caller.user_id,
            "cognitoIdentity": None,
            "principalOrgId": None,
            "userArn": caller.arn,
            "userId": caller.user_id,
        }
        found["authorizer"] = {"iam": iam}
    return found


def parameters(query: str) -> dict[str, str]:
    """The parameters of a query; the values of a repeated one are joined with commas."""
    found: dict[str, str] = {}
    for pair in query.split("&"):
        if not pair:
            continue
        name, _, value = pair.partition("=")
        name, value = unquote_plus(name), unquote_plus(value)
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


def body(data: bytes, content_type: str) -> tuple[str, bool]:
    """The body as text, and whether that is base64."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind.startswith(_TEXTS) or kind.endswith(_TEXT_ENDS):
        try:
            return data.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(data).decode(), True
