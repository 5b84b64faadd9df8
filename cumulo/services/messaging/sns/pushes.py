"""Pushes to devices: written into the data directory's `push` folder instead of going to Apple, Google and others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import task
from cumulo.services.messaging.sns import captures, deliveries, messages, platform_endpoints, sealing
from cumulo.services.messaging.sns.errors import APPLICATION_DISABLED, ENDPOINT_DISABLED, INVALID_PARAMETER
from cumulo.services.messaging.sns.topic_attributes import DEFAULT_MESSAGE_BYTES

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.messaging.sns.messages import Message
    from cumulo.services.messaging.sns.platform_endpoints import PlatformEndpoint


def publish(ctx: Context, request: dict[str, Any], arn: str) -> dict[str, Any]:
    """Publish to one device: a disabled one, or one of a disabled application, is an error."""
    ctx.authorize("*")
    endpoint = platform_endpoints.peek(ctx, arn, "TargetArn")
    if endpoint is None:
        raise INVALID_PARAMETER(what="TargetArn Reason: No endpoint found for the target arn specified")
    message, size = messages.read(ctx, request, None)
    if size > DEFAULT_MESSAGE_BYTES:
        raise INVALID_PARAMETER(what="Message too long")
    application = platform_endpoints.application_of(ctx, endpoint)
    if application is None or not application.enabled:
        raise APPLICATION_DISABLED()
    if not endpoint.enabled:
        raise ENDPOINT_DISABLED()
    ctx.later(push, _entry(ctx, endpoint, message))
    return {"MessageId": message["id"]}


def _entry(ctx: Context, endpoint: PlatformEndpoint, message: Message) -> dict[str, Any]:
    """What is kept of a push."""
    return {
        "time": message["timestamp"],
        "account": ctx.account,
        "region": ctx.region,
        "platform": endpoint.platform,
        "endpoint": endpoint.arn,
        "token": endpoint.token,
        "message": messages.text_for(message, endpoint.platform, "application"),
        "attributes": message.get("attributes") or {},
        "message_id": message["id"],
    }


@task
async def push(ctx: Context, payload: dict[str, Any]) -> None:
    """Write a push where a person can read it."""
    path = await captures.line(ctx, "push", payload)
    ctx.logger.info("push to %s (%s)", payload["endpoint"], path)


@task
async def deliver_to_device(ctx: Context, payload: dict[str, Any]) -> None:
    """A topic's message to an `application` subscription; a device that is gone or disabled is a failed delivery."""

    def prepare(ctx: Context) -> dict[str, Any] | None:
        subscription = deliveries.to_send(ctx, payload)
        if subscription is None:
            return None
        message = sealing.opened(ctx, payload["message"])
        endpoint = platform_endpoints.peek(ctx, subscription.endpoint)
        application = platform_endpoints.application_of(ctx, endpoint) if endpoint is not None else None
        if endpoint is None or application is None or not application.enabled or not endpoint.enabled:
            deliveries.dead_letter(ctx, subscription, message, "the endpoint is disabled or gone")
            return None
        return _entry(ctx, endpoint, message)

    entry = await ctx.transact(prepare)
    if entry is not None:
        await push(ctx, entry)
