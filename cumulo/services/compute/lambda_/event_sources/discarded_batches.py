"""Telling an on-failure destination of changes that were given up, with the rights of the function's role."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.arns import Arn
from cumulo.core.callers import role_sessions
from cumulo.core.errors import Fault
from cumulo.services.compute.lambda_.event_sources import stream_events
from cumulo.services.compute.lambda_.permissions.role_access import queue_url

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.compute.lambda_.event_sources.source_calls import SourceCalls
    from cumulo.services.compute.lambda_.event_sources.stream_events import Discarded


def send(ctx: Context, calls: SourceCalls, discarded: Discarded) -> None:
    """Tell a queue or a topic, in the transaction in which the changes are over. A refusal is logged."""
    arn_text = calls.mapping.destination_arn or ""
    arn = Arn.parse(arn_text)
    body = stream_events.document(discarded, ctx.now()).decode()
    operation, request = "Publish", {"TopicArn": arn_text, "Message": body}
    if arn.service == "sqs":
        operation = "SendMessage"
        request = {"QueueUrl": queue_url(ctx.endpoint, arn), "MessageBody": body}
    try:
        acting = role_sessions.context(ctx, calls.role(ctx), "lambda", "Invoke")
        try:
            acting.call(arn.service, operation, request, region=arn.region)
        finally:
            acting.enter(None)
    except Fault as fault:
        lost(ctx.logger, arn_text, fault)


async def put_object(calls: SourceCalls, discarded: Discarded) -> None:
    """Keep the changes in a bucket, before they are over: twice rather than not at all."""
    runtime, mapping = calls.runtime, calls.mapping
    now = runtime.clock.now()
    request = {
        "Bucket": Arn.parse(mapping.destination_arn or "").resource,
        "Key": stream_events.object_key(mapping.uuid, discarded.shard, now, runtime.ids.uuid()),
        "Body": stream_events.document(discarded, now, payload=True),
        "ContentType": "application/json",
    }
    try:
        await calls.source("s3", "PutObject", request)
    except Fault as fault:
        lost(runtime.logger("lambda"), mapping.destination_arn or "", fault)


def lost(logger: Any, arn: str, fault: Fault) -> None:
    """A destination that could not be told."""
    logger.warning("%s could not be told of discarded records: %s", arn, fault)
