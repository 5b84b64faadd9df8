"""CreateEventSourceMapping and its kin: which queues and streams Lambda reads for a function, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core import change_streams, encryption, paging
from cumulo.core.arns import Arn
from cumulo.core.background import standing
from cumulo.core.errors import Fault
from cumulo.core.operation import operation, task
from cumulo.services.compute.lambda_.errors import (
    FUNCTION_NOT_FOUND,
    INVALID_MARKER,
    NONE_OF_A_KIND,
    NOT_FOR_TENANTS,
    UserError,
)
from cumulo.services.compute.lambda_.event_sources import event_sources, shard_positions, source_mappings
from cumulo.services.compute.lambda_.event_sources.event_filters import SQS
from cumulo.services.compute.lambda_.event_sources.source_mappings import (
    CREATING,
    DELETING,
    DISABLED,
    DISABLING,
    ENABLED,
    ENABLING,
    MAPPINGS,
    NOTHING_YET,
    UPDATING,
    EventSourceMapping,
    keep,
    peek,
    shown,
)
from cumulo.services.compute.lambda_.functions import tagging
from cumulo.services.compute.lambda_.permissions import role_access
from cumulo.services.compute.lambda_.stored import function_names, qualifiers
from cumulo.services.compute.lambda_.stored.functions import FUNCTIONS

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.compute.lambda_.stored.function_names import FunctionName
    from cumulo.services.compute.lambda_.stored.versions import Version

IN_USE = UserError("ResourceInUseException", "Cannot {verb} the event source mapping because it is in use.")
EXISTS = UserError("ResourceConflictException")
PAGE = 100
# Of sources that are not here yet.
_NOT_YET = (
    "AmazonManagedKafkaEventSourceConfig",
    "SelfManagedKafkaEventSourceConfig",
    "DocumentDBEventSourceConfig",
    "LoggingConfig",
)


def _conditions(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    name = request.get("FunctionName")
    return {"lambda:FunctionArn": function_names.read(ctx, name).arn} if name else {}


@operation(unsupported=(*_NOT_YET, "Queues", "Topics"), conditions=_conditions)
def create_event_source_mapping(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Have Lambda read a queue or a stream for a function."""
    kind = event_sources.kind_of(request)
    arn = request["EventSourceArn"]
    event_sources.check_members(kind, request)
    if kind != SQS:
        event_sources.check_start(request, arn)
    asked, version = _function(ctx, request["FunctionName"])
    now = ctx.now()
    mapping = EventSourceMapping(
        ctx.account, ctx.region, ctx.uuid(), kind, arn, asked.name, asked.qualifier, now, now,
        enabled=request.get("Enabled", True),
        batch_size=event_sources.QUEUE_BATCH if kind == SQS else event_sources.STREAM_BATCH,
        tags=request.get("Tags", {}),
    )  # fmt: skip
    tagging.check(mapping.tags)
    event_sources.lay(mapping, request)
    _check_source(ctx, mapping, version, request)
    _check_alone(ctx, mapping)
    filters = _lay_filters(ctx, mapping, request, [])
    mapping.state = CREATING if mapping.enabled else DISABLED
    keep(ctx, mapping)
    standing.stand(ctx, "lambda")
    _settle_later(ctx, mapping)
    return shown(mapping, filters=filters)


def _function(ctx: Context, name: str) -> tuple[FunctionName, Version]:
    asked = function_names.read(ctx, name)
    function = FUNCTIONS.peek(ctx, asked.name) if asked.account == ctx.account else None
    if function is None:
        raise FUNCTION_NOT_FOUND(arn=asked.arn)
    return asked, qualifiers.found(ctx, asked, function).version


