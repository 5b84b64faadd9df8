"""Event source mappings: their record, and how Lambda shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.arns import partition_of
from cumulo.core.table import GLOBAL, REGION, Record, Space, Table, prefix_range
from cumulo.services.compute.lambda_.errors import RESOURCE_NOT_FOUND
from cumulo.services.compute.lambda_.stored.functions import arn_of

if TYPE_CHECKING:
    from cumulo.core.context import Context

SIGNAL = "lambda.source_mappings"  # a mapping was made, changed or deleted: pollers look again

CREATING, ENABLING, ENABLED = "Creating", "Enabling", "Enabled"
UPDATING, DISABLING, DISABLED, DELETING = "Updating", "Disabling", "Disabled", "Deleting"
NOTHING_YET = "No records processed"


class EventSourceMapping(Record):
    """What Lambda polls for a function. Times are cloud time in seconds since 1970; -1 is "without end", as in AWS."""

    account: str
    region: str
    uuid: str
    kind: str  # event_filters.SQS or DYNAMODB
    source_arn: str
    function: str  # its name
    qualifier: str
    created_at: float
    modified_at: float
    state: str = CREATING
    enabled: bool = True  # what its owner wants; `state` follows
    last_result: str = ""
    batch_size: int = 10
    window_s: int = 0
    filters: list[str] = []
    filters_sealed: bytes = b""  # the same under `kms_key_arn`; `filters` is empty then
    kms_key_arn: str = ""
    metrics: list[str] | None = None
    response_types: list[str] = []
    maximum_concurrency: int = 0  # SQS only, like the pollers; 0 for none said
    minimum_pollers: int = 0
    maximum_pollers: int = 0
    poller_group: str = ""
    starting_position: str = ""  # streams only, like all that follows
    starting_after: str = ""  # LATEST: the sequence number of the last change when the mapping was made
    parallelization: int = 1
    destination_arn: str | None = None  # "" for one that was taken away
    maximum_age_s: int = -1
    bisect: bool = False
    maximum_retries: int = -1
    tumbling_s: int = 0
    tags: dict[str, str] = {}
    stream_id: str = ""  # by which the signals of a stream's changes go

    @property
    def arn(self) -> str:
        """The mapping's own ARN."""
        place = f"{self.region}:{self.account}:event-source-mapping:{self.uuid}"
        return f"arn:{partition_of(self.region)}:lambda:{place}"

    @property
    def function_arn(self) -> str:
        """The ARN of the function that is called, qualified if it was named so."""
        return arn_of(self.account, self.region, self.function, self.qualifier)

    @property
    def streams(self) -> bool:
        """Whether the source is a stream, not a queue."""
        return self.kind != "sqs"


MAPPINGS = Table(
    EventSourceMapping,
    name="lambda.source_mappings",
    key="uuid",
    scope=REGION,
    arn="arn:{partition}:lambda:{region}:{account}:event-source-mapping:{uuid}",
    missing=RESOURCE_NOT_FOUND,
    tags=lambda mapping: mapping.tags,
    indexes={"function": ("function",), "source": ("source_arn",)},
)
_ALL = Space(MAPPINGS.name, scope=GLOBAL)  # the same keys, whatever account and region they name next


def keep(ctx: Context, mapping: EventSourceMapping) -> None:
    """Write a mapping back to where it lives, and wake what polls."""
    MAPPINGS.put(ctx, mapping, account=mapping.account, region=mapping.region)
    ctx.signal(SIGNAL)


def peek(ctx: Context, account: str, region: str, uuid: str) -> EventSourceMapping | None:
    """A mapping or None. Nobody is asked."""
    return MAPPINGS.peek(ctx, uuid, account=account, region=region)


def everywhere(ctx: Context) -> list[EventSourceMapping]:
    """The mappings of all accounts and regions."""
    decode = MAPPINGS.codec.decode
    return [decode(value) for _, value in ctx.txn.range(*prefix_range(_ALL.key(ctx)))]


def shown(mapping: EventSourceMapping, *, filters: list[str], error: dict[str, str] | None = None) -> dict[str, Any]:
    """A mapping as every operation answers it. `filters` in plaintext; `error` tells why they cannot be shown."""
    answer: dict[str, Any] = {
        "UUID": mapping.uuid,
        "BatchSize": mapping.batch_size,
        "MaximumBatchingWindowInSeconds": mapping.window_s,
        "EventSourceArn": mapping.source_arn,
        "FunctionArn": mapping.function_arn,
        "LastModified": mapping.modified_at,
        "State": mapping.state,
        # AWS says it in two ways: queues in this one, streams in the other. Seen in its answers.
        "StateTransitionReason": "User action" if mapping.streams else "USER_INITIATED",
        "FunctionResponseTypes": mapping.response_types,
        "EventSourceMappingArn": mapping.arn,
    }
    if filters:
        answer["FilterCriteria"] = {"Filters": [{"Pattern": pattern} for pattern in filters]}
    if error is not None:
        answer["FilterCriteriaError"] = error
    if mapping.kms_key_arn:
        answer["KMSKeyArn"] = mapping.kms_key_arn
    if mapping.metrics is not None:
        answer["MetricsConfig"] = {"Metrics": mapping.metrics}
    if mapping.maximum_concurrency:
        answer["ScalingConfig"] = {"MaximumConcurrency": mapping.maximum_concurrency}
    if mapping.minimum_pollers:
        pollers: dict[str, Any] = {
            "MinimumPollers": mapping.minimum_pollers,
            "MaximumPollers": mapping.maximum_pollers,
        }
        if mapping.poller_group:
            pollers["PollerGroupName"] = mapping.poller_group
        answer["ProvisionedPollerConfig"] = pollers
    if mapping.streams:
        answer |= {
            "StartingPosition": mapping.starting_position,
            "ParallelizationFactor": mapping.parallelization,
            "LastProcessingResult": mapping.last_result,
            "DestinationConfig": {"OnFailure": {"Destination": mapping.destination_arn}}
            if mapping.destination_arn
            else {"OnFailure": {}},
            "MaximumRecordAgeInSeconds": mapping.maximum_age_s,
            "BisectBatchOnFunctionError": mapping.bisect,
            "MaximumRetryAttempts": mapping.maximum_retries,
            "TumblingWindowInSeconds": mapping.tumbling_s,
        }
    return answer
