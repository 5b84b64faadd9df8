"""What functions of Object Lambda access points are told: the request, who made it, and a URL to the object itself.

Sources: S3 User Guide, "Event context format and usage", "Writing Lambda functions for S3 Object Lambda Access Points".
The URL leads to the supporting access point by its alias, at an address that every function can reach. AWS signs
x-amz-checksum-mode, which today's SDKs send, in the URL for GetObject, so that functions must send it too; here it is
left out, so that those which know nothing of it work.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from cumulo.core.callers import credentials, presigned_urls
from cumulo.core.policy.principals import PrincipalKind

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.policy.principals import Principal
    from cumulo.core.s3.access import AccessPoint
    from cumulo.core.s3.object_lambda import ObjectLambdaAccessPoint, Transformation

PROTOCOL = "1.00"
URL_LASTS_S = 61
KEY_LASTS_S = 900  # of cloud time, in which the key of the URL ends; the URL itself ends by the real time
_TYPES = {
    PrincipalKind.ROOT: "Root",
    PrincipalKind.USER: "IAMUser",
    PrincipalKind.ROLE: "AssumedRole",
    PrincipalKind.FEDERATED: "FederatedUser",
    PrincipalKind.SERVICE: "AWSService",
    PrincipalKind.WEB_IDENTITY: "WebIdentityUser",
    PrincipalKind.SAML: "SAMLUser",
}
_OF_SIGNATURE = frozenset(("authorization", "x-amz-date", "x-amz-security-token", "x-amz-s3session-token"))
_OF_VERSION_2 = frozenset(("AWSAccessKeyId", "Signature", "Expires", "x-amz-security-token"))
_SIGNED = {"RequestPayer": "x-amz-request-payer", "ExpectedBucketOwner": "x-amz-expected-bucket-owner"}


def of_request(
    ctx: Context,
    lens: ObjectLambdaAccessPoint,
    point: AccessPoint,
    transformation: Transformation,
    via: str,
) -> tuple[dict[str, Any], str]:
    """The event but for its context, and the URL to what was asked for; inside a transaction.

    Whoever uses the URL acts as the caller, called by way of `via`.
    """
    held = credentials.issue_alike(ctx, KEY_LASTS_S, called_via=[*ctx.called_via, via])
    request = ctx.request
    sent = _parameters(ctx)
    query = sent
    path = f"/{point.alias}"
    if "Key" in request:
        path += f"/{request['Key']}"
        query = [("versionId", request["VersionId"])] if "VersionId" in request else []
    url = presigned_urls.of_s3(
        ctx,
        held,
        ctx.handler.model.http_method if ctx.handler is not None else "GET",
        path,
        query=query,
        headers={header: request[member] for member, header in _SIGNED.items() if member in request},
        lasts_s=URL_LASTS_S,
    )
    event = {
        "xAmzRequestId": ctx.request_id,
        "configuration": {
            "accessPointArn": lens.arn,
            "supportingAccessPointArn": point.arn,
            "payload": transformation.payload or "",
        },
        "userRequest": {"url": _url(ctx, sent), "headers": _headers(ctx)},
        "userIdentity": identity(ctx.principal),
        "protocolVersion": PROTOCOL,
    }
    return event, url


def _parameters(ctx: Context) -> list[tuple[str, str]]:
    """The query of the request without what signs it; of a call that came from a service, as it would be sent."""
    if ctx.target:
        pairs = parse_qsl(ctx.target.partition("?")[2], keep_blank_values=True)
        return [(name, value) for name, value in pairs if not name.startswith("X-Amz-") and name not in _OF_VERSION_2]
    model = ctx.handler.model if ctx.handler is not None else None
    shape = model.input if model is not None else None
    if model is None or shape is None:
        return []
    fixed = parse_qsl(model.http_uri.partition("?")[2])
    bound = [member for member in shape.members.values() if member.location == "querystring"]
    return fixed + [(each.wire_name, str(ctx.request[each.name])) for each in bound if each.name in ctx.request]


def _url(ctx: Context, parameters: list[tuple[str, str]]) -> str:
    """The URL of the request, decoded."""
    path = unquote(ctx.target.partition("?")[0]) or f"/{ctx.request.get('Key', '')}"
    query = "&".join([f"{name}={value}" if value else name for name, value in parameters])
    return f"{ctx.endpoint}{path}{'?' if query else ''}{query}"


def _headers(ctx: Context) -> dict[str, str]:
    """The header fields as they were written, those with one name joined, without what signs the request."""
    found: dict[str, str] = {}
    for raw_name, raw_value in ctx.headers.raw if ctx.headers is not None else ():
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1").strip(" \t")
        if name.lower() not in _OF_SIGNATURE:
            found[name] = f"{found[name]},{value}" if name in found else value
    return found


def identity(who: Principal) -> dict[str, Any]:
    """The caller, as CloudTrail shows it."""
    shown: dict[str, Any] = {
        "type": _TYPES.get(who.kind, "Unknown"),
        "principalId": who.user_id or who.account,
        "arn": who.arn,
        "accountId": who.account,
        "accessKeyId": who.access_key_id,
    }
    if who.kind is PrincipalKind.SERVICE:
        return {"type": shown["type"], "invokedBy": who.name}
    if who.kind is PrincipalKind.USER:
        shown["userName"] = who.name
    if who.token_issued_at is None:
        return shown
    attributes = {
        "mfaAuthenticated": "true" if who.mfa_at is not None else "false",
        "creationDate": time.strftime("%a %b %d %H:%M:%S UTC %Y", time.gmtime(who.token_issued_at)),
    }
    session: dict[str, Any] = {"attributes": attributes}
    if who.entity_arn:
        session["sessionIssuer"] = {
            "type": "Role" if who.kind is PrincipalKind.ROLE else "IAMUser",
            "principalId": who.user_id.partition(":")[0],
            "arn": who.entity_arn,
            "accountId": who.account,
            "userName": who.entity_arn.rpartition("/")[2],
        }
    shown["sessionContext"] = session
    return shown
