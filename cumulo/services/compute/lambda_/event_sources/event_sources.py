"""What can be an event source, and what a mapping of each kind may say.

Texts were observed in AWS's answers, or in issues of tools that quote them, unless a line says otherwise.
Source of the limits: Lambda API Reference, CreateEventSourceMapping, and the guide's page on each source.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.arns import Arn
from cumulo.core.errors import not_implemented
from cumulo.services.compute.lambda_.errors import INVALID_PARAMETER
from cumulo.services.compute.lambda_.event_sources.event_filters import DYNAMODB, SQS, PatternError, compile_filters

if TYPE_CHECKING:
    from cumulo.services.compute.lambda_.event_sources.source_mappings import EventSourceMapping

QUEUE_BATCH, STREAM_BATCH = 10, 100
FIFO_BATCH = 10
MOST_FILTERS = 5  # Source: Lambda Developer Guide, "Lambda quotas"
QUEUE_POLLERS = (2, 200)  # of provisioned mode where only one end is said

_EVERYWHERE = {
    "FunctionName",
    "EventSourceArn",
    "Enabled",
    "BatchSize",
    "MaximumBatchingWindowInSeconds",
    "FilterCriteria",
    "KMSKeyArn",
    "MetricsConfig",
    "FunctionResponseTypes",
    "Tags",
    "UUID",
}
_MEMBERS = {
    SQS: _EVERYWHERE | {"ScalingConfig", "ProvisionedPollerConfig"},
    DYNAMODB: _EVERYWHERE
    | {
        "StartingPosition",
        "StartingPositionTimestamp",
        "ParallelizationFactor",
        "DestinationConfig",
        "MaximumRecordAgeInSeconds",
        "BisectBatchOnFunctionError",
        "MaximumRetryAttempts",
        "TumblingWindowInSeconds",
    },
}
_NAMES = {SQS: "SQS", DYNAMODB: "DynamoDB"}
_NOT_YET = {"kinesis": "Kinesis", "kafka": "Amazon MSK", "mq": "Amazon MQ", "rds": "Amazon DocumentDB"}


def kind_of(request: dict[str, Any]) -> str:
    """SQS or DYNAMODB, for the source that a request names; a service that is not here yet is refused by name."""
    if "SelfManagedEventSource" in request:
        if not request.get("SourceAccessConfigurations"):
            raise INVALID_PARAMETER("Required 'sourceAccessConfigurations' parameter is missing.")
        raise _not_yet("self-managed Apache Kafka")
    text = request.get("EventSourceArn")
    if not text:
        raise INVALID_PARAMETER("The event source arn is required.")  # of our own: AWS was not heard
    arn = Arn.parse(text)
    if arn.service == "sqs":
        return SQS
    if arn.service == "dynamodb" and "/stream/" in arn.resource:
        return DYNAMODB
    if arn.service in _NOT_YET:
        if arn.service == "kinesis":
            check_start(request, text)
        raise _not_yet(_NOT_YET[arn.service])
    raise INVALID_PARAMETER(
        f"Unrecognized event source, must be kinesis, dynamodb stream or sqs. Unsupported source arn : {text}"
    )


def _not_yet(source: str) -> Exception:
    return not_implemented("lambda", "CreateEventSourceMapping", f"the event source {source}")


def check_start(request: dict[str, Any], arn: str) -> None:
    """Where to begin must be said of a stream; a DynamoDB stream knows no times."""
    position = request.get("StartingPosition")
    if position is None:
        raise INVALID_PARAMETER(
            "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: "
            "Member must not be null."
        )
    if position == "AT_TIMESTAMP" and Arn.parse(arn).service == "dynamodb":
        raise INVALID_PARAMETER(f"Unsupported starting position for arn type: {arn}")
    if "StartingPositionTimestamp" in request and Arn.parse(arn).service == "dynamodb":
        # Source: Lambda API Reference, CreateEventSourceMapping: with AT_TIMESTAMP only. The text is of our own.
        raise INVALID_PARAMETER("StartingPositionTimestamp is only valid with AT_TIMESTAMP as StartingPosition.")


def check_members(kind: str, request: dict[str, Any]) -> None:
    """Refuse what a source of this kind does not know. AWS's text is known of some members only."""
    for member in request:
        if member not in _MEMBERS[kind]:
            raise INVALID_PARAMETER(f"{member} is not valid for {_NAMES[kind]} event sources.")


