"""Whether the execution role of a function may read an event source, or tell a destination: asked once, beforehand.

Lambda asks for what it will call. The resource's own policy counts beside the role's, as in the calls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.arns import Arn
from cumulo.core.callers import role_sessions
from cumulo.core.change_streams import ENABLED, STREAMS
from cumulo.core.errors import Fault
from cumulo.services.compute.lambda_.errors import INVALID_PARAMETER, ROLE_NOT_ASSUMABLE
from cumulo.services.compute.lambda_.stored import policies

if TYPE_CHECKING:
    from cumulo.core.change_streams import Stream
    from cumulo.core.context import Context
    from cumulo.core.policy.principals import Principal
    from cumulo.services.compute.lambda_.stored.versions import Version

_QUEUE_ACTIONS = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
_STREAM_ACTIONS = ("GetRecords", "GetShardIterator", "DescribeStream", "ListStreams")
_NO_QUEUE = ("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue")


def queue_url(endpoint: str, arn: Arn) -> str:
    """The URL of a queue, as it is reached at the endpoint."""
    return f"{endpoint}/{arn.account}/{arn.resource}"


def check_queue(ctx: Context, text: str, version: Version) -> None:
    """The queue is there, the role may read it, and it hides messages for as long as the function may take."""
    arn = Arn.parse(text)
    request = {"QueueUrl": queue_url(ctx.endpoint, arn), "AttributeNames": ["All"]}
    principal = role_of(ctx, version)
    try:
        answer = ctx.call("sqs", "GetQueueAttributes", request, account=arn.account, region=arn.region, internal=True)
    except Fault as fault:
        if fault.code not in _NO_QUEUE:
            raise
        raise INVALID_PARAMETER(
            "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. "
            f"SQS Error Message: {fault.message}"
        ) from None
    attributes: dict[str, Any] = answer["Attributes"]
    for action in _QUEUE_ACTIONS:
        if not may(ctx, principal, "sqs", action, text, attributes.get("Policy")):
            raise INVALID_PARAMETER(f"The provided execution role does not have permissions to call {action} on SQS")
    hidden_s = int(attributes["VisibilityTimeout"])
    if hidden_s < version.timeout_s:
        raise INVALID_PARAMETER(
            f"Queue visibility timeout: {hidden_s} seconds is less than Function timeout: {version.timeout_s} seconds"
        )


def check_stream(ctx: Context, text: str, version: Version) -> Stream:
    """The stream, which is there and not disabled, and which the role may read."""
    arn = Arn.parse(text)
    _, _, rest = arn.resource.partition("/")
    table, _, label = rest.partition("/stream/")
    principal = role_of(ctx, version)
    stream = STREAMS.peek(ctx, table, label, account=arn.account, region=arn.region)
    if stream is None or stream.status != ENABLED:
        raise INVALID_PARAMETER(f"Stream not found: {text}")
    for action in _STREAM_ACTIONS:
        if not may(ctx, principal, "dynamodbstreams", action, text, stream.policy or None):
            raise INVALID_PARAMETER(
                f"Cannot access stream {text}. Please ensure the role can perform the GetRecords, GetShardIterator, "
                "DescribeStream, and ListStreams Actions on your stream in IAM."
            )
    return stream


def role_of(ctx: Context, version: Version) -> Principal:
    """Who a function is. Raises InvalidParameterValueException where Lambda cannot assume its role."""
    try:
        return role_sessions.assume(ctx, version.role, "lambda", version.name, source_arn=version.arn)
    except Fault as fault:
        if fault.code != "AccessDenied":
            raise
        raise ROLE_NOT_ASSUMABLE() from None


def may(ctx: Context, principal: Principal, service: str, operation: str, arn: str, policy: str | None) -> bool:
    """Whether they may call this; `policy` is the resource's own."""
    acting = role_sessions.context(ctx, principal, service, operation)
    try:
        acting.authorize(arn, policy=policy, action=_action(service, operation))
    except Fault:
        return False
    return True


def _action(service: str, operation: str) -> str:
    if (service, operation) == ("lambda", "Invoke"):
        return policies.INVOKE
    return f"{'dynamodb' if service == 'dynamodbstreams' else service}:{operation}"
