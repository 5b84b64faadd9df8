"""Platform endpoints: devices registered with a platform application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core import paging
from cumulo.core.errors import Fault
from cumulo.core.operation import operation, task
from cumulo.core.table import REGION, Record, Table
from cumulo.services.messaging.sns import arns, platform_applications
from cumulo.services.messaging.sns.errors import INVALID_PARAMETER, NOT_FOUND_ENDPOINT
from cumulo.services.messaging.sns.platform_applications import APPLICATIONS, PlatformApplication

if TYPE_CHECKING:
    from cumulo.core.context import Context

PAGE = 100
MAX_USER_DATA_BYTES = 2048
_BATCH = 200
_BAIDU = ("ChannelId", "UserId")


class PlatformEndpoint(Record):
    """A device. `attributes` are CustomUserData, Enabled and Token, as they are shown."""

    platform: str
    application: str
    id: str
    arn: str
    token: str
    attributes: dict[str, str]

    @property
    def enabled(self) -> bool:
        """Whether anything is sent to it."""
        return self.attributes["Enabled"] == "true"


ENDPOINTS = Table(
    PlatformEndpoint,
    name="sns.platform_endpoints",
    key=("platform", "application", "id"),
    scope=REGION,
    missing=NOT_FOUND_ENDPOINT,
    indexes={"by_token": ("platform", "application", "token")},
)


def peek(ctx: Context, arn: str, parameter: str = "EndpointArn") -> PlatformEndpoint | None:
    """The account's endpoint with this ARN, if it is there."""
    account, platform, application, endpoint_id = arns.endpoint(ctx, arn, parameter)
    return ENDPOINTS.peek(ctx, platform, application, endpoint_id) if account == ctx.account else None


def find(ctx: Context, arn: str) -> PlatformEndpoint:
    """The account's endpoint with this ARN."""
    found = peek(ctx, arn)
    if found is None:
        raise NOT_FOUND_ENDPOINT()
    return found


def application_of(ctx: Context, endpoint: PlatformEndpoint) -> PlatformApplication | None:
    """The application that an endpoint belongs to."""
    return APPLICATIONS.peek(ctx, endpoint.platform, endpoint.application)


def _checked(given: dict[str, str], platform: str) -> dict[str, str]:
    out: dict[str, str] = {}
    for name, value in given.items():
        if name not in ("CustomUserData", "Enabled", "Token") and not (platform == "BAIDU" and name in _BAIDU):
            raise INVALID_PARAMETER(what=f"Attributes Reason: Invalid attribute name: {name}")
        if name == "CustomUserData" and len(value.encode()) > MAX_USER_DATA_BYTES:
            limit = f"must be at most {MAX_USER_DATA_BYTES} bytes long in UTF-8 encoding"
            raise INVALID_PARAMETER(what=f"Attributes Reason: Invalid value for attribute: {name}: {limit}")
        if name == "Enabled":
            if value.lower() not in ("true", "false"):
                reason = f"Invalid value for attribute: {name}: must be true or false"
                raise INVALID_PARAMETER(what=f"Attributes Reason: {reason}")
            value = value.lower()
        out[name] = value
    return out