def lay(mapping: EventSourceMapping, request: dict[str, Any]) -> None:
    """Lay what a request says over a mapping, and check what comes of it; a refusal undoes all."""
    mapping.batch_size = request.get("BatchSize", mapping.batch_size)
    mapping.window_s = request.get("MaximumBatchingWindowInSeconds", mapping.window_s)
    mapping.response_types = request.get("FunctionResponseTypes", mapping.response_types)
    if "MetricsConfig" in request:
        mapping.metrics = request["MetricsConfig"].get("Metrics", [])
        for metric in mapping.metrics:
            if metric != "EventCount":
                raise INVALID_PARAMETER(f"{metric} is not valid for {_NAMES[mapping.kind]} event sources.")
    if mapping.streams:
        _lay_stream(mapping, request)
    else:
        _lay_queue(mapping, request)


def _lay_queue(mapping: EventSourceMapping, request: dict[str, Any]) -> None:
    if "ScalingConfig" in request:
        mapping.maximum_concurrency = request["ScalingConfig"].get("MaximumConcurrency", 0)
    if "ProvisionedPollerConfig" in request:
        wanted = request["ProvisionedPollerConfig"]
        fewest, most = QUEUE_POLLERS
        mapping.minimum_pollers = mapping.maximum_pollers = 0
        if wanted:
            mapping.minimum_pollers = wanted.get("MinimumPollers", min(fewest, wanted.get("MaximumPollers", fewest)))
            mapping.maximum_pollers = wanted.get("MaximumPollers", max(most, mapping.minimum_pollers))
        mapping.poller_group = wanted.get("PollerGroupName", "")
    if mapping.minimum_pollers > mapping.maximum_pollers:
        raise INVALID_PARAMETER("MinimumPollers must be less than or equal to MaximumPollers.")  # of our own
    if mapping.minimum_pollers and mapping.maximum_concurrency:
        # Of our own; the rule is the guide's: "You can't use maximum concurrency with provisioned mode".
        raise INVALID_PARAMETER("ScalingConfig and ProvisionedPollerConfig cannot be used together.")
    if mapping.source_arn.endswith(".fifo"):
        if mapping.window_s:
            raise INVALID_PARAMETER("Batching window is not supported for FIFO queues")
        if mapping.batch_size > FIFO_BATCH:
            raise INVALID_PARAMETER(f"Batch size must be less than or equal to {FIFO_BATCH} for FIFO queues")  # our own
    elif mapping.batch_size > QUEUE_BATCH and not mapping.window_s:
        raise INVALID_PARAMETER(
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
        )


def _lay_stream(mapping: EventSourceMapping, request: dict[str, Any]) -> None:
    mapping.parallelization = request.get("ParallelizationFactor", mapping.parallelization)
    mapping.maximum_age_s = request.get("MaximumRecordAgeInSeconds", mapping.maximum_age_s)
    mapping.maximum_retries = request.get("MaximumRetryAttempts", mapping.maximum_retries)
    mapping.bisect = request.get("BisectBatchOnFunctionError", mapping.bisect)
    mapping.tumbling_s = request.get("TumblingWindowInSeconds", mapping.tumbling_s)
    if 0 <= mapping.maximum_age_s < 60:
        # The rule is the API reference's: -1, or 60 to 604,800. The text is of our own.
        raise INVALID_PARAMETER("MaximumRecordAgeInSeconds must be -1 or between 60 and 604800.")
    if "DestinationConfig" in request:
        wanted = request["DestinationConfig"]
        if wanted.get("OnSuccess", {}).get("Destination"):
            raise INVALID_PARAMETER("OnSuccess destination is not supported for stream event sources.")  # of our own
        mapping.destination_arn = wanted.get("OnFailure", {}).get("Destination", "")
        if mapping.destination_arn:
            _check_destination(mapping.destination_arn)


def _check_destination(text: str) -> None:
    service = Arn.parse(text).service if text.startswith("arn:") else text.partition(":")[0]
    if service == "kafka":
        raise not_implemented("lambda", "CreateEventSourceMapping", "an Apache Kafka topic as a destination")
    if service not in ("sqs", "sns", "s3") or text.endswith(".fifo"):
        # Source: Lambda Developer Guide, "Retain discarded records": standard queues and topics, and buckets.
        raise INVALID_PARAMETER(f"The provided destination config DestinationArn is invalid: {text}")  # of our own


def patterns_in(kind: str, request: dict[str, Any]) -> list[str]:
    """The filters that a request gives, compiled once to see that they are right."""
    patterns = [each.get("Pattern", "") for each in request["FilterCriteria"].get("Filters") or ()]
    if len(patterns) > MOST_FILTERS:
        raise INVALID_PARAMETER(f"The number of filters must be at most {MOST_FILTERS}.")  # of our own
    try:
        compile_filters(kind, tuple(patterns))
    except PatternError:
        raise INVALID_PARAMETER("Invalid filter pattern definition.") from None
    return patterns
