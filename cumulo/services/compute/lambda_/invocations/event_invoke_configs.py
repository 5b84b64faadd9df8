"""What is to become of events: how often and how long they are tried, and who is told.

The texts were observed in AWS's answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.arns import Arn
from cumulo.core.errors import Fault, not_implemented
from cumulo.core.operation import operation
from cumulo.core.table import REGION, Record, Table
from cumulo.services.compute.lambda_ import errors
from cumulo.services.compute.lambda_.permissions import role_access
from cumulo.services.compute.lambda_.stored import (
    function_names,
    function_pages,
    policies,
    qualifiers,
    versions,
)
from cumulo.services.compute.lambda_.stored.aliases import ALIASES
from cumulo.services.compute.lambda_.stored.functions import FUNCTIONS, arn_of
from cumulo.services.compute.lambda_.stored.versions import LATEST

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.compute.lambda_.stored.function_names import FunctionName
    from cumulo.services.compute.lambda_.stored.functions import Function
    from cumulo.services.compute.lambda_.stored.qualifiers import Target
    from cumulo.stubs import lambda_ as t

OLDEST_S = 21_600
RETRIES = 2
SERVICES = ("sqs", "sns", "lambda", "s3", "events")


class EventInvokeConfig(Record):
    """The configuration of a function ("$LATEST"), a version or an alias. Times are cloud time in seconds."""

    name: str
    qualifier: str
    modified_at: float
    maximum_age_s: int | None = None
    maximum_retries: int | None = None
    on_success: str = ""
    on_failure: str = ""


CONFIGS = Table(EventInvokeConfig, name="lambda.event_invoke_configs", key=("name", "qualifier"), scope=REGION)


def applying(ctx: Context, target: Target) -> EventInvokeConfig | None:
    """The configuration for events of a target: that of the alias, or of the version, that was invoked."""
    function = target.function
    qualifier = target.alias.alias if target.alias is not None else target.version.version
    return CONFIGS.peek(ctx, function.name, qualifier, account=function.account, region=function.region)


def maximum_age_s(config: EventInvokeConfig | None) -> int:
    """How long events are kept."""
    return OLDEST_S if config is None or config.maximum_age_s is None else config.maximum_age_s


def maximum_retries(config: EventInvokeConfig | None) -> int:
    """How often a function that fails is run again."""
    return RETRIES if config is None or config.maximum_retries is None else config.maximum_retries


def forget(ctx: Context, account: str, region: str, name: str, qualifier: str = "") -> None:
    """A function, or one qualifier of it, is deleted."""
    for config in CONFIGS.range(ctx, name, account=account, region=region):
        if qualifier in ("", config.qualifier):
            CONFIGS.delete(ctx, config, account=account, region=region)


def _asked(ctx: Context, request: Any) -> FunctionName:
    """What the request names, authorized; the qualifier is $LATEST where there is none."""
    asked, _ = qualifiers.named(ctx, request["FunctionName"], request.get("Qualifier"))
    return asked._replace(qualifier=asked.qualifier or LATEST)


def _existing(ctx: Context, asked: FunctionName) -> Function:
    """The function. Refuses one, or a version or an alias, that is not there; all with one text."""
    function = FUNCTIONS.peek(ctx, asked.name, account=asked.account)
    if function is not None:
        if versions.of(ctx, asked.account, asked.region, asked.name, asked.qualifier) is not None:
            return function
        if ALIASES.peek(ctx, asked.name, asked.qualifier, account=asked.account) is not None:
            return function
    raise errors.FUNCTION_GONE()


def _found(ctx: Context, asked: FunctionName) -> EventInvokeConfig:
    config = CONFIGS.peek(ctx, asked.name, asked.qualifier, account=asked.account)
    if config is None:
        raise errors.NO_EVENT_INVOKE_CONFIG(arn=arn_of(*asked))
    return config


@operation
def put_function_event_invoke_config(
    ctx: Context, request: t.PutFunctionEventInvokeConfigRequest
) -> t.FunctionEventInvokeConfig:
    asked = _asked(ctx, request)
    _check(ctx, request, asked)
    _existing(ctx, asked)
    return _written(ctx, request, asked, EventInvokeConfig(asked.name, asked.qualifier, ctx.now()))


@operation
def update_function_event_invoke_config(
    ctx: Context, request: t.UpdateFunctionEventInvokeConfigRequest
) -> t.FunctionEventInvokeConfig:
    asked = _asked(ctx, request)
    _check(ctx, request, asked)
    _existing(ctx, asked)
    return _written(ctx, request, asked, _found(ctx, asked))


def _written(ctx: Context, request: Any, asked: FunctionName, config: EventInvokeConfig) -> t.FunctionEventInvokeConfig:
    """Write what the request says over the configuration."""
    config.modified_at = ctx.now()
    if "MaximumRetryAttempts" in request:
        config.maximum_retries = request["MaximumRetryAttempts"]
    if "MaximumEventAgeInSeconds" in request:
        config.maximum_age_s = request["MaximumEventAgeInSeconds"]
    destinations = request.get("DestinationConfig") or {}
    if "OnSuccess" in destinations:
        config.on_success = destinations["OnSuccess"].get("Destination", "")
    if "OnFailure" in destinations:
        config.on_failure = destinations["OnFailure"].get("Destination", "")
    CONFIGS.put(ctx, config, account=asked.account)
    return _shown(asked, config)


@operation
def get_function_event_invoke_config(
    ctx: Context, request: t.GetFunctionEventInvokeConfigRequest
) -> t.FunctionEventInvokeConfig:
    asked = _asked(ctx, request)
    return _shown(asked, _found(ctx, asked))


@operation
def delete_function_event_invoke_config(ctx: Context, request: t.DeleteFunctionEventInvokeConfigRequest) -> None:
    asked = _asked(ctx, request)
    CONFIGS.delete(ctx, _found(ctx, asked), account=asked.account)


@operation
def list_function_event_invoke_configs(
    ctx: Context, request: t.ListFunctionEventInvokeConfigsRequest
) -> t.ListFunctionEventInvokeConfigsResponse:
    name = function_pages.owner(ctx, request, errors.FUNCTION_GONE)
    answer: t.ListFunctionEventInvokeConfigsResponse = function_pages.page(
        ctx,
        request,
        lambda after, limit: CONFIGS.range(ctx, name.name, after=after, limit=limit, account=name.account),
        lambda config: _shown(name._replace(qualifier=config.qualifier), config),
        key=(name.name,),
        member="FunctionEventInvokeConfigs",
    )
    return answer


def _shown(asked: FunctionName, config: EventInvokeConfig) -> t.FunctionEventInvokeConfig:
    destinations: Any = {"OnSuccess": {}, "OnFailure": {}}
    if config.on_success:
        destinations["OnSuccess"]["Destination"] = config.on_success
    if config.on_failure:
        destinations["OnFailure"]["Destination"] = config.on_failure
    answer: t.FunctionEventInvokeConfig = {
        "LastModified": config.modified_at,
        "FunctionArn": arn_of(asked.account, asked.region, asked.name, config.qualifier),
        "DestinationConfig": destinations,
    }
    if config.maximum_retries is not None:
        answer["MaximumRetryAttempts"] = config.maximum_retries
    if config.maximum_age_s is not None:
        answer["MaximumEventAgeInSeconds"] = config.maximum_age_s
    return answer


# --- destinations -------------------------------------------------------------------------------


def _check(ctx: Context, request: Any, asked: FunctionName) -> None:
    """Refuse a request that says nothing, and destinations that cannot be told anything."""
    if not any(name in request for name in ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")):
        raise errors.NOTHING_CONFIGURED()
    given = request.get("DestinationConfig") or {}
    success = (given.get("OnSuccess") or {}).get("Destination", "")
    failure = (given.get("OnFailure") or {}).get("Destination", "")
    for arn, is_success in ((success, True), (failure, False)):
        if not arn:
            continue
        service = Arn.parse(arn).service if arn.startswith("arn:") else ""
        if service not in SERVICES or (service == "s3" and is_success):
            raise errors.INVALID_DESTINATIONS(success=_java("OnSuccess", success), failure=_java("OnFailure", failure))
        _check_destination(ctx, arn, service, asked)


def _java(kind: str, arn: str) -> str:
    """A destination as AWS's texts show it."""
    return f"{kind}(destination={arn})" if arn else "null"