@operation
def create_platform_endpoint(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Register a device; the same token with the same attributes is the same endpoint."""
    application = platform_applications.find(ctx, request["PlatformApplicationArn"])
    token = request["Token"]
    if not token:
        raise INVALID_PARAMETER(what="Token Reason: cannot be empty")
    given = dict(request.get("Attributes") or {})
    if "CustomUserData" in request:
        given["CustomUserData"] = request["CustomUserData"]
    attributes = {"Enabled": "true", **_checked(given, application.platform), "Token": token}
    found = ENDPOINTS.range(ctx, application.platform, application.name, token, index="by_token")
    if found:
        if found[0].attributes != attributes:
            what = f"Endpoint {found[0].arn} already exists with the same Token, but different attributes."
            raise INVALID_PARAMETER(what=f"Token Reason: {what}")
        return {"EndpointArn": found[0].arn}
    endpoint_id = ctx.uuid()
    arn = f"{application.arn.replace(':app/', ':endpoint/', 1)}/{endpoint_id}"
    endpoint = PlatformEndpoint(application.platform, application.name, endpoint_id, arn, token, attributes)
    ENDPOINTS.put(ctx, endpoint)
    announce(ctx, application, "EndpointCreated", endpoint)
    return {"EndpointArn": arn}


@operation
def get_endpoint_attributes(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """A device's attributes."""
    return {"Attributes": find(ctx, request["EndpointArn"]).attributes}


@operation
def set_endpoint_attributes(ctx: Context, request: dict[str, Any]) -> None:
    """Change some of a device's attributes."""
    endpoint = find(ctx, request["EndpointArn"])
    endpoint.attributes = {**endpoint.attributes, **_checked(request["Attributes"], endpoint.platform)}
    endpoint.token = endpoint.attributes["Token"]
    ENDPOINTS.put(ctx, endpoint)
    application = application_of(ctx, endpoint)
    if application is not None:
        announce(ctx, application, "EndpointUpdated", endpoint)


@operation
def delete_endpoint(ctx: Context, request: dict[str, Any]) -> None:
    """Forget a device; forgetting one that is not there is no error. Its subscriptions stay."""
    endpoint = peek(ctx, request["EndpointArn"])
    if endpoint is None:
        return
    ENDPOINTS.delete(ctx, endpoint)
    application = application_of(ctx, endpoint)
    if application is not None:
        announce(ctx, application, "EndpointDeleted", endpoint)


@operation
def list_endpoints_by_platform_application(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """An application's devices, a hundred a page."""
    application = platform_applications.find(ctx, request["PlatformApplicationArn"])
    found, token = paging.page(
        ctx,
        lambda after, limit: ENDPOINTS.range(ctx, application.platform, application.name, after=after, limit=limit),
        lambda each: (each.platform, each.application, each.id),
        token=request.get("NextToken"),
        limit=PAGE,
        error=INVALID_PARAMETER(what="NextToken"),
    )
    listed = [{"EndpointArn": each.arn, "Attributes": each.attributes} for each in found]
    answer: dict[str, Any] = {"Endpoints": listed}
    if token:
        answer["NextToken"] = token
    return answer


@operation
def delete_platform_application(ctx: Context, request: dict[str, Any]) -> None:
    """Delete an application with its devices; deleting one that is not there is no error."""
    account, platform, name = arns.application(ctx, request["PlatformApplicationArn"])
    application = APPLICATIONS.peek(ctx, platform, name) if account == ctx.account else None
    if application is None:
        return
    APPLICATIONS.delete(ctx, application)
    remove_endpoints(ctx, {"platform": platform, "application": name})


@task
def remove_endpoints(ctx: Context, payload: dict[str, Any]) -> None:
    """Drop the devices of a deleted application, a batch at a time."""
    found = ENDPOINTS.range(ctx, payload["platform"], payload["application"], limit=_BATCH)
    for each in found:
        ENDPOINTS.delete(ctx, each)
    if len(found) == _BATCH:
        ctx.later(remove_endpoints, payload)


def announce(ctx: Context, application: PlatformApplication, event: str, endpoint: PlatformEndpoint) -> None:
    """Tell the topic that the application names for such events, if it names one."""
    topic = application.attributes.get(f"Event{event}")
    if topic:
        text = {"Resource": application.arn, "Type": event, "EndpointArn": endpoint.arn, "Service": "SNS"}
        payload = {"topic": topic, "application": application.arn, "text": msgspec.json.encode(text).decode()}
        ctx.later(publish_event, payload)


@task
def publish_event(ctx: Context, payload: dict[str, Any]) -> None:
    """Publish what happened to a device."""
    request = {"TopicArn": payload["topic"], "Message": payload["text"]}
    try:
        ctx.call("sns", "Publish", request, service="sns", source_arn=payload["application"])
    except Fault as fault:
        ctx.logger.warning("an event of %s was not published: %s", payload["application"], fault)
