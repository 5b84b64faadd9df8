"""From the ARN of a target to the operation that delivers to it, for every service that sends events.

A delivery runs inside the sender's transaction: what arrives and what the sender notes of it are one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cumulo.core.arns import Arn
from cumulo.wire.faults import Fault
from cumulo.wire.http import Headers

if TYPE_CHECKING:
    from cumulo.core.context import Context

TRACE = b"x-amzn-trace-id"

Message = dict[str, Any]
Request = tuple[str, dict[str, Any]]


def _add(request: dict[str, Any], message: Message) -> None:
    """What messages to queues and to topics have alike."""
    if message.get("attributes"):
        request["MessageAttributes"] = message["attributes"]
    if message.get("group_id"):
        request["MessageGroupId"] = message["group_id"]
    if message.get("deduplication_id"):
        request["MessageDeduplicationId"] = message["deduplication_id"]


def _to_queue(ctx: Context, target: Arn, message: Message) -> Request:
    request: dict[str, Any] = {
        "QueueUrl": f"{ctx.endpoint}/{target.account}/{target.resource}",
        "MessageBody": message["body"],
    }
    _add(request, message)
    if message.get("trace_header"):
        request["MessageSystemAttributes"] = {
            "AWSTraceHeader": {"DataType": "String", "StringValue": message["trace_header"]}
        }
    return "SendMessage", request


def _to_topic(ctx: Context, target: Arn, message: Message) -> Request:
    request: dict[str, Any] = {"TopicArn": str(target), "Message": message["body"]}
    if message.get("subject"):
        request["Subject"] = message["subject"]
    _add(request, message)
    return "Publish", request


def _to_function(ctx: Context, target: Arn, message: Message) -> Request:
    request = {"FunctionName": str(target), "InvocationType": "Event", "Payload": message["body"].encode()}
    return "Invoke", request


# Target service of the ARN → how its request is made. A service that lands and receives events adds its line.
TARGETS: dict[str, Callable[[Context, Arn, Message], Request]] = {
    "sqs": _to_queue,
    "sns": _to_topic,
    "lambda": _to_function,
}


def deliver(
    ctx: Context, target_arn: str, message: Message, *, service: str, source_arn: str, source_account: str = ""
) -> dict[str, Any]:
    """Deliver a message as the service principal of `service`, on behalf of `source_arn`.

    `message` holds `body` (text) and optionally `subject`, `attributes`, `group_id`, `deduplication_id` and
    `trace_header`. `source_account` owns the source, where its ARN does not say so.
    Raises the target's Fault; a target of a kind that cannot be reached yet is NotImplemented.
    """
    target = Arn.parse(target_arn)
    make = TARGETS.get(target.service)
    if make is None:
        raise Fault("NotImplemented", f"cumulo cannot deliver to {target.service} yet", status=501, sender=False)
    operation, request = make(ctx, target, message)
    inner = ctx.child(
        target.service,
        operation,
        service=service,
        source_arn=source_arn,
        account=target.account,
        region=target.region,
        source_account=source_account,
    )
    trace = message.get("trace_header")
    if trace and target.service == "lambda":  # by which Lambda tells a function that calls itself in a loop
        inner.headers = Headers([(TRACE, trace.encode())])
    return ctx.runtime.nested(inner, request, ctx.txn)


def trace_of(ctx: Context) -> str:
    """The trace header that a request came with, to give to `deliver`; "" without one."""
    header = ctx.headers.get(TRACE.decode()) if ctx.headers is not None else ""
    return header if header.startswith("Root=") else ""