def _check_source(ctx: Context, mapping: EventSourceMapping, version: Version, request: dict[str, Any]) -> None:
    if version.tenant_isolation:
        raise NOT_FOR_TENANTS(what="Event source mappings are")
    if not mapping.streams:
        role_access.check_queue(ctx, mapping.source_arn, version)
        return
    stream = role_access.check_stream(ctx, mapping.source_arn, version)
    mapping.stream_id = stream.id
    if mapping.state == CREATING and not mapping.starting_position:
        mapping.starting_position = request["StartingPosition"]
        mapping.last_result = NOTHING_YET
        if mapping.starting_position == "LATEST":
            number = max(change_streams.last_number(ctx, stream.id), change_streams.number_at(ctx.now()) - 1)
            mapping.starting_after = change_streams.text_of(number)


def _check_alone(ctx: Context, mapping: EventSourceMapping) -> None:
    """A function reads a source once."""
    for other in MAPPINGS.range(ctx, mapping.source_arn, index="source"):
        if (other.function, other.qualifier) != (mapping.function, mapping.qualifier) or other.uuid == mapping.uuid:
            continue
        both = f'(" {mapping.source_arn} ") and function (" {mapping.function} ")'
        rest = f"already exists. Please update or delete the existing mapping with UUID {other.uuid}"
        if mapping.streams:
            raise EXISTS(f"The event source arn {both} provided mapping {rest}")
        raise EXISTS(f"An event source mapping with SQS arn {both} {rest}")


def _tagged(ctx: Context, arn: str) -> tagging.Tagged:
    """A mapping for the operations on tags."""
    place = Arn.parse(arn)
    uuid = place.resource.partition(":")[2]
    mapping = peek(ctx, place.account, ctx.region, uuid)
    if mapping is None or not ctx.trusted(place.account):
        ctx.authorize(arn, tags=mapping.tags if mapping is not None else None)
    if mapping is None:
        raise NONE_OF_A_KIND["event-source-mapping"](arn=arn)

    def put(tags: dict[str, str]) -> None:
        mapping.tags = tags
        MAPPINGS.put(ctx, mapping, account=mapping.account, region=mapping.region)

    return tagging.Tagged(mapping.tags, put)


tagging.TAGGABLE["event-source-mapping"] = _tagged


def _settle_later(ctx: Context, mapping: EventSourceMapping) -> None:
    ctx.later(settle_mapping, {"account": mapping.account, "region": mapping.region, "uuid": mapping.uuid})


@task
def settle_mapping(ctx: Context, payload: dict[str, Any]) -> None:
    """What was asked for has come about: the state says so, and pollers see to the rest."""
    mapping = peek(ctx, payload["account"], payload["region"], payload["uuid"])
    if mapping is None:
        return
    if mapping.state == DELETING:
        shard_positions.forget(ctx, mapping)
        MAPPINGS.delete(ctx, mapping, account=mapping.account, region=mapping.region)
        ctx.signal(source_mappings.SIGNAL)
        return
    mapping.state = ENABLED if mapping.enabled else DISABLED
    keep(ctx, mapping)