# How a destination is looked for, and what the function's role must be allowed to call.
_TOLD_BY = {"sqs": "SendMessage", "sns": "Publish", "lambda": "Invoke", "s3": "PutObject"}


def _check_destination(ctx: Context, arn: str, service: str, asked: FunctionName) -> None:
    """It is there, it is no FIFO queue or topic, and the function's role may tell it.

    Source: Lambda Developer Guide, "Capturing records of Lambda asynchronous invocations".
    """
    if service == "events":
        raise not_implemented("lambda", ctx.operation, "DestinationConfig with an event bus")
    if arn.endswith(".fifo"):
        raise errors.INVALID_DESTINATION(arn=arn)
    policy = _policy_of_function(ctx, arn, asked) if service == "lambda" else _policy_of_resource(ctx, arn, service)
    version = qualifiers.found(ctx, asked, _existing(ctx, asked)).version
    called = _TOLD_BY[service]
    told = f"{arn}/*" if service == "s3" else arn
    if not role_access.may(ctx, role_access.role_of(ctx, version), service, called, told, policy):
        raise errors.ROLE_CANNOT_TELL(call=called, arn=arn)


def _policy_of_function(ctx: Context, arn: str, asked: FunctionName) -> str | None:
    name = function_names.read(ctx, arn)
    if name.function_arn == asked.function_arn:
        raise errors.DESTINATION_IS_ITSELF()
    if FUNCTIONS.peek(ctx, name.name, account=name.account) is None:
        raise errors.INVALID_DESTINATION(arn=arn)
    held = policies.of(ctx, *name)
    return held.document if held is not None else None


def _policy_of_resource(ctx: Context, arn: str, service: str) -> str | None:
    to = Arn.parse(arn)
    url = role_access.queue_url(ctx.endpoint, to)
    look: dict[str, tuple[str, dict[str, Any]]] = {
        "sqs": ("GetQueueAttributes", {"QueueUrl": url, "AttributeNames": ["Policy"]}),
        "sns": ("GetTopicAttributes", {"TopicArn": arn}),
        "s3": ("HeadBucket", {"Bucket": to.resource}),
    }
    called, question = look[service]
    place = {"account": to.account or ctx.account, "region": to.region}
    try:
        answer = ctx.call(service, called, question, internal=True, **place)
    except Fault:
        raise errors.INVALID_DESTINATION(arn=arn) from None
    if service != "s3":
        found: str | None = answer.get("Attributes", {}).get("Policy")
        return found
    try:
        text: str = ctx.call("s3", "GetBucketPolicy", {"Bucket": to.resource}, internal=True, **place)["Policy"]
    except Fault:
        return None  # none was ever put
    return text
