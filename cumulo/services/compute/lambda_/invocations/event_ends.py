"""How an event ends: the record for its destinations, and the dead letter.

All of it is sent with the rights of the function's role. Sources: Lambda Developer Guide, "Capturing records of Lambda
asynchronous invocations" and "Adding a dead-letter queue"; the form of both was observed in AWS's answers.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.arns import Arn
from cumulo.core.callers import role_sessions
from cumulo.core.errors import Fault
from cumulo.services.compute.lambda_.permissions.role_access import queue_url
from cumulo.services.compute.lambda_.running import invocation_metrics
from cumulo.services.compute.lambda_.stored.versions import LATEST

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.engines.environments.builds import Outcome
    from cumulo.services.compute.lambda_.invocations.event_invoke_configs import EventInvokeConfig
    from cumulo.services.compute.lambda_.invocations.event_queue import Event
    from cumulo.services.compute.lambda_.stored.qualifiers import Target

LONGEST_MESSAGE = 1024  # characters of a dead letter's ErrorMessage
MOST_BYTES = {"sns": 262_144, "sqs": 1_048_576, "lambda": 1_048_576}


class End(msgspec.Struct):
    """Why an event is over ("Success", "RetriesExhausted", "EventAgeExceeded"), and the last outcome, if it ran."""

    condition: str
    event: Event
    outcome: Outcome | None = None
    executed: str = ""

    @property
    def failed(self) -> bool:
        """Whether the function has not done it."""
        return self.condition != "Success"


def record(ctx: Context, target: Target, end: End, *, bare: bool = False) -> bytes:
    """The document that destinations get; `bare` without what was asked and answered."""
    event, outcome = end.event, end.outcome
    arn = event.arn if event.arn.count(":") > 6 else f"{event.arn}:{LATEST}"
    document: dict[str, Any] = {
        "version": "1.0",
        "timestamp": _timestamp(ctx.now()),
        "requestContext": {
            "requestId": event.id,
            "functionArn": arn,
            "condition": end.condition,
            "approximateInvokeCount": event.attempts + (0 if end.failed else 1),
        },
    }
    if not bare:
        document["requestPayload"] = msgspec.Raw(event.payload)
    if outcome is not None:
        document["responseContext"] = {"statusCode": 200, "executedVersion": target.version.version}
        if outcome.error:
            document["responseContext"]["functionError"] = outcome.error
        if not bare:
            document["responsePayload"] = _json(outcome.payload)
    return msgspec.json.encode(document)


def _json(payload: bytes) -> Any:
    try:
        return msgspec.json.decode(payload, type=msgspec.Raw)
    except msgspec.DecodeError:
        return payload.decode("utf-8", "replace")


def _timestamp(now: float) -> str:
    return datetime.datetime.fromtimestamp(now, datetime.UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def destination_of(config: EventInvokeConfig | None, end: End) -> str:
    """The ARN of whoever wants to know of this end, "" for nobody."""
    if config is None:
        return ""
    return config.on_failure if end.failed else config.on_success


def deliver(ctx: Context, target: Target, config: EventInvokeConfig | None, end: End) -> None:
    """Tell the destination and the dead letter queue, within the transaction in which the event ends."""
    arn = destination_of(config, end)
    if arn and Arn.parse(arn).service != "s3":
        _attempt(ctx, target, arn, end, lambda acting: _record_request(acting, target, end, arn))
    dead_letters = target.version.dead_letter_arn
    if dead_letters and end.failed:
        _attempt(ctx, target, dead_letters, end, lambda acting: _letter_request(end.event, dead_letters, ctx.endpoint))


def _attempt(ctx: Context, target: Target, arn: str, end: End, make: Any) -> None:
    """One delivery by the function's role. What cannot be delivered is lost, as on AWS, but for a line in the log."""
    function = target.function
    to = Arn.parse(arn)
    try:
        principal = role_sessions.assume(ctx, target.version.role, "lambda", function.name)
        acting = role_sessions.context(ctx, principal, "lambda", "Invoke", trace_header=end.event.trace_id)
        operation, request = make(acting)
        try:
            acting.call(to.service, operation, request, region=to.region)
        finally:
            acting.enter(None)
    except Fault as fault:
        lost(ctx, target, arn, fault)


def lost(ctx: Context, target: Target, arn: str, fault: Fault) -> None:
    """A delivery that failed."""
    metric = "DeadLetterErrors" if arn == target.version.dead_letter_arn else "DestinationDeliveryFailures"
    invocation_metrics.of(ctx.runtime).add(invocation_metrics.source_of(target), metric)
    ctx.logger.warning("%s could not tell %s of an event: %s", target.function.name, arn, fault)


def _record_request(acting: Context, target: Target, end: End, arn: str) -> tuple[str, dict[str, Any]]:
    service = Arn.parse(arn).service
    document = record(acting, target, end)
    if len(document) > MOST_BYTES.get(service, len(document)):
        document = record(acting, target, end, bare=True)
    if service == "lambda":
        return "Invoke", {"FunctionName": arn, "InvocationType": "Event", "Payload": document}
    return _message(arn, document.decode(), {}, acting.endpoint)


def _letter_request(event: Event, arn: str, endpoint: str) -> tuple[str, dict[str, Any]]:
    """The event itself, and why it is dead in its attributes."""
    attributes = {
        "RequestID": {"DataType": "String", "StringValue": event.id},
        "ErrorCode": {"DataType": "Number", "StringValue": event.code or "200"},
    }
    if event.message:
        attributes["ErrorMessage"] = {"DataType": "String", "StringValue": event.message[:LONGEST_MESSAGE]}
    return _message(arn, event.payload.decode("utf-8", "replace"), attributes, endpoint)


def _message(arn: str, body: str, attributes: dict[str, Any], endpoint: str) -> tuple[str, dict[str, Any]]:
    to = Arn.parse(arn)
    more = {"MessageAttributes": attributes} if attributes else {}
    if to.service == "sns":
        return "Publish", {"TopicArn": arn, "Message": body, **more}
    return "SendMessage", {"QueueUrl": queue_url(endpoint, to), "MessageBody": body, **more}


async def deliver_objects(ctx: Context, target: Target, config: EventInvokeConfig | None, end: End) -> None:
    """Keep the record in the bucket that is the destination, before the event ends: twice rather than not at all."""
    arn = destination_of(config, end)
    if not arn or Arn.parse(arn).service != "s3":
        return

    def act(ctx: Context) -> Context:
        principal = role_sessions.assume(ctx, target.version.role, "lambda", target.function.name)
        acting = role_sessions.context(ctx, principal, "lambda", "Invoke")
        acting.enter(None)
        return acting

    now = datetime.datetime.fromtimestamp(ctx.now(), datetime.UTC)
    key = f"aws/lambda/async/{target.function.name}/{now:%Y/%m/%d}/{now:%Y-%m-%dT%H.%M.%S}-{ctx.uuid()}"
    request = {"Bucket": Arn.parse(arn).resource, "Key": key, "Body": record(ctx, target, end)}
    request["ContentType"] = "application/json"
    try:
        acting = await ctx.transact(act)
        await acting.aws.s3.put_object(request)
    except Fault as fault:
        lost(ctx, target, arn, fault)