@operation
def get_event_source_mapping(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return _answer(ctx, MAPPINGS.get(ctx, request["UUID"]))


@operation(unsupported=(*_NOT_YET, "SourceAccessConfigurations"))
def update_event_source_mapping(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Change a mapping; what it was reading goes on where it stood."""
    mapping = MAPPINGS.get(ctx, request["UUID"])
    if mapping.state not in (ENABLED, DISABLED):
        raise IN_USE(verb="update")
    event_sources.check_members(mapping.kind, request)
    old = _filters(ctx, mapping) if {"FilterCriteria", "KMSKeyArn"} & request.keys() else []
    if "FunctionName" in request:
        asked, version = _function(ctx, request["FunctionName"])
        mapping.function, mapping.qualifier = asked.name, asked.qualifier
        _check_source(ctx, mapping, version, request)
        _check_alone(ctx, mapping)
    event_sources.lay(mapping, request)
    if {"FilterCriteria", "KMSKeyArn"} & request.keys():
        _lay_filters(ctx, mapping, request, old)
    enabled = request.get("Enabled", mapping.enabled)
    if enabled != mapping.enabled:
        mapping.state = ENABLING if enabled else DISABLING
    else:
        mapping.state = UPDATING
    mapping.enabled = enabled
    mapping.modified_at = ctx.now()
    keep(ctx, mapping)
    _settle_later(ctx, mapping)
    return _answer(ctx, mapping)


@operation
def delete_event_source_mapping(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Read the source no more."""
    mapping = MAPPINGS.get(ctx, request["UUID"])
    if mapping.state not in (ENABLED, DISABLED):
        raise IN_USE(verb="delete")
    answer = _answer(ctx, mapping)
    mapping.state, mapping.enabled = DELETING, False
    keep(ctx, mapping)
    _settle_later(ctx, mapping)
    return {**answer, "State": DELETING}


@operation
def list_event_source_mappings(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The mappings of the region, of a source or of a function. Encrypted filters are not in lists."""
    name, source = request.get("FunctionName"), request.get("EventSourceArn")
    asked = _function(ctx, name)[0] if name else None

    def fetch(after: tuple[str | int, ...] | None, limit: int) -> list[EventSourceMapping]:
        prefix, index = ((source,), "source") if source else ((asked.name,), "function") if asked else ((), None)
        found: list[EventSourceMapping] = []
        while len(found) < limit:
            page = MAPPINGS.range(ctx, *prefix, index=index, after=(*prefix, *after) if after else None, limit=limit)
            found += [
                mapping
                for mapping in page
                if asked is None or (mapping.function == asked.name and asked.qualifier in ("", mapping.qualifier))
            ]
            if len(page) < limit:
                break
            after = (page[-1].uuid,)
        return found[:limit]

    page, marker = paging.page(ctx,
        fetch, lambda mapping: (mapping.uuid,), token=request.get("Marker"),
        limit=min(request.get("MaxItems", PAGE), PAGE), error=INVALID_MARKER(), of=ctx.operation,
    )  # fmt: skip
    answer: dict[str, Any] = {"EventSourceMappings": [shown(mapping, filters=mapping.filters) for mapping in page]}
    if marker:
        answer["NextMarker"] = marker
    return answer


# --- filters ------------------------------------------------------------------------------------


def _lay_filters(ctx: Context, mapping: EventSourceMapping, request: dict[str, Any], old: list[str]) -> list[str]:
    """Keep the filters of a request, or those there were, under the key that is wanted; in plaintext."""
    filters = event_sources.patterns_in(mapping.kind, request) if "FilterCriteria" in request else old
    mapping.kms_key_arn = request.get("KMSKeyArn", mapping.kms_key_arn)
    mapping.filters, mapping.filters_sealed = filters, b""
    if mapping.kms_key_arn and filters:
        sealed = encryption.seal(ctx, mapping.kms_key_arn, msgspec.json.encode(filters), _bound_to(mapping))
        mapping.filters, mapping.filters_sealed = [], sealed
    return filters


def _bound_to(mapping: EventSourceMapping) -> dict[str, str]:
    return {"aws:lambda:EventSourceMappingArn": mapping.arn}


def _filters(ctx: Context, mapping: EventSourceMapping, service: str = "") -> list[str]:
    """The filters in plaintext: with the caller's right to the key, or with that of `service`. Raises KMS's Fault."""
    if not mapping.filters_sealed:
        return mapping.filters
    source_arn = mapping.arn if service else ""
    data = encryption.open(
        ctx, mapping.filters_sealed, _bound_to(mapping), service=service, source_arn=source_arn,
        account=mapping.account, region=mapping.region,
    )  # fmt: skip
    return msgspec.json.decode(data, type=list[str])


def filters_for_polling(ctx: Context, mapping: EventSourceMapping) -> tuple[str, ...]:
    """The filters as Lambda itself opens them, which the key's policy must let it do. Raises KMS's Fault."""
    return tuple(_filters(ctx, mapping, "lambda"))


def _answer(ctx: Context, mapping: EventSourceMapping) -> dict[str, Any]:
    """A mapping with its filters, or with the reason why this caller does not see them."""
    try:
        return shown(mapping, filters=_filters(ctx, mapping))
    except Fault as fault:
        return shown(mapping, filters=[], error={"ErrorCode": fault.code, "Message": fault.message})
